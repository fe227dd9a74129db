/* spec: a record becomes an OCI runtime spec. Source: runtime-spec 1.1, config.md and config-linux.md. */
#include "engine/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "engine/spec_parts.h"

static void spec_done(struct spec *s)
{
	json_free(s->spec);
}

static int add_root(struct spec *s, teu_error **err)
{
	json *root = json_add_object(s->spec, "root");
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/containers/%s/rootfs", s->engine->store.root, s->id) < 0)
		path = NULL;
	if (!path || !json_add_string(root, "path", path) ||
	    !json_add_bool(root, "readonly", json_get_truth(s->host, "ReadonlyRootfs", false)))
		return err_oom(err);
	return 0;
}

static int add_cgroup_path(struct spec *s, teu_error **err)
{
	const char *parent = json_get_text(s->host, "CgroupParent", "");
	_cleanup_free_ char *text = NULL, *clean = NULL;

	if (!*parent)
		parent = s->engine->cgroup_parent;
	if (asprintf(&text, "/%s/%s", parent, s->id) < 0)
		return err_oom(err);
	clean = path_clean(text);
	if (!clean || !json_add_string(s->platform, "cgroupsPath", clean))
		return err_oom(err);
	return 0;
}

/* Ours begin with "teu.": nobody may smuggle one in. */
static int add_annotations(struct spec *s, teu_error **err)
{
	json_foreach_member (one, json_get(s->host, "Annotations")) {
		if (strncmp(json_key(one), "teu.", 4) == 0)
			return json_field_error(err, "HostConfig.Annotations", json_key(one),
						"the prefix \"teu.\" is reserved");
		if (!json_add_string(s->annotations, json_key(one), json_text(one, "")))
			return err_oom(err);
	}
	if (json_get_truth(s->host, "Init", false) && !json_add_string(s->annotations, "teu.init", "true"))
		return err_oom(err);
	return 0;
}

int spec_build(teu_engine *engine, const json *record, json **ret_spec, teu_error **err)
{
	static int (*const parts[])(struct spec * s, teu_error * *err) = {
		add_root,	 add_annotations, add_cgroup_path, spec_process, spec_security,
		spec_namespaces, spec_mounts,	  spec_resources,  spec_devices,
	};
	_cleanup_(spec_done) struct spec s = { .engine = engine, .record = record };
	int r = 0;

	s.id = json_get_text(record, "Id", "");
	s.config = json_get(record, "Config");
	s.host = json_get(record, "HostConfig");
	s.privileged = json_get_truth(s.host, "Privileged", false);
	s.spec = json_object();
	if (!json_add_string(s.spec, "ociVersion", "1.1.0"))
		return err_oom(err);
	s.process = json_add_object(s.spec, "process");
	s.platform = json_add_object(s.spec, "linux");
	s.annotations = json_add_object(s.spec, "annotations");
	if (!s.process || !s.platform || !s.annotations)
		return err_oom(err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](&s, err);
	if (r == 0)
		*ret_spec = TAKE_PTR(s.spec);
	return r;
}
