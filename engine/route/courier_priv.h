/* courier_priv: what an http_config makes of a request, between the courier and libcurl. */
#ifndef TOCSIN_COURIER_PRIV_H
#define TOCSIN_COURIER_PRIV_H

#include "tocsin/courier.h"
#include "tocsin/http_config.h"
#include "tocsin/lock.h"

#include <curl/curl.h>

/* What an easy handle borrows as long as it runs. */
struct dress {
    struct curl_slist *headers, *proxy_headers, *connect_to;
};

struct job {
    struct job *next;
    const struct net_request *request; /* the caller's until done */
    net_done *done;
    void *context;
    char *url;    /* where a redirect led; NULL: the request's */
    char *bearer; /* OAuth 2.0: TYPE TOKEN; NULL: none */
    int redirects;
    CURL *easy;
    struct dress dress;
    struct buf body;
    size_t header_bytes;
    bool cut; /* the answer was longer than what is read of it */
    bool tells_written;
    uint64_t samples_written, histograms_written;
    int64_t started_ns;
};

struct courier {
    struct world *world;
    char *user_agent;
    CURLM *multi;
    pthread_t thread;
    struct lock lock; /* what follows, down to the line */
    struct job *waiting, **last;
    size_t count; /* waiting and running */
    bool closing;
    int64_t grace_ns; /* monotonic; when closing */
    /* ---- the thread's own */
    struct job *running;
    struct token *tokens;
};

/* The job's first steps, on the courier's thread: begin also notes when it began. */
void courier_begin(struct courier *courier, struct job *job);
void courier_start(struct courier *courier, struct job *job);
void courier_fail(struct courier *courier, struct job *job, int code, const char *why);

/* courier_oauth2.c: true: the job has its token. False: it waits for one, and is started again, or failed, when it has come. */
bool courier_token(struct courier *courier, struct job *job);
void courier_forget_token(struct courier *courier,
                          const struct http_config *http); /* somebody did not like it */
void courier_free_tokens(struct courier *courier);

void courier_undress(struct dress *dress);

/* False if a name or value could be read as more than one header. */
bool courier_add_header(struct curl_slist **list, const char *name, const char *value);

/* Whether it could be a header's name, or a method. */
bool courier_is_token(const char *name);

/* Sets what http says, on top of the courier's own policy; reads its files. bearer: the token of oauth2, or NULL. 0, or why the request cannot be made. */
int courier_dress(struct world *world, CURL *easy, const char *url, const struct http_config *http,
                  const char *bearer, struct dress *dress, struct err *err);

/* A secret, from its file if it has one, in the arena; what: for the message. */
int courier_read_secret(struct world *world, struct arena *arena, const struct http_secret *secret,
                        const char *what, struct str *out, struct err *err);

/* Whether a request to `from` that was answered with 307 or 308 may be made again at `to`. */
bool courier_may_follow(const char *from, const char *to);

#endif
