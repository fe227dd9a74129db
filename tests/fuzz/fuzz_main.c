/* fuzz_main: runs a target without libFuzzer; with it (tests/fuzz/hunt) puts the seeds into the folder that it begins
 * from. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"

#ifdef TEU_LIBFUZZER

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *folder = (*argv)[*argc - 1];
	uint8_t *seed;
	size_t len;

	for (size_t i = 0; *folder != '-' && (seed = fuzz_seed(i, &len)); i++) {
		char name[4096];
		_cleanup_close_ int fd = -EBADF;

		snprintf(name, sizeof(name), "%s/seed-%zu", folder, i);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd >= 0 && fd_write_all(fd, seed, len) < 0)
			abort();
		free(seed);
	}
	return 0;
}

#else

static uint32_t state;

static uint32_t next(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

/* Bits, bytes, numbers and pieces, as formats with text headers break from. */
static void mutate(uint8_t *bytes, size_t *len)
{
	static const char digits[] = "01234567";
	size_t at = next((uint32_t)*len), n;

	switch (next(6)) {
	case 0:
		bytes[at] ^= (uint8_t)(1 << next(8));
		break;
	case 1:
		bytes[at] = (uint8_t)next(256);
		break;
	case 2:
		bytes[at] = (uint8_t)digits[next(8)];
		break;
	case 3:
		bytes[at] = "./\0"[next(3)];
		break;
	case 4:
		n = next((uint32_t)(*len - at)) + 1;
		memmove(bytes + next((uint32_t)(*len - n + 1)), bytes + at, n);
		break;
	default:
		if (next(8) == 0)
			*len = at + 1;
	}
}

static void run_seed(size_t index)
{
	size_t len = 0;
	_cleanup_free_ uint8_t *seed = fuzz_seed(index, &len);

	LLVMFuzzerTestOneInput(seed, len);
	for (size_t round = 0; round < fuzz_rounds; round++) {
		bool document = LLVMFuzzerCustomMutator && len && *seed == '{' && round % 2;
		/* Exactly as long as the input, so that a sanitizer sees a step beyond it. */
		size_t n = len, cap = document ? 2 * len + 256 : len;
		_cleanup_free_ uint8_t *copy = malloc(cap);

		if (!copy)
			abort();
		memcpy(copy, seed, len);
		state = (uint32_t)(index * 1000003 + round * 7919 + 1);
		for (uint32_t i = next(8) + 1; i; i--)
			if (document)
				n = LLVMFuzzerCustomMutator(copy, n, cap, next(UINT32_MAX));
			else
				mutate(copy, &n);
		LLVMFuzzerTestOneInput(copy, n);
	}
}

int main(int argc, char **argv)
{
	uint8_t *seed;
	size_t len;

	for (int i = 1; i < argc; i++) {
		_cleanup_free_ char *text = NULL;

		if (fd_read_file(AT_FDCWD, argv[i], 64 << 20, &text, &len, NULL) < 0) {
			fprintf(stderr, "%s can't be read\n", argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput((uint8_t *)text, len);
	}
	for (size_t i = 0; argc == 1 && (seed = fuzz_seed(i, &len)); i++) {
		free(seed);
		run_seed(i);
	}
	return 0;
}

#endif
