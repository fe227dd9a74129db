/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* terminal: the caller's own terminal. */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool is_raw;

void terminal_restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	is_raw = false;
}

void terminal_raw(bool line_ends)
{
	static bool registered;
	struct termios raw;

	if (is_raw || tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	if (!registered)
		atexit(terminal_restore);
	registered = true;
	raw = before;
	cfmakeraw(&raw);
	if (line_ends)
		raw.c_oflag |= OPOST;
	is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_size(int32_t *ret_rows, int32_t *ret_columns)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){ 0 };
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
}

/* "a" or "ctrl-a"; 0: neither. */
static char key(const char *text, size_t len)
{
	if (len == 1)
		return *text;
	if (len != 6 || memcmp(text, "ctrl-", 5) != 0)
		return 0;
	if (text[5] >= 'a' && text[5] <= 'z')
		return (char)(text[5] - 'a' + 1);
	return strchr("[\\]^_", text[5]) ? (char)(text[5] - '@') : 0;
}

bool terminal_detach_keys(const char *text, char ret_bytes[DETACH_KEYS_SIZE])
{
	size_t n = 0;

	for (text = text && *text ? text : "ctrl-p,ctrl-q";; text++) {
		size_t len = strcspn(text, ",");

		if (n == DETACH_KEYS_SIZE - 1)
			return false;
		ret_bytes[n] = key(text, len);
		if (!ret_bytes[n++])
			return false;
		text += len;
		if (!*text)
			break;
	}
	ret_bytes[n] = '\0';
	return true;
}
