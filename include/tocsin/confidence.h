/*
 * confidence: pages of few events, with a stated rate of false ones.
 *
 * Ten requests an hour at 99.9 %: one failure is a burn rate of 100, and a page. An objective may instead state how many false pages
 * of it one period may bring (0.05: one in twenty months). False is a page while events fail independently of each other with
 * the budget's share b or less. A tier then fires if its windows are over their limit, as ever, and if one of these is evidence:
 *
 *   window   the lower Clopper-Pearson bound of the long window's error ratio is over factor * b
 *   outage   a sequential test: since some moment nearly all events fail, rather than b of them
 *   trickle  the same for a share of factor * b: what never fills a window, but goes on for days
 *
 * The rate is spent among them: a half on `outage`, where it decides whether two events in a row are enough at ten an hour; a quarter each
 * on the others. Each part holds for itself, and so does their sum, whatever depends on what:
 *
 *   window   each evaluation of each tier in the period is its own look (Bonferroni), at rate / looks. Windows overlap, so that the looks
 *            that are independent are far fewer; and the bound is for factor * b, of which b is well below. It costs little: ten
 *            times as many looks raise the number of bad events that is needed by a few per cent.
 *   others   a sum over events since the best moment to begin, never below 0: + ln(p/b) for a bad one, + ln((1-p)/(1-b)) for a good one. The
 *            best beginnings are bad events, of which the period has N*b of its N; from such a beginning the likelihood ratio, p/b then, is
 *            a martingale, so that it ever reaches exp(h) with a probability of at most p/b * exp(-h) (Ville). So with
 *            h = ln(N*p / rate) all beginnings together are within the rate. An N that is too small by some factor raises the
 *            rate by no more than that factor. Evaluating once a slot only leaves out chances to stop.
 *
 * Drawback: failures that come in bursts (one client that retries) are more evidence than they should be.
 */
#ifndef TOCSIN_CONFIDENCE_H
#define TOCSIN_CONFIDENCE_H

#include "tocsin/objective.h"

/* ---- one look at a window ---- */

/* The probability that of `total` events at least `at_least` are bad if each is with `ratio`: the regularised incomplete beta function
 * I_ratio(at_least, total - at_least + 1), to 1e-10 of itself or better. Takes time with the root of total. */
double confidence_tail(int64_t at_least, int64_t total, double ratio);

/* The lower Clopper-Pearson bound: a ratio under it would bring so many bad events with a probability under alpha. 0 <= bad <= total, 0
 * < total, 0 < alpha < 1. */
double confidence_lower(int64_t bad, int64_t total, double alpha);

/* Whether that bound is over the limit. More bad events than events count as all of them; no events are no evidence. */
bool guard_fires(int64_t bad, int64_t total, double limit, double alpha);

/* How many bad events it takes among so many; never fewer among more. total + 1: all of them are not enough. */
int64_t guard_bad_min(int64_t total, double limit, double alpha);

/* ---- all looks of a period ---- */

enum { GUARD_TESTS_MAX = 8 };

struct guard_test {
    double ratio; /* p above */
    double bad_step, good_step, height;
};

/* For the tiers of one class of one objective. */
struct guard_plan {
    double looks;
    double look_alpha; /* for guard_fires, at factor * b of the tier */
    struct guard_test tests
        [GUARD_TESTS_MAX]; /* the first is for outages, then a trickle for each tier over the budget's pace */
    size_t test_count;
};

/* From objective->guard.false_page_rate; `events`: how many the period is expected to bring, as its last one did. ERR_ARG: no rate under 1, no
 * budget, no interval, no events; ERR_LIMIT: more tiers than GUARD_TESTS_MAX - 1. */
int guard_plan_make(const struct objective *objective, enum tier_class class, int64_t interval_ms,
                    double events, struct guard_plan *out, struct err *err);

/* What the sequential tests remember of one group of an objective; all zero at first. Keep it where it survives restarts. */
struct guard_weights {
    double of[GUARD_TESTS_MAX];
};

/* The events since the last call, each once; their order within does not matter. */
void guard_count(const struct guard_plan *plan, struct guard_weights *weights, double bad, double good);

/* One of the sequential tests is over its height; it stays there while errors go on. */
bool guard_goes_on(const struct guard_plan *plan, const struct guard_weights *weights);

/* All that a tier needs beside its windows being over their limit (factor * b): any of the three. `bad` and `total` are of the long
 * window; where they are no whole numbers, bad is rounded down and total up. */
bool guard_agrees(const struct guard_plan *plan, const struct guard_weights *weights, int64_t bad,
                  int64_t total, double limit);

#endif
