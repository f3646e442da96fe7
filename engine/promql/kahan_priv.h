/* kahan: the sums of spec prometheus 10.3; the store makes its summaries with the same. */
#ifndef TOCSIN_PROMQL_KAHAN_PRIV_H
#define TOCSIN_PROMQL_KAHAN_PRIV_H

#include "tocsin/kahan.h"

#endif
