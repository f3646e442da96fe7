/* One push on its way through the steps of intake: gate.c, decode.c, translate.c. */
#ifndef TOCSIN_PUSH_PRIV_H
#define TOCSIN_PUSH_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/histogram.h"
#include "tocsin/intake.h"

#include <stdatomic.h>

/* What all pushes under way have taken together. */
struct flight {
    _Atomic int64_t bytes;
};

/* A string of a 2.0 request, with the hash that goes into the spelling of the series that use it. */
struct symbol {
    struct str text;
    uint64_t hash[2];
};

/* One series of a request, decoded as far as a known one needs. */
struct pushed {
    struct str body; /* its message: labels, histograms and exemplars are read from it when they are needed */
    struct spelling spelling;
    struct sample *samples; /* the floats, with room behind them for the histograms */
    uint32_t label_count;   /* 2.0: of references, two for each label */
    uint32_t float_count, histogram_count, exemplar_count;
    uint32_t help_ref, unit_ref, metadata_type; /* 2.0's metadata of the series; all 0: none */
};

/* Series of a request as they come, so many at a time that they are translated and admitted together. */
enum { RUN_SERIES_MAX = 256 };
struct pushed_run {
    struct pushed_run *next;
    size_t count, capacity;
    struct sample *plain; /* of 1.0: one for each series that is written plainly */
    struct pushed series[];
};

/* Exemplars, or metadata of its own. */
static inline bool pushed_has_extras(const struct pushed *s)
{
    return (s->exemplar_count | s->help_ref | s->unit_ref | s->metadata_type) != 0;
}

/* 2.0's metadata of a series, which comes again with every series of its family. */
struct told {
    uint32_t name_ref, help_ref, unit_ref, type;
    uint32_t histograms; /* of a series of them the family is the whole name */
};

enum { TOLD = 64 };

struct push {
    struct store *store;
    struct intake_answer *answer;
    struct arena arena; /* everything decoded; capped by limits.push_arena_bytes */
    struct flight *flight;
    int64_t charged_bytes; /* what this push has put on the flight's account */
    int64_t arena_bytes;   /* of those, for the arena */
    bool flight_full;      /* that account had no more room */
    bool unlogged;         /* some of what was stored is not in the log */
    uint16_t identity;     /* whose it is */
    bool v2;               /* io.prometheus.write.v2.Request, else prometheus.WriteRequest */
    bool names_types;      /* intake_name_types */
    char *decoded;
    size_t decoded_bytes;

    struct symbol *symbols;
    size_t symbol_count;
    struct pushed_run *first_run, *last_run;
    size_t series_count;
    size_t sample_count; /* histograms included */
    int64_t field_count; /* of the request and its series: what a push costs, whatever its bytes */

    bool has_metadata; /* 1.0: of families, beside the series */
    struct told told[TOLD];
    uint64_t written_exemplars, refused_exemplars;
};

/* Ends the push: sets the status and adds a line to the text. Returns the code that goes with the status. */
int push_fail(struct push *p, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Takes so many more bytes of the flight's account (negative: gives back). False if there is no room. */
bool push_charge(struct push *p, int64_t bytes);

/* Brings the flight's account in line with what the arena holds. False if there is no room. */
bool push_settle(struct push *p);

/* Why memory ran out, as an answer. */
int push_out_of_memory(struct push *p);

/* gate: the declared length is believed only if it can be true; then snappy. 0, or push_fail's code. */
int push_uncompress(struct push *p, struct str compressed);

/* decode: the whole message is checked for its form and its counts, and its series are listed. 0, or push_fail's code. */
int push_decode(struct push *p);

/* translate: the request's series go to the store, run by run. 0, or push_fail's code. */
int push_translate(struct push *p);

/* translate_extras: what comes with a series that has been offered to the store: its exemplars, 2.0's metadata. Says and counts
 * what is refused. 0, or ERR_LIMIT (memory). */
int push_series_extras(struct push *p, const struct pushed *s);

/* 1.0's metadata. */
void push_families(struct push *p);

/* decode_v1, decode_v2: one series (its body is set). 0, ERR_PARSE, or ERR_LIMIT (memory). Samples beyond
 * limits.push_samples are counted, not kept. ERR_FULL: too many fields. */
int decode_series_v1(struct push *p, struct pushed *s);
int decode_series_v2(struct push *p, struct pushed *s);

/* decode_plain: the same for a series of 1.0 that is plain and sound, its float in *to. False: it may be anything. */
bool decode_plain_v1(struct push *p, struct pushed *s, struct sample *to);
bool decode_plain_label(struct str message, struct label *to);

/* The labels in the order of the request, then those of its type and unit. 0, ERR_PARSE with the reason (2.0) if a reference
 * points nowhere, or ERR_LIMIT (arena). */
int push_spell(struct push *p, const struct pushed *s, struct labels **out, struct err *err);

/* What push_spell is made of: `out` has room for s->label_count (2.0: for half of that). */
void spell_v1(const struct pushed *s, struct label *out);
int spell_v2(struct push *p, const struct pushed *s, struct label *out, struct err *err);

/* type_labels: its metadata has a type or a unit, and these are to be labels (intake_name_types). */
bool push_names_type(const struct push *p, const struct pushed *s);
/* What a spelling must tell apart, then. */
struct spelling push_spelling_of_type(const struct push *p, const struct pushed *s, struct spelling plain);

/* decode: for the two above. */
int decode_count_field(struct push *p); /* 0, or ERR_FULL */
int decode_floats(struct push *p, struct pushed *s, const uint8_t *first);
bool wire_histogram_is_sound(struct str message, bool v2);

/* translate_histogram: checks and converts one message; a stale histogram becomes store_stale_histogram. 0, or ERR_PARSE with the
 * reason, or ERR_LIMIT (arena). */
int translate_histogram(struct arena *arena, struct str message, bool v2, struct sample *to, struct err *err);

#endif
