/* attach: the object behind teu_attach: the caller's end of a wire to a monitor. */
#ifndef TEU_ENGINE_ATTACH_H
#define TEU_ENGINE_ATTACH_H

#include "engine/container.h"
#include "init/wire.h"

struct teu_attach {
	atomic_int refs;
	teu_container *container; /* counted; NULL: none */
	int wire;
	bool removes; /* the container goes with its end (AutoRemove), and this end of the wire does it */
	bool stdin_closed;
	int32_t exit_status; /* -1: not ended */
	bool lost;	     /* the wire broke before the end was told */
	struct {
		struct wire_header header;
		char bytes[WIRE_MAX];
	} packet;	/* what came and is not read yet */
	size_t at, len; /* of packet.bytes */
};

DEFINE_CLEANUP(teu_attach *, teu_attach_unref)

/* Takes @wire over, also when it fails. @container may be NULL. */
int attach_new(teu_container *container, int wire, bool removes, teu_attach **ret, teu_error **err);

/* WIRE_WANT_… of @opts; NULL: all streams. */
uint32_t attach_wants(const teu_attach_options *opts);

/* Connects to a running container's monitor and greets it. TEU_E_CONFLICT: nobody listens. */
int attach_connect(teu_container *container, uint32_t wants, int *ret_wire, teu_error **err);

/* As above; one that waits for its next life by its policy is waited for. TEU_E_CONFLICT: it has none;
 * TEU_E_TIMEOUT, TEU_E_CANCELLED. @deadline_ms 0: none. */
int attach_connect_next(teu_container *container, int64_t deadline_ms, const teu_cancel *cancel, int *ret_wire,
			teu_error **err);

int attach_read(teu_attach *a, int32_t *ret_stream, void *buffer, size_t cap, size_t *ret_len, teu_error **err);
int attach_write(teu_attach *a, const void *buffer, size_t len, teu_error **err);
/* What the monitor takes now: returns how many bytes went, 0 when it has no room. */
int attach_try_write(teu_attach *a, const void *buffer, size_t len, teu_error **err);
/* Likewise; false: no room now. */
bool attach_try_end(teu_attach *a);
int attach_send(teu_attach *a, enum wire_type type, int32_t n1, int32_t n2, teu_error **err);

#endif
