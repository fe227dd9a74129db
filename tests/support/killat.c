/*
 * killat N COMMAND [ARGUMENT...]: kills whichever process of COMMAND's is about to make the N-th system call that
 * changes something, and lets all others go on.
 * killat --fail ERRNO N COMMAND [ARGUMENT...]: lets the N-th call fail instead, of all that can, reads too; counted in
 * COMMAND itself only between two calls of getpgid(MARK). x86-64 only.
 *
 * All of its processes are counted together, also those that it leaves behind, until they execute a file that is
 * neither in memory nor our library: the container's own command is not ours. Prints "killed CALL of COMM" once done,
 * or "whole COUNT" when there were no N such calls; ends with the command. Calls that only read are not killed at: a
 * kill there is the same as one before the next change. Source: ptrace(2).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MARK = 0x7e7e };

/* What is asked for. */
static long wanted;
static int error; /* 0: kill */
static pid_t first;
static bool marked;
static pid_t failing; /* who is in the call that fails */

static const struct {
	long number;
	const char *name;
} changes[] = {
#define CALL(name)                                                                                                     \
	{                                                                                                              \
		SYS_##name, #name                                                                                      \
	}
	CALL(openat),	 CALL(openat2),	   CALL(mkdirat),
	CALL(renameat),	 CALL(renameat2),  CALL(unlinkat),
	CALL(symlinkat), CALL(linkat),	   CALL(mknodat),
	CALL(fchmod),	 CALL(fchmodat),   CALL(fchown),
	CALL(fchownat),	 CALL(write),	   CALL(writev),
	CALL(pwrite64),	 CALL(ftruncate),  CALL(sendto),
	CALL(sendmsg),	 CALL(clone),	   CALL(clone3),
	CALL(execve),	 CALL(execveat),   CALL(fsconfig),
	CALL(fsmount),	 CALL(move_mount), CALL(pivot_root),
	CALL(umount2),	 CALL(setns),	   CALL(fcntl),
	CALL(kill),	 CALL(wait4),	   CALL(pidfd_send_signal),
	CALL(prctl),	 CALL(exit_group), CALL(bind),
	CALL(listen),	 CALL(fsync),	   CALL(fdatasync),
	CALL(ioctl),	 CALL(setsockopt), CALL(close_range),
#ifdef SYS_mkdir
	CALL(mkdir),	 CALL(rmdir),	   CALL(rename),
	CALL(unlink),	 CALL(symlink),	   CALL(chmod),
#endif
#undef CALL
};

static const char *change(const struct __ptrace_syscall_info *info)
{
	if (info->op != PTRACE_SYSCALL_INFO_ENTRY)
		return NULL;
	if (info->entry.nr == SYS_openat && !(info->entry.args[2] & (O_CREAT | O_TRUNC)))
		return NULL;
	if (info->entry.nr == SYS_fcntl && info->entry.args[1] != F_OFD_SETLK && info->entry.args[1] != F_OFD_SETLKW)
		return NULL;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (changes[i].number == (long)info->entry.nr)
			return changes[i].name;
	return NULL;
}

/* Those that the kernel never lets fail, or whose failure nobody could hear of. */
static const long sure[] = {
	SYS_close,	  SYS_close_range, SYS_exit,	      SYS_exit_group,	   SYS_munmap,
	SYS_getpid,	  SYS_gettid,	   SYS_getuid,	      SYS_geteuid,	   SYS_getgid,
	SYS_getegid,	  SYS_umask,	   SYS_futex,	      SYS_rt_sigreturn,	   SYS_rt_sigprocmask,
	SYS_rt_sigaction, SYS_sched_yield, SYS_clock_gettime, SYS_set_robust_list, SYS_rseq,
};

static const char *number_of(long number)
{
	static char text[32];

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (changes[i].number == number)
			return changes[i].name;
	snprintf(text, sizeof(text), "%ld", number);
	return text;
}

/* The name of a call that may fail now. */
static const char *failure(pid_t pid, const struct __ptrace_syscall_info *info)
{
	if (info->op != PTRACE_SYSCALL_INFO_ENTRY)
		return NULL;
	if (pid == first && info->entry.nr == SYS_getpgid && info->entry.args[0] == MARK)
		marked = !marked;
	if (pid == first && (!marked || info->entry.nr == SYS_getpgid))
		return NULL;
	for (size_t i = 0; i < sizeof(sure) / sizeof(sure[0]); i++)
		if (sure[i] == (long)info->entry.nr)
			return NULL;
	return number_of((long)info->entry.nr);
}

#if defined(__x86_64__)
static void set_registers(pid_t pid, bool enters)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		return;
	if (enters)
		regs.orig_rax = (unsigned long long)-1;
	else
		regs.rax = (unsigned long long)-(long long)error;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
}
#else
static void set_registers(pid_t pid, bool enters)
{
	(void)pid;
	(void)enters;
}
#endif

static const char *comm_of(pid_t pid)
{
	static char text[64];
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(text, sizeof(text), file))
		strcpy(text, "?");
	if (file)
		fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* The helper runs from a memfd, a job is libteu.so itself. */
static bool runs_foreign(pid_t pid)
{
	char path[64], target[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return true;
	target[n] = '\0';
	return !strstr(target, "memfd:") && !strstr(target, "libteu") && !strstr(target, "/teu");
}

/* True once the one to be killed has been, or the call has failed. */
static bool on_syscall(pid_t pid, long *count)
{
	struct __ptrace_syscall_info info;
	const char *name;

	if (pid == failing) {
		set_registers(pid, false);
		return true;
	}
	if (failing || ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return false;
	name = error ? failure(pid, &info) : change(&info);
	if (!name || ++*count != wanted)
		return false;
	printf("%s %s of %s\n", error ? "failed" : "killed", name, comm_of(pid));
	fflush(stdout);
	if (error) {
		failing = pid;
		set_registers(pid, true);
		return false;
	}
	kill(pid, SIGKILL);
	return true;
}

static int end_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int follow(void)
{
	int status, first_status = 0;
	bool done = false;
	long count = 0;

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		int deliver = 0;

		/* Nobody is left, or nothing has happened for a second since the command ended. */
		if (pid < 0) {
			printf("whole %ld\n", count);
			return first_status;
		}
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			/* When the rest is let go at our end, what it does is no longer of interest. */
			if (pid == first && done)
				return end_status(status);
			if (pid == first) {
				first_status = end_status(status);
				alarm(1);
			}
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			done = done || on_syscall(pid, &count);
		else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8) && pid != first && runs_foreign(pid)) {
			ptrace(PTRACE_DETACH, pid, 0, 0);
			continue;
		} else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGTRAP)
			deliver = WSTOPSIG(status);
		ptrace(done ? PTRACE_DETACH : PTRACE_SYSCALL, pid, 0, deliver);
	}
}

static void on_alarm(int signal)
{
	(void)signal;
}

static int usage(void)
{
	fprintf(stderr, "usage: killat [--fail ERRNO] N COMMAND [ARGUMENT...]\n");
	return 2;
}

int main(int argc, char **argv)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		       PTRACE_O_TRACEEXEC;
	struct sigaction action = { .sa_handler = on_alarm };
	int status;

	if (argc > 2 && strcmp(argv[1], "--fail") == 0) {
		error = atoi(argv[2]);
		argv += 2;
		argc -= 2;
	}
	wanted = argc > 2 ? atol(argv[1]) : 0;
	if (wanted <= 0)
		return usage();
	sigaction(SIGALRM, &action, NULL);
	first = fork();
	if (first == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	if (first < 0 || waitpid(first, &status, 0) != first || ptrace(PTRACE_SETOPTIONS, first, 0, options) < 0)
		return 3;
	ptrace(PTRACE_SYSCALL, first, 0, 0);
	return follow();
}
