/*
 * The floor: what the kernel alone asks for a container with docker's defaults, as system calls written by hand.
 *
 *	floor ROOTFS SCRATCH FILTER CGROUP COMMAND [ARGUMENT...]
 *
 * ROOTFS is an unpacked image, SCRATCH a directory for the upper layer, FILTER a file of struct sock_filter compiled
 * beforehand, CGROUP a path below /sys/fs/cgroup (or below each v1 hierarchy) whose parent exists. Runs COMMAND in
 * namespaces of its own (pid, mount, uts, ipc, net, cgroup) on a volatile overlay with its own /proc, /sys, /dev,
 * masks, cgroup, capabilities and filter, waits, and removes all of it. The exit status is COMMAND's.
 *
 * It is honest, not clever: nothing that a container engine owes its container is left out, but there is no store,
 * no record and no second process. The order is that of runtime-spec's "Lifecycle"; the values are moby's defaults.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRIVATE (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static char scratch[PATH_MAX / 2];
static const char *cgroup;
static int unified;
static struct sock_filter filter_code[BPF_MAXINSNS];
static struct sock_fprog filter = { .filter = filter_code };

static const char *const controllers[] = { "memory", "cpu", "cpuacct", "pids", "devices", "freezer" };

/* moby's default device rules, after all was denied. */
static const char *const device_rules[] = {
	"c *:* m",   "b *:* m",	  "c 1:3 rwm", "c 1:5 rwm",   "c 1:7 rwm", "c 1:8 rwm",
	"c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 136:* rwm", "c 5:2 rwm", "c 10:200 rwm",
};

static const struct {
	const char *name;
	int minor, major;
} nodes[] = {
	{ "dev/null", 3, 1 },	{ "dev/zero", 5, 1 },	 { "dev/full", 7, 1 },
	{ "dev/random", 8, 1 }, { "dev/urandom", 9, 1 }, { "dev/tty", 0, 5 },
};

static const char *const links[][2] = {
	{ "/proc/self/fd", "dev/fd" },	     { "/proc/self/fd/0", "dev/stdin" }, { "/proc/self/fd/1", "dev/stdout" },
	{ "/proc/self/fd/2", "dev/stderr" }, { "/proc/kcore", "dev/core" },	 { "pts/ptmx", "dev/ptmx" },
};

static const char *const masked[] = {
	"/proc/asound",
	"/proc/acpi",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
};

static const char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

/* Files that an engine writes for each container and binds into it. */
static const char *const files[][2] = {
	{ "hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t0123456789ab\n" },
	{ "hostname", "0123456789ab\n" },
	{ "resolv.conf", "nameserver 127.0.0.1\n" },
};

/* chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write
 * setfcap */
#define DEFAULT_CAPS 0xa80425fbu

static void die(const char *what)
{
	dprintf(STDERR_FILENO, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

#define CHECK(what, call)                                                                                              \
	do {                                                                                                           \
		if ((call) < 0)                                                                                        \
			die(what);                                                                                     \
	} while (0)

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static const char *in(const char *directory, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static const char *cgroup_file(const char *controller, const char *name)
{
	static char path[PATH_MAX];

	if (unified)
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s", cgroup, name);
	else
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s/%s", controller, cgroup, name);
	return path;
}

static void cgroup_make(void)
{
	for (size_t i = 0; i < (unified ? 1 : LENGTH(controllers)); i++)
		CHECK("mkdir cgroup", mkdir(cgroup_file(controllers[i], ""), 0755));
	write_file(cgroup_file("memory", unified ? "memory.max" : "memory.limit_in_bytes"), "536870912");
	write_file(cgroup_file("pids", "pids.max"), "1024");
	if (unified)
		return;
	write_file(cgroup_file("devices", "devices.deny"), "a");
	for (size_t i = 0; i < LENGTH(device_rules); i++)
		write_file(cgroup_file("devices", "devices.allow"), device_rules[i]);
}

/* A thread that moves itself needs no lock over all processes, hence "tasks": cgroup.procs waits for a grace period. */
static void cgroup_enter(void)
{
	for (size_t i = 0; !unified && i < LENGTH(controllers); i++)
		write_file(cgroup_file(controllers[i], "tasks"), "0");
	CHECK("unshare cgroup", unshare(CLONE_NEWCGROUP));
}

static void cgroup_remove(void)
{
	for (size_t i = 0; i < (unified ? 1 : LENGTH(controllers)); i++)
		CHECK("rmdir cgroup", rmdir(cgroup_file(controllers[i], "")));
}

static void mount_at(const char *type, const char *target, unsigned long flags, const char *data)
{
	if (mkdir(target, 0755) < 0 && errno != EEXIST)
		die(target);
	CHECK(target, mount(type, target, type, flags, data));
}

/* Whole work of mounting below the new root, which is the working directory. */
static void mount_rootfs(const char *rootfs)
{
	char data[PATH_MAX * 2];

	CHECK("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	snprintf(data, sizeof(data), "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,volatile", rootfs, scratch,
		 scratch);
	CHECK("overlay", mount("overlay", in(scratch, "merged"), "overlay", 0, data));
	CHECK("chdir", chdir(in(scratch, "merged")));
	mount_at("proc", "proc", PRIVATE, NULL);
	mount_at("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	mount_at("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
	mount_at("sysfs", "sys", PRIVATE | MS_RDONLY, NULL);
	mount_at("mqueue", "dev/mqueue", PRIVATE, NULL);
	mount_at("tmpfs", "dev/shm", PRIVATE, "mode=1777,size=65536k");
}

static void mount_cgroups(void)
{
	char target[64];

	if (unified) {
		mount_at("cgroup2", "sys/fs/cgroup", PRIVATE | MS_RDONLY, NULL);
		return;
	}
	mount_at("tmpfs", "sys/fs/cgroup", PRIVATE, "mode=755");
	for (size_t i = 0; i < LENGTH(controllers); i++) {
		snprintf(target, sizeof(target), "sys/fs/cgroup/%s", controllers[i]);
		mount_at("cgroup", target, PRIVATE | MS_RDONLY, controllers[i]);
	}
	CHECK("cgroup read-only", mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | PRIVATE, NULL));
}

static void make_devices(void)
{
	mode_t mask = umask(0);

	for (size_t i = 0; i < LENGTH(nodes); i++)
		CHECK(nodes[i].name, mknod(nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
	umask(mask);
	for (size_t i = 0; i < LENGTH(links); i++)
		CHECK(links[i][1], symlink(links[i][0], links[i][1]));
}

static void bind_files(void)
{
	char target[64];
	int fd;

	for (size_t i = 0; i < LENGTH(files); i++) {
		snprintf(target, sizeof(target), "etc/%s", files[i][0]);
		fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		CHECK(target, fd);
		close(fd);
		CHECK(target, mount(in(scratch, files[i][0]), target, NULL, MS_BIND, NULL));
	}
}

static void pivot(void)
{
	CHECK("pivot_root", syscall(SYS_pivot_root, ".", "."));
	CHECK("umount old root", umount2(".", MNT_DETACH));
	CHECK("chdir /", chdir("/"));
}

static void hide_paths(void)
{
	struct stat st;

	for (size_t i = 0; i < LENGTH(read_only); i++) {
		if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) < 0 && errno == ENOENT)
			continue;
		CHECK(read_only[i], mount(NULL, read_only[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | PRIVATE, NULL));
	}
	for (size_t i = 0; i < LENGTH(masked); i++) {
		if (stat(masked[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			CHECK(masked[i], mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL));
		else
			CHECK(masked[i], mount("/dev/null", masked[i], NULL, MS_BIND, NULL));
	}
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK("socket", fd);
	CHECK("lo up", ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static void set_caps(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { DEFAULT_CAPS, DEFAULT_CAPS, 0 }, { 0 } };

	for (int i = 0; i <= CAP_LAST_CAP; i++) {
		if (i > 31 || !(DEFAULT_CAPS >> i & 1))
			CHECK("bounding set", prctl(PR_CAPBSET_DROP, i, 0, 0, 0));
	}
	CHECK("setgroups", syscall(SYS_setgroups, 0, NULL));
	CHECK("setgid", syscall(SYS_setresgid, 0, 0, 0));
	CHECK("setuid", syscall(SYS_setresuid, 0, 0, 0));
	CHECK("capset", syscall(SYS_capset, &header, data));
}

static void read_filter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(path, fd);
	CHECK(path, n = read(fd, filter_code, sizeof(filter_code)));
	close(fd);
	filter.len = n / sizeof(*filter_code);
}

/* As execvp() would, but on the container's own root and without the caller's environment. */
static void execute(char **command)
{
	static char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				       "HOSTNAME=0123456789ab", "HOME=/root", NULL };
	static const char *const directories[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
						   "/usr/bin",	      "/sbin",		"/bin" };

	for (size_t i = 0; i < LENGTH(directories); i++)
		execve(in(directories[i], command[0]), command, environment);
	die(command[0]);
}

static void contain(const char *rootfs, char **command)
{
	cgroup_enter();
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "floor");
	CHECK("sethostname", sethostname("0123456789ab", 12));
	loopback_up();
	mount_rootfs(rootfs);
	mount_cgroups();
	make_devices();
	bind_files();
	pivot();
	hide_paths();
	CHECK("close_range", syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
	/* Without no_new_privs a filter wants CAP_SYS_ADMIN, so it comes before the capabilities go. */
	CHECK("seccomp", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
	set_caps();
	execute(command);
}

static void make_scratch(void)
{
	static const char *const directories[] = { "", "upper", "work", "merged" };

	for (size_t i = 0; i < LENGTH(directories); i++)
		CHECK("mkdir scratch", mkdir(in(scratch, directories[i]), 0755));
	for (size_t i = 0; i < LENGTH(files); i++)
		write_file(in(scratch, files[i][0]), files[i][1]);
}

static void remove_tree(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	CHECK(name, fd);
	dir = fdopendir(fd);
	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0)
			remove_tree(fd, entry->d_name);
	}
	closedir(dir);
	CHECK(name, unlinkat(parent, name, AT_REMOVEDIR));
}

static pid_t start(const char *rootfs, char **command)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (unified) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = open(cgroup_file("", ""), O_PATH | O_CLOEXEC);
	}
	CHECK("clone3", pid = syscall(SYS_clone3, &args, sizeof(args)));
	if (!pid)
		contain(rootfs, command);
	return pid;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 6) {
		dprintf(STDERR_FILENO, "usage: floor ROOTFS SCRATCH FILTER CGROUP COMMAND...\n");
		return 125;
	}
	snprintf(scratch, sizeof(scratch), "%s", argv[2]);
	cgroup = argv[4];
	unified = !access("/sys/fs/cgroup/cgroup.controllers", F_OK);
	read_filter(argv[3]);
	make_scratch();
	cgroup_make();
	pid = start(argv[1], argv + 5);
	CHECK("wait", waitpid(pid, &status, 0));
	remove_tree(AT_FDCWD, scratch);
	cgroup_remove();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
