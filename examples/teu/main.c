/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teu: the reference command line of libteu, with Docker's commands, flags, output and exit codes, and no daemon.
 * It includes the public headers only: what it can do, any program can.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"

static const struct entry container_commands[] = {
	{ "attach", &command_attach },	 { "create", &command_create },
	{ "exec", &command_exec },	 { "inspect", &command_container_inspect },
	{ "kill", &command_kill },	 { "logs", &command_logs },
	{ "ls", &command_ps },		 { "list", &command_ps },
	{ "ps", &command_ps },		 { "pause", &command_pause },
	{ "port", &command_port },	 { "prune", &command_container_prune },
	{ "restart", &command_restart }, { "rm", &command_rm },
	{ "run", &command_run },	 { "start", &command_start },
	{ "stats", &command_stats },	 { "stop", &command_stop },
	{ "top", &command_top },	 { "unpause", &command_unpause },
	{ "wait", &command_wait },	 { 0 },
};

static const struct entry image_commands[] = {
	{ "history", &command_history },   { "import", &command_import }, { "inspect", &command_image_inspect },
	{ "load", &command_load },	   { "ls", &command_images },	  { "list", &command_images },
	{ "prune", &command_image_prune }, { "pull", &command_pull },	  { "rm", &command_rmi },
	{ "save", &command_save },	   { "tag", &command_tag },	  { 0 },
};

static const struct entry volume_commands[] = {
	{ "create", &command_volume_create }, { "inspect", &command_volume_inspect }, { "ls", &command_volume_ls },
	{ "list", &command_volume_ls },	      { "rm", &command_volume_rm },	      { 0 },
};

static const struct entry network_commands[] = {
	{ "down", &command_network_down },
	{ "inspect", &command_network_inspect },
	{ "ls", &command_network_ls },
	{ "list", &command_network_ls },
	{ 0 },
};

static const struct entry system_commands[] = {
	{ "check", &command_check },
	{ "info", &command_info },
	{ "sweep", &command_sweep },
	{ 0 },
};

static const struct command group_container = { .summary = "Manage containers", .children = container_commands };
static const struct command group_image = { .summary = "Manage images", .children = image_commands };
static const struct command group_volume = { .summary = "Manage volumes", .children = volume_commands };
static const struct command group_network = { .summary = "Manage networks", .children = network_commands };
static const struct command group_system = { .summary = "Manage the engine's store", .children = system_commands };

/* The most used first: the table is searched from its top. */
static const struct entry commands[] = {
	{ "run", &command_run },	   { "exec", &command_exec },	    { "ps", &command_ps },
	{ "create", &command_create },	   { "start", &command_start },	    { "stop", &command_stop },
	{ "restart", &command_restart },   { "kill", &command_kill },	    { "wait", &command_wait },
	{ "pause", &command_pause },	   { "unpause", &command_unpause }, { "rm", &command_rm },
	{ "attach", &command_attach },	   { "logs", &command_logs },	    { "top", &command_top },
	{ "stats", &command_stats },	   { "port", &command_port },	    { "inspect", &command_inspect },
	{ "images", &command_images },	   { "pull", &command_pull },	    { "import", &command_import },
	{ "save", &command_save },	   { "load", &command_load },	    { "tag", &command_tag },
	{ "rmi", &command_rmi },	   { "history", &command_history }, { "info", &command_info },
	{ "version", &command_version },   { "check", &command_check },	    { "sweep", &command_sweep },
	{ "container", &group_container }, { "image", &group_image },	    { "volume", &group_volume },
	{ "network", &group_network },	   { "system", &group_system },	    { 0 },
};

struct global_options {
	const char *root, *run_root, *log_level;
	bool debug, version, help;
};

#define AT(field) offsetof(struct global_options, field)

static const struct option global_options[] = {
	{ "root", 0, OPT_TEXT, AT(root), "Folder of images, containers and volumes", NULL },
	{ "run-root", 0, OPT_TEXT, AT(run_root), "Folder of what a reboot may take away", NULL },
	{ "log-level", 'l', OPT_TEXT, AT(log_level), "Tell what the engine does: debug, info or warn", NULL },
	{ "debug", 'D', OPT_BOOL, AT(debug), "The same as --log-level debug", NULL },
	{ "version", 'v', OPT_BOOL, AT(version), "Print the version", NULL },
	{ "help", 'h', OPT_BOOL, AT(help), "Print this", NULL },
	{ 0 },
};

static const struct option *const global_tables[] = { global_options, NULL };

static struct global_options globals;

static void tell(const char *text)
{
	/* What came before on stdout comes before on a terminal too. */
	fflush(stdout);
	fprintf(stderr, "teu: %s\n", text);
}

int cli_error(const struct call *call, const teu_error *err)
{
	return cli_fail(call, "%s", err ? teu_error_message(err) : "unknown error");
}

bool cli_agreed(const char *question)
{
	int c;

	printf("WARNING! %s\nAre you sure you want to continue? [y/N] ", question);
	fflush(stdout);
	c = getchar();
	return c == 'y' || c == 'Y';
}

static void print_entries(const struct entry *entries)
{
	for (const struct entry *e = entries; e->name; e++)
		printf("  %-12s%s\n", e->name, e->command->summary);
}

static int help(const struct command *command, const char *path)
{
	if (command->children) {
		printf("Usage: teu %s COMMAND\n\n%s\n\nCommands:\n", path, command->summary);
		print_entries(command->children);
		return 0;
	}
	printf("Usage: teu %s%s%s%s\n\n%s\n", path, command->options ? " [OPTIONS]" : "", *command->operands ? " " : "",
	       command->operands, command->summary);
	if (command->options) {
		puts("\nOptions:");
		options_help(command->options);
	}
	return 0;
}

static int program_help(void)
{
	puts("Usage: teu [OPTIONS] COMMAND\n\nRuns containers from images, without a daemon\n\nCommands:");
	print_entries(commands);
	puts("\nOptions:");
	options_help(global_tables);
	puts("\nRun 'teu COMMAND --help' for more about a command.");
	return 0;
}

static int wrong_count(const struct command *c, const char *path)
{
	const char *least = c->min == c->max ? "" : "at least ";

	if (c->max == 0)
		return cli_usage(path, EXIT_FAILED, "'teu %s' accepts no arguments", path);
	if (c->min == 0 || (c->min != c->max && c->max > 0))
		return cli_usage(path, EXIT_FAILED, "'teu %s' accepts %d to %d arguments", path, c->min, c->max);
	return cli_usage(path, EXIT_FAILED, "'teu %s' requires %s%d argument%s", path, least, c->min,
			 c->min == 1 ? "" : "s");
}

static void print_log(int level, const char *message, void *data)
{
	static const char *const names[] = { "debug", "info", "warning" };
	const int *least = data;

	if (level >= *least && level >= 0 && level < (int)ARRAY_SIZE(names))
		fprintf(stderr, "teu: %s: %s\n", names[level], message);
}

static bool log_level(int *ret)
{
	static const char *const names[] = { "debug", "info", "warn" };

	*ret = globals.debug ? TEU_LOG_DEBUG : TEU_LOG_WARNING;
	if (!globals.log_level)
		return true;
	for (*ret = 0; *ret < (int)ARRAY_SIZE(names); (*ret)++)
		if (strcmp(globals.log_level, names[*ret]) == 0)
			return true;
	return false;
}

static int open_engine(int *level, teu_engine **ret, teu_error **err)
{
	teu_engine_options opts;

	teu_engine_options_init(&opts);
	opts.state_root = globals.root;
	opts.run_root = globals.run_root;
	opts.delete_in_background = 1;
	if (globals.debug || globals.log_level) {
		opts.log = print_log;
		opts.log_data = level;
	}
	return teu_engine_open(&opts, ret, err);
}

/* @data: the level of what is told of the engine. */
static int call_command(struct call *call, void *data)
{
	_cleanup_error_ teu_error *err = NULL;
	int status;

	if (!call->command->no_engine && open_engine(data, &call->engine, &err) < 0)
		return cli_error(call, err);
	status = call->command->run(call);
	teu_engine_unref(call->engine);
	return status;
}

static int run_group(const struct command *group, const char *name, int argc, char **argv, int *level)
{
	_cleanup_free_ char *path = NULL;
	const struct command *command;

	if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return help(group, name);
	command = cli_find(group->children, argv[0]);
	if (!command)
		return cli_usage(name, EXIT_FAILED, "unknown command: teu %s %s", name, argv[0]);
	path = cli_format("%s %s", name, argv[0]);
	return cli_call(command, path, argc - 1, argv + 1, level);
}

/* "help run", "help container ls" */
static int help_command(int argc, char **argv)
{
	const struct command *command = argc ? cli_find(commands, argv[0]) : NULL;
	_cleanup_free_ char *path = NULL;

	if (argc == 0)
		return program_help();
	if (command && command->children && argc > 1) {
		path = cli_format("%s %s", argv[0], argv[1]);
		command = cli_find(command->children, argv[1]);
	}
	if (!command)
		return cli_usage("", EXIT_FAILED, "unknown command: teu %s", path ? path : argv[0]);
	return help(command, path ? path : argv[0]);
}

static int run_program(int argc, char **argv)
{
	const struct command *command;
	int level;

	if (globals.version) {
		printf("teu version %s\n", teu_version());
		return 0;
	}
	if (globals.help || argc == 0)
		return program_help();
	if (!log_level(&level))
		return cli_usage("", EXIT_USAGE,
				 "invalid argument \"%s\" for --log-level: expected debug, info or warn",
				 globals.log_level);
	if (strcmp(argv[0], "help") == 0)
		return help_command(argc - 1, argv + 1);
	command = cli_find(commands, argv[0]);
	if (!command)
		return cli_usage("", EXIT_FAILED, "unknown command: teu %s", argv[0]);
	if (command->children)
		return run_group(command, argv[0], argc - 1, argv + 1, &level);
	return cli_call(command, argv[0], argc - 1, argv + 1, &level);
}

const struct cli_program cli_program = {
	.name = "teu",
	.failed = EXIT_USAGE,
	.flags = { .options = global_tables, .options_size = sizeof(globals), .stop = true },
	.globals = &globals,
	.tell = tell,
	.help = program_help,
	.command_help = help,
	.wrong_count = wrong_count,
	.run = run_program,
	.call = call_command,
};
