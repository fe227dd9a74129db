/*
 * namespaces: a command in namespaces of its own: no image, no store, no root filesystem.
 *
 *   namespaces [COMMAND [ARG…]]
 *
 * Without a command it shows what a new one sees: its pid, its hostname, its network links.
 * Build: cc namespaces.c -o namespaces $(pkg-config --cflags --libs teu). Needs root.
 */
#include <stdio.h>
#include <unistd.h>

#include <teu/namespace.h>

static int report(teu_error *err)
{
	int code = teu_error_code(err);

	fprintf(stderr, "namespaces: %s\n", teu_error_message(err));
	teu_error_unref(err);
	/* As a shell would: 127 for a command that is not there, 126 for one that can't be executed. */
	return code == TEU_E_NO_COMMAND ? 127 : code == TEU_E_NOT_EXECUTABLE ? 126 : 125;
}

int main(int argc, char **argv)
{
	static const char *const look[] = { "sh", "-c", "echo pid $$ on $(uname -n); cat /proc/net/dev", NULL };
	teu_namespace_options options;
	teu_error *err = NULL;
	int32_t pid, status;
	int waitfd;

	/* Zero would mean descriptor 0, so the init function sets what has another default: no descriptors, -1. */
	teu_namespace_options_init(&options);
	options.namespaces = TEU_NS_MOUNT | TEU_NS_UTS | TEU_NS_IPC | TEU_NS_PID | TEU_NS_NETWORK;
	options.hostname = "alone";
	options.stdin_fd = STDIN_FILENO;
	options.stdout_fd = STDOUT_FILENO;
	options.stderr_fd = STDERR_FILENO;

	/* Safe in a program with many threads: the library never forks its caller. So the command is no child of ours,
	 * and we wait for it by a descriptor, which could also be polled in an event loop. */
	if (teu_namespace_run(argc > 1 ? (const char *const *)argv + 1 : look, &options, &pid, &waitfd, &err) < 0)
		return report(err);
	fprintf(stderr, "namespaces: on the host it is pid %d\n", (int)pid);
	if (teu_namespace_wait(waitfd, &status, &err) < 0)
		return report(err);
	return status;
}
