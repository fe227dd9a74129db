/* fuzz_spec: any bytes as a runtime spec. A plan that comes out must be one that the helper could run: all offsets
 * inside, all texts ended; a refusal has a message. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sandbox/compile.h"
#include "sound.h"

const size_t fuzz_rounds = 15000;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	_cleanup_error_ teu_error *err = NULL, *ignored = NULL;
	_cleanup_json_ json *spec = NULL;
	struct launch launch = { .seccomp_cache_fd = -1, .id = "id" };
	int r;

	if (json_parse((const char *)bytes, len, &spec, &ignored) < 0)
		return 0;
	launch.spec = spec;
	r = compile_launch(&launch, &plan, &err);
	must(r == teu_error_code(err));
	if (r == 0)
		must_be_sound(&plan);
	else
		must(*teu_error_message(err));
	return 0;
}

uint8_t *fuzz_seed(size_t n, size_t *ret_len)
{
	static const char *const seeds[] = {
		"{\"process\":{\"args\":[\"sh\",\"\"],\"env\":[\"A=b\"],\"cwd\":\"/"
		"x\",\"terminal\":true,\"consoleSize\":{"
		"\"height\":4,\"width\":5},\"user\":{\"uid\":1,\"gid\":2,\"umask\":18,\"additionalGids\":[3,4]},"
		"\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"]},\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,"
		"\"hard\":2}],\"oomScoreAdj\":5},\"root\":{\"path\":\"/"
		"r\",\"readonly\":true},\"hostname\":\"h\",\"linux\":{"
		"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"pid\"}]}}",
		"{\"process\":{\"args\":[\"sh\"]},\"root\":{\"path\":\"/r\"},\"mounts\":[{\"destination\":\"/"
		"proc\",\"type\":"
		"\"proc\"},{\"destination\":\"/v\",\"source\":\"/"
		"s\",\"options\":[\"rbind\",\"ro\",\"rslave\"]}],\"linux\":{"
		"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"},{\"type\":\"network\",\"path\":\"/n\"}],"
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":5,\"size\":9}],\"gidMappings\":[{\"containerID\":0,"
		"\"hostID\":"
		"5,\"size\":9}],\"sysctl\":{\"net.x\":\"1\"},\"maskedPaths\":[\"/m\"],\"readonlyPaths\":[\"/"
		"p\"],\"devices\":[{"
		"\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":2}],\"rootfsPropagation\":\"rslave\"},"
		"\"annotations\":{\"teu.user\":\"me:us\",\"teu.groups\":\"a,b\",\"teu.init\":\"true\"}}",
	};

	if (n >= ARRAY_SIZE(seeds))
		return NULL;
	*ret_len = strlen(seeds[n]);
	return (uint8_t *)strdup(seeds[n]);
}
