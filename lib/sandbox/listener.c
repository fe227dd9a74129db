/*
 * listener: the document that goes with a filter's descriptor to who answers for SCMP_ACT_NOTIFY. Source: runtime-spec
 * config-linux.md, "The Container Process State".
 */
#include <stdio.h>
#include <string.h>

#include "sandbox/compile.h"

bool listener_wanted(const json *spec)
{
	json_foreach (rule, json_find(spec, "linux.seccomp.syscalls"))
		if (strcmp(json_get_text(rule, "action", ""), "SCMP_ACT_NOTIFY") == 0)
			return true;
	return false;
}

/* The text of @document up to its @cut, and *ret_rest behind it; NULL: no memory. */
static char *cut_text(const json *document, const char *cut, char **ret_rest)
{
	char *text = document ? json_print(document) : NULL, *at = text ? strstr(text, cut) : NULL;

	if (!at || !(*ret_rest = strdup(at + strlen(cut)))) {
		free(text);
		return NULL;
	}
	*at = '\0';
	return text;
}

static json *make_document(const struct launch *l, const char *metadata)
{
	_cleanup_json_ json *o = json_object();
	json *fds;

	if (!json_add_string(o, "ociVersion", json_get_text(l->spec, "ociVersion", "1.2.0")))
		return NULL;
	fds = json_add_array(o, "fds");
	if (!json_append_string(fds, "seccompFd") || !json_add_int(o, "pid", 0))
		return NULL;
	if (*metadata && !json_add_string(o, "metadata", metadata))
		return NULL;
	return json_add_bool(o, "state", false) ? TAKE_PTR(o) : NULL;
}

/* What is known of a container without a state of its own (the engine's). */
static bool default_state(const struct launch *l, struct strbuf *head, struct strbuf *tail)
{
	_cleanup_json_ json *o = json_object();
	_cleanup_free_ char *before = NULL, *behind = NULL;

	if (!json_add_string(o, "ociVersion", json_get_text(l->spec, "ociVersion", "1.2.0")) ||
	    !json_add_string(o, "id", l->id ? l->id : "") || !json_add_string(o, "status", "creating") ||
	    !json_add_int(o, "pid", 0) || !json_add_string(o, "bundle", ""))
		return false;
	before = cut_text(o, "0,\"bundle\"", &behind);
	if (!before)
		return false;
	strbuf_adds(head, before);
	strbuf_adds(tail, ",\"bundle\"");
	strbuf_adds(tail, behind);
	return true;
}

/* The state goes where "state":false stands, its own pid between @middle and @tail. */
static bool add_state(const struct launch *l, struct strbuf *middle, struct strbuf *tail)
{
	strbuf_adds(middle, "\"state\":");
	if (l->state) {
		strbuf_adds(middle, l->state);
	} else if (l->state_head) {
		strbuf_adds(middle, l->state_head);
		strbuf_adds(tail, l->state_tails[0]);
	} else if (!default_state(l, middle, tail)) {
		return false;
	}
	strbuf_adds(tail, "}");
	return !middle->oom && !tail->oom;
}

int compile_listener(const struct launch *l, struct plan *p, teu_error **err)
{
	static const char where[] = "linux.seccomp", cut[] = "\"pid\":0";
	_cleanup_(strbuf_done) struct strbuf head = STRBUF_INIT, middle = STRBUF_INIT, tail = STRBUF_INIT;
	const json *profile = json_find(l->spec, where);
	_cleanup_free_ char *begin = NULL, *rest = NULL;
	const char *path = "", *metadata = "";
	_cleanup_json_ json *document = NULL;
	struct plan_step *s;
	plan_off texts[4];
	int r;

	if (!listener_wanted(l->spec))
		return 0;
	r = json_read_string(profile, where, "listenerPath", &path, err);
	if (r == 0)
		r = json_read_string(profile, where, "listenerMetadata", &metadata, err);
	if (r < 0)
		return r;
	if (!*path)
		return json_field_error(err, where, "listenerPath", "is missing for SCMP_ACT_NOTIFY");
	document = make_document(l, metadata);
	begin = cut_text(document, cut, &rest);
	if (!begin)
		return err_oom(err);
	strbuf_addf(&head, "%s\"pid\":", begin);
	/* ,"metadata":…,"state":false} without its end */
	strbuf_add(&middle, rest, strlen(rest) - strlen("\"state\":false}"));
	if (!add_state(l, &middle, &tail) || head.oom)
		return err_oom(err);
	texts[0] = plan_text_add(p, path);
	texts[1] = plan_text_add(p, head.text);
	texts[2] = plan_text_add(p, middle.text);
	texts[3] = plan_text_add(p, tail.text);
	s = plan_step(p, PLAN_BORN, OP_LISTENER, "linux.seccomp.listenerPath");
	s->t1 = texts[0];
	s->t2 = texts[1];
	s->t3 = texts[2];
	s->t4 = texts[3];
	s->n1 = !l->state;
	return 0;
}
