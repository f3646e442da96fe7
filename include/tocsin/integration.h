/*
 * integration: one way by which a receiver is told: a webhook, Slack, PagerDuty, ... as Alertmanager 0.34 knows them.
 *
 * A kind is a file of engine/notify and a line in its table (engine/notify/kinds.c). Its own settings are a struct of its own that begins with
 * struct integration. What a kind sees is a notification, its settings, the templates and the world; it knows nothing of groups, retries
 * or the log. It sends nothing either: it makes requests one at a time, and judges their answers.
 *
 * Differences from Alertmanager, on purpose:
 *  - a template that does not parse refuses the configuration, with its place, and does not wait for the page to be lost;
 *  - a template that fails when it is run is never tried again and never sent in part (Slack, Webex, SNS, VictorOps have ways of their own there);
 *  - 429 is tried again by every kind; a file that cannot be read is not, also by Telegram;
 *  - secrets in files are read for each request and trimmed, also where Alertmanager reads them once (Rocket.Chat, incident.io) or does not
 *    trim them (Pushover);
 *  - WeChat's token is fetched for each message, not kept for two hours, and what asks for it is tried again like the message itself;
 *  - of what fired and ended while nobody could be told (router.h) PagerDuty, OpsGenie, VictorOps and Jira get an incident that is opened and
 *    closed at once, and Slack a message of its own;
 *  - a description that is no document of Atlassian's goes to version 3 of Jira's API as one paragraph, where Alertmanager gives up; a
 *    request to Jira that is not answered is tried again, from the search on;
 *  - what SNS would refuse a message for is not sent: a subject of 100 characters or more, line ends in it, attributes without a value; a
 *    message is cut between characters; the deduplication id of a FIFO topic tells apart what fires from what has ended, as SNS drops
 *    what comes under the same one within five minutes; credentials are never asked of the network, but for those of a role;
 *  - a mail is rendered whole before its server is asked; 5xx is not tried again before the next tick; control characters in headers become
 *    blanks, of addresses only the names are encoded; headers that would describe the body (Content-Type, MIME-Version) are left out; Date and
 *    the days of threads are UTC's; Message-Id ends in the sender's domain; where there is a secret, CRAM-MD5 goes before the password.
 */
#ifndef TOCSIN_INTEGRATION_H
#define TOCSIN_INTEGRATION_H

#include "tocsin/am_globals.h"
#include "tocsin/notification.h"
#include "tocsin/world.h"

struct integration_kind;

struct integration {
    const struct integration_kind *kind;
    size_t index; /* among those of its kind in its receiver */
    bool send_resolved;
    uint64_t max_alerts;            /* 0: all */
    int64_t timeout_ms;             /* of one request; 0: none of its own */
    const struct http_config *http; /* never NULL once it is checked */
    const struct tree *place;       /* where it stands in the file */
};

/* Of one receiver, in Alertmanager's order once they are checked. */
struct integrations {
    struct integration **items;
    size_t count;
};

/* ---- the configuration ---- */

/* The keys of a receiver under which integrations stand (slack_configs), in the order in which Alertmanager prints them; NULL ends them. */
extern const char *const integration_keys[];

strict_read integrations_read; /* struct integrations; the value of one of the keys */

/* Takes over what is to be taken from the globals, and stops at what is missing then. Relative paths of http_config begin at the folder. */
void integrations_check(struct strict *s, struct integrations *list, const struct am_globals *globals,
                        struct str folder);

void integrations_print(struct buf *out, const struct integrations *list);

/* ---- kinds ---- */

/* As the notification log, metrics and logs call it: slack. */
const char *integration_name(const struct integration *integration);

/* Kinds are numbered from 0. */
enum { INTEGRATION_KINDS_MAX = 18 };
size_t integration_kind_count(void);
size_t integration_kind_of(const struct integration *integration);
const char *integration_kind_name(size_t number);

/* Alertmanager's functions and default templates; a set that further ones can be parsed into. NULL past the arena's cap. */
struct template_set *integration_templates(struct arena *arena);

/* ---- telling ---- */

/*
 * One attempt to tell: one request, or several where the next one follows from an answer.
 *
 *   exchange_begin(&x);
 *   while (exchange_next(&x, &err) == 0 && send(&x.request, &answer))
 *       if (exchange_judge(&x, &answer, &err) != EXCHANGE_MORE)
 *           break;
 *
 * A further attempt begins anew.
 */
struct exchange {
    /* Whoever begins it says: */
    struct world *world;
    struct arena *arena; /* of the whole exchange; holds requests and what answers yielded */
    const struct integration *integration;
    const struct template_set *templates;
    struct notification notification; /* before notification_complete */
    const struct labels
        *kept; /* what earlier notifications of the group left behind (Slack's ts); NULL: nothing */

    struct net_request request; /* the one to send */
    const struct labels *keep;  /* what is to be left behind if this one succeeds */

    size_t step; /* of the request, from 0; private from here on */
    int rc;
    struct err why;
    struct tval *data;
    struct buf body;
    bool body_is_json;
    void *memory; /* the kind's own, across the steps */
};

/* A text of a configuration as the integrations run it, also one in HTML; what it says is appended. For whoever tries texts out; the
 * notification must be complete, an integration is not needed. */
int exchange_render(struct exchange *x, struct str source, bool html, struct buf *out, struct err *err);

/* 0, or ERR_LIMIT. The settings' max_alerts is applied to the notification. */
int exchange_begin(struct exchange *x, struct err *err);

/* Makes the next request. An error is final for this tick, as a bad template or an unreadable file is in Alertmanager. */
int exchange_next(struct exchange *x, struct err *err);

enum exchange_verdict {
    EXCHANGE_DONE,
    EXCHANGE_MORE,  /* another request follows at once */
    EXCHANGE_RETRY, /* *err says why */
    EXCHANGE_REFUSED
};

/* answer->body must last as long as the arena. */
enum exchange_verdict exchange_judge(struct exchange *x, const struct net_answer *answer, struct err *err);

#endif
