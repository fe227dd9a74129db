/* filter: linux.seccomp as a container keeps it. */
#include "runtime/filter.h"

#include <string.h>

static const char name[] = "seccomp.bpf";

static int drop_rules(json *profile, teu_error **err)
{
	_cleanup_json_ json *rules = json_take(profile, "syscalls"), *kept = json_array();

	json_foreach (rule, rules)
		if (strcmp(json_get_text(rule, "action", ""), "SCMP_ACT_NOTIFY") == 0 &&
		    !json_append(kept, json_copy(rule)))
			return err_oom(err);
	return json_add(profile, "syscalls", TAKE_PTR(kept)) ? 0 : err_oom(err);
}

int filter_compile(const teu_runtime *runtime, json *spec, struct seccomp_filter *ret, teu_error **err)
{
	json *profile = json_get_mutable(json_get_mutable(spec, "linux"), "seccomp");
	_cleanup_close_ int cache = -EBADF;
	int r;

	if (!profile)
		return 0;
	cache = runtime_open_filters(runtime);
	r = seccomp_compile(profile, "linux.seccomp", cache, ret, err);
	return r < 0 ? r : drop_rules(profile, err);
}

int filter_keep(int dir_fd, const struct seccomp_filter *filter, teu_error **err)
{
	return filter->bpf ? seccomp_keep(dir_fd, name, filter, err) : 0;
}

int filter_reopen(int dir_fd, const json *spec, struct seccomp_filter *ret, teu_error **err)
{
	return json_find(spec, "linux.seccomp") ? seccomp_kept(dir_fd, name, ret, err) : 0;
}
