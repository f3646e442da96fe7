/*
 * json_plain_priv: how much of a text stands for itself in a JSON string, looked at in eights: nearly all of what is read and
 * written does.
 */
#ifndef TOCSIN_BASE_JSON_PLAIN_PRIV_H
#define TOCSIN_BASE_JSON_PLAIN_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_EACH(byte) (UINT64_C(0x0101010101010101) * (uint64_t)(byte))

/* The highest bit of some byte is set if one of the eight is not ASCII, a control or `c`; of bytes that are all plain none is. */
static inline uint64_t json_eight_is(uint64_t eight, char c)
{
    return (eight ^ JSON_EACH(c)) - JSON_EACH(1);
}

/* The highest bits of those that are not plain, up to the first one exactly: only what stands behind it may be taken for odd. */
static inline uint64_t json_odd(const char *p, bool html)
{
    uint64_t eight;
    memcpy(&eight, p, sizeof eight);
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        eight = __builtin_bswap64(eight);
    uint64_t odd = eight | (eight - JSON_EACH(' ')) | json_eight_is(eight, '"') | json_eight_is(eight, '\\');
    if (html)
        odd |= json_eight_is(eight, '<') | json_eight_is(eight, '>') | json_eight_is(eight, '&');
    return odd & JSON_EACH(0x80);
}

static inline size_t json_first(uint64_t odd)
{
    return (size_t)__builtin_ctzll(odd) / 8;
}

static inline bool json_byte_is_plain(char c, bool html)
{
    if (html && (c == '<' || c == '>' || c == '&'))
        return false;
    return c >= ' ' && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* Bytes at the front of p[0..n) that are printable ASCII and need no backslash; html: and no escape where Go writes one. */
static inline size_t json_plain(const char *p, size_t n, bool html)
{
    size_t i = 0;
    uint64_t odd;
    for (; i + sizeof odd <= n; i += sizeof odd) {
        odd = json_odd(p + i, html);
        if (odd != 0)
            return i + json_first(odd);
    }
    if (i > 0 && i < n) { /* the last eight, of which some have been seen to be plain */
        odd = json_odd(p + n - sizeof odd, html);
        return odd != 0 ? n - sizeof odd + json_first(odd) : n;
    }
    while (i < n && json_byte_is_plain(p[i], html))
        i++;
    return i;
}

#endif
