/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* signals: a self-pipe, so that a call that polls wakes up without a race and without a timer. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "cli.h"

static int ends[2] = { -1, -1 };

static void caught(int signal)
{
	unsigned char n = (unsigned char)signal;
	int kept = errno;

	/* A full pipe loses it: 65536 signals nobody has read are enough. */
	if (write(ends[1], &n, 1) < 0)
		errno = kept;
	errno = kept;
}

static void catch (const int *signals, size_t n)
{
	struct sigaction action = { .sa_handler = caught, .sa_flags = SA_RESTART };

	for (size_t i = 0; i < n; i++)
		sigaction(signals[i], &action, NULL);
}

bool signals_open(bool pass_on, bool resize)
{
	static const int passed[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT };
	static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	static const int window[] = { SIGWINCH };

	if (ends[0] < 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	if (pass_on)
		catch (passed, ARRAY_SIZE(passed));
	else if (resize)
		catch (deadly, ARRAY_SIZE(deadly));
	if (resize)
		catch (window, ARRAY_SIZE(window));
	return true;
}

int signals_fd(void)
{
	return ends[0];
}

int signals_next(void)
{
	unsigned char signal;

	return ends[0] >= 0 && read(ends[0], &signal, 1) == 1 ? signal : 0;
}

void signals_die(int signal)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	sigaction(signal, &action, NULL);
	raise(signal);
}
