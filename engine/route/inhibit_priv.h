/*
 * inhibit_priv: which alerts keep which others quiet (Alertmanager 0.34).
 *
 * For each rule every source alert is kept, filed under the values of the rule's `equal` labels, so a target stays
 * quiet as long as any one of them fires. Alerts are borrowed from the store: whoever takes one out of there builds
 * the inhibitor anew.
 */
#ifndef TOCSIN_INHIBIT_PRIV_H
#define TOCSIN_INHIBIT_PRIV_H

#include "tocsin/amconfig.h"
#include "tocsin/hash.h"

struct alert;

struct inhibit_index {
    const struct am_inhibit_rule *rule;
    struct map sources; /* struct inhibit_key, by the values of `equal` */
};

struct inhibitor {
    struct inhibit_index *rules;
    size_t count;
};

void inhibitor_init(struct inhibitor *inhibitor, const struct amconfig *config);
void inhibitor_release(struct inhibitor *inhibitor);

/* Files an alert that is new to the store. */
void inhibitor_add(struct inhibitor *inhibitor, const struct alert *alert);

/* Calls found for each firing alert that mutes a target with these labels, until it answers false. */
void inhibitor_each(const struct inhibitor *inhibitor, const struct labels *target, int64_t now_ns,
                    bool (*found)(void *context, const struct alert *source), void *context);
bool inhibitor_mutes(const struct inhibitor *inhibitor, const struct labels *target, int64_t now_ns);

#endif
