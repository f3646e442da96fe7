#include "promqltest_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/histogram.h"

#include <math.h>
#include <stdlib.h>

/* A classic histogram of a load block: X_bucket, X_count and X_sum with the same labels. */
struct family {
    const struct labels *labels; /* of X, without le */
    const struct series_line *count, *sum;
    struct family_bucket {
        double upper;
        const struct series_line *line;
    } * buckets;
    size_t bucket_count, bucket_capacity;
};

struct families {
    struct loading *loading;
    struct family *items;
    size_t count, capacity;
};

static int no_memory(struct loading *l)
{
    return err_set(l->err, ERR_LIMIT, "a load block needs too much memory");
}

static bool cut_suffix(struct str *name, struct str suffix)
{
    if (!str_ends(*name, suffix))
        return false;
    name->n -= suffix.n;
    return true;
}

static struct family *find_family(struct families *f, const struct labels *series, struct str name)
{
    struct arena *arena = &f->loading->arena;
    const struct labels *ls = labels_with(arena, series, STR("le"), (struct str){0});
    ls = ls != NULL ? labels_with(arena, ls, STR(LABEL_METRIC_NAME), name) : NULL;
    for (size_t i = 0; ls != NULL && i < f->count; i++)
        if (labels_equal(f->items[i].labels, ls))
            return &f->items[i];
    ARENA_GROW(arena, f->items, f->count, f->capacity);
    if (ls == NULL || f->items == NULL)
        return NULL;
    f->items[f->count] = (struct family){.labels = ls};
    return &f->items[f->count++];
}

static int add_bucket(struct families *f, const struct series_line *line, struct str name)
{
    struct family_bucket bucket = {.line = line};
    if (!go_parse_float(labels_get(line->labels, STR("le")), &bucket.upper))
        return 0;
    struct family *family = find_family(f, line->labels, name);
    if (family == NULL)
        return no_memory(f->loading);
    ARENA_GROW(&f->loading->arena, family->buckets, family->bucket_count, family->bucket_capacity);
    if (family->buckets == NULL)
        return no_memory(f->loading);
    family->buckets[family->bucket_count++] = bucket;
    return 0;
}

static int add_line(struct families *f, const struct series_line *line)
{
    struct str name = labels_get(line->labels, STR(LABEL_METRIC_NAME));
    struct family *family;
    if (cut_suffix(&name, STR("_bucket")))
        return add_bucket(f, line, name);
    bool count = cut_suffix(&name, STR("_count"));
    if (!count && !cut_suffix(&name, STR("_sum")))
        return 0;
    family = find_family(f, line->labels, name);
    if (family == NULL)
        return no_memory(f->loading);
    *(count ? &family->count : &family->sum) = line;
    return 0;
}

static int by_bound(const void *a, const void *b)
{
    const struct family_bucket *x = a, *y = b;
    return (x->upper > y->upper) - (x->upper < y->upper);
}

static const struct series_item *item_at(const struct series_line *line, size_t i)
{
    return line != NULL && i < line->count && line->items[i].present ? &line->items[i] : NULL;
}

static struct histogram *new_histogram(struct arena *arena, size_t bucket_count)
{
    struct histogram *h = ARENA_NEW(arena, struct histogram);
    struct histogram_span *span = ARENA_NEW(arena, struct histogram_span);
    double *buckets = ARENA_ARRAY(arena, double, bucket_count + 1);
    double *bounds = ARENA_ARRAY(arena, double, bucket_count + 1);
    if (h == NULL || span == NULL || buckets == NULL || bounds == NULL)
        return NULL;
    *h = (struct histogram){.schema = HISTOGRAM_CUSTOM, .custom_bounds = bounds};
    h->positive = (struct histogram_side){.spans = span, .span_count = 1, .buckets = buckets};
    return h;
}

/* One histogram at one time; *out stays NULL if there is none, or its counts fall. */
static int convert(struct loading *l, const struct family *family, size_t at, const struct histogram **out)
{
    const struct series_item *count = item_at(family->count, at), *sum = item_at(family->sum, at);
    struct histogram *h = new_histogram(&l->arena, family->bucket_count);
    double before = 0;
    *out = NULL;
    if (h == NULL)
        return no_memory(l);
    for (size_t i = 0; i < family->bucket_count; i++) {
        const struct series_item *bucket = item_at(family->buckets[i].line, at);
        if (bucket == NULL)
            continue;
        if (bucket->sample.value < before)
            return 0;
        h->positive.buckets[h->positive.bucket_count++] = bucket->sample.value - before;
        if (!isinf(family->buckets[i].upper))
            h->custom_bounds[h->custom_count++] = family->buckets[i].upper;
        before = bucket->sample.value;
    }
    h->count = count != NULL ? count->sample.value : before;
    h->sum = sum != NULL ? sum->sample.value : 0;
    if (h->positive.bucket_count == h->custom_count)
        h->positive.buckets[h->positive.bucket_count++] = h->count - before;
    h->positive.spans[0].length = (uint32_t)h->positive.bucket_count;
    *out = h;
    return 0;
}

static size_t length_of(const struct family *family)
{
    size_t length = 0;
    for (size_t i = 0; i < family->bucket_count; i++)
        length = family->buckets[i].line->count > length ? family->buckets[i].line->count : length;
    return length;
}

static bool any_bucket_at(const struct family *family, size_t at)
{
    for (size_t i = 0; i < family->bucket_count; i++)
        if (item_at(family->buckets[i].line, at) != NULL)
            return true;
    return false;
}

static int append_family(struct loading *l, struct family *family)
{
    struct series_line line = {.labels = family->labels, .count = length_of(family)};
    if (family->bucket_count == 0)
        return 0;
    qsort(family->buckets, family->bucket_count, sizeof *family->buckets, by_bound);
    line.items = ARENA_ARRAY(&l->arena, struct series_item, line.count);
    if (line.items == NULL)
        return no_memory(l);
    for (size_t i = 0; i < line.count; i++) {
        struct sample *s = &line.items[i].sample;
        s->t_ms = (int64_t)i * l->step_ms;
        if (any_bucket_at(family, i))
            TRY(convert(l, family, i, &s->histogram));
        line.items[i].present = s->histogram != NULL;
    }
    ARENA_GROW(&l->arena, l->series, l->count, l->capacity);
    if (l->series == NULL)
        return no_memory(l);
    l->series[l->count++] = line;
    return 0;
}

int load_histograms(struct loading *l)
{
    struct families f = {.loading = l};
    for (size_t i = 0; i < l->count; i++)
        TRY(add_line(&f, &l->series[i]));
    for (size_t i = 0; i < f.count; i++)
        TRY(append_family(l, &f.items[i]));
    return 0;
}
