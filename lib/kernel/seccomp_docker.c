/*
 * seccomp_docker: Docker's profile format to the runtime-spec's. It adds to it: archMap (a machine's architecture with
 * those it can run besides), and for each rule `includes` and `excludes` by capability, architecture and kernel
 * release. Source: Docker documentation, "Seccomp security profiles for Docker"; the fields of its default.json.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "kernel/caps.h"
#include "kernel/seccomp_impl.h"

#if defined(__x86_64__)
#define NATIVE "SCMP_ARCH_X86_64"
#define GO_ARCH "amd64"
#elif defined(__aarch64__)
#define NATIVE "SCMP_ARCH_AARCH64"
#define GO_ARCH "arm64"
#endif

static const char where[] = "seccomp profile";

/* 5.10 or newer is 0x5000a or more. */
static unsigned kernel_release(void)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) == 0)
		sscanf(u.release, "%u.%u", &major, &minor);
	return major << 16 | minor;
}

/* What a rule's `includes` or `excludes` says about this container on this machine. */
struct verdict {
	bool caps_any, caps_all, arch, kernel; /* whether each holds */
	bool has_arches, has_kernel;
};

static int judge(const json *filter, const char *place, uint64_t caps, struct verdict *ret, teu_error **err)
{
	_cleanup_(strv_done) struct strv names = STRV_INIT, arches = STRV_INIT;
	unsigned major = 0, minor = 0;
	const char *kernel = NULL;
	int r = json_read_strings(filter, place, "caps", &names, err);

	if (r == 0)
		r = json_read_strings(filter, place, "arches", &arches, err);
	if (r == 0)
		r = json_read_string(filter, place, "minKernel", &kernel, err);
	if (r < 0)
		return r;
	*ret = (struct verdict){ .caps_all = true, .has_arches = arches.n, .has_kernel = kernel };
	strv_foreach (name, &names) {
		int cap = caps_number(*name);
		bool held = cap >= 0 && caps & UINT64_C(1) << cap;

		ret->caps_any |= held;
		ret->caps_all &= held;
	}
	ret->arch = strv_has(&arches, GO_ARCH);
	if (kernel && sscanf(kernel, "%u.%u", &major, &minor) != 2)
		return json_field_error(err, place, "minKernel", "\"%s\" is no kernel release such as 4.8", kernel);
	ret->kernel = kernel && kernel_release() >= (major << 16 | minor);
	return 0;
}

static int applies(const json *rule, const char *place, uint64_t caps, bool *ret, teu_error **err)
{
	const json *includes = NULL, *excludes = NULL;
	struct verdict in, out;
	int r = json_read_object(rule, place, "includes", &includes, err);

	if (r == 0)
		r = json_read_object(rule, place, "excludes", &excludes, err);
	if (r == 0)
		r = judge(includes, place, caps, &in, err);
	if (r == 0)
		r = judge(excludes, place, caps, &out, err);
	if (r < 0)
		return r;
	*ret = !out.caps_any && !out.arch && !out.kernel && in.caps_all && (!in.has_arches || in.arch) &&
	       (!in.has_kernel || in.kernel);
	return 0;
}

static int add_rule(json *to, const json *rule, const char *place, teu_error **err)
{
	_cleanup_json_ json *copy = json_copy(rule);
	const char *name = NULL;
	int r = json_read_string(rule, place, "name", &name, err);

	if (r < 0)
		return r;
	if (name && *name) {
		if (json_count(json_get(rule, "names")))
			return json_field_error(err, place, "name", "either \"name\" or \"names\", not both");
		if (!json_append_string(json_add_array(copy, "names"), name))
			return err_oom(err);
	}
	if (!copy)
		return err_oom(err);
	json_remove(copy, "name");
	json_remove(copy, "comment");
	json_remove(copy, "includes");
	json_remove(copy, "excludes");
	return json_append(to, TAKE_PTR(copy)) ? 0 : err_oom(err);
}

static int add_rules(const json *profile, uint64_t caps, json *to, teu_error **err)
{
	const json *rules = NULL;
	int r = json_read_array(profile, where, "syscalls", &rules, err);
	unsigned n = 0;

	json_foreach (rule, rules) {
		bool wanted;
		char place[80];

		snprintf(place, sizeof(place), "%s.syscalls[%u]", where, n++);
		r = applies(rule, place, caps, &wanted, err);
		if (r == 0 && wanted)
			r = add_rule(to, rule, place, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int add_arches(const json *profile, json *to, teu_error **err)
{
	const json *map = NULL;
	int r = json_read_array(profile, where, "archMap", &map, err);

	if (r < 0 || !map)
		return r;
	if (json_count(json_get(profile, "architectures")))
		return json_field_error(err, where, "archMap", "either \"architectures\" or \"archMap\", not both");
	json_foreach (entry, map) {
		_cleanup_(strv_done) struct strv names = STRV_INIT;

		if (strcmp(json_get_text(entry, "architecture", ""), NATIVE) != 0)
			continue;
		strv_add(&names, NATIVE);
		r = json_read_strings(entry, "seccomp profile.archMap", "subArchitectures", &names, err);
		if (r < 0)
			return r;
		return names.oom || !json_add(to, "architectures", json_strings(names.items)) ? err_oom(err) : 0;
	}
	return 0;
}

int seccomp_from_docker(const json *profile, uint64_t caps, json **ret, teu_error **err)
{
	static const char *const same[] = { "defaultAction", "defaultErrnoRet", "flags",
					    "architectures", "listenerPath",	"listenerMetadata" };
	_cleanup_json_ json *to = json_object();
	int r;

	if (!to)
		return err_oom(err);
	if (!json_is_object(profile))
		return json_field_error(err, where, "", "expected an object");
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		const json *value = json_get(profile, same[i]);

		if (value && !json_add(to, same[i], json_copy(value)))
			return err_oom(err);
	}
	r = add_arches(profile, to, err);
	if (r == 0)
		r = add_rules(profile, caps, json_add_array(to, "syscalls"), err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(to);
	return 0;
}
