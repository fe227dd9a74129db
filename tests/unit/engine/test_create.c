#include <fcntl.h>

#include "containers.h"

static json *record_of(const char *body)
{
	teu_error *err = NULL;
	json *record = NULL;
	int r = create_record_from(engine, body, &image, "web", &record, &err);

	ck_assert_msg(r == 0, "%s: %s", body, teu_error_message(err));
	return record;
}

/* One place of the record, as JSON text. */
static void check_field(const char *body, const char *place, const char *expected)
{
	json *record = record_of(body);
	const json *field = json_find(record, place);
	char *text = field ? json_print(field) : strdup("absent");

	ck_assert_msg(strcmp(text, expected) == 0, "%s: %s is %s, not %s", body, place, text, expected);
	free(text);
	json_free(record);
}

START_TEST(the_image_says_what_the_request_does_not)
{
	static const struct {
		const char *body, *place, *expected;
	} cases[] = {
		{ "{}", "Config.Cmd", "[\"serve\"]" },
		{ "{}", "Config.Entrypoint", "[\"/entry\"]" },
		{ "{\"Cmd\":[\"x\"]}", "Config.Cmd", "[\"x\"]" },
		{ "{\"Cmd\":[\"x\"]}", "Config.Entrypoint", "[\"/entry\"]" },
		{ "{\"Cmd\":\"x\"}", "Config.Cmd", "[\"x\"]" },
		{ "{\"Entrypoint\":[\"e\"]}", "Config.Cmd", "absent" },
		{ "{\"Entrypoint\":[\"e\"]}", "Config.Entrypoint", "[\"e\"]" },
		{ "{\"Entrypoint\":null,\"Cmd\":null}", "Config.Cmd", "[\"serve\"]" },
		{ "{\"Entrypoint\":[\"\"],\"Cmd\":[\"x\"]}", "Config.Entrypoint", "absent" },
		{ "{\"Env\":[\"LANG=de\",\"A=1\"]}", "Config.Env", "[\"PATH=/bin\",\"LANG=de\",\"A=1\"]" },
		{ "{\"Env\":[\"LANG\"]}", "Config.Env", "[\"PATH=/bin\"]" },
		{ "{}", "Config.WorkingDir", "\"/srv\"" },
		{ "{\"WorkingDir\":\"/x\"}", "Config.WorkingDir", "\"/x\"" },
		{ "{}", "Config.User", "\"web\"" },
		{ "{}", "Config.StopSignal", "\"SIGQUIT\"" },
		{ "{\"Labels\":{\"b\":\"mine\"}}", "Config.Labels", "{\"b\":\"mine\",\"a\":\"image\"}" },
		{ "{\"ExposedPorts\":{\"53/udp\":{}}}", "Config.ExposedPorts", "{\"53/udp\":{},\"80/tcp\":{}}" },
		{ "{}", "Name", "\"web\"" },
		{ "{\"Hostname\":\"h\"}", "Config.Hostname", "\"h\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_field(cases[i].body, cases[i].place, cases[i].expected);
}
END_TEST

START_TEST(host_config_gets_its_defaults)
{
	check_field("{}", "HostConfig.NetworkMode", "\"bridge\"");
	check_field("{}", "HostConfig.ShmSize", "67108864");
	check_field("{\"HostConfig\":{\"NetworkMode\":\"default\",\"Memory\":0,\"Dns\":[]}}", "HostConfig",
		    "{\"NetworkMode\":\"bridge\",\"ShmSize\":67108864}");
	check_field("{\"HostConfig\":{\"MaskedPaths\":[]}}", "HostConfig.MaskedPaths", "[]");
	check_field("{\"NetworkDisabled\":true}", "HostConfig.NetworkMode", "\"none\"");
	check_field("{\"HostConfig\":{\"PublishAllPorts\":true}}", "HostConfig.PortBindings",
		    "{\"80/tcp\":[{\"HostPort\":\"0\"}]}");
}
END_TEST

START_TEST(mounts_of_all_kinds)
{
	json *record =
		record_of("{\"HostConfig\":{\"Binds\":[\"/tmp:/a:ro,rshared\",\"vol:/b\",\"/c\"],"
			  "\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/d\",\"TmpfsOptions\":{\"SizeBytes\":4096,"
			  "\"Mode\":1023}}],\"Tmpfs\":{\"/e\":\"exec,size=1m\"}}}");
	const json *mount = json_first(json_get(record, "Mounts"));
	char *options;

	ck_assert_uint_eq(json_count(json_get(record, "Mounts")), 6);
	ck_assert_str_eq(json_get_text(mount, "Destination", ""), "/d");
	options = json_print(json_get(mount, "Options"));
	ck_assert_str_eq(options, "[\"noexec\",\"nosuid\",\"nodev\",\"size=4096\",\"mode=1777\"]");
	free(options);

	mount = json_next(mount);
	ck_assert_str_eq(json_get_text(mount, "Source", ""), "/tmp");
	ck_assert(!json_get_truth(mount, "RW", true));
	options = json_print(json_get(mount, "Options"));
	ck_assert_str_eq(options, "[\"rbind\",\"rshared\",\"ro\"]");
	free(options);

	mount = json_next(mount);
	ck_assert_str_eq(json_get_text(mount, "Name", ""), "vol");
	options = json_print(json_get(mount, "Options"));
	ck_assert_str_eq(options, "[\"rbind\",\"rprivate\",\"copyup\"]");
	free(options);

	mount = json_next(mount);
	ck_assert_str_eq(json_get_text(mount, "Destination", ""), "/c");
	ck_assert_uint_eq(strlen(json_get_text(mount, "Name", "")), 64);

	mount = json_next(mount);
	options = json_print(json_get(mount, "Options"));
	ck_assert_str_eq(options, "[\"nosuid\",\"nodev\",\"exec\",\"size=1m\"]");
	free(options);

	/* The image's own volume, since nothing is mounted there. */
	mount = json_next(mount);
	ck_assert_str_eq(json_get_text(mount, "Destination", ""), "/data");
	ck_assert_uint_eq(json_count(json_get(record, "AnonymousVolumes")), 2);
	json_free(record);
}
END_TEST

START_TEST(bad_bodies_name_field_and_cause)
{
	static const struct {
		const char *body, *message;
	} cases[] = {
		{ "[", "container config: not JSON at byte 0" },
		{ "[]", "container config: expected an object" },
		{ "{\"Cmd\":3}", "Cmd: expected an array, found an integer" },
		{ "{\"Env\":[\"=x\"]}", "Env: invalid environment variable \"=x\": expected NAME=value" },
		{ "{\"WorkingDir\":\"x\"}", "WorkingDir: \"x\" is not an absolute path" },
		{ "{\"StopSignal\":\"SIGNOPE\"}", "StopSignal: invalid signal: SIGNOPE" },
		{ "{\"Memory\":1}", "Memory: belongs in HostConfig" },
		{ "{\"HostConfig\":{\"Memory\":\"1\"}}", "HostConfig.Memory: expected an integer, found a string" },
		{ "{\"HostConfig\":{\"Wings\":2}}", "HostConfig.Wings: not known to this release" },
		{ "{\"HostConfig\":{\"Links\":[\"a\"]}}",
		  "HostConfig.Links: not supported: links between containers are not supported" },
		{ "{\"HostConfig\":{\"PidMode\":\"x\"}}", "HostConfig.PidMode: invalid mode \"x\"" },
		{ "{\"HostConfig\":{\"PidMode\":\"container:nope\"}}", "HostConfig.PidMode: no such container: nope" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"lan\"}}",
		  "HostConfig.NetworkMode: network lan not found: there are bridge, host, none and container:NAME" },
		{ "{\"Hostname\":\"x\",\"HostConfig\":{\"UTSMode\":\"host\"}}",
		  "Hostname: conflicting options: hostname and the UTS mode" },
		{ "{\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\"},\"AutoRemove\":true}}",
		  "HostConfig.AutoRemove: conflicting options: a container that is removed at its end can't have "
		  "restart policy \"always\"" },
		{ "{\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":3}}}",
		  "HostConfig.RestartPolicy.MaximumRetryCount: maximum retry count cannot be used with restart "
		  "policy \"always\"" },
		{ "{\"HostConfig\":{\"PortBindings\":{\"80/sctp\":[{}]}}}",
		  "HostConfig.PortBindings.80/sctp: invalid container port \"80/sctp\": expected 1 to 65535, then "
		  "/tcp or /udp" },
		{ "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"70000\"}]}}}",
		  "HostConfig.PortBindings.80/tcp: invalid host port \"70000\": expected 0 to 65535" },
		{ "{\"HostConfig\":{\"Binds\":[\"/a:b\"]}}",
		  "HostConfig.Binds[0]: invalid mount path \"b\": expected an absolute path in the container" },
		{ "{\"HostConfig\":{\"Binds\":[\"/a:/\"]}}", "HostConfig.Binds[0]: the destination can't be \"/\"" },
		{ "{\"HostConfig\":{\"Binds\":[\"/a:/b:x\"]}}",
		  "HostConfig.Binds[0]: invalid mode \"x\": \"x\" is not known" },
		{ "{\"HostConfig\":{\"Binds\":[\"/tmp:/b\",\"/etc:/b/\"]}}",
		  "HostConfig.Binds[1]: duplicate mount point: /b" },
		{ "{\"HostConfig\":{\"Binds\":[\"../x:/b\"]}}",
		  "HostConfig.Binds[0]: \"../x\" is neither an absolute path nor a volume name "
		  "([a-zA-Z0-9][a-zA-Z0-9_.-]+)" },
		{ "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/no/such\",\"Target\":\"/x\"}]}}",
		  "HostConfig.Mounts[0].Source: bind source path does not exist: /no/such" },
		{ "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"disk\",\"Target\":\"/x\"}]}}",
		  "HostConfig.Mounts[0].Type: mount type \"disk\" is not known: there are bind, volume and tmpfs" },
		{ "{\"HostConfig\":{\"Tmpfs\":{\"/x\":\"bigger\"}}}",
		  "HostConfig.Tmpfs./x: invalid tmpfs option \"bigger\"" },
		{ "{\"HostConfig\":{\"LogConfig\":{\"Type\":\"syslog\"}}}",
		  "HostConfig.LogConfig.Type: no log driver \"syslog\": there are json-file and none" },
		{ "{\"HostConfig\":{\"ExtraHosts\":[\"x\"]}}",
		  "HostConfig.ExtraHosts: \"x\": expected NAME:ADDRESS or NAME:host-gateway" },
		{ "{\"HostConfig\":{\"UsernsMode\":\"auto\",\"PidMode\":\"host\"}}",
		  "HostConfig.PidMode: conflicting options: a container with a user namespace can't share the "
		  "host's" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		teu_error *err = NULL;
		json *record = NULL;
		int r = create_record_from(engine, cases[i].body, &image, "web", &record, &err);

		ck_assert_msg(r < 0, "%s is accepted", cases[i].body);
		ck_assert_msg(strcmp(teu_error_message(err), cases[i].message) == 0, "%s gives\n%s\nnot\n%s",
			      cases[i].body, teu_error_message(err), cases[i].message);
		ck_assert_msg(r == TEU_E_INVALID || r == TEU_E_NOT_FOUND, "%s", cases[i].body);
		teu_error_unref(err);
	}
}
END_TEST

START_TEST(an_image_without_a_command_needs_one)
{
	static const char nothing[] = "{\"config\":{}}";
	teu_error *err = NULL;
	json *record = NULL;

	json_free(image.config);
	ck_assert_int_eq(json_parse(nothing, strlen(nothing), &image.config, NULL), 0);
	ck_assert_int_eq(create_record_from(engine, "{}", &image, NULL, &record, &err), TEU_E_INVALID);
	ck_assert_str_eq(teu_error_message(err), "Cmd: no command specified, and the image has none");
	teu_error_unref(err);
}
END_TEST

/* Commits a container called @name (NULL: a made-up name) and returns its record. */
static json *commit(const char *body, const char *name)
{
	json *record = NULL, *spec = NULL;
	teu_error *err = NULL;

	ck_assert_int_eq(create_record_from(engine, body, &image, name, &record, NULL), 0);
	ck_assert_int_eq(spec_build(engine, record, &spec, NULL), 0);
	ck_assert_msg(create_commit(engine, record, spec, name, &err) == 0, "%s", teu_error_message(err));
	json_free(spec);
	return record;
}

START_TEST(a_committed_container_is_found_and_its_volumes_are_there)
{
	json *record = commit("{\"HostConfig\":{\"Binds\":[\"vol:/v\"]}}", "web");
	teu_container *found = NULL;
	json *volume = NULL;
	const json *spec;

	ck_assert_int_eq(container_find(engine, "web", &found, NULL), 0);
	ck_assert_str_eq(found->id, json_get_text(record, "Id", ""));
	ck_assert_int_eq(container_spec(found, &spec, NULL), 0);
	ck_assert_str_eq(json_text(json_find(spec, "hostname"), ""),
			 json_text(json_find(record, "Config.Hostname"), "?"));
	ck_assert_int_eq(volumes_read(&engine->store, "vol", &volume, NULL), 0);
	json_free(volume);
	volume = NULL;
	ck_assert_int_eq(volumes_read(&engine->store, json_text(json_first(json_get(record, "AnonymousVolumes")), ""),
				      &volume, NULL),
			 0);
	json_free(volume);
	ck_assert_int_eq(volumes_remove(&engine->store, "vol", NULL), TEU_E_CONFLICT);
	teu_container_unref(found);
	json_free(record);
}
END_TEST

START_TEST(a_taken_name_is_refused_and_a_made_up_one_replaced)
{
	json *first = commit("{}", "web"), *second = NULL, *spec = NULL;
	teu_error *err = NULL;

	ck_assert_int_eq(create_record_from(engine, "{}", &image, "web", &second, NULL), 0);
	ck_assert_int_eq(spec_build(engine, second, &spec, NULL), 0);
	ck_assert_int_eq(create_commit(engine, second, spec, true, &err), TEU_E_CONFLICT);
	ck_assert_ptr_nonnull(
		strstr(teu_error_message(err), "the container name \"/web\" is already in use by container"));
	ck_assert_int_eq(create_commit(engine, second, spec, false, NULL), 0);
	ck_assert_str_ne(json_get_text(second, "Name", ""), "web");
	teu_error_unref(err);
	json_free(first);
	json_free(second);
	json_free(spec);
}
END_TEST

START_TEST(a_failed_create_leaves_nothing)
{
	json *record = NULL, *spec = NULL;
	struct strv names = STRV_INIT;

	image.chains = (struct strv){ 0 };
	strv_add(&image.chains, "sha256:0000000000000000000000000000000000000000000000000000000000000000");
	ck_assert_int_eq(create_record_from(engine, "{}", &image, "web", &record, NULL), 0);
	ck_assert_int_eq(spec_build(engine, record, &spec, NULL), 0);
	ck_assert_int_eq(create_commit(engine, record, spec, true, NULL), TEU_E_NOT_FOUND);
	ck_assert_int_eq(containers_list(&engine->store, false, &names, NULL), 0);
	ck_assert_uint_eq(names.n, 0);
	ck_assert_int_eq(volumes_list(&engine->store, &names, NULL), 0);
	ck_assert_uint_eq(names.n, 0);
	ck_assert_int_lt(readlinkat(engine->store.root_fd, "names/web", (char[8]){ 0 }, 8), 0);
	strv_done(&image.chains);
	json_free(record);
	json_free(spec);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("create");
	TCase *tc = tcase_create("create");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, open_engine, close_engine);
	tcase_add_test(tc, the_image_says_what_the_request_does_not);
	tcase_add_test(tc, host_config_gets_its_defaults);
	tcase_add_test(tc, mounts_of_all_kinds);
	tcase_add_test(tc, bad_bodies_name_field_and_cause);
	tcase_add_test(tc, an_image_without_a_command_needs_one);
	tcase_add_test(tc, a_committed_container_is_found_and_its_volumes_are_there);
	tcase_add_test(tc, a_taken_name_is_refused_and_a_made_up_one_replaced);
	tcase_add_test(tc, a_failed_create_leaves_nothing);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
