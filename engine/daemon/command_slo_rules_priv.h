/* What command_slo.c leaves to command_slo_rules.c. */
#ifndef TOCSIN_COMMAND_SLO_RULES_PRIV_H
#define TOCSIN_COMMAND_SLO_RULES_PRIV_H

#include "command_priv.h"

/* Writes the rules of the objectives in rest's files, from the second item on, to standard output. Returns the exit status. */
int slo_print_rules(const struct flag_rest *rest);

#endif
