/* bundle: a folder with a config.json, read. Source: runtime-spec bundle.md; config.md "Root". */
#include "runtime/bundle.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"

static int read_config(int dir_fd, const char *name, const char *shown, struct bundle *b, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = fd_read_file(dir_fd, name, JSON_MAX_SIZE, &text, &len, err);

	if (r == TEU_E_NOT_FOUND)
		return err_wrap(err, r, "JSON specification file %s not found", shown);
	return r == 0 ? json_parse_given(text, len, shown, &b->spec, err) : r;
}

int bundle_check(struct bundle *b, struct check *ret, teu_error **err)
{
	int r = 0;

	check_config(b->spec, CHECK_LAUNCH, ret);
	if (ret->respelled) {
		check_done(ret);
		r = check_respell_config(b->spec, err);
		if (r == 0)
			check_config(b->spec, CHECK_LAUNCH, ret);
	}
	return r < 0 ? r : check_result(ret, err);
}

int bundle_note_text(struct bundle *b, teu_error **err)
{
	b->text = json_print(b->spec);
	return b->text ? 0 : err_oom(err);
}

int bundle_find_rootfs(struct bundle *b, teu_error **err)
{
	json *root = json_get_mutable(b->spec, "root");
	_cleanup_free_ char *joined = NULL;
	const char *path = NULL;
	int r = json_read_string(root, "root", "path", &path, err);

	if (r < 0)
		return r;
	if (!root)
		return json_field_error(err, "", "root", "is missing");
	if (!path || !*path)
		return json_field_error(err, "root", "path", "is missing");
	if (*path != '/' && asprintf(&joined, "%s/%s", b->path, path) < 0)
		return err_oom(err);
	b->rootfs = realpath(joined ? joined : path, NULL);
	if (!b->rootfs)
		return err_errno(err, errno, "root.path: open %s", joined ? joined : path);
	return json_add_string(root, "path", b->rootfs) ? 0 : err_oom(err);
}

int bundle_open(const char *path, const char *config, struct bundle *b, teu_error **err)
{
	_cleanup_close_ int dir = -EBADF;

	b->path = realpath(path && *path ? path : ".", NULL);
	if (!b->path)
		return err_errno(err, errno, "open the bundle %s", path ? path : ".");
	dir = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, errno, "open the bundle %s", b->path);
	return read_config(config ? AT_FDCWD : dir, config ? config : "config.json", config ? config : "config.json", b,
			   err);
}

void bundle_done(struct bundle *b)
{
	free(b->path);
	free(b->text);
	free(b->rootfs);
	json_free(b->spec);
	*b = (struct bundle){ 0 };
}

int bundle_reopen(int dir_fd, json **ret_spec, teu_error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = fd_read_file(dir_fd, "config.json", JSON_MAX_SIZE, &text, &len, err);

	return r < 0 ? r : json_parse(text, len, ret_spec, err);
}
