/* self: what a test program itself holds. */
#ifndef TEU_TESTS_SELF_H
#define TEU_TESTS_SELF_H

int self_descriptors(void); /* how many are open */
/* Prints "<when>_fds N" and "<when>_rss N": its open descriptors and its resident memory in kB. */
void self_report(const char *when);

#endif
