/*
 * config_tool: the verbs of `tocsin config`, each of which returns its exit status, and what those share that make a page of nothing.
 */
#ifndef TOCSIN_CONFIG_TOOL_PRIV_H
#define TOCSIN_CONFIG_TOOL_PRIV_H

#include "tool_priv.h"

#include "tocsin/amconfig.h"

int config_show(struct tool *tool, int argc, char **argv);
int config_routes(struct tool *tool, int argc, char **argv);
int config_test_receiver(struct tool *tool, int argc, char **argv);
int config_render(struct tool *tool, int argc, char **argv);

/* The alerts that somebody is told of, and how they are grouped; in the tool's arena. */
struct sample {
    struct notification_alert *alerts;
    size_t count;
    const struct labels *group_labels;
    const char *group_key;
};

/* One alert that says that it is a test and that nothing is wrong. */
int sample_test(struct tool *tool, struct str receiver, struct sample *out, struct err *err);

/* Two alerts that fire and one that has ended. */
int sample_made_up(struct tool *tool, struct sample *out, struct err *err);

/* A list of alerts as the API has it; group: its labels as the API has them; NULL: the alertname, if all have the same. */
int sample_read(struct tool *tool, const struct tree *list, const struct tree *group, struct sample *out,
                struct err *err);

/* What an integration is told of them; borrows. Templates are the configuration's, links lead to --alertmanager.url. */
struct exchange sample_exchange(const struct tool *tool, const struct sample *sample, struct str receiver,
                                const struct amconfig *config, struct arena *arena);

/* ERR_NOT_FOUND names those that there are. */
int receiver_find(const struct amconfig *config, const char *name, const struct am_receiver **out,
                  struct err *err);

#endif
