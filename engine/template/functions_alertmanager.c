#include "template_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/tree.h"

#include <math.h>

enum { JSON_DEPTH_MAX = 32 };

static int fail_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "out of memory for one template");
}

/* ---- texts ---- */

static int call_title(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    text_title(&text, args[0].text, true);
    return scratch_end(run, &text, out, err);
}

static bool is_space(int rune)
{
    return (rune >= '\t' && rune <= '\r') || rune == ' ' || rune == 0x85 || rune == 0xA0 || rune == 0x1680 ||
           (rune >= 0x2000 && rune <= 0x200A) || rune == 0x2028 || rune == 0x2029 || rune == 0x202F ||
           rune == 0x205F || rune == 0x3000;
}

static struct str text_trim(struct str s)
{
    size_t start = s.n, end = 0;
    int rune;
    for (size_t i = 0, n; i < s.n; i += n) {
        n = str_rune(s.p + i, s.n - i, &rune);
        if (is_space(rune))
            continue;
        start = i < start ? i : start;
        end = i + n;
    }
    return start < end ? (struct str){s.p + start, end - start} : (struct str){s.p, 0};
}

static int call_trim_space(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                           struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    *out = tval_text(text_trim(args[0].text));
    return 0;
}

static int call_join(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                     struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    for (size_t i = 0; i < args[1].list.count; i++) {
        if (i > 0)
            buf_str(&text, args[0].text);
        tval_print(&text, &args[1].list.items[i]);
    }
    return scratch_end(run, &text, out, err);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static int fail_escape(struct str s, size_t at, struct err *err)
{
    struct buf quoted;
    scratch_begin(&quoted);
    go_quote(&quoted, (struct str){s.p + at, s.n - at < 3 ? s.n - at : 3});
    err_set(err, ERR_EXEC, "invalid URL escape %s", buf_text(&quoted));
    buf_release(&quoted);
    return ERR_EXEC;
}

static int unescape(struct buf *text, struct str s, struct err *err)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            buf_char(text, s.p[i] == '+' ? ' ' : s.p[i]);
            continue;
        }
        if (s.n - i < 3 || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0)
            return fail_escape(s, i, err);
        buf_char(text, (char)(hex_value(s.p[i + 1]) * 16 + hex_value(s.p[i + 2])));
        i += 2;
    }
    return 0;
}

static int call_url_unescape(struct template_run *run, const struct tval *args, size_t count,
                             struct tval *out, struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    int rc = unescape(&text, args[0].text, err);
    if (rc == 0)
        return scratch_end(run, &text, out, err);
    buf_release(&text);
    return rc;
}

const struct tval_type type_url = {.go_name = "template.URL"};

static int call_safe_url(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                         struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    *out = args[0];
    out->type = &type_url;
    return 0;
}

/* ---- base64, with the alphabet for URLs ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int call_base64_encode(struct template_run *run, const struct tval *args, size_t count,
                              struct tval *out, struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    struct str s = args[0].text;
    for (size_t i = 0; i < s.n; i += 3) {
        unsigned bits = (unsigned)(unsigned char)s.p[i] << 16;
        bits |= i + 1 < s.n ? (unsigned)(unsigned char)s.p[i + 1] << 8 : 0;
        bits |= i + 2 < s.n ? (unsigned)(unsigned char)s.p[i + 2] : 0;
        buf_char(&text, alphabet[bits >> 18]);
        buf_char(&text, alphabet[bits >> 12 & 63]);
        buf_char(&text, i + 1 < s.n ? alphabet[bits >> 6 & 63] : '=');
        buf_char(&text, i + 2 < s.n ? alphabet[bits & 63] : '=');
    }
    return scratch_end(run, &text, out, err);
}

static int base64_value(char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;
    return at != NULL ? (int)(at - alphabet) : -1;
}

static size_t skip_line_ends(struct str s, size_t i)
{
    while (i < s.n && (s.p[i] == '\n' || s.p[i] == '\r'))
        i++;
    return i;
}

/* The padding that ends a group of `digits`: *i moves past it. -1 with *bad, the place Go names. */
static int read_padding(struct str s, size_t *i, unsigned digits, size_t *bad)
{
    *bad = *i;
    if (digits < 2)
        return -1;
    *i = skip_line_ends(s, *i + 1);
    if (digits == 2) {
        *bad = *i < s.n ? *i - 1 : s.n;
        if (*i >= s.n || s.p[*i] != '=')
            return -1;
        *i = skip_line_ends(s, *i + 1);
    }
    *bad = *i;
    return *i == s.n ? (int)digits - 1 : -1;
}

/* Reads one group of four at *i. The number of bytes it holds, 0 at the end, -1 with *bad. */
static int decode_group(struct str s, size_t *i, unsigned char bytes[3], size_t *bad)
{
    unsigned bits = 0, digits = 0;
    int count = 3;
    for (*i = skip_line_ends(s, *i); *i < s.n && digits < 4; *i = skip_line_ends(s, *i)) {
        if (s.p[*i] == '=') {
            count = read_padding(s, i, digits, bad);
            break;
        }
        *bad = *i;
        if (base64_value(s.p[*i]) < 0)
            return -1;
        bits = bits << 6 | (unsigned)base64_value(s.p[(*i)++]);
        digits++;
    }
    if (digits == 0 && count == 3)
        return 0;
    if (digits < 4 && count == 3) {
        *bad = *i - digits;
        return -1;
    }
    bits <<= 6 * (4 - digits);
    for (int b = 0; b < 3; b++)
        bytes[b] = (unsigned char)(bits >> (16 - 8 * b));
    return count;
}

static int call_base64_decode(struct template_run *run, const struct tval *args, size_t count,
                              struct tval *out, struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    struct str s = args[0].text;
    unsigned char bytes[3];
    size_t i = 0, bad = 0;
    int n = 3;
    while (n == 3) {
        n = decode_group(s, &i, bytes, &bad);
        if (n > 0)
            buf_add(&text, bytes, (size_t)n);
    }
    if (n >= 0)
        return scratch_end(run, &text, out, err);
    buf_release(&text);
    return err_set(err, ERR_EXEC, "illegal base64 data at input byte %zu", bad);
}

/* ---- lists and maps ---- */

static int call_string_slice(struct template_run *run, const struct tval *args, size_t count,
                             struct tval *out, struct err *err)
{
    struct tval *items = arena_copy(template_arena(run), args, count, sizeof *items);
    *out = tval_texts(items, count);
    return items != NULL ? 0 : fail_memory(err);
}

static int call_list(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                     struct err *err)
{
    struct tval *items = arena_copy(template_arena(run), args, count, sizeof *items);
    *out = tval_list(items, count);
    return items != NULL ? 0 : fail_memory(err);
}

static int call_append(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                       struct err *err)
{
    size_t have = args[0].list.count, more = count - 1;
    struct tval *items = ARENA_ARRAY(template_arena(run), struct tval, have + more);
    if (items == NULL)
        return fail_memory(err);
    if (have > 0)
        memcpy(items, args[0].list.items, have * sizeof *items);
    if (more > 0)
        memcpy(items + have, args + 1, more * sizeof *items);
    *out = tval_list(items, have + more);
    return 0;
}

/* Puts one pair where it belongs in a sorted map; a key given again keeps the last value. */
static void dict_put(struct tval_field *fields, size_t *count, struct str name, struct tval *value)
{
    size_t at = *count;
    while (at > 0 && str_cmp(fields[at - 1].name, name) > 0)
        at--;
    if (at > 0 && str_eq(fields[at - 1].name, name)) {
        fields[at - 1].value = value;
        return;
    }
    memmove(&fields[at + 1], &fields[at], (*count - at) * sizeof *fields);
    fields[at] = (struct tval_field){.name = name, .value = value};
    ++*count;
}

static int call_dict(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                     struct err *err)
{
    if (count % 2 != 0)
        return err_set(err, ERR_EXEC, "dict requires an even number of arguments");
    struct tval *values = arena_copy(template_arena(run), args, count, sizeof *values);
    struct tval_field *fields = ARENA_ARRAY(template_arena(run), struct tval_field, count / 2);
    if (values == NULL || fields == NULL)
        return fail_memory(err);
    size_t used = 0;
    for (size_t i = 0; i < count; i += 2) {
        if (args[i].kind != TVAL_TEXT || args[i].type != NULL)
            return err_set(err, ERR_EXEC, "dict keys must be strings");
        dict_put(fields, &used, args[i].text, &values[i + 1]);
    }
    *out = tval_map(fields, used, TVAL_NIL);
    return 0;
}

/* ---- JSON ---- */

static int add_json(struct buf *out, const struct tval *v, int depth, struct err *err);

static int add_json_list(struct buf *out, const struct tval *v, int depth, struct err *err)
{
    int rc = 0;
    buf_char(out, '[');
    for (size_t i = 0; i < v->list.count && rc == 0; i++) {
        if (i > 0)
            buf_char(out, ',');
        rc = add_json(out, &v->list.items[i], depth, err);
    }
    buf_char(out, ']');
    return rc;
}

static void add_json_name(struct buf *out, const struct tval *v, struct str name)
{
    size_t from = out->used;
    json_string(out, name);
    if (v->kind == TVAL_OBJECT && v->type->json_small && name.n > 0 && !buf_overflow(out))
        out->bytes[from + 1] = (char)rune_lower((unsigned char)out->bytes[from + 1]);
    buf_char(out, ':');
}

static int add_json_map(struct buf *out, const struct tval *v, int depth, struct err *err)
{
    int rc = 0;
    buf_char(out, '{');
    for (size_t i = 0; i < v->map.count && rc == 0; i++) {
        if (i > 0)
            buf_char(out, ',');
        add_json_name(out, v, v->map.fields[i].name);
        rc = add_json(out, v->map.fields[i].value, depth, err);
    }
    buf_char(out, '}');
    return rc;
}

static int add_json_float(struct buf *out, double v, struct err *err)
{
    if (isnan(v) || isinf(v))
        return err_set(err, ERR_EXEC, "json: unsupported value: %s",
                       isnan(v) ? "NaN"
                       : v > 0  ? "+Inf"
                                : "-Inf");
    go_float_json(out, v);
    if (out->used > 4 && memcmp(out->bytes + out->used - 4, "e-0", 3) == 0) { /* JSON has 1e-7, not 1e-07 */
        char last = out->bytes[out->used - 1];
        buf_truncate(out, out->used - 2);
        buf_char(out, last);
    }
    return 0;
}

static void add_json_time(struct buf *out, const struct tval *v)
{
    buf_char(out, '"');
    time_format(out, v, STR("2006-01-02T15:04:05.999999999Z07:00"));
    buf_char(out, '"');
}

static int add_json(struct buf *out, const struct tval *v, int depth, struct err *err)
{
    if (depth >= JSON_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "json: nested too deeply");
    switch (v->kind) {
    case TVAL_NIL:
        buf_puts(out, "null");
        return 0;
    case TVAL_BOOL:
        buf_puts(out, v->truth ? "true" : "false");
        return 0;
    case TVAL_INT:
    case TVAL_DURATION:
        buf_i64(out, v->integer);
        return 0;
    case TVAL_FLOAT:
        return add_json_float(out, v->real, err);
    case TVAL_TEXT:
        json_string(out, v->text);
        return 0;
    case TVAL_LIST:
        return add_json_list(out, v, depth + 1, err);
    case TVAL_TIME:
        add_json_time(out, v);
        return 0;
    default:
        return add_json_map(out, v, depth + 1, err);
    }
}

static int call_to_json(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                        struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    int rc = add_json(&text, &args[0], 0, err);
    if (rc == 0)
        return scratch_end(run, &text, out, err);
    buf_release(&text);
    return rc;
}

/* ---- times ---- */

static int call_date(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                     struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    time_format(&text, &args[1], args[0].text);
    return scratch_end(run, &text, out, err);
}

static int call_tz(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    (void)run;
    (void)count;
    struct str name = args[0].text;
    if (name.n > 0 && !str_is(name, "UTC"))
        return err_set(err, ERR_UNSUPPORTED, "time zone %.*s: only UTC is known here", STR_ARG(name));
    *out = tval_time_zoned(args[1].time.unix_s, args[1].time.ns, 0, STR("UTC"));
    return 0;
}

static int call_must_to_date(struct template_run *run, const struct tval *args, size_t count,
                             struct tval *out, struct err *err)
{
    (void)run;
    (void)count;
    return time_parse(args[0].text, args[1].text, out, err);
}

/* What cannot be read is Go's zero time. */
static int call_to_date(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                        struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    struct err why;
    if (time_parse(args[0].text, args[1].text, out, &why) != 0)
        *out = tval_time_zoned(-62135596800, 0, 0, STR("UTC"));
    return 0;
}

static int call_humanize_duration(struct template_run *run, const struct tval *args, size_t count,
                                  struct tval *out, struct err *err)
{
    (void)count;
    double seconds;
    int rc = tval_to_float(&args[0], &seconds, err);
    if (rc != 0)
        return rc;
    struct buf text;
    scratch_begin(&text);
    humanize_duration(&text, seconds);
    return scratch_end(run, &text, out, err);
}

const struct template_function template_alertmanager_functions[] = {
    {"append", call_append, "[]any ...any"},
    {"base64decode", call_base64_decode, "string"},
    {"base64encode", call_base64_encode, "string"},
    {"date", call_date, "string time.Time"},
    {"dict", call_dict, "...any"},
    {"humanizeDuration", call_humanize_duration, "any"},
    {"join", call_join, "string []string"},
    {"list", call_list, "...any"},
    {"match", call_match, "string string"},
    {"mustToDate", call_must_to_date, "string string"},
    {"reReplaceAll", call_re_replace_all, "string string string"},
    {"safeHtml", call_safe_html, "string"},
    {"safeUrl", call_safe_url, "string"},
    {"stringSlice", call_string_slice, "...string"},
    {"title", call_title, "string"},
    {"toDate", call_to_date, "string string"},
    {"toJson", call_to_json, "any"},
    {"toLower", call_to_lower, "string"},
    {"toUpper", call_to_upper, "string"},
    {"trimSpace", call_trim_space, "string"},
    {"tz", call_tz, "string time.Time"},
    {"urlUnescape", call_url_unescape, "string"},
    {NULL, NULL, NULL},
};
