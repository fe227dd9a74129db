/* record: the state and exit files, lines of "key value", each appearing whole. lib/store/state reads them. */
#include "init/first.h"
#include "init/monitor.h"

enum { TEXT_MAX = 512 };

static void line(char *text, const char *key, int64_t value)
{
	str_add(text, TEXT_MAX, key);
	str_add(text, TEXT_MAX, " ");
	str_add_number(text, TEXT_MAX, value);
	str_add(text, TEXT_MAX, "\n");
}

/* Field 22 of /proc/<pid>/stat; the name in field 2 may hold anything, so fields count from the last ")". */
static uint64_t start_time(int pid)
{
	char path[64] = "/proc/", text[1024];
	const char *at = text;

	str_add_number(path, sizeof(path), pid);
	str_add(path, sizeof(path), "/stat");
	if (sys_get(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return 0;
	for (const char *c = text; *c; c++)
		if (*c == ')')
			at = c;
	for (int field = 2; field < 22 && *at; at++)
		field += *at == ' ';
	return str_number(at, NULL);
}

void record_started(const struct plan_header *plan, const struct child *c)
{
	char text[TEXT_MAX] = "";

	line(text, "pid", c->pid);
	line(text, "pid_start", (int64_t)start_time(c->pid));
	line(text, "monitor", SYS(getpid));
	line(text, "started", c->started_ns);
	line(text, "restarts", plan->restart_count);
	sys_replace(plan_text(plan, plan->state_path), text, 0600);
}

static void record_restarting(const struct plan_header *plan)
{
	char text[TEXT_MAX] = "";

	line(text, "restarting", 1);
	line(text, "monitor", SYS(getpid));
	line(text, "restarts", plan->restart_count);
	sys_replace(plan_text(plan, plan->state_path), text, 0600);
}

void record_exit(const struct plan_header *plan, const struct child *c, const struct outcome *outcome, bool again)
{
	char text[TEXT_MAX] = "";
	long r;

	line(text, "status", outcome->status);
	line(text, "oom", outcome->oom);
	line(text, "started", c->started_ns);
	line(text, "finished", sys_now_ns());
	line(text, "restarts", plan->restart_count);
	/* A full disk: the run root is another one, and keeps it in place of the state until there is room. */
	r = sys_replace(plan_text(plan, plan->exit_path), text, 0600);
	if (again)
		record_restarting(plan);
	else if (r < 0 && r != -ENOENT)
		sys_replace(plan_text(plan, plan->state_path), text, 0600);
	else
		SYS(unlinkat, AT_FDCWD, plan_text(plan, plan->state_path), 0);
	SYS(unlinkat, AT_FDCWD, plan_text(plan, plan->socket_path), 0);
}

bool oom_seen(const struct plan_header *plan)
{
	char text[2048];

	if (!plan->oom_path || sys_get(AT_FDCWD, plan_text(plan, plan->oom_path), text, sizeof(text)) <= 0)
		return false;
	for (const char *at = text; *at; at++)
		if ((at == text || at[-1] == '\n') && str_starts(at, "oom_kill "))
			return str_number(at + 9, NULL) > 0;
	return false;
}
