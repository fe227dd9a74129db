/*
 * command: the container's command, looked up while failing still concerns who creates the container, and executed.
 * Source: runtime-spec config.md "process.args"; execvp(3).
 */
#include "init/first.h"

enum { MAX_STRINGS = 1 << 20 }; /* more than the kernel takes */

const char **vector(const char *item, size_t n)
{
	const char **v = n > MAX_STRINGS ? NULL : sys_alloc((n + 2) * sizeof(*v));

	for (size_t i = 0; v && i < n; i++, item = list_next(item))
		v[i] = item;
	return v;
}

static const char *find_env(const char **env, const char *key)
{
	size_t n = str_len(key);

	for (; *env; env++)
		if (str_starts(*env, key) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

/* What is done to a candidate; 0 or what execve gives not. */
typedef long (*try_fn)(const char *file, const char **argv, const char **env);

/* execvp(3)'s walk: a folder without the right to look into must not hide the command in a later one. */
static long walk_path(try_fn try, const char **argv, const char **env)
{
	const char *path = find_env(env, "PATH");
	char file[SYS_PATH_MAX];
	long r, seen = -ENOENT;

	if (!path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	while (*path) {
		size_t n = 0;

		while (path[n] && path[n] != ':')
			n++;
		file[0] = '\0';
		if (n < sizeof(file)) {
			memcpy(file, path, n);
			file[n] = '\0';
		}
		path += n + (path[n] == ':');
		if (!str_add(file, sizeof(file), n ? "/" : "./") || !str_add(file, sizeof(file), argv[0]))
			continue;
		r = try(file, argv, env);
		if (r == 0)
			return 0;
		if (r != -ENOENT && r != -ENOTDIR)
			seen = r;
	}
	return seen;
}

static bool has_slash(const char *text)
{
	while (*text && *text != '/')
		text++;
	return *text == '/';
}

static long try_all(try_fn try, const char **argv, const char **env)
{
	return has_slash(argv[0]) ? try(argv[0], argv, env) : walk_path(try, argv, env);
}

static long look_at(const char *file, const char **argv, const char **env)
{
	struct statx st;

	(void)argv;
	(void)env;
	TRY(SYS(statx, AT_FDCWD, file, 0, STATX_TYPE, &st));
	if ((st.stx_mode & S_IFMT) != S_IFREG)
		return -EACCES;
	return SYS(faccessat, AT_FDCWD, file, 1 /* X_OK */, 0);
}

long step_lookup(struct first *f, const struct plan_step *s)
{
	const char *argv[] = { plan_text(f->plan, s->t1), NULL };
	const char **env = vector(plan_text(f->plan, s->t2), s->n3);

	return env ? try_all(look_at, argv, env) : -E2BIG;
}

static long execute(const char *file, const char **argv, const char **env)
{
	return SYS(execve, file, argv, env);
}

const char *home_entry(const struct first *f)
{
	static char entry[600];

	entry[0] = '\0';
	str_add(entry, sizeof(entry), "HOME=");
	str_add(entry, sizeof(entry), f->home);
	return entry;
}

long step_exec(struct first *f, const struct plan_step *s)
{
	const char **argv = vector(plan_text(f->plan, s->t1), s->n2);
	const char **env = vector(plan_text(f->plan, s->t2), s->n3);

	if (!argv || !env)
		return -E2BIG;
	if (s->n1)
		env[s->n3] = home_entry(f);
	unblock_signals();
	return try_all(execute, argv, env);
}
