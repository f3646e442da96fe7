#include "state_priv.h"

#include "tocsin/log.h"

/* ---- label sets as bytes: for each name and value its length in four bytes, lowest first, and its text ---- */

void state_text_encode(struct buf *out, struct str s)
{
    char *to = buf_reserve(out, STATE_LENGTH_BYTES + s.n);
    if (to == NULL)
        return;
    for (int i = 0; i < STATE_LENGTH_BYTES; i++)
        to[i] = (char)(unsigned char)(s.n >> 8 * i);
    if (s.n > 0)
        memcpy(to + STATE_LENGTH_BYTES, s.p, s.n);
    buf_commit(out, STATE_LENGTH_BYTES + s.n);
}

void state_labels_append(struct buf *out, const struct labels *ls)
{
    for (size_t i = 0; i < ls->count; i++) {
        state_text_encode(out, ls->item[i].name);
        state_text_encode(out, ls->item[i].value);
    }
}

void state_labels_encode(struct buf *out, const struct labels *ls)
{
    size_t bytes = 0;
    for (size_t i = 0; i < ls->count; i++)
        bytes += 2 * STATE_LENGTH_BYTES + ls->item[i].name.n + ls->item[i].value.n;
    buf_init(out, bytes + 1);
    state_labels_append(out, ls);
}

bool state_text_decode(struct str *rest, struct str *out)
{
    size_t n = 0;
    if (rest->n < STATE_LENGTH_BYTES)
        return false;
    for (int i = 0; i < STATE_LENGTH_BYTES; i++)
        n |= (size_t)(unsigned char)rest->p[i] << 8 * i;
    *rest = (struct str){rest->p + STATE_LENGTH_BYTES, rest->n - STATE_LENGTH_BYTES};
    if (n > rest->n)
        return false;
    *out = (struct str){rest->p, n};
    *rest = (struct str){rest->p + n, rest->n - n};
    return true;
}

/* In order, and without an empty value unless they are annotations: so one set has one form. */
static bool decode_label(struct str *rest, bool annotations, const struct label *before, struct label *out)
{
    return state_text_decode(rest, &out->name) && state_text_decode(rest, &out->value) &&
           (annotations || out->value.n > 0) && (before == NULL || str_cmp(before->name, out->name) < 0);
}

struct labels *state_labels_decode(struct arena *arena, struct str bytes, bool annotations)
{
    struct label *items = ARENA_ARRAY(arena, struct label, bytes.n / (2 * STATE_LENGTH_BYTES) + 1);
    size_t count = 0;
    for (struct str rest = bytes; items != NULL && rest.n > 0; count++)
        if (!decode_label(&rest, annotations, count > 0 ? &items[count - 1] : NULL, &items[count]))
            return NULL;
    if (items == NULL)
        return NULL;
    return annotations ? labels_make_texts(arena, items, count) : labels_make(arena, items, count);
}

/* ---- writing ---- */

static void bind_key(sqlite3_stmt *statement, const struct alert_rule_key *key)
{
    state_bind_text(statement, 1, key->file);
    state_bind_text(statement, 2, key->group);
    sqlite3_bind_int64(statement, 3, (int64_t)key->rule);
}

static int put_rule(struct state *state, const struct alert_rule_key *key, bool forget, struct err *err)
{
    sqlite3_stmt *put = state->statement[forget ? STATE_alert_rule_remove : STATE_alert_rule_put];
    bind_key(put, key);
    return state_step(state, put, err);
}

static int remove_row(struct state *state, const struct alert_rule_key *key, const struct labels *ls,
                      struct err *err)
{
    sqlite3_stmt *remove = state->statement[STATE_alert_remove];
    struct buf labels;
    state_labels_encode(&labels, ls);
    bind_key(remove, key);
    state_bind_text(remove, 4, buf_slice(&labels));
    int rc = state_step(state, remove, err);
    buf_release(&labels);
    return rc;
}

/* The value goes as its bits: as a number, NaN would come back as nothing. */
static void bind_figures(sqlite3_stmt *put, const struct alert_row *row)
{
    int64_t value_bits;
    memcpy(&value_bits, &row->value, sizeof value_bits);
    const int64_t figures[] = {row->state,       value_bits,        row->active_ns,           row->fired_ns,
                               row->resolved_ns, row->last_sent_ns, row->keep_firing_since_ns};
    for (int i = 0; i < (int)(sizeof figures / sizeof *figures); i++)
        sqlite3_bind_int64(put, 6 + i, figures[i]);
}

static int put_row(struct state *state, const struct alert_rule_key *key, const struct alert_row *row,
                   struct err *err)
{
    sqlite3_stmt *put = state->statement[STATE_alert_put];
    struct buf labels, annotations;
    state_labels_encode(&labels, row->labels);
    state_labels_encode(&annotations, row->annotations);
    bind_key(put, key);
    state_bind_text(put, 4, buf_slice(&labels));
    state_bind_text(put, 5, buf_slice(&annotations));
    bind_figures(put, row);
    int rc = state_step(state, put, err);
    buf_release(&labels);
    buf_release(&annotations);
    return rc;
}

static int put_news(struct state *state, const struct alert_rule_news *news, struct err *err)
{
    int rc = put_rule(state, &news->key, news->forget, err);
    for (size_t i = 0; rc == 0 && i < news->gone_count; i++)
        rc = remove_row(state, &news->key, news->gone[i], err);
    for (size_t i = 0; rc == 0 && i < news->row_count; i++)
        rc = put_row(state, &news->key, &news->rows[i], err);
    return rc;
}

struct news_list {
    const struct alert_rule_news *items;
    size_t count;
};

static int put_all(struct state *state, void *context, struct err *err)
{
    const struct news_list *news = context;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < news->count; i++)
        rc = put_news(state, &news->items[i], err);
    return rc;
}

int state_alerts_put(struct state *state, const struct alert_rule_news *news, size_t count, struct err *err)
{
    struct news_list list = {news, count};
    lock_take(&state->lock);
    int rc = state_together(state, true, put_all, &list, err);
    lock_drop(&state->lock);
    return rc;
}

int state_alerts_expire(struct state *state, int64_t before_ns, struct err *err)
{
    sqlite3_stmt *expire = state_begin(state, STATE_alerts_expire);
    sqlite3_bind_int64(expire, 1, before_ns);
    int rc = state_run(state, expire, err);
    state_done(state, expire);
    return rc;
}

/* ---- reading ---- */

static struct alert_rule_key key_of(sqlite3_stmt *row)
{
    return (struct alert_rule_key){state_column(row, 0), state_column(row, 1),
                                   (uint64_t)sqlite3_column_int64(row, 2)};
}

int state_alert_rules_each(struct state *state,
                           void (*visit)(void *context, const struct alert_rule_key *key), void *context,
                           struct err *err)
{
    sqlite3_stmt *each = state_begin(state, STATE_alert_rules_each);
    int step;
    while ((step = sqlite3_step(each)) == SQLITE_ROW) {
        struct alert_rule_key key = key_of(each);
        visit(context, &key);
    }
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read the alert states", err);
    state_done(state, each);
    return rc;
}

static void read_figures(sqlite3_stmt *from, struct alert_row *row)
{
    int64_t value_bits = sqlite3_column_int64(from, 6);
    memcpy(&row->value, &value_bits, sizeof row->value);
    row->state = sqlite3_column_int64(from, 5);
    row->active_ns = sqlite3_column_int64(from, 7);
    row->fired_ns = sqlite3_column_int64(from, 8);
    row->resolved_ns = sqlite3_column_int64(from, 9);
    row->last_sent_ns = sqlite3_column_int64(from, 10);
    row->keep_firing_since_ns = sqlite3_column_int64(from, 11);
}

static void visit_alert(sqlite3_stmt *from,
                        void (*visit)(void *context, const struct alert_rule_key *key,
                                      const struct alert_row *row),
                        void *context)
{
    struct alert_rule_key key = key_of(from);
    struct str labels = state_column(from, 3), annotations = state_column(from, 4);
    struct alert_row row;
    struct arena arena;
    arena_init(&arena, 16 * (labels.n + annotations.n) + (64 << 10));
    row.labels = state_labels_decode(&arena, labels, false);
    row.annotations = state_labels_decode(&arena, annotations, true);
    read_figures(from, &row);
    if (row.labels != NULL && row.annotations != NULL)
        visit(context, &key, &row);
    else
        log_error("an alert in the state file cannot be read: it begins anew", LOG_STR("file", key.file),
                  LOG_STR("group", key.group));
    arena_release(&arena);
}

int state_alerts_each(struct state *state,
                      void (*visit)(void *context, const struct alert_rule_key *key,
                                    const struct alert_row *row),
                      void *context, struct err *err)
{
    sqlite3_stmt *each = state_begin(state, STATE_alerts_each);
    int step;
    while ((step = sqlite3_step(each)) == SQLITE_ROW)
        visit_alert(each, visit, context);
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read the alert states", err);
    state_done(state, each);
    return rc;
}
