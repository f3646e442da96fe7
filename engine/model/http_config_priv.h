/* http_config_priv: what the readers of http_config.h's parts share. */
#ifndef TOCSIN_HTTP_CONFIG_PRIV_H
#define TOCSIN_HTTP_CONFIG_PRIV_H

#include "tocsin/http_config.h"
#include "tocsin/strict_model.h"

strict_read http_read_proxy_url;     /* struct str */
strict_read http_read_headers;       /* struct http_headers */
strict_read http_read_proxy_headers; /* struct http_headers */
strict_read http_read_oauth2;        /* struct http_oauth2 * */
strict_read
    http_refuse_ref; /* a key that names a secret of a secret manager: counted where it stands, and refused */

void http_check_proxy(struct strict *s, const struct tree *node, const struct http_proxy *proxy);
void http_check_headers(struct strict *s, const struct tree *node, const struct http_headers *headers);
void http_check_oauth2(struct strict *s, const struct tree *node, const struct http_oauth2 *oauth2);

/* How many of the keys the map has with something in them. */
size_t http_count_given(const struct tree *map, const char *a, const char *b, const char *c);

#endif
