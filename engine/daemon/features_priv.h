/*
 * features: what --enable-feature names.
 *
 * Prometheus 3.14's names and no others. People bring their command lines, so a name that changes nothing here (it is always
 * on, or concerns parts that Tocsin does not have, or went away with Prometheus 3) is taken with one line in the log that says
 * why. Prometheus only warns of a name it does not know and goes on without it; here that is an error: rules that need the
 * feature would be refused later, with a reason that hides the typing error.
 */
#ifndef TOCSIN_FEATURES_PRIV_H
#define TOCSIN_FEATURES_PRIV_H

#include "flags_priv.h"

#include "tocsin/promql_parse.h"

/* For the table of flags of a command. */
#define FEATURES_HELP "Prometheus' feature flags, comma-separated"

/* Switches on in *to what the lists name, each a comma-separated value of the flag. Empty names are passed over. ERR_ARG for a
 * name that is not known, with those that are. */
int features_enable(struct promql_features *to, const struct flag_list *lists, struct err *err);

/* The same for a command that runs once: says on stderr what is wrong. */
int features_read(struct promql_features *to, const struct flag_list *lists, const char *command);

#endif
