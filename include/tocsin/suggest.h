/*
 * suggest: what an indicator's own history says about objectives for it: which one it would have met, and how often others would have paged.
 *
 * Pure: the history is an array of slices, each with its bad events and all events, oldest first, without gaps; a slice of which nothing is
 * known has none. Windows are looked at at the end of each slice.
 *
 * Drawback: what happened is not what will happen, and shorter than a slice nothing is seen: tiers whose short window is no longer than a
 * slice fire for what is in that slice.
 */
#ifndef TOCSIN_SUGGEST_H
#define TOCSIN_SUGGEST_H

#include "tocsin/objective.h"

struct suggest_slice {
    double bad, total;
};

struct suggest_history {
    const struct suggest_slice *slices;
    size_t count;
    int64_t slice_ms;
};

/* The share of good events that 95 of 100 rolling windows of that length had (nearest rank; windows without events are no windows). The
 * arena holds a number a window. ERR_ARG: the window is shorter than a slice; ERR_NOT_FOUND: no window of that length, or none with events; ERR_LIMIT. */
int suggest_achievable(const struct suggest_history *history, int64_t window_ms, struct arena *arena,
                       double *out, struct err *err);

/* The highest of the usual targets (50 %, 75 %, 90 %, 95 %, 97 %, 98 %, 99 %, 99.5 %, 99.8 %, 99.9 %, 99.95 %, 99.99 %, 99.999 %) that is no
 * higher than that. numerator 0: not even the lowest. */
struct fraction suggest_target(double achievable);

/* What a target would have brought. Several tiers of a class that fire at the same time are one page, as they are one alert group. */
struct suggest_outcome {
    struct fraction target;
    size_t pages, tickets;
    double burn; /* of the whole history; over 1: the target was missed */
};

/* Runs the tiers over the history. A tier begins once its long window is full. ERR_ARG: a tier with more than SUGGEST_TIERS_MAX others; ERR_LIMIT. */
enum { SUGGEST_TIERS_MAX = 16 };
int suggest_outcome(const struct suggest_history *history, const struct objective_tier *tiers,
                    size_t tier_count, struct fraction target, struct suggest_outcome *out, struct err *err);

#endif
