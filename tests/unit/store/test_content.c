#include "fixture.h"

#include <sys/wait.h>

/* sha256 of "hello" */
#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

START_TEST(a_blob_is_found_under_its_digest)
{
	char *digest, *text;
	size_t len;

	MUST(content_put(&store, "hello", 5, &digest, &err));
	ck_assert_str_eq(digest, HELLO);
	ck_assert(content_has(&store, digest));
	MUST(content_read(&store, digest, &text, &len, &err));
	ck_assert_uint_eq(len, 5);
	ck_assert_str_eq(text, "hello");
	ck_assert_uint_eq(count("tmp"), 0);
	free(digest);
	free(text);
}
END_TEST

START_TEST(a_changed_blob_is_corrupt)
{
	char *digest, *text;
	int fd;

	MUST(content_put(&store, "hello", 5, &digest, &err));
	fd = openat(store.root_fd, "blobs/sha256/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		    O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "H", 1), 1);
	close(fd);
	ck_assert_int_eq(content_read(&store, digest, &text, NULL, NULL), TEU_E_CORRUPT);
	free(digest);
}
END_TEST

START_TEST(a_path_is_no_digest)
{
	int fd;

	ck_assert(!content_has(&store, "sha256:../../index.json"));
	ck_assert_int_eq(content_open(&store, "../../index.json", &fd, NULL, NULL), TEU_E_INVALID);
	ck_assert_int_eq(content_open(&store, HELLO, &fd, NULL, NULL), TEU_E_NOT_FOUND);
}
END_TEST

START_TEST(a_broken_fetch_goes_on_where_it_ended)
{
	struct content_draft draft;
	bool there;

	MUST(content_begin(&store, HELLO, NULL, &draft, &there, &err));
	ck_assert(!there);
	ck_assert_uint_eq(draft.have, 0);
	ck_assert_int_eq(write(draft.fd, "hel", 3), 3);
	content_draft_done(&draft);

	MUST(content_begin(&store, HELLO, NULL, &draft, &there, &err));
	ck_assert_uint_eq(draft.have, 3);
	ck_assert_int_eq(write(draft.fd, "lo", 2), 2);
	MUST(content_commit(&draft, &err));
	content_draft_done(&draft);
	ck_assert(content_has(&store, HELLO));
	ck_assert_uint_eq(count("tmp"), 0);

	MUST(content_begin(&store, HELLO, NULL, &draft, &there, &err));
	ck_assert(there);
	content_draft_done(&draft);
	ck_assert_uint_eq(count("tmp"), 0);
}
END_TEST

START_TEST(wrong_bytes_are_thrown_away)
{
	struct content_draft draft;
	bool there;

	MUST(content_begin(&store, HELLO, NULL, &draft, &there, &err));
	ck_assert_int_eq(write(draft.fd, "wrong", 5), 5);
	content_discard(&draft);
	content_draft_done(&draft);
	ck_assert_uint_eq(count("tmp"), 0);
	ck_assert(!content_has(&store, HELLO));
}
END_TEST

/* The second fetcher waits for the first and then finds the blob there. */
START_TEST(two_fetchers_of_one_blob)
{
	struct content_draft draft;
	bool there;
	pid_t other;
	int status;

	MUST(content_begin(&store, HELLO, NULL, &draft, &there, &err));
	other = fork();
	if (other == 0) {
		struct content_draft second;

		close(draft.fd);
		if (content_begin(&store, HELLO, NULL, &second, &there, NULL) < 0)
			_exit(2);
		_exit(there ? 0 : 1);
	}
	usleep(50000);
	ck_assert_int_eq(write(draft.fd, "hello", 5), 5);
	MUST(content_commit(&draft, &err));
	content_draft_done(&draft);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_eq(count("tmp"), 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_blob_is_found_under_its_digest);
	tcase_add_test(tc, a_changed_blob_is_corrupt);
	tcase_add_test(tc, a_path_is_no_digest);
	tcase_add_test(tc, a_broken_fetch_goes_on_where_it_ended);
	tcase_add_test(tc, wrong_bytes_are_thrown_away);
	tcase_add_test(tc, two_fetchers_of_one_blob);
}

int main(void)
{
	return run_suite("content", add);
}
