/* courier_priv: what stands between the courier and libcurl: an http_config, tokens, mails. */
#ifndef TOCSIN_COURIER_PRIV_H
#define TOCSIN_COURIER_PRIV_H

#include "tocsin/courier.h"
#include "tocsin/http_config.h"
#include "tocsin/lock.h"
#include "tocsin/queue.h"

#include <curl/curl.h>

/* What an easy handle borrows as long as it runs. */
struct dress {
    struct curl_slist *headers, *proxy_headers, *connect_to, *recipients;
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
    bool connects; /* easy is to make a connection only, for a line */
    bool barred;   /* from lines */
    bool shared;   /* easy goes to the next request */
    struct dress dress;
    struct buf body;
    size_t header_bytes;
    bool cut; /* the answer was longer than what is read of it */
    bool tells_written;
    uint64_t samples_written, histograms_written;
    int64_t started_ns;
    struct talk *talk; /* of a mail */
};

/* Handles that are kept for the next requests: to make one takes longer than to use it. */
enum { MAILS_AT_ONCE = 16, EASY_KEPT = 64 };

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
    pthread_t mailmen[MAILS_AT_ONCE];
    size_t mailman_count;
    struct queue *mails; /* has its own */
    /* ---- the thread's own */
    struct job *running;
    struct line *busy, *resting;
    size_t busy_count, resting_count;
    int64_t line_due_ns; /* monotonic; none of the busy is late before */
    int epoll;           /* of the lines */
    CURL *kept[EASY_KEPT];
    size_t kept_count;
    struct token *tokens;
};

/* The job's first steps, on the courier's thread: begin also notes when it began. */
void courier_begin(struct courier *courier, struct job *job);
void courier_start(struct courier *courier, struct job *job);
void courier_fail(struct courier *courier, struct job *job, int code, const char *why);

/* Gives the answer and forgets the job. */
void courier_answer(struct courier *courier, struct job *job, struct net_answer *answer);

/* What holds for every request: what libcurl is never to do. protocols: those it may speak. */
void courier_set_policy(CURL *easy, const char *protocols);

/* What is left of the time for the whole of it; at least 1, as 0 would be for ever. */
int64_t courier_left_ms(const struct courier *courier, const struct job *job);
bool courier_is_late(const struct courier *courier, const struct job *job);

/* What libcurl or a line has come to; status 0: there is no answer. */
void courier_conclude(struct courier *courier, struct job *job, CURLcode result, int status,
                      int64_t retry_after_s);

/* What the request and its http_config say, as the dress's headers. */
int courier_add_headers(struct courier *courier, struct job *job, struct err *err);
void courier_note_header(struct job *job, struct str name, struct str value);

/* courier_line.c: connections of plain HTTP/1.1 that do without libcurl once they are made. */
bool line_takes(const struct job *job);
/* False: a connection is to be made first. */
bool line_begin(struct courier *courier, struct job *job, struct err *err, int *rc);
/* Takes the connected socket over. */
void line_connected(struct courier *courier, struct job *job, int fd);
void lines_go_on(struct courier *courier);
int lines_wait_ms(const struct courier *courier); /* until the next of them is late */
void lines_cancel(struct courier *courier);
void lines_close(struct courier *courier);

/* ERR_CANCEL's time has come: whatever still runs is to end. */
bool courier_is_over(struct courier *courier);

/* courier_mail.c: queues a mail, which is counted already, and sees to it that somebody takes it. Called under the lock. ERR_FULL. */
int courier_mail_put(struct courier *courier, struct job *job);
void courier_mail_close(struct courier *courier); /* waits until all are answered */

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

/* Of that only the headers. */
int courier_dress_headers(struct world *world, const struct http_config *http, const char *bearer,
                          struct dress *dress, struct err *err);

/* A secret, from its file if it has one, in the arena; what: for the message. */
int courier_read_secret(struct world *world, struct arena *arena, const struct http_secret *secret,
                        const char *what, struct str *out, struct err *err);

/* Whether a request to `from` that was answered with 307 or 308 may be made again at `to`. */
bool courier_may_follow(const char *from, const char *to);

#endif
