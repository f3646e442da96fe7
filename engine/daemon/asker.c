#include "asker_priv.h"
#include "command_priv.h"

#include "tocsin/courier.h"
#include "tocsin/limits.h"
#include "tocsin/queue.h"

#include <ctype.h>

/* One answer is read as a whole: an API's are larger than what receivers say. */
enum { ANSWER_BYTES = 64 << 20 };

struct question {
    struct queue *answered;
    struct buf *body;
    struct net_answer *answer;
};

static void take_answer(void *context, const struct net_answer *answer)
{
    struct question *q = context;
    *q->answer = *answer;
    buf_str(q->body, answer->body);
    queue_push(q->answered, q);
}

int asker_open(struct asker *a, struct world *world, struct err *err)
{
    limits.answer_bytes = ANSWER_BYTES;
    *a = (struct asker){.world = world};
    int rc = courier_open(world, "Tocsin/" TOCSIN_VERSION, &a->courier, err);
    if (rc == 0)
        a->answered = queue_open(1);
    return rc;
}

void asker_close(struct asker *a)
{
    if (a->courier == NULL)
        return;
    courier_close(a->courier, 0);
    queue_free(a->answered);
    *a = (struct asker){0};
}

int asker_ask(struct asker *a, const struct net_request *request, struct net_answer *answer, struct buf *body,
              struct err *err)
{
    struct question q = {a->answered, body, answer};
    *answer = (struct net_answer){.retry_after_ms = -1};
    buf_init(body, ANSWER_BYTES);
    int rc = a->world->send(a->world, request, take_answer, &q);
    if (rc == 0)
        queue_pop(a->answered, -1);
    else
        err_set(&answer->error, rc, "cannot be asked");
    answer->body = buf_slice(body);
    if (answer->status == 0 && err != NULL)
        *err = answer->error;
    return answer->status == 0 ? answer->error.code : 0;
}

void asker_escape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (isalnum((unsigned char)text.p[i]))
            buf_char(out, text.p[i]);
        else
            buf_format(out, "%%%02X", (unsigned char)text.p[i]);
}

int asker_get(struct world *world, const char *url, struct buf *body, struct err *err)
{
    struct asker asker;
    struct net_answer answer;
    const struct net_request request = {.method = "GET", .url = url};
    int rc = asker_open(&asker, world, err);
    if (rc != 0) {
        buf_init(body, 0);
        return rc;
    }
    rc = asker_ask(&asker, &request, &answer, body, err);
    if (rc == 0 && answer.status != 200)
        rc = err_set(err, answer.status == 404 ? ERR_NOT_FOUND : ERR_IO, "HTTP status %d: %.*s",
                     answer.status, STR_ARG(answer.body));
    asker_close(&asker);
    return rc;
}
