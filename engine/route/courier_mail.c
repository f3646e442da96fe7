/*
 * Mails. libcurl waits for a server's last word, and for its goodbye, without returning to who drives several transfers at once; so
 * each mail is one thread's while it lasts, of a few that are started when they are first needed, and no web hook waits for a mail server.
 */
#include "courier_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

enum { REPLIES_BYTES_MAX = 64 << 10, GOODBYE_S = 2 };

/* What has been said so far. */
struct talk {
    struct courier *courier;
    size_t sent;       /* of the message */
    int reply;         /* the last one that is complete */
    bool within_reply; /* it has more lines */
    size_t reply_bytes;
};

/* ---- while it runs ---- */

static size_t on_read(char *to, size_t size, size_t count, void *context)
{
    struct job *job = context;
    struct str message = job->request->body;
    size_t room = size * count, left = message.n - job->talk->sent;
    size_t n = left < room ? left : room;
    memcpy(to, message.p + job->talk->sent, n);
    job->talk->sent += n;
    return n;
}

/* A mail is decided by the reply to its last line, or by one that says no. Whoever has decided gets a moment to say goodbye (221), and that
 * is not what he has decided. */
static void note_reply(struct job *job, struct str line)
{
    struct talk *talk = job->talk;
    int before = talk->reply;
    long long code = 0;
    if (str_starts(line, STR("221")))
        return;
    if (!talk->within_reply)
        buf_clear(&job->body);
    if (job->body.used > 0)
        buf_char(&job->body, ' ');
    buf_str(&job->body, str_trim(line));
    talk->within_reply = line.n > 3 && line.p[3] == '-';
    if (talk->within_reply || line.n < 3 || !str_to_i64((struct str){line.p, 3}, &code))
        return;
    talk->reply = (int)code;
    if (before == 354 || code >= 400)
        curl_easy_setopt(job->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)GOODBYE_S);
}

static size_t on_reply(char *bytes, size_t size, size_t count, void *context)
{
    struct job *job = context;
    size_t n = size * count;
    job->talk->reply_bytes += n;
    if (job->talk->reply_bytes > REPLIES_BYTES_MAX)
        return 0;
    note_reply(job, (struct str){bytes, n});
    return n;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct job *job = context;
    (void)a, (void)b, (void)c, (void)d;
    return courier_is_over(job->talk->courier);
}

/* ---- making it ---- */

static void set_login(CURL *easy, const struct net_mail *mail, bool with_secret)
{
    const char *by_password = mail->plain ? "AUTH=PLAIN;AUTH=LOGIN" : "AUTH=LOGIN";
    const char *password = with_secret ? mail->secret : mail->password;
    curl_easy_setopt(easy, CURLOPT_USERNAME, mail->user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, password != NULL ? password : "");
    curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, with_secret ? "AUTH=CRAM-MD5" : by_password);
    if (mail->identity != NULL)
        curl_easy_setopt(easy, CURLOPT_SASL_AUTHZID, mail->identity);
}

static int set_recipients(struct job *job, struct err *err)
{
    const struct net_mail *mail = job->request->mail;
    for (size_t i = 0; i < mail->to_count; i++) {
        struct curl_slist *longer = curl_slist_append(job->dress.recipients, mail->to[i]);
        if (longer == NULL)
            return err_set(err, ERR_IO, "the mail cannot be started");
        job->dress.recipients = longer;
    }
    curl_easy_setopt(job->easy, CURLOPT_MAIL_FROM, mail->from);
    curl_easy_setopt(job->easy, CURLOPT_MAIL_RCPT, job->dress.recipients);
    return 0;
}

static void set_transfer(const struct courier *c, struct job *job)
{
    CURL *easy = job->easy;
    int64_t left_ms = courier_left_ms(c, job);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)((left_ms + 999) / 1000));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)limits.connect_ms);
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     (long)(job->request->mail->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)job->request->body.n);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, job);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, job);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, job);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

static int prepare(struct courier *c, struct job *job, bool with_secret, struct err *err)
{
    const struct net_mail *mail = job->request->mail;
    struct http_config trust = {.enable_http2 = true};
    if (mail->tls != NULL)
        trust.tls = *mail->tls;
    job->easy = curl_easy_init();
    if (job->easy == NULL)
        return err_set(err, ERR_IO, "the mail cannot be started");
    courier_set_policy(job->easy, "smtp,smtps");
    curl_easy_setopt(job->easy, CURLOPT_URL, job->request->url);
    int rc = courier_dress(c->world, job->easy, job->request->url, &trust, NULL, &job->dress, err);
    if (rc == 0)
        rc = set_recipients(job, err);
    if (rc != 0)
        return rc;
    set_transfer(c, job);
    if (mail->user != NULL)
        set_login(job->easy, mail, with_secret);
    return 0;
}

/* ---- carrying it ---- */

static void judge(const struct job *job, CURLcode result, struct net_answer *a)
{
    a->error = (struct err){0};
    a->status = 0;
    if (result == CURLE_OK)
        a->status = 250;
    else if (result == CURLE_OPERATION_TIMEDOUT)
        err_set(&a->error, ERR_TIMEOUT, "%s", curl_easy_strerror(result));
    else if (result == CURLE_ABORTED_BY_CALLBACK)
        err_set(&a->error, ERR_CANCEL, "stopped");
    else if (job->talk->reply >= 400)
        a->status = job->talk->reply;
    else if (result == CURLE_LOGIN_DENIED)
        err_set(&a->error, ERR_AUTH, "the server offers no way to log in that may be used");
    else
        err_set(&a->error, ERR_IO, "%s", curl_easy_strerror(result));
}

/* With the secret, or with the password. */
static CURLcode attempt(struct courier *c, struct job *job, bool with_secret, struct net_answer *a)
{
    struct talk talk = {.courier = c};
    job->talk = &talk;
    buf_clear(&job->body);
    CURLcode result = CURLE_FAILED_INIT;
    int rc = prepare(c, job, with_secret, &a->error);
    if (rc == 0) {
        result = curl_easy_perform(job->easy);
        judge(job, result, a);
    }
    curl_easy_cleanup(job->easy);
    job->easy = NULL;
    courier_undress(&job->dress);
    job->talk = NULL;
    return result;
}

/* libcurl holds one password for all ways to log in; so a server that wants the other is asked again. */
static void carry(struct courier *c, struct job *job)
{
    const struct net_mail *mail = job->request->mail;
    struct net_answer a = {.retry_after_ms = -1};
    bool with_secret = mail->secret != NULL;
    buf_init(&job->body, (size_t)limits.answer_bytes);
    if (courier_is_over(c)) {
        courier_fail(c, job, ERR_CANCEL, "stopped");
        return;
    }
    job->started_ns = c->world->mono_ns(c->world);
    CURLcode result = attempt(c, job, with_secret, &a);
    if (result == CURLE_LOGIN_DENIED && with_secret && mail->password != NULL)
        attempt(c, job, false, &a);
    courier_answer(c, job, &a);
}

static void *carry_all(void *context)
{
    struct courier *c = context;
    struct job *job;
    while ((job = queue_pop(c->mails, -1)) != NULL)
        carry(c, job);
    return NULL;
}

int courier_mail_put(struct courier *c, struct job *job)
{
    size_t have = c->mailman_count;
    if (have < MAILS_AT_ONCE && pthread_create(&c->mailmen[have], NULL, carry_all, c) == 0)
        c->mailman_count++;
    int rc = c->mailman_count > 0 ? queue_push(c->mails, job) : ERR_FULL;
    if (rc != 0) {
        c->count--;
        mem_free(job);
    }
    return rc;
}

void courier_mail_close(struct courier *c)
{
    queue_close(c->mails);
    for (size_t i = 0; i < c->mailman_count; i++)
        must(pthread_join(c->mailmen[i], NULL) == 0);
    queue_free(c->mails);
}
