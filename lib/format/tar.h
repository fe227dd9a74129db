/*
 * tar: archives as streams, read and written. The only user of libarchive, which knows ustar, pax, the GNU and the old
 * forms. Names are bytes: the host program's locale has no say in them. Sources: POSIX pax(1); libarchive-formats(5);
 * the pax keys SCHILY.xattr.* of star(1).
 */
#ifndef TEU_FORMAT_TAR_H
#define TEU_FORMAT_TAR_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/cleanup.h"

enum tar_kind {
	TAR_FILE,
	TAR_DIR,
	TAR_SYMLINK,
	TAR_HARDLINK,
	TAR_CHAR,
	TAR_BLOCK,
	TAR_FIFO,
};

struct tar_entry {
	enum tar_kind kind;
	const char *name;
	const char *link; /* TAR_SYMLINK: its text; TAR_HARDLINK: the name of the other entry */
	mode_t mode;	  /* permissions, S_ISUID, S_ISGID, S_ISVTX */
	uid_t uid;
	gid_t gid;
	uint64_t size;	       /* TAR_FILE: with its holes; may lie, tar_reader_data() tells the truth */
	struct timespec mtime; /* tv_nsec UTIME_OMIT: not given */
	struct timespec atime; /* the same */
	uint32_t major, minor; /* TAR_CHAR, TAR_BLOCK */
};

/* Gives the next bytes: count, 0 at the end, or a negative TEU_E_… with *err set. They live until the next call. */
typedef ssize_t (*tar_read_cb)(void *data, const void **ret_bytes, teu_error **err);

struct tar_reader;

int tar_reader_new(tar_read_cb read, void *data, struct tar_reader **ret, teu_error **err);

/*
 * The next entry: 1, or 0 at the end of the archive (the stream may go on). What @ret points to lives until the next
 * call. TEU_E_CORRUPT: not a tar, cut short or damaged; and what the callback said.
 */
int tar_reader_next(struct tar_reader *reader, struct tar_entry *ret, teu_error **err);

/* Walks the entry's extended attributes: 1 and one of them, or 0. */
int tar_reader_xattr(struct tar_reader *reader, const char **ret_name, const void **ret_value, size_t *ret_len);

/* The next bytes of a TAR_FILE and where they belong (what lies between is a hole): 1, or 0 behind the last. */
int tar_reader_data(struct tar_reader *reader, const void **ret_bytes, size_t *ret_len, uint64_t *ret_offset,
		    teu_error **err);
void tar_reader_free(struct tar_reader *reader);
DEFINE_CLEANUP(struct tar_reader *, tar_reader_free)

/* Takes bytes of an archive being written; 0 or a negative TEU_E_… with *err set. */
typedef int (*tar_write_cb)(void *data, const void *bytes, size_t len, teu_error **err);

struct tar_writer;

/* Writes pax where ustar can't hold an entry, else ustar. */
int tar_writer_new(tar_write_cb write, void *data, struct tar_writer **ret, teu_error **err);
/* Begins an entry; a TAR_FILE must then get @entry->size bytes. */
int tar_writer_add(struct tar_writer *writer, const struct tar_entry *entry, teu_error **err);
int tar_writer_data(struct tar_writer *writer, const void *bytes, size_t len, teu_error **err);
/* The end mark. Without it the archive is cut short, as it should be after a failure. */
int tar_writer_finish(struct tar_writer *writer, teu_error **err);
void tar_writer_free(struct tar_writer *writer);
DEFINE_CLEANUP(struct tar_writer *, tar_writer_free)

#endif
