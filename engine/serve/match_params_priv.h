/*
 * match_params: the match[] parameters of a request. What passes any of them is meant.
 */
#ifndef TOCSIN_SERVE_MATCH_PARAMS_PRIV_H
#define TOCSIN_SERVE_MATCH_PARAMS_PRIV_H

#include "http_priv.h"
#include "tocsin/view.h"

struct match_params {
    struct matcher_list *lists; /* in the request's arena, but for their regexes */
    size_t count;
};

/* 0, or the error that names the first bad one. To be released in any case. */
int match_params_take(const struct request *request, struct match_params *out, struct err *err);
void match_params_release(struct match_params *params);

/* As Prometheus asks of most APIs: each one refuses at least something. */
int match_params_check(const struct match_params *params, struct err *err);

#endif
