/*
 * What the fuzz targets of remote write share: the bytes at hand, and the same message as protobuf-c understands and writes
 * it, must get the same answers and leave the same store.
 */
#ifndef TOCSIN_TESTS_WRITE_HELP_H
#define TOCSIN_TESTS_WRITE_HELP_H

#include "tocsin/check.h"
#include "tocsin/encode.h"
#include "tocsin/extras.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/view.h"

#include <protobuf-c/protobuf-c.h>
#include <snappy-c.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
    struct world_sim sim;
    struct store *store;
    struct intake *intake;
    struct store_figures figures;
    struct intake_answer answer;
    struct arena arena;
};

static inline void open_side(struct side *s)
{
    world_sim_init(&s->sim, 1000 * NS_PER_S, 1);
    s->store = store_open(&(struct store_options){.retention_ms = INT64_MAX}, &s->sim.world);
    s->intake = intake_open(&s->sim.world);
    arena_init(&s->arena, 256 << 20);
    intake_answer_init(&s->answer);
}

static inline void close_side(struct side *s)
{
    intake_answer_release(&s->answer);
    arena_release(&s->arena);
    intake_close(s->intake);
    store_close(s->store);
}

typedef int push_function(struct intake *, struct store *, struct str, struct str, struct intake_answer *);

static inline void push_body(struct side *s, push_function *push, struct str body)
{
    intake_answer_release(&s->answer);
    intake_answer_init(&s->answer);
    int rc = push(s->intake, s->store, STR(""), body, &s->answer);
    must((rc == 0) == (s->answer.status == 204));
    must((rc == 0) == (s->answer.text.used == 0));
    store_figures(s->store, &s->figures);
}

static inline void push_message(struct side *s, push_function *push, struct str message)
{
    size_t bytes = snappy_max_compressed_length(message.n);
    char *body = arena_alloc(&s->arena, bytes);
    must(body != NULL && snappy_compress(message.p, message.n, body, &bytes) == SNAPPY_OK);
    push_body(s, push, (struct str){body, bytes});
}

/* All of the store as one batch. */
static inline void read_all(struct store *store, struct arena *arena, struct batch *batch)
{
    struct view *v = view_open(store);
    struct series_set set;
    must(view_select(v, NULL, 0, arena, &set) == 0);
    struct batch_series *series = ARENA_ARRAY(arena, struct batch_series, set.count);
    for (size_t i = 0; i < set.count; i++) {
        struct sample_run run;
        const struct labels *ls = labels_copy(arena, view_labels(v, set.refs[i]));
        must(view_read(v, set.refs[i], INT64_MIN, INT64_MAX, arena, &run) == 0);
        series[i] = (struct batch_series){ls->item, ls->count, run.samples, run.count};
    }
    *batch = (struct batch){.series = series, .count = set.count};
    view_close(v);
}

static inline struct str encode_all(struct side *s)
{
    struct batch batch;
    struct str body;
    read_all(s->store, &s->arena, &batch);
    must(encode_push(&s->arena, &batch, &body) == 0);
    return body;
}

/* The exemplars of a series, printed; -0 as 0, which protobuf-c takes for a field that need not be written. */
static inline struct str print_exemplars(struct side *s, struct view *v, series_ref ref)
{
    struct exemplar_run run;
    struct buf text;
    must(view_exemplars(v, ref, INT64_MIN, INT64_MAX, &s->arena, &run) == 0);
    buf_init(&text, 16 << 20);
    for (size_t i = 0; i < run.count; i++) {
        buf_format(&text, "%lld %a ", (long long)run.exemplars[i].t_ms, run.exemplars[i].value + 0.0);
        labels_print(&text, run.exemplars[i].labels);
    }
    struct str printed = str_copy(&s->arena, buf_slice(&text));
    buf_release(&text);
    return printed;
}

/* Series have the same numbers on both sides: they came in the same order. */
static inline void must_hold_the_same_exemplars(struct side *a, struct side *b)
{
    struct view *va = view_open(a->store), *vb = view_open(b->store);
    struct series_set set;
    must(view_select(va, NULL, 0, &a->arena, &set) == 0);
    for (size_t i = 0; i < set.count; i++)
        must(str_eq(print_exemplars(a, va, set.refs[i]), print_exemplars(b, vb, set.refs[i])));
    view_close(va);
    view_close(vb);
}

static inline void must_hold_the_same_metadata(struct side *a, struct side *b)
{
    struct metadata *ma, *mb;
    size_t na, nb;
    must(store_list_metadata(a->store, STR(""), &a->arena, &ma, &na) == 0);
    must(store_list_metadata(b->store, STR(""), &b->arena, &mb, &nb) == 0);
    must(na == nb);
    for (size_t i = 0; i < na; i++)
        must(str_eq(ma[i].family, mb[i].family) && ma[i].type == mb[i].type &&
             str_eq(ma[i].help, mb[i].help) && str_eq(ma[i].unit, mb[i].unit));
}

static inline int line_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Known series are admitted before new ones, so what is said of them comes first. */
static inline struct str sorted_lines(struct side *s)
{
    struct str text = buf_slice(&s->answer.text), *lines = NULL;
    size_t count = 0, capacity = 0;
    while (text.n > 0) {
        MEM_GROW(lines, count, capacity);
        lines[count++] = str_cut(&text, '\n');
    }
    if (count > 1)
        qsort(lines, count, sizeof *lines, line_order);
    struct buf sorted;
    buf_init(&sorted, INTAKE_TEXT_BYTES);
    for (size_t i = 0; i < count; i++)
        buf_str(&sorted, lines[i]);
    mem_free(lines);
    char *kept = arena_copy(&s->arena, buf_text(&sorted), sorted.used, 1);
    struct str result = {kept, sorted.used};
    buf_release(&sorted);
    return result;
}

static inline void must_agree(struct side *a, struct side *b)
{
    if (a->answer.status == 413 || b->answer.status == 413)
        return; /* the two spend memory differently */
    must(a->answer.status == b->answer.status && a->answer.appended == b->answer.appended);
    must(a->answer.written_samples == b->answer.written_samples);
    must(a->answer.written_histograms == b->answer.written_histograms);
    must(a->answer.written_exemplars == b->answer.written_exemplars);
    if (a->answer.text.used < INTAKE_TEXT_BYTES / 2) /* else what is left out differs */
        must(str_eq(sorted_lines(a), sorted_lines(b)));
    must(a->figures.series == b->figures.series && a->figures.samples == b->figures.samples);
    must(str_eq(encode_all(a), encode_all(b)));
    must_hold_the_same_exemplars(a, b);
    must_hold_the_same_metadata(a, b);
}

/* protobuf-c takes field number 0 when it is written in more than one byte; Go's decoder and ours refuse it. */
static inline bool may_have_field_zero(struct str message)
{
    const uint8_t *b = (const uint8_t *)message.p;
    for (size_t i = 0; i + 1 < message.n; i++)
        if (b[i] >= 0x80 && b[i] < 0x88 && (b[i + 1] == 0x80 || b[i + 1] == 0))
            return true;
    return false;
}

/* protobuf-c leaves out -0 when it writes, as it does 0; Go does not. */
static inline bool may_have_minus_zero(struct str message)
{
    static const char minus_zero[] = {0, 0, 0, 0, 0, 0, 0, (char)0x80};
    return message.n > 0 && memmem(message.p, message.n, minus_zero, sizeof minus_zero) != NULL;
}

/* True if bytes are there, in whatever role, that the oracle takes for something else. */
static inline bool oracle_may_err(struct str message)
{
    return may_have_field_zero(message) || may_have_minus_zero(message);
}

/* Memory of the oracle: it goes with its side. */
static inline void *oracle_take(void *arena, size_t size)
{
    void *memory = arena_alloc(arena, size);
    must(memory != NULL);
    return memory;
}

static inline void oracle_give(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static inline ProtobufCMessage *oracle_read(struct arena *arena, const ProtobufCMessageDescriptor *type,
                                            struct str message)
{
    ProtobufCAllocator allocator = {oracle_take, oracle_give, arena};
    return protobuf_c_message_unpack(type, &allocator, message.n, (const uint8_t *)message.p);
}

static inline struct str oracle_write(struct arena *arena, const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = oracle_take(arena, n);
    must(protobuf_c_message_pack(message, bytes) == n);
    return (struct str){(const char *)bytes, n};
}

#endif
