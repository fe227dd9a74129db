/*
 * attr: the attributes of netlink messages, and what lies around them. Written at the end of a message that has room,
 * read from what the kernel sent. Here rather than by libmnl: to load that took each program that links libteu 0.06 ms,
 * a tenth of its start.
 * Source: netlink(7); Documentation/userspace-api/netlink/intro.rst of the kernel, "Attributes".
 */
#ifndef TEU_KERNEL_ATTR_H
#define TEU_KERNEL_ATTR_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a whole message. nl_next() takes the length of what it passes off *@left. */
bool nl_ok(const struct nlmsghdr *m, int left);
const struct nlmsghdr *nl_next(const struct nlmsghdr *m, int *left);
const void *nl_payload(const struct nlmsghdr *m);
size_t nl_payload_len(const struct nlmsghdr *m);
void *nl_tail(const struct nlmsghdr *m); /* behind its last attribute */
/* The first attribute, behind a family's header of @header bytes. */
const struct nlattr *nl_first(const struct nlmsghdr *m, size_t header);

/* Writing, at the end of @m: @len bytes of a family's header, zeroed; then attributes. What attr_begin() gave is ended
 * by attr_end(). */
void *nl_put_header(struct nlmsghdr *m, size_t len);
void attr_put(struct nlmsghdr *m, uint16_t type, size_t len, const void *bytes);
void attr_put_text(struct nlmsghdr *m, uint16_t type, const char *text); /* with its zero */
void attr_put_u8(struct nlmsghdr *m, uint16_t type, uint8_t n);
void attr_put_u16(struct nlmsghdr *m, uint16_t type, uint16_t n);
void attr_put_u32(struct nlmsghdr *m, uint16_t type, uint32_t n);
struct nlattr *attr_begin(struct nlmsghdr *m, uint16_t type);
void attr_end(struct nlmsghdr *m, struct nlattr *begun);

/* Reading. attr_ok(): a whole one lies in the @left bytes from @a on. */
bool attr_ok(const struct nlattr *a, ptrdiff_t left);
const struct nlattr *attr_next(const struct nlattr *a);
uint16_t attr_type(const struct nlattr *a);
const void *attr_payload(const struct nlattr *a);
size_t attr_len(const struct nlattr *a); /* of the payload */
const char *attr_text(const struct nlattr *a);
uint8_t attr_u8(const struct nlattr *a);
uint16_t attr_u16(const struct nlattr *a);
uint32_t attr_u32(const struct nlattr *a);

#define attr_foreach(a, m, header)                                                                                     \
	for ((a) = nl_first(m, header); attr_ok(a, (const char *)nl_tail(m) - (const char *)(a)); (a) = attr_next(a))
#define attr_foreach_in(a, outer)                                                                                      \
	for ((a) = attr_payload(outer);                                                                                \
	     attr_ok(a, (const char *)attr_payload(outer) + attr_len(outer) - (const char *)(a)); (a) = attr_next(a))

#endif
