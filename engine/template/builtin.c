#include "template_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

void scratch_begin(struct buf *b)
{
    buf_init(b, (size_t)limits.template_output_bytes);
}

int scratch_end(struct template_run *run, struct buf *b, struct tval *out, struct err *err)
{
    bool overflow = buf_overflow(b);
    struct str text = overflow ? (struct str){NULL, 0} : str_copy(template_arena(run), buf_slice(b));
    buf_release(b);
    if (overflow) {
        limit_hit(LIMIT_template_output_bytes);
        return err_set(err, ERR_LIMIT, "text too long");
    }
    if (text.p == NULL) {
        limit_hit(LIMIT_template_arena_bytes);
        return err_set(err, ERR_LIMIT, "out of memory for one template");
    }
    *out = tval_text(text);
    return 0;
}

/* ---- comparison ---- */

static int call_eq(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    (void)run;
    if (count < 2)
        return err_set(err, ERR_EXEC, "missing argument for comparison");
    bool equal = false;
    for (size_t i = 1; i < count && !equal; i++) {
        int rc = value_equal(&args[0], &args[i], &equal, err);
        if (rc != 0)
            return rc;
    }
    *out = tval_bool(equal);
    return 0;
}

static int call_ne(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    int rc = call_eq(run, args, count, out, err);
    out->truth = !out->truth;
    return rc;
}

static int call_lt(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    (void)run;
    (void)count;
    bool less;
    int rc = value_less(&args[0], &args[1], &less, err);
    *out = tval_bool(less);
    return rc;
}

static int call_le(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    int rc = call_lt(run, args, count, out, err);
    return rc != 0 || out->truth ? rc : call_eq(run, args, count, out, err);
}

/* Go says "not <=" and not "greater", which a NaN tells apart. */
static int call_gt(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    int rc = call_le(run, args, count, out, err);
    out->truth = !out->truth;
    return rc;
}

static int call_ge(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    int rc = call_lt(run, args, count, out, err);
    out->truth = !out->truth;
    return rc;
}

/* The executor never gets to these three; parsing has to find them. */
int builtin_and(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                struct err *err)
{
    (void)run;
    (void)err;
    *out = args[count - 1];
    return 0;
}

int builtin_or(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
               struct err *err)
{
    return builtin_and(run, args, count, out, err);
}

int builtin_call(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                 struct err *err)
{
    return builtin_and(run, args, count, out, err);
}

static int call_not(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                    struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    *out = tval_bool(!tval_truth(&args[0]));
    return 0;
}

/* ---- index, slice, len ---- */

/* A position in `length` items; `last` is the largest one allowed. */
static int read_position(const struct tval *index, size_t last, size_t *position, struct err *err)
{
    if (index->kind == TVAL_NIL)
        return err_set(err, ERR_EXEC, "cannot index slice/array with nil");
    if (index->kind != TVAL_INT && index->kind != TVAL_DURATION)
        return err_set(err, ERR_EXEC, "cannot index slice/array with type %s", value_type_name(index));
    if (index->integer < 0 || (uint64_t)index->integer > last)
        return err_set(err, ERR_EXEC, "index out of range: %lld", (long long)index->integer);
    *position = (size_t)index->integer;
    return 0;
}

static int index_map(const struct tval *map, const struct tval *key, struct tval *out, struct err *err)
{
    if (key->kind == TVAL_NIL)
        return err_set(err, ERR_EXEC, "value is nil; should be of type string");
    if (key->kind != TVAL_TEXT || key->type != NULL)
        return err_set(err, ERR_EXEC, "value has type %s; should be string", value_type_name(key));
    const struct tval *found = tval_get(map, key->text);
    if (found != NULL)
        *out = *found;
    else
        *out = map->map.zero == TVAL_TEXT ? tval_text(STR("")) : tval_nil();
    return 0;
}

static int index_sequence(const struct tval *from, const struct tval *index, struct tval *out,
                          struct err *err)
{
    size_t length = from->kind == TVAL_TEXT ? from->text.n : from->list.count, position;
    int rc = read_position(index, length, &position, err);
    if (rc != 0)
        return rc;
    if (position == length)
        return err_set(err, ERR_EXEC, "reflect: %s index out of range",
                       from->kind == TVAL_TEXT ? "string" : "slice");
    if (from->kind == TVAL_TEXT)
        *out = value_int_of(&type_uint8, (unsigned char)from->text.p[position]);
    else
        *out = from->list.items[position];
    return 0;
}

static int call_index(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)run;
    if (args[0].kind == TVAL_NIL)
        return err_set(err, ERR_EXEC, "index of untyped nil");
    struct tval item = args[0];
    for (size_t i = 1; i < count; i++) {
        int rc;
        struct tval from = item;
        if (from.kind == TVAL_NIL)
            return err_set(err, ERR_EXEC, "index of nil pointer");
        if (from.kind == TVAL_MAP)
            rc = index_map(&from, &args[i], &item, err);
        else if (from.kind == TVAL_LIST || from.kind == TVAL_TEXT)
            rc = index_sequence(&from, &args[i], &item, err);
        else
            rc = err_set(err, ERR_EXEC, "can't index item of type %s", value_type_name(&from));
        if (rc != 0)
            return rc;
    }
    *out = item;
    return 0;
}

static int read_bounds(const struct tval *args, size_t count, size_t length, size_t bounds[3],
                       struct err *err)
{
    bounds[0] = 0;
    bounds[1] = bounds[2] = length;
    for (size_t i = 1; i < count; i++) {
        if (args[i].boxed) /* Go's slice, unlike its index, does not look inside */
            return err_set(err, ERR_EXEC, "cannot index slice/array with type interface {}");
        int rc = read_position(&args[i], length, &bounds[i - 1], err);
        if (rc != 0)
            return rc;
    }
    if (bounds[0] > bounds[1])
        return err_set(err, ERR_EXEC, "invalid slice index: %zu > %zu", bounds[0], bounds[1]);
    if (count == 4 && bounds[1] > bounds[2])
        return err_set(err, ERR_EXEC, "invalid slice index: %zu > %zu", bounds[1], bounds[2]);
    return 0;
}

static int call_slice(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)run;
    const struct tval *from = &args[0];
    if (from->kind == TVAL_NIL)
        return err_set(err, ERR_EXEC, "slice of untyped nil");
    if (count > 4)
        return err_set(err, ERR_EXEC, "too many slice indexes: %zu", count - 1);
    if (from->kind == TVAL_TEXT && count == 4)
        return err_set(err, ERR_EXEC, "cannot 3-index slice a string");
    if (from->kind != TVAL_TEXT && from->kind != TVAL_LIST)
        return err_set(err, ERR_EXEC, "can't slice item of type %s", value_type_name(from));
    size_t bounds[3], length = from->kind == TVAL_TEXT ? from->text.n : from->list.count;
    int rc = read_bounds(args, count, length, bounds, err);
    if (rc != 0)
        return rc;
    *out = *from;
    if (from->kind == TVAL_TEXT)
        out->text = (struct str){from->text.p + bounds[0], bounds[1] - bounds[0]};
    else {
        out->list.items = length > 0 ? from->list.items + bounds[0] : NULL;
        out->list.count = bounds[1] - bounds[0];
    }
    return 0;
}

static int call_len(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                    struct err *err)
{
    (void)run;
    (void)count;
    switch (args[0].kind) {
    case TVAL_TEXT:
        *out = tval_int((int64_t)args[0].text.n);
        return 0;
    case TVAL_LIST:
        *out = tval_int((int64_t)args[0].list.count);
        return 0;
    case TVAL_MAP:
        *out = tval_int((int64_t)args[0].map.count);
        return 0;
    case TVAL_NIL:
        return err_set(err, ERR_EXEC,
                       args[0].boxed ? "len of nil pointer"
                                     : "reflect: call of reflect.Value.Type on zero Value");
    default:
        return err_set(err, ERR_EXEC, "len of type %s", value_type_name(&args[0]));
    }
}

/* ---- texts ---- */

static int call_print(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    struct buf text;
    scratch_begin(&text);
    print_plain(&text, args, count);
    return scratch_end(run, &text, out, err);
}

static int call_println(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                        struct err *err)
{
    struct buf text;
    scratch_begin(&text);
    print_line(&text, args, count);
    return scratch_end(run, &text, out, err);
}

static int call_printf(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                       struct err *err)
{
    struct buf text;
    scratch_begin(&text);
    print_format(&text, args[0].text, args + 1, count - 1);
    return scratch_end(run, &text, out, err);
}

static void html_escape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '\0':
            buf_puts(out, "\xEF\xBF\xBD");
            break;
        case '"':
            buf_puts(out, "&#34;");
            break;
        case '\'':
            buf_puts(out, "&#39;");
            break;
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        default:
            buf_char(out, s.p[i]);
        }
    }
}

static void js_escape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n;) {
        int rune;
        size_t n = str_rune(s.p + i, s.n - i, &rune);
        if (rune == '\\' || rune == '\'' || rune == '"')
            buf_format(out, "\\%c", rune);
        else if ((rune >= 0 && rune < ' ') || rune == '<' || rune == '>' || rune == '&' || rune == '=')
            buf_format(out, "\\u%04X", (unsigned)rune);
        else if (rune >= 0x80 && !rune_is_printable(rune))
            buf_format(out, "\\u%04X", (unsigned)rune);
        else if (rune < 0)
            buf_puts(out, "\xEF\xBF\xBD");
        else
            buf_add(out, s.p + i, n);
        i += n;
    }
}

void url_query_escape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     (c != '\0' && strchr("-_.~", c) != NULL);
        if (plain)
            buf_char(out, (char)c);
        else if (c == ' ')
            buf_char(out, '+');
        else
            buf_format(out, "%%%02X", c);
    }
}

/* All arguments as print writes them, then escaped. */
static int escape(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                  struct err *err, void escaper(struct buf *, struct str))
{
    struct buf plain, escaped;
    struct tval *shown = arena_copy(template_arena(run), args, count, sizeof *shown);
    if (shown == NULL)
        return err_set(err, ERR_LIMIT, "out of memory for one template");
    for (size_t i = 0; i < count; i++)
        if (args[i].kind == TVAL_NIL)
            shown[i] = tval_text(STR("<no value>"));
    scratch_begin(&plain);
    scratch_begin(&escaped);
    print_plain(&plain, shown, count);
    escaper(&escaped, buf_slice(&plain));
    buf_release(&plain);
    return scratch_end(run, &escaped, out, err);
}

static int call_html(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                     struct err *err)
{
    return escape(run, args, count, out, err, html_escape);
}

static int call_js(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    return escape(run, args, count, out, err, js_escape);
}

static int call_urlquery(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                         struct err *err)
{
    return escape(run, args, count, out, err, url_query_escape);
}

const struct template_function builtin_functions[] = {
    {"and", builtin_and, "any ...any"},
    {"call", builtin_call, "any ...any"},
    {"eq", call_eq, "any ...any"},
    {"ge", call_ge, "any any"},
    {"gt", call_gt, "any any"},
    {"html", call_html, "...any"},
    {"index", call_index, "any ...any"},
    {"js", call_js, "...any"},
    {"le", call_le, "any any"},
    {"len", call_len, "any"},
    {"lt", call_lt, "any any"},
    {"ne", call_ne, "any any"},
    {"not", call_not, "any"},
    {"or", builtin_or, "any ...any"},
    {"print", call_print, "...any"},
    {"printf", call_printf, "string ...any"},
    {"println", call_println, "...any"},
    {"slice", call_slice, "any ...any"},
    {"urlquery", call_urlquery, "...any"},
    {NULL, NULL, NULL},
};
