/* bpf: an interpreter of classic BPF, of the instructions that a filter may have. Source: linux/filter.h, seccomp(2).
 */
#include "bpf.h"

#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(size_t pc, const struct sock_filter *i)
{
	fprintf(stderr, "bpf: instruction %zu, code %#x, k %#x\n", pc, i->code, i->k);
	abort();
}

uint32_t bpf_judge(const void *program, size_t n_bytes, const struct seccomp_data *call)
{
	const struct sock_filter *insns = program;
	size_t n = n_bytes / sizeof(*insns);
	uint32_t a = 0, mem[BPF_MEMWORDS] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &insns[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k % 4 || i->k >= sizeof(*call))
				refuse(pc, i);
			memcpy(&a, (const char *)call + i->k, 4);
			break;
		case BPF_LD | BPF_MEM:
		case BPF_ST:
			if (i->k >= BPF_MEMWORDS)
				refuse(pc, i);
			if (i->code == BPF_ST)
				mem[i->k] = a;
			else
				a = mem[i->k];
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			refuse(pc, i);
		}
	}
	fprintf(stderr, "bpf: the program of %zu instructions runs past its end\n", n);
	abort();
}
