#include "tocsin/gotext.h"
#include "tocsin/histogram.h"

enum key {
    KEY_SCHEMA,
    KEY_SUM,
    KEY_COUNT,
    KEY_ZERO_COUNT,
    KEY_ZERO_WIDTH,
    KEY_CUSTOM,
    KEY_BUCKETS,
    KEY_OFFSET,
    KEY_NEGATIVE,
    KEY_NEGATIVE_OFFSET,
    KEY_HINT,
    KEY_COUNT_OF_KEYS
};

static const char *const keys[] = {
    "schema",  "sum",    "count",     "z_bucket", "z_bucket_w",        "custom_values",
    "buckets", "offset", "n_buckets", "n_offset", "counter_reset_hint"};
static const char *const hints[] = {"unknown", "reset", "not_reset", "gauge"};

struct list {
    double *items;
    size_t count;
};

struct reader {
    struct arena *arena;
    struct str rest;
    struct err *err;
    bool seen[KEY_COUNT_OF_KEYS];
    struct histogram *h;
    struct list bounds, positive, negative;
    int32_t offset, negative_offset;
};

static int refuse(struct reader *r, const char *what)
{
    enum { SHOWN_MAX = 40 };
    int n = r->rest.n < SHOWN_MAX ? (int)r->rest.n : SHOWN_MAX;
    return err_set(r->err, ERR_PARSE, "%s in histogram at \"%.*s\"", what, n, n > 0 ? r->rest.p : "");
}

static int out_of_arena(struct reader *r)
{
    return err_set(r->err, ERR_LIMIT, "histogram needs too much memory");
}

static void skip(struct reader *r, size_t n)
{
    r->rest.p += n;
    r->rest.n -= n;
}

static void skip_space(struct reader *r)
{
    while (r->rest.n > 0 && strchr(" \t\r\n", r->rest.p[0]) != NULL && r->rest.p[0] != '\0')
        skip(r, 1);
}

static bool take(struct reader *r, const char *text)
{
    skip_space(r);
    if (!str_starts(r->rest, str_of(text)))
        return false;
    skip(r, strlen(text));
    return true;
}

/* What stands before the next space or bracket. */
static struct str take_token(struct reader *r)
{
    skip_space(r);
    size_t n = 0;
    while (n < r->rest.n && r->rest.p[n] != '\0' && strchr(" \t\r\n:[]{}", r->rest.p[n]) == NULL)
        n++;
    struct str token = {r->rest.p, n};
    skip(r, n);
    return token;
}

static int read_number(struct reader *r, double *value)
{
    struct reader before = *r;
    struct str token = take_token(r);
    int64_t whole;
    if (go_parse_int(token, &whole)) {
        *value = (double)whole;
        return 0;
    }
    if (token.n > 1 && token.p[0] == '+' && str_eq_nocase((struct str){token.p + 1, token.n - 1}, STR("nan")))
        token = (struct str){token.p + 1, token.n - 1};
    if (go_parse_float(token, value))
        return 0;
    return refuse(&before, "bad number");
}

static int read_int(struct reader *r, int32_t *value)
{
    struct reader before = *r;
    int64_t whole;
    if (!go_parse_int(take_token(r), &whole) || whole < INT32_MIN || whole > INT32_MAX)
        return refuse(&before, "bad integer");
    *value = (int32_t)whole;
    return 0;
}

static int read_list(struct reader *r, struct list *list)
{
    size_t capacity = 0;
    if (!take(r, "["))
        return refuse(r, "missing \"[\"");
    while (!take(r, "]")) {
        double v;
        int rc = read_number(r, &v);
        if (rc != 0)
            return rc;
        ARENA_GROW(r->arena, list->items, list->count, capacity);
        if (list->items == NULL)
            return out_of_arena(r);
        list->items[list->count++] = v;
    }
    return 0;
}

static int read_hint(struct reader *r)
{
    struct reader before = *r;
    struct str token = take_token(r);
    for (int i = 0; i < 4; i++) {
        if (!str_is(token, hints[i]))
            continue;
        r->h->hint = (enum histogram_hint)i;
        return 0;
    }
    return refuse(&before, "bad counter_reset_hint");
}

static int read_value(struct reader *r, enum key key)
{
    switch (key) {
    case KEY_SCHEMA:
        return read_int(r, &r->h->schema);
    case KEY_SUM:
        return read_number(r, &r->h->sum);
    case KEY_COUNT:
        return read_number(r, &r->h->count);
    case KEY_ZERO_COUNT:
        return read_number(r, &r->h->zero_count);
    case KEY_ZERO_WIDTH:
        return read_number(r, &r->h->zero_threshold);
    case KEY_CUSTOM:
        return read_list(r, &r->bounds);
    case KEY_BUCKETS:
        return read_list(r, &r->positive);
    case KEY_OFFSET:
        return read_int(r, &r->offset);
    case KEY_NEGATIVE:
        return read_list(r, &r->negative);
    case KEY_NEGATIVE_OFFSET:
        return read_int(r, &r->negative_offset);
    case KEY_HINT:
        return read_hint(r);
    case KEY_COUNT_OF_KEYS:
        break;
    }
    return ERR_ARG;
}

static int read_entry(struct reader *r)
{
    skip_space(r);
    struct reader before = *r;
    struct str name = take_token(r);
    int key = 0;
    while (key < KEY_COUNT_OF_KEYS && !str_is(name, keys[key]))
        key++;
    if (key == KEY_COUNT_OF_KEYS)
        return refuse(&before, "bad histogram descriptor found");
    if (r->seen[key])
        return err_set(r->err, ERR_PARSE, "duplicate key \"%s\" in histogram", keys[key]);
    r->seen[key] = true;
    if (!take(r, ":"))
        return refuse(r, "missing \":\"");
    return read_value(r, (enum key)key);
}

static int fill_side(struct reader *r, struct histogram_side *side, struct list list, int32_t offset)
{
    if (list.count == 0)
        return 0;
    side->spans = ARENA_NEW(r->arena, struct histogram_span);
    if (side->spans == NULL)
        return out_of_arena(r);
    if (list.count > UINT32_MAX || (int64_t)offset + (int64_t)list.count - 1 > INT32_MAX)
        return err_set(r->err, ERR_PARSE, "bucket index out of range in histogram");
    side->spans[0] = (struct histogram_span){offset, (uint32_t)list.count};
    side->span_count = 1;
    side->buckets = list.items;
    side->bucket_count = list.count;
    return 0;
}

static int read_entries(struct reader *r)
{
    if (!str_starts(r->rest, STR("{{")))
        return refuse(r, "missing \"{{\"");
    skip(r, 2);
    while (!take(r, "}}")) {
        int rc = r->rest.n > 0 ? read_entry(r) : refuse(r, "missing \"}}\"");
        if (rc != 0)
            return rc;
    }
    int rc = fill_side(r, &r->h->positive, r->positive, r->offset);
    if (rc == 0)
        rc = fill_side(r, &r->h->negative, r->negative, r->negative_offset);
    r->h->custom_bounds = r->bounds.items;
    r->h->custom_count = r->bounds.count;
    return rc;
}

int histogram_parse(struct arena *arena, struct str text, size_t *used, struct histogram **h,
                    bool *hint_given, struct err *err)
{
    struct reader r = {.arena = arena, .rest = text, .err = err, .h = ARENA_NEW(arena, struct histogram)};
    if (r.h == NULL)
        return out_of_arena(&r);
    int rc = read_entries(&r);
    if (rc != 0)
        return rc;
    *used = text.n - r.rest.n;
    *h = r.h;
    *hint_given = r.seen[KEY_HINT];
    return 0;
}
