/* nl_batch: netlink messages that are ready to be sent by a process that knows nothing of them. */
#include "kernel/nl_batch.h"

#include <libmnl/libmnl.h>

#include "kernel/addr.h"
#include "kernel/conntrack.h"
#include "kernel/link.h"
#include "kernel/nft.h"

int nl_batch_take(struct nl_batch *ret, int protocol, struct nl_writer *w, teu_error **err)
{
	if (w->bytes.oom)
		return err_oom(err);
	*ret = (struct nl_batch){
		.protocol = protocol, .bytes = w->bytes.text, .n_bytes = w->bytes.len, .pid_at = SIZE_MAX
	};
	w->bytes = STRBUF_INIT;
	return 0;
}

void nl_batch_done(struct nl_batch *batch)
{
	free(batch->bytes);
	*batch = (struct nl_batch){ .pid_at = SIZE_MAX };
}

/* Types mean something else in each protocol. */
static void describe(int protocol, const struct nlmsghdr *m, struct strbuf *text)
{
	bool known = protocol == NETLINK_ROUTE ? link_describe(m, text) || addr_describe(m, text)
					       : nft_describe(m, text) || conntrack_describe(m, text);

	if (!known)
		strbuf_addf(text, "message of type %u", m->nlmsg_type);
}

int nl_batch_send(const struct nl_batch *batch, teu_error **err)
{
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	const struct nlmsghdr *failed;
	int r;

	if (batch->n_bytes == 0)
		return 0;
	r = nl_send(batch->protocol, batch->bytes, batch->n_bytes, &failed);
	if (r == 0)
		return 0;
	if (!failed)
		return err_errno(err, -r, "talk to the kernel by netlink");
	describe(batch->protocol, failed, &text);
	return text.oom ? err_oom(err) : err_errno(err, -r, "%.160s", text.text);
}

void nl_batch_describe(const struct nl_batch *batch, struct strv *lines)
{
	_cleanup_(strbuf_done) struct strbuf text = STRBUF_INIT;
	const struct nlmsghdr *m = batch->bytes;
	int left = (int)batch->n_bytes;

	for (; m && mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		strbuf_reset(&text);
		describe(batch->protocol, m, &text);
		strv_add(lines, text.oom ? "" : text.text);
	}
	lines->oom |= text.oom;
}
