/* caps: names and sets of capabilities. Source: capabilities(7), linux/capability.h. */
#include "kernel/caps.h"

#include <linux/capability.h>
#include <sys/capability.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/library.h"

/* Opened on first use: mapping it costs every program 0.1 ms, and few launches ask it anything. */
static struct {
	cap_t (*get_proc)(void);
	int (*get_flag)(cap_t, cap_value_t, cap_flag_t, cap_flag_value_t *);
	int (*get_bound)(cap_value_t);
	int (*free)(void *);
} cap;

static const struct library_symbol symbols[] = {
	{ "cap_get_proc", &cap.get_proc },
	{ "cap_get_flag", &cap.get_flag },
	{ "cap_get_bound", &cap.get_bound },
	{ "cap_free", &cap.free },
};

static struct library libcap = {
	.soname = "libcap.so.2",
	.package = "libcap2",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

#define CAP(name) [CAP_##name] = "CAP_" #name
static const char *const names[] = {
	CAP(CHOWN),
	CAP(DAC_OVERRIDE),
	CAP(DAC_READ_SEARCH),
	CAP(FOWNER),
	CAP(FSETID),
	CAP(KILL),
	CAP(SETGID),
	CAP(SETUID),
	CAP(SETPCAP),
	CAP(LINUX_IMMUTABLE),
	CAP(NET_BIND_SERVICE),
	CAP(NET_BROADCAST),
	CAP(NET_ADMIN),
	CAP(NET_RAW),
	CAP(IPC_LOCK),
	CAP(IPC_OWNER),
	CAP(SYS_MODULE),
	CAP(SYS_RAWIO),
	CAP(SYS_CHROOT),
	CAP(SYS_PTRACE),
	CAP(SYS_PACCT),
	CAP(SYS_ADMIN),
	CAP(SYS_BOOT),
	CAP(SYS_NICE),
	CAP(SYS_RESOURCE),
	CAP(SYS_TIME),
	CAP(SYS_TTY_CONFIG),
	CAP(MKNOD),
	CAP(LEASE),
	CAP(AUDIT_WRITE),
	CAP(AUDIT_CONTROL),
	CAP(SETFCAP),
	CAP(MAC_OVERRIDE),
	CAP(MAC_ADMIN),
	CAP(SYSLOG),
	CAP(WAKE_ALARM),
	CAP(BLOCK_SUSPEND),
	CAP(AUDIT_READ),
	CAP(PERFMON),
	CAP(BPF),
	CAP(CHECKPOINT_RESTORE),
};

/* Compares as far as @upper goes, whatever the case of @text; strcasecmp() would ask the host's locale. */
static bool begins_with(const char *text, const char *upper)
{
	for (; *upper; text++, upper++)
		if ((*text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text) != *upper)
			return false;
	return true;
}

int caps_number(const char *name)
{
	if (begins_with(name, "CAP_"))
		name += 4;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (begins_with(name, names[i] + 4) && name[strlen(names[i] + 4)] == '\0')
			return (int)i;
	return -1;
}

const char *caps_name(int number)
{
	return number >= 0 && (size_t)number < ARRAY_SIZE(names) ? names[number] : NULL;
}

/* The bounding set's prctl refuses numbers that the kernel doesn't know; no procfs is needed for the answer. */
uint64_t caps_all(void)
{
	static _Atomic uint64_t asked;
	uint64_t mask = atomic_load_explicit(&asked, memory_order_relaxed);

	if (mask)
		return mask;
	for (unsigned long n = 0; n < ARRAY_SIZE(names) && prctl(PR_CAPBSET_READ, n, 0, 0, 0) >= 0; n++)
		mask |= UINT64_C(1) << n;
	atomic_store_explicit(&asked, mask, memory_order_relaxed);
	return mask;
}

uint64_t caps_own(void)
{
	uint64_t mask = 0;
	cap_t own;

	/* Without it every capability is asked for; the launch leaves out what is not there to give. */
	if (library_open(&libcap, NULL) < 0)
		return caps_all();
	own = cap.get_proc();
	if (!own)
		return caps_all();
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		cap_flag_value_t value = CAP_CLEAR;

		if (cap.get_flag(own, (cap_value_t)n, CAP_PERMITTED, &value) == 0 && value == CAP_SET &&
		    cap.get_bound((cap_value_t)n) > 0)
			mask |= UINT64_C(1) << n;
	}
	cap.free(own);
	return mask;
}

uint64_t caps_default(void)
{
	static const unsigned char numbers[] = {
		CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,	     CAP_FOWNER,
		CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,	     CAP_SETUID,
		CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
		CAP_KILL,    CAP_AUDIT_WRITE,
	};
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		mask |= UINT64_C(1) << numbers[i];
	return mask;
}
