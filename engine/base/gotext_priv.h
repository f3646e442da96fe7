/*
 * gotext_priv: what the files of gotext share.
 */
#ifndef TOCSIN_BASE_GOTEXT_PRIV_H
#define TOCSIN_BASE_GOTEXT_PRIV_H

#include "tocsin/str.h"

#include <stdbool.h>

/* Go's rule for '_' in numbers: only between digits, or between a base prefix and a digit. */
bool underscores_fit(struct str number);

#endif
