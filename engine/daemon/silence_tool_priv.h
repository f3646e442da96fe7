/* silence_tool: the verbs of `tocsin silence`, and the one of `tocsin alert` that makes silences; each returns its exit status. */
#ifndef TOCSIN_SILENCE_TOOL_PRIV_H
#define TOCSIN_SILENCE_TOOL_PRIV_H

#include "tool_priv.h"

int silence_query(struct tool *tool, int argc, char **argv);
int silence_add(struct tool *tool, int argc, char **argv);
int silence_update(struct tool *tool, int argc, char **argv);
int silence_expire(struct tool *tool, int argc, char **argv);
int silence_import(struct tool *tool, int argc, char **argv);
int alert_ack(struct tool *tool, int argc, char **argv);

/* Silences of the API as --output says. */
void silence_print(struct tool *tool, const struct tree *const *items, size_t count);

/* Posts a silence; its id goes to *id. */
int silence_post(struct tool *tool, struct str body, struct str *id, struct err *err);

#endif
