/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* limits: --ulimit, limits of block devices, and the numbers that have a range. */
#include "body.h"

#include <stdio.h>
#include <string.h>

#include "units.h"

static bool ulimit_name(const char *name)
{
	static const char *const names[] = { "core",	 "cpu",	       "data",	 "fsize", "locks", "memlock",
					     "msgqueue", "nice",       "nofile", "nproc", "rss",   "rtprio",
					     "rttime",	 "sigpending", "stack",	 "as" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* A new entry; one that the name has already goes: the last flag counts. */
static cJSON *ulimit_named(cJSON *list, const char *name)
{
	cJSON *limit = doc_object();

	for (int i = cJSON_GetArraySize(list) - 1; i >= 0; i--)
		if (strcmp(doc_text(cJSON_GetArrayItem(list, i), "Name"), name) == 0)
			cJSON_DeleteItemFromArray(list, i);
	doc_set_text(limit, "Name", name);
	doc_add(list, limit);
	return limit;
}

/* "nofile=1024:2048": -1 is no limit. */
static bool ulimit(struct body *b, const char *spec)
{
	_cleanup_free_ char *name = cli_copy(spec, strlen(spec));
	char *soft = strchr(name, '='), *hard;
	int64_t limits[2];
	cJSON *limit;

	if (!soft)
		return body_fail(b, "invalid argument \"%s\" for --ulimit: expected NAME=SOFT[:HARD]", spec);
	*soft++ = '\0';
	hard = strchr(soft, ':');
	if (hard)
		*hard++ = '\0';
	if (!ulimit_name(name))
		return body_fail(b, "invalid argument \"%s\" for --ulimit: there is no limit called %s", spec, name);
	if (!units_parse_int(soft, &limits[0]) || !units_parse_int(hard ? hard : soft, &limits[1]) || limits[0] < -1 ||
	    limits[1] < -1)
		return body_fail(b, "invalid argument \"%s\" for --ulimit: a limit must be a whole number, or -1",
				 spec);
	if (limits[1] != -1 && (limits[0] == -1 || limits[0] > limits[1]))
		return body_fail(
			b, "invalid argument \"%s\" for --ulimit: the soft limit must not be above the hard one", spec);
	limit = ulimit_named(doc_array_at(b->host, "Ulimits"), name);
	doc_set_number(limit, "Soft", limits[0]);
	doc_set_number(limit, "Hard", limits[1]);
	return true;
}

/* A flag of the form PATH:NUMBER. */
struct throttle {
	const char *flag, *list, *value; /* list: its key in HostConfig; value: the number's key in an entry */
	bool bytes;			 /* the number may have a unit */
};

static bool throttle(struct body *b, const struct throttle *t, const char *spec)
{
	const char *colon = strrchr(spec, ':');
	_cleanup_free_ char *path = NULL;
	int64_t n;
	cJSON *entry;

	if (!colon || strncmp(spec, "/dev/", 5) != 0)
		return body_fail(b, "invalid argument \"%s\" for --%s: expected /dev/NAME:NUMBER", spec, t->flag);
	if (!(t->bytes ? units_parse_bytes : units_parse_int)(colon + 1, &n) || n < 0)
		return body_fail(b, "invalid argument \"%s\" for --%s: \"%s\" is not a positive number", spec, t->flag,
				 colon + 1);
	path = cli_copy(spec, (size_t)(colon - spec));
	entry = doc_object();
	doc_set_text(entry, "Path", path);
	doc_set_number(entry, t->value, n);
	doc_add(doc_array_at(b->host, t->list), entry);
	return true;
}

static bool throttles(struct body *b, const struct throttle *t, const struct list *specs)
{
	for (size_t i = 0; i < specs->n; i++)
		if (!throttle(b, t, specs->items[i]))
			return false;
	return true;
}

static bool ranged(struct body *b, const char *flag, const char *key, const struct number *n, int64_t min, int64_t max)
{
	if (!n->set)
		return true;
	if (n->value < min || n->value > max)
		return body_fail(b, "invalid argument \"%lld\" for --%s: the range is %lld to %lld",
				 (long long)n->value, flag, (long long)min, (long long)max);
	doc_set_number(b->host, key, n->value);
	return true;
}

bool body_limits(struct body *b)
{
	static const struct throttle weight = { "blkio-weight-device", "BlkioWeightDevice", "Weight", false };
	static const struct throttle read_bps = { "device-read-bps", "BlkioDeviceReadBps", "Rate", true };
	static const struct throttle write_bps = { "device-write-bps", "BlkioDeviceWriteBps", "Rate", true };
	static const struct throttle read_iops = { "device-read-iops", "BlkioDeviceReadIOps", "Rate", false };
	static const struct throttle write_iops = { "device-write-iops", "BlkioDeviceWriteIOps", "Rate", false };
	const struct create_options *o = b->options;
	struct number swappiness = o->memory_swappiness;

	for (size_t i = 0; i < o->ulimits.n; i++)
		if (!ulimit(b, o->ulimits.items[i]))
			return false;
	if (swappiness.value == -1) /* Docker's way to say: as it is */
		swappiness.set = false;
	return throttles(b, &weight, &o->blkio_weight_device) && throttles(b, &read_bps, &o->read_bps) &&
	       throttles(b, &write_bps, &o->write_bps) && throttles(b, &read_iops, &o->read_iops) &&
	       throttles(b, &write_iops, &o->write_iops) &&
	       ranged(b, "memory-swappiness", "MemorySwappiness", &swappiness, 0, 100) &&
	       ranged(b, "oom-score-adj", "OomScoreAdj", &o->oom_score_adj, -1000, 1000);
}
