/*
 * mapping: newuidmap and newgidmap, which are setuid root and give a user the ids that /etc/subuid and /etc/subgid
 * grant him. They get numbers only, which were checked when the config was. Source: newuidmap(1), subuid(5).
 */
#include "runtime/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "sandbox/compile.h"

enum { MAP_MS = 30000 };

static const struct tool {
	const char *program, *key, *what, *file;
} tools[] = {
	{ "newuidmap", "uidMappings", "uid", "/etc/subuid" },
	{ "newgidmap", "gidMappings", "gid", "/etc/subgid" },
};

static void add_argv(const struct tool *t, const json *spec, int32_t pid, struct strv *to)
{
	static const char *const keys[] = { "containerID", "hostID", "size" };

	strv_add(to, t->program);
	strv_addf(to, "%d", pid);
	json_foreach (range, json_get(json_get(spec, "linux"), t->key))
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			strv_addf(to, "%" PRId64, json_get_number(range, keys[i], 0));
}

/* In one line, without its own name. */
static void tidy(const struct tool *t, struct strbuf *said)
{
	size_t n = strlen(t->program);

	if (said->len > n + 2 && strncmp(said->text, t->program, n) == 0 && strncmp(said->text + n, ": ", 2) == 0) {
		memmove(said->text, said->text + n + 2, said->len - n - 1);
		said->len -= n + 2;
	}
	while (said->len && said->text[said->len - 1] == '\n')
		said->text[--said->len] = '\0';
	for (size_t i = 0; i < said->len; i++)
		if (said->text[i] == '\n')
			said->text[i] = ' ';
}

static int explain(const struct tool *t, const struct strv *argv, int status, struct strbuf *said, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf line = STRBUF_INIT;
	char buffer[1024], user[64];
	struct passwd entry, *found = NULL;

	for (size_t i = 0; i < argv->n && i < 32; i++)
		strbuf_addf(&line, "%s%s", i ? " " : "", argv->items[i]);
	if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found)
		snprintf(user, sizeof(user), "%s", found->pw_name);
	else
		snprintf(user, sizeof(user), "%u", (unsigned)getuid());
	tidy(t, said);
	return err_set(
		err, TEU_E_PERMISSION,
		"linux.%s: %s%s: %s%s%s (status %d): %s has to grant these ids, with a line \"%s:FIRST:COUNT\", and "
		"%s must be setuid root and not run with no_new_privs",
		t->key, line.text ? line.text : t->program, argv->n > 32 ? " …" : "", said->len ? "\"" : "",
		said->len ? said->text : "it says nothing", said->len ? "\"" : "", status, t->file, user, t->program);
}

static int start(const struct tool *t, const struct strv *argv, int out, pid_t *ret_pid, teu_error **err)
{
	static char *const none[] = { NULL };
	const struct child child = {
		.program = t->program,
		.search = true,
		.argv = argv->items,
		.env = none,
		.in = -1,
		.out = out,
		.err = out,
	};
	int eno = child_spawn(&child, ret_pid);

	if (eno == ENOENT)
		return err_set(err, TEU_E_UNSUPPORTED,
			       "linux.%s: %s is not in PATH, and gives an ordinary user other ids than his own %s %u: "
			       "install it "
			       "(Debian: package uidmap), or map that one alone, with size 1",
			       t->key, t->program, t->what,
			       (unsigned)(strcmp(t->what, "uid") == 0 ? geteuid() : getegid()));
	return eno ? err_errno(err, eno, "linux.%s: start %s", t->key, t->program) : 0;
}

static int run(const struct tool *t, const json *spec, int32_t pid, teu_error **err)
{
	_cleanup_(strv_done) struct strv argv = STRV_INIT;
	_cleanup_(strbuf_done) struct strbuf said = STRBUF_INIT;
	_cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
	int ends[2], status, r;
	pid_t child;

	add_argv(t, spec, pid, &argv);
	if (argv.oom)
		return err_oom(err);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, errno, "pipe");
	read_end = ends[0];
	write_end = ends[1];
	r = start(t, &argv, write_end, &child, err);
	if (r < 0)
		return r;
	close(TAKE_FD(write_end));
	if (child_await(child, read_end, clock_monotonic_ms() + MAP_MS, &said, &status) < 0)
		return err_set(err, TEU_E_TIMEOUT, "linux.%s: %s did not end within %d s", t->key, t->program,
			       MAP_MS / 1000);
	return status ? explain(t, &argv, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), &said, err)
		      : 0;
}

int mapping_write(const json *spec, int32_t pid, teu_error **err)
{
	const uint32_t own[] = { geteuid(), getegid() };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tools); i++)
		if (!compile_maps_itself(spec, tools[i].key, own[i], IDMAP_USER))
			r = run(&tools[i], spec, pid, err);
	return r;
}
