/*
 * spec_resources: limits of memory, processor, processes and block I/O, with Docker's rules between them.
 * Source: runtime-spec config-linux.md, "Control groups"; Docker Engine API, "Resources".
 */
#include "engine/spec_parts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/parse.h"

#define HOST "HostConfig"

enum { CPU_PERIOD = 100000, MAX_CPUS = 8192, MIN_MEMORY = 512 << 10 };

static int64_t number(const struct spec *s, const char *key)
{
	return json_get_number(s->host, key, 0);
}

static int check_memory(const struct spec *s, teu_error **err)
{
	int64_t memory = number(s, "Memory"), swap = number(s, "MemorySwap"), reserved = number(s, "MemoryReservation");
	int64_t swappiness = json_get_number(s->host, "MemorySwappiness", -1);

	if (memory < 0)
		return json_field_error(err, HOST, "Memory", "a limit can't be negative");
	/* Below that the first process is killed while it starts. Docker's 6 MB are what runc needs for itself. */
	if (memory && memory < MIN_MEMORY)
		return json_field_error(err, HOST, "Memory", "minimum memory limit allowed is 512KB");
	if (reserved < 0)
		return json_field_error(err, HOST, "MemoryReservation", "a limit can't be negative");
	if (swap < -1)
		return json_field_error(err, HOST, "MemorySwap", "a limit is 0 or more, or -1 for none");
	if (swap > 0 && !memory)
		return json_field_error(err, HOST, "MemorySwap",
					"a limit of memory and swap together needs a memory limit, too");
	if (swap > 0 && swap < memory)
		return json_field_error(
			err, HOST, "MemorySwap",
			"minimum memoryswap limit should be larger than memory limit: it holds for both together");
	if (reserved && memory && reserved > memory)
		return json_field_error(err, HOST, "MemoryReservation",
					"minimum memory limit can not be less than memory reservation limit");
	if (swappiness < -1 || swappiness > 100)
		return json_field_error(err, HOST, "MemorySwappiness",
					"invalid value %" PRId64 ": valid range is 0 to 100", swappiness);
	return 0;
}

static int add_memory(struct spec *s, json *resources, teu_error **err)
{
	int64_t memory = number(s, "Memory"), swap = number(s, "MemorySwap"), reserved = number(s, "MemoryReservation");
	int64_t swappiness = json_get_number(s->host, "MemorySwappiness", -1);
	bool no_killer = json_get_truth(s->host, "OomKillDisable", false);
	json *to;
	int r = check_memory(s, err);

	if (r < 0 || (!memory && !swap && !reserved && swappiness < 0 && !no_killer))
		return r;
	/* As much swap as memory where nothing is said. */
	if (memory && !swap)
		swap = memory > INT64_MAX / 2 ? -1 : 2 * memory;
	to = json_add_object(resources, "memory");
	if (!to || (memory && !json_add_int(to, "limit", memory)) ||
	    (reserved && !json_add_int(to, "reservation", reserved)) || (swap && !json_add_int(to, "swap", swap)) ||
	    (swappiness >= 0 && !json_add_int(to, "swappiness", swappiness)) ||
	    (no_killer && !json_add_bool(to, "disableOOMKiller", true)))
		return err_oom(err);
	return 0;
}

/* "0-3,7" as bits. False: malformed, or past the last that we count. */
static bool parse_list(const char *text, unsigned char bits[MAX_CPUS / 8])
{
	memset(bits, 0, MAX_CPUS / 8);
	while (*text) {
		size_t len = strcspn(text, ",\n"), first_len = strcspn(text, "-,\n");
		char first[12], last[12];
		uint32_t from, to;

		if (first_len >= sizeof(first) || len - first_len > sizeof(last))
			return false;
		snprintf(first, sizeof(first), "%.*s", (int)first_len, text);
		if (!parse_u32(first, &from))
			return false;
		to = from;
		if (first_len < len) {
			snprintf(last, sizeof(last), "%.*s", (int)(len - first_len - 1), text + first_len + 1);
			if (!parse_u32(last, &to))
				return false;
		}
		if (to < from || to >= MAX_CPUS)
			return false;
		for (; from <= to; from++)
			bits[from / 8] |= (unsigned char)(1 << from % 8);
		text += len;
		if (*text == ',' && !text[1])
			return false;
		text += *text ? 1 : 0;
	}
	return true;
}

static int check_set(const struct spec *s, const char *key, const char *what, const char *file, teu_error **err)
{
	unsigned char wanted[MAX_CPUS / 8], online[MAX_CPUS / 8];
	const char *text = json_get_text(s->host, key, "");
	_cleanup_free_ char *available = NULL;
	size_t len;

	if (!*text)
		return 0;
	if (!parse_list(text, wanted))
		return json_field_error(err, HOST, key, "invalid value \"%s\": expected a list like 0-2,7", text);
	if (fd_read_file(AT_FDCWD, file, 4096, &available, &len, NULL) < 0 || !parse_list(available, online))
		return 0;
	available[strcspn(available, "\n")] = '\0';
	for (size_t i = 0; i < sizeof(wanted); i++)
		if (wanted[i] & ~online[i])
			return json_field_error(err, HOST, key,
						"requested %s are not available: requested %s, available %s", what,
						text, available);
	return 0;
}

static int check_cpu(const struct spec *s, teu_error **err)
{
	int64_t nano = number(s, "NanoCpus"), period = number(s, "CpuPeriod"), quota = number(s, "CpuQuota");
	long online = nano ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
	int r;

	if (number(s, "CpuShares") < 0)
		return json_field_error(err, HOST, "CpuShares", "shares can't be negative");
	if (nano && (period || quota))
		return json_field_error(err, HOST, "NanoCpus",
					"conflicting options: --cpus and CPU %s cannot both be set",
					period ? "period" : "quota");
	if (nano && (nano < 10000000 || nano > online * INT64_C(1000000000)))
		return json_field_error(err, HOST, "NanoCpus",
					"range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs available",
					online, online);
	if (period && (period < 1000 || period > 1000000))
		return json_field_error(err, HOST, "CpuPeriod",
					"CPU period can not be less than 1ms (1000) or larger than 1s (1000000)");
	if (quota != -1 && quota && quota < 1000)
		return json_field_error(err, HOST, "CpuQuota", "CPU quota can not be less than 1ms (1000)");
	r = check_set(s, "CpusetCpus", "CPUs", "/sys/devices/system/cpu/online", err);
	return r < 0 ? r : check_set(s, "CpusetMems", "memory nodes", "/sys/devices/system/node/online", err);
}

static int add_cpu(struct spec *s, json *resources, teu_error **err)
{
	int64_t shares = number(s, "CpuShares"), period = number(s, "CpuPeriod"), quota = number(s, "CpuQuota");
	const char *cpus = json_get_text(s->host, "CpusetCpus", ""), *mems = json_get_text(s->host, "CpusetMems", "");
	int64_t nano = number(s, "NanoCpus");
	json *to;
	int r = check_cpu(s, err);

	if (r < 0 || (!shares && !period && !quota && !nano && !*cpus && !*mems))
		return r;
	if (nano) {
		period = CPU_PERIOD;
		quota = nano / (1000000000 / CPU_PERIOD);
	}
	to = json_add_object(resources, "cpu");
	if (!to || (shares && !json_add_int(to, "shares", shares)) || (quota && !json_add_int(to, "quota", quota)) ||
	    (period && !json_add_int(to, "period", period)) || (*cpus && !json_add_string(to, "cpus", cpus)) ||
	    (*mems && !json_add_string(to, "mems", mems)))
		return err_oom(err);
	return 0;
}

static int add_pids(struct spec *s, json *resources, teu_error **err)
{
	int64_t limit = number(s, "PidsLimit");

	if (limit <= 0)
		return 0;
	return json_add_int(json_add_object(resources, "pids"), "limit", limit) ? 0 : err_oom(err);
}

/* {"Path": "/dev/sda", "Rate": 1048576}: the spec wants numbers for the path. */
static int add_throttle(json *list, const json *entry, const char *where, const char *from, const char *to,
			teu_error **err)
{
	const char *path = "";
	int64_t value = 0;
	struct stat st;
	json *one;
	int r = json_read_string(entry, where, "Path", &path, err);

	if (r == 0)
		r = json_read_int(entry, where, from, &value, err);
	if (r < 0)
		return r;
	if (stat(path, &st) < 0)
		return json_field_error(err, where, "Path", "%s: %s", path, strerrordesc_np(errno));
	if (!S_ISBLK(st.st_mode))
		return json_field_error(err, where, "Path", "%s is not a block device", path);
	if (value < 0)
		return json_field_error(err, where, from, "can't be negative");
	one = json_append_object(list);
	return json_add_int(one, "major", major(st.st_rdev)) && json_add_int(one, "minor", minor(st.st_rdev)) &&
			       json_add_int(one, to, value)
		       ? 0
		       : err_oom(err);
}

static int add_throttles(struct spec *s, json *io, teu_error **err)
{
	static const struct {
		const char *asked, *key, *from, *to;
	} all[] = {
		{ "BlkioWeightDevice", "weightDevice", "Weight", "weight" },
		{ "BlkioDeviceReadBps", "throttleReadBpsDevice", "Rate", "rate" },
		{ "BlkioDeviceWriteBps", "throttleWriteBpsDevice", "Rate", "rate" },
		{ "BlkioDeviceReadIOps", "throttleReadIOPSDevice", "Rate", "rate" },
		{ "BlkioDeviceWriteIOps", "throttleWriteIOPSDevice", "Rate", "rate" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const json *asked = json_get(s->host, all[i].asked);
		json *list = json_count(asked) ? json_add_array(io, all[i].key) : NULL;
		size_t k = 0;

		json_foreach (entry, asked) {
			char where[64];
			int r;

			snprintf(where, sizeof(where), HOST ".%s[%zu]", all[i].asked, k++);
			r = add_throttle(list, entry, where, all[i].from, all[i].to, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int add_block_io(struct spec *s, json *resources, teu_error **err)
{
	int64_t weight = number(s, "BlkioWeight");
	_cleanup_json_ json *io = json_object();
	int r;

	if (!io)
		return err_oom(err);
	if (weight && (weight < 10 || weight > 1000))
		return json_field_error(err, HOST, "BlkioWeight", "range of blkio weight is from 10 to 1000");
	if (weight && !json_add_int(io, "weight", weight))
		return err_oom(err);
	r = add_throttles(s, io, err);
	if (r < 0 || !json_count(io))
		return r;
	return json_add(resources, "blockIO", TAKE_PTR(io)) ? 0 : err_oom(err);
}

int spec_resources(struct spec *s, teu_error **err)
{
	json *resources = json_add_object(s->platform, "resources");
	int r = resources ? add_memory(s, resources, err) : err_oom(err);

	if (r == 0)
		r = add_cpu(s, resources, err);
	if (r == 0)
		r = add_pids(s, resources, err);
	return r < 0 ? r : add_block_io(s, resources, err);
}
