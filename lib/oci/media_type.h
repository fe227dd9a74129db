/* media_type: what a document or blob says it is. Source: image-spec media-types.md, with its table of Docker's
 * equivalents. */
#ifndef TEU_OCI_MEDIA_TYPE_H
#define TEU_OCI_MEDIA_TYPE_H

#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

enum media_kind {
	MEDIA_UNKNOWN, /* another artifact, or no type given */
	MEDIA_MANIFEST,
	MEDIA_INDEX,
	MEDIA_CONFIG,
	MEDIA_LAYER,	     /* plain, gzip or zstd: the blob's first bytes tell */
	MEDIA_FOREIGN_LAYER, /* Windows base layers that may not be distributed: refused */
	MEDIA_SCHEMA1,	     /* Docker's signed manifests of before 2016: refused */
};

/* Parameters ("; charset=utf-8") are passed over; NULL is MEDIA_UNKNOWN. */
enum media_kind media_kind_of(const char *media_type);

#endif
