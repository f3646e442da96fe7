/*
 * view: a reader's door to the store, for one evaluation or one API call.
 *
 * While a view is open no series or label set it has shown is freed. It sees samples that arrive meanwhile only in
 * series it has not read yet. Not for two threads at once.
 */
#ifndef TOCSIN_VIEW_H
#define TOCSIN_VIEW_H

#include "tocsin/arena.h"
#include "tocsin/store.h"

typedef uint32_t series_ref;

struct view;

struct series_set {
    const series_ref *refs; /* in no particular order; in the arena or the view */
    size_t count;
    bool untyped; /* none has __type__ or __unit__; false where that is not known */
};

struct sample_run {
    const struct sample *samples; /* in time order */
    size_t count;
};

struct view *view_open(struct store *store);
void view_close(struct view *view);

/* From now on what view_window has told is told again without another look, until view_forget: for an evaluation that asks for
 * some windows several times. It then sees no samples that came in between. */
void view_remember(struct view *view);
void view_forget(struct view *view);

/* The series whose labels pass all matchers. 0, or ERR_LIMIT (arena). */
int view_select(struct view *view, const struct matcher *matchers, size_t count, struct arena *arena,
                struct series_set *out);

/* The ready list of a standing selector: no look-up. */
int view_standing(struct view *view, const struct standing *standing, struct arena *arena,
                  struct series_set *out);

/* From now on this one is told to hold these series alone; borrowed. One at a time. */
void view_narrow(struct view *view, const struct standing *standing, struct series_set to);

/* Valid until the view is closed. */
const struct labels *view_labels(struct view *view, series_ref series);

/* Samples with after_ms < t <= upto_ms, stale markers included. 0, or ERR_LIMIT (arena). */
int view_read(struct view *view, series_ref series, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample_run *out);

/* The newest sample with after_ms < t <= upto_ms, stale markers included. False if there is none. A histogram
 * is copied into the arena; past its cap the answer is false, too, and arena_exhausted tells. */
bool view_last(struct view *view, series_ref series, int64_t after_ms, int64_t upto_ms, struct arena *arena,
               struct sample *out);

/*
 * What the floats of a window come to, stale markers left out.
 *
 * All but the sums are to the bit what going through the samples in order gives: a reset is a value below the one
 * before it, and `correction` adds up the values before resets from the first to the last. The sum is compensated
 * (Neumaier): `sum` and what it lost, `rest`. min and max: NaN gives way to everything.
 */
struct window_summary {
    int64_t first_ms, last_ms;
    double first, last, min, max;
    double sum, rest, correction;
    uint32_t count, resets, changes;
    bool has_nan : 1, has_inf : 1;
    bool has_huge : 1;   /* values whose sum may leave the range: how it does depends on the order */
    bool has_starts : 1; /* some may have a start timestamp (what this says of resets is not counted here) */
    bool whole_resets : 1; /* `correction` is made of whole numbers from 0 on: no order changes it */
};

/* What is asked for besides count, first, last and has_starts; the less, the less is read: of a counter without resets two
 * places. What is not asked for is undefined. */
enum window_wish {
    WINDOW_RESETS = 1,  /* resets, correction, whole_resets */
    WINDOW_BOUNDS = 2,  /* min, max */
    WINDOW_SUM = 4,     /* sum, rest, has_nan, has_inf, has_huge */
    WINDOW_CHANGES = 8, /* changes */
    WINDOW_ALL = 15
};

/* The summary of after_ms < t <= upto_ms; count 0: nothing there. The cost hardly grows with the window: what is
 * sealed inside is not read. False where it holds (or may hold) histograms: view_read then. */
bool view_window(struct view *view, series_ref series, int64_t after_ms, int64_t upto_ms,
                 enum window_wish wish, struct window_summary *out);

/*
 * Edges: what is remembered, series by series, of a window that is asked for again and again, a little later each time. It spares the
 * look for where it begins, in memory that is far by then; the answers are the same. For one window: one length, one wish.
 * Not for two threads at once. They count as memory of the store, and there are none beyond a share of it.
 */
struct edge;
struct edges;
struct edges *edges_open(struct store *store);
void edges_close(struct edges *edges); /* or NULL */

/* Of series from <= i < from + count of a list of `all`, for view_windows. NULL: there are none. */
struct edge *edges_at(struct edges *edges, size_t from, size_t count, size_t all);

/* The same of several series, for whoever asks for many: waits for memory once for all of them, not once for each place of each.
 * The answer about series[i] is item i; all are valid until the next call. edges: one for each series; NULL: none. */
enum { VIEW_TOGETHER_MAX = 128 };
struct told_window {
    struct window_summary summary;
    bool is_told; /* as view_window returns it */
};
const struct told_window *view_windows(struct view *view, const series_ref *series, struct edge *edges,
                                       size_t count, int64_t after_ms, int64_t upto_ms,
                                       enum window_wish wish);

/* Say of which series view_last and view_labels are asked next, likewise. They change nothing, and promise nothing. */
void view_touch_last(struct view *view, const series_ref *series, size_t count, int64_t upto_ms);
void view_touch_labels(struct view *view, const series_ref *series, size_t count);

/* Does it have a sample, or a stale marker, with from_ms <= t <= upto_ms? */
bool view_lives(struct view *view, series_ref series, int64_t from_ms, int64_t upto_ms);

/* Which series names and values are told of: those that pass all of one of the matcher lists (no lists: any series) and have
 * samples with from_ms <= t <= upto_ms. */
struct matcher_list {
    const struct matcher *matchers;
    size_t count;
};
struct label_query {
    const struct matcher_list *lists;
    size_t count;
    int64_t from_ms, upto_ms;
};

/* Sorted names (or values of one name). Texts live in the arena. */
int view_label_names(struct view *view, const struct label_query *query, struct arena *arena,
                     struct str **names, size_t *name_count);
int view_label_values(struct view *view, struct str name, const struct label_query *query,
                      struct arena *arena, struct str **values, size_t *value_count);

#endif
