/* list: the states of containers as documents. */
#include "runtime/list.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/record.h"

int runtime_state(teu_runtime *rt, const char *id, json **ret, teu_error **err)
{
	_cleanup_(record_done) struct record rec = RECORD_INIT;
	enum status status;
	int r = record_open(rt, id, false, &rec, err);

	if (r == 0)
		r = record_status(&rec, &status, err);
	if (r < 0)
		return r;
	*ret = record_state(&rec, status_name(status), status == STATUS_STOPPED ? 0 : rec.pid);
	return *ret ? 0 : err_oom(err);
}

/* scandir(3) would read by path: the folder's descriptor is opened anew, as fdopendir() takes one over. */
static int read_ids(teu_runtime *rt, struct strv *ret, teu_error **err)
{
	int fd = openat(rt->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		cleanup_close(&fd);
		return err_errno(err, errno, "read %s", rt->root);
	}
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		if (*e->d_name != '.')
			strv_add(ret, e->d_name);
	return ret->oom ? err_oom(err) : 0;
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* One that is being made or taken away is none, nor is another user's or a broken one; what can't be read for want of
 * descriptors or memory must not be left out. */
static int add_state(teu_runtime *rt, const char *id, json *list, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	json *state;
	int r = runtime_state(rt, id, &state, &why);

	if (r == TEU_E_SYSTEM || r == TEU_E_NO_MEMORY)
		return err_pass(err, r, &why);
	return r == 0 && !json_append(list, state) ? err_oom(err) : 0;
}

int runtime_list(teu_runtime *rt, json **ret, teu_error **err)
{
	_cleanup_(strv_done) struct strv ids = STRV_INIT;
	_cleanup_json_ json *list = json_array();
	int r = read_ids(rt, &ids, err);

	if (r < 0)
		return r;
	if (ids.n)
		qsort(ids.items, ids.n, sizeof(*ids.items), by_name);
	strv_foreach (id, &ids) {
		r = add_state(rt, *id, list, err);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(list);
	return *ret ? 0 : err_oom(err);
}
