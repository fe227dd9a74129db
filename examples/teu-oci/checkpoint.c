/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checkpoint: saves a container, and brings it back. */
#include <stdio.h>
#include <string.h>

#include "oci.h"

struct checkpoint_options {
	const char *image_path, *work_path, *parent_path, *page_server, *cgroups_mode;
	struct number status_fd;
	struct list empty_ns;
	bool leave_running, tcp_established, tcp_skip_in_flight, link_remap, ext_unix_sk, shell_job, lazy_pages,
		file_locks, pre_dump, auto_dedup;
};

#define AT(field) offsetof(struct checkpoint_options, field)

static const struct option checkpoint_table[] = {
	{ "auto-dedup", 0, OPT_BOOL, AT(auto_dedup), "What is written anew goes from the parent's images", NULL },
	{ "empty-ns", 0, OPT_LIST, AT(empty_ns), "network: no links or addresses are saved, which is always so", NULL },
	{ "ext-unix-sk", 0, OPT_BOOL, AT(ext_unix_sk), "Allow unix sockets connected to the outside", NULL },
	{ "file-locks", 0, OPT_BOOL, AT(file_locks), "Save file locks", NULL },
	{ "image-path", 0, OPT_TEXT, AT(image_path), "Folder for the images (default: ./checkpoint)", NULL },
	{ "lazy-pages", 0, OPT_BOOL, AT(lazy_pages), "Serve the memory from --page-server until it is fetched", NULL },
	{ "leave-running", 0, OPT_BOOL, AT(leave_running), "The container goes on", NULL },
	{ "link-remap", 0, OPT_BOOL, AT(link_remap), "Name files that are open and removed again", NULL },
	{ "manage-cgroups-mode", 0, OPT_TEXT, AT(cgroups_mode), "soft, full, strict or ignore (default: soft)", NULL },
	{ "page-server", 0, OPT_TEXT, AT(page_server), "ADDRESS:PORT of the page server", NULL },
	{ "parent-path", 0, OPT_TEXT, AT(parent_path), "Earlier images, relative to --image-path", NULL },
	{ "pre-dump", 0, OPT_BOOL, AT(pre_dump), "Only the memory, as a parent; the container goes on", NULL },
	{ "shell-job", 0, OPT_BOOL, AT(shell_job), "Allow a session or terminal of the outside", NULL },
	{ "status-fd", 0, OPT_INT, AT(status_fd), "Descriptor that gets a zero byte when the memory is served", NULL },
	{ "tcp-established", 0, OPT_BOOL, AT(tcp_established), "Save open TCP connections", NULL },
	{ "tcp-skip-in-flight", 0, OPT_BOOL, AT(tcp_skip_in_flight), "Leave out those not yet accepted", NULL },
	{ "work-path", 0, OPT_TEXT, AT(work_path), "Folder for the log (default: --image-path)", NULL },
	{ 0 },
};
static const struct option *const checkpoint_tables[] = { checkpoint_table, NULL };

/* criu knows to leave out those of the network namespace only. */
static bool check_empty(const struct call *call, const struct list *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], "network") != 0) {
			cli_fail(call, "namespace \"%s\" is not supported by --empty-ns: only network is",
				 names->items[i]);
			return false;
		}
	return true;
}

static int run_checkpoint(const struct call *call)
{
	const struct checkpoint_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	teu_runtime_checkpoint_options opts;
	teu_runtime *rt = oci_runtime();

	if (!rt || !check_empty(call, &o->empty_ns))
		return EXIT_FAILED;
	teu_runtime_checkpoint_options_init(&opts);
	opts.image_path = o->image_path;
	opts.work_path = o->work_path;
	opts.parent_path = o->parent_path;
	opts.page_server = o->page_server;
	opts.manage_cgroups_mode = o->cgroups_mode;
	opts.status_fd = o->status_fd.set ? (int)o->status_fd.value : -1;
	opts.leave_running = o->leave_running;
	opts.tcp_established = o->tcp_established;
	opts.tcp_skip_in_flight = o->tcp_skip_in_flight;
	opts.link_remap = o->link_remap;
	opts.ext_unix_sk = o->ext_unix_sk;
	opts.shell_job = o->shell_job;
	opts.lazy_pages = o->lazy_pages;
	opts.file_locks = o->file_locks;
	opts.pre_dump = o->pre_dump;
	opts.auto_dedup = o->auto_dedup;
	return teu_runtime_checkpoint(rt, call->args[0], &opts, &err) < 0 ? cli_error(call, err) : 0;
}

const struct command command_checkpoint = {
	.operands = "ID",
	.summary = "Save a running container",
	.run = run_checkpoint,
	.min = 1,
	.max = 1,
	.options = checkpoint_tables,
	.options_size = sizeof(struct checkpoint_options),
};

#undef AT

struct restore_options {
	const char *bundle, *image_path, *work_path, *console_socket, *pid_file, *cgroups_mode, *lsm_profile,
		*lsm_mount_context;
	struct list empty_ns;
	bool detach, tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages, no_pivot,
		no_subreaper;
};

#define AT(field) offsetof(struct restore_options, field)

static const struct option restore_table[] = {
	{ "auto-dedup", 0, OPT_BOOL, AT(auto_dedup), "What has been read goes from the images", NULL },
	{ "bundle", 'b', OPT_TEXT, AT(bundle), "The bundle's folder (default: the working folder)", NULL },
	{ "console-socket", 0, OPT_TEXT, AT(console_socket), "Unix socket that gets the terminal", NULL },
	{ "detach", 'd', OPT_BOOL, AT(detach), "Don't wait for the end of the container's process", NULL },
	{ "empty-ns", 0, OPT_LIST, AT(empty_ns), "network: no links or addresses are restored, which is always so",
	  NULL },
	{ "ext-unix-sk", 0, OPT_BOOL, AT(ext_unix_sk), "Allow unix sockets connected to the outside", NULL },
	{ "file-locks", 0, OPT_BOOL, AT(file_locks), "Restore file locks", NULL },
	{ "image-path", 0, OPT_TEXT, AT(image_path), "Folder of the images (default: ./checkpoint)", NULL },
	{ "lazy-pages", 0, OPT_BOOL, AT(lazy_pages), "The memory comes when it is needed, by 'criu lazy-pages'", NULL },
	{ "lsm-mount-context", 0, OPT_TEXT, AT(lsm_mount_context), "Security context of the mounts", NULL },
	{ "lsm-profile", 0, OPT_TEXT, AT(lsm_profile), "Security profile, TYPE:NAME", NULL },
	{ "manage-cgroups-mode", 0, OPT_TEXT, AT(cgroups_mode), "soft, full, strict or ignore (default: soft)", NULL },
	{ "no-pivot", 0, OPT_BOOL, AT(no_pivot), "No effect: criu decides how it enters the root", NULL },
	{ "no-subreaper", 0, OPT_BOOL, AT(no_subreaper), "No effect: nothing is reaped here", NULL },
	{ "pid-file", 0, OPT_TEXT, AT(pid_file), "File that gets the process's number", NULL },
	{ "shell-job", 0, OPT_BOOL, AT(shell_job), "Allow a session or terminal of the outside", NULL },
	{ "tcp-established", 0, OPT_BOOL, AT(tcp_established), "Restore open TCP connections", NULL },
	{ "work-path", 0, OPT_TEXT, AT(work_path), "Folder for the log (default: --image-path)", NULL },
	{ 0 },
};
static const struct option *const restore_tables[] = { restore_table, NULL };

static int begin_restore(teu_runtime *rt, const char *id, void *options, int console_fd, int32_t *pid, int *wait,
			 teu_error **err)
{
	teu_runtime_restore_options *opts = options;

	opts->console_fd = console_fd;
	return teu_runtime_restore(rt, id, opts, pid, wait, err);
}

static int run_restore(const struct call *call)
{
	const struct restore_options *o = call->options;
	_cleanup_error_ teu_error *err = NULL;
	teu_runtime_restore_options opts;
	teu_runtime *rt = oci_runtime();

	if (!rt || !check_empty(call, &o->empty_ns))
		return EXIT_FAILED;
	teu_runtime_restore_options_init(&opts);
	opts.bundle = o->bundle;
	opts.image_path = o->image_path;
	opts.work_path = o->work_path;
	opts.pid_file = o->pid_file;
	opts.console_socket = o->console_socket && *o->console_socket ? o->console_socket : NULL;
	opts.manage_cgroups_mode = o->cgroups_mode;
	opts.lsm_profile = o->lsm_profile;
	opts.lsm_mount_context = o->lsm_mount_context;
	opts.stdin_fd = STDIN_FILENO;
	opts.stdout_fd = STDOUT_FILENO;
	opts.stderr_fd = STDERR_FILENO;
	opts.tcp_established = o->tcp_established;
	opts.ext_unix_sk = o->ext_unix_sk;
	opts.shell_job = o->shell_job;
	opts.file_locks = o->file_locks;
	opts.auto_dedup = o->auto_dedup;
	opts.lazy_pages = o->lazy_pages;
	if (!o->detach)
		return oci_foreground(call, !opts.console_socket && oci_wants_terminal(o->bundle, NULL), false,
				      begin_restore, &opts);
	return teu_runtime_restore(rt, call->args[0], &opts, NULL, NULL, &err) < 0 ? cli_error(call, err) : 0;
}

const struct command command_restore = {
	.operands = "ID",
	.summary = "Bring back a container that was saved",
	.run = run_restore,
	.min = 1,
	.max = 1,
	.options = restore_tables,
	.options_size = sizeof(struct restore_options),
};
