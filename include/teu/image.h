/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image: the image store; pull, import, load, save, tag, list, inspect, remove. */
#ifndef TEU_IMAGE_H
#define TEU_IMAGE_H

#include <teu/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One image as it was when asked for; never changes, so threads share it. */
typedef struct teu_image teu_image;
typedef struct teu_image_list teu_image_list;

typedef struct teu_pull_options {
	size_t size;		/* set by teu_pull_options_init() */
	const char *platform;	/* "os/arch[/variant]"; NULL: this host's */
	int64_t timeout_ms;	/* for the whole pull; 0: none */
	int insecure;		/* plain HTTP, or a certificate nobody signed, for this host; loopback may always speak plain HTTP */
	const char *ca_file;	/* PEM, trusted besides the system's; NULL: none */
	const char *username;	/* NULL: from the credentials file, or anonymous */
	const char *password;
	const char *auth_file;	/* Docker's config.json; NULL: $DOCKER_CONFIG/config.json or ~/.docker/config.json */
	int32_t parallel;	/* layers under way at once; 0: 4 */
	uint64_t max_layer_size; /* unpacked bytes of one layer, refused beyond; 0: 64 GiB */
	teu_progress_cb progress; /* NULL: none */
	void *progress_data;
	teu_cancel *cancel;	/* borrowed; NULL: cannot be cancelled */
} teu_pull_options;

TEU_API void teu_pull_options_init(teu_pull_options *opts, size_t size);

/**
 * Fetches an image into the engine's store and names it @reference. Blocks.
 *
 * @reference: "[host[:port]/]path[:tag][@digest]"; no host means docker.io, no tag means "latest"
 * @opts: NULL for the defaults
 * @ret_image: the image, to be unreffed by the caller
 *
 * Blobs already stored are not fetched again; a broken transfer goes on from the bytes that are there. A failed pull leaves
 * the name as it was and keeps its whole blobs until the next sweep.
 *
 * Returns 0; TEU_E_INVALID, @reference or an option is malformed; TEU_E_NOT_FOUND, no such name or platform;
 * TEU_E_AUTH; TEU_E_NETWORK; TEU_E_TIMEOUT; TEU_E_CORRUPT, a blob differs from its descriptor; TEU_E_LIMIT; TEU_E_NO_SPACE;
 * TEU_E_CANCELLED. Source: distribution-spec, "Pull"; image-spec, manifest and image-index. Since: 0.1.
 */
TEU_API int teu_image_pull(teu_engine *engine, const char *reference, const teu_pull_options *opts, teu_image **ret_image,
			   teu_error **err);

typedef struct teu_import_options {
	size_t size;
	const char *changes_json; /* image config fields to set, as image-spec's "config" object: {"Cmd": ["sh"], …}; NULL: none */
	const char *message;	  /* for the history; NULL: "imported" */
	const char *platform;	  /* NULL: this host's */
	uint64_t max_layer_size;  /* 0: 64 GiB */
	teu_progress_cb progress;
	void *progress_data;
	teu_cancel *cancel;
} teu_import_options;

TEU_API void teu_import_options_init(teu_import_options *opts, size_t size);

/**
 * Makes an image with one layer from a tar of a root filesystem (plain, gzip or zstd), read from @fd to its end. Blocks.
 *
 * @reference: its name; NULL: none, the image is found by its id only
 *
 * Returns 0; TEU_E_INVALID; TEU_E_CORRUPT, not a tar, or a hostile one; TEU_E_LIMIT; TEU_E_NO_SPACE; TEU_E_CANCELLED. Since: 0.1.
 */
TEU_API int teu_image_import(teu_engine *engine, int fd, const char *reference, const teu_import_options *opts,
			     teu_image **ret_image, teu_error **err);

/** What teu_image_save() writes. */
enum teu_archive_format { TEU_ARCHIVE_DOCKER = 0, TEU_ARCHIVE_OCI = 1 };

typedef struct teu_save_options {
	size_t size;
	int32_t format; /* enum teu_archive_format: 0, what docker save writes; 1, a tar of an OCI image layout */
	teu_cancel *cancel;
} teu_save_options;

TEU_API void teu_save_options_init(teu_save_options *opts, size_t size);

/**
 * Writes the @n_names images named (or whose ids are given) in @names as one archive to @fd. Blocks.
 * Returns 0; TEU_E_NOT_FOUND; TEU_E_SYSTEM, @fd can't be written; TEU_E_CANCELLED.
 * Source: image-spec image-layout.md; docker image-archive "manifest.json". Since: 0.1.
 */
TEU_API int teu_image_save(teu_engine *engine, const char *const *names, size_t n_names, int fd, const teu_save_options *opts,
			   teu_error **err);

typedef struct teu_load_options {
	size_t size;
	const char *platform; /* of an index that has several; NULL: this host's */
	uint64_t max_layer_size; /* 0: 64 GiB */
	teu_progress_cb progress;
	void *progress_data;
	teu_cancel *cancel;
} teu_load_options;

TEU_API void teu_load_options_init(teu_load_options *opts, size_t size);

/**
 * Reads an OCI archive or a docker-archive (plain, gzip or zstd) from @fd and stores its images under their names. Blocks.
 * Returns 0; TEU_E_CORRUPT; TEU_E_LIMIT; TEU_E_NO_SPACE; TEU_E_CANCELLED. Since: 0.1.
 */
TEU_API int teu_image_load(teu_engine *engine, int fd, const teu_load_options *opts, teu_image_list **ret_images, teu_error **err);

/**
 * The image called @name: a reference, or its id ("sha256:…") or a prefix of it that no other has (at least 4 digits).
 * Returns 0; TEU_E_INVALID; TEU_E_NOT_FOUND; TEU_E_CONFLICT, the prefix fits several. Since: 0.1.
 */
TEU_API int teu_image_find(teu_engine *engine, const char *name, teu_image **ret_image, teu_error **err);

/** All images, newest first, one entry an image (with all its names). Since: 0.1. */
TEU_API int teu_image_list_all(teu_engine *engine, teu_image_list **ret_images, teu_error **err);
TEU_API size_t teu_image_list_count(const teu_image_list *images);
/** Borrowed; NULL when @i is past the end. */
TEU_API teu_image *teu_image_list_get(const teu_image_list *images, size_t i);
TEU_API teu_image_list *teu_image_list_ref(teu_image_list *images);
TEU_API void teu_image_list_unref(teu_image_list *images);

/** Gives the image called @name the further name @reference; an image that had it loses it. Since: 0.1. */
TEU_API int teu_image_tag(teu_engine *engine, const char *name, const char *reference, teu_error **err);

typedef struct teu_image_remove_options {
	size_t size;
	int force; /* also an image that has several names (by id), or that stopped containers use */
} teu_image_remove_options;

TEU_API void teu_image_remove_options_init(teu_image_remove_options *opts, size_t size);

/**
 * Takes the name @name away; with its last name the image goes, and with its last image each layer and blob.
 *
 * @ret_removed: JSON as Docker's API gives it, [{"Untagged": "…"}, {"Deleted": "sha256:…"}]; may be NULL
 *
 * Returns 0; TEU_E_NOT_FOUND; TEU_E_CONFLICT, a container uses it, or an id with several names. Since: 0.1.
 */
TEU_API int teu_image_remove(teu_engine *engine, const char *name, const teu_image_remove_options *opts, char **ret_removed,
			     teu_error **err);

/** "sha256:…", the digest of the image's config document. */
TEU_API const char *teu_image_id(const teu_image *image);
/** The digest of its manifest, "sha256:…". */
TEU_API const char *teu_image_digest(const teu_image *image);
/** Number of names, and each of them: "docker.io/library/busybox:latest"; NULL past the end. */
TEU_API size_t teu_image_name_count(const teu_image *image);
TEU_API const char *teu_image_name(const teu_image *image, size_t i);
/** The bytes of its layers, unpacked. */
TEU_API uint64_t teu_image_size(const teu_image *image);
/** When it was made, by its own word; 0: it doesn't say. */
TEU_API int64_t teu_image_created(const teu_image *image);

/** Docker's image inspect document (one object, not a list), for teu_free(). Since: 0.1. */
TEU_API int teu_image_inspect(teu_image *image, char **ret_json, teu_error **err);

TEU_API teu_image *teu_image_ref(teu_image *image);
TEU_API void teu_image_unref(teu_image *image);

/** "docker.io/library/busybox:latest" -> "busybox:latest": as people write it; for teu_free(). Since: 0.1. */
TEU_API int teu_reference_familiar(const char *reference, char **ret_text, teu_error **err);
/** "busybox" -> "docker.io/library/busybox:latest". TEU_E_INVALID names what is wrong. Since: 0.1. */
TEU_API int teu_reference_normalize(const char *reference, char **ret_text, teu_error **err);

#ifndef TEU_NO_MACROS /* for generators of bindings */
#define teu_pull_options_init(opts) teu_pull_options_init((opts), sizeof(*(opts)))
#define teu_import_options_init(opts) teu_import_options_init((opts), sizeof(*(opts)))
#define teu_save_options_init(opts) teu_save_options_init((opts), sizeof(*(opts)))
#define teu_load_options_init(opts) teu_load_options_init((opts), sizeof(*(opts)))
#define teu_image_remove_options_init(opts) teu_image_remove_options_init((opts), sizeof(*(opts)))
#endif

#ifdef __cplusplus
}
#endif

#endif
