#include "silence_priv.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- by id ---- */

static bool has_id(const void *item, const void *key)
{
    const struct str *id = key;
    return id->n == SILENCE_ID_BYTES && memcmp(((const struct held *)item)->id, id->p, id->n) == 0;
}

static uint64_t id_hash(struct str id)
{
    return hash_bytes(id.p, id.n);
}

static struct held *find(const struct silences *silences, struct str id)
{
    return map_find(&silences->held, id_hash(id), has_id, &id);
}

/* With the lock. */
static void hold(struct silences *silences, struct held *held)
{
    held->order = ++silences->last_order;
    silences->bound += held_is_bound(held);
    map_add(&silences->held, id_hash((struct str){held->id, SILENCE_ID_BYTES}), held);
    silence_index_add(&silences->index, held);
}

/* ---- opening ---- */

/* Within that time those who tell of alerts have told again what still fires. */
#define RETELL_NS (5 * 60 * NS_PER_S)

struct loading {
    struct silences *silences;
    int64_t now_ns;
};

static struct silence silence_of(const struct silence_row *row)
{
    return (struct silence){
        .id = row->id,
        .matchers = row->matchers,
        .matcher_count = row->matcher_count,
        .starts_ns = row->starts_ns,
        .ends_ns = row->ends_ns,
        .updated_ns = row->updated_ns,
        .created_by = row->created_by,
        .comment = row->comment,
        .annotations = row->annotations,
    };
}

static void load_one(void *context, const struct silence_row *row)
{
    struct loading *loading = context;
    struct err err;
    struct silence s = silence_of(row);
    if (row->ends_ns + loading->silences->options.retention_ns < loading->now_ns)
        return;
    struct held *held = row->id.n == SILENCE_ID_BYTES ? held_make(row->id, &s, &err) : NULL;
    if (held != NULL) {
        held->met = true;
        held->stays_ns = loading->now_ns + RETELL_NS;
        hold(loading->silences, held);
    } else {
        log_error("a silence in the state file is not valid: it does not count", LOG_STR("id", row->id));
    }
}

int silences_open(const struct silences_options *options, struct silences **out, struct err *err)
{
    struct silences *silences = MEM_NEW(struct silences);
    struct world *world = options->world;
    silences->options = *options;
    if (options->retention_ns == 0)
        silences->options.retention_ns = SILENCE_RETENTION_NS;
    silences->era = 1;
    lock_init(&silences->changing, LOCK_silencing);
    lock_init(&silences->lock, LOCK_silences);
    struct loading loading = {silences, world->wall_ns(world)};
    int rc = options->state != NULL ? state_silences_each(options->state, load_one, &loading, err) : 0;
    if (rc != 0) {
        silences_close(silences);
        silences = NULL;
    }
    *out = silences;
    return rc;
}

void silences_close(struct silences *silences)
{
    if (silences == NULL)
        return;
    struct held *held;
    for (size_t at = 0; (held = map_next(&silences->held, &at)) != NULL;)
        held_free(held);
    map_release(&silences->held);
    silence_index_release(&silences->index);
    lock_release(&silences->changing);
    lock_release(&silences->lock);
    mem_free(silences);
}

/* ---- changing ---- */

static struct silence_row row_of(const struct silence *s)
{
    return (struct silence_row){
        .id = s->id,
        .matchers = s->matchers,
        .matcher_count = s->matcher_count,
        .starts_ns = s->starts_ns,
        .ends_ns = s->ends_ns,
        .updated_ns = s->updated_ns,
        .created_by = s->created_by,
        .comment = s->comment,
        .annotations = s->annotations,
    };
}

/* A UUID, version 4. */
static void make_id(struct world *world, char id[SILENCE_ID_BYTES + 1])
{
    uint64_t high = world->random(world), low = world->random(world);
    high = (high & ~UINT64_C(0xf000)) | 0x4000;
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
    snprintf(id, SILENCE_ID_BYTES + 1, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
             (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}

static bool same_matchers(const struct held *held, const struct silence *s)
{
    if (held->matcher_count != s->matcher_count)
        return false;
    for (size_t i = 0; i < s->matcher_count; i++) {
        if (!matcher_equal(&held->matchers[i], &s->matchers[i]))
            return false;
    }
    return true;
}

static int64_t second_of(int64_t unix_ns)
{
    return unix_ns / NS_PER_S - (unix_ns % NS_PER_S < 0);
}

/* What may change without becoming another silence. */
static bool may_change(const struct held *old, const struct silence *s, int64_t now_ns)
{
    if (!same_matchers(old, s))
        return false;
    enum silence_state state = held_state(old, now_ns);
    if (state == SILENCE_ACTIVE)
        return second_of(old->starts_ns) == second_of(s->starts_ns) && s->ends_ns >= now_ns;
    return state == SILENCE_PENDING && s->starts_ns >= now_ns;
}

static int check_size(const struct silences *silences, const struct silence *s, struct err *err)
{
    int64_t bytes = (int64_t)silence_bytes(s), most = limits.silence_bytes;
    if (silences->options.max_bytes > 0 && silences->options.max_bytes < most)
        most = silences->options.max_bytes;
    if (bytes <= most)
        return 0;
    limit_hit(LIMIT_silence_bytes);
    return err_set(err, ERR_LIMIT, "silence exceeded maximum size: %lld bytes (limit: %lld bytes)",
                   (long long)bytes, (long long)most);
}

static int check_room(const struct silences *silences, struct err *err)
{
    int64_t most = limits.silences;
    if (silences->options.max_silences > 0 && silences->options.max_silences < most)
        most = silences->options.max_silences;
    if ((int64_t)silences->held.count < most)
        return 0;
    limit_hit(LIMIT_silences);
    return err_set(err, ERR_LIMIT, "exceeded maximum number of silences: %zu (limit: %lld)",
                   silences->held.count, (long long)most);
}

static int save(struct silences *silences, const struct silence *list, size_t count, struct err *err)
{
    struct silence_row rows[2];
    for (size_t i = 0; i < count; i++)
        rows[i] = row_of(&list[i]);
    return silences->options.state != NULL ? state_silences_put(silences->options.state, rows, count, err)
                                           : 0;
}

/* How an old one looks once it has ended. */
static struct silence ended(const struct held *held, int64_t now_ns)
{
    struct silence s = held_view(held, now_ns);
    if (s.state == SILENCE_PENDING)
        s.starts_ns = now_ns;
    s.ends_ns = s.updated_ns = now_ns;
    return s;
}

static void take_over(struct silences *silences, struct held *held, const struct silence *s)
{
    lock_take(&silences->lock);
    bool was_bound = held_is_bound(held);
    held_change(held, s);
    silences->bound += held_is_bound(held);
    silences->bound -= was_bound;
    held->met = held->met && was_bound;
    lock_drop(&silences->lock);
}

static int change(struct silences *silences, struct held *old, struct silence *s, struct err *err)
{
    int rc = check_size(silences, s, err);
    if (rc == 0)
        rc = save(silences, s, 1, err);
    if (rc == 0)
        take_over(silences, old, s);
    return rc;
}

/* old: the one it is made from, if that has not ended. */
static int create(struct silences *silences, struct held *old, struct silence *s, struct err *err)
{
    char id[SILENCE_ID_BYTES + 1];
    int64_t now_ns = s->updated_ns;
    int rc = check_room(silences, err);
    if (rc != 0)
        return rc;
    make_id(silences->options.world, id);
    s->id = (struct str){id, SILENCE_ID_BYTES};
    if (s->starts_ns < now_ns)
        s->starts_ns = now_ns;
    rc = check_size(silences, s, err);
    struct held *held = rc == 0 ? held_make(s->id, s, err) : NULL;
    if (held == NULL)
        return rc != 0 ? rc : ERR_LIMIT;
    struct silence both[2] = {*s};
    if (old != NULL)
        both[1] = ended(old, now_ns);
    rc = save(silences, both, old != NULL ? 2 : 1, err);
    if (rc != 0) {
        held_free(held);
        return rc;
    }
    lock_take(&silences->lock);
    if (old != NULL)
        held_change(old, &both[1]);
    hold(silences, held);
    lock_drop(&silences->lock);
    s->id = (struct str){held->id, SILENCE_ID_BYTES};
    return 0;
}

/* Only the one that holds `changing` changes anything, so it may read without the lock. */
static int put(struct silences *silences, struct silence *s, struct err *err)
{
    struct held *old = s->id.n > 0 ? find(silences, s->id) : NULL;
    if (s->id.n > 0 && old == NULL)
        return err_set(err, ERR_NOT_FOUND, "silence not found");
    if (old != NULL && may_change(old, s, s->updated_ns))
        return change(silences, old, s, err);
    bool over = old == NULL || held_state(old, s->updated_ns) == SILENCE_EXPIRED;
    return create(silences, over ? NULL : old, s, err);
}

int silences_put(struct silences *silences, const struct silence *wanted, char id[SILENCE_ID_BYTES + 1],
                 struct err *err)
{
    struct world *world = silences->options.world;
    struct silence s = *wanted;
    s.updated_ns = world->wall_ns(world);
    if (s.starts_ns == 0)
        s.starts_ns = s.updated_ns;
    int rc = silence_check(&s, err);
    if (rc != 0)
        return rc;
    lock_take(&silences->changing);
    rc = put(silences, &s, err);
    if (rc == 0)
        memmove(id, s.id.p, SILENCE_ID_BYTES); /* it may be the one that was given */
    lock_drop(&silences->changing);
    if (rc == 0)
        id[SILENCE_ID_BYTES] = '\0';
    return rc;
}

int silences_end_now(struct silences *silences, struct held *const *list, size_t count, int64_t now_ns,
                     struct err *err)
{
    struct silence *all = MEM_ARRAY(struct silence, count);
    struct silence_row *rows = MEM_ARRAY(struct silence_row, count);
    struct state *state = silences->options.state;
    for (size_t i = 0; i < count; i++) {
        all[i] = ended(list[i], now_ns);
        rows[i] = row_of(&all[i]);
    }
    int rc = state != NULL ? state_silences_put(state, rows, count, err) : 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        take_over(silences, list[i], &all[i]);
    mem_free(rows);
    mem_free(all);
    return rc;
}

int silences_expire(struct silences *silences, struct str id, struct err *err)
{
    struct world *world = silences->options.world;
    int64_t now_ns = world->wall_ns(world);
    int rc = 0;
    lock_take(&silences->changing);
    struct held *old = find(silences, id);
    if (old == NULL)
        rc = err_set(err, ERR_NOT_FOUND, "silence not found");
    else if (held_state(old, now_ns) != SILENCE_EXPIRED)
        rc = silences_end_now(silences, &old, 1, now_ns, err);
    lock_drop(&silences->changing);
    return rc;
}

/* ---- forgetting ---- */

static int by_order(const void *a, const void *b)
{
    const struct held *const *x = a, *const *y = b;
    return ((*x)->order > (*y)->order) - ((*x)->order < (*y)->order);
}

/* Files all anew, in order, without those that are to go. */
static void forget(struct silences *silences, int64_t before_ns)
{
    struct held **list = MEM_ARRAY(struct held *, silences->held.count + 1), *held;
    size_t count = 0, all = silences->held.count;
    for (size_t at = 0; (held = map_next(&silences->held, &at)) != NULL;)
        list[count++] = held;
    qsort(list, count, sizeof *list, by_order);
    map_clear(&silences->held);
    silence_index_release(&silences->index);
    silences->era++;
    silences->last_order = 0;
    silences->bound = 0;
    for (size_t i = 0; i < all; i++) {
        if (list[i]->ends_ns < before_ns)
            held_free(list[i]);
        else
            hold(silences, list[i]);
    }
    mem_free(list);
}

static bool any_ended_before(const struct silences *silences, int64_t before_ns)
{
    const struct held *held;
    for (size_t at = 0; (held = map_next(&silences->held, &at)) != NULL;) {
        if (held->ends_ns < before_ns)
            return true;
    }
    return false;
}

void silences_collect(struct silences *silences, int64_t now_ns)
{
    struct err err;
    int64_t before_ns = now_ns - silences->options.retention_ns;
    lock_take(&silences->changing);
    int rc =
        silences->options.state != NULL ? state_silences_expire(silences->options.state, before_ns, &err) : 0;
    lock_take(&silences->lock);
    silences->maintenances++;
    silences->maintenance_errors += rc != 0;
    if (rc == 0 && any_ended_before(silences, before_ns))
        forget(silences, before_ns);
    lock_drop(&silences->lock);
    lock_drop(&silences->changing);
    if (rc != 0)
        log_warn("old silences stay", LOG_ERR(&err));
}

/* ---- reading ---- */

static bool copy_matchers(struct arena *arena, struct silence *s)
{
    struct matcher *ms = arena_copy(arena, s->matchers, s->matcher_count, sizeof *ms);
    for (size_t i = 0; ms != NULL && i < s->matcher_count; i++) {
        ms[i].name = str_copy(arena, ms[i].name);
        ms[i].value = str_copy(arena, ms[i].value);
        ms[i].regex = NULL;
    }
    s->matchers = ms;
    return !arena_exhausted(arena);
}

static int copy(struct arena *arena, const struct held *held, int64_t now_ns, struct silence *out)
{
    *out = held_view(held, now_ns);
    out->id = str_copy(arena, out->id);
    out->created_by = str_copy(arena, out->created_by);
    out->comment = str_copy(arena, out->comment);
    out->annotations = labels_copy(arena, out->annotations);
    return copy_matchers(arena, out) ? 0 : ERR_LIMIT;
}

int silences_find(struct silences *silences, struct str id, struct arena *arena, struct silence *out)
{
    struct world *world = silences->options.world;
    int64_t now_ns = world->wall_ns(world);
    lock_take(&silences->lock);
    const struct held *held = find(silences, id);
    int rc = held != NULL ? copy(arena, held, now_ns, out) : ERR_NOT_FOUND;
    lock_drop(&silences->lock);
    return rc;
}

static bool is_meant(const struct held *held, const struct silence_filter *filter, int64_t now_ns)
{
    for (size_t i = 0; i < filter->matcher_count; i++) {
        size_t k = 0;
        while (k < held->matcher_count && !matcher_equal(&held->matchers[k], &filter->matchers[i]))
            k++;
        if (k == held->matcher_count)
            return false;
    }
    return filter->states[held_state(held, now_ns)];
}

static int by_state(const void *a, const void *b)
{
    const struct silence *x = a, *y = b;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    int64_t p = x->state == SILENCE_PENDING ? x->starts_ns : x->ends_ns;
    int64_t q = x->state == SILENCE_PENDING ? y->starts_ns : y->ends_ns;
    if (p != q)
        return (p < q) == (x->state != SILENCE_EXPIRED) ? -1 : 1;
    return str_cmp(x->id, y->id);
}

static int list_all(struct silences *silences, const struct silence_filter *filter, struct arena *arena,
                    struct silence **out, size_t *count)
{
    struct world *world = silences->options.world;
    int64_t now_ns = world->wall_ns(world);
    struct silence *list = ARENA_ARRAY(arena, struct silence, silences->held.count);
    const struct held *held;
    int rc = list != NULL ? 0 : ERR_LIMIT;
    *out = list;
    *count = 0;
    for (size_t at = 0; rc == 0 && (held = map_next(&silences->held, &at)) != NULL;) {
        if (is_meant(held, filter, now_ns))
            rc = copy(arena, held, now_ns, &list[(*count)++]);
    }
    return rc;
}

int silences_list(struct silences *silences, const struct silence_filter *filter, struct arena *arena,
                  struct silence **out, size_t *count)
{
    lock_take(&silences->lock);
    int rc = list_all(silences, filter, arena, out, count);
    lock_drop(&silences->lock);
    if (rc == 0 && *count > 1)
        qsort(*out, *count, sizeof **out, by_state);
    return rc;
}

void silences_write_metrics(struct silences *silences, struct buf *out)
{
    struct world *world = silences->options.world;
    int64_t now_ns = world->wall_ns(world);
    uint64_t states[SILENCE_STATES] = {0};
    const struct held *held;
    lock_take(&silences->lock);
    for (size_t at = 0; (held = map_next(&silences->held, &at)) != NULL;)
        states[held_state(held, now_ns)]++;
    uint64_t queries = silences->queries, done = silences->maintenances,
             failed = silences->maintenance_errors;
    lock_drop(&silences->lock);
    stat_head(out, "alertmanager_silences", "gauge", "Silences held, by state.");
    for (enum silence_state state = 0; state < SILENCE_STATES; state++) {
        char label[32];
        snprintf(label, sizeof label, "state=\"%s\"", silence_state_text(state));
        stat_sample(out, "alertmanager_silences", label, (double)states[state]);
    }
    stat_head(out, "alertmanager_silences_queries_total", "counter",
              "How often an alert was held against the silences.");
    stat_sample(out, "alertmanager_silences_queries_total", NULL, (double)queries);
    stat_head(out, "alertmanager_silences_maintenance_total", "counter",
              "How often old silences were removed.");
    stat_sample(out, "alertmanager_silences_maintenance_total", NULL, (double)done);
    stat_head(out, "alertmanager_silences_maintenance_errors_total", "counter",
              "How often old silences could not be removed.");
    stat_sample(out, "alertmanager_silences_maintenance_errors_total", NULL, (double)failed);
}
