/*
 * command: the subcommands of the binary. Each is one file, command_NAME.c, and returns the exit status.
 */
#ifndef TOCSIN_COMMAND_PRIV_H
#define TOCSIN_COMMAND_PRIV_H

#include "flags_priv.h"

#define TOCSIN_VERSION "0.1.0"

/* argv[0] is the subcommand's name. */
int command_serve(int argc, char **argv);
int command_alertmanager(int argc, char **argv);
int command_check(int argc, char **argv);
int command_test(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_tsdb(int argc, char **argv);
int command_receive(int argc, char **argv);
int command_simulate(int argc, char **argv);
int command_slo(int argc, char **argv);
int command_alert(int argc, char **argv);
int command_silence(int argc, char **argv);
int command_config(int argc, char **argv);
int command_cluster(int argc, char **argv);

struct promql_features;
struct world;

/* tocsin check slo: reads the files into one set, and prints of each what was found, or what is wrong. The exit status. */
int check_slo(struct world *world, const struct promql_features *features, char **paths, size_t count);

/* -o becomes --output, the short form that kubectl and amtool have taught. */
void command_spell_output(int argc, char **argv);

/* Parses flags; on --help prints usage (a text that ends in a newline) and the flags. Returns 0 to go on; otherwise the
 * command returns *status. */
int command_flags(const char *usage, const struct flag *flags, int argc, char **argv, struct flag_rest *rest,
                  int *status);

/* --log.level and --log.format of those that run on: the log goes to standard error in this form. ERR_ARG names the flag. */
int command_log(const char *level, const char *format, struct err *err);

#endif
