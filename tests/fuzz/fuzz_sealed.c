/* Packed stretches from a file: any bytes are refused or are a stretch in every respect. */
#include "../../engine/store/sealed_priv.h"
#include "tocsin/check.h"
#include "tocsin/mem.h"
#include "tocsin/sample.h"

static struct point unpacked[SEALED_SAMPLES_MAX + 1], again[SEALED_SAMPLES_MAX + 1];

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
        for (size_t n; (n = sealed_next(&w, group)) > 0; at += n)
            must(memcmp(group, unpacked + at, n * sizeof *group) == 0);
        must(at == s->count);
        must(sealed_count_about(s, unpacked[i].t_ms, INT64_MAX) >= s->count - i - 1);
    }
}

static void assert_saves(struct account *account, const struct sealed *s)
{
    struct sealed copy;
    char *bytes = mem_new(1, sealed_save_bytes_max(s));
    int rc = sealed_load(account, (struct str){bytes, sealed_save(s, bytes)}, &copy);
    must(rc == 0);
    must(copy.count == s->count && copy.bytes == s->bytes && copy.last_at == s->last_at &&
         copy.step_ms == s->step_ms && copy.newest_ms == s->newest_ms);
    must(memcmp(copy.packed, s->packed, s->bytes) == 0);
    must(double_bits(copy.in.sum) == double_bits(s->in.sum) && copy.in.count == s->in.count &&
         copy.in.resets == s->in.resets && double_bits(copy.in.correction) == double_bits(s->in.correction));
    sealed_free(account, &copy);
    mem_free(bytes);
}

/* It is as good as one that was never saved: it takes one more, and may be cut. */
static void assert_lives_on(struct account *account, struct sealed *s)
{
    size_t count = s->count;
    if (count < SEALED_SAMPLES_MAX && s->newest_ms < INT64_MAX) {
        unpacked[count] = (struct point){s->newest_ms + 1, 5};
        sealed_append(account, s, &unpacked[count++], 1);
        sealed_unpack(s, again);
        must(memcmp(again, unpacked, count * sizeof *again) == 0);
    }
    size_t kept = sealed_cut(account, s, count / 2, unpacked);
    sealed_append(account, s, unpacked + kept, count - kept);
    sealed_unpack(s, again);
    must(s->count == count && memcmp(again, unpacked, count * sizeof *again) == 0);
}

/* Points that the input spells out, packed: an honest stretch. */
static void pack_honestly(struct account *account, const uint8_t *data, size_t size)
{
    struct sealed s = {0};
    struct point points[SEALED_SAMPLES_MAX];
    size_t count = 0;
    for (int64_t t_ms = 0; size >= 10 && count < SEALED_SAMPLES_MAX; data += 10, size -= 10) {
        uint64_t bits;
        memcpy(&bits, data + 2, sizeof bits);
        t_ms += 1 + data[0] + ((int64_t)data[1] << 8);
        points[count++] =
            (struct point){t_ms, (data[0] & 1) != 0 ? double_from_bits(bits) : (double)(bits >> 50)};
    }
    if (count == 0)
        return;
    sealed_append(account, &s, points, count);
    assert_saves(account, &s);
    sealed_free(account, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct account account = {0};
    struct sealed s;
    pack_honestly(&account, data, size);
    if (sealed_load(&account, (struct str){(const char *)data, size}, &s) == 0) {
        sealed_unpack(&s, unpacked);
        assert_rises(&s);
        assert_walks(&s);
        assert_saves(&account, &s);
        assert_lives_on(&account, &s);
        sealed_free(&account, &s);
    }
    must(account.bytes == 0);
    return 0;
}
