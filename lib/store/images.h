/*
 * images: index.json: which manifests are kept, and under which names. A row is one name of one image; an image that
 * lost its names has one row without. Source: image-spec image-layout.md, "index.json File"; annotations.md.
 */
#ifndef TEU_STORE_IMAGES_H
#define TEU_STORE_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "store/store.h"

struct image_row {
	char *name;	/* normalized reference, owned as are the others; NULL: none */
	char *manifest; /* digest */
	char *id;	/* digest of the config; NULL: its manifest can't be read */
	char *media_type;
	uint64_t size; /* of the manifest */
};

struct images {
	const struct store *store; /* borrowed */
	struct image_row *rows;	   /* owned */
	size_t n_rows;
	int lock_fd; /* the exclusive inventory lock, for who changes them; -EBADF: only read */
};

#define IMAGES_INIT                                                                                                    \
	(struct images)                                                                                                \
	{                                                                                                              \
		.lock_fd = -EBADF                                                                                      \
	}

/* A snapshot; takes no lock. TEU_E_CORRUPT. */
int images_read(const struct store *store, struct images *ret, teu_error **err);
/* For changing them: holds the exclusive inventory lock until images_done(). */
int images_begin(const struct store *store, struct images *ret, teu_error **err);
/* Writes and syncs them. */
int images_commit(struct images *images, teu_error **err);
void images_done(struct images *images);

/* The row of that name, or the first of that image id; NULL: none. Borrowed until the next change. */
const struct image_row *images_find(const struct images *images, const char *name);
const struct image_row *images_find_id(const struct images *images, const char *id);

/*
 * Gives @row's name (NULL: none) to its manifest; all is copied. An image that had the name keeps a row without one if
 * it has no other; one that gets its first name loses that row.
 */
int images_set(struct images *images, const struct image_row *row, teu_error **err);
/* Takes one name away, and the image with it if that was its last row. */
void images_remove(struct images *images, const char *name);
/* Takes all rows of an image away; one whose manifest can't be read has the manifest's digest for its id. */
void images_remove_id(struct images *images, const char *id);
/* As images_remove(), but the image stays without a name. */
int images_unname(struct images *images, const char *name, teu_error **err);

#endif
