/*
 * apparmor: the default profile, compiled by AppArmor's own parser. It is the third wall: what the masked paths, the
 * missing capabilities and the system call filter keep out stays out when one of those was taken away by a flag.
 */
#include "kernel/apparmor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"

#define SECURITYFS "/sys/kernel/security/apparmor"

/*
 * Of procfs a container may write to its processes' files and to the limits of its own IPC namespace, of sysfs to its
 * cgroups. It mounts nothing. Its processes may trace and signal each other; from outside they are only signalled.
 */
static const char profile[] = "profile " APPARMOR_DEFAULT " flags=(attach_disconnected,mediate_deleted) {\n"
			      "  network,\n  capability,\n  file,\n  umount,\n"
			      "  signal (receive) peer=unconfined,\n"
			      "  signal (send,receive) peer=" APPARMOR_DEFAULT ",\n"
			      "  ptrace (trace,read,tracedby,readby) peer=" APPARMOR_DEFAULT ",\n"
			      "  deny mount,\n"
			      "  deny /proc/* w,\n"
			      "  deny /proc/kcore rwklx,\n"
			      "  deny /proc/[^0-9st]*/** w,\n"
			      "  deny /proc/s[^ey]*/** w,\n"
			      "  deny /proc/t[^h]*/** w,\n"
			      "  deny /proc/sys/[^k]** w,\n"
			      "  deny /proc/sys/kernel/[^ms]** w,\n"
			      "  deny /proc/sys/kernel/m[^s]** w,\n"
			      "  deny /proc/sys/kernel/s[^eh]** w,\n"
			      "  deny /proc/sys/kernel/seccomp/** w,\n"
			      "  deny /sys/[^f]** wklx,\n"
			      "  deny /sys/f[^s]** wklx,\n"
			      "  deny /sys/fs/[^c]** wklx,\n"
			      "  deny /sys/fs/c[^g]** wklx,\n"
			      "  deny /sys/firmware/** rwklx,\n"
			      "  deny /sys/kernel/security/** rwklx,\n"
			      "  deny /sys/devices/virtual/powercap/** rwklx,\n"
			      "}\n";

static const char *parser(void)
{
	static const char *const places[] = { "/usr/sbin/apparmor_parser", "/sbin/apparmor_parser" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

bool apparmor_usable(void)
{
	return access(SECURITYFS "/.replace", W_OK) == 0 && parser();
}

/* The kernel's list has a line "name (mode)" for each. */
static bool is_loaded(void)
{
	FILE *list = fopen(SECURITYFS "/profiles", "re");
	char line[512];
	bool found = false;

	while (list && !found && fgets(line, sizeof(line), list))
		found = strncmp(line, APPARMOR_DEFAULT " ", strlen(APPARMOR_DEFAULT " ")) == 0;
	if (list)
		fclose(list);
	return found;
}

/* A file in memory that holds @text, to be read from its beginning. */
static int text_file(const char *text)
{
	int fd = memfd_create("apparmor", MFD_CLOEXEC);

	if (fd >= 0 && *text && pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What the parser had to say about it, the first line. */
static int refused(int status, int said_fd, teu_error **err)
{
	char said[256];
	ssize_t n = pread(said_fd, said, sizeof(said) - 1, 0);

	said[n > 0 ? n : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	return err_set(err, TEU_E_SYSTEM,
		       "load AppArmor profile " APPARMOR_DEFAULT ": apparmor_parser ended with status %d: %s; the "
		       "security option apparmor=unconfined runs the container without it",
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), *said ? said : "no reason");
}

int apparmor_load_default(teu_error **err)
{
	static char *const argv[] = { "apparmor_parser", "--replace", "--skip-cache", NULL };
	static char *const env[] = { "LC_ALL=C", NULL };
	_cleanup_close_ int in = -EBADF, said = -EBADF;
	struct child child = { .program = parser(), .argv = argv, .env = env, .out = -1 };
	int status, eno;
	pid_t pid;

	if (is_loaded())
		return 0;
	in = text_file(profile);
	said = text_file("");
	if (in < 0 || said < 0)
		return err_errno(err, errno, "make a file in memory for AppArmor profile " APPARMOR_DEFAULT);
	child.in = in;
	child.err = said;
	eno = child.program ? child_spawn(&child, &pid) : ENOENT;
	if (eno)
		return err_errno(err, eno, "run apparmor_parser to load AppArmor profile " APPARMOR_DEFAULT);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, errno, "wait for apparmor_parser");
	return status == 0 ? 0 : refused(status, said, err);
}
