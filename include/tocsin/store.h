/*
 * store: the ring: every series with its recent samples, in memory, found by labels.
 *
 * Two ways in: store_admit appends batches; standing selectors announce what rules will ask. A new series is
 * matched against the standing selectors once, when it is created; from then on each selector holds a ready list
 * of its series, and each series knows how far back somebody looks (its reach), which is how long its samples are
 * kept. One way out: a view (view.h).
 *
 * The store decides the counter reset hint of a native histogram when it is appended, from the sample before it
 * (histogram_stored_hint): a reader may rely on not_reset and gauge, and never sees reset.
 *
 * Threads: store_admit may be called by several threads; readers never block writers for longer than the
 * copying of one series' window. Series and samples that a view may still see are freed only after it closes.
 *
 * Drawback: everything is in memory; the log only brings it back.
 */
#ifndef TOCSIN_STORE_H
#define TOCSIN_STORE_H

#include "tocsin/buf.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"
#include "tocsin/sample.h"
#include "tocsin/world.h"

#include <stdint.h>

struct store;
struct standing; /* a standing selector */

enum store_keep { STORE_KEEP_ALL, STORE_KEEP_REFERENCED };

/* What is promised of a sample once its position in the log is durable. */
enum store_sync {
    STORE_SYNC_GROUP, /* survives a power cut: on disk, synced together with others */
    STORE_SYNC_OS     /* survives the end of this process: handed to the operating system */
};

struct store_options {
    int64_t retention_ms; /* how long samples are kept (INT64_MAX: for ever); 0: auto, as long as the longest
                                standing reach asks, and five minutes more for late evaluations */
    int64_t idle_keep_ms; /* auto: how long samples nobody asks for are kept; 0: 15 minutes */
    int64_t out_of_order_ms; /* how far behind a series' newest sample one may still arrive; 0: not at all */
    enum store_keep keep;    /* referenced: series that no standing selector matches are not stored */
};

/* A fingerprint of a series' labels as its sender wrote them: equal spellings are equal labels, which 128 well-mixed,
 * seeded bits promise well enough. `a` is 0: none. By it a known series is found without looking at its labels. */
struct spelling {
    uint64_t a, b;
};

/* In a batch: a sample with this histogram is the stale marker of a native histogram. It is stored as a stale float, as all stale
 * markers are, and counted as a histogram. */
extern const struct histogram store_stale_histogram;

/* One series of a batch. Labels are sorted by name, unique, without empty values, checked (the sender's duty);
 * samples are in time order. Everything is borrowed for the call. */
struct batch_series {
    const struct label *labels;
    size_t label_count;
    const struct sample *samples;
    size_t sample_count;
};

struct batch {
    const struct batch_series *series;
    size_t count;
    const struct spelling *spellings; /* one for each series; NULL: none */
    uint16_t identity;                /* whose it is, from store_identity; 0: nobody's in particular */
    int64_t late_ms; /* how late its samples may be where that is more than out_of_order_ms */
};

enum admit_reason {
    ADMIT_OK,
    ADMIT_OUT_OF_ORDER, /* older than the newest sample of its series, and there is no out-of-order window */
    ADMIT_DUPLICATE,    /* same time as a stored sample, other value (the same value is accepted silently) */
    ADMIT_TOO_OLD,      /* beyond the out-of-order window, or older than the retention of its series */
    ADMIT_FUTURE,       /* more than limits.future_ms ahead of now */
    ADMIT_SERIES_LIMIT, /* a new series beyond limits.series */
    ADMIT_IDENTITY_LIMIT, /* a new series beyond limits.series_per_identity */
    ADMIT_MEMORY_LIMIT,   /* beyond limits.store_bytes */
    ADMIT_UNREFERENCED,   /* keep: referenced, and nobody asks for it; not an error */
    ADMIT_REASON_COUNT
};

struct admit_result {
    uint64_t appended;
    uint64_t appended_histograms;         /* of those */
    uint64_t refused[ADMIT_REASON_COUNT]; /* samples, by reason */
    uint64_t refused_histograms;          /* native histograms among all those */
    enum admit_reason first; /* of the first refused sample; ADMIT_OK if none. Never ADMIT_UNREFERENCED */
    struct buf *detail;      /* may be NULL: a line per series with its first refusal, Prometheus' wording */
    enum admit_reason *reasons; /* may be NULL: for each series of the batch its first refusal, or ADMIT_OK */
    uint64_t
        logged; /* what was appended is durable when store_durable has come so far; 0: nothing to wait for */
    bool unlogged; /* some of it could not be written down: the log has failed */
};

/* Prometheus' wording: "out of order sample", "duplicate sample for timestamp", "out of bounds", ... */
const char *admit_reason_text(enum admit_reason reason);

struct store *store_open(const struct store_options *options, struct world *world);
void store_close(struct store *store); /* no view may be open */

/* Changes the policy of a running store (a reload). */
void store_configure(struct store *store, const struct store_options *options);

/* Appends what can be appended; the rest is refused and counted, sample by sample. Never fails as a whole. A series with a
 * spelling is known by it from then on, as long as it lives and until it is admitted with another one. The caller zeroes
 * *result but for detail and reasons, and what reasons points to. */
void store_admit(struct store *store, const struct batch *batch, struct admit_result *result);

/* The same for those series that the store knows by their spellings: their labels are not looked at and may be left out. The places of the
 * others in the batch go into `unknown` (room for all). Returns how many these are. */
size_t store_admit_known(struct store *store, const struct batch *batch, struct admit_result *result,
                         size_t *unknown);

/* Announces a selector whose user looks back reach_ms from the time of evaluation. Matchers are copied. Equal selectors
 * share one list of series; each user has his own reach. ERR_LIMIT if there are too many (limits.standing_selectors).
 * Regexes are REGEX_PROMQL's. A user leaves with store_unstand; no view_standing on it may be under way then. */
int store_stand(struct store *store, const struct matcher *matchers, size_t count, int64_t reach_ms,
                struct standing **out, struct err *err);
void store_unstand(struct store *store, struct standing *standing);

/* Sets out to bring near (mem_fetch) what tells its series: first itself, then what is within it. */
void standing_fetch(const struct standing *standing, bool within);

/* Number of series it holds now. */
size_t standing_count(struct store *store, const struct standing *standing);

/* Housekeeping: drops samples beyond retention and series that have had none for that long. Cheap when there is
 * nothing to do; call it about every ten seconds. */
void store_retire(struct store *store);

/* Gives back to the system what open blocks no longer need; about every second, as with mem_trim. */
void store_trim(struct store *store);

/*
 * The log: without it the store is memory only.
 *
 * store_recover brings back what a folder holds (the newest sound snapshot and the log behind it) and then writes down everything that is
 * appended. Samples are put into the log's buffer in passing; one thread calls store_log_run in a loop, which writes and syncs;
 * whoever must not lose a sample waits for store_durable. When the log fails, samples still go into memory (unlogged); store_log_run
 * tries again, and a snapshot closes the gap, without a restart.
 */
struct store_recovery {
    uint64_t series, samples;
    uint64_t torn;    /* records that were being written at the end: nobody was told they were safe */
    uint64_t damaged; /* places that could not be read, with all they held */
    uint64_t orphans; /* samples whose series stood in a damaged place */
    int64_t took_ms;
};

/* Once, before anything is admitted. The folder is made if it is not there. ERR_IO if it cannot be read or written, ERR_FULL if
 * limits.series or limits.store_bytes do not let all of it in; the store can only be closed then. Damage is no error: it is
 * stepped over, counted, and logged with its place. */
int store_recover(struct store *store, const char *folder, enum store_sync sync, struct store_recovery *out,
                  struct err *err);

/* One round of the log's thread: waits up to wait_ms to be woken, then writes and syncs what has gathered; after a failure tries,
 * about once a second, to begin anew. 0, or why the log does not work. */
int store_log_run(struct store *store, int64_t wait_ms, struct err *err);

/* What was admitted by now survives the end of this process from here on (a power cut only after the next sync). */
void store_log_write(struct store *store);

/* Somebody waits for what was logged. */
void store_log_wake(struct store *store);

/* Stands still from a failure until a snapshot has closed the gap in the log; only then the log works again. */
uint64_t store_durable(const struct store *store);
bool store_log_works(const struct store *store); /* true without a log, too */

/* Writes a snapshot if the log behind the last one has grown long, and lets go of what it replaces. By the thread that calls
 * store_retire. 0, also when there was nothing to do. */
int store_snapshot(struct store *store, struct err *err);

struct store_log_figures {
    uint64_t syncs, failures;            /* since the start, as the next two */
    uint64_t snapshots, snapshot_errors; /* written; tried in vain */
    int64_t sync_ns;                     /* all these syncs together */
    uint64_t damaged;                    /* places that could not be read at the start */
    uint64_t held_bytes;                 /* of the log's files that may be needed */
    uint32_t segment;                    /* number of the one that is written */
    uint32_t read_first, read_last;      /* those read at the start; last < first: none */
};
bool store_log_figures(const struct store *store, struct store_log_figures *out); /* false: there is no log */

struct store_figures {
    uint64_t series, samples, bytes, standing;
    uint64_t pairs;               /* different name=value */
    uint64_t text_bytes;          /* of their names and values, each once */
    int64_t oldest_ms, newest_ms; /* 0 if empty */
};
void store_figures(struct store *store, struct store_figures *out);

/* What the series go into: the `limit` largest of each kind, largest first, texts in the arena. Writers get in between, so the
 * lists are of no single moment. 0, or ERR_LIMIT (arena). */
struct store_top_item {
    struct str name;
    uint64_t value;
};
struct store_top {
    struct store_top_item *items;
    size_t count;
};
struct store_tops {
    struct store_top metrics;         /* series of each metric name */
    struct store_top names_by_values; /* values of each label name */
    struct store_top names_by_bytes;  /* bytes of those values, each once */
    struct store_top pairs;           /* series of each name=value */
};
int store_tops(struct store *store, size_t limit, struct arena *arena, struct store_tops *out);

/* Who pushes: the number of a name, made when it is new, for struct batch. There are some thousand numbers; names beyond them share
 * one. A series counts for who made it, as long as it lives. */
uint16_t store_identity(struct store *store, struct str name);

/* Those that have series or were refused some, most series first; in the arena. 0, or ERR_LIMIT (arena). */
struct store_identity {
    struct str name;
    uint64_t series;  /* it has made, and that are held */
    uint64_t refused; /* new series beyond a limit, each time they came */
};
int store_identities(struct store *store, struct arena *arena, struct store_identity **out, size_t *count);

/* Of which metrics new series were refused for want of room in this hour and the one before, how often, most first. Metrics with
 * few refusals may be missing. */
struct store_refused {
    struct str metric;
    uint64_t count, over; /* the true count is at least count - over */
};
int store_refusals(struct store *store, struct arena *arena, struct store_refused **out, size_t *count);

#endif
