/*
 * jira_priv: between Jira's settings (jira.c) and what is sent and answered (jira_send.c, the issue itself in jira_issue.c).
 */
#ifndef TOCSIN_NOTIFY_JIRA_PRIV_H
#define TOCSIN_NOTIFY_JIRA_PRIV_H

#include "integration_priv.h"

struct jira_text {
    struct str template;
    struct str enable_update; /* true, false; empty: true */
};

struct jira {
    struct integration base;
    struct str api_url; /* .../rest/api/2, .../rest/api/3 */
    struct str api_type, project, priority, issue_type;
    struct jira_text summary, description;
    struct strict_texts labels;
    struct str reopen_transition, resolve_transition, wont_fix_resolution;
    int64_t reopen_duration;   /* ms */
    const struct tree *fields; /* a map, or NULL */
};

void jira_request(struct exchange *x);
enum exchange_verdict jira_judge(struct exchange *x, const struct net_answer *answer, struct err *err);

/* The label by which the group's issue is found. */
struct str jira_label(struct exchange *x);

/* {"fields": ...}; exists: without what is not to be updated. */
void jira_write_issue(struct exchange *x, struct buf *out, const struct jira *jira, bool exists);

#endif
