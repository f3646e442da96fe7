/*
 * extras: what senders tell beside samples: exemplars (of one event that a series counted: labels that lead to its trace), and
 * what a metric means (type, help, unit). No rule depends on either: they are for people and their tools.
 *
 * Exemplars follow the rules of Prometheus' head (3.14). Of each series the last limits.exemplars_per_series are kept, by their
 * times; of all together limits.exemplars: beyond that the one that came first goes, which is counted as a hit of that limit. A
 * series without exemplars costs nothing; exemplars go when their series goes.
 *
 * Metadata is kept by metric family, whatever series there are. Senders that differ are all kept, up to
 * limits.metadata_per_family meanings; one that nobody has told of for METADATA_OUTDATED_MS goes as soon as another of its family
 * is told of. Beyond limits.metadata_families the meanings go that nobody has told of for longest.
 *
 * Threads: all may be called by several at once.
 *
 * Drawback: neither is in the store's log. After a restart there is what senders have told since: metadata is told again and
 * again, exemplars are not.
 */
#ifndef TOCSIN_EXTRAS_H
#define TOCSIN_EXTRAS_H

#include "tocsin/arena.h"
#include "tocsin/labels.h"
#include "tocsin/store.h"
#include "tocsin/view.h"

/* Names and values of an exemplar's labels together: a promise of OpenMetrics, which bounds what one may cost. */
enum { EXEMPLAR_RUNES_MAX = 128 };

struct exemplar {
    const struct labels *labels; /* no name empty (the sender's duty) */
    double value;
    int64_t t_ms;
};

enum exemplar_reason {
    EXEMPLAR_OK,
    EXEMPLAR_OUT_OF_ORDER, /* older than the newest of its series, and beyond the out-of-order window */
    EXEMPLAR_TOO_LONG,     /* its labels have more than EXEMPLAR_RUNES_MAX characters */
    EXEMPLAR_FUTURE,       /* more than limits.future_ms ahead of now */
    EXEMPLAR_NO_SERIES,    /* the store does not hold that series */
    EXEMPLAR_MEMORY_LIMIT, /* beyond limits.store_bytes */
    EXEMPLAR_REASON_COUNT
};

struct exemplar_result {
    uint64_t done; /* need not be sent again: stored, there already, or of a series that nobody asks for */
    uint64_t refused;
    enum exemplar_reason first; /* of the first refused one; EXEMPLAR_OK if none */
};

/* Prometheus' wording where it has some. */
const char *exemplar_reason_text(enum exemplar_reason reason);

/* Adds exemplars, in time order, to a series of these labels (as in struct batch_series); each is taken or refused alone. The
 * caller zeroes *result. */
void store_exemplars(struct store *store, const struct label *labels, size_t label_count,
                     const struct exemplar *exemplars, size_t count, struct exemplar_result *result);

/* The same for a series that the store knows by its spelling; false, and nothing done, if it does not. */
bool store_exemplars_known(struct store *store, const struct spelling *spelling,
                           const struct exemplar *exemplars, size_t count, struct exemplar_result *result);

/* Copies of a series' exemplars with from_ms <= t <= upto_ms, in time order. 0, or ERR_LIMIT (arena). */
struct exemplar_run {
    const struct exemplar *exemplars;
    size_t count;
};
int view_exemplars(struct view *view, series_ref series, int64_t from_ms, int64_t upto_ms,
                   struct arena *arena, struct exemplar_run *out);

/* Numbered as remote write numbers them. */
enum metadata_type {
    METADATA_UNKNOWN,
    METADATA_COUNTER,
    METADATA_GAUGE,
    METADATA_HISTOGRAM,
    METADATA_GAUGE_HISTOGRAM,
    METADATA_SUMMARY,
    METADATA_INFO,
    METADATA_STATESET,
    METADATA_TYPE_COUNT
};

enum { METADATA_OUTDATED_MS = 60 * 60 * 1000 };

struct metadata {
    struct str family;
    enum metadata_type type;
    struct str help, unit; /* may be empty; what is longer than limits.metadata_text_bytes is cut */
};

/* "counter", "gaugehistogram", ... */
const char *metadata_type_text(enum metadata_type type);

/* Takes over what a metric family means, too. A family without a name, or with one that is too long, is left out. */
void store_note_metadata(struct store *store, const struct metadata *metadata);

/* Copies, sorted by family and by what they say; of one family only, unless its name is empty. 0, or ERR_LIMIT (arena). */
int store_list_metadata(struct store *store, struct str family, struct arena *arena, struct metadata **out,
                        size_t *count);

struct extras_figures {
    uint64_t exemplars, exemplar_series, families;
    int64_t first_exemplar_ms; /* the time of the one that came first; 0 if there is none */
};
void store_extras_figures(struct store *store, struct extras_figures *out);

#endif
