#include "target_priv.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte at *at, decoded, and steps past it; -1 for a broken escape. */
static int take_byte(struct str s, size_t *at)
{
    if (s.p[*at] != '%') {
        *at += 1;
        return (unsigned char)s.p[*at - 1];
    }
    if (s.n - *at < 3)
        return -1;
    int high = hex_digit(s.p[*at + 1]), low = hex_digit(s.p[*at + 2]);
    *at += 3;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_control(int byte)
{
    return byte < 0x20 || byte == 0x7f;
}

static const char *raw_refusal(struct str raw)
{
    if (raw.n == 0 || raw.p[0] != '/')
        return "request target must start with a slash";
    for (size_t i = 0; i < raw.n; i++) {
        int byte = (unsigned char)raw.p[i];
        if (is_control(byte) || byte == ' ' || byte == '#')
            return "request target has a byte that must be escaped";
    }
    return NULL;
}

static const char *segment_refusal(struct str segment)
{
    size_t dots = 0, length = 0;
    for (size_t at = 0; at < segment.n; length++) {
        bool escaped = segment.p[at] == '%';
        int byte = take_byte(segment, &at);
        if (byte < 0)
            return "request target has a broken escape";
        if (is_control(byte))
            return "request path has an escaped control byte";
        if (escaped && (byte == '/' || byte == '\\'))
            return "request path has an escaped slash";
        dots += byte == '.';
    }
    bool dot_segment = dots == length && (length == 1 || length == 2);
    return dot_segment ? "request path has a dot segment" : NULL;
}

static const char *query_refusal(struct str query)
{
    for (size_t at = 0; at < query.n;) {
        int byte = take_byte(query, &at);
        if (byte < 0)
            return "request target has a broken escape";
        if (byte == 0)
            return "request target has an escaped NUL";
    }
    return NULL;
}

const char *target_refusal(struct str raw)
{
    const char *why = raw_refusal(raw);
    struct str query = raw;
    struct str path = str_cut(&query, '?');
    while (why == NULL && path.p != NULL)
        why = segment_refusal(str_cut(&path, '/'));
    return why != NULL ? why : query_refusal(query);
}

static int decode(struct arena *arena, struct str s, bool plus_is_space, struct str *out, struct err *err)
{
    char *to = arena_alloc(arena, s.n + 1);
    if (to == NULL)
        return err_set(err, ERR_LIMIT, "request does not fit its memory");
    size_t n = 0;
    for (size_t at = 0; at < s.n;) {
        bool plus = plus_is_space && s.p[at] == '+';
        int byte = take_byte(s, &at);
        if (byte < 0)
            return err_set(err, ERR_PARSE, "invalid URL escape");
        to[n++] = plus ? ' ' : (char)byte;
    }
    *out = (struct str){to, n};
    return 0;
}

static size_t count_pairs(struct str text)
{
    size_t count = 0;
    while (text.p != NULL)
        count += str_cut(&text, '&').n > 0;
    return count;
}

static int add_pair(struct arena *arena, struct str pair, struct param *to, struct err *err)
{
    struct str value = pair;
    struct str name = str_cut(&value, '=');
    int rc = decode(arena, name, true, &to->name, err);
    return rc != 0 ? rc : decode(arena, value, true, &to->value, err);
}

static int add_pairs(struct arena *arena, struct str text, struct target *target, struct err *err)
{
    while (text.p != NULL) {
        struct str pair = str_cut(&text, '&');
        if (pair.n == 0)
            continue;
        int rc = add_pair(arena, pair, &target->params[target->count], err);
        if (rc != 0)
            return rc;
        target->count++;
    }
    return 0;
}

int target_parse(struct arena *arena, struct str raw, struct target *out, struct err *err)
{
    struct str query = raw;
    struct str path = str_cut(&query, '?');
    *out = (struct target){0};
    int rc = decode(arena, path, false, &out->path, err);
    if (rc != 0)
        return rc;
    out->params = ARENA_ARRAY(arena, struct param, count_pairs(query));
    if (out->params == NULL)
        return err_set(err, ERR_LIMIT, "request does not fit its memory");
    rc = add_pairs(arena, query, out, err);
    out->url_count = out->count;
    return rc;
}

int target_add_form(struct arena *arena, struct str body, struct target *target, struct err *err)
{
    struct target merged = {.path = target->path, .url_count = target->url_count};
    merged.params = ARENA_ARRAY(arena, struct param, count_pairs(body) + target->count);
    if (merged.params == NULL)
        return err_set(err, ERR_LIMIT, "request does not fit its memory");
    int rc = add_pairs(arena, body, &merged, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < target->count; i++)
        merged.params[merged.count++] = target->params[i];
    *target = merged;
    return 0;
}
