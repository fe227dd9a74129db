#include "runtime/shared_mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { MAX_LAYERS = 8 };

static int64_t namespace_number(void)
{
	struct stat st;

	return stat("/proc/self/ns/mnt", &st) < 0 ? 0 : (int64_t)st.st_ino;
}

/* Of the mount that shows at @path; 0: unknown. */
static int64_t mount_number(const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID))
		return 0;
	return (int64_t)st.stx_mnt_id;
}

json *shared_mounts_note(const char *rootfs)
{
	_cleanup_json_ json *note = json_object();

	if (!json_add_int(note, "namespace", namespace_number()) || !json_add_int(note, "below", mount_number(rootfs)))
		return NULL;
	return TAKE_PTR(note);
}

void shared_mounts_remove(const json *note, const char *rootfs)
{
	int64_t below = json_get_number(note, "below", 0);

	if (!below || json_get_number(note, "namespace", 0) != namespace_number())
		return;
	/* What its creator had mounted there is not ours. */
	for (int i = 0; i < MAX_LAYERS && mount_number(rootfs) != below; i++)
		if (umount2(rootfs, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return;
}
