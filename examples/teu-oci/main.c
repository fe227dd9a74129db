/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teu-oci: an OCI runtime with the command line of runc, for podman, containerd, docker and whoever else runs
 * containers through one. A thin layer over <teu/runtime.h>.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "oci.h"

/* Whose command line and output ours follow. */
#define RUNC_VERSION "1.3.0"

struct oci_globals oci_globals;

static const struct entry commands[] = {
	{ "create", &command_create },
	{ "start", &command_start },
	{ "run", &command_run },
	{ "state", &command_state },
	{ "kill", &command_kill },
	{ "delete", &command_delete },
	{ "list", &command_list },
	{ "spec", &command_spec },
	{ "exec", &command_exec },
	{ "ps", &command_ps },
	{ "pause", &command_pause },
	{ "resume", &command_resume },
	{ "update", &command_update },
	{ "events", &command_events },
	{ "checkpoint", &command_checkpoint },
	{ "restore", &command_restore },
	{ "features", &command_features },
	{ "check", &command_check },
	{ "mounts", &command_mounts },
	{ 0 },
};

#define AT(field) offsetof(struct oci_globals, field)

static const struct option global_table[] = {
	{ "root", 0, OPT_TEXT, AT(root), "Folder of the containers' state", NULL },
	{ "log", 0, OPT_TEXT, AT(log), "File for records instead of stderr", NULL },
	{ "log-format", 0, OPT_TEXT, AT(log_format), "text or json", NULL },
	{ "debug", 0, OPT_BOOL, AT(debug), "Tell more", NULL },
	{ "systemd-cgroup", 0, OPT_BOOL, AT(systemd_cgroup),
	  "As --cgroup-manager systemd: cgroupsPath is slice:prefix:name", NULL },
	{ "cgroup-manager", 0, OPT_TEXT, AT(cgroup_manager),
	  "Who makes cgroups: cgroupfs (default), systemd or disabled", NULL },
	{ "rootless", 0, OPT_TEXT, AT(rootless), "true, false or auto", NULL },
	{ "criu", 0, OPT_TEXT, AT(criu), "No effect", NULL },
	{ "version", 'v', OPT_BOOL, AT(version), "Print the version", NULL },
	{ "help", 'h', OPT_BOOL, AT(help), "Print this", NULL },
	{ 0 },
};

static const struct option *const global_tables[] = { global_table, NULL };

/* With runc the process itself says it, to whoever reads the container's output: these words and no record. */
static bool tell_missing(const teu_error *err)
{
	const char *step = teu_error_detail(err, "step"), *command = teu_error_detail(err, "command");

	if (teu_error_code(err) != TEU_E_NO_COMMAND || strcmp(step ? step : "", "exec") != 0 || !strchr(command, '/'))
		return false;
	report_log(teu_error_message(err));
	fprintf(stderr, "exec %s: no such file or directory\n", command);
	return true;
}

int cli_error(const struct call *call, const teu_error *err)
{
	if (!err || !tell_missing(err))
		report_error(err ? teu_error_message(err) : "unknown error");
	return cli_failure(call);
}

/* As of teu_runtime_options; -1: it is another word, which has been told. */
static int rootless_option(void)
{
	static const char *const words[] = { "auto", "true", "false" };
	const char *word = oci_globals.rootless;

	if (!word || !*word)
		return 0;
	for (int i = 0; i < 3; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	if (strcmp(word, "1") == 0 || strcmp(word, "0") == 0)
		return *word == '1' ? 1 : 2;
	cli_warn("--rootless: expected true, false or auto, found \"%s\"", word);
	return -1;
}

/* crun's option says more than runc's. */
static int cgroup_manager(void)
{
	static const char *const names[] = {
		[TEU_CGROUP_MANAGER_CGROUPFS] = "cgroupfs",
		[TEU_CGROUP_MANAGER_SYSTEMD] = "systemd",
		[TEU_CGROUP_MANAGER_DISABLED] = "disabled",
	};

	if (!oci_globals.cgroup_manager)
		return oci_globals.systemd_cgroup ? TEU_CGROUP_MANAGER_SYSTEMD : TEU_CGROUP_MANAGER_CGROUPFS;
	for (int i = 0; i < 3; i++)
		if (strcmp(oci_globals.cgroup_manager, names[i]) == 0)
			return i;
	cli_warn("--cgroup-manager: \"%s\" is none of cgroupfs, systemd, disabled", oci_globals.cgroup_manager);
	exit(EXIT_FAILED);
}

teu_runtime *oci_runtime(void)
{
	_cleanup_error_ teu_error *err = NULL;
	teu_runtime_options opts;
	static teu_runtime *rt;

	if (rt)
		return rt;
	teu_runtime_options_init(&opts);
	opts.root = oci_globals.root;
	opts.cgroup_manager = cgroup_manager();
	opts.rootless = rootless_option();
	if (opts.rootless < 0)
		return NULL;
	opts.log = report_library;
	if (teu_runtime_open(&opts, &rt, &err) < 0)
		cli_error(NULL, err);
	return rt;
}

/* sd_listen_fds(3): those are passed on with --preserve-fds' own. */
int oci_listen_fds(void)
{
	const char *text = getenv("LISTEN_FDS");
	int n = text ? atoi(text) : 0;

	return n > 0 ? n : 0;
}

int oci_preserve_fds(int64_t n)
{
	n += oci_listen_fds();
	for (int fd = 3; n <= 1024 && fd < 3 + n; fd++) {
		int flags = fcntl(fd, F_GETFD);

		/* What is open here and closes with an exec did not come to us by one. */
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			continue;
		cli_warn("descriptor %d of the %d to preserve is not open", fd, (int)n);
		exit(EXIT_FAILED);
	}
	return n > 1024 ? 1024 : (int)n;
}

char *oci_read_file(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text = NULL;
	size_t n = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &n, '\0', f) < 0 && !ferror(f)) { /* an empty one */
		free(text);
		text = cli_copy("", 0);
	}
	if (f != stdin)
		fclose(f);
	return text;
}

static int print_help(void)
{
	const char *name = program_invocation_short_name;

	printf("NAME:\n   %s - in place of runc - Open Container Initiative runtime\n\n", name);
	printf("USAGE:\n   %s [OPTIONS] COMMAND\n\nCOMMANDS:\n", name);
	for (const struct entry *e = commands; e->name; e++)
		printf("   %-12s%s\n", e->name, e->command->summary);
	puts("\nOPTIONS:");
	options_help(global_tables);
	printf("\nRun '%s COMMAND --help' for more about a command.\n", name);
	return 0;
}

static int print_command_help(const struct command *c, const char *name)
{
	const char *program = program_invocation_short_name;

	printf("NAME:\n   %s %s - %s\n\n", program, name, c->summary);
	printf("USAGE:\n   %s %s%s%s%s\n", program, name, c->options ? " [OPTIONS]" : "", *c->operands ? " " : "",
	       c->operands);
	if (c->options) {
		puts("\nOPTIONS:");
		options_help(c->options);
	}
	return 0;
}

static int wrong_count(const struct command *command, const char *path)
{
	return cli_usage(path, EXIT_FAILED, "'teu-oci %s' takes %s", path,
			 *command->operands ? command->operands : "no arguments");
}

static int call_command(struct call *call, void *data)
{
	(void)data;
	return call->command->run(call);
}

/* Engines look for the words "runc version" and for a line each that begins with "commit:" and "spec:". */
static int print_version(void)
{
	printf("teu-oci %s, in place of runc version " RUNC_VERSION "\ncommit: unknown\nspec: 1.3.0\n", teu_version());
	return 0;
}

static int run_program(int argc, char **argv)
{
	const struct command *command;

	if (oci_globals.version)
		return print_version();
	if (oci_globals.help || argc == 0 || strcmp(argv[0], "help") == 0)
		return print_help();
	if (!report_open(oci_globals.log, oci_globals.log_format, oci_globals.debug))
		return EXIT_FAILED;
	command = cli_find(commands, argv[0]);
	if (!command)
		return cli_usage("", EXIT_FAILED, "No help topic for '%s'", argv[0]);
	return cli_call(command, argv[0], argc - 1, argv + 1, NULL);
}

const struct cli_program cli_program = {
	.name = "teu-oci",
	.failed = EXIT_FAILED,
	.flags = { .options = global_tables, .options_size = sizeof(oci_globals), .stop = true },
	.globals = &oci_globals,
	.tell = report_error,
	.help = print_help,
	.command_help = print_command_help,
	.wrong_count = wrong_count,
	.run = run_program,
	.call = call_command,
};
