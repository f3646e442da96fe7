/* The doors of extras.h for exemplars: from labels or a spelling to the number of a series. */
#include "store_priv.h"
#include "tocsin/mem.h"
#include "view_priv.h"

const char *exemplar_reason_text(enum exemplar_reason reason)
{
    static const char *const text[EXEMPLAR_REASON_COUNT] = {
        [EXEMPLAR_OK] = "",
        [EXEMPLAR_OUT_OF_ORDER] = "out of order exemplar",
        [EXEMPLAR_TOO_LONG] = "label length for exemplar exceeds maximum of 128 UTF-8 characters",
        [EXEMPLAR_FUTURE] = "exemplar out of bounds",
        [EXEMPLAR_NO_SERIES] = "exemplar without a sample",
        [EXEMPLAR_MEMORY_LIMIT] = "limit of memory for exemplars reached",
    };
    return text[reason];
}

static size_t rune_count(struct str s)
{
    size_t count = 0;
    for (size_t at = 0; at < s.n; count++) {
        int rune;
        at += str_rune(s.p + at, s.n - at, &rune);
    }
    return count;
}

static bool is_too_long(const struct exemplar *e)
{
    size_t runes = 0;
    for (size_t i = 0; i < e->labels->count && runes <= EXEMPLAR_RUNES_MAX; i++)
        runes += rune_count(e->labels->item[i].name) + rune_count(e->labels->item[i].value);
    return runes > EXEMPLAR_RUNES_MAX;
}

static void settle(struct exemplar_result *result, enum exemplar_reason reason, size_t count)
{
    *(reason == EXEMPLAR_OK ? &result->done : &result->refused) += count;
    if (result->first == EXEMPLAR_OK)
        result->first = reason;
}

/* Index lock held. */
static void add(struct store *s, series_ref ref, const struct exemplar *exemplars, size_t count,
                struct exemplar_result *result)
{
    int64_t now_ms = world_now_ms(s->world);
    for (size_t i = 0; i < count; i++) {
        enum exemplar_reason reason = EXEMPLAR_OK;
        if (minus_ms(exemplars[i].t_ms, now_ms) > limits.future_ms)
            reason = EXEMPLAR_FUTURE;
        else if (is_too_long(&exemplars[i]))
            reason = EXEMPLAR_TOO_LONG;
        else
            reason = exemplars_add(&s->exemplars, ref, &exemplars[i], s->options.out_of_order_ms);
        settle(result, reason, 1);
    }
}

bool store_exemplars_known(struct store *s, const struct spelling *spelling, const struct exemplar *exemplars,
                           size_t count, struct exemplar_result *result)
{
    rwlock_read(&s->index);
    series_ref ref = series_spelt(&s->series, spelling);
    if (ref != 0)
        add(s, ref, exemplars, count, result);
    rwlock_drop(&s->index);
    return ref != 0;
}

/* A series that is not stored because nobody asks for it. Index lock held. */
static bool is_unreferenced(const struct store *s, const struct series_key *key)
{
    return s->options.keep == STORE_KEEP_REFERENCED && standing_reach(s, key) == 0;
}

void store_exemplars(struct store *s, const struct label *labels, size_t label_count,
                     const struct exemplar *exemplars, size_t count, struct exemplar_result *result)
{
    uint64_t *hashes = MEM_ARRAY(uint64_t, label_count);
    struct series_key key = series_key_make(labels, label_count, NULL, hashes);
    rwlock_read(&s->index);
    series_ref ref = series_find(&s->series, &s->pairs, &key);
    if (ref != 0)
        add(s, ref, exemplars, count, result);
    else
        settle(result, is_unreferenced(s, &key) ? EXEMPLAR_OK : EXEMPLAR_NO_SERIES, count);
    rwlock_drop(&s->index);
    mem_free(hashes);
}

int view_exemplars(struct view *v, series_ref series, int64_t from_ms, int64_t upto_ms, struct arena *arena,
                   struct exemplar_run *out)
{
    return exemplars_read(&v->store->exemplars, series, from_ms, upto_ms, arena, out);
}

void store_extras_figures(struct store *s, struct extras_figures *out)
{
    struct exemplars *x = &s->exemplars;
    lock_take(&x->lock);
    *out = (struct extras_figures){.exemplars = x->count, .exemplar_series = x->by_series.count};
    if (x->first != NULL)
        out->first_exemplar_ms = x->first->what.t_ms;
    lock_drop(&x->lock);
    out->families = families_count(&s->families);
}
