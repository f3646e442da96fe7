/*
 * incident: a record for every page: what fired, who was told and when, and when it ended.
 *
 * An incident is opened by the first firing page of a group, gathers every later page of that group as
 * its timeline, and is closed when the group's alerts are told as resolved (or would be, if the integration wanted
 * to know). Keys are the router's group keys.
 *
 * One thread calls incidents_page; the rest may be asked from any thread, for it reads what is on disk.
 */
#ifndef TOCSIN_INCIDENT_H
#define TOCSIN_INCIDENT_H

#include "tocsin/page.h"
#include "tocsin/state.h"
#include "tocsin/world.h"

struct incidents;

/* Loads what was open. state is borrowed. */
int incidents_open(struct state *state, struct world *world, struct incidents **out, struct err *err);
void incidents_close(struct incidents *incidents);

/* Takes in one piece of news. */
int incidents_page(struct incidents *incidents, const struct page_event *page, struct err *err);

/* JSON array of the newest incidents with their timelines, newest first: id, key, state open|closed, openedAt,
 * closedAt (null while open), receivers, groupLabels, commonLabels, commonAnnotations, timeline [{at, event
 * delivered|retrying|failed|unsent, receiver, integration, status, attempt, firing, resolved, reason, detail?}]. */
int incidents_write_json(struct incidents *incidents, size_t limit, struct buf *out, struct err *err);

size_t incidents_open_count(struct incidents *incidents);

#endif
