/* Packed stretches from a file: any bytes are refused or are a stretch in every respect. */
#include "../../engine/store/sealed_priv.h"
#include "tocsin/check.h"
#include "tocsin/mem.h"
#include "tocsin/sample.h"

#include <math.h>

static struct point unpacked[SEALED_SAMPLES_MAX + 1], again[SEALED_SAMPLES_MAX + 1];
static int64_t starts[SEALED_SAMPLES_MAX + 1], starts_again[SEALED_SAMPLES_MAX + 1];

static void assert_rises(const struct sealed *s)
{
    must(s->count > 0 && s->count <= SEALED_SAMPLES_MAX);
    must(unpacked[0].t_ms == s->oldest_ms && unpacked[s->count - 1].t_ms == s->newest_ms);
    for (size_t i = 1; i < s->count; i++)
        must(unpacked[i].t_ms > unpacked[i - 1].t_ms);
}

/* Samples after each of some times: what the walk gives from there on is what stands there. */
static void assert_walks(const struct sealed *s)
{
    for (size_t i = 0; i < s->count; i += 37) {
        struct point group[GROUP_SAMPLES];
        struct sealed_walk w = sealed_walk(s, unpacked[i].t_ms);
        size_t at = w.index;
        must(at <= i);
        for (size_t n; (n = sealed_next(&w, group, NULL)) > 0; at += n)
            must(memcmp(group, unpacked + at, n * sizeof *group) == 0);
        must(at == s->count);
        must(sealed_count_about(s, unpacked[i].t_ms, INT64_MAX) >= s->count - i - 1);
    }
}

static bool is_sample(const struct sealed_place *p, size_t i)
{
    return p->index == i && p->found.point.t_ms == unpacked[i].t_ms &&
           double_bits(p->found.point.value) == double_bits(unpacked[i].value);
}

/* Samples found alone are those that come out with the others. */
static void assert_finds(const struct sealed *s)
{
    for (size_t i = 0; i < s->count; i += 23) {
        struct sealed_place upto, after;
        sealed_upto(s, unpacked[i].t_ms, WINDOW_SUM, &upto);
        must(is_sample(&upto, i) && sealed_start(s, i) == starts[i]);
        if (i + 1 == s->count)
            return;
        sealed_after(s, unpacked[i].t_ms, WINDOW_SUM, &after);
        must(is_sample(&after, i + 1));
    }
}

/* Parts add up to what their whole numbers come to. */
static void assert_adds_up(const struct sealed *s)
{
    struct window_summary sum;
    for (size_t from = 0; from < s->count; from += 91) {
        int64_t want = 0;
        size_t to = from;
        while (to < s->count && fabs(unpacked[to].value) < 0x1p40 &&
               unpacked[to].value == floor(unpacked[to].value))
            want += (int64_t)unpacked[to++].value;
        if (to == from)
            continue;
        struct sealed_place first, last;
        sealed_upto(s, unpacked[from].t_ms, WINDOW_SUM, &first);
        sealed_upto(s, unpacked[to - 1].t_ms, WINDOW_SUM, &last);
        sealed_sum(s, &first, &last, &sum);
        must(!sum.has_nan && !sum.has_inf &&
             fabs(sum.sum + sum.rest - (double)want) <= 1e-12 * fabs((double)want));
    }
}

static bool same(double a, double b)
{
    return double_bits(a) == double_bits(b);
}

static void assert_same(const struct window_summary *a, const struct window_summary *b)
{
    must(a->first_ms == b->first_ms && a->last_ms == b->last_ms);
    must(same(a->first, b->first) && same(a->last, b->last));
    must(same(a->min, b->min) && same(a->max, b->max));
    must(same(a->sum, b->sum) && same(a->rest, b->rest));
    must(a->count == b->count && a->changes == b->changes && a->has_starts == b->has_starts);
    must(a->resets == b->resets && same(a->correction, b->correction) && a->whole_resets == b->whole_resets);
    must(a->has_nan == b->has_nan && a->has_inf == b->has_inf && a->has_huge == b->has_huge);
}

/* What is kept of the samples is what they come to. */
static void assert_remembers(const struct sealed *s)
{
    struct window_summary kept, in = {.has_starts = s->has_starts};
    sealed_summary(s, WINDOW_ALL, &kept);
    summary_add(&in, unpacked, s->count);
    assert_same(&kept, &in);
}

static void assert_saves(struct account *account, const struct sealed *s)
{
    struct sealed copy;
    char *bytes = mem_new(1, sealed_save_bytes_max(s));
    int rc = sealed_load(account, (struct str){bytes, sealed_save(s, bytes)}, &copy);
    must(rc == 0);
    must(copy.count == s->count && copy.bytes == s->bytes && copy.step_ms == s->step_ms &&
         copy.newest_ms == s->newest_ms);
    must(memcmp(copy.packed, s->packed, s->bytes) == 0);
    assert_remembers(&copy);
    must(s->has_starts || !copy.has_starts); /* it is not seen there if all are 0 */
    sealed_free(account, &copy);
    mem_free(bytes);
}

static void assert_holds(const struct sealed *s, size_t count)
{
    sealed_unpack(s, again, starts_again);
    must(s->count == count && memcmp(again, unpacked, count * sizeof *again) == 0);
    must(memcmp(starts_again, starts, count * sizeof *starts) == 0);
}

/* It is as good as one that was never saved: it takes one more, and may be cut. */
static void assert_lives_on(struct account *account, struct sealed *s)
{
    size_t count = s->count;
    if (count < SEALED_SAMPLES_MAX && s->newest_ms < INT64_MAX) {
        unpacked[count] = (struct point){s->newest_ms + 1, 5};
        starts[count] = 0;
        sealed_append(account, s, &unpacked[count++], NULL, 1);
        assert_holds(s, count);
    }
    size_t kept = sealed_cut(account, s, count / 2, unpacked);
    sealed_append(account, s, unpacked + kept, starts + kept, count - kept);
    assert_holds(s, count);
}

/* Samples that the input spells out, packed: an honest stretch. */
static void pack_honestly(struct account *account, const uint8_t *data, size_t size)
{
    struct sealed s = {0};
    size_t count = 0;
    for (int64_t t_ms = 0; size >= 10 && count < SEALED_SAMPLES_MAX; data += 10, size -= 10) {
        uint64_t bits;
        memcpy(&bits, data + 2, sizeof bits);
        t_ms += 1 + data[0] + ((int64_t)data[1] << 8);
        starts[count] = (data[0] & 6) == 6 ? (int64_t)bits >> 8 : 77;
        unpacked[count++] =
            (struct point){t_ms, (data[0] & 1) != 0 ? double_from_bits(bits) : (double)(bits >> 50)};
    }
    if (count == 0)
        return;
    sealed_append(account, &s, unpacked, starts, count);
    assert_holds(&s, count);
    assert_finds(&s);
    assert_remembers(&s);
    assert_saves(account, &s);
    sealed_free(account, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct account account = {0};
    struct sealed s;
    pack_honestly(&account, data, size);
    if (sealed_load(&account, (struct str){(const char *)data, size}, &s) == 0) {
        sealed_unpack(&s, unpacked, starts);
        assert_rises(&s);
        assert_walks(&s);
        assert_finds(&s);
        assert_adds_up(&s);
        assert_remembers(&s);
        assert_saves(&account, &s);
        assert_lives_on(&account, &s);
        sealed_free(&account, &s);
    }
    must(account.bytes == 0);
    return 0;
}
