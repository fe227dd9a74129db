/* plan: writes the flat buffer of init/plan.h, seals it into a memfd, and says in words what is in it. */
#include "sandbox/plan.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "init/wire.h"

/* How a step's texts and numbers are called when they are shown; NULL: not used. A name that ends in "[]" is a list. */
static const struct {
	const char *name;
	const char *texts[4];
	const char *numbers[4];
} ops[OP_COUNT] = {
	[OP_NETLINK] = { "netlink", { 0 }, { "bytes", "protocol" } },
	[OP_WRITE_ID_MAP] = { "write-id-map", { "file", "map" }, { 0 } },
	[OP_CALLER_MAPS] = { "wait-for-id-maps", { 0 }, { 0 } },
	[OP_SETNS_PID] = { "join-pid-namespace", { "path" }, { 0 } },
	[OP_TIME] = { "time-namespace", { "offsets" }, { 0 } },
	[OP_RMDIR] = { "remove-cgroup", { "path" }, { 0 } },
	[OP_LISTENER] = { "seccomp-listener", { "path", "head", "middle", "tail" }, { 0 } },
	[OP_RELEASE_PORTS] = { "release-ports", { 0 }, { "count" } },
	[OP_KILL_CGROUP] = { "kill-cgroup", { "path" }, { 0 } },
	[OP_OPEN_START] = { "open-start-fifo", { "path" }, { 0 } },
	[OP_HOST_HOOKS] = { "wait-for-hooks", { 0 }, { 0 } },
	[OP_KEYRING] = { "session-keyring", { "name" }, { 0 } },
	[OP_WAIT_HOST] = { "wait-for-host", { 0 }, { 0 } },
	[OP_JOIN_CGROUP] = { "join-cgroup", { "file" }, { 0 } },
	[OP_SETNS] = { "join-namespace", { "path", "next" }, { "type", "next-type" } },
	[OP_JOIN_PROCESS] = { "join-process", { 0 }, { "namespaces" } },
	[OP_ENTER_ROOT] = { "enter-root", { "root" }, { 0 } },
	[OP_UNSHARE] = { "unshare", { 0 }, { "namespaces" } },
	[OP_PROPAGATION] = { "propagation", { "path" }, { "flags" } },
	[OP_OVERLAY] = { "overlay", { "lower[]", "upper", "work", "target" }, { "volatile" } },
	[OP_OVERLAY_MAPPED] = { "overlay", { "lower[]", "upper", "work" }, { "volatile" } },
	[OP_NAMESPACE_ROOT] = { "namespace-root", { 0 }, { 0 } },
	[OP_RECEIVE_ROOTFS] = { "receive-overlay", { NULL, NULL, NULL, "target" }, { 0 } },
	[OP_ROOTFS] = { "rootfs", { "path" }, { 0 } },
	[OP_MOUNT] = { "mount", { "type", "source", "options[]", "destination" }, { "attributes", "propagation" } },
	[OP_BIND_SOURCE] = { "open-bind-source", { "path" }, { 0 } },
	[OP_FETCH_SOURCE] = { "fetch-bind-source", { "path", "uids", "gids" }, { NULL, "mount-flags" } },
	[OP_BIND] = { "bind",
		      { "source", NULL, NULL, "destination" },
		      { "attributes", "propagation", NULL, "recursive-attributes" } },
	[OP_CGROUP_MOUNT] = { "cgroup-mount", { "folders[]", NULL, NULL, "destination" }, { "attributes" } },
	[OP_DEVICE] = { "device", { NULL, NULL, NULL, "path" }, { "mode", "device", "owner" } },
	[OP_SYMLINK] = { "symlink", { "target", NULL, NULL, "path" }, { 0 } },
	[OP_UNMOUNT] = { "unmount", { NULL, NULL, NULL, "path" }, { 0 } },
	[OP_LATE_READONLY] = { "read-only-mount", { NULL, NULL, NULL, "path" }, { 0 } },
	[OP_MASK] = { "mask", { NULL, NULL, NULL, "path" }, { 0 } },
	[OP_READONLY] = { "read-only", { NULL, NULL, NULL, "path" }, { 0 } },
	[OP_PIVOT] = { "pivot-root", { 0 }, { 0 } },
	[OP_ROOT_READONLY] = { "read-only-root", { 0 }, { 0 } },
	[OP_ROOT_PROPAGATION] = { "root-propagation", { 0 }, { "flags" } },
	[OP_NETLINK_INSIDE] = { "netlink", { 0 }, { "bytes", "protocol" } },
	[OP_HOSTNAME] = { "hostname", { "name" }, { 0 } },
	[OP_DOMAINNAME] = { "domainname", { "name" }, { 0 } },
	[OP_SYSCTL] = { "sysctl", { "path", "value" }, { 0 } },
	[OP_RLIMIT] = { "rlimit", { 0 }, { "resource", "soft", "hard" } },
	[OP_OOM_SCORE] = { "oom-score-adj", { "value" }, { 0 } },
	[OP_END] = { "end", { 0 }, { 0 } },
	[OP_SESSION] = { "session", { 0 }, { 0 } },
	[OP_CONSOLE] = { "console", { 0 }, { "rows", "columns" } },
	[OP_SCHEDULER] = { "scheduler", { 0 }, { "policy", "flags", "nice", "priority" } },
	[OP_IO_PRIORITY] = { "io-priority", { 0 }, { "priority" } },
	[OP_MEMORY_POLICY] = { "memory-policy", { 0 }, { "mode" } },
	[OP_PERSONALITY] = { "personality", { 0 }, { "personality" } },
	[OP_AFFINITY] = { "cpu-affinity", { 0 }, { 0 } },
	[OP_UMASK] = { "umask", { 0 }, { "umask" } },
	[OP_APPARMOR] = { "apparmor", { "profile" }, { "atOnce" } },
	[OP_SELINUX] = { "selinux", { "label" }, { 0 } },
	[OP_USER] = { "user", { 0 }, { "uid", "gid" } },
	[OP_USER_NAME] = { "user", { "user", "groups[]" }, { 0 } },
	[OP_BOUNDING] = { "bounding-set", { 0 }, { "capabilities" } },
	[OP_BECOME] = { "become-user", { 0 }, { 0 } },
	[OP_CAPS] = { "capabilities", { 0 }, { "effective", "permitted", "inheritable", "ambient" } },
	[OP_READY] = { "streams", { 0 }, { 0 } },
	[OP_NO_NEW_PRIVS] = { "no-new-privileges", { 0 }, { 0 } },
	[OP_SECCOMP] = { "seccomp", { 0 }, { "instructions", "flags" } },
	[OP_CWD] = { "cwd", { "path" }, { 0 } },
	[OP_HOOK] = { "hook", { "argv[]", "env[]" }, { NULL, NULL, "timeout", "home" } },
	[OP_LOOKUP] = { "look-up-command", { "command" }, { 0 } },
	[OP_AWAIT_START] = { "wait-for-start", { 0 }, { 0 } },
	[OP_INIT] = { "init", { 0 }, { 0 } },
	[OP_EXEC] = { "exec", { 0 }, { 0 } },
};

void plan_init(struct plan *p)
{
	struct plan_header header = { .magic = PLAN_MAGIC };

	*p = (struct plan){ 0 };
	strbuf_add(&p->bytes, &header, sizeof(header));
	/* Offset 0 means none, so what is missing reads as the empty text that stands here. */
	strbuf_add(&p->bytes, "\0\0\0\0\0\0\0", 8);
}

void plan_done(struct plan *p)
{
	for (int i = 0; i < PLAN_LISTS; i++)
		free(p->steps[i]);
	strbuf_done(&p->bytes);
	*p = (struct plan){ 0 };
}

struct plan_header *plan_header(struct plan *p)
{
	static _Thread_local struct plan_header scrap;

	return p->bytes.oom || !p->bytes.text ? &scrap : (struct plan_header *)p->bytes.text;
}

struct plan_step *plan_step(struct plan *p, enum plan_list list, enum plan_op op, const char *field)
{
	static _Thread_local struct plan_step scrap;
	plan_off at = plan_text_add(p, field);
	struct plan_step *step;

	if (p->n_steps[list] == p->cap_steps[list]) {
		size_t cap = p->cap_steps[list] ? p->cap_steps[list] * 2 : 32;
		struct plan_step *grown = reallocarray(p->steps[list], cap, sizeof(*grown));

		if (!grown) {
			p->oom = true;
			return &scrap;
		}
		p->steps[list] = grown;
		p->cap_steps[list] = cap;
	}
	step = &p->steps[list][p->n_steps[list]++];
	*step = (struct plan_step){ .op = (uint16_t)op, .field = at };
	return step;
}

plan_off plan_bytes_add(struct plan *p, const void *bytes, size_t n)
{
	static const char zeros[8];
	plan_off at;

	strbuf_add(&p->bytes, zeros, -p->bytes.len & 7);
	at = (plan_off)p->bytes.len;
	strbuf_add(&p->bytes, bytes, n);
	return at;
}

plan_off plan_text_add(struct plan *p, const char *text)
{
	plan_off at = (plan_off)p->bytes.len;

	if (!text)
		return 0;
	strbuf_add(&p->bytes, text, strlen(text) + 1);
	return at;
}

plan_off plan_list_add(struct plan *p, const struct strv *items)
{
	plan_off at = (plan_off)p->bytes.len;

	strv_foreach (item, items)
		plan_text_add(p, *item);
	plan_text_add(p, "");
	return at;
}

int plan_finish(struct plan *p, teu_error **err)
{
	static const char ends[2];
	struct plan_steps runs[PLAN_LISTS];
	struct plan_header *h;

	/* Whatever stands last, a text or a list, ends before the steps. */
	plan_bytes_add(p, ends, sizeof(ends));
	for (int i = 0; i < PLAN_LISTS; i++) {
		runs[i].count = (uint32_t)p->n_steps[i];
		runs[i].at = plan_bytes_add(p, p->steps[i], p->n_steps[i] * sizeof(*p->steps[i]));
	}
	if (p->oom || p->bytes.oom)
		return err_oom(err);
	if (p->bytes.len > PLAN_MAX)
		return err_set(err, TEU_E_LIMIT, "the launch plan is longer than %d MiB", PLAN_MAX >> 20);
	h = plan_header(p);
	h->before = runs[PLAN_BEFORE];
	h->born = runs[PLAN_BORN];
	h->first = runs[PLAN_FIRST];
	h->after = runs[PLAN_AFTER];
	h->size = (uint32_t)p->bytes.len;
	return 0;
}

int plan_seal(const struct plan *p, int fd, teu_error **err)
{
	int r = fd_write_all(fd, p->bytes.text, p->bytes.len);

	if (r < 0)
		return err_errno(err, -r, "write the launch plan");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_errno(err, errno, "seal the launch plan");
	return 0;
}

static const char *text_at(const struct plan *p, plan_off at)
{
	return p->bytes.text + at;
}

static void add_texts(json *o, const struct plan *p, const char *name, plan_off at)
{
	char key[32];
	size_t n = strlen(name);
	json *list;

	if (n < 2 || strcmp(name + n - 2, "[]") != 0) {
		json_add_string(o, name, text_at(p, at));
		return;
	}
	snprintf(key, sizeof(key), "%.*s", (int)(n - 2), name);
	list = json_add_array(o, key);
	for (const char *item = text_at(p, at); *item; item += strlen(item) + 1)
		json_append_string(list, item);
}

static void add_vector(json *o, const struct plan *p, const char *key, plan_off at, uint64_t n)
{
	const char *item = text_at(p, at);
	json *list = json_add_array(o, key);

	for (; n; n--, item += strlen(item) + 1)
		json_append_string(list, item);
}

static json *step_to_json(const struct plan *p, const struct plan_step *s, const char *by)
{
	const plan_off texts[] = { s->t1, s->t2, s->t3, s->t4 };
	const uint64_t numbers[] = { s->n1, s->n2, s->n3, s->n4 };
	json *o = json_object();

	json_add_string(o, "by", by);
	json_add_string(o, "step", ops[s->op].name);
	if (s->op == OP_EXEC) {
		add_vector(o, p, "argv", s->t1, s->n2);
		add_vector(o, p, "env", s->t2, s->n3);
	}
	for (int i = 0; i < 4; i++)
		if (ops[s->op].texts[i] && texts[i])
			add_texts(o, p, ops[s->op].texts[i], texts[i]);
	for (int i = 0; i < 4; i++)
		if (ops[s->op].numbers[i] && numbers[i])
			json_add_int(o, ops[s->op].numbers[i], (int64_t)numbers[i]);
	if (s->field)
		json_add_string(o, "from", text_at(p, s->field));
	return o;
}

static const struct plan_steps *run_of(const struct plan_header *h, int list)
{
	const struct plan_steps *runs[] = { &h->before, &h->born, &h->first, &h->after };

	return runs[list];
}

json *plan_to_json(const struct plan *p)
{
	static const char *const by[] = { "monitor, before", "monitor, at birth", "container", "monitor, after" };
	const struct plan_header *h = (const struct plan_header *)p->bytes.text;
	json *list = json_array();

	for (int i = 0; i < PLAN_LISTS; i++) {
		const struct plan_steps *run = run_of(h, i);
		const struct plan_step *s = (const struct plan_step *)(p->bytes.text + run->at);

		if (i == PLAN_BORN) {
			json *o = json_append_object(list);

			json_add_string(o, "by", "monitor");
			json_add_string(o, "step", "clone");
			json_add_int(o, "namespaces", (int64_t)h->birth.clone_flags);
		}
		for (uint32_t k = 0; k < run->count; k++)
			if (!json_append(list, step_to_json(p, &s[k], by[i]))) {
				json_free(list);
				return NULL;
			}
	}
	return list;
}

/* The thing a step is about, for an error. */
static const char *subject(const struct plan *p, const struct plan_step *s)
{
	static const enum plan_op by_path[] = { OP_MOUNT,   OP_BIND, OP_CGROUP_MOUNT, OP_DEVICE,
						OP_SYMLINK, OP_MASK, OP_READONLY,     OP_LATE_READONLY };

	if (s->op == OP_OVERLAY || s->op == OP_RECEIVE_ROOTFS)
		return text_at(p, s->t4);
	for (size_t i = 0; i < ARRAY_SIZE(by_path); i++)
		if (s->op == by_path[i])
			return text_at(p, s->t4);
	return s->t1 && ops[s->op].texts[0] && !strchr(ops[s->op].texts[0], '[') ? text_at(p, s->t1) : NULL;
}

static int exec_failure(const char *command, int eno, teu_error **err)
{
	if (eno == ENOENT && !strchr(command, '/'))
		return err_set(err, TEU_E_NO_COMMAND, "exec \"%s\": executable file not found in $PATH", command);
	if (eno == ENOENT || eno == ENOTDIR)
		return err_set(err, TEU_E_NO_COMMAND, "exec \"%s\": no such file or directory (or its interpreter)",
			       command);
	err_set(err, TEU_E_NOT_EXECUTABLE, "exec \"%s\": %s", command,
		eno == EACCES ? "permission denied: not an executable file"
		: eno == ENOEXEC
			? "exec format error: neither a program for this machine nor a script with an interpreter"
			: strerrordesc_np(eno));
	return TEU_E_NOT_EXECUTABLE;
}

static const char *hint(const struct plan_step *s, int eno)
{
	bool on_place = s->op == OP_MOUNT || s->op == OP_BIND || s->op == OP_CGROUP_MOUNT;

	if (s->op == OP_RLIMIT && eno == EPERM)
		return ": the caller has no right to raise this limit (CAP_SYS_RESOURCE)";
	/* sched_setattr(2): no deadline can be promised on some of the processors. In runc's words. */
	if (s->op == OP_SCHEDULER && eno == EPERM && s->n1 == SCHED_DEADLINE)
		return ": process scheduler can't be used together with AllowedCPUs (linux.resources.cpu.cpus): a "
		       "deadline needs all processors, and CAP_SYS_NICE";
	if (s->op == OP_LISTENER)
		return ": failed to connect with seccomp agent specified in the seccomp profile";
	if (s->op == OP_OOM_SCORE && eno == EACCES)
		return ": the caller has no right to lower it (CAP_SYS_RESOURCE)";
	if (on_place && eno == EXDEV && s->n3 & PLAN_MOUNT_PROC)
		return ": only the root of a procfs can be mounted there";
	if (on_place && eno == EXDEV)
		return ": a symbolic link leads from there into the container's /proc";
	if (on_place && eno == EBUSY)
		return ": a symbolic link leads from there to the container's root";
	if (on_place && s->n3 & PLAN_MOUNT_NO_SYMLINK && (eno == ELOOP || eno == ENOTDIR))
		return ": it must be mounted on ordinary directory, not by way of a symbolic link";
	if (on_place && eno == ELOOP)
		return ": the way there leads over a symbolic link, which is not followed";
	if ((s->op == OP_BIND) && (eno == ENOTDIR || eno == EISDIR))
		return ": a folder can't be mounted on a file, nor a file on a folder";
	return "";
}

/* "bad system call", as Go has it. */
static const char *signal_words(int number)
{
	static _Thread_local char words[48];
	const char *text = sigdescr_np(number);

	snprintf(words, sizeof(words), "%s", text ? text : "unknown");
	if (words[0] >= 'A' && words[0] <= 'Z')
		words[0] = (char)(words[0] - 'A' + 'a');
	return words;
}

/* In runc's words: "error running createContainer hook #0". */
static int hook_failure(const struct plan *p, const struct plan_step *s, int eno, teu_error **err)
{
	const char *program = text_at(p, s->t1), *place = text_at(p, s->field);

	if (eno == ETIME)
		err_set(err, TEU_E_LAUNCH, "error running %s: %s: it ran longer than its timeout of %" PRIu64 " s",
			place, program, s->n3);
	else if (eno == PLAN_HOOK_STATUS + 127)
		err_set(err, TEU_E_LAUNCH, "error running %s: %s can't be executed", place, program);
	else if (eno > PLAN_HOOK_STATUS + 128)
		err_set(err, TEU_E_LAUNCH, "error running %s: %s: signal: %s", place, program,
			signal_words(eno - PLAN_HOOK_STATUS - 128));
	else if (eno > PLAN_HOOK_STATUS)
		err_set(err, TEU_E_LAUNCH, "error running %s: %s: exit status %d", place, program,
			eno - PLAN_HOOK_STATUS);
	else
		err_errno(err, eno, "error running %s: %s", place, program);
	return TEU_E_LAUNCH;
}

static int clone_failure(const struct plan_header *h, int eno, teu_error **err)
{
	static const char what[] = "make the namespaces of the container";
	bool refused = eno == EPERM || eno == EACCES || eno == ENOSPC || eno == EUSERS;

	if (!refused || !(h->birth.clone_flags & CLONE_NEWUSER) || geteuid() == 0) {
		int r = err_errno(err, eno, "%s", what);

		err_detail(err, "step", "clone");
		return r;
	}
	return err_set(err, TEU_E_PERMISSION,
		       "%s: %s: may an ordinary user make user namespaces here (sysctl user.max_user_namespaces, "
		       "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)?",
		       what, strerrordesc_np(eno));
}

/* The helper has no words: what it found is found here again. */
static int reading_failure(const struct plan *p, int eno, teu_error **err)
{
	static const char *const faults[] = {
		[PLAN_SOUND] = "it is not the one that was written",
		[PLAN_BAD_SIZE] = "its size is not that of its parts",
		[PLAN_BAD_HEADER] = "its header has unknown flags",
		[PLAN_BAD_TEXT] = "a text is missing or not in it",
		[PLAN_BAD_OP] = "there is no such step",
		[PLAN_BAD_OPERANDS] = "an operand is not in it",
	};
	const struct plan_step *s = NULL;
	enum plan_fault fault;
	const char *name;

	if (eno != EBADMSG)
		return err_errno(err, eno, "read the launch plan");
	fault = plan_check((const struct plan_header *)p->bytes.text, p->bytes.len, &s);
	name = s && s->op < OP_COUNT && ops[s->op].name ? ops[s->op].name : "a step";
	return err_set(err, TEU_E_LAUNCH, "the helper refuses the launch plan%s%s: %s; report this as an error of teu",
		       s ? ", " : "", s ? name : "", faults[fault]);
}

int plan_failure(const struct plan *p, int phase, unsigned step, int eno, teu_error **err)
{
	static const int lists[] = { [WIRE_BEFORE] = PLAN_BEFORE, [WIRE_BORN] = PLAN_BORN, [WIRE_FIRST] = PLAN_FIRST };
	const struct plan_header *h = (const struct plan_header *)p->bytes.text;
	const struct plan_steps *run;
	const struct plan_step *s;
	const char *about;

	if (phase == WIRE_CLONE)
		return clone_failure(h, eno, err);
	if (phase == WIRE_PLANNED)
		return reading_failure(p, eno, err);
	if (phase == WIRE_KILLED)
		return err_set(err, TEU_E_LAUNCH,
			       "the container's first process was killed before it could run its command (is "
			       "linux.resources.memory.limit too small?)");
	if (phase == WIRE_MONITOR && step == 1)
		return err_errno(err, eno, "send the terminal over the console socket");
	if (phase == WIRE_MONITOR)
		return err_errno(err, eno, "open the streams of the container");
	run = run_of(h, lists[phase]);
	if (step >= run->count)
		return err_errno(err, eno, "launch");
	s = (const struct plan_step *)(p->bytes.text + run->at) + step;
	if (s->op == OP_EXEC || s->op == OP_LOOKUP) {
		int r = exec_failure(text_at(p, s->t1), eno, err);

		err_detail(err, "step", ops[s->op].name);
		err_detail(err, "command", text_at(p, s->t1));
		return r;
	}
	if (s->op == OP_HOOK)
		return hook_failure(p, s, eno, err);
	about = subject(p, s);
	if (s->op == OP_USER_NAME && eno == ESRCH)
		return err_set(err, TEU_E_NOT_FOUND,
			       "unable to find user %s: no such entry in the container's passwd and group files",
			       about);
	err_set(err, TEU_E_LAUNCH, "%s%s%s: %s%s%s%s%s", ops[s->op].name, about ? " " : "", about ? about : "",
		strerrordesc_np(eno), hint(s, eno), s->field ? " (" : "", s->field ? text_at(p, s->field) : "",
		s->field ? ")" : "");
	err_detail(err, "step", ops[s->op].name);
	if (s->field)
		err_detail(err, "field", text_at(p, s->field));
	return TEU_E_LAUNCH;
}
