/* document: is this JSON a manifest or an index? */
#include "oci/document.h"

static int refuse_other(const json *document, enum media_kind said, enum media_kind told, teu_error **err)
{
	if (said == MEDIA_SCHEMA1 || told == MEDIA_SCHEMA1 || json_get_number(document, "schemaVersion", 0) == 1)
		return err_set(
			err, TEU_E_UNSUPPORTED,
			"Docker image manifest schema 1 is not supported: push the image anew with a current tool");
	return err_set(err, TEU_E_UNSUPPORTED, "neither an image manifest nor an image index");
}

int document_kind(const json *document, const char *content_type, enum media_kind *ret, teu_error **err)
{
	const char *media_type = NULL;
	bool manifest, index;
	enum media_kind said, told = media_kind_of(content_type), shape;
	int r;

	if (!json_is_object(document))
		return err_set(err, TEU_E_CORRUPT, "not a JSON object");
	r = json_read_string(document, "", "mediaType", &media_type, err);
	if (r < 0)
		return r;
	said = media_kind_of(media_type);
	manifest = json_get(document, "config") || json_get(document, "layers");
	index = json_get(document, "manifests");
	if (manifest && index)
		return err_set(err, TEU_E_CORRUPT, "the document is a manifest and an index at once");
	if (!manifest && !index)
		return refuse_other(document, said, told, err);
	if (json_get_number(document, "schemaVersion", 2) != 2)
		return refuse_other(document, said, told, err);
	shape = manifest ? MEDIA_MANIFEST : MEDIA_INDEX;
	if ((media_type && said != shape) || (told != MEDIA_UNKNOWN && told != shape))
		return err_set(err, TEU_E_CORRUPT, "the document has the shape of an image %s but is called %s",
			       manifest ? "manifest" : "index",
			       media_type && said != shape ? media_type : content_type);
	*ret = shape;
	return 0;
}
