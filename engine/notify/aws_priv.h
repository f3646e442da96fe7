/*
 * aws_priv: signed requests to AWS' Query APIs (SNS, STS): who signs, what is sent, what is answered.
 */
#ifndef TOCSIN_NOTIFY_AWS_PRIV_H
#define TOCSIN_NOTIFY_AWS_PRIV_H

#include "integration_priv.h"

/* The settings under sigv4, as far as they concern SNS; service_name and use_fips_sts_endpoint are taken and say nothing, as in Alertmanager. */
struct aws_settings {
    struct str region, access_key, secret_key, profile, role_arn, external_id, service_name;
    bool use_fips_sts_endpoint;
};

extern const struct shape aws_shape;

/* Who signs, and where. */
struct aws_login {
    struct str region, access_key, secret_key;
    struct str session_token; /* of a login for a while; else empty */
};

/* From the settings, or their profile, or the environment (AWS_ACCESS_KEY_ID, AWS_REGION, ...), or the profile AWS_PROFILE or default; profiles
 * are those of AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials. Fails where none of them says enough: nothing is asked of the network (no
 * instance metadata). */
void aws_find_login(struct exchange *x, const struct aws_settings *settings, struct aws_login *login);

/* The value of a key in the section [profile] of a credentials file; empty if there is none. */
struct str aws_profile_value(struct str file, struct str profile, const char *key);

/* https://sns.eu-west-1.amazonaws.com/ */
struct str aws_url(struct exchange *x, const char *service, struct str region);

/* POSTs a form, signed. */
void aws_post(struct exchange *x, struct str url, const char *service, const struct aws_login *login,
              const struct buf *form);

/* Asks STS to let the login act as the settings' role, for a quarter of an hour; its answer takes the place of the
 * login. */
void aws_ask_role(struct exchange *x, const struct aws_settings *settings, const struct aws_login *login);
enum exchange_verdict aws_judge_role(const struct net_answer *answer, struct aws_login *login,
                                     struct err *err);

/* What stands between <tag> and </tag>; empty if there is none. Answers are flat where it matters: no attribute, no entity. */
struct str aws_answer_text(struct str xml, const char *tag);

/* integration_judge_status, with the text of AWS' complaint; what is throttled is tried again. */
enum exchange_verdict aws_judge(const struct net_answer *answer, struct err *err);

#endif
