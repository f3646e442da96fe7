/*
 * asker: requests to HTTP servers, one at a time and waited for, over the courier that the daemon uses. For commands, which have nothing
 * else to do meanwhile.
 */
#ifndef TOCSIN_ASKER_PRIV_H
#define TOCSIN_ASKER_PRIV_H

#include "tocsin/world.h"

struct courier;
struct queue;

struct asker {
    struct world *world;
    struct courier *courier;
    struct queue *answered;
};

/* Installs world->send. Answers may be as large as a whole API's (64 MiB). */
int asker_open(struct asker *a, struct world *world, struct err *err);
void asker_close(struct asker *a);

/* Fills *answer in any case; its body is put into *body, which this call makes and the caller releases. 0 if an answer came, whatever it
 * says. */
int asker_ask(struct asker *a, const struct net_request *request, struct net_answer *answer, struct buf *body,
              struct err *err);

/* One GET by an asker of its own; *body as above. ERR_NOT_FOUND: the answer was 404; ERR_IO: any other but 200. */
int asker_get(struct world *world, const char *url, struct buf *body, struct err *err);

/* Behind ? or & of a URL: every byte escaped that could mean something there. */
void asker_escape(struct buf *out, struct str text);

#endif
