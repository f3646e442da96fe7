/*
 * labels_priv: label sets laid flat into memory that somebody else provides.
 */
#ifndef TOCSIN_MODEL_LABELS_PRIV_H
#define TOCSIN_MODEL_LABELS_PRIV_H

#include "tocsin/labels.h"

/* How many bytes labels_flatten needs; a multiple of the alignment of struct labels. */
size_t labels_flat_bytes(const struct labels *ls);

/* A self-contained copy at `to`, which is aligned for struct labels. */
struct labels *labels_flatten(void *to, const struct labels *ls);

#endif
