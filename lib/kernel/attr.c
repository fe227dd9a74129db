/* attr: the attributes of netlink messages, and what lies around them. */
#include "kernel/attr.h"

#include <string.h>

bool nl_ok(const struct nlmsghdr *m, int left)
{
	return left >= (int)sizeof(*m) && m->nlmsg_len >= sizeof(*m) && m->nlmsg_len <= (uint32_t)left;
}

const struct nlmsghdr *nl_next(const struct nlmsghdr *m, int *left)
{
	*left -= (int)NLMSG_ALIGN(m->nlmsg_len);
	return (const struct nlmsghdr *)((const char *)m + NLMSG_ALIGN(m->nlmsg_len));
}

const void *nl_payload(const struct nlmsghdr *m)
{
	return (const char *)m + NLMSG_HDRLEN;
}

size_t nl_payload_len(const struct nlmsghdr *m)
{
	return m->nlmsg_len - NLMSG_HDRLEN;
}

void *nl_tail(const struct nlmsghdr *m)
{
	return (char *)m + NLMSG_ALIGN(m->nlmsg_len);
}

const struct nlattr *nl_first(const struct nlmsghdr *m, size_t header)
{
	return (const struct nlattr *)((const char *)nl_payload(m) + NLMSG_ALIGN(header));
}

void *nl_put_header(struct nlmsghdr *m, size_t len)
{
	void *header = nl_tail(m);

	memset(header, 0, NLMSG_ALIGN(len));
	m->nlmsg_len += (uint32_t)NLMSG_ALIGN(len);
	return header;
}

void attr_put(struct nlmsghdr *m, uint16_t type, size_t len, const void *bytes)
{
	struct nlattr *a = attr_begin(m, type);
	char *to = (char *)a + NLA_HDRLEN;

	a->nla_type = type;
	memcpy(to, bytes, len);
	memset(to + len, 0, NLA_ALIGN(len) - len);
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	m->nlmsg_len += (uint32_t)NLA_ALIGN(len);
}

void attr_put_text(struct nlmsghdr *m, uint16_t type, const char *text)
{
	attr_put(m, type, strlen(text) + 1, text);
}

void attr_put_u8(struct nlmsghdr *m, uint16_t type, uint8_t n)
{
	attr_put(m, type, sizeof(n), &n);
}

void attr_put_u16(struct nlmsghdr *m, uint16_t type, uint16_t n)
{
	attr_put(m, type, sizeof(n), &n);
}

void attr_put_u32(struct nlmsghdr *m, uint16_t type, uint32_t n)
{
	attr_put(m, type, sizeof(n), &n);
}

struct nlattr *attr_begin(struct nlmsghdr *m, uint16_t type)
{
	struct nlattr *a = nl_tail(m);

	a->nla_type = NLA_F_NESTED | type;
	m->nlmsg_len += NLA_HDRLEN;
	return a;
}

void attr_end(struct nlmsghdr *m, struct nlattr *begun)
{
	begun->nla_len = (uint16_t)((char *)nl_tail(m) - (char *)begun);
}

bool attr_ok(const struct nlattr *a, ptrdiff_t left)
{
	return left >= (ptrdiff_t)sizeof(*a) && a->nla_len >= sizeof(*a) && a->nla_len <= left;
}

const struct nlattr *attr_next(const struct nlattr *a)
{
	return (const struct nlattr *)((const char *)a + NLA_ALIGN(a->nla_len));
}

uint16_t attr_type(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

const void *attr_payload(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

size_t attr_len(const struct nlattr *a)
{
	return a->nla_len - (size_t)NLA_HDRLEN;
}

const char *attr_text(const struct nlattr *a)
{
	return attr_payload(a);
}

uint8_t attr_u8(const struct nlattr *a)
{
	return *(const uint8_t *)attr_payload(a);
}

uint16_t attr_u16(const struct nlattr *a)
{
	uint16_t n;

	memcpy(&n, attr_payload(a), sizeof(n));
	return n;
}

uint32_t attr_u32(const struct nlattr *a)
{
	uint32_t n;

	memcpy(&n, attr_payload(a), sizeof(n));
	return n;
}
