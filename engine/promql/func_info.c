#include "call_priv.h"

int call_info(struct call *c, struct vector *out)
{
    (void)out;
    return eval_fail(c->ev, ERR_UNSUPPORTED, "function info() is not supported");
}
