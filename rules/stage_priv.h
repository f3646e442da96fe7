/*
 * stage: rules of a group that are evaluated beside each other, where the feature concurrent-rule-eval is on.
 *
 * A rule belongs behind all rules before it whose results it may read, and not before any that may read its own or write the
 * same. That makes stages, and what comes of them stage by stage is what comes of the rules one after the other: within a stage the
 * rules are computed by whoever has time, but written in their order, by the group's worker alone.
 *
 * Drawback: what several rules of a stage have in common, windows too, is computed for each of them.
 */
#ifndef TOCSIN_STAGE_PRIV_H
#define TOCSIN_STAGE_PRIV_H

#include <stdbool.h>
#include <stddef.h>

struct evaluation;
struct expr;
struct live_group;
struct rule;
struct ruler;
struct stage;

/* group_inputs.c: may it find what the rule writes? Told by names alone. */
bool selector_may_read(const struct expr *selector, const struct rule *writer);

/* group_stages.c: sets `stage` of the group's rules, and stage_count. */
void group_stages_find(struct live_group *group);

/* The rules of one stage, as a part of the group's evaluation. */
void stage_evaluate(struct evaluation *e, size_t stage);

/* Computes one rule of a stage that another worker is at. False: there is none. */
bool stage_help(struct ruler *ruler);
bool stage_offers(const struct ruler *ruler); /* the ruler's lock held: would it? */

#endif
