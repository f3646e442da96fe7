/*
 * courier: the real network behind world->send: one thread with one curl multi handle, and some for mails; every outgoing rule in one place.
 *
 * libcurl makes all connections. A POST over plain HTTP, without a proxy, certificates or headers from its http_config, goes out and is answered
 * without it (courier_line.c): for such a page it is most of the cost. Answers look the same either way.
 *
 * Mails go the same way (net_request.mail), by smtp and smtps, each on one of a few threads, so that no web hook waits for a mail server.
 *
 * Else http and https only; no netrc, no cookies; TLS 1.2 or newer, verified; connect and whole-request deadlines; answers read up to
 * limits.answer_bytes. Credentials, trust and proxies are the request's http_config, whose files are read for each request.
 *
 * With follow_redirects, 307 and 308 are followed, on the same host, up to three times, never from https to http. Prometheus also follows
 * those that make a GET of a POST, and then takes its answer for success.
 */
#ifndef TOCSIN_COURIER_H
#define TOCSIN_COURIER_H

#include "tocsin/world.h"

struct courier;

/* Starts the thread and installs itself as world->send. At most limits.page_queue requests wait or run. */
int courier_open(struct world *world, const char *user_agent, struct courier **out, struct err *err);

/* Lets running requests finish for up to grace_ms, answers the rest with ERR_CANCEL, ends the thread. */
void courier_close(struct courier *courier, int64_t grace_ms);

/* Requests that wait or run. */
size_t courier_pending(struct courier *courier);

#endif
