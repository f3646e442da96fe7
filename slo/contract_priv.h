/*
 * What the files of the contract share.
 */
#ifndef TOCSIN_CONTRACT_PRIV_H
#define TOCSIN_CONTRACT_PRIV_H

#include "tocsin/contract.h"

static const struct fraction contract_whole = {1, 1};

static inline bool fraction_over(struct fraction a, struct fraction b)
{
    return (__int128)a.numerator * b.denominator > (__int128)b.numerator * a.denominator;
}

/* A limit that no share of errors is over. */
static inline bool contract_unreachable(struct fraction limit)
{
    return !fraction_over(contract_whole, limit);
}

static inline int contract_budget(const struct objective *objective, struct fraction *budget)
{
    return fraction_subtract(contract_whole, objective->target, budget);
}

/* Says that the numbers of an objective are beyond all sense. */
int contract_too_large(const struct objective *objective, struct err *err);

#endif
