/*
 * cgroup: limits compiled to a list of operations, and the list run. What differs between the hierarchies stands in
 * cgroup_v1.c and cgroup_v2.c. Source: runtime-spec config-linux.md, "Control groups"; kernel documentation,
 * cgroup-v1/ and cgroup-v2.rst.
 */
#include "kernel/cgroup.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "kernel/cgroup_impl.h"

static struct cgroup_op *add_op(struct cgroup_build *b, enum cgroup_op_kind kind)
{
	struct cgroup_plan *p = b->plan;
	struct cgroup_op *grown;

	/* Grows by doubling: the count is a power of two when it is full. */
	if ((p->n_ops & (p->n_ops - 1)) == 0) {
		grown = reallocarray(p->ops, p->n_ops ? p->n_ops * 2 : 1, sizeof(*grown));
		if (!grown) {
			b->oom = true;
			return NULL;
		}
		p->ops = grown;
	}
	p->ops[p->n_ops] = (struct cgroup_op){ .kind = kind };
	return &p->ops[p->n_ops++];
}

void cgroup_add_mkdir(struct cgroup_build *b, const char *dir)
{
	struct cgroup_op *op = add_op(b, CGROUP_MKDIR);

	if (op && !(op->path = strdup(dir)))
		b->oom = true;
}

static void set_field(struct cgroup_build *b, struct cgroup_op *op, const char *field)
{
	if (field && asprintf(&op->field, "%s.%s", b->where, field) < 0) {
		op->field = NULL;
		b->oom = true;
	}
}

void cgroup_add_write(struct cgroup_build *b, const char *dir, const char *file, const char *field, const char *fmt,
		      ...)
{
	struct cgroup_op *op = add_op(b, CGROUP_WRITE);
	va_list args;
	int n;

	if (!op)
		return;
	if (asprintf(&op->path, "%s/%s", dir, file) < 0) {
		op->path = NULL;
		b->oom = true;
	}
	va_start(args, fmt);
	n = vasprintf(&op->value, fmt, args);
	va_end(args);
	if (n < 0) {
		op->value = NULL;
		b->oom = true;
	}
	set_field(b, op, field);
}

void cgroup_add_attempt(struct cgroup_build *b, const char *dir, const char *file, const char *name)
{
	size_t n = b->plan->n_ops;

	cgroup_add_write(b, dir, file, NULL, "+%s", name);
	if (b->plan->n_ops > n)
		b->plan->ops[n].may_fail = true;
}

void cgroup_add_devices(struct cgroup_build *b, const char *dir, const char *field)
{
	struct cgroup_op *op = add_op(b, CGROUP_DEVICES);

	if (!op)
		return;
	op->path = strdup(dir);
	if (!op->path || devices_program(&b->limits.devices, &op->bytes, &op->n_bytes, NULL) < 0)
		b->oom = true;
	set_field(b, op, field);
}

void cgroup_add_warning(struct cgroup_build *b, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		text = NULL;
	if (text)
		strv_add(&b->plan->warnings, text);
	b->oom |= !text || b->plan->warnings.oom;
}

int cgroup_unsupported(struct cgroup_build *b, const char *field, const char *fmt, ...)
{
	_cleanup_free_ char *place = NULL, *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0 || asprintf(&place, "%s.%s", b->where, field) < 0)
		return err_oom(b->err);
	err_set(b->err, TEU_E_UNSUPPORTED, "%s: %s", place, text);
	err_detail(b->err, "field", place);
	return TEU_E_UNSUPPORTED;
}

/* "/teu/17", clean and without "..": a cgroup path that leaves its root would limit somebody else. */
static int check_path(const char *path, char **ret, teu_error **err)
{
	if (!path || *path != '/')
		return err_set(err, TEU_E_INVALID, "cgroup path %s does not begin with /", path ? path : "(null)");
	for (const char *part = path; *part; part += strcspn(part, "/"), part += strspn(part, "/"))
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return err_set(err, TEU_E_INVALID, "cgroup path %s has .. in it", path);
	if (strchr(path, '\n') || strlen(path) > 2048)
		return err_set(err, TEU_E_INVALID, "cgroup path is longer than 2048 bytes or has a line break");
	*ret = path_clean(path);
	if (!*ret)
		return err_oom(err);
	if ((*ret)[1] == '\0')
		return err_set(err, TEU_E_INVALID, "cgroup path / is the root, which can't be limited");
	return 0;
}

/* Who is idle has no share of the CPU: the kernel refuses both. */
static void drop_shares(struct cgroup_build *b)
{
	struct cgroup_limits *l = &b->limits;

	if (!l->shares.set || !l->idle.set || l->idle.value == 0)
		return;
	cgroup_add_warning(b, "unable to apply both cpu.shares and cpu.idle: cpu.shares are left out");
	l->shares.set = false;
}

static int compile(struct cgroup_build *b, const char *path, const json *resources)
{
	_cleanup_free_ char *clean = NULL;
	int r = check_path(path, &clean, b->err);

	if (r == 0)
		r = cgroup_limits_parse(resources, b->where, &b->limits, b->err);
	if (r == 0) {
		b->path = clean;
		b->plan->v2 = b->m->v2;
		drop_shares(b);
		r = b->m->v2 ? cgroup_v2_compile(b) : cgroup_v1_compile(b);
	}
	if (r == 0 && (b->oom || b->plan->dirs.oom))
		r = err_oom(b->err);
	cgroup_limits_done(&b->limits);
	if (r < 0)
		cgroup_plan_done(b->plan);
	return r;
}

int cgroup_compile_on(const struct cgroup_machine *m, const char *path, const json *resources, const char *where,
		      bool update, struct cgroup_plan *ret, teu_error **err)
{
	struct cgroup_build b = { .m = m, .where = where, .update = update, .plan = ret, .err = err };

	*ret = (struct cgroup_plan){ 0 };
	return compile(&b, path, resources);
}

int cgroup_compile(const char *path, const json *resources, const char *where, struct cgroup_plan *ret, teu_error **err)
{
	const struct cgroup_machine *m;
	int r = cgroup_machine_get(&m, err);

	return r < 0 ? r : cgroup_compile_on(m, path, resources, where, false, ret, err);
}

int cgroup_compile_modest(const char *path, const json *resources, const char *where, struct cgroup_plan *ret,
			  teu_error **err)
{
	struct cgroup_build b = { .where = where, .modest = true, .plan = ret, .err = err };
	int r = cgroup_machine_get(&b.m, err);

	*ret = (struct cgroup_plan){ 0 };
	return r < 0 ? r : compile(&b, path, resources);
}

int cgroup_compile_whole(const char *path, const json *resources, const char *where, struct cgroup_plan *ret,
			 teu_error **err)
{
	struct cgroup_build b = { .where = where, .whole = true, .plan = ret, .err = err };
	int r = cgroup_machine_get(&b.m, err);

	*ret = (struct cgroup_plan){ 0 };
	return r < 0 ? r : compile(&b, path, resources);
}

int cgroup_compile_update(const char *path, const json *resources, const char *where, struct cgroup_plan *ret,
			  teu_error **err)
{
	const struct cgroup_machine *m;
	int r = cgroup_machine_get(&m, err);

	return r < 0 ? r : cgroup_compile_on(m, path, resources, where, true, ret, err);
}

void cgroup_plan_done(struct cgroup_plan *plan)
{
	for (size_t i = 0; i < plan->n_ops; i++) {
		free(plan->ops[i].path);
		free(plan->ops[i].value);
		free(plan->ops[i].field);
		free(plan->ops[i].bytes);
	}
	free(plan->ops);
	strv_done(&plan->dirs);
	strv_done(&plan->warnings);
	free(plan->unified);
	free(plan->oom_file);
	free(plan->freeze_dir);
	*plan = (struct cgroup_plan){ 0 };
}

static bool op_json(json *to, const struct cgroup_op *op)
{
	static const char *const kinds[] = {
		[CGROUP_MKDIR] = "mkdir", [CGROUP_WRITE] = "write", [CGROUP_DEVICES] = "devices"
	};
	bool ok = json_add_string(to, "op", kinds[op->kind]) && json_add_string(to, "path", op->path);

	if (ok && op->value)
		ok = json_add_string(to, "value", op->value);
	if (ok && op->n_bytes)
		ok = json_add_int(to, "instructions", (int64_t)op->n_bytes / 8);
	if (ok && op->field)
		ok = json_add_string(to, "field", op->field);
	return ok;
}

json *cgroup_plan_json(const struct cgroup_plan *plan)
{
	_cleanup_json_ json *array = json_array();

	for (size_t i = 0; i < plan->n_ops; i++)
		if (!op_json(json_append_object(array), &plan->ops[i]))
			return NULL;
	return TAKE_PTR(array);
}

/* A plan being run. */
struct run {
	const struct cgroup_plan *plan;
	struct strv made;      /* folders, in the order they were made */
	const char *open_path; /* of @fd: the many lines of one file need it opened once. Borrowed */
	int fd;
};

static void run_done(struct run *run)
{
	strv_done(&run->made);
	if (run->fd >= 0)
		close(run->fd);
}

static int make_dir(struct run *run, char *path)
{
	char *slash;
	int r;

	if (mkdir(path, 0755) == 0) {
		strv_add(&run->made, path);
		return run->made.oom ? -ENOMEM : 0;
	}
	if (errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	slash = strrchr(path, '/');
	if (!slash || slash == path)
		return -ENOENT;
	*slash = '\0';
	r = make_dir(run, path);
	*slash = '/';
	return r < 0 ? r : make_dir(run, path);
}

static int write_value(struct run *run, const struct cgroup_op *op)
{
	if (!run->open_path || strcmp(run->open_path, op->path) != 0) {
		if (run->fd >= 0)
			close(run->fd);
		run->open_path = NULL;
		run->fd = open(op->path, O_WRONLY | O_CLOEXEC);
		if (run->fd < 0)
			return -errno;
		run->open_path = op->path;
	}
	return write(run->fd, op->value, strlen(op->value)) < 0 ? -errno : 0;
}

static int explain_subtree(const struct cgroup_op *op, int eno, teu_error **err)
{
	int dir_len = (int)(strrchr(op->path, '/') - op->path);

	if (eno == EBUSY)
		return err_set(err, TEU_E_CONFLICT,
			       "enable controllers %s in %.*s: it holds processes itself, and a v2 cgroup has either "
			       "processes or children with controllers: move them to a child cgroup first",
			       op->value, dir_len, op->path);
	if (eno == ENOENT)
		return err_set(err, TEU_E_UNSUPPORTED,
			       "enable controllers %s in %.*s: its parent hands not all of them down", op->value,
			       dir_len, op->path);
	if (eno == EACCES || eno == EPERM || eno == EROFS)
		return err_set(
			err, TEU_E_PERMISSION,
			"enable controllers %s in %.*s: %s: the cgroup that may be written to gets not all of them: "
			"have them delegated, or leave these limits out",
			op->value, dir_len, op->path, strerrordesc_np(eno));
	return err_errno(err, eno, "enable controllers %s in %.*s", op->value, dir_len, op->path);
}

static int explain(const struct cgroup_op *op, int eno, teu_error **err)
{
	const char *file = strrchr(op->path, '/') + 1;
	int r;

	if (strcmp(file, "cgroup.subtree_control") == 0)
		return explain_subtree(op, eno, err);
	if (eno == ENOENT)
		r = err_set(err, TEU_E_UNSUPPORTED, "this machine's cgroups have no %s", file);
	else if (eno == EBUSY && strncmp(file, "memory.", 7) == 0)
		r = err_set(err, TEU_E_CONFLICT, "write %s to %s: more than that is in use", op->value, op->path);
	else if (eno == EINVAL && (strcmp(file, "cpu.weight") == 0 || strcmp(file, "cpu.shares") == 0))
		r = err_set(err, TEU_E_INVALID,
			    "write %s to %s: Invalid argument: who is idle (cpu.idle) has no share of the CPU",
			    op->value, op->path);
	else if (op->field && (eno == ERANGE || eno == ENODEV))
		r = err_set(err, TEU_E_INVALID, "write %s to %s: %s", op->value, op->path, strerrordesc_np(eno));
	else
		r = err_errno(err, eno, "write %s to %s", op->value, op->path);
	if (op->field) {
		r = err_wrap(err, r, "%s", op->field);
		err_detail(err, "field", op->field);
	}
	return r;
}

static bool same_folder(const struct cgroup_op *a, const struct cgroup_op *b)
{
	size_t len = (size_t)(strrchr(a->path, '/') - a->path);

	return strncmp(a->path, b->path, len + 1) == 0 && !strchr(b->path + len + 1, '/');
}

/*
 * Of two limits that bound each other (memory and memory+swap, quota and period), which has to be written first depends
 * on whether they rise or fall. A write that is refused is tried again behind the next one.
 */
static int run_write(struct run *run, size_t i, size_t *ret_next, teu_error **err)
{
	const struct cgroup_op *op = &run->plan->ops[i], *next = op + 1;
	int r = write_value(run, op);

	*ret_next = i + 1;
	if ((r == -EINVAL || r == -EBUSY) && i + 1 < run->plan->n_ops && next->kind == CGROUP_WRITE &&
	    same_folder(op, next) && write_value(run, next) == 0) {
		*ret_next = i + 2;
		r = write_value(run, op);
	}
	return r < 0 && !op->may_fail ? explain(op, -r, err) : 0;
}

static int run_all(struct run *run, teu_error **err)
{
	int r = 0;

	for (size_t i = 0, next; r == 0 && i < run->plan->n_ops; i = next) {
		struct cgroup_op *op = &run->plan->ops[i];

		next = i + 1;
		if (op->kind == CGROUP_MKDIR) {
			r = make_dir(run, op->path);
			if (r < 0)
				return err_errno(err, -r, "make cgroup %s", op->path);
		} else if (op->kind == CGROUP_WRITE) {
			r = run_write(run, i, &next, err);
		} else {
			r = devices_attach(op->path, op->bytes, op->n_bytes, err);
			if (r < 0 && op->field)
				err_wrap(err, r, "%s", op->field);
		}
	}
	return r;
}

int cgroup_check_unused(const struct cgroup_plan *plan, teu_error **err)
{
	char text[64];

	strv_foreach (dir, &plan->dirs) {
		_cleanup_free_ char *procs = cgroup_read_long(*dir, "cgroup.procs");
		size_t n = 0;

		for (const char *at = procs; at && *at; at++)
			n += *at == '\n';
		if (n)
			return err_set(err, TEU_E_CONFLICT,
				       "container's cgroup is not empty: %zu process(es) found in %s", n, *dir);
	}
	if (!plan->freeze_dir)
		return 0;
	if (cgroup_read_text(plan->freeze_dir, plan->v2 ? "cgroup.freeze" : "freezer.state", text, sizeof(text)) &&
	    strcmp(text, plan->v2 ? "0" : "THAWED") != 0)
		return err_set(err, TEU_E_CONFLICT, "container's cgroup unexpectedly frozen: %s", plan->freeze_dir);
	return 0;
}

int cgroup_run(const struct cgroup_plan *plan, teu_error **err)
{
	_cleanup_(run_done) struct run run = { .plan = plan, .made = STRV_INIT, .fd = -EBADF };
	int r = run_all(&run, err);

	for (size_t i = r < 0 ? run.made.n : 0; i > 0; i--)
		rmdir(run.made.items[i - 1]);
	return r;
}

int cgroup_make(const char *path, teu_cgroup **ret, teu_error **err)
{
	_cleanup_(cgroup_plan_done) struct cgroup_plan plan = { 0 };
	struct cgroup_build b = { .where = "linux.resources", .all = true, .plan = &plan, .err = err };
	int r = cgroup_machine_get(&b.m, err);

	if (r == 0)
		r = compile(&b, path, NULL);
	if (r == 0)
		r = cgroup_run(&plan, err);
	return r < 0 ? r : cgroup_find(path, ret, err);
}
