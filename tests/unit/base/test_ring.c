#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/ring.h"

enum { SLOT = 64, BUFFERS = 20000 };

struct reader {
	struct ring *ring;
	size_t index;
	unsigned long sum;
	ssize_t end;
};

static void *read_all(void *data)
{
	struct reader *r = data;
	const void *bytes;

	while ((r->end = ring_get(r->ring, r->index, &bytes)) > 0)
		for (ssize_t i = 0; i < r->end; i++)
			r->sum += ((const unsigned char *)bytes)[i];
	/* The end stays the end. */
	if (r->end == 0)
		r->end = ring_get(r->ring, r->index, &bytes);
	return NULL;
}

START_TEST(every_reader_gets_every_byte)
{
	_cleanup_(ring_freep) struct ring *ring = NULL;
	struct reader readers[2];
	pthread_t threads[2];
	unsigned long sum = 0;

	ck_assert_int_eq(ring_new(3, SLOT, 2, &ring, NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		readers[i] = (struct reader){ .ring = ring, .index = i, .end = 1 };
		pthread_create(&threads[i], NULL, read_all, &readers[i]);
	}
	for (size_t i = 0; i < BUFFERS; i++) {
		unsigned char *space = ring_space(ring);
		size_t len = i % SLOT + 1;

		for (size_t k = 0; k < len; k++)
			sum += space[k] = (unsigned char)(i + k);
		ring_put(ring, len);
	}
	ck_assert_ptr_nonnull(ring_space(ring));
	ring_put(ring, 0);
	for (size_t i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(readers[i].sum, sum);
		ck_assert_int_eq(readers[i].end, 0);
	}
}
END_TEST

START_TEST(stopping_wakes_everybody)
{
	_cleanup_(ring_freep) struct ring *ring = NULL;
	struct reader reader;
	pthread_t thread;

	ck_assert_int_eq(ring_new(1, SLOT, 1, &ring, NULL), 0);
	reader = (struct reader){ .ring = ring };
	pthread_create(&thread, NULL, read_all, &reader);
	ring_stop(ring);
	pthread_join(thread, NULL);
	ck_assert_int_eq(reader.end, -ECANCELED);
	ck_assert_ptr_null(ring_space(ring));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ring");
	TCase *tc = tcase_create("ring");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, every_reader_gets_every_byte);
	tcase_add_test(tc, stopping_wakes_everybody);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
