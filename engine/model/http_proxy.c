#include "tocsin/http_config.h"

#include <arpa/inet.h>
#include <ctype.h>

enum { ADDRESS_BYTES = 16, V4_AT = 12 };

/* v4 addresses in v6' form, so that there is one kind. */
static bool read_address(struct str text, uint8_t bytes[ADDRESS_BYTES])
{
    char copy[INET6_ADDRSTRLEN];
    static const uint8_t v4_prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};
    if (text.n >= sizeof copy || text.n == 0)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    memcpy(bytes, v4_prefix, sizeof v4_prefix);
    return inet_pton(AF_INET, copy, bytes + V4_AT) == 1 || inet_pton(AF_INET6, copy, bytes) == 1;
}

static bool is_v4(const uint8_t bytes[ADDRESS_BYTES])
{
    static const uint8_t v4_prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};
    return memcmp(bytes, v4_prefix, sizeof v4_prefix) == 0;
}

static bool is_loopback(const uint8_t bytes[ADDRESS_BYTES])
{
    static const uint8_t one[ADDRESS_BYTES] = {[15] = 1};
    return is_v4(bytes) ? bytes[V4_AT] == 127 : memcmp(bytes, one, sizeof one) == 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, long long bits)
{
    size_t whole = (size_t)bits / 8, rest = (size_t)bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* ADDRESS/BITS */
static bool in_network(struct str rule, const uint8_t address[ADDRESS_BYTES])
{
    uint8_t network[ADDRESS_BYTES];
    long long bits;
    struct str rest = rule;
    struct str head = str_cut(&rest, '/');
    if (rest.p == NULL || !read_address(head, network) || !str_to_i64(rest, &bits) || bits < 0 ||
        bits > ADDRESS_BYTES * 8)
        return false;
    bits += is_v4(network) ? V4_AT * 8 : 0;
    return bits <= ADDRESS_BYTES * 8 && same_bits(network, address, bits);
}

/* HOST:PORT or [HOST]:PORT; false: there is no port, and *rule is the host. */
static bool split_port(struct str *rule, struct str *port)
{
    size_t colon = str_find_char(*rule, ':');
    bool bracket = rule->n > 0 && rule->p[0] == '[';
    size_t close = bracket ? str_find_char(*rule, ']') : 0;
    if (bracket && close + 1 < rule->n && rule->p[close + 1] == ':') {
        *port = (struct str){rule->p + close + 2, rule->n - close - 2};
        *rule = (struct str){rule->p + 1, close - 1};
        return true;
    }
    struct str after = {rule->p + colon, rule->n - colon};
    if (bracket || colon == rule->n ||
        str_find_char((struct str){after.p + 1, after.n - 1}, ':') < after.n - 1)
        return false;
    *port = (struct str){after.p + 1, after.n - 1};
    rule->n = colon;
    return true;
}

static bool ends_nocase(struct str text, struct str end)
{
    return text.n >= end.n && str_eq_nocase((struct str){text.p + text.n - end.n, end.n}, end);
}

/* example.com: itself and what is under it; .example.com and *.example.com: what is under it. */
static bool is_under(struct str host, struct str rule)
{
    if (str_starts(rule, STR("*.")))
        rule = (struct str){rule.p + 1, rule.n - 1};
    if (rule.n > 0 && rule.p[0] == '.')
        return host.n > rule.n && ends_nocase(host, rule);
    if (str_eq_nocase(host, rule))
        return true;
    return host.n > rule.n && host.p[host.n - rule.n - 1] == '.' && ends_nocase(host, rule);
}

static bool rule_spares(struct str rule, struct str host, struct str port, const uint8_t *address)
{
    uint8_t other[ADDRESS_BYTES];
    struct str rule_port = {0};
    if (rule.n == 0)
        return false;
    if (str_is(rule, "*"))
        return true;
    if (str_find_char(rule, '/') < rule.n)
        return address != NULL && in_network(rule, address);
    if (split_port(&rule, &rule_port) && rule_port.n > 0 && !str_eq(rule_port, port))
        return false;
    if (rule.n == 0)
        return false;
    if (read_address(rule, other))
        return address != NULL && memcmp(address, other, sizeof other) == 0;
    return is_under(host, rule);
}

bool http_proxy_spares(struct str no_proxy, struct str host, struct str port)
{
    uint8_t address[ADDRESS_BYTES];
    bool numeric = read_address(host, address);
    if (str_is(host, "localhost") || (numeric && is_loopback(address)))
        return true;
    for (struct str rest = no_proxy; rest.p != NULL;)
        if (rule_spares(str_trim(str_cut(&rest, ',')), host, port, numeric ? address : NULL))
            return true;
    return false;
}
