/*
 * exposition: samples as a Prometheus that scrapes takes them: its text format 0.0.4, or delimited protobuf
 * (io.prometheus.client.MetricFamily). Negotiated and written as by Prometheus 3.14 (common 0.70).
 *
 * A family is what stands under one name and type. Native histograms have no text form; those with custom buckets are classic
 * histograms to whoever scrapes. Names that are not classic go out as the client asks for (escaping).
 *
 * Drawback: protobuf's two text forms, which Prometheus would write too, are not; their clients get the text format.
 */
#ifndef TOCSIN_SERVE_EXPOSITION_PRIV_H
#define TOCSIN_SERVE_EXPOSITION_PRIV_H

#include "tocsin/buf.h"
#include "tocsin/histogram.h"
#include "tocsin/labels.h"

enum escaping { ESCAPE_UNDERSCORES, ESCAPE_DOTS, ESCAPE_VALUES, ESCAPE_NOTHING };

struct exposition {
    bool protobuf;
    enum escaping escaping;
};

/* What an Accept header asks for; empty: text. */
struct exposition exposition_of(struct str accept);

const char *exposition_content_type(const struct exposition *x);

struct exposed {
    const struct labels *labels;
    int64_t t_ms;
    double value;
    const struct histogram *histogram; /* NULL: a float */
};

static inline struct str exposed_metric(const struct exposed *e)
{
    return labels_get(e->labels, STR(LABEL_METRIC_NAME));
}

bool exposition_can_tell(const struct exposition *x, const struct exposed *e);

/* One family: all are floats, or histograms that are all gauges or all not. `extra` are labels for those that have none of
 * that name. */
struct exposed_family {
    const struct exposed *items;
    size_t count;
    const struct label *extra;
    size_t extra_count;
};
void exposition_text(const struct exposition *x, struct buf *out, const struct exposed_family *f);
void exposition_protobuf(const struct exposition *x, struct buf *out, const struct exposed_family *f);

/* What the forms share. A name is classic if it has only [a-zA-Z0-9_], and of a metric colons, and begins with no digit. */
bool exposition_is_classic(struct str name, bool metric);
void exposition_escape(const struct exposition *x, struct buf *out, struct str name, bool metric);

/* Calls add for each label of the sample but its name, then for the extra ones. */
typedef void exposition_label(void *context, struct str name, struct str value);
void exposition_labels(const struct exposed_family *f, const struct exposed *e, exposition_label *add,
                       void *context);

/* The buckets of a histogram with custom bounds, counted up; +Inf is left out. */
typedef void exposition_bucket(void *context, double upper_bound, double count);
void exposition_classic(const struct histogram *h, exposition_bucket *add, void *context);

#endif
