/*
 * restore: brings back the processes of a container that were saved. Folder, cgroup, mounts of the host and hooks are
 * those of create; namespaces, mounts and processes are criu's work. Source: criu(8), "restore".
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "format/protobuf.h"
#include "runtime/checkpoint.h"
#include "runtime/creation.h"
#include "runtime/criu.h"
#include "runtime/external.h"
#include "runtime/hooks.h"
#include "runtime/imagedir.h"
#include "runtime/sockets.h"

static const char log_name[] = "restore.log";

struct restore {
	const teu_runtime_restore_options *opts;
	teu_runtime_create_options as_create;
	struct creation c;
	struct imagedir images;
	struct criu_start how;
	struct criu criu;
	struct strbuf options;
	char *what; /* for errors, owned */
};

static void restore_done(struct restore *s)
{
	criu_done(&s->criu, NULL);
	imagedir_done(&s->images);
	strbuf_done(&s->options);
	for (size_t i = 0; i < s->how.n_fds; i++)
		cleanup_close(&s->how.fds[i]);
	creation_done(&s->c);
	free(s->what);
}

static void fill_create(const teu_runtime_restore_options *o, teu_runtime_create_options *to)
{
	*to = (teu_runtime_create_options){
		.bundle = o->bundle,
		.pid_file = o->pid_file,
		.console_socket = o->console_socket,
		.console_fd = o->console_fd,
		.stdin_fd = o->stdin_fd,
		.stdout_fd = o->stdout_fd,
		.stderr_fd = o->stderr_fd,
	};
}

/* It has to be there; criu gets it as one more of its descriptors. */
static int inherit_namespace(struct restore *s, const char *path, const char *key, teu_error **err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno, "open the namespace %s", path);
	criu_add_inherited(&s->options, key, CRIU_FIRST_FD + (int)s->how.n_fds);
	s->how.fds[s->how.n_fds++] = fd;
	return 0;
}

static int add_namespace(struct restore *s, const char *type, const char *path, teu_error **err)
{
	static const struct {
		const char *type, *name, *key;
	} known[] = { { "network", "net", "extRootNetNS" },
		      { "pid", "pid", "extRootPidNS" },
		      { "ipc", "ipc", NULL },
		      { "uts", "uts", NULL },
		      { "mount", "mnt", NULL },
		      { "user", "user", NULL } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(type, known[i].type) != 0)
			continue;
		if (known[i].key)
			return inherit_namespace(s, path, known[i].key, err);
		criu_add_pair(&s->options, CRIU_JOIN_NS, known[i].name, path);
		return 0;
	}
	return err_set(err, TEU_E_UNSUPPORTED, "criu can't restore into the %s namespace %s", type, path);
}

static int add_namespaces(struct restore *s, teu_error **err)
{
	json_foreach (v, json_find(s->c.bundle.spec, "linux.namespaces")) {
		const char *path = json_get_text(v, "path", "");
		int r = *path ? add_namespace(s, json_get_text(v, "type", ""), path, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_mounts(struct restore *s, teu_error **err)
{
	_cleanup_(external_done) struct external external = { 0 };
	const struct creation *c = &s->c;
	int r = external_list(c->bundle.spec, &c->cgroup, c->cgroup_path ? c->cgroup_path : "", &external, err);

	return r == 0 ? external_add_restored(&external, &s->options, err) : r;
}

static int fill_options(struct restore *s, teu_error **err)
{
	const teu_runtime_restore_options *o = s->opts;
	struct strbuf *to = &s->options;
	int r = imagedir_add(&s->images, s->c.bundle.spec, log_name, to, err);

	protobuf_text(to, CRIU_ROOT, s->c.bundle.rootfs);
	protobuf_bool(to, CRIU_EVASIVE_DEVICES, true);
	protobuf_bool(to, CRIU_RST_SIBLING, true);
	protobuf_bool(to, CRIU_EXT_UNIX_SK, o->ext_unix_sk);
	protobuf_bool(to, CRIU_TCP_ESTABLISHED, o->tcp_established);
	protobuf_bool(to, CRIU_SHELL_JOB, o->shell_job);
	protobuf_bool(to, CRIU_FILE_LOCKS, o->file_locks);
	protobuf_bool(to, CRIU_AUTO_DEDUP, o->auto_dedup);
	protobuf_bool(to, CRIU_LAZY_PAGES, o->lazy_pages);
	protobuf_text(to, CRIU_LSM_PROFILE, o->lsm_profile);
	protobuf_text(to, CRIU_LSM_MOUNT_CONTEXT, o->lsm_mount_context);
	if (r == 0)
		r = criu_add_cgroup_mode(to, o->manage_cgroups_mode, err);
	if (r == 0)
		r = imagedir_add_streams(&s->images, to, err);
	if (r == 0)
		r = add_namespaces(s, err);
	if (r == 0)
		r = add_mounts(s, err);
	return r == 0 && to->oom ? err_oom(err) : r;
}

/* "4:cpu,cpuacct:/a" -> two controllers at /a: what criu is in stands in the place of what was saved. */
static void add_group_line(struct strbuf *options, char *line)
{
	char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL, *name;

	if (!path)
		return;
	*path++ = '\0';
	controllers++;
	while ((name = strsep(&controllers, ",")))
		criu_add_pair(options, CRIU_CG_ROOT, name, path);
}

/* What criu makes is born where it is. */
static int enter_cgroup(struct restore *s, teu_error **err)
{
	_cleanup_(cgroup_unrefp) teu_cgroup *group = NULL;
	_cleanup_free_ char *text = NULL;
	char path[64], *rest;
	size_t len;
	int r = s->c.scope.unit ? creation_place(&s->c, s->criu.pid, err) : 0;

	if (r < 0 || !s->c.cgroup_made)
		return r;
	r = cgroup_find(s->c.cgroup_path, &group, err);
	if (r == 0)
		r = cgroup_add(group, s->criu.pid, err);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", s->criu.pid);
	if (r == 0)
		r = fd_read_file(AT_FDCWD, path, 1 << 16, &text, &len, err);
	rest = text;
	for (char *line = r == 0 ? strsep(&rest, "\n") : NULL; line && *line; line = strsep(&rest, "\n"))
		add_group_line(&s->options, line);
	return r;
}

static int enter_shares(struct restore *s, teu_error **err)
{
	int r = shares_make(s->c.bundle.spec, s->c.record.id, &s->c.shares, err);
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)s->criu.pid);
	strv_foreach (file, &s->c.shares.tasks) {
		int failed = r == 0 ? fd_write_value(AT_FDCWD, *file, text) : 0;

		if (failed < 0)
			r = err_errno(err, -failed, "linux.intelRdt: write %s to %s", text, *file);
	}
	return r;
}

static int on_notify(void *data, const char *script, int32_t pid, int fd, teu_error **err)
{
	struct restore *s = data;

	if (strcmp(script, "setup-namespaces") == 0 &&
	    (hooks_any(s->c.bundle.spec, "prestart") || hooks_any(s->c.bundle.spec, "createRuntime")))
		return creation_run_hooks(&s->c, pid, err);
	/* From now on somebody finds and deletes it, whatever becomes of us. */
	if (strcmp(script, "post-restore") == 0)
		return creation_record(&s->c, pid, err);
	if (strcmp(script, "orphan-pts-master") == 0 && fd >= 0 && s->c.handover.console >= 0)
		return socket_send_fd(s->c.handover.console, "/dev/ptmx", fd, err);
	return 0;
}

static int run_criu(struct restore *s, teu_error **err)
{
	int r;

	s->how.rootfs = s->c.bundle.rootfs;
	s->how.stays = s->c.stays;
	s->how.stdio[0] = s->opts->stdin_fd;
	s->how.stdio[1] = s->opts->stdout_fd;
	s->how.stdio[2] = s->opts->stderr_fd;
	r = criu_start(&s->how, &s->criu, err);
	s->criu.what = s->what;
	s->criu.log = log_name;
	s->criu.log_dir = s->images.work_fd;
	s->criu.notify = on_notify;
	s->criu.data = s;
	if (r == 0)
		r = imagedir_reopen(&s->images, s->criu.pid, err);
	if (r == 0)
		r = imagedir_lend(&s->images, s->c.bundle.spec, err);
	if (r == 0)
		r = enter_cgroup(s, err);
	if (r == 0)
		r = enter_shares(s, err);
	return r == 0 ? criu_call(&s->criu, CRIU_RESTORE, &s->options, &s->c.pid, err) : r;
}

static bool in_time_namespace(pid_t pid)
{
	char path[64];
	struct stat own, its;

	snprintf(path, sizeof(path), "/proc/%d/ns/time", pid);
	return stat("/proc/self/ns/time", &own) == 0 && stat(path, &its) == 0 && own.st_ino != its.st_ino;
}

/*
 * criu restores into a time namespace, where there are such: a process that comes later belongs in there, too. The
 * config's copy is otherwise what it was, and not what has been made of it since.
 */
static int note_time_namespace(struct restore *s, teu_error **err)
{
	_cleanup_json_ json *spec = NULL;
	_cleanup_free_ char *text = NULL;
	json *namespaces;
	int r;

	if (!in_time_namespace(s->c.pid) || compile_namespaces(s->c.bundle.spec) & CLONE_NEWTIME)
		return 0;
	r = bundle_reopen(s->c.record.dir_fd, &spec, err);
	if (r < 0)
		return r;
	namespaces = json_get_mutable(json_get_mutable(spec, "linux"), "namespaces");
	if (!namespaces)
		return 0;
	text = json_add_string(json_append_object(namespaces), "type", "time") ? json_print(spec) : NULL;
	if (!text)
		return err_oom(err);
	return fd_replace_file(s->c.record.dir_fd, "config.json", text, strlen(text), 0600, FD_NO_SYNC, err);
}

static int prepare(struct restore *s, teu_error **err)
{
	int r = imagedir_open(s->opts->image_path, s->opts->work_path, false, &s->images, err);

	if (r == 0)
		r = creation_prepare(&s->c, err);
	if (r == 0)
		r = fill_options(s, err);
	if (r == 0 && asprintf(&s->what, "restore of container %s", s->c.record.id) < 0) {
		s->what = NULL;
		r = err_oom(err);
	}
	return r;
}

static int bring_back(struct restore *s, teu_error **err)
{
	int r = creation_make_files(&s->c, err);

	if (r == 0)
		r = creation_make_cgroup(&s->c, err);
	if (r == 0)
		r = external_make_places(s->c.bundle.spec, s->c.bundle.rootfs, err);
	if (r == 0)
		r = run_criu(s, err);
	if (r == 0)
		r = note_time_namespace(s, err);
	return r == 0 ? creation_tell(&s->c, err) : r;
}

int runtime_restore(teu_runtime *rt, const char *id, const teu_runtime_restore_options *opts, int32_t *ret_pid,
		    int *ret_wait, teu_error **err)
{
	_cleanup_(restore_done) struct restore s = {
		.opts = opts, .images = IMAGEDIR_INIT, .criu = CRIU_INIT, .options = STRBUF_INIT
	};
	int r;

	fill_create(opts, &s.as_create);
	creation_init(&s.c, rt, id, &s.as_create);
	s.c.stays = ret_wait != NULL;
	r = prepare(&s, err);
	if (r == 0)
		r = record_make(rt, id, &s.c.record, err);
	if (r < 0)
		return r;
	r = bring_back(&s, err);
	criu_done(&s.criu, r == 0 ? ret_wait : NULL);
	if (r < 0) {
		creation_take_back(&s.c);
		return r;
	}
	if (ret_pid)
		*ret_pid = s.c.pid;
	return 0;
}
