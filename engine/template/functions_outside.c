#include "template_priv.h"

static const struct template_outside *outside(struct template_run *run)
{
    return template_context(run);
}

static int call_now(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                    struct err *err)
{
    (void)args;
    (void)count;
    (void)err;
    *out = tval_time(outside(run)->now_ns);
    return 0;
}

static int call_since(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)count;
    (void)err;
    __int128 then_ns = (__int128)args[0].time.unix_s * 1000000000 + args[0].time.ns;
    __int128 ns = outside(run)->now_ns - then_ns;
    *out = tval_duration(ns > INT64_MAX ? INT64_MAX : ns < INT64_MIN ? INT64_MIN : (int64_t)ns);
    return 0;
}

static bool is_path(struct str name)
{
    for (size_t i = 0; i + 1 < name.n; i++)
        if (name.p[i] == '.' && name.p[i + 1] == '.')
            return true;
    return name.p[0] == '/' || name.p[0] == '\\';
}

static int call_tz(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    (void)count;
    const struct template_outside *o = outside(run);
    struct str name = args[0].text, shown = STR("UTC");
    int32_t offset_s = 0;
    bool plain = name.n == 0 || str_is(name, "UTC") || str_is(name, "Local");
    if (!plain && is_path(name))
        return err_set(err, ERR_EXEC, "time: invalid location name");
    if (!plain && !o->zone(o->context, name, args[1].time.unix_s, &offset_s, &shown))
        return err_set(err, ERR_EXEC, "unknown time zone %.*s", STR_ARG(name));
    *out = tval_time_zoned(args[1].time.unix_s, args[1].time.ns, offset_s, shown);
    return 0;
}

static int call_route_labels(struct template_run *run, const struct tval *args, size_t count,
                             struct tval *out, struct err *err)
{
    (void)count;
    const struct template_outside *o = outside(run);
    struct buf text;
    scratch_begin(&text);
    int rc = o->route_label(o->context, args[0].text, &text, err);
    if (rc == 0)
        return scratch_end(run, &text, out, err);
    buf_release(&text);
    return rc;
}

const struct template_function template_outside_functions[] = {
    {"now", call_now, ""},
    {"routeLabels", call_route_labels, "string"},
    {"since", call_since, "time.Time"},
    {"tz", call_tz, "string time.Time"},
    {NULL, NULL, NULL},
};
