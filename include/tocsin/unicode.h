/*
 * unicode: simple case mapping (Unicode 15.0), as Go's strings.ToUpper and ToLower do it.
 */
#ifndef TOCSIN_UNICODE_H
#define TOCSIN_UNICODE_H

#include "tocsin/buf.h"

int rune_upper(int rune);
int rune_lower(int rune);

/* The text with every rune mapped; invalid bytes become U+FFFD. */
void text_upper(struct buf *out, struct str s);
void text_lower(struct buf *out, struct str s);

#endif
