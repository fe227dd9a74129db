/*
 * listener: who answers the calls that a filter leaves to it (SCMP_ACT_NOTIFY). The monitor connects to it before the
 * first process goes on, and hands it the filter's descriptor when that is loaded. Source: runtime-spec
 * config-linux.md, "Seccomp", "The Container Process State".
 */
#include "init/first.h"
#include "init/monitor.h"

#include <linux/seccomp.h>
#include <linux/un.h>

enum { UNIX = 1, STREAM = 1 }; /* AF_UNIX, SOCK_STREAM: the C library's headers have the names */

static int agent = -1;
static const struct plan_step *described;

long listener_connect(const struct plan_header *plan, const struct plan_step *s)
{
	struct sockaddr_un address = { .sun_family = UNIX };
	const char *path = plan_text(plan, s->t1);
	size_t len = str_len(path);
	long sock, r;

	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len);
	if (*path == '@') /* a name without a file */
		address.sun_path[0] = '\0';
	sock = SYS(socket, UNIX, STREAM | O_CLOEXEC, 0);
	TRY(sock);
	r = SYS(connect, sock, &address, __builtin_offsetof(struct sockaddr_un, sun_path) + len + (*path != '@'));
	if (r < 0)
		return r;
	agent = (int)sock;
	described = s;
	return 0;
}

/* Its pid stands in the document twice, which is cut there. */
long listener_give(const struct plan_header *plan, int pid, int fd)
{
	char *text;
	size_t cap;
	long r;

	if (agent < 0)
		return -EPIPE;
	cap = str_len(plan_text(plan, described->t2)) + str_len(plan_text(plan, described->t3)) +
	      str_len(plan_text(plan, described->t4)) + 64;
	text = sys_alloc(cap);
	if (!text)
		return -ENOMEM;
	str_add(text, cap, plan_text(plan, described->t2));
	str_add_number(text, cap, pid);
	str_add(text, cap, plan_text(plan, described->t3));
	if (described->n1)
		str_add_number(text, cap, pid);
	str_add(text, cap, plan_text(plan, described->t4));
	r = pass_send(agent, text, str_len(text), fd);
	SYS(close, agent);
	SYS(close, fd);
	agent = -1;
	return r < 0 ? r : 0;
}

/* From here on a call of this process may wait for the listener. */
long listener_tell(struct first *f, const struct plan_step *s, int fd)
{
	const struct plan_step *steps = (const struct plan_step *)((const char *)f->plan + f->plan->first.at);
	struct first_message m = { .kind = FIRST_LISTENER, .step = (uint32_t)(s - steps) };
	long r = pass_send(f->sync, &m, sizeof(m), fd);

	SYS(close, fd);
	return r < 0 ? r : 0;
}
