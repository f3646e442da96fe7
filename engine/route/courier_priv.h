/* courier_priv: what an http_config makes of a request, between the courier and libcurl. */
#ifndef TOCSIN_COURIER_PRIV_H
#define TOCSIN_COURIER_PRIV_H

#include "tocsin/courier.h"
#include "tocsin/http_config.h"

#include <curl/curl.h>

/* What an easy handle borrows as long as it runs. */
struct dress {
    struct curl_slist *headers, *proxy_headers, *connect_to;
};

void courier_undress(struct dress *dress);

/* False if a name or value could be read as more than one header. */
bool courier_add_header(struct curl_slist **list, const char *name, const char *value);

/* Whether it could be a header's name, or a method. */
bool courier_is_token(const char *name);

/* Sets what http says, on top of the courier's own policy; reads its files. 0, or why the request cannot be made. */
int courier_dress(struct world *world, CURL *easy, const char *url, const struct http_config *http,
                  struct dress *dress, struct err *err);

/* Whether a request to `from` that was answered with 307 or 308 may be made again at `to`. */
bool courier_may_follow(const char *from, const char *to);

#endif
