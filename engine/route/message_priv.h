/*
 * message_priv: one outgoing request with everything it is made of, and its answer.
 *
 * It owns its memory from the rendering to the answer; the network's thread fills in the answer and puts it into the
 * router's inbox, and touches nothing else.
 */
#ifndef TOCSIN_MESSAGE_PRIV_H
#define TOCSIN_MESSAGE_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/world.h"

struct router;
struct delivery;

enum { MESSAGE_DETAIL_MAX = 512 };

struct message {
    struct arena arena;
    struct net_request request;
    struct router *router;
    struct delivery *delivery;
    struct message *next_answer;   /* in the inbox */
    struct message *older, *newer; /* all that are under way */

    int status; /* of the answer; 0: none came */
    int code;   /* why none came */
    int64_t retry_after_ms;
    char detail[MESSAGE_DETAIL_MAX]; /* the answer's body, or what went wrong; cut */
};

#endif
