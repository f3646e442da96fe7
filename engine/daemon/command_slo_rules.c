/* tocsin slo generate --format=prometheus: the groups that objectives stand for here, as a rule file. */
#include "command_slo_priv.h"

#include "tocsin/limits.h"
#include "tocsin/objective_rules.h"

#include <stdio.h>

static int print(const struct objective_set *set, struct buf *out, struct buf *errors)
{
    struct err err = {0};
    int rc = objective_set_print(set, &promql_features_all, out, &err);
    if (rc != 0)
        buf_format(errors, "%s\n", err.text);
    return rc;
}

int slo_print_rules(const struct flag_rest *rest)
{
    enum { OUTPUT_BYTES_MAX = 1 << 30 };
    struct objective_set *set = objective_set_new();
    struct buf out, errors;
    buf_init(&out, OUTPUT_BYTES_MAX);
    buf_init(&errors, (size_t)limits.yaml_bytes);
    int rc = slo_read_objectives(set, rest, &errors);
    if (rc == 0)
        rc = print(set, &out, &errors);
    if (rc == 0 && fwrite(buf_text(&out), 1, out.used, stdout) != out.used)
        rc = ERR_IO;
    fputs(buf_text(&errors), stderr);
    buf_release(&errors);
    buf_release(&out);
    objective_set_free(set);
    return rc == 0 ? 0 : 1;
}
