/* The store's log: what it has brought back, what it writes down. */
#include "store_priv.h"

int store_recover(struct store *s, const char *folder, enum store_sync sync, struct store_recovery *out,
                  struct err *err)
{
    (void)s;
    (void)sync;
    *out = (struct store_recovery){0};
    return err_set(err, ERR_UNSUPPORTED, "%s: the log cannot be opened", folder);
}

int store_log_run(struct store *s, int64_t wait_ms, struct err *err)
{
    (void)err;
    s->world->pause(s->world, wait_ms);
    return 0;
}

void store_log_wake(struct store *s)
{
    (void)s;
}

uint64_t store_durable(const struct store *s)
{
    (void)s;
    return UINT64_MAX;
}

bool store_log_works(const struct store *s)
{
    (void)s;
    return true;
}

int store_snapshot(struct store *s, struct err *err)
{
    (void)s;
    (void)err;
    return 0;
}
