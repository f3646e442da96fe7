/* relabel_priv: what reading, checking and applying of relabelling rules share. */
#ifndef TOCSIN_RELABEL_PRIV_H
#define TOCSIN_RELABEL_PRIV_H

#include "tocsin/relabel.h"

/* In the file's words; NULL for RELABEL_NONE. */
const char *relabel_action_name(enum relabel_action action);

/* 0, or ERR_PARSE and why the rule makes no sense. */
int relabel_judge(const struct relabel_rule *rule, struct err *err);

#endif
