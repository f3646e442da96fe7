#include "tocsin/encode.h"

#include "encode_priv.h"

static void put_label(struct sink *s, const void *from)
{
    const struct label *label = from;
    put_bytes(s, 2, label->value.p, label->value.n);
    put_bytes(s, 1, label->name.p, label->name.n);
}

static void put_series(struct sink *s, const void *from)
{
    enum { LABELS = 1, SAMPLES = 2, HISTOGRAMS = 4 };
    const struct batch_series *series = from;
    for (size_t i = series->sample_count; i-- > 0;) {
        const struct sample *sample = &series->samples[i];
        if (sample->histogram != NULL)
            put_nested(s, HISTOGRAMS, put_histogram_v1, sample);
        else
            put_nested(s, SAMPLES, put_float_v1, sample);
    }
    for (size_t i = series->label_count; i-- > 0;)
        put_nested(s, LABELS, put_label, &series->labels[i]);
}

static void put_batch(struct sink *s, const void *from)
{
    enum { SERIES = 1 };
    const struct batch *batch = from;
    for (size_t i = batch->count; i-- > 0;)
        put_nested(s, SERIES, put_series, &batch->series[i]);
}

int encode_push(struct arena *arena, const struct batch *batch, struct str *body)
{
    return encode_message(arena, put_batch, batch, body);
}
