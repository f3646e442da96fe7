/*
 * What the forms of `tocsin slo generate` share. Each returns the exit status, and has told what was wrong.
 */
#ifndef TOCSIN_COMMAND_SLO_PRIV_H
#define TOCSIN_COMMAND_SLO_PRIV_H

#include "command_priv.h"

#include "tocsin/pyrra.h"
#include "tocsin/world.h"

/* FILE:LINE: WHAT, on standard error. Returns 1. */
int slo_fail(const char *path, const struct err *err);

/* Reads a whole file of at most limits.yaml_bytes; the buffer is to be released either way. */
int slo_read_text(struct world *world, const char *path, struct buf *text, struct err *err);

/* Reads the files behind the first word into the set; what is wrong is appended to *errors, a line each. */
struct objective_set;
int slo_read_objectives(struct objective_set *set, const struct flag_rest *rest, struct buf *errors);

/* The rules of all files in one, on standard output; or, with a folder, a file of rules for each. */
int slo_generate_pyrra(struct world *world, const struct flag_rest *rest,
                       const struct pyrra_generate *options, const char *folder);

/* --format=prometheus: the groups that the files' objectives stand for here, as a rule file on standard output. */
int slo_print_rules(const struct flag_rest *rest);

/* tocsin slo contract: what files promise, without data. */
int slo_contract(int argc, char **argv);

/* tocsin slo list and tocsin slo budget: asks a running Tocsin. */
int slo_list(int argc, char **argv);

#endif
