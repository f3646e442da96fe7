/*
 * variables: the environment's $NAME and ${NAME} in the values of external labels, as Prometheus replaces them since 3.0.
 *
 * $$ is a dollar sign; so is one that no name follows. What is not set, or empty, becomes nothing, with a warning. Braces
 * without a name go, too. A name is letters, digits and underscores, or one of * # $ @ ! ? - 0-9.
 */
#ifndef TOCSIN_DAEMON_VARIABLES_PRIV_H
#define TOCSIN_DAEMON_VARIABLES_PRIV_H

#include "tocsin/labels.h"

/* Labels that come to nothing are left out. NULL: the arena is full, or a value is longer than limits.yaml_bytes. */
const struct labels *variables_expand(struct arena *arena, const struct labels *ls);

#endif
