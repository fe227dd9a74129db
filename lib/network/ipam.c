/* ipam: which container has which address of the bridge's range. */
#include "network/ipam.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* The folders are there but for the first time, and to try to make one disturbs all others that use it. */
static int open_folder(const struct store *store, const char *name, int *ret_fd, teu_error **err)
{
	*ret_fd = openat(store->run_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? fd_open_dir(store->run_fd, name, 0710, ret_fd, err) : 0;
}

/*
 * A number that all processes count up together says where to look next: an address rests as long as possible before it
 * is used again, and a hundred that look at once don't meet.
 */
static int open_counter(const struct store *store, _Atomic uint32_t **ret, teu_error **err)
{
	_cleanup_close_ int dir = -EBADF, fd = -EBADF;
	struct stat st;
	int r = open_folder(store, "network", &dir, err);

	if (r < 0)
		return r;
	fd = openat(dir, "next-address", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || (st.st_size == 0 && ftruncate(fd, sizeof(**ret)) < 0))
		return err_errno(err, errno, "open %s/network/next-address", store->run_root);
	*ret = mmap(NULL, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*ret == MAP_FAILED)
		return err_errno(err, errno, "map %s/network/next-address", store->run_root);
	return 0;
}

/* The first address names the network, the second is the gateway's, the last is for broadcasts. */
static int take_any(int dir, uint32_t network, uint32_t n_usable, _Atomic uint32_t *counter, const char *id,
		    uint32_t *ret, teu_error **err)
{
	char text[IPAM_TEXT_MAX];

	for (uint32_t tries = 0; tries < n_usable; tries++) {
		uint32_t address = htonl(network + 2 + atomic_fetch_add(counter, 1) % n_usable);

		inet_ntop(AF_INET, &address, text, sizeof(text));
		if (symlinkat(id, dir, text) == 0) {
			*ret = address;
			return 0;
		}
		if (errno != EEXIST)
			return err_errno(err, errno, "take address %s", text);
	}
	return err_set(err, TEU_E_NO_SPACE, "all %u addresses of the bridge are taken: remove containers", n_usable);
}

int ipam_take(const struct store *store, uint32_t gateway, uint8_t prefix_len, const char *id, uint32_t *ret,
	      teu_error **err)
{
	uint32_t n = UINT32_MAX >> prefix_len;
	_cleanup_close_ int dir = -EBADF;
	_Atomic uint32_t *counter = NULL;
	int r;

	if (strlen(id) == 0 || strlen(id) >= IPAM_ID_MAX)
		return err_set(err, TEU_E_INVALID, "container id '%.20s' is empty or too long", id);
	r = open_folder(store, "addresses", &dir, err);
	if (r < 0)
		return r;
	r = open_counter(store, &counter, err);
	if (r < 0)
		return r;
	r = take_any(dir, ntohl(gateway) & ~n, n - 2, counter, id, ret, err);
	munmap((void *)counter, sizeof(*counter));
	return r;
}

static int read_owner(int dir, const char *name, char ret_id[IPAM_ID_MAX], teu_error **err)
{
	ssize_t n = readlinkat(dir, name, ret_id, IPAM_ID_MAX - 1);

	ret_id[n < 0 ? 0 : n] = '\0';
	if (n < 0 && errno != ENOENT)
		return err_errno(err, errno, "read who has address %s", name);
	return 0;
}

int ipam_owner(const struct store *store, uint32_t address, char ret_id[IPAM_ID_MAX], teu_error **err)
{
	char name[sizeof("addresses/") + IPAM_TEXT_MAX], text[IPAM_TEXT_MAX];

	snprintf(name, sizeof(name), "addresses/%s", inet_ntop(AF_INET, &address, text, sizeof(text)));
	return read_owner(store->run_fd, name, ret_id, err);
}

int ipam_release(const struct store *store, uint32_t address, const char *id, teu_error **err)
{
	char name[sizeof("addresses/") + IPAM_TEXT_MAX], text[IPAM_TEXT_MAX], owner[IPAM_ID_MAX];
	int r;

	snprintf(name, sizeof(name), "addresses/%s", inet_ntop(AF_INET, &address, text, sizeof(text)));
	r = read_owner(store->run_fd, name, owner, err);
	if (r < 0 || strcmp(owner, id) != 0)
		return r;
	if (unlinkat(store->run_fd, name, 0) < 0 && errno != ENOENT)
		return err_errno(err, errno, "give back %s", name);
	return 0;
}

int ipam_each(const struct store *store, int (*each)(uint32_t address, const char *id, void *data, teu_error **err),
	      void *data, teu_error **err)
{
	_cleanup_closedir_ DIR *list = NULL;
	char owner[IPAM_ID_MAX];
	struct dirent *entry;
	uint32_t address;
	int dir, r = open_folder(store, "addresses", &dir, err);

	if (r < 0)
		return r;
	list = fdopendir(dir);
	if (!list) {
		close(dir);
		return err_oom(err);
	}
	while (r == 0 && (entry = readdir(list))) {
		if (inet_pton(AF_INET, entry->d_name, &address) != 1)
			continue;
		r = read_owner(dir, entry->d_name, owner, err);
		if (r == 0 && *owner)
			r = each(address, owner, data, err);
	}
	return r;
}
