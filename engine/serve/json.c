#include "json_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/tree.h"

#include <math.h>

/* As far as a time in ms is taken: beyond it nobody means a time. */
static const double TIME_S_MAX = 9e12;

static const struct {
    int status;
    const char *name;
} errors[] = {
    [PROM_BAD_DATA] = {400, "bad_data"}, [PROM_EXECUTION] = {422, "execution"},
    [PROM_CANCELED] = {499, "canceled"}, [PROM_TIMEOUT] = {503, "timeout"},
    [PROM_INTERNAL] = {500, "internal"}, [PROM_UNAVAILABLE] = {503, "unavailable"},
};

void prom_error(struct answer *answer, enum prom_error kind, const char *format, ...)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    va_list args;
    va_start(args, format);
    buf_vformat(&text, format, args);
    va_end(args);
    answer->status = errors[kind].status;
    answer->content_type = "application/json";
    buf_clear(&answer->body);
    buf_format(&answer->body, "{\"status\":\"error\",\"errorType\":\"%s\",\"error\":", errors[kind].name);
    json_string(&answer->body, buf_slice(&text));
    buf_char(&answer->body, '}');
    buf_release(&text);
}

void prom_bad_param(struct answer *answer, const char *name, const char *why)
{
    prom_error(answer, PROM_BAD_DATA, "invalid parameter \"%s\": %s", name, why);
}

void prom_failed(struct answer *answer, const struct err *err)
{
    enum prom_error kind = PROM_INTERNAL;
    switch (err->code) {
    case ERR_ARG:
    case ERR_PARSE:
        kind = PROM_BAD_DATA;
        break;
    case ERR_EXEC:
    case ERR_LIMIT:
    case ERR_UNSUPPORTED:
        kind = PROM_EXECUTION;
        break;
    case ERR_TIMEOUT:
        kind = PROM_TIMEOUT;
        break;
    case ERR_CANCEL:
        kind = PROM_CANCELED;
        break;
    case ERR_FULL:
        kind = PROM_UNAVAILABLE;
        break;
    default:
        break;
    }
    prom_error(answer, kind, "%s", err->text);
}

void prom_begin(struct answer *answer)
{
    answer->content_type = "application/json";
    buf_puts(&answer->body, "{\"status\":\"success\",\"data\":");
}

void prom_end(struct answer *answer)
{
    buf_char(&answer->body, '}');
}

/* Prometheus' bound on how many notes of a kind an answer carries. */
enum { NOTES_TOLD = 10 };

/* The notes of one kind, as they are written. */
struct noting {
    struct buf *out;
    const char *key;
    size_t found;
};

static void add_note(struct noting *n, struct str text)
{
    if (n->found == 0)
        buf_format(n->out, ",\"%s\":[", n->key);
    else if (n->found < NOTES_TOLD)
        buf_char(n->out, ',');
    if (n->found++ < NOTES_TOLD)
        json_string(n->out, text);
}

static void end_notes(const struct noting *n, const char *kind)
{
    if (n->found > NOTES_TOLD)
        buf_format(n->out, ",\"%zu more %s annotations omitted\"", n->found - NOTES_TOLD, kind);
    if (n->found > 0)
        buf_char(n->out, ']');
}

static void add_annotations(struct noting *n, const struct notes *notes, enum annotation_kind kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->list[i].kind == kind)
            add_note(n, notes->list[i].text);
}

void prom_end_noted(struct answer *answer, const struct notes *notes)
{
    struct noting warnings = {.out = &answer->body, .key = "warnings"};
    struct noting infos = {.out = &answer->body, .key = "infos"};
    if (notes->truncated)
        add_note(&warnings, STR("results truncated due to limit"));
    if (notes->deprecated != NULL)
        add_note(&warnings, str_of(notes->deprecated));
    add_annotations(&warnings, notes, ANNOTATION_WARNING);
    end_notes(&warnings, "warning");
    add_annotations(&infos, notes, ANNOTATION_INFO);
    end_notes(&infos, "info");
    prom_end(answer);
}

/* `cannot parse "x" to a valid what`, with Go's quotes. */
static int refuse_text(struct str text, const char *what, struct err *err)
{
    struct buf quoted;
    buf_init(&quoted, ERR_TEXT_MAX);
    go_quote(&quoted, text);
    int code = err_set(err, ERR_PARSE, "cannot parse %s to a valid %s", buf_text(&quoted), what);
    buf_release(&quoted);
    return code;
}

int prom_parse_time(struct str text, int64_t *ms, struct err *err)
{
    double seconds;
    int64_t ns;
    if (go_parse_float(text, &seconds) && fabs(seconds) < TIME_S_MAX) {
        double whole = trunc(seconds);
        *ms = (int64_t)whole * 1000 + (int64_t)round((seconds - whole) * 1000);
        return 0;
    }
    if (go_parse_rfc3339(text, &ns)) {
        *ms = ns / NS_PER_MS - (ns % NS_PER_MS < 0);
        return 0;
    }
    if (str_is(text, "-292273086-05-16T16:47:06Z"))
        *ms = INT64_MIN / 1000;
    else if (str_is(text, "292277025-08-18T07:12:54.999999999Z"))
        *ms = INT64_MAX / 1000;
    else
        return refuse_text(text, "timestamp", err);
    return 0;
}

int prom_parse_duration(struct str text, int64_t *ms, struct err *err)
{
    double seconds;
    if (go_parse_float(text, &seconds)) {
        if (!(fabs(seconds) < 9223372036.0))
            return refuse_text(text, "duration. It overflows int64", err);
        *ms = (int64_t)(seconds * 1000);
        return 0;
    }
    if (duration_parse(text, ms, NULL) == 0)
        return 0;
    return refuse_text(text, "duration", err);
}

bool prom_time_param(const struct request *request, struct answer *answer, const char *name, bool required,
                     int64_t *ms)
{
    struct str text = request_param(request, name);
    struct err err;
    if ((text.n == 0 && !required) || prom_parse_time(text, ms, &err) == 0)
        return true;
    if (!required)
        err_prefix(&err, "invalid time value for '%s': ", name);
    prom_bad_param(answer, name, err.text);
    return false;
}

bool prom_duration_param(const struct request *request, struct answer *answer, const char *name,
                         bool required, int64_t *ms)
{
    struct str text = request_param(request, name);
    struct err err;
    if ((text.n == 0 && !required) || prom_parse_duration(text, ms, &err) == 0)
        return true;
    prom_bad_param(answer, name, err.text);
    return false;
}

static bool is_decimal(struct str text)
{
    size_t sign = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');
    for (size_t i = sign; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > sign;
}

int prom_parse_number(struct str text, const char *reader, int64_t most, int64_t *value, struct err *err)
{
    struct buf quoted;
    long long number = 0;
    bool decimal = is_decimal(text);
    struct str digits = decimal && text.p[0] == '+' ? (struct str){text.p + 1, text.n - 1} : text;
    bool read = decimal && str_to_i64(digits, &number) && number <= most && number >= -most - 1;
    *value = number;
    if (read)
        return 0;
    buf_init(&quoted, ERR_TEXT_MAX);
    go_quote(&quoted, text);
    int code = err_set(err, ERR_PARSE, "strconv.%s: parsing %s: %s", reader, buf_text(&quoted),
                       decimal ? "value out of range" : "invalid syntax");
    buf_release(&quoted);
    return code;
}

bool prom_limit_param(const struct request *request, struct answer *answer, size_t *limit)
{
    struct str text = request_param(request, "limit");
    struct err err;
    int64_t value = 0;
    if (text.n > 0 && prom_parse_number(text, "Atoi", INT64_MAX, &value, &err) != 0) {
        prom_bad_param(answer, "limit", err.text);
        return false;
    }
    if (value < 0) {
        prom_bad_param(answer, "limit", "limit must be non-negative");
        return false;
    }
    *limit = (size_t)value;
    return true;
}

void json_labels(struct buf *out, const struct labels *ls)
{
    buf_char(out, '{');
    for (size_t i = 0; i < ls->count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_string_raw(out, ls->item[i].name);
        buf_char(out, ':');
        json_string_raw(out, ls->item[i].value);
    }
    buf_char(out, '}');
}

void json_seconds(struct buf *out, int64_t t_ms)
{
    uint64_t size = t_ms < 0 ? 0 - (uint64_t)t_ms : (uint64_t)t_ms;
    if (t_ms < 0)
        buf_char(out, '-');
    buf_format(out, "%llu", (unsigned long long)(size / 1000));
    if (size % 1000 != 0)
        buf_format(out, ".%03d", (int)(size % 1000));
}

void json_go_time(struct buf *out, int64_t unix_ns)
{
    buf_char(out, '"');
    if (unix_ns == 0)
        buf_puts(out, "0001-01-01T00:00:00Z");
    else
        go_time_rfc3339(out, unix_ns, -1);
    buf_char(out, '"');
}

void json_strings(struct buf *out, const struct str *items, size_t count)
{
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_string(out, items[i]);
    }
    buf_char(out, ']');
}
