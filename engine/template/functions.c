#include "template_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/regex.h"

#include <math.h>

/* What Prometheus and Alertmanager both offer. */

int call_to_upper(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                  struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    text_upper(&text, args[0].text);
    return scratch_end(run, &text, out, err);
}

int call_to_lower(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                  struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    text_lower(&text, args[0].text);
    return scratch_end(run, &text, out, err);
}

int call_match(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
               struct err *err)
{
    (void)run;
    (void)count;
    struct regex *re = regex_open(args[0].text, REGEX_SEARCH, err);
    if (re == NULL)
        return ERR_EXEC;
    *out = tval_bool(regex_match(re, args[1].text));
    regex_free(re);
    return 0;
}

int call_re_replace_all(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                        struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    struct regex *re = regex_open(args[0].text, REGEX_SEARCH, err);
    if (re == NULL) { /* Go panics here, and says so in the text */
        print_format(&text, STR("%#q"), args, 1);
        err_prefix(err, "regexp: Compile(%s): ", buf_text(&text));
        buf_release(&text);
        return ERR_EXEC;
    }
    regex_replace_all(re, args[2].text, args[1].text, &text);
    regex_free(re);
    return scratch_end(run, &text, out, err);
}

const struct tval_type type_html = {.go_name = "template.HTML"};

int call_safe_html(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                   struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    *out = args[0];
    out->type = &type_html;
    return 0;
}

static void add_rounded(struct buf *out, double v, const char *unit)
{
    go_float(out, v, 'g', 4);
    buf_puts(out, unit);
}

static void add_small_duration(struct buf *out, double v)
{
    static const char *const units[] = {"ms", "us", "ns", "ps", "fs", "as", "zs", "ys"};
    size_t i = 0;
    v *= 1000;
    while (fabs(v) < 1 && i + 1 < sizeof units / sizeof *units) {
        v *= 1000;
        i++;
    }
    add_rounded(out, v, units[i]);
}

void humanize_duration(struct buf *out, double v)
{
    if (isnan(v) || isinf(v)) {
        add_rounded(out, v, "");
        return;
    }
    if (v == 0) {
        add_rounded(out, v, "s");
        return;
    }
    if (fabs(v) < 1) {
        add_small_duration(out, v);
        return;
    }
    if (fabs(v) < 60) {
        add_rounded(out, v, "s");
        return;
    }
    /* Past int64 Go's conversion is undefined; the largest number stands for all of those. */
    double whole = fmin(fabs(v), 9.2e18);
    long long s = (long long)whole;
    buf_puts(out, v < 0 ? "-" : "");
    if (s >= 86400)
        buf_format(out, "%lldd ", s / 86400);
    if (s >= 3600)
        buf_format(out, "%lldh ", s / 3600 % 24);
    buf_format(out, "%lldm %llds", s / 60 % 60, s % 60);
}
