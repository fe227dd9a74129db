/*
 * seccomp_cache: compiled filters as files: a header, the whole key, the program, the path of the library that made it.
 * The name is a hash of the key, so two keys may meet in one file; the key in it tells which one it holds.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "kernel/seccomp_impl.h"

enum { MAX_FILE = 8 << 20, INSN_SIZE = 8, NAME_MAX_LEN = 32 };

/* The library that compiled a program, known by its file: another version may know more calls, and opening it to ask
 * would take longer than all the rest. All zero: it does not matter. */
struct compiler {
	uint64_t device, inode, size, changed_ns;
};

struct header {
	char magic[8];
	uint64_t sum; /* of the program: a damaged one must never guard a container */
	uint32_t key_len;
	uint32_t program_len;
	uint32_t flags;
	uint32_t path_len; /* of the compiler's file, with its end */
	struct compiler compiler;
};

static const char magic[8] = "teuscmp2";

/* FNV-1a, 64 bits. */
static uint64_t hash(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ at[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void file_name(const struct strbuf *key, char name[NAME_MAX_LEN])
{
	snprintf(name, NAME_MAX_LEN, "%016" PRIx64 ".bpf", hash(key->text, key->len));
}

static bool look_at_compiler(const char *path, struct compiler *ret)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	*ret = (struct compiler){ st.st_dev, st.st_ino, (uint64_t)st.st_size,
				  (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec };
	return true;
}

/* Is the library still the one that compiled it? */
static bool is_current(const struct header *h)
{
	const char *path = (const char *)(h + 1) + h->key_len + h->program_len;
	struct compiler now;

	return !h->path_len || (path[h->path_len - 1] == '\0' && look_at_compiler(path, &now) &&
				memcmp(&now, &h->compiler, sizeof(now)) == 0);
}

static bool is_sound(const struct header *h, size_t len, const struct strbuf *key)
{
	const char *text = (const char *)(h + 1);

	return memcmp(h->magic, magic, sizeof(magic)) == 0 && h->key_len == key->len && h->program_len &&
	       h->program_len % INSN_SIZE == 0 &&
	       len == sizeof(*h) + (size_t)h->key_len + h->program_len + h->path_len &&
	       memcmp(text, key->text, key->len) == 0 && hash(text + h->key_len, h->program_len) == h->sum;
}

/* 1: @ret is what the file @name holds for @key; 0: it holds something else, or is damaged. */
static int read_filter(int dir_fd, const char *name, const struct strbuf *key, struct seccomp_filter *ret)
{
	_cleanup_free_ struct header *h = NULL;
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(*h) || st.st_size > MAX_FILE)
		return 0;
	h = malloc((size_t)st.st_size);
	if (!h)
		return -ENOMEM;
	if (fd_read_full(fd, h, (size_t)st.st_size) != st.st_size || !is_sound(h, (size_t)st.st_size, key) ||
	    !is_current(h))
		return 0;
	ret->bpf = malloc(h->program_len);
	if (!ret->bpf)
		return -ENOMEM;
	memcpy(ret->bpf, (const char *)(h + 1) + h->key_len, h->program_len);
	ret->n_bytes = h->program_len;
	ret->flags = h->flags;
	return 1;
}

/* @compiler: path of its file; NULL: the program is good whatever comes after it. */
static int write_filter(int dir_fd, const char *name, const struct strbuf *key, const struct seccomp_filter *filter,
			const char *compiler, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf file = STRBUF_INIT;
	struct header h = {
		.sum = hash(filter->bpf, filter->n_bytes),
		.key_len = (uint32_t)key->len,
		.program_len = (uint32_t)filter->n_bytes,
		.flags = filter->flags,
		.path_len = compiler ? (uint32_t)strlen(compiler) + 1 : 0,
	};

	if (compiler && !look_at_compiler(compiler, &h.compiler))
		return err_errno(err, errno, "look at %s", compiler);
	memcpy(h.magic, magic, sizeof(magic));
	strbuf_add(&file, &h, sizeof(h));
	strbuf_add(&file, key->text, key->len);
	strbuf_add(&file, filter->bpf, filter->n_bytes);
	strbuf_add(&file, compiler, h.path_len);
	if (file.oom)
		return err_oom(err);
	if (file.len > MAX_FILE)
		return err_set(err, TEU_E_LIMIT, "a seccomp filter of %zu bytes is larger than %d", file.len, MAX_FILE);
	return fd_replace_file(dir_fd, name, file.text, file.len, 0600, FD_NO_SYNC, err);
}

bool seccomp_cache_read(int cache_fd, const struct strbuf *key, struct seccomp_filter *ret)
{
	char name[NAME_MAX_LEN];

	file_name(key, name);
	return cache_fd >= 0 && read_filter(cache_fd, name, key, ret) > 0;
}

void seccomp_cache_write(int cache_fd, const struct strbuf *key, const struct seccomp_filter *filter)
{
	const char *compiler = seccomp_compiler();
	char name[NAME_MAX_LEN];

	file_name(key, name);
	if (cache_fd >= 0 && compiler)
		write_filter(cache_fd, name, key, filter, compiler, NULL);
}

int seccomp_keep(int dir_fd, const char *name, const struct seccomp_filter *filter, teu_error **err)
{
	return write_filter(dir_fd, name, &STRBUF_INIT, filter, NULL, err);
}

int seccomp_kept(int dir_fd, const char *name, struct seccomp_filter *ret, teu_error **err)
{
	int r = read_filter(dir_fd, name, &STRBUF_INIT, ret);

	if (r < 0)
		return err_errno(err, -r, "read the container's seccomp filter");
	return r ? 0 : err_set(err, TEU_E_CORRUPT, "the container's seccomp filter is damaged");
}
