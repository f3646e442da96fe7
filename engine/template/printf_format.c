#include "printf_priv.h"
#include "template_priv.h"

/* Go refuses wider fields: %!(BADWIDTH). */
enum { WIDTH_MAX = 1000000 };

struct format {
    struct str text;
    size_t pos;
    const struct tval *args;
    size_t count, used;
    bool reordered;  /* some %[n] was used: left-over arguments are then no error */
    bool good_index; /* of the directive at hand */
    bool after_index;
};

static int format_byte(const struct format *f)
{
    return f->pos < f->text.n ? (unsigned char)f->text.p[f->pos] : -1;
}

/* A number with too many digits takes the rest of the format with it, as in Go. */
static bool read_int(struct format *f, int *value)
{
    bool any = false;
    *value = 0;
    for (int c = format_byte(f); c >= '0' && c <= '9'; c = format_byte(f)) {
        if (*value > WIDTH_MAX) {
            *value = 0;
            f->pos = f->text.n;
            return false;
        }
        any = true;
        *value = *value * 10 + (c - '0');
        f->pos++;
    }
    return any;
}

/* %[n]: the next argument is the nth. */
static void read_index(struct format *f)
{
    if (format_byte(f) != '[')
        return;
    f->reordered = true;
    f->after_index = true;
    size_t start = f->pos++;
    int n;
    bool ok = read_int(f, &n) && format_byte(f) == ']';
    if (ok)
        f->pos++;
    else {
        f->pos = start;
        size_t close = str_find_char((struct str){f->text.p + start, f->text.n - start}, ']');
        f->pos = start + close < f->text.n ? start + close + 1 : start + 1;
    }
    if (ok && n >= 1 && (size_t)n <= f->count)
        f->used = (size_t)n - 1;
    else
        f->good_index = false;
}

static void read_flags(struct format *f, struct verb *v)
{
    for (;; f->pos++) {
        switch (format_byte(f)) {
        case '#':
            v->sharp = true;
            break;
        case '0':
            v->zero = true;
            break;
        case '+':
            v->plus = true;
            break;
        case '-':
            v->minus = true;
            break;
        case ' ':
            v->space = true;
            break;
        default:
            return;
        }
    }
}

/* A * takes the number from the arguments. */
static bool star_argument(struct format *f, int *value)
{
    f->pos++;
    f->after_index = false;
    if (f->used >= f->count)
        return false;
    const struct tval *a = &f->args[f->used++];
    if ((a->kind != TVAL_INT && a->kind != TVAL_DURATION) || a->integer > WIDTH_MAX ||
        a->integer < -WIDTH_MAX)
        return false;
    *value = (int)a->integer;
    return true;
}

static void read_width(struct format *f, struct verb *v, struct buf *out)
{
    if (format_byte(f) != '*') {
        v->has_width = read_int(f, &v->width);
        if (f->after_index && v->has_width)
            f->good_index = false;
        return;
    }
    v->has_width = star_argument(f, &v->width);
    if (!v->has_width)
        buf_puts(out, "%!(BADWIDTH)");
    if (v->width < 0) {
        v->width = -v->width;
        v->minus = true;
        v->zero = false;
    }
}

static void read_precision(struct format *f, struct verb *v, struct buf *out)
{
    if (format_byte(f) != '.')
        return;
    f->pos++;
    if (f->after_index)
        f->good_index = false;
    read_index(f);
    if (format_byte(f) != '*') {
        read_int(f, &v->precision);
        v->has_precision = true;
        return;
    }
    v->has_precision = star_argument(f, &v->precision);
    if (v->has_precision && v->precision < 0) {
        v->precision = 0;
        v->has_precision = false;
    }
    if (!v->has_precision)
        buf_puts(out, "%!(BADPREC)");
}

static void read_verb(struct format *f, struct verb *v, struct buf *out)
{
    f->good_index = true;
    f->after_index = false;
    read_flags(f, v);
    read_index(f);
    read_width(f, v, out);
    read_precision(f, v, out);
    if (!f->after_index)
        read_index(f);
    v->rune = -1;
    if (f->pos < f->text.n) {
        f->pos += str_rune(f->text.p + f->pos, f->text.n - f->pos, &v->rune);
        v->rune = v->rune < 0 ? 0xFFFD : v->rune;
    }
    if (v->minus)
        v->zero = false;
    if (v->rune == 'v') {
        v->sharp_v = v->sharp;
        v->plus_v = v->plus;
        v->sharp = v->plus = false;
    }
}

static void print_directive(struct format *f, struct buf *out)
{
    struct verb v = {0};
    f->pos++;
    read_verb(f, &v, out);
    const char *trouble = !f->good_index ? "(BADINDEX)" : f->used >= f->count ? "(MISSING)" : NULL;
    if (v.rune < 0) {
        buf_puts(out, "%!(NOVERB)");
    } else if (v.rune == '%') {
        buf_char(out, '%');
    } else if (trouble != NULL) {
        buf_puts(out, "%!");
        print_rune(out, v.rune);
        buf_puts(out, trouble);
    } else {
        print_value(out, v, &f->args[f->used++]);
    }
}

static void print_extra(const struct format *f, struct buf *out)
{
    buf_puts(out, "%!(EXTRA ");
    for (size_t i = f->used; i < f->count; i++) {
        if (i > f->used)
            buf_puts(out, ", ");
        if (f->args[i].kind == TVAL_NIL) {
            buf_puts(out, "<nil>");
            continue;
        }
        buf_format(out, "%s=", value_type_name(&f->args[i]));
        tval_print(out, &f->args[i]);
    }
    buf_char(out, ')');
}

void print_format(struct buf *out, struct str format, const struct tval *args, size_t count)
{
    struct format f = {.text = format, .args = args, .count = count};
    while (f.pos < format.n && !buf_overflow(out)) {
        struct str rest = {format.p + f.pos, format.n - f.pos};
        size_t plain = str_find_char(rest, '%');
        buf_add(out, rest.p, plain);
        f.pos += plain;
        if (f.pos < format.n)
            print_directive(&f, out);
    }
    if (!f.reordered && f.used < count)
        print_extra(&f, out);
}
