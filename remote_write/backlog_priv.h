/*
 * backlog: samples on their way to one target, first in, first out, counted to the byte.
 *
 * Labels of a series are held once, as long as one of its samples is. Samples live in pieces of fixed size, so that neither adding nor
 * taking ever moves many. What is taken out still counts, until it is let go.
 */
#ifndef TOCSIN_BACKLOG_PRIV_H
#define TOCSIN_BACKLOG_PRIV_H

#include "tocsin/hash.h"
#include "tocsin/labels.h"
#include "tocsin/sample.h"

struct line; /* a series some of whose samples are here */
struct piece;

/* A sample with its series; sample.histogram is its own copy. */
struct queued {
    struct line *line;
    struct sample sample;
};

/* What is counted of each: floats and native histograms. */
enum sample_kind { KIND_FLOAT, KIND_HISTOGRAM, KIND_COUNT };

struct backlog {
    struct map lines;
    struct piece *first, *last;
    size_t count;               /* that wait */
    size_t pending[KIND_COUNT]; /* those, and what was taken and is not let go */
    size_t bytes;               /* of all that */
};

void backlog_init(struct backlog *b);
void backlog_release(struct backlog *b); /* nothing may be taken and not let go */

void backlog_add(struct backlog *b, const struct label *labels, size_t label_count,
                 const struct sample *sample);

/* Moves the oldest out; false: there is none. */
bool backlog_take(struct backlog *b, struct queued *out);
void backlog_let_go(struct backlog *b, const struct queued *q);

const struct labels *queued_labels(const struct queued *q);
size_t queued_bytes(const struct queued *q); /* about what it adds to a push */
enum sample_kind queued_kind(const struct queued *q);

#endif
