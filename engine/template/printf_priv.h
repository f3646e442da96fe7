/*
 * printf_priv: one directive of a format, between the reader of formats and the printer of values.
 */
#ifndef TOCSIN_TEMPLATE_PRINTF_PRIV_H
#define TOCSIN_TEMPLATE_PRINTF_PRIV_H

#include "tocsin/template.h"

/* One directive: %+-8.3f */
struct verb {
    bool plus, minus, sharp, space, zero;
    bool plus_v, sharp_v; /* %+v, %#v: the flags then mean something else */
    bool has_width, has_precision;
    int width, precision;
    int rune;
    bool bare; /* inside %!d(...): no String methods */
    int depth; /* of lists and maps in each other */
};

void print_value(struct buf *out, struct verb v, const struct tval *a);

#endif
