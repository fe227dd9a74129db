/* descriptor: media type, digest and size of a blob. */
#include "oci/descriptor.h"

#include <stdio.h>
#include <string.h>

#include "oci/digest.h"

int descriptor_read(const json *object, const char *where, struct descriptor *ret, teu_error **err)
{
	const char *media_type = "", *digest = NULL;
	char place[96];
	int64_t size = -1;
	int r;

	if (!json_is_object(object))
		return json_field_error(err, where, "", "expected a descriptor");
	r = json_read_string(object, where, "mediaType", &media_type, err);
	if (r == 0)
		r = json_read_string(object, where, "digest", &digest, err);
	if (r == 0)
		r = json_read_int(object, where, "size", &size, err);
	if (r < 0)
		return r;
	snprintf(place, sizeof(place), "%s.digest", where);
	r = digest_check(digest, place, err);
	if (r < 0)
		return r;
	if (size < 0)
		return json_field_error(err, where, "size", "missing or negative");
	*ret = (struct descriptor){ strdup(media_type), strdup(digest), (uint64_t)size };
	if (!ret->media_type || !ret->digest) {
		descriptor_done(ret);
		return err_oom(err);
	}
	return 0;
}

void descriptor_done(struct descriptor *d)
{
	free(d->media_type);
	free(d->digest);
	*d = (struct descriptor){ 0 };
}

json *descriptor_json(const char *media_type, const char *digest, uint64_t size)
{
	_cleanup_json_ json *object = json_object();

	if (!json_add_string(object, "mediaType", media_type) || !json_add_string(object, "digest", digest) ||
	    !json_add_int(object, "size", (int64_t)size))
		return NULL;
	return TAKE_PTR(object);
}
