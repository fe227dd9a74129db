/*
 * seccomp_shrink: a filter with the same answers in a quarter of the instructions. The kernel checks, translates and
 * tries out a filter whenever a container starts, which takes 0.3 ms for what libseccomp makes of the default profile
 * (1,270 instructions: one comparison a call and architecture) and 0.1 ms for this.
 *
 * For most calls the answer depends on the number alone, and neighbours mostly have the same. So the program is run for
 * every number at which one of its comparisons can turn, once an architecture; the ranges between become a binary
 * search. What follows the first look at an argument is taken over as it is. A program with anything in it that this
 * does not know is left alone.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "kernel/seccomp_impl.h"

enum { MAX_POINTS = 4 * BPF_MAXINSNS, NEAR = 255 };
enum { LOAD = BPF_LD | BPF_W | BPF_ABS, RETURN = BPF_RET | BPF_K, GOTO = BPF_JMP | BPF_JA };

/* Where a run of the program ends: at a return, or at the first load of an argument. */
struct end {
	bool known;
	bool looks; /* at an argument, at instruction @at */
	uint32_t at, action;
};

/* From @first on, up to the next range, calls end like this. */
struct range {
	uint32_t first;
	struct end end;
};

struct shrink {
	const struct sock_filter *old;
	size_t n_old;
	uint32_t *points; /* owned; numbers at which a comparison can turn */
	size_t n_points;
	/* The new program, the last instruction first, for jumps go forward only: their targets are known then. */
	struct sock_filter *back; /* owned */
	size_t n_back;
	uint32_t *copied; /* owned; place in @back of old instructions that are taken over; 0: is not */
	bool failed;
};

static void shrink_done(struct shrink *s)
{
	free(s->points);
	free(s->back);
	free(s->copied);
}

static bool is_compare(uint16_t code)
{
	return code == (BPF_JMP | BPF_JEQ | BPF_K) || code == (BPF_JMP | BPF_JGE | BPF_K) ||
	       code == (BPF_JMP | BPF_JGT | BPF_K);
}

static struct end run(const struct shrink *s, uint32_t arch, uint32_t nr)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < s->n_old; pc++) {
		const struct sock_filter *i = &s->old[pc];

		if (i->code == LOAD && i->k == offsetof(struct seccomp_data, nr))
			a = nr;
		else if (i->code == LOAD && i->k == offsetof(struct seccomp_data, arch))
			a = arch;
		else if (i->code == LOAD)
			return (struct end){ .known = true, .looks = true, .at = (uint32_t)pc };
		else if (i->code == RETURN)
			return (struct end){ .known = true, .action = i->k };
		else if (i->code == GOTO)
			pc += i->k;
		else if (i->code == (BPF_JMP | BPF_JEQ | BPF_K))
			pc += a == i->k ? i->jt : i->jf;
		else if (i->code == (BPF_JMP | BPF_JGE | BPF_K))
			pc += a >= i->k ? i->jt : i->jf;
		else if (i->code == (BPF_JMP | BPF_JGT | BPF_K))
			pc += a > i->k ? i->jt : i->jf;
		else
			break;
	}
	return (struct end){ 0 };
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Between two neighbouring points no comparison of the number can change its mind. */
static bool find_points(struct shrink *s)
{
	size_t n = 0;

	s->points = malloc((2 * s->n_old + 1) * sizeof(*s->points));
	if (!s->points)
		return false;
	s->points[n++] = 0;
	for (size_t i = 0; i < s->n_old; i++) {
		if (!is_compare(s->old[i].code))
			continue;
		s->points[n++] = s->old[i].k;
		if (s->old[i].k != UINT32_MAX)
			s->points[n++] = s->old[i].k + 1;
	}
	qsort(s->points, n, sizeof(*s->points), by_value);
	for (size_t i = 0; i < n; i++)
		if (s->n_points == 0 || s->points[i] != s->points[s->n_points - 1])
			s->points[s->n_points++] = s->points[i];
	return true;
}

static bool same_end(const struct end *a, const struct end *b)
{
	return a->looks == b->looks && (a->looks ? a->at == b->at : a->action == b->action);
}

/* The ranges of one architecture; their count, 0: something is not known. */
static size_t find_ranges(const struct shrink *s, uint32_t arch, struct range *ranges)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_points; i++) {
		struct end end = run(s, arch, s->points[i]);

		if (!end.known)
			return 0;
		if (n == 0 || !same_end(&ranges[n - 1].end, &end))
			ranges[n++] = (struct range){ .first = s->points[i], .end = end };
	}
	return n;
}

/* Puts one more instruction before all the others. Its place, counted from the end, starting with 1. */
static uint32_t put(struct shrink *s, uint16_t code, unsigned jt, unsigned jf, uint32_t k)
{
	if (s->n_back == BPF_MAXINSNS) {
		s->failed = true;
		return 1;
	}
	s->back[s->n_back++] = (struct sock_filter){ code, (uint8_t)jt, (uint8_t)jf, k };
	return (uint32_t)s->n_back;
}

/* How far the instruction that is put next jumps to get to @place. */
static uint32_t distance(const struct shrink *s, uint32_t place)
{
	return (uint32_t)s->n_back - place;
}

/* Marks what can be reached from instruction @at, which has looked at an argument. */
static bool mark(struct shrink *s, size_t at)
{
	s->copied[at] = 1;
	for (size_t pc = at; pc < s->n_old; pc++) {
		const struct sock_filter *i = &s->old[pc];
		bool conditional = BPF_CLASS(i->code) == BPF_JMP && i->code != GOTO;

		if (!s->copied[pc])
			continue;
		if (i->code == RETURN)
			continue;
		if (BPF_CLASS(i->code) == BPF_RET || BPF_CLASS(i->code) == BPF_ST || BPF_CLASS(i->code) == BPF_STX ||
		    BPF_CLASS(i->code) == BPF_LDX || BPF_CLASS(i->code) == BPF_MISC ||
		    (BPF_CLASS(i->code) == BPF_LD && i->code != LOAD))
			return false;
		for (int way = 0; way < 1 + conditional; way++) {
			size_t to = pc + 1 + (i->code == GOTO ? i->k : !conditional ? 0 : way ? i->jt : i->jf);

			if (to >= s->n_old)
				return false;
			s->copied[to] = 1;
		}
	}
	return true;
}

/* In their order, so that no jump gets longer. What follows one without a jump follows it here too. */
static void copy_marked(struct shrink *s)
{
	for (size_t pc = s->n_old; pc-- > 0;) {
		struct sock_filter i = s->old[pc];

		if (!s->copied[pc])
			continue;
		if (i.code == GOTO) {
			i.k = distance(s, s->copied[pc + 1 + i.k]);
		} else if (BPF_CLASS(i.code) == BPF_JMP) {
			i.jt = (uint8_t)distance(s, s->copied[pc + 1 + i.jt]);
			i.jf = (uint8_t)distance(s, s->copied[pc + 1 + i.jf]);
		}
		s->copied[pc] = put(s, i.code, i.jt, i.jf, i.k);
	}
}

/* A place near enough for a conditional jump, where calls of this end go. */
static uint32_t leaf(struct shrink *s, const struct end *end)
{
	/* A few instructions are yet to come between here and the jump. */
	for (size_t back = s->n_back; back > 0 && s->n_back - back < NEAR - 8; back--) {
		const struct sock_filter *i = &s->back[back - 1];

		if (!end->looks && i->code == RETURN && i->k == end->action)
			return (uint32_t)back;
	}
	if (end->looks)
		return put(s, GOTO, 0, 0, distance(s, s->copied[end->at]));
	return put(s, RETURN, 0, 0, end->action);
}

/* A binary search through @n ranges. Where it begins. */
static uint32_t search(struct shrink *s, const struct range *ranges, size_t n)
{
	uint32_t low, high;

	if (n == 1)
		return leaf(s, &ranges[0].end);
	high = search(s, ranges + n / 2, n - n / 2);
	low = search(s, ranges, n / 2);
	/* One less for the first: the other's detour may still come between. */
	if (distance(s, high) > NEAR - 1)
		high = put(s, GOTO, 0, 0, distance(s, high));
	if (distance(s, low) > NEAR)
		low = put(s, GOTO, 0, 0, distance(s, low));
	return put(s, BPF_JMP | BPF_JGE | BPF_K, distance(s, high), distance(s, low), ranges[n / 2].first);
}

static bool mark_arguments(struct shrink *s, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].end.looks && !mark(s, ranges[i].end.at))
			return false;
	return true;
}

/* The section of one architecture; where it begins. */
static uint32_t section(struct shrink *s, const struct range *ranges, size_t n)
{
	uint32_t begin = search(s, ranges, n);

	/* The search has to stand directly behind the load. */
	if (begin != s->n_back)
		put(s, GOTO, 0, 0, distance(s, begin));
	return put(s, LOAD, 0, 0, offsetof(struct seccomp_data, nr));
}

enum { MAX_ARCHES = 8 };

/* Takes over what looks at arguments, and puts a section for each architecture before it. */
static bool rebuild(struct shrink *s, const uint32_t *arches, size_t n_arches, struct range *ranges, size_t room)
{
	uint32_t begins[MAX_ARCHES];
	struct end other = run(s, 0, 0);
	size_t n[MAX_ARCHES];

	if (!other.known || other.looks)
		return false;
	for (size_t i = 0; i < n_arches; i++) {
		n[i] = find_ranges(s, arches[i], ranges + i * room);
		if (n[i] == 0 || !mark_arguments(s, ranges + i * room, n[i]))
			return false;
	}
	copy_marked(s);
	for (size_t i = n_arches; i-- > 0;)
		begins[i] = section(s, ranges + i * room, n[i]);
	put(s, RETURN, 0, 0, other.action);
	for (size_t i = n_arches; i-- > 0;) {
		put(s, GOTO, 0, 0, distance(s, begins[i]));
		put(s, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, arches[i]);
	}
	put(s, LOAD, 0, 0, offsetof(struct seccomp_data, arch));
	return !s->failed;
}

void seccomp_shrink(struct strbuf *program, const uint32_t *arches, size_t n_arches)
{
	_cleanup_(shrink_done) struct shrink s = {
		.old = (const struct sock_filter *)program->text,
		.n_old = program->len / sizeof(struct sock_filter),
	};
	_cleanup_free_ struct range *ranges = NULL;

	if (n_arches > MAX_ARCHES || !find_points(&s))
		return;
	ranges = calloc(n_arches * s.n_points, sizeof(*ranges));
	s.back = calloc(BPF_MAXINSNS, sizeof(*s.back));
	s.copied = calloc(s.n_old, sizeof(*s.copied));
	if (!ranges || !s.back || !s.copied || !rebuild(&s, arches, n_arches, ranges, s.n_points) ||
	    s.n_back >= s.n_old)
		return;
	strbuf_reset(program);
	for (size_t i = s.n_back; i-- > 0;)
		strbuf_add(program, &s.back[i], sizeof(s.back[i]));
}
