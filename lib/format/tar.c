/* tar: archives as streams, by libarchive. Source: archive_read(3), archive_write(3), archive_entry(3). */
#include "format/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/library.h"

/* The functions used, each as a pointer of the same name: X(name). */
#define FUNCTIONS(X)                                                                                                   \
	X(archive_error_string)                                                                                        \
	X(archive_set_error)                                                                                           \
	X(archive_read_new)                                                                                            \
	X(archive_read_support_format_tar)                                                                             \
	X(archive_read_support_format_empty)                                                                           \
	X(archive_read_open)                                                                                           \
	X(archive_read_next_header)                                                                                    \
	X(archive_read_data_block)                                                                                     \
	X(archive_read_free)                                                                                           \
	X(archive_write_new)                                                                                           \
	X(archive_write_set_format_pax_restricted)                                                                     \
	X(archive_write_set_bytes_per_block)                                                                           \
	X(archive_write_open)                                                                                          \
	X(archive_write_header)                                                                                        \
	X(archive_write_data)                                                                                          \
	X(archive_write_close)                                                                                         \
	X(archive_write_free)                                                                                          \
	X(archive_entry_new)                                                                                           \
	X(archive_entry_free)                                                                                          \
	X(archive_entry_pathname)                                                                                      \
	X(archive_entry_symlink)                                                                                       \
	X(archive_entry_hardlink)                                                                                      \
	X(archive_entry_mode)                                                                                          \
	X(archive_entry_uid)                                                                                           \
	X(archive_entry_gid)                                                                                           \
	X(archive_entry_size)                                                                                          \
	X(archive_entry_mtime)                                                                                         \
	X(archive_entry_mtime_nsec)                                                                                    \
	X(archive_entry_mtime_is_set)                                                                                  \
	X(archive_entry_atime)                                                                                         \
	X(archive_entry_atime_nsec)                                                                                    \
	X(archive_entry_atime_is_set)                                                                                  \
	X(archive_entry_rdevmajor)                                                                                     \
	X(archive_entry_rdevminor)                                                                                     \
	X(archive_entry_xattr_reset)                                                                                   \
	X(archive_entry_xattr_next)                                                                                    \
	X(archive_entry_set_pathname)                                                                                  \
	X(archive_entry_set_symlink)                                                                                   \
	X(archive_entry_set_hardlink)                                                                                  \
	X(archive_entry_set_mode)                                                                                      \
	X(archive_entry_set_uid)                                                                                       \
	X(archive_entry_set_gid)                                                                                       \
	X(archive_entry_set_size)                                                                                      \
	X(archive_entry_set_mtime)                                                                                     \
	X(archive_entry_set_rdevmajor)                                                                                 \
	X(archive_entry_set_rdevminor)

#define POINTER(name) __typeof__(name) *name;
#define SYMBOL(name) { #name, &la.name },

static struct {
	FUNCTIONS(POINTER)
} la;

static const struct library_symbol symbols[] = { FUNCTIONS(SYMBOL) };

static struct library libarchive = {
	.soname = "libarchive.so.13",
	.package = "libarchive13",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/*
 * libarchive translates names between UTF-8 and the thread's locale, whatever the host program chose. In the "C" locale
 * it can't, and keeps the bytes: so this thread is in it during each call.
 */
struct bytes_scope {
	locale_t before;
};

static locale_t bytes_locale;
static pthread_once_t bytes_once = PTHREAD_ONCE_INIT;

static void make_bytes_locale(void)
{
	bytes_locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
}

static struct bytes_scope bytes_enter(void)
{
	pthread_once(&bytes_once, make_bytes_locale);
	return (struct bytes_scope){ bytes_locale ? uselocale(bytes_locale) : (locale_t)0 };
}

static void bytes_leave(const struct bytes_scope *scope)
{
	int kept = errno;

	if (scope->before)
		uselocale(scope->before);
	errno = kept;
}

#define BYTES_SCOPE _cleanup_(bytes_leave) __attribute__((unused)) struct bytes_scope scope_ = bytes_enter()

/*
 * So much may one call take from the stream: extended headers, long names and maps of holes are kept in memory, the
 * latter at ten times their size.
 */
enum { MAX_A_CALL = 4 << 20 };

struct tar_reader {
	tar_read_cb read;
	void *data;
	struct archive *archive;     /* owned */
	struct archive_entry *entry; /* borrowed from archive */
	bool opened, ended;
	bool has_data; /* the entry's data have not been read to their end */
	size_t taken;  /* from the stream, by the call under way */
	int failed;    /* what the callback returned, and its error */
	teu_error *error;
};

static la_ssize_t read_piece(struct archive *archive, void *data, const void **ret)
{
	struct tar_reader *reader = data;
	ssize_t n;

	if (reader->taken > MAX_A_CALL)
		n = err_set(&reader->error, TEU_E_LIMIT, "tar header of more than %d MiB", MAX_A_CALL >> 20);
	else
		n = reader->read(reader->data, ret, &reader->error);
	if (n >= 0) {
		reader->taken += (size_t)n;
		return n;
	}
	reader->failed = (int)n;
	la.archive_set_error(archive, EIO, "the stream broke off");
	return ARCHIVE_FATAL;
}

/* What the callback said comes first: libarchive only knows that it failed. */
static int reader_error(struct tar_reader *reader, teu_error **err)
{
	const char *text = la.archive_error_string(reader->archive);

	if (reader->failed) {
		if (err && !*err)
			*err = TAKE_PTR(reader->error);
		return reader->failed;
	}
	return err_set(err, TEU_E_CORRUPT, "not a sound tar archive (%s)", text ? text : "no reason given");
}

int tar_reader_new(tar_read_cb read, void *data, struct tar_reader **ret, teu_error **err)
{
	_cleanup_(tar_reader_freep) struct tar_reader *reader = NULL;
	int r = library_open(&libarchive, err);

	if (r < 0)
		return r;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return err_oom(err);
	reader->read = read;
	reader->data = data;
	reader->archive = la.archive_read_new();
	if (!reader->archive)
		return err_oom(err);
	la.archive_read_support_format_tar(reader->archive);
	la.archive_read_support_format_empty(reader->archive);
	*ret = TAKE_PTR(reader);
	return 0;
}

/* archive_read_open() reads already, so it waits for the first call that may report. */
static int open_once(struct tar_reader *reader, teu_error **err)
{
	if (reader->opened)
		return 0;
	reader->opened = true;
	if (la.archive_read_open(reader->archive, reader, NULL, read_piece, NULL) != ARCHIVE_OK)
		return reader_error(reader, err);
	return 0;
}

static int kind_of(struct archive_entry *entry, enum tar_kind *ret)
{
	if (la.archive_entry_hardlink(entry)) {
		*ret = TAR_HARDLINK;
		return 0;
	}
	switch (la.archive_entry_mode(entry) & S_IFMT) {
	case S_IFREG:
		*ret = TAR_FILE;
		return 0;
	case S_IFDIR:
		*ret = TAR_DIR;
		return 0;
	case S_IFLNK:
		*ret = TAR_SYMLINK;
		return 0;
	case S_IFCHR:
		*ret = TAR_CHAR;
		return 0;
	case S_IFBLK:
		*ret = TAR_BLOCK;
		return 0;
	case S_IFIFO:
		*ret = TAR_FIFO;
		return 0;
	}
	return -EINVAL;
}

static struct timespec stamp(time_t seconds, long ns, int is_set)
{
	if (!is_set)
		ns = UTIME_OMIT;
	return (struct timespec){ .tv_sec = seconds, .tv_nsec = ns };
}

static int convert(struct archive_entry *from, struct tar_entry *to, teu_error **err)
{
	const char *name = la.archive_entry_pathname(from);
	la_int64_t uid = la.archive_entry_uid(from), gid = la.archive_entry_gid(from);
	la_int64_t size = la.archive_entry_size(from);

	if (!name || !*name)
		return err_set(err, TEU_E_CORRUPT, "a tar entry without a name");
	if (kind_of(from, &to->kind) < 0)
		return err_set(err, TEU_E_CORRUPT, "tar entry %.200s is of an unknown kind", name);
	/* The last id means "none" to chown(2). */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(err, TEU_E_CORRUPT, "tar entry %.200s has an owner that can't be", name);
	if (size < 0)
		return err_set(err, TEU_E_CORRUPT, "tar entry %.200s has a negative size", name);
	to->name = name;
	to->link = to->kind == TAR_HARDLINK  ? la.archive_entry_hardlink(from)
		   : to->kind == TAR_SYMLINK ? la.archive_entry_symlink(from)
					     : NULL;
	if (!to->link && (to->kind == TAR_SYMLINK || to->kind == TAR_HARDLINK))
		return err_set(err, TEU_E_CORRUPT, "tar entry %.200s is a link to nothing", name);
	to->mode = la.archive_entry_mode(from) & 07777;
	to->uid = (uid_t)uid;
	to->gid = (gid_t)gid;
	to->size = to->kind == TAR_FILE ? (uint64_t)size : 0;
	to->mtime = stamp(la.archive_entry_mtime(from), la.archive_entry_mtime_nsec(from),
			  la.archive_entry_mtime_is_set(from));
	to->atime = stamp(la.archive_entry_atime(from), la.archive_entry_atime_nsec(from),
			  la.archive_entry_atime_is_set(from));
	to->major = (uint32_t)la.archive_entry_rdevmajor(from);
	to->minor = (uint32_t)la.archive_entry_rdevminor(from);
	return 0;
}

int tar_reader_data(struct tar_reader *reader, const void **ret_bytes, size_t *ret_len, uint64_t *ret_offset,
		    teu_error **err)
{
	la_int64_t offset = 0;
	int r;

	reader->taken = 0;
	r = reader->has_data ? la.archive_read_data_block(reader->archive, ret_bytes, ret_len, &offset) : ARCHIVE_EOF;
	if (r == ARCHIVE_EOF) {
		reader->has_data = false;
		return 0;
	}
	if (r != ARCHIVE_OK)
		return reader_error(reader, err);
	if (offset < 0)
		return err_set(err, TEU_E_CORRUPT, "a tar entry has data at a negative offset");
	*ret_offset = (uint64_t)offset;
	return 1;
}

/* What nobody read, in steps, for libarchive would take it in one call. */
static int skip_data(struct tar_reader *reader, teu_error **err)
{
	const void *bytes;
	uint64_t offset;
	size_t len;
	int r;

	while ((r = tar_reader_data(reader, &bytes, &len, &offset, err)) > 0)
		;
	return r;
}

int tar_reader_next(struct tar_reader *reader, struct tar_entry *ret, teu_error **err)
{
	BYTES_SCOPE;
	int r = open_once(reader, err);

	if (r == 0)
		r = skip_data(reader, err);
	if (r < 0 || reader->ended)
		return r;
	reader->taken = 0;
	r = la.archive_read_next_header(reader->archive, &reader->entry);
	reader->ended = r == ARCHIVE_EOF && !reader->failed;
	if (reader->ended)
		return 0;
	/* A warning is about names it could not translate, which is as wanted. */
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return reader_error(reader, err);
	r = convert(reader->entry, ret, err);
	if (r < 0)
		return r;
	reader->has_data = true;
	la.archive_entry_xattr_reset(reader->entry);
	return 1;
}

int tar_reader_xattr(struct tar_reader *reader, const char **ret_name, const void **ret_value, size_t *ret_len)
{
	return la.archive_entry_xattr_next(reader->entry, ret_name, ret_value, ret_len) == ARCHIVE_OK;
}

void tar_reader_free(struct tar_reader *reader)
{
	if (!reader)
		return;
	if (reader->archive)
		la.archive_read_free(reader->archive);
	teu_error_unref(reader->error);
	free(reader);
}

struct tar_writer {
	tar_write_cb write;
	void *data;
	struct archive *archive; /* owned */
	int failed;		 /* what the callback returned, and its error */
	teu_error *error;
	bool closing; /* what is still to be written is not wanted */
};

/*
 * libarchive leaks its buffer after an error of the callback (3.6), so it gets to see none before it is closed: our
 * functions look at writer->failed after each call.
 */
static la_ssize_t write_piece(struct archive *archive, void *data, const void *bytes, size_t len)
{
	struct tar_writer *writer = data;

	(void)archive;
	if (writer->closing)
		return -1;
	if (!writer->failed)
		writer->failed = writer->write(writer->data, bytes, len, &writer->error);
	return (la_ssize_t)len;
}

static int writer_failed(struct tar_writer *writer, teu_error **err)
{
	if (writer->failed && err && !*err)
		*err = TAKE_PTR(writer->error);
	return writer->failed;
}

static int writer_error(struct tar_writer *writer, const char *doing, teu_error **err)
{
	const char *text = la.archive_error_string(writer->archive);

	return err_set(err, TEU_E_SYSTEM, "%s (%s)", doing, text ? text : "no reason given");
}

int tar_writer_new(tar_write_cb write, void *data, struct tar_writer **ret, teu_error **err)
{
	_cleanup_(tar_writer_freep) struct tar_writer *writer = NULL;
	int r = library_open(&libarchive, err);

	if (r < 0)
		return r;
	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return err_oom(err);
	writer->write = write;
	writer->data = data;
	writer->archive = la.archive_write_new();
	if (!writer->archive)
		return err_oom(err);
	la.archive_write_set_format_pax_restricted(writer->archive);
	la.archive_write_set_bytes_per_block(writer->archive, 64 * 1024);
	if (la.archive_write_open(writer->archive, writer, NULL, write_piece, NULL) != ARCHIVE_OK)
		return writer_error(writer, "begin a tar archive", err);
	*ret = TAKE_PTR(writer);
	return 0;
}

static mode_t type_of(enum tar_kind kind)
{
	switch (kind) {
	case TAR_DIR:
		return S_IFDIR;
	case TAR_SYMLINK:
		return S_IFLNK;
	case TAR_CHAR:
		return S_IFCHR;
	case TAR_BLOCK:
		return S_IFBLK;
	case TAR_FIFO:
		return S_IFIFO;
	default:
		return S_IFREG;
	}
}

int tar_writer_add(struct tar_writer *writer, const struct tar_entry *entry, teu_error **err)
{
	BYTES_SCOPE;
	struct archive_entry *to = la.archive_entry_new();
	int r;

	if (!to)
		return err_oom(err);
	la.archive_entry_set_pathname(to, entry->name);
	la.archive_entry_set_mode(to, type_of(entry->kind) | entry->mode);
	la.archive_entry_set_uid(to, entry->uid);
	la.archive_entry_set_gid(to, entry->gid);
	la.archive_entry_set_size(to, entry->kind == TAR_FILE ? (la_int64_t)entry->size : 0);
	if (entry->mtime.tv_nsec != UTIME_OMIT)
		la.archive_entry_set_mtime(to, entry->mtime.tv_sec, entry->mtime.tv_nsec);
	if (entry->kind == TAR_SYMLINK)
		la.archive_entry_set_symlink(to, entry->link);
	if (entry->kind == TAR_HARDLINK)
		la.archive_entry_set_hardlink(to, entry->link);
	if (entry->kind == TAR_CHAR || entry->kind == TAR_BLOCK) {
		la.archive_entry_set_rdevmajor(to, entry->major);
		la.archive_entry_set_rdevminor(to, entry->minor);
	}
	r = la.archive_write_header(writer->archive, to);
	la.archive_entry_free(to);
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return writer_error(writer, entry->name, err);
	return writer_failed(writer, err);
}

int tar_writer_data(struct tar_writer *writer, const void *bytes, size_t len, teu_error **err)
{
	const char *at = bytes;

	while (len) {
		la_ssize_t n = la.archive_write_data(writer->archive, at, len);

		if (n < 0)
			return writer_error(writer, "write to a tar archive", err);
		if (n == 0)
			return err_set(err, TEU_E_SYSTEM, "more bytes than the tar entry was said to have");
		if (writer->failed)
			break;
		at += n;
		len -= (size_t)n;
	}
	return writer_failed(writer, err);
}

int tar_writer_finish(struct tar_writer *writer, teu_error **err)
{
	if (la.archive_write_close(writer->archive) != ARCHIVE_OK)
		return writer_error(writer, "end a tar archive", err);
	return writer_failed(writer, err);
}

void tar_writer_free(struct tar_writer *writer)
{
	if (!writer)
		return;
	writer->closing = true;
	if (writer->archive)
		la.archive_write_free(writer->archive);
	teu_error_unref(writer->error);
	free(writer);
}
