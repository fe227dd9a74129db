/* spec_process: what runs, as whom and with which environment. Source: runtime-spec config.md, "Process". */
#include "engine/spec_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/strbuf.h"

static int add_args(struct spec *s, teu_error **err)
{
	static const char *const from[] = { "Entrypoint", "Cmd" };
	json *args = json_add_array(s->process, "args");

	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		json_foreach (word, json_get(s->config, from[i]))
			if (!json_append_string(args, json_text(word, "")))
				return err_oom(err);
	return args ? 0 : err_oom(err);
}

/* HOME follows from the user, whom only the launch can look up. */
static int add_env(struct spec *s, teu_error **err)
{
	_cleanup_(strv_done) struct strv env = STRV_INIT;

	strv_add(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_addf(&env, "HOSTNAME=%s", json_get_text(s->config, "Hostname", ""));
	if (json_get_truth(s->config, "Tty", false))
		strv_add(&env, "TERM=xterm");
	json_foreach (pair, json_get(s->config, "Env"))
		strv_setenv(&env, json_text(pair, ""));
	if (env.oom || !json_add(s->process, "env", json_strings(env.items)))
		return err_oom(err);
	return 0;
}

/* Names are looked up in the container's own files at launch: numbers go into the spec, names into annotations. */
static int add_user(struct spec *s, teu_error **err)
{
	const char *user = json_get_text(s->config, "User", "");
	json *ids = json_add_object(s->process, "user"), *gids = NULL;
	_cleanup_(strbuf_done) struct strbuf names = STRBUF_INIT;

	if (!json_add_int(ids, "uid", 0) || !json_add_int(ids, "gid", 0))
		return err_oom(err);
	if (!json_add_string(s->annotations, "teu.user", *user ? user : "0"))
		return err_oom(err);
	json_foreach (group, json_get(s->host, "GroupAdd")) {
		const char *text = json_text(group, "");
		uint32_t gid;

		if (!*text || strchr(text, ','))
			return json_field_error(err, "HostConfig", "GroupAdd", "\"%s\" is not a group", text);
		if (!parse_u32(text, &gid)) {
			strbuf_addf(&names, "%s%s", names.len ? "," : "", text);
			continue;
		}
		if (!gids)
			gids = json_add_array(ids, "additionalGids");
		if (!json_append(gids, json_int(gid)))
			return err_oom(err);
	}
	if (names.oom || (names.len && !json_add_string(s->annotations, "teu.groups", names.text)))
		return err_oom(err);
	return 0;
}

static int add_terminal(struct spec *s, teu_error **err)
{
	const json *size = json_get(s->host, "ConsoleSize"), *rows = json_first(size);
	int64_t height = json_number(rows, 0), width = rows ? json_number(json_next(rows), 0) : 0;
	json *console;

	if (!json_add_bool(s->process, "terminal", json_get_truth(s->config, "Tty", false)))
		return err_oom(err);
	if (height <= 0 || width <= 0 || height > UINT16_MAX || width > UINT16_MAX)
		return 0;
	console = json_add_object(s->process, "consoleSize");
	return json_add_int(console, "height", height) && json_add_int(console, "width", width) ? 0 : err_oom(err);
}

static bool rlimit_known(const char *name)
{
	static const char *const names[] = { "core",	 "cpu",	       "data",	 "fsize", "locks", "memlock",
					     "msgqueue", "nice",       "nofile", "nproc", "rss",   "rtprio",
					     "rttime",	 "sigpending", "stack",	 "as" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static int add_rlimit(const json *ulimit, const char *where, json *list, teu_error **err)
{
	const char *name = "";
	int64_t soft = 0, hard = 0;
	char type[32] = "RLIMIT_";
	size_t len;
	json *one;
	int r = json_read_string(ulimit, where, "Name", &name, err);

	if (r == 0)
		r = json_read_int(ulimit, where, "Soft", &soft, err);
	if (r == 0)
		r = json_read_int(ulimit, where, "Hard", &hard, err);
	if (r < 0)
		return r;
	if (!rlimit_known(name))
		return json_field_error(err, where, "Name", "invalid ulimit type: %s", name);
	if (soft < -1 || hard < -1)
		return json_field_error(err, where, "", "ulimit %s: a limit is 0 or more, or -1 for none", name);
	if (hard != -1 && (soft == -1 || soft > hard))
		return json_field_error(err, where, "Soft",
					"ulimit %s: soft limit must be less than or equal to hard limit: %lld > %lld",
					name, (long long)soft, (long long)hard);
	len = strlen(type);
	for (; *name; name++)
		type[len++] = (char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
	one = json_append_object(list);
	/* No limit is RLIM_INFINITY there, which a JSON number of ours can't hold: the largest that it can stands for
	 * it. */
	if (!json_add_string(one, "type", type) || !json_add_int(one, "soft", soft == -1 ? INT64_MAX : soft) ||
	    !json_add_int(one, "hard", hard == -1 ? INT64_MAX : hard))
		return err_oom(err);
	return 0;
}

static int add_rlimits(struct spec *s, teu_error **err)
{
	const json *ulimits = json_get(s->host, "Ulimits");
	json *list;
	size_t i = 0;

	if (!json_count(ulimits))
		return 0;
	list = json_add_array(s->process, "rlimits");
	json_foreach (ulimit, ulimits) {
		char where[48];
		int r;

		snprintf(where, sizeof(where), "HostConfig.Ulimits[%zu]", i++);
		r = add_rlimit(ulimit, where, list, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_oom_score(struct spec *s, teu_error **err)
{
	int64_t score = json_get_number(s->host, "OomScoreAdj", 0);

	if (score < -1000 || score > 1000)
		return json_field_error(err, "HostConfig", "OomScoreAdj",
					"invalid value %lld: range for the oom score is -1000 to 1000",
					(long long)score);
	return !score || json_add_int(s->process, "oomScoreAdj", score) ? 0 : err_oom(err);
}

int spec_process(struct spec *s, teu_error **err)
{
	const char *cwd = json_get_text(s->config, "WorkingDir", "");
	int r = add_args(s, err);

	if (r == 0)
		r = add_env(s, err);
	if (r == 0 && !json_add_string(s->process, "cwd", *cwd ? cwd : "/"))
		r = err_oom(err);
	if (r == 0)
		r = add_user(s, err);
	if (r == 0)
		r = add_terminal(s, err);
	if (r == 0)
		r = add_rlimits(s, err);
	if (r == 0)
		r = add_oom_score(s, err);
	return r;
}
