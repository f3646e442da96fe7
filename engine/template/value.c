#include "template_priv.h"

#include "tocsin/gotext.h"

#include <math.h>

const struct tval_type type_int64 = {.go_name = "int64"};
const struct tval_type type_uint8 = {.go_name = "uint8"};
const struct tval_type type_strings = {.go_name = "[]string"};

struct tval tval_nil(void)
{
    return (struct tval){.kind = TVAL_NIL};
}

struct tval tval_bool(bool v)
{
    return (struct tval){.kind = TVAL_BOOL, .truth = v};
}

struct tval tval_int(int64_t v)
{
    return (struct tval){.kind = TVAL_INT, .integer = v};
}

struct tval value_int_of(const struct tval_type *type, int64_t v)
{
    return (struct tval){.kind = TVAL_INT, .type = type, .integer = v};
}

struct tval tval_float(double v)
{
    return (struct tval){.kind = TVAL_FLOAT, .real = v};
}

struct tval tval_text(struct str s)
{
    return (struct tval){.kind = TVAL_TEXT, .text = s};
}

struct tval tval_time_zoned(int64_t unix_s, int32_t ns, int32_t offset_s, struct str zone)
{
    return (struct tval){.kind = TVAL_TIME,
                         .time = {.unix_s = unix_s, .ns = ns, .offset_s = offset_s, .zone = zone}};
}

struct tval tval_time(int64_t unix_ns)
{
    int64_t s = unix_ns / 1000000000, ns = unix_ns % 1000000000;
    if (ns < 0) {
        ns += 1000000000;
        s--;
    }
    return tval_time_zoned(s, (int32_t)ns, 0, STR("UTC"));
}

struct tval tval_duration(int64_t ns)
{
    return (struct tval){.kind = TVAL_DURATION, .integer = ns};
}

struct tval tval_list(struct tval *items, size_t count)
{
    return (struct tval){.kind = TVAL_LIST, .list = {.items = items, .count = count}};
}

struct tval tval_texts(struct tval *items, size_t count)
{
    return (struct tval){.kind = TVAL_LIST, .type = &type_strings, .list = {.items = items, .count = count}};
}

struct tval tval_map(struct tval_field *fields, size_t count, enum tval_kind zero)
{
    return (struct tval){.kind = TVAL_MAP, .map = {.fields = fields, .count = count, .zero = zero}};
}

struct tval tval_object(const struct tval_type *type, struct tval_field *fields, size_t count)
{
    return (struct tval){.kind = TVAL_OBJECT, .type = type, .map = {.fields = fields, .count = count}};
}

const struct tval *tval_get(const struct tval *v, struct str name)
{
    if (v->kind != TVAL_MAP && v->kind != TVAL_OBJECT)
        return NULL;
    for (size_t i = 0; i < v->map.count; i++)
        if (str_eq(v->map.fields[i].name, name))
            return v->map.fields[i].value;
    return NULL;
}

bool tval_truth(const struct tval *v)
{
    switch (v->kind) {
    case TVAL_NIL:
        return false;
    case TVAL_BOOL:
        return v->truth;
    case TVAL_INT:
    case TVAL_DURATION:
        return v->integer != 0;
    case TVAL_FLOAT:
        return v->real != 0;
    case TVAL_TEXT:
        return v->text.n > 0;
    case TVAL_LIST:
        return v->list.count > 0;
    case TVAL_MAP:
        return v->map.count > 0;
    default:
        return true;
    }
}

/* ---- types ---- */

const char *value_type_name(const struct tval *v)
{
    if (v->type != NULL)
        return v->type->go_name;
    switch (v->kind) {
    case TVAL_NIL:
        return "<nil>";
    case TVAL_BOOL:
        return "bool";
    case TVAL_INT:
        return "int";
    case TVAL_FLOAT:
        return "float64";
    case TVAL_TEXT:
        return "string";
    case TVAL_LIST:
        return "[]interface {}";
    case TVAL_MAP:
        return v->map.zero == TVAL_TEXT ? "map[string]string" : "map[string]interface {}";
    case TVAL_TIME:
        return "time.Time";
    case TVAL_DURATION:
        return "time.Duration";
    default:
        return "struct {}";
    }
}

/* Go's "assignable to". */
bool value_goes_into(const struct tval *v, struct str type)
{
    if (str_is(type, "any") || str_is(type, value_type_name(v)))
        return true;
    if (str_is(type, "[]any"))
        return v->kind == TVAL_LIST && v->type == NULL;
    return v->type != NULL && v->type->underlying != NULL && str_is(type, v->type->underlying);
}

struct tval value_nil_as(struct str type)
{
    if (str_is(type, "[]any"))
        return tval_list(NULL, 0);
    return str_is(type, "[]string") ? tval_texts(NULL, 0) : tval_nil();
}

const struct template_function *value_method(const struct tval *v, struct str name)
{
    const struct template_function *m = v->kind == TVAL_TIME       ? time_methods
                                        : v->kind == TVAL_DURATION ? duration_methods
                                        : v->type != NULL          ? v->type->methods
                                                                   : NULL;
    for (; m != NULL && m->name != NULL; m++)
        if (str_is(name, m->name))
            return m;
    return NULL;
}

/* Cuts the next type off a signature: "string ...any". */
static bool next_type(struct str *signature, struct str *type, bool *variadic)
{
    if (signature->n == 0)
        return false;
    *type = str_cut(signature, ' ');
    *variadic = str_starts(*type, STR("..."));
    if (*variadic)
        *type = (struct str){type->p + 3, type->n - 3};
    return true;
}

size_t signature_count(const char *signature, bool *variadic)
{
    struct str rest = str_of(signature), type;
    size_t count = 0;
    *variadic = false;
    while (next_type(&rest, &type, variadic))
        count++;
    return *variadic ? count - 1 : count;
}

struct str signature_type(const char *signature, size_t i)
{
    struct str rest = str_of(signature), type = STR("any");
    bool variadic = false;
    for (size_t at = 0; at <= i && !variadic && next_type(&rest, &type, &variadic); at++)
        ;
    return type;
}

/* ---- order ---- */

enum basic { BASIC_NONE, BASIC_BOOL, BASIC_INT, BASIC_FLOAT, BASIC_TEXT };

static enum basic basic_kind(const struct tval *v)
{
    switch (v->kind) {
    case TVAL_BOOL:
        return BASIC_BOOL;
    case TVAL_INT:
    case TVAL_DURATION:
        return BASIC_INT;
    case TVAL_FLOAT:
        return BASIC_FLOAT;
    case TVAL_TEXT:
        return BASIC_TEXT;
    default:
        return BASIC_NONE;
    }
}

/* As %s shows it. */
static void add_shown(struct buf *out, const struct tval *v)
{
    print_format(out, STR("%s"), v, 1);
}

static int fail_types(const struct tval *a, const struct tval *b, struct err *err)
{
    struct buf text;
    scratch_begin(&text);
    buf_puts(&text, "non-comparable types ");
    add_shown(&text, a);
    buf_format(&text, ": %s, %s: ", value_type_name(a), value_type_name(b)); /* Go's own order */
    tval_print(&text, b);
    err_set(err, ERR_EXEC, "%s", buf_text(&text));
    buf_release(&text);
    return ERR_EXEC;
}

static int fail_type(const struct tval *v, struct err *err)
{
    struct buf text;
    scratch_begin(&text);
    buf_format(&text, "non-comparable type ");
    add_shown(&text, v);
    err_set(err, ERR_EXEC, "%s: %s", buf_text(&text), value_type_name(v));
    buf_release(&text);
    return ERR_EXEC;
}

static bool same_time(const struct tval *a, const struct tval *b)
{
    return a->time.unix_s == b->time.unix_s && a->time.ns == b->time.ns &&
           a->time.offset_s == b->time.offset_s;
}

/* Neither is a bool, number or text. */
static int equal_others(const struct tval *a, const struct tval *b, bool *equal, struct err *err)
{
    if (a->kind == TVAL_NIL || b->kind == TVAL_NIL) {
        *equal = a->kind == b->kind;
        return 0;
    }
    if (a->kind != b->kind)
        return fail_types(a, b, err);
    if (a->kind != TVAL_TIME)
        return fail_type(b, err);
    *equal = same_time(a, b);
    return 0;
}

int value_equal(const struct tval *a, const struct tval *b, bool *equal, struct err *err)
{
    enum basic kind = basic_kind(a);
    *equal = false;
    if (kind != basic_kind(b)) {
        if (a->kind == TVAL_NIL || b->kind == TVAL_NIL)
            return 0;
        return err_set(err, ERR_EXEC, "incompatible types for comparison: %s and %s", value_type_name(a),
                       value_type_name(b));
    }
    switch (kind) {
    case BASIC_BOOL:
        *equal = a->truth == b->truth;
        return 0;
    case BASIC_INT:
        *equal = a->integer == b->integer;
        return 0;
    case BASIC_FLOAT:
        *equal = a->real == b->real;
        return 0;
    case BASIC_TEXT:
        *equal = str_eq(a->text, b->text);
        return 0;
    default:
        return equal_others(a, b, equal, err);
    }
}

static int fail_kind(struct err *err)
{
    return err_set(err, ERR_EXEC, "invalid type for comparison");
}

int value_less(const struct tval *a, const struct tval *b, bool *less, struct err *err)
{
    enum basic kind = basic_kind(a);
    *less = false;
    if (kind == BASIC_NONE)
        return fail_kind(err);
    if (basic_kind(b) == BASIC_NONE)
        return fail_kind(err);
    if (kind != basic_kind(b))
        return err_set(err, ERR_EXEC, "incompatible types for comparison: %s and %s", value_type_name(a),
                       value_type_name(b));
    if (kind == BASIC_BOOL)
        return fail_kind(err);
    if (kind == BASIC_INT)
        *less = a->integer < b->integer;
    else if (kind == BASIC_FLOAT)
        *less = a->real < b->real;
    else
        *less = str_cmp(a->text, b->text) < 0;
    return 0;
}

/* ---- numbers ---- */

int tval_to_float(const struct tval *v, double *out, struct err *err)
{
    switch (v->kind) {
    case TVAL_FLOAT:
        *out = v->real;
        return 0;
    case TVAL_INT:
        *out = (double)v->integer;
        return 0;
    case TVAL_DURATION:
        *out = (double)v->integer / 1e9;
        return 0;
    case TVAL_TEXT:
        *out = 0;
        if (go_parse_float(v->text, out))
            return 0;
        break;
    default:
        return err_set(err, ERR_EXEC, "can't convert %s to float", value_type_name(v));
    }
    struct buf quoted;
    scratch_begin(&quoted);
    go_quote(&quoted, v->text);
    err_set(err, ERR_EXEC, "strconv.ParseFloat: parsing %s: %s", buf_text(&quoted),
            isinf(*out) ? "value out of range" : "invalid syntax");
    buf_release(&quoted);
    return ERR_EXEC;
}
