#include "tocsin/str.h"

#include "tocsin/arena.h"

#include <limits.h>
#include <stdint.h>

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t str_find_char(struct str s, char c)
{
    const char *hit = s.n > 0 ? memchr(s.p, c, s.n) : NULL;
    return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

struct str str_cut(struct str *rest, char separator)
{
    size_t at = str_find_char(*rest, separator);
    struct str before = {rest->p, at};
    if (at == rest->n)
        *rest = (struct str){NULL, 0};
    else
        *rest = (struct str){rest->p + at + 1, rest->n - at - 1};
    return before;
}

struct str str_cut_word(struct str *rest)
{
    struct str s = str_trim(*rest);
    size_t n = 0;
    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
        n++;
    if (n > 0)
        *rest = str_trim((struct str){s.p + n, s.n - n});
    return (struct str){s.p, n};
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

size_t str_rune(const char *p, size_t n, int *rune)
{
    static const int lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)p[0];
    if (c < 0x80) {
        *rune = c;
        return 1;
    }
    *rune = -1;
    size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || length > n)
        return 1;
    int value = c & (0x7F >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)p[i];
        if ((next & 0xC0) != 0x80)
            return 1;
        value = value << 6 | (next & 0x3F);
    }
    if (value < lowest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 1;
    *rune = value;
    return length;
}

/* How many bytes at the front are ASCII, counted in eights; or all. */
static size_t ascii_prefix(struct str s)
{
    size_t i = 0;
    uint64_t eight;
    for (; i + sizeof eight <= s.n; i += sizeof eight) {
        memcpy(&eight, s.p + i, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            return i;
    }
    if (i == 0 || i == s.n)
        return i;
    memcpy(&eight, s.p + s.n - sizeof eight, sizeof eight); /* the last eight, of which some have been seen */
    return (eight & UINT64_C(0x8080808080808080)) == 0 ? s.n : i;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = ascii_prefix(s); i < s.n;) {
        int rune = (unsigned char)s.p[i];
        if (rune < 0x80) { /* mostly the few bytes behind the last whole word */
            i++;
            continue;
        }
        i += str_rune(s.p + i, s.n - i, &rune);
        if (rune < 0)
            return false;
    }
    return true;
}

struct str str_copy(struct arena *a, struct str s)
{
    char *copy = arena_copy_text(a, s.p, s.n);
    return (struct str){copy, copy != NULL ? s.n : 0};
}

bool str_to_i64(struct str s, long long *value)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    if (i == s.n)
        return false;
    long long v = 0; /* built downwards, since LLONG_MIN has no positive twin */
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.p[i] - '0', &v))
            return false;
    }
    if (!negative && v == LLONG_MIN)
        return false;
    *value = negative ? v : -v;
    return true;
}
