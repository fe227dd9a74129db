/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * body: the flags of run and create as the body of Docker's POST /containers/create.
 * Source: Docker Engine API v1.43, ContainerCreate; docs.docker.com, "docker run".
 */
#ifndef TEU_CLI_BODY_H
#define TEU_CLI_BODY_H

#include "doc.h"
#include "options.h"

/* What the flags that run and create share give. Those that need no thought go straight to their place in the document.
 */
struct create_options {
	/* What becomes of the container. */
	const char *name, *cidfile, *pull, *platform;
	bool quiet, plan, remove;
	const char *restart;

	/* Its process. */
	bool interactive, tty, init;
	struct list attach, env, env_file, group_add;
	const char *entrypoint, *workdir, *user, *stop_signal;
	struct number stop_timeout;

	/* Names and labels. */
	const char *hostname, *domainname;
	struct list labels, label_file;

	/* Files. */
	struct list volumes, mounts, tmpfs, volumes_from, devices, device_rules;
	bool read_only;
	struct number shm_size;

	/* Network. */
	const char *network;
	struct list publish, expose, dns, dns_search, dns_options, add_host;
	bool publish_all;

	/* Limits. */
	struct number memory, memory_swap, memory_reservation, memory_swappiness, kernel_memory;
	struct number cpus, cpu_shares, cpu_quota, cpu_period, pids_limit, blkio_weight, oom_score_adj;
	const char *cpuset_cpus, *cpuset_mems, *cgroup_parent;
	bool oom_kill_disable;
	struct list blkio_weight_device, read_bps, write_bps, read_iops, write_iops, ulimits;

	/* Isolation. */
	struct list cap_add, cap_drop, security, sysctls;
	const char *pid, *ipc, *uts, *userns, *cgroupns;
	bool privileged;

	/* Logs, and what is taken and has no effect. */
	const char *log_driver;
	struct list log_options;
	bool no_healthcheck;

	/* run alone. */
	bool detach, no_sig_proxy;
	const char *detach_keys;
};

extern const struct option body_options[];

/* A document being built. The parts below add to it; false: body_fail() has said why. */
struct body {
	const struct create_options *options;
	teu_engine *engine;   /* borrowed */
	cJSON *config, *host; /* the whole, and its HostConfig */
	char *problem;	      /* owned */
};

/* Builds all of it from the flags and IMAGE [COMMAND...]. The caller calls body_done() in any case. @engine: for
 * --volumes-from. */
bool body_build(struct body *body, const struct create_options *options, teu_engine *engine, char **args, int n_args);
void body_done(struct body *body);

/* Keeps the reason; returns false. */
bool body_fail(struct body *body, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The parts, each in a file of its name. */
bool body_ports(struct body *body);    /* -p, --expose */
bool body_mounts(struct body *body);   /* -v, --mount, --tmpfs */
bool body_shared(struct body *body);   /* --volumes-from */
bool body_limits(struct body *body);   /* --ulimit, --device-read-bps and the like, --memory-swappiness */
bool body_security(struct body *body); /* --security-opt, --cap-add, --device */

/* An IPv4 or IPv6 address. */
bool body_is_address(const char *text);

/* A piece of a comma-separated text with quotes ("a,"b,c""), for free(); NULL at the end. *@text is moved behind it. */
char *body_next_field(const char **text);

#endif
