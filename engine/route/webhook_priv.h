/* webhook_priv: a delivery rendered as the request that Alertmanager's webhook integration makes. */
#ifndef TOCSIN_WEBHOOK_PRIV_H
#define TOCSIN_WEBHOOK_PRIV_H

#include "message_priv.h"
#include "router_priv.h"

/* Fills in message->request. Reads url_file and credential files. Any error here is final for this tick, as a bad
 * template or an unreadable file is in Alertmanager. */
int webhook_render(struct router *router, struct delivery *delivery, struct message *message, int64_t now_ns,
                   struct err *err);

#endif
