#include "api_priv.h"
#include "json_priv.h"

#include "tocsin/tree.h"

/* The expression asked about; false: the answer says what is wrong with it. */
static bool parse(const struct request *request, struct answer *answer, struct expr **out)
{
    const struct promql_features *features = request_features(request);
    struct err err;
    if (promql_parse(request->arena, request_param(request, "query"), features, out, &err) == 0)
        return true;
    prom_bad_param(answer, "query", err.text);
    return false;
}

void api_format_query(struct request *request, struct answer *answer)
{
    struct expr *expr;
    struct buf pretty;
    if (!parse(request, answer, &expr))
        return;
    buf_init(&pretty, answer->body.max_bytes);
    promql_pretty(&pretty, expr);
    promql_free(expr);
    prom_begin(answer);
    json_string(&answer->body, buf_slice(&pretty));
    prom_end(answer);
    answer->body.overflow |= buf_overflow(&pretty);
    buf_release(&pretty);
}

void api_parse_query(struct request *request, struct answer *answer)
{
    struct expr *expr;
    if (!parse(request, answer, &expr))
        return;
    prom_begin(answer);
    json_expr(&answer->body, expr);
    prom_end(answer);
    promql_free(expr);
}
