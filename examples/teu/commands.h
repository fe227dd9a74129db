/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* commands: all of them, each in the file of its noun; main.c gives them their names. */
#ifndef TEU_CLI_COMMANDS_H
#define TEU_CLI_COMMANDS_H

#include "cli.h"

/* run.c */
extern const struct command command_run, command_create;
/* attach.c */
extern const struct command command_start, command_attach;
/* exec.c */
extern const struct command command_exec;
/* container.c */
extern const struct command command_stop, command_kill, command_restart, command_wait, command_pause, command_unpause,
	command_rm, command_container_prune;
/* ps.c */
extern const struct command command_ps;
/* inspect.c */
extern const struct command command_inspect, command_container_inspect, command_image_inspect, command_volume_inspect,
	command_network_inspect;
/* logs.c */
extern const struct command command_logs;
/* usage.c */
extern const struct command command_top, command_port;
/* stats.c */
extern const struct command command_stats;
/* image.c */
extern const struct command command_pull, command_images, command_tag, command_rmi, command_history,
	command_image_prune;
/* archive.c */
extern const struct command command_import, command_save, command_load;
/* volume.c */
extern const struct command command_volume_create, command_volume_ls, command_volume_rm;
/* network.c */
extern const struct command command_network_ls, command_network_down;
/* system.c */
extern const struct command command_info, command_version, command_check, command_sweep;

#endif
