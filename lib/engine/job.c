/*
 * job: what a monitor leaves to the library. libteu.so is a program too: its ELF entry point is here, so that a binding
 * that ships one file needs no second one for this. argv: teu-job remove|restart STATE_ROOT RUN_ROOT ID COUNT DELAY_MS.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "engine/finish.h"
#include "engine/start.h"
#include "init/plan.h"

#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#elif defined(__aarch64__)
#define LOADER "/lib/ld-linux-aarch64.so.1"
#endif

/* Makes the kernel start the dynamic linker for us, as for any program. */
const char job_interpreter[] __attribute__((section(".interp"), used)) = LOADER;

static int job_remove(teu_container *container, char **args)
{
	(void)args;
	finish_remove(container, false);
	return 0;
}

static int job_restart(teu_container *container, char **args)
{
	struct start_request request = { .alive_fd = FD_ALIVE };

	if (!parse_u32(args[0], &request.restarts) || !parse_u32(args[1], &request.delay_ms))
		return TEU_E_INVALID;
	return container_start(container, &request, NULL, NULL);
}

static const struct {
	const char *name;
	int (*run)(teu_container *container, char **args);
} jobs[] = { { "remove", job_remove }, { "restart", job_restart } };

static int run_job(int argc, char **argv)
{
	_cleanup_(teu_engine_unrefp) teu_engine *engine = NULL;
	_cleanup_(teu_container_unrefp) teu_container *container = NULL;
	teu_engine_options opts;

	if (argc != 7)
		return 2;
	teu_engine_options_init(&opts);
	opts.state_root = argv[2];
	opts.run_root = argv[3];
	if (teu_engine_open(&opts, &engine, NULL) < 0 || container_load(engine, argv[4], &container, NULL) < 0)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		if (strcmp(jobs[i].name, argv[1]) == 0)
			return jobs[i].run(container, argv + 5) < 0;
	return 2;
}

/* @stack: as the kernel left it: argc, argv, … */
void job_main(uintptr_t *stack) __attribute__((noreturn, used, visibility("hidden")));

void job_main(uintptr_t *stack)
{
	exit(run_job((int)stack[0], (char **)(stack + 1)));
}

#if defined(__x86_64__)
__asm__(".text\n.global teu_job_entry\n.hidden teu_job_entry\nteu_job_entry:\n\txor %ebp, %ebp\n\tmov %rsp, "
	"%rdi\n\tand $-16, %rsp\n"
	"\tcall job_main\n\thlt\n");
#elif defined(__aarch64__)
__asm__(".text\n.global teu_job_entry\n.hidden teu_job_entry\nteu_job_entry:\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, "
	"sp\n\tbl job_main\n");
#endif
