/*
 * seccomp: system call filters as BPF programs. Source: runtime-spec config-linux.md, "Seccomp"; seccomp(2). Where the
 * specification leaves room, as runc does: names that libseccomp doesn't know are passed over, conditions on one
 * argument given twice are alternatives, calls newer than all that the profile names get ENOSYS.
 */
#include "kernel/seccomp.h"

#include <stdio.h>
#include <string.h>

#include "kernel/seccomp_impl.h"

#if defined(__x86_64__)
#define ARCH "x86_64"
#elif defined(__aarch64__)
#define ARCH "aarch64"
#endif

/* The library's file is looked at beside the key (seccomp_cache). */
static void key_begin(struct strbuf *key, const char *kind)
{
	strbuf_addf(key, "%s " ARCH " %s\n", kind, TEU_LIBSECCOMP_SONAME);
	strbuf_addf(key, "compiler %d\n", SECCOMP_COMPILER_VERSION);
}

/* With its end, which no text has inside: no two documents look the same. */
static void key_add_text(struct strbuf *key, const char *kind, const char *text)
{
	strbuf_adds(key, kind);
	strbuf_add(key, text, strlen(text) + 1);
}

/* A profile is some five hundred names: this takes a tenth of what JSON does. */
static void key_add_value(struct strbuf *key, const json *v)
{
	uint64_t number;

	if (json_key(v))
		key_add_text(key, "k", json_key(v));
	if (json_is_string(v)) {
		key_add_text(key, "s", json_text(v, ""));
	} else if (json_is_object(v) || json_is_array(v)) {
		strbuf_adds(key, json_is_array(v) ? "[" : "{");
		json_foreach (child, v)
			key_add_value(key, child);
		strbuf_adds(key, "]");
	} else if (json_unsigned(v, &number)) {
		strbuf_adds(key, "u");
		strbuf_add(key, &number, sizeof(number));
	} else {
		_cleanup_free_ char *text = json_print(v);

		key->oom |= !text;
		key_add_text(key, "v", text ? text : "");
	}
}

static int key_add_profile(struct strbuf *key, const json *profile, teu_error **err)
{
	json_foreach (child, profile)
		key_add_value(key, child);
	return key->oom ? err_oom(err) : 0;
}

int seccomp_default(uint64_t caps, int cache_fd, struct seccomp_filter *ret, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf key = STRBUF_INIT;
	_cleanup_json_ json *profile = NULL;
	uint64_t relevant = seccomp_default_relevant(caps);
	int r;

	key_begin(&key, "default");
	strbuf_addf(&key, "table %d\ncaps %llx\n", SECCOMP_DEFAULT_VERSION, (unsigned long long)relevant);
	if (key.oom)
		return err_oom(err);
	if (seccomp_cache_read(cache_fd, &key, ret))
		return 0;
	profile = seccomp_default_profile(relevant);
	if (!profile)
		return err_oom(err);
	r = seccomp_build(profile, "default seccomp profile", ret, err);
	if (r == 0)
		seccomp_cache_write(cache_fd, &key, ret);
	return r;
}

int seccomp_compile(const json *profile, const char *where, int cache_fd, struct seccomp_filter *ret, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf key = STRBUF_INIT;
	int r;

	key_begin(&key, "profile");
	r = key_add_profile(&key, profile, err);
	if (r < 0)
		return r;
	if (seccomp_cache_read(cache_fd, &key, ret))
		return 0;
	r = seccomp_build(profile, where, ret, err);
	if (r == 0)
		seccomp_cache_write(cache_fd, &key, ret);
	return r;
}

void seccomp_filter_done(struct seccomp_filter *filter)
{
	free(filter->bpf);
	*filter = (struct seccomp_filter){ 0 };
}
