#include "tocsin/log.h"

#include "gotext_priv.h"
#include "tocsin/gotext.h"
#include "tocsin/stat.h"
#include "tocsin/world.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 64 << 10, LINES_PER_SECOND = 10 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const format_names[] = {"logfmt", "json"};

static enum log_level lowest = LOG_LEVEL_INFO;
static enum log_format form = LOG_FORMAT_LOGFMT;
static int target = STDERR_FILENO;

/* Lines swallowed on behalf of the line that this thread writes next. */
static _Thread_local int32_t untold;

void log_setup(enum log_level level, enum log_format format, int fd)
{
    lowest = level;
    form = format;
    target = fd;
}

static int find_name(struct str name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (str_is(name, names[i]))
            return i;
    return -1;
}

int log_parse_level(struct str name, enum log_level *level)
{
    int found = find_name(name, level_names, 4);
    if (found < 0)
        return ERR_PARSE;
    *level = (enum log_level)found;
    return 0;
}

int log_parse_format(struct str name, enum log_format *format)
{
    int found = find_name(name, format_names, 2);
    if (found < 0)
        return ERR_PARSE;
    *format = (enum log_format)found;
    return 0;
}

/* ---- values ------------------------------------------------------------------------------------------- */

/* Escapes that both JSON and logfmt readers know. What a terminal could act on never gets through. */
static void put_escaped(struct buf *line, int rune)
{
    switch (rune) {
    case '"':
    case '\\':
        buf_format(line, "\\%c", rune);
        return;
    case '\n':
        buf_puts(line, "\\n");
        return;
    case '\r':
        buf_puts(line, "\\r");
        return;
    case '\t':
        buf_puts(line, "\\t");
        return;
    }
    if (rune >= 0x10000)
        buf_format(line, "\\u%04x\\u%04x", 0xD800u + (unsigned)(rune - 0x10000) / 0x400,
                   0xDC00u + (unsigned)(rune - 0x10000) % 0x400);
    else
        buf_format(line, "\\u%04x", rune < 0 ? 0xFFFDu : (unsigned)rune);
}

static void put_quoted(struct buf *line, struct str s)
{
    bool cut = s.n > LOG_VALUE_MAX;
    buf_char(line, '"');
    for (size_t i = 0; i < s.n;) {
        int rune;
        size_t n = str_rune(s.p + i, s.n - i, &rune);
        if (cut && i + n > LOG_VALUE_MAX)
            break;
        if (rune != '"' && rune != '\\' && rune >= 0 && rune_is_printable(rune))
            buf_add(line, s.p + i, n);
        else
            put_escaped(line, rune);
        i += n;
    }
    buf_puts(line, cut ? "...\"" : "\"");
}

static bool is_bare(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7F || s.p[i] == '"' || s.p[i] == '=' || s.p[i] == '\\')
            return false;
    return s.n > 0 && s.n <= LOG_VALUE_MAX;
}

static void put_text(struct buf *line, struct str s)
{
    if (form == LOG_FORMAT_LOGFMT && is_bare(s))
        buf_str(line, s);
    else
        put_quoted(line, s);
}

static void put_ms(struct buf *line, int64_t ms)
{
    uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    struct buf b;
    buf_init(&b, 64);
    if (ms < 0)
        buf_char(&b, '-');
    if (size < 1000)
        buf_format(&b, "%" PRIu64 "ms", size);
    else
        buf_format(&b, "%" PRIu64, size / 1000);
    if (size >= 1000 && size % 1000 != 0) {
        buf_format(&b, ".%03d", (int)(size % 1000));
        while (b.bytes[b.used - 1] == '0')
            buf_truncate(&b, b.used - 1);
    }
    if (size >= 1000)
        buf_char(&b, 's');
    put_text(line, buf_slice(&b));
    buf_release(&b);
}

static void put_float(struct buf *line, double v)
{
    struct buf b;
    buf_init(&b, 64);
    go_float(&b, v, 'g', -1);
    bool word = v - v != 0; /* NaN and Inf are no JSON numbers */
    if (word)
        put_text(line, buf_slice(&b));
    else
        buf_str(line, buf_slice(&b));
    buf_release(&b);
}

static void put_value(struct buf *line, const struct log_field *f)
{
    switch (f->kind) {
    case LOG_KIND_STR:
        put_text(line, f->text);
        break;
    case LOG_KIND_INT:
        buf_i64(line, f->number);
        break;
    case LOG_KIND_FLOAT:
        put_float(line, f->real);
        break;
    case LOG_KIND_BOOL:
        buf_puts(line, f->number ? "true" : "false");
        break;
    case LOG_KIND_MS:
        put_ms(line, f->number);
        break;
    case LOG_KIND_SECRET:
        put_text(line, STR("<secret>"));
        break;
    }
}

/* ---- lines -------------------------------------------------------------------------------------------- */

static void put_key(struct buf *line, const char *key)
{
    bool first = line->used == (form == LOG_FORMAT_JSON);
    if (form == LOG_FORMAT_JSON)
        buf_format(line, "%s\"%s\":", first ? "" : ",", key);
    else
        buf_format(line, "%s%s=", first ? "" : " ", key);
}

static void put_field(struct buf *line, const struct log_field *f)
{
    put_key(line, f->key);
    put_value(line, f);
}

static void put_time(struct buf *line)
{
    struct world *real = world_real();
    struct buf text;
    buf_init(&text, 64);
    go_time_rfc3339(&text, real->wall_ns(real), 3);
    put_field(line, &LOG_STR("ts", buf_slice(&text)));
    buf_release(&text);
}

static void write_line(const struct buf *line)
{
    ssize_t n;
    do
        n = write(target, line->bytes, line->used);
    while (n < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t count)
{
    if (level < lowest || target < 0)
        return;
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    if (form == LOG_FORMAT_JSON)
        buf_char(&line, '{');
    put_time(&line);
    put_field(&line, &LOG_TEXT("level", level_names[level]));
    put_key(&line, "msg");
    put_quoted(&line, str_of(message));
    for (size_t i = 1; i < count; i++)
        put_field(&line, &fields[i]);
    if (untold > 0)
        put_field(&line, &LOG_INT("suppressed", untold));
    untold = 0;
    buf_puts(&line, form == LOG_FORMAT_JSON ? "}\n" : "\n");
    if (!buf_overflow(&line))
        write_line(&line);
    buf_release(&line);
}

/* Two threads at the turn of a second may let a line more or less pass; no count is lost for that. */
bool log_allowed(struct log_rate *rate, int64_t now_ns)
{
    int64_t second = now_ns / NS_PER_S;
    if (__atomic_exchange_n(&rate->second, second, __ATOMIC_RELAXED) != second)
        __atomic_store_n(&rate->passed, 0, __ATOMIC_RELAXED);
    if (__atomic_fetch_add(&rate->passed, 1, __ATOMIC_RELAXED) < LINES_PER_SECOND) {
        untold += __atomic_exchange_n(&rate->suppressed, 0, __ATOMIC_RELAXED);
        return true;
    }
    __atomic_fetch_add(&rate->suppressed, 1, __ATOMIC_RELAXED);
    stat_add(STAT_log_suppressed, 1);
    return false;
}
