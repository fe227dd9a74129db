/* signals: their names. */
#ifndef TEU_ENGINE_SIGNALS_H
#define TEU_ENGINE_SIGNALS_H

/* "SIGTERM", "TERM", "term", "15", "RTMIN+3" -> its number; -1: no such signal. */
int signal_number(const char *name);

#endif
