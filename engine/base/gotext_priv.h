/*
 * gotext_priv: what the files of gotext share.
 */
#ifndef TOCSIN_BASE_GOTEXT_PRIV_H
#define TOCSIN_BASE_GOTEXT_PRIV_H

#include "tocsin/str.h"

#include <stdbool.h>

/* Go's unicode.IsPrint: Unicode 15.0. */
bool rune_is_printable(int rune);

/* Writes a rune as UTF-8; returns how many bytes it took, at most four. */
size_t rune_encode(int rune, char *to);

/* Go's rule for '_' in numbers: only between digits, or between a base prefix and a digit. */
bool underscores_fit(struct str number);

#endif
