/* signame: signals by name: "SIGTERM", "term", "15", "SIGRTMIN+3". */
#ifndef TEU_BASE_SIGNAME_H
#define TEU_BASE_SIGNAME_H

/* Its number, 1..64; -1: no such signal. */
int signame_parse(const char *text);

#endif
