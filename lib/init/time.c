/* time: a new time namespace, whose clocks are set while nobody is in it. Source: time_namespaces(7). */
#include "init/first.h"
#include "init/monitor.h"

/* So it is made for the children, and its maker stays out. */
long make_time_namespace(const struct plan_header *plan, const struct plan_step *s)
{
	const char *offsets = plan_text(plan, s->t1);

	TRY(SYS(unshare, CLONE_NEWTIME));
	return *offsets ? sys_put(AT_FDCWD, "/proc/self/timens_offsets", offsets) : 0;
}

/* Where only the first process has the right to make it: it joins it when that is done. */
long step_time(struct first *f, const struct plan_step *s)
{
	long r = make_time_namespace(f->plan, s);
	int fd;

	TRY(r);
	fd = sys_open(AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY, 0);
	TRY(fd);
	r = SYS(setns, fd, CLONE_NEWTIME);
	SYS(close, fd);
	return r;
}
