/*
 * am_import: takes over what an Alertmanager left in its data folder: who was told of what (`nflog`) and who keeps what quiet
 * (`silences`), so that whoever changes to Tocsin pages nobody again. Both are as Alertmanager writes them from 0.15 to 0.34: messages in
 * protobuf's form, each behind its length.
 *
 * Copied into the folder of --storage.path they are read at the next start; so is a folder that was Alertmanager's. They stay as they
 * are, and are read once: again only when their bytes have changed. Of two that speak of the same the younger counts, as it does among
 * Alertmanagers.
 *
 * Drawback: a silence that Tocsin cannot hold as it is (without a matcher, with several sets of them, or for some receivers only) is named
 * in the process' log and not taken over: it would keep quiet what it should not.
 */
#ifndef TOCSIN_AM_IMPORT_H
#define TOCSIN_AM_IMPORT_H

#include "tocsin/state.h"
#include "tocsin/world.h"

/* Before the router is opened. A file that is not there is none; ERR_CORRUPT: one is not what Alertmanager writes, or was cut off. */
int am_import(struct world *world, const char *folder, struct state *state, struct err *err);

#endif
