/* status: a container's state in words. The steps of the durations are those people know from docker ps. */
#include "engine/status.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const words[] = {
	[TEU_STATE_CREATED] = "created",       [TEU_STATE_RUNNING] = "running", [TEU_STATE_PAUSED] = "paused",
	[TEU_STATE_RESTARTING] = "restarting", [TEU_STATE_EXITED] = "exited",	[TEU_STATE_REMOVING] = "removing",
};

const char *status_word(enum teu_container_state state)
{
	return (size_t)state < sizeof(words) / sizeof(words[0]) ? words[state] : "unknown";
}

void status_duration(int64_t ns, char *text, size_t size)
{
	int64_t seconds = ns / 1000000000, minutes = seconds / 60, hours = (seconds + 1800) / 3600;

	if (seconds < 1)
		snprintf(text, size, "Less than a second");
	else if (seconds < 60)
		snprintf(text, size, "%" PRId64 " second%s", seconds, seconds == 1 ? "" : "s");
	else if (minutes == 1)
		snprintf(text, size, "About a minute");
	else if (minutes < 60)
		snprintf(text, size, "%" PRId64 " minutes", minutes);
	else if (hours == 1)
		snprintf(text, size, "About an hour");
	else if (hours < 48)
		snprintf(text, size, "%" PRId64 " hours", hours);
	else if (hours < 24 * 7 * 2)
		snprintf(text, size, "%" PRId64 " days", hours / 24);
	else if (hours < 24 * 30 * 2)
		snprintf(text, size, "%" PRId64 " weeks", hours / 24 / 7);
	else if (hours < 24 * 365 * 2)
		snprintf(text, size, "%" PRId64 " months", hours / 24 / 30);
	else
		snprintf(text, size, "%" PRId64 " years", hours / 24 / 365);
}

void status_text(const struct container_state *state, int64_t now_ns, char text[STATUS_MAX])
{
	char since[40], ended[40];

	status_duration(now_ns - state->started_ns, since, sizeof(since));
	status_duration(now_ns - state->finished_ns, ended, sizeof(ended));
	switch (state->state) {
	case TEU_STATE_RUNNING:
		snprintf(text, STATUS_MAX, "Up %s", since);
		return;
	case TEU_STATE_PAUSED:
		snprintf(text, STATUS_MAX, "Up %s (Paused)", since);
		return;
	case TEU_STATE_RESTARTING:
		snprintf(text, STATUS_MAX, "Restarting (%d) %s ago", state->exit_status, ended);
		return;
	case TEU_STATE_EXITED:
		/* After a crash of the machine nobody knows when it ended. */
		if (state->finished_ns)
			snprintf(text, STATUS_MAX, "Exited (%d) %s ago", state->exit_status, ended);
		else
			snprintf(text, STATUS_MAX, "Exited (%d)", state->exit_status);
		return;
	case TEU_STATE_REMOVING:
		snprintf(text, STATUS_MAX, "Removal In Progress");
		return;
	case TEU_STATE_CREATED:
		break;
	}
	snprintf(text, STATUS_MAX, "Created");
}
