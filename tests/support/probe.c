/*
 * probe: what the tests ask from inside a container: refused system calls, inherited descriptors, memory and processor
 * time used, the address that a connection comes from. One static program that runs in any image.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void tell(const char *name, long r)
{
	printf("%s %s\n", name, r >= 0 ? "ok" : strerrorname_np(errno));
}

/* Each is refused by the default filter, whatever its arguments; good ones show that it isn't the arguments. */
static int denied(void)
{
	static char page[8192]; /* zeros */

	tell("af_alg", socket(38, SOCK_SEQPACKET, 0));
	tell("af_vsock", socket(40, SOCK_STREAM, 0));
	tell("unshare-user", syscall(SYS_unshare, CLONE_NEWUSER));
	tell("unshare-mount", syscall(SYS_unshare, CLONE_NEWNS));
	tell("clone3", syscall(SYS_clone3, page, 8));
	tell("keyctl", syscall(SYS_keyctl, 0, -2, 0));
	tell("add_key", syscall(SYS_add_key, "user", "x", "y", 1, -2));
	tell("bpf", syscall(SYS_bpf, 0, page, 72));
	tell("userfaultfd", syscall(SYS_userfaultfd, 1));
	tell("io_uring_setup", syscall(SYS_io_uring_setup, 1, page));
	tell("perf_event_open", syscall(SYS_perf_event_open, page, 0, -1, -1, 0));
	tell("mount", mount("none", "/tmp", "tmpfs", 0, ""));
	tell("umount", umount2("/tmp", MNT_DETACH));
	tell("pivot_root", syscall(SYS_pivot_root, ".", "."));
	tell("reboot", syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0, NULL));
	tell("init_module", syscall(SYS_init_module, page, 1, ""));
	tell("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
	tell("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, page, 0));
	tell("settimeofday", syscall(SYS_clock_settime, CLOCK_REALTIME, page));
	tell("personality", syscall(SYS_personality, 0x0040000));
	tell("setns", setns(open("/proc/self/ns/uts", O_RDONLY), 0));
	tell("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	tell("move_mount", syscall(SYS_move_mount, -1, "", -1, "", 0));
	tell("swapon", syscall(SYS_swapon, "/x", 0));
	tell("acct", syscall(SYS_acct, "/x"));
	tell("iopl", syscall(SYS_iopl, 3));
	tell("quotactl", syscall(SYS_quotactl, 0, "", 0, NULL));
	tell("syslog", syscall(SYS_syslog, 3, page, sizeof(page)));
	tell("no-such-call", syscall(1999));
	return 0;
}

/* And these work in every container. */
static int allowed(void)
{
	char tree[] = "/tmp/probe.XXXXXX";
	struct statx st;

	tell("socket-raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	tell("socket-ping", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	tell("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	tell("chroot", mkdtemp(tree) ? chroot("/") : -1);
	tell("mknod", mknod("/tmp/node", S_IFCHR | 0666, makedev(1, 3)));
	tell("chown", chown(tree, 5, 5));
	tell("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
	tell("personality", syscall(SYS_personality, 0xffffffff));
	tell("statx", statx(AT_FDCWD, "/", 0, 0, &st));
	return 0;
}

static int fds(void)
{
	for (int fd = 3; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d\n", fd);
	return 0;
}

static int touch(int megabytes)
{
	size_t size = (size_t)megabytes << 20;
	char *memory = malloc(size);

	for (size_t i = 0; memory && i < size; i += 4096)
		((volatile char *)memory)[i] = 1;
	printf("touched %d\n", memory ? megabytes : 0);
	return 0;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Spins for @seconds and says how much processor time that was. */
static int burn(double seconds)
{
	double end = now(CLOCK_MONOTONIC) + seconds;

	while (now(CLOCK_MONOTONIC) < end)
		;
	printf("%.3f\n", now(CLOCK_PROCESS_CPUTIME_ID));
	return 0;
}

/* Tries to have @n children at once, and says how many there were. */
static int forks(int n)
{
	int made = 0;

	while (made < n) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0)
			pause();
		made++;
	}
	printf("%d\n", made);
	fflush(stdout);
	_exit(0);
}

static int sysv(const char *what)
{
	int flags = strcmp(what, "make") == 0 ? IPC_CREAT | 0666 : 0;

	tell("shm", shmget(0x7e0001, 4096, flags));
	tell("msg", msgget(0x7e0001, flags));
	return 0;
}

static int rlimits(void)
{
	static const struct {
		const char *name;
		int which;
	} all[] = { { "nofile", RLIMIT_NOFILE }, { "core", RLIMIT_CORE }, { "nproc", RLIMIT_NPROC } };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct rlimit l;

		getrlimit(all[i].which, &l);
		printf("%s %lld %lld\n", all[i].name, (long long)l.rlim_cur, (long long)l.rlim_max);
	}
	return 0;
}

static struct sockaddr_in address(const char *ip, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

/* Answers everybody with the address they come from. */
static int serve(const char *protocol, const char *port)
{
	struct sockaddr_in a = address("0.0.0.0", port), peer;
	int udp = strcmp(protocol, "udp") == 0, on = 1;
	int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	char text[64];

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || (!udp && listen(fd, 16) < 0))
		return perror("bind"), 1;
	for (;;) {
		socklen_t len = sizeof(peer);
		int from = udp ? (int)recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&peer, &len)
			       : accept(fd, (struct sockaddr *)&peer, &len);

		if (from < 0)
			continue;
		snprintf(text, sizeof(text), "%s\n", inet_ntoa(peer.sin_addr));
		if (udp)
			sendto(fd, text, strlen(text), 0, (struct sockaddr *)&peer, len);
		else
			(void)!write(from, text, strlen(text)), close(from);
	}
}

static int ask(const char *protocol, const char *ip, const char *port)
{
	struct sockaddr_in a = address(ip, port);
	struct timeval patience = { .tv_sec = 20 };
	int udp = strcmp(protocol, "udp") == 0;
	int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	char text[64];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || (udp && send(fd, "?", 1, 0) < 0) ||
	    (n = recv(fd, text, sizeof(text), 0)) < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	printf("%.*s", (int)n, text);
	return 0;
}

/* Every abstract socket of this network namespace that lets us in (CVE-2020-15257). */
static int abstract(void)
{
	char line[512];
	FILE *list = fopen("/proc/net/unix", "re");

	while (list && fgets(line, sizeof(line), list)) {
		char *name = strrchr(line, '@');
		struct sockaddr_un a = { .sun_family = AF_UNIX };
		int fd;

		if (!name || !strstr(name, "teu"))
			continue;
		name[strcspn(name, "\n")] = '\0';
		memcpy(a.sun_path + 1, name + 1, strlen(name + 1));
		fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		if (connect(fd, (struct sockaddr *)&a, (socklen_t)(sizeof(a.sun_family) + strlen(name))) == 0)
			printf("%s\n", name);
	}
	return 0;
}

/* For the same uid as a process of `exec`: any descriptor of a newcomer that can be looked at (CVE-2016-9962). */
static int spy(double seconds)
{
	double end = now(CLOCK_MONOTONIC) + seconds;
	char path[64], target[256];

	while (now(CLOCK_MONOTONIC) < end)
		for (int pid = 2; pid < 60; pid++)
			for (int fd = 3; fd < 16; fd++) {
				ssize_t n;

				snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
				n = pid == getpid() ? -1 : readlink(path, target, sizeof(target) - 1);
				if (n > 0)
					printf("%d %d %.*s\n", pid, fd, (int)n, target);
			}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "denied") == 0)
		return denied();
	if (strcmp(what, "allowed") == 0)
		return allowed();
	if (strcmp(what, "fds") == 0)
		return fds();
	if (strcmp(what, "rlimits") == 0)
		return rlimits();
	if (strcmp(what, "abstract") == 0)
		return abstract();
	if (argc > 2 && strcmp(what, "spy") == 0)
		return spy(atof(argv[2]));
	if (argc > 2 && strcmp(what, "touch") == 0)
		return touch(atoi(argv[2]));
	if (argc > 2 && strcmp(what, "burn") == 0)
		return burn(atof(argv[2]));
	if (argc > 2 && strcmp(what, "forks") == 0)
		return forks(atoi(argv[2]));
	if (argc > 2 && strcmp(what, "sysv") == 0)
		return sysv(argv[2]);
	if (argc > 3 && strcmp(what, "serve") == 0)
		return serve(argv[2], argv[3]);
	if (argc > 4 && strcmp(what, "ask") == 0)
		return ask(argv[2], argv[3], argv[4]);
	fprintf(stderr, "probe: see probe.c\n");
	return 2;
}
