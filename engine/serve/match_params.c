#include "match_params_priv.h"

#include "tocsin/promql.h"

static int take_one(const struct request *request, struct match_params *out, struct str text, struct err *err)
{
    struct matcher *matchers;
    size_t count;
    int rc = promql_parse_matchers(request->arena, text, &matchers, &count, err);
    if (rc == 0)
        out->lists[out->count++] = (struct matcher_list){matchers, count};
    return rc;
}

int match_params_take(const struct request *request, struct match_params *out, struct err *err)
{
    size_t count;
    struct str *texts = request_params(request, "match[]", &count);
    *out = (struct match_params){.lists = ARENA_ARRAY(request->arena, struct matcher_list, count)};
    if (out->lists == NULL || texts == NULL)
        return err_set(err, ERR_LIMIT, "request does not fit its memory");
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = take_one(request, out, texts[i], err);
    return rc;
}

void match_params_release(struct match_params *params)
{
    for (size_t i = 0; i < params->count; i++)
        for (size_t m = 0; m < params->lists[i].count; m++)
            matcher_release((struct matcher *)&params->lists[i].matchers[m]);
}

static bool refuses_something(const struct matcher_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!matcher_matches_empty(&list->matchers[i]))
            return true;
    return false;
}

int match_params_check(const struct match_params *params, struct err *err)
{
    for (size_t i = 0; i < params->count; i++)
        if (!refuses_something(&params->lists[i]))
            return err_set(err, ERR_PARSE, "match[] must contain at least one non-empty matcher");
    return 0;
}
