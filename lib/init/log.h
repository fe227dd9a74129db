/* log: the container's output as Docker's json-file lines. */
#ifndef TEU_INIT_LOG_H
#define TEU_INIT_LOG_H

#include "init/sys.h"

/* Appends @n bytes of stream 1 (stdout) or 2 (stderr) to the log at @path, opened at the first byte. A full disk loses
 * lines, nothing else. */
void log_write(const char *path, int stream, const char *bytes, size_t n);
/* Writes what is held back: a last line without a line break. */
void log_flush(void);

#endif
