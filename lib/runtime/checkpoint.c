/* checkpoint: saves the processes of a container into files. Source: criu(8), "dump", "pre-dump". */
#include "runtime/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "format/protobuf.h"
#include "runtime/bundle.h"
#include "runtime/cgroups.h"
#include "runtime/criu.h"
#include "runtime/external.h"
#include "runtime/imagedir.h"
#include "runtime/kill.h"
#include "runtime/remove.h"

static const char log_name[] = "dump.log";

struct dump {
	teu_runtime *runtime;
	const teu_runtime_checkpoint_options *opts;
	struct record record;
	json *spec; /* owned */
	struct imagedir images;
	struct criu criu;
	struct strbuf options;
	char *what; /* for errors, owned */
};

static void dump_done(struct dump *d)
{
	criu_done(&d->criu, NULL);
	imagedir_done(&d->images);
	strbuf_done(&d->options);
	json_free(d->spec);
	record_done(&d->record);
	free(d->what);
}

static int check_status(const struct record *rec, teu_error **err)
{
	enum status status;
	int r = record_status(rec, &status, err);

	if (r < 0)
		return r;
	if (status == STATUS_CREATED || status == STATUS_STOPPED)
		return err_set(err, TEU_E_CONFLICT, "Container cannot be checkpointed in %s state",
			       status_name(status));
	return 0;
}

static int open_images(struct dump *d, teu_error **err)
{
	const char *parent = d->opts->parent_path;
	struct stat st;
	int r;

	if (parent && *parent == '/')
		return err_set(err, TEU_E_INVALID, "--parent-path must be relative to the image folder: %s", parent);
	r = imagedir_open(d->opts->image_path, d->opts->work_path, true, &d->images, err);
	if (r < 0 || !parent || !*parent)
		return r;
	if (fstatat(d->images.dir_fd, parent, &st, 0) < 0)
		return err_errno(err, errno, "invalid --parent-path: %s in the image folder", parent);
	return S_ISDIR(st.st_mode) ? 0 : err_set(err, TEU_E_INVALID, "invalid --parent-path: %s is no folder", parent);
}

static int open_dump(struct dump *d, const char *id, teu_error **err)
{
	int r = record_open(d->runtime, id, true, &d->record, err);

	if (r == 0)
		r = check_status(&d->record, err);
	if (r == 0)
		r = open_images(d, err);
	if (r == 0)
		r = bundle_reopen(d->record.dir_fd, &d->spec, err);
	if (r == 0 && asprintf(&d->what, "checkpoint of container %s", id) < 0) {
		d->what = NULL;
		r = err_oom(err);
	}
	return r;
}

static int add_page_server(struct dump *d, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf server = STRBUF_INIT;
	_cleanup_free_ char *address = NULL;
	const char *given = d->opts->page_server, *colon = given ? strrchr(given, ':') : NULL;
	uint32_t port = 0;

	if (!given || !*given)
		return 0;
	if (!colon || colon == given || !parse_u32(colon + 1, &port) || !port || port > 65535)
		return err_set(err, TEU_E_INVALID, "Use --page-server ADDRESS:PORT to specify page server, not \"%s\"",
			       given);
	address = *given == '[' && colon[-1] == ']' ? strndup(given + 1, (size_t)(colon - given) - 2)
						    : strndup(given, (size_t)(colon - given));
	if (!address)
		return err_oom(err);
	protobuf_text(&server, 1, address);
	protobuf_int(&server, 2, port);
	protobuf_message(&d->options, CRIU_PAGE_SERVER, &server);
	return 0;
}

/* A namespace that the container has joined is not saved: it is there at restore, too. */
static int add_namespaces(struct dump *d, teu_error **err)
{
	static const struct {
		const char *type, *name, *key;
	} known[] = { { "network", "net", "extRootNetNS" }, { "pid", "pid", "extRootPidNS" } };

	json_foreach (v, json_find(d->spec, "linux.namespaces")) {
		const char *path = json_get_text(v, "path", "");
		struct stat st;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
			_cleanup_free_ char *text = NULL;

			if (!*path || strcmp(json_get_text(v, "type", ""), known[i].type) != 0)
				continue;
			if (stat(path, &st) < 0)
				return err_errno(err, errno, "open the %s namespace %s", known[i].type, path);
			if (asprintf(&text, "%s[%lu]:%s", known[i].name, (unsigned long)st.st_ino, known[i].key) < 0) {
				text = NULL;
				return err_oom(err);
			}
			protobuf_text(&d->options, CRIU_EXTERNAL, text);
		}
	}
	return 0;
}

static int add_mounts(struct dump *d, teu_error **err)
{
	_cleanup_(external_done) struct external external = { 0 };
	_cleanup_(cgroup_plan_done) struct cgroup_plan group = { 0 };
	int r = d->record.cgroup ? cgroups_reopen(d->runtime, d->record.cgroup, d->spec, &group, err) : 0;

	if (r == 0)
		r = external_list(d->spec, &group, d->record.cgroup ? d->record.cgroup : "", &external, err);
	return r == 0 ? external_add_saved(&external, d->record.pid, &d->options, err) : r;
}

static int fill_options(struct dump *d, teu_error **err)
{
	const teu_runtime_checkpoint_options *o = d->opts;
	struct strbuf *to = &d->options;
	int r = imagedir_add(&d->images, d->spec, log_name, to, err);

	protobuf_int(to, CRIU_PID, d->record.pid);
	protobuf_text(to, CRIU_ROOT, json_get_text(d->record.doc, "rootfs", NULL));
	protobuf_text(to, CRIU_FREEZE_CGROUP, json_get_text(d->record.doc, "freezer", NULL));
	protobuf_bool(to, CRIU_LEAVE_RUNNING, o->leave_running);
	protobuf_bool(to, CRIU_TCP_ESTABLISHED, o->tcp_established);
	protobuf_bool(to, CRIU_TCP_SKIP_IN_FLIGHT, o->tcp_skip_in_flight);
	protobuf_bool(to, CRIU_LINK_REMAP, o->link_remap);
	protobuf_bool(to, CRIU_EXT_UNIX_SK, o->ext_unix_sk);
	protobuf_bool(to, CRIU_SHELL_JOB, o->shell_job);
	protobuf_bool(to, CRIU_FILE_LOCKS, o->file_locks);
	protobuf_bool(to, CRIU_AUTO_DEDUP, o->auto_dedup);
	protobuf_bool(to, CRIU_LAZY_PAGES, o->lazy_pages);
	if (o->parent_path && *o->parent_path) {
		protobuf_text(to, CRIU_PARENT_IMG, o->parent_path);
		protobuf_bool(to, CRIU_TRACK_MEM, true);
	}
	if (r == 0)
		r = criu_add_cgroup_mode(to, o->manage_cgroups_mode, err);
	if (r == 0)
		r = add_page_server(d, err);
	if (r == 0)
		r = add_namespaces(d, err);
	if (r == 0 && !o->pre_dump)
		r = add_mounts(d, err);
	return r == 0 && to->oom ? err_oom(err) : r;
}

/* Whoever fetches pages may come now. */
static int on_notify(void *data, const char *script, int32_t pid, int fd, teu_error **err)
{
	const struct dump *d = data;

	(void)pid;
	(void)fd;
	if (strcmp(script, "status-ready") == 0 && d->opts->status_fd >= 0 && write(d->opts->status_fd, "", 1) != 1)
		return err_errno(err, errno, "write to the status descriptor %d", d->opts->status_fd);
	return 0;
}

static int check_status_fd(const struct dump *d, teu_error **err)
{
	int fd = d->opts->status_fd, flags = fd < 0 ? O_WRONLY : fcntl(fd, F_GETFL);

	if (flags < 0)
		return err_errno(err, errno, "invalid --status-fd argument %d", fd);
	return (flags & O_ACCMODE) == O_RDONLY
		       ? err_set(err, TEU_E_INVALID, "invalid --status-fd argument %d: not writable", fd)
		       : 0;
}

static int run_criu(struct dump *d, teu_error **err)
{
	static const struct criu_start plain = { .stdio = { -EBADF, -EBADF, -EBADF } };
	const teu_runtime_checkpoint_options *o = d->opts;
	int r = criu_start(&plain, &d->criu, err);

	d->criu.what = d->what;
	d->criu.log = log_name;
	d->criu.log_dir = d->images.work_fd;
	d->criu.notify = on_notify;
	d->criu.data = d;
	if (r == 0 && o->pre_dump)
		r = criu_require(&d->criu, CRIU_MEM_TRACK, "tracking of memory changes (--pre-dump)", err);
	if (r == 0 && o->lazy_pages)
		r = criu_require(&d->criu, CRIU_HAS_LAZY_PAGES, "userfaultfd (--lazy-pages)", err);
	return r == 0 ? criu_call(&d->criu, o->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP, &d->options, NULL, err) : r;
}

int runtime_checkpoint(teu_runtime *rt, const char *id, const teu_runtime_checkpoint_options *opts, teu_error **err)
{
	_cleanup_(dump_done) struct dump d = {
		.runtime = rt,
		.opts = opts,
		.record = RECORD_INIT,
		.images = IMAGEDIR_INIT,
		.criu = CRIU_INIT,
		.options = STRBUF_INIT,
	};
	int r = open_dump(&d, id, err);

	if (r == 0)
		r = check_status_fd(&d, err);
	if (r == 0)
		r = fill_options(&d, err);
	if (r == 0 && !opts->pre_dump)
		r = imagedir_save_streams(&d.images, d.record.doc, err);
	if (r == 0)
		r = run_criu(&d, err);
	if (r < 0 || opts->leave_running || opts->pre_dump)
		return r;
	criu_done(&d.criu, NULL);
	r = kill_container(&d.record, err);
	return r == 0 ? remove_container(rt, &d.record, err) : r;
}
