#include "printf_priv.h"
#include "template_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRINT_DEPTH_MAX = 32 };

void print_rune(struct buf *out, int64_t rune)
{
    bool valid = rune >= 0 && rune <= 0x10FFFF && (rune < 0xD800 || rune > 0xDFFF);
    char bytes[4];
    buf_add(out, bytes, rune_encode(valid ? (int)rune : 0xFFFD, bytes));
}

static size_t count_runes(struct str s)
{
    size_t count = 0;
    int rune;
    for (size_t i = 0; i < s.n; count++)
        i += str_rune(s.p + i, s.n - i, &rune);
    return count;
}

static struct str first_runes(struct str s, int count)
{
    size_t i = 0;
    int rune;
    for (; count > 0 && i < s.n; count--)
        i += str_rune(s.p + i, s.n - i, &rune);
    return (struct str){s.p, i};
}

static void pad(struct buf *out, struct verb v, struct str s)
{
    size_t have = count_runes(s), want = v.has_width ? (size_t)v.width : 0;
    size_t fill = want > have ? want - have : 0;
    if (!v.minus)
        buf_repeat(out, v.zero ? '0' : ' ', fill);
    buf_str(out, s);
    if (v.minus)
        buf_repeat(out, ' ', fill);
}

/* Pads what was appended since `from`. */
static void pad_from(struct buf *out, struct verb v, size_t from)
{
    if (!v.has_width || buf_overflow(out))
        return;
    struct buf copy;
    buf_init(&copy, out->used - from);
    buf_add(&copy, out->bytes + from, out->used - from);
    buf_truncate(out, from);
    pad(out, v, buf_slice(&copy));
    buf_release(&copy);
}

/* %!d(string=x) */
static void print_bad(struct buf *out, struct verb v, const struct tval *a)
{
    buf_puts(out, "%!");
    print_rune(out, v.rune);
    buf_char(out, '(');
    if (a->kind == TVAL_NIL) {
        buf_puts(out, "<nil>");
    } else {
        buf_format(out, "%s=", value_type_name(a));
        v.rune = 'v';
        v.sharp_v = false;
        v.bare = a->kind != TVAL_TIME; /* whose inside Go would show; there is none here */
        print_value(out, v, a);
    }
    buf_char(out, ')');
}

/* ---- texts ---- */

static bool can_be_raw(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        int rune;
        i += str_rune(s.p + i, s.n - i, &rune);
        if (rune < 0 || (rune < ' ' && rune != '\t') || rune == '`' || rune == 0x7F || rune == 0xFEFF)
            return false;
    }
    return true;
}

/* %+q: ASCII only. */
static void quote_ascii(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t i = 0; i < s.n;) {
        int rune;
        size_t n = str_rune(s.p + i, s.n - i, &rune);
        struct buf one;
        scratch_begin(&one);
        go_quote(&one, (struct str){s.p + i, n});
        if (rune < 0x80)
            buf_add(out, one.bytes + 1, one.used - 2);
        else
            buf_format(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)rune);
        buf_release(&one);
        i += n;
    }
    buf_char(out, '"');
}

static void print_quoted(struct buf *out, struct verb v, struct str s)
{
    size_t from = out->used;
    s = v.has_precision ? first_runes(s, v.precision) : s;
    if (v.sharp && can_be_raw(s)) {
        buf_char(out, '`');
        buf_str(out, s);
        buf_char(out, '`');
    } else if (v.plus) {
        quote_ascii(out, s);
    } else {
        go_quote(out, s);
    }
    pad_from(out, v, from);
}

static void print_hex(struct buf *out, struct verb v, struct str s)
{
    size_t from = out->used;
    size_t n = v.has_precision && (size_t)v.precision < s.n ? (size_t)v.precision : s.n;
    for (size_t i = 0; i < n; i++) {
        if (v.space && i > 0)
            buf_char(out, ' ');
        if (v.sharp && (v.space || i == 0))
            buf_format(out, "0%c", v.rune);
        buf_format(out, v.rune == 'x' ? "%02x" : "%02X", (unsigned char)s.p[i]);
    }
    pad_from(out, v, from);
}

static void print_text(struct buf *out, struct verb v, struct str s, const struct tval *a)
{
    switch (v.rune) {
    case 'v':
        if (v.sharp_v) {
            print_quoted(out, v, s);
            break;
        }
        /* fall through */
    case 's':
        pad(out, v, v.has_precision ? first_runes(s, v.precision) : s);
        break;
    case 'x':
    case 'X':
        print_hex(out, v, s);
        break;
    case 'q':
        print_quoted(out, v, s);
        break;
    default:
        print_bad(out, v, a);
    }
}

/* ---- integers ---- */

/* At least `least` digits, backwards from the end of a buffer; returns where they start. */
static char *digits_before(char *end, uint64_t u, unsigned base, bool upper)
{
    static const char low[] = "0123456789abcdef", high[] = "0123456789ABCDEF";
    do {
        *--end = (upper ? high : low)[u % base];
        u /= base;
    } while (u > 0);
    return end;
}

static const char *base_prefix(struct verb v, unsigned base, const char *digits)
{
    if (v.rune == 'O')
        return "0o";
    if (!v.sharp)
        return "";
    return base == 2                     ? "0b"
           : base == 16                  ? (v.rune == 'X' ? "0X" : "0x")
           : base == 8 && *digits != '0' ? "0"
                                         : "";
}

static void print_in_base(struct buf *out, struct verb v, int64_t i, unsigned base)
{
    char room[66];
    char *end = room + sizeof room;
    uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i;
    const char *sign = i < 0 ? "-" : v.plus ? "+" : v.space ? " " : "";
    size_t least = 0;
    if (v.has_precision) {
        least = (size_t)v.precision;
        if (least == 0 && i == 0) {
            v.zero = false;
            pad(out, v, STR(""));
            return;
        }
    } else if (v.zero && !v.minus && v.has_width) {
        least = (size_t)v.width > strlen(sign) ? (size_t)v.width - strlen(sign) : 0;
    }
    char *digits = digits_before(end, u, base, v.rune == 'X');
    size_t have = (size_t)(end - digits), from = out->used;
    buf_puts(out, sign);
    buf_puts(out, base_prefix(v, base, least > have ? "0" : digits));
    buf_repeat(out, '0', least > have ? least - have : 0);
    buf_add(out, digits, have);
    v.zero = false;
    pad_from(out, v, from);
}

static void quote_rune(struct buf *out, int64_t rune, bool ascii)
{
    struct buf text;
    scratch_begin(&text);
    print_rune(&text, rune);
    size_t from = out->used;
    if (str_is(buf_slice(&text), "'"))
        buf_puts(out, "'\\''");
    else if (str_is(buf_slice(&text), "\""))
        buf_puts(out, "'\"'");
    else if (ascii)
        quote_ascii(out, buf_slice(&text));
    else
        go_quote(out, buf_slice(&text));
    if (!buf_overflow(out))
        out->bytes[from] = out->bytes[out->used - 1] = '\'';
    buf_release(&text);
}

static void print_unicode(struct buf *out, struct verb v, int64_t i)
{
    size_t from = out->used;
    int least = v.has_precision && v.precision > 4 ? v.precision : 4;
    buf_format(out, "U+%0*llX", least, (unsigned long long)i);
    if (v.sharp && i >= 0 && i <= 0x10FFFF && rune_is_printable((int)i)) {
        buf_puts(out, " '");
        print_rune(out, i);
        buf_char(out, '\'');
    }
    v.zero = false;
    pad_from(out, v, from);
}

static void print_integer(struct buf *out, struct verb v, const struct tval *a)
{
    size_t from = out->used;
    switch (v.rune) {
    case 'v':
    case 'd':
        print_in_base(out, v, a->integer, 10);
        break;
    case 'b':
        print_in_base(out, v, a->integer, 2);
        break;
    case 'o':
    case 'O':
        print_in_base(out, v, a->integer, 8);
        break;
    case 'x':
    case 'X':
        print_in_base(out, v, a->integer, 16);
        break;
    case 'c':
        print_rune(out, a->integer);
        pad_from(out, v, from);
        break;
    case 'q':
        quote_rune(out, a->integer, v.plus);
        pad_from(out, v, from);
        break;
    case 'U':
        print_unicode(out, v, a->integer);
        break;
    default:
        print_bad(out, v, a);
    }
}

/* ---- floats ---- */

/* C's %a with Go's exponent of at least two digits. */
static void print_float_hex(struct buf *out, double f, int precision, char form)
{
    char room[32];
    if (precision < 0)
        snprintf(room, sizeof room, form == 'x' ? "%a" : "%A", f);
    else
        snprintf(room, sizeof room, form == 'x' ? "%.*a" : "%.*A", precision > 13 ? 13 : precision, f);
    size_t n = strcspn(room, "pP");
    buf_add(out, room, n);
    if (precision > 13)
        buf_repeat(out, '0', (size_t)precision - 13);
    buf_add(out, room + n, 2);
    buf_format(out, "%02d", atoi(room + n + 2));
}

static void print_float_binary(struct buf *out, double f)
{
    int exponent;
    double mantissa = frexp(fabs(f), &exponent);
    if (mantissa != 0 && exponent < -1021) { /* subnormal */
        mantissa = ldexp(mantissa, exponent + 1021);
        exponent = -1021;
    }
    exponent = f == 0 ? -1074 : exponent - 53;
    buf_format(out, "%s%lldp%+d", signbit(f) ? "-" : "", (long long)ldexp(mantissa, 53), exponent);
}

static void print_float_sharp(struct buf *out, double f, char form, int precision)
{
    char room[512]; /* 309 digits, the point and 100 more at most */
    char format[] = {'%', '#', '.', '*', form, '\0'};
    int n = snprintf(room, sizeof room, format, precision < 0 ? 6 : precision > 100 ? 100 : precision, f);
    buf_add(out, room, (size_t)n);
}

static void add_float(struct buf *out, struct verb v, double f, char form, int precision)
{
    if (isnan(f) || isinf(f))
        go_float(out, f, 'g', -1);
    else if (form == 'x' || form == 'X')
        print_float_hex(out, f, precision, form);
    else if (form == 'b')
        print_float_binary(out, f);
    else if (v.sharp)
        print_float_sharp(out, f, form, precision);
    else
        go_float(out, f, form, precision);
}

/* An infinity shows its sign always, other numbers when they are asked to. */
static const char *float_sign(struct verb v, double f, bool negative)
{
    if (negative)
        return "-";
    if (v.plus)
        return "+";
    return v.space ? " " : isinf(f) ? "+" : "";
}

static void print_as_float(struct buf *out, struct verb v, double f, char form, int precision)
{
    struct buf text;
    scratch_begin(&text);
    add_float(&text, v, f, form, v.has_precision ? v.precision : precision);
    struct str digits = buf_slice(&text);
    bool negative = digits.n > 0 && digits.p[0] == '-';
    if (negative || (digits.n > 0 && digits.p[0] == '+'))
        digits = (struct str){digits.p + 1, digits.n - 1};
    const char *sign = float_sign(v, f, negative);
    size_t from = out->used, have = strlen(sign) + digits.n;
    buf_puts(out, sign);
    if (v.zero && v.has_width && !isnan(f) && !isinf(f) && (size_t)v.width > have)
        buf_repeat(out, '0', (size_t)v.width - have);
    buf_str(out, digits);
    v.zero = false;
    pad_from(out, v, from);
    buf_release(&text);
}

static void print_float(struct buf *out, struct verb v, const struct tval *a)
{
    switch (v.rune) {
    case 'v':
        print_as_float(out, v, a->real, 'g', -1);
        break;
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X':
        print_as_float(out, v, a->real, (char)v.rune, -1);
        break;
    case 'f':
    case 'F':
        print_as_float(out, v, a->real, 'f', 6);
        break;
    case 'e':
    case 'E':
        print_as_float(out, v, a->real, (char)v.rune, 6);
        break;
    default:
        print_bad(out, v, a);
    }
}

/* ---- everything else ---- */

static void print_list(struct buf *out, struct verb v, const struct tval *a)
{
    if (v.sharp_v)
        buf_puts(out, value_type_name(a));
    buf_char(out, v.sharp_v ? '{' : '[');
    for (size_t i = 0; i < a->list.count; i++) {
        if (i > 0)
            buf_puts(out, v.sharp_v ? ", " : " ");
        print_value(out, v, &a->list.items[i]);
    }
    buf_char(out, v.sharp_v ? '}' : ']');
}

static void print_key(struct buf *out, struct verb v, struct str name)
{
    struct tval key = tval_text(name);
    print_value(out, v, &key);
    buf_char(out, ':');
}

static void print_map(struct buf *out, struct verb v, const struct tval *a)
{
    buf_puts(out, v.sharp_v ? value_type_name(a) : "map");
    buf_char(out, v.sharp_v ? '{' : '[');
    for (size_t i = 0; i < a->map.count; i++) {
        if (i > 0)
            buf_puts(out, v.sharp_v ? ", " : " ");
        print_key(out, v, a->map.fields[i].name);
        print_value(out, v, a->map.fields[i].value);
    }
    buf_char(out, v.sharp_v ? '}' : ']');
}

static void print_object(struct buf *out, struct verb v, const struct tval *a)
{
    const char *name = a->type->go_name;
    if (name[0] == '*') {
        buf_char(out, '&');
        name++;
    }
    buf_puts(out, v.sharp_v ? name : "");
    buf_char(out, '{');
    for (size_t i = 0; i < a->map.count; i++) {
        if (i > 0)
            buf_puts(out, v.sharp_v ? ", " : " ");
        if (v.sharp_v || v.plus_v) {
            buf_str(out, a->map.fields[i].name);
            buf_char(out, ':');
        }
        print_value(out, v, a->map.fields[i].value);
    }
    buf_char(out, '}');
}

/* Go's String method, if the type has one. */
static bool add_string(struct buf *out, const struct tval *a)
{
    if (a->kind == TVAL_TIME)
        time_print(out, a);
    else if (a->kind == TVAL_DURATION)
        go_duration_print(out, a->integer);
    else if (a->type != NULL && a->type->print != NULL)
        a->type->print(out, a);
    else
        return false;
    return true;
}

static bool takes_string(struct verb v)
{
    return !v.bare && !v.sharp_v && v.rune < 0x80 && v.rune > 0 && strchr("vsxXq", v.rune) != NULL;
}

static bool print_stringer(struct buf *out, struct verb v, const struct tval *a)
{
    if (!takes_string(v))
        return false;
    struct buf text;
    scratch_begin(&text);
    bool has = add_string(&text, a);
    if (has)
        print_text(out, v, buf_slice(&text), a);
    buf_release(&text);
    return has;
}

static void print_bool(struct buf *out, struct verb v, const struct tval *a)
{
    if (v.rune == 'v' || v.rune == 't')
        pad(out, v, a->truth ? STR("true") : STR("false"));
    else
        print_bad(out, v, a);
}

static void print_nil(struct buf *out, struct verb v, const struct tval *a)
{
    if (v.depth > 0)
        buf_puts(out, v.rune == 'v' && v.sharp_v ? "interface {}(nil)" : "<nil>");
    else if (v.rune == 'v')
        pad(out, v, STR("<nil>"));
    else
        print_bad(out, v, a);
}

static void print_time(struct buf *out, struct verb v, const struct tval *a)
{
    if (v.rune != 'v' || !v.sharp_v) {
        print_bad(out, v, a);
        return;
    }
    struct buf text;
    scratch_begin(&text);
    time_print_go(&text, a);
    pad(out, v, buf_slice(&text));
    buf_release(&text);
}

static void print_kind(struct buf *out, struct verb v, const struct tval *a)
{
    switch (a->kind) {
    case TVAL_NIL:
        print_nil(out, v, a);
        break;
    case TVAL_BOOL:
        print_bool(out, v, a);
        break;
    case TVAL_INT:
    case TVAL_DURATION:
        print_integer(out, v, a);
        break;
    case TVAL_FLOAT:
        print_float(out, v, a);
        break;
    case TVAL_TEXT:
        print_text(out, v, a->text, a);
        break;
    case TVAL_LIST:
        print_list(out, v, a);
        break;
    case TVAL_MAP:
        print_map(out, v, a);
        break;
    case TVAL_OBJECT:
        print_object(out, v, a);
        break;
    case TVAL_TIME:
        print_time(out, v, a);
        break;
    }
}

void print_value(struct buf *out, struct verb v, const struct tval *a)
{
    if (v.depth > PRINT_DEPTH_MAX || buf_overflow(out))
        return;
    if (v.depth == 0 && v.rune == 'T') {
        v.rune = 's';
        pad(out, v, str_of(value_type_name(a)));
        return;
    }
    if (print_stringer(out, v, a))
        return;
    v.depth++;
    if (a->kind < TVAL_LIST || a->kind > TVAL_OBJECT)
        v.depth--;
    print_kind(out, v, a);
}

void tval_print(struct buf *out, const struct tval *v)
{
    print_value(out, (struct verb){.rune = 'v'}, v);
}

/* ---- Print and Println ---- */

void print_plain(struct buf *out, const struct tval *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && args[i].kind != TVAL_TEXT && args[i - 1].kind != TVAL_TEXT)
            buf_char(out, ' ');
        tval_print(out, &args[i]);
    }
}

void print_line(struct buf *out, const struct tval *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ' ');
        tval_print(out, &args[i]);
    }
    buf_char(out, '\n');
}
