/*
 * memo: the windows that a view has told, for whoever asks for one of them again.
 *
 * Rules of one group ask for many windows twice: the failed requests of a ratio are among all of them, and a window of
 * six hours stands in two alerts. A memo has a fixed number of places; what comes later takes the place of what was
 * there. Not for two threads at once.
 */
#ifndef TOCSIN_STORE_MEMO_PRIV_H
#define TOCSIN_STORE_MEMO_PRIV_H

#include "tocsin/view.h"

struct memo_key {
    int64_t after_ms, upto_ms;
    series_ref series;
    enum window_wish wish;
};

struct memo;

struct memo *memo_open(void);
void memo_close(struct memo *memo); /* or NULL */

/* NULL: it is not there. Valid until the next memo_put. */
const struct window_summary *memo_find(const struct memo *memo, const struct memo_key *key);
void memo_put(struct memo *memo, const struct memo_key *key, const struct window_summary *summary);

/* Nothing is there afterwards. */
void memo_forget(struct memo *memo);

#endif
