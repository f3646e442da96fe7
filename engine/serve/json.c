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

static void add_note(struct buf *out, const char *key, struct str text, size_t position)
{
    if (position == 0)
        buf_format(out, ",\"%s\":[", key);
    else
        buf_char(out, ',');
    json_string(out, text);
}

static void add_notes(struct buf *out, enum annotation_kind kind, const struct annotation *notes,
                      size_t count, bool truncated)
{
    const char *key = kind == ANNOTATION_WARNING ? "warnings" : "infos";
    size_t written = 0;
    for (size_t i = 0; i < count; i++)
        if (notes[i].kind == kind)
            add_note(out, key, notes[i].text, written++);
    if (truncated)
        add_note(out, key, STR("results truncated due to limit"), written++);
    if (written > 0)
        buf_char(out, ']');
}

void prom_end_noted(struct answer *answer, const struct annotation *notes, size_t count, bool truncated)
{
    add_notes(&answer->body, ANNOTATION_WARNING, notes, count, truncated);
    add_notes(&answer->body, ANNOTATION_INFO, notes, count, false);
    prom_end(answer);
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
        return err_set(err, ERR_PARSE, "cannot parse \"%.*s\" to a valid timestamp", STR_ARG(text));
    return 0;
}

int prom_parse_duration(struct str text, int64_t *ms, struct err *err)
{
    double seconds;
    if (go_parse_float(text, &seconds)) {
        if (!(fabs(seconds) < 9223372036.0))
            return err_set(err, ERR_PARSE, "cannot parse \"%.*s\" to a valid duration. It overflows int64",
                           STR_ARG(text));
        *ms = (int64_t)(seconds * 1000);
        return 0;
    }
    if (duration_parse(text, ms, NULL) == 0)
        return 0;
    return err_set(err, ERR_PARSE, "cannot parse \"%.*s\" to a valid duration", STR_ARG(text));
}

bool prom_time_param(const struct request *request, struct answer *answer, const char *name, bool required,
                     int64_t *ms)
{
    struct str text = request_param(request, name);
    struct err err;
    if ((text.n == 0 && !required) || prom_parse_time(text, ms, &err) == 0)
        return true;
    if (!required)
        err_prefix(&err, "Invalid time value for '%s': ", name);
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

bool prom_limit_param(const struct request *request, struct answer *answer, size_t *limit)
{
    struct str text = request_param(request, "limit");
    long long value = 0;
    if (text.n > 0 && !str_to_i64(text, &value)) {
        prom_error(answer, PROM_BAD_DATA,
                   "invalid parameter \"limit\": strconv.Atoi: parsing \"%.*s\": invalid syntax",
                   STR_ARG(text));
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
