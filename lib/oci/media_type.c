/* media_type: what a document or blob says it is. */
#include "oci/media_type.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *type;
	enum media_kind kind;
} types[] = {
	{ MEDIA_OCI_MANIFEST, MEDIA_MANIFEST },
	{ MEDIA_DOCKER_MANIFEST, MEDIA_MANIFEST },
	{ MEDIA_OCI_INDEX, MEDIA_INDEX },
	{ MEDIA_DOCKER_LIST, MEDIA_INDEX },
	{ MEDIA_OCI_CONFIG, MEDIA_CONFIG },
	{ MEDIA_DOCKER_CONFIG, MEDIA_CONFIG },
	{ MEDIA_OCI_LAYER, MEDIA_LAYER },
	{ MEDIA_OCI_LAYER_GZIP, MEDIA_LAYER },
	{ MEDIA_OCI_LAYER_ZSTD, MEDIA_LAYER },
	{ MEDIA_DOCKER_LAYER, MEDIA_LAYER },
	{ MEDIA_DOCKER_LAYER_GZIP, MEDIA_LAYER },
	/* docker's containerd store writes zstd layers under this name. */
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_FOREIGN_LAYER },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_FOREIGN_LAYER },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_FOREIGN_LAYER },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_FOREIGN_LAYER },
	{ "application/vnd.docker.distribution.manifest.v1+json", MEDIA_SCHEMA1 },
	{ "application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_SCHEMA1 },
};

enum media_kind media_kind_of(const char *media_type)
{
	size_t len;

	if (!media_type)
		return MEDIA_UNKNOWN;
	len = strcspn(media_type, "; \t");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].type) == len && strncasecmp(types[i].type, media_type, len) == 0)
			return types[i].kind;
	return MEDIA_UNKNOWN;
}
