/*
 * message_priv: one attempt to tell a receiver: the request under way with everything it is made of, and its answer.
 *
 * It owns its memory from the rendering to the last answer; while a request is out, the network's thread fills in the answer and puts the message
 * into the router's inbox, and nobody else touches it.
 */
#ifndef TOCSIN_MESSAGE_PRIV_H
#define TOCSIN_MESSAGE_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/integration.h"

struct router;
struct delivery;

struct message {
    struct arena arena;
    struct exchange exchange;
    struct router *router;
    struct delivery *delivery;
    struct message *next_answer;   /* in the inbox */
    struct message *older, *newer; /* all that are under way */
    struct net_answer answer;      /* its body is in the arena */
};

#endif
