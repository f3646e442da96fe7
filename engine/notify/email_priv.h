/* email_priv: settings of email; email_send.c makes its mails. */
#ifndef TOCSIN_EMAIL_PRIV_H
#define TOCSIN_EMAIL_PRIV_H

#include "integration_priv.h"
#include "mail_priv.h"

struct email_threading {
    bool enabled;
    struct str thread_by_date; /* none or daily */
};

/* Once it is checked, what it takes from the globals is in it, and headers hold Subject, To and From. */
struct email {
    struct integration base;
    struct str to, from, hello, smarthost;
    struct str auth_username, auth_password, auth_password_file, auth_secret, auth_secret_file, auth_identity;
    struct strict_pairs headers; /* names as in Reply-To */
    struct str html, text;
    struct str require_tls;            /* true or false */
    const struct http_tls *tls_config; /* NULL: nothing is said */
    struct str force_implicit_tls;     /* empty: on port 465 */
    const struct email_threading *threading;
};

void email_request(struct exchange *x);
enum exchange_verdict email_judge(struct exchange *x, const struct net_answer *answer, struct err *err);

#endif
