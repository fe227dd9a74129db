/* notify: a service manager's notification socket, passed on to a container. Source: sd_notify(3). */
#include "runtime/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/proc.h"

#define INSIDE "/run/notify"

static int add_env(json *spec, teu_error **err)
{
	json *process = json_get_mutable(spec, "process");
	_cleanup_(strv_done) struct strv env = STRV_INIT;
	int r = json_read_strings(process, "process", "env", &env, err);

	if (r < 0)
		return r;
	strv_setenv(&env, "NOTIFY_SOCKET=" INSIDE "/notify.sock");
	return env.oom || !json_add(process, "env", json_strings(env.items)) ? err_oom(err) : 0;
}

int notify_prepare(const teu_runtime *rt, const struct record *rec, json *spec, teu_error **err)
{
	static char *const options[] = { "bind", "nosuid", "noexec", "nodev", "ro", NULL };
	_cleanup_free_ char *source = NULL;
	json *mounts = json_get_mutable(spec, "mounts"), *mount;

	if (mkdirat(rec->dir_fd, "notify", 0755) < 0)
		return err_errno(err, errno, "make the folder of the notification socket");
	if (asprintf(&source, "%s/%s/notify", rt->root, rec->id) < 0)
		return err_oom(err);
	mount = json_append_object(mounts ? mounts : json_add_array(spec, "mounts"));
	if (!json_add_string(mount, "destination", INSIDE) || !json_add_string(mount, "type", "bind") ||
	    !json_add_string(mount, "source", source) || !json_add(mount, "options", json_strings(options)))
		return err_oom(err);
	return add_env(spec, err);
}

int notify_listen(const struct record *rec, int *ret_fd, teu_error **err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (fd < 0)
		return err_errno(err, errno, "socket");
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/notify/notify.sock", rec->dir_fd);
	unlinkat(rec->dir_fd, "notify/notify.sock", 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || fchmodat(rec->dir_fd, "notify/notify.sock", 0777, 0) < 0)
		return err_errno(err, errno, "open the notification socket");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static bool says_ready(const char *text)
{
	for (; text && *text; text = strchr(text, '\n'), text += text != NULL)
		if (strncmp(text, "READY=1", 7) == 0 && (text[7] == '\n' || !text[7]))
			return true;
	return false;
}

/* False: it has ended before. */
static bool await_ready(int fd, int pidfd)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	char text[4096];
	ssize_t n;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return false;
		n = p[0].revents & POLLIN ? recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) : -1;
		if (n >= 0) {
			text[n] = '\0';
			if (says_ready(text))
				return true;
		} else if (p[1].revents) {
			return false;
		}
	}
}

static int tell(const char *to, pid_t main_pid, teu_error **err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = strlen(to);
	char text[64];
	int n;

	if (fd < 0)
		return err_errno(err, errno, "socket");
	if (len >= sizeof(a.sun_path))
		return err_set(err, TEU_E_INVALID, "the path of the notification socket is too long: %s", to);
	memcpy(a.sun_path, to, len);
	if (*to == '@') /* an abstract one */
		a.sun_path[0] = '\0';
	n = main_pid ? snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1\n", (int)main_pid)
		     : snprintf(text, sizeof(text), "READY=1\n");
	if (sendto(fd, text, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&a,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return err_errno(err, errno, "notify %s", to);
	return 0;
}

int notify_pass_on(int fd, const struct record *rec, const char *to, bool main, teu_error **err)
{
	_cleanup_error_ teu_error *why = NULL;
	_cleanup_close_ int pidfd = -EBADF;
	int r = proc_open(rec->pid, rec->start, &pidfd, &why);

	if (r < 0 && r != TEU_E_NOT_FOUND)
		return err_pass(err, r, &why);
	if (r < 0 || !await_ready(fd, pidfd))
		return 0;
	return tell(to, main ? rec->pid : 0, err);
}
