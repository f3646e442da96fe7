/* Budgets as metrics. */
#include "budget_priv.h"

#include "tocsin/stat.h"

enum { LABELS_MAX = 64 << 10, NAME_MAX_BYTES = 4096 };

/* Names of ours are not to be taken by a group's. */
static bool is_ours(struct str name)
{
    return str_is(name, "slo") || str_is(name, "outcome");
}

/* Names beyond the classic ones are quoted. */
static void add_label(struct buf *out, struct str name, struct str value)
{
    bool classic = label_name_is_classic(name);
    struct buf text;
    buf_init(&text, NAME_MAX_BYTES);
    buf_puts(&text, classic ? "" : "\"");
    buf_puts(&text, is_ours(name) ? "exported_" : "");
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"' || name.p[i] == '\\')
            buf_char(&text, '\\');
        if (name.p[i] == '\n')
            buf_puts(&text, "\\n");
        else
            buf_char(&text, name.p[i]);
    }
    buf_puts(&text, classic ? "" : "\"");
    stat_label(out, buf_text(&text), value);
    buf_release(&text);
}

static void labels_of_group(struct buf *out, const struct book *book, const struct labels *labels)
{
    buf_clear(out);
    stat_label(out, "slo", book->objective->id);
    for (size_t i = 0; i < labels->count; i++)
        add_label(out, labels->item[i].name, labels->item[i].value);
}

typedef void write_group(struct buf *out, struct buf *labels, const struct book *book,
                         struct account *account);

static void figures_of(const struct book *book, struct account *account, struct ledger_figures *out)
{
    ledger_figures(account->ledger, &book->objective->period, book->zone, book->next_ms, NULL, 0, out);
}

static void write_remaining(struct buf *out, struct buf *labels, const struct book *book,
                            struct account *account)
{
    struct ledger_figures f;
    figures_of(book, account, &f);
    if (f.tells_remaining)
        stat_sample(out, "tocsin_slo_budget_remaining_ratio", buf_text(labels), f.remaining);
}

static void write_coverage(struct buf *out, struct buf *labels, const struct book *book,
                           struct account *account)
{
    struct ledger_figures f;
    figures_of(book, account, &f);
    stat_sample(out, "tocsin_slo_coverage_ratio", buf_text(labels), f.coverage);
}

static void write_events(struct buf *out, struct buf *labels, const struct book *book,
                         struct account *account)
{
    size_t used = labels->used;
    if (!book->terms.events)
        return;
    stat_label(labels, "outcome", STR("bad"));
    stat_sample(out, "tocsin_slo_events_total", buf_text(labels), account->bad);
    buf_truncate(labels, used);
    stat_label(labels, "outcome", STR("good"));
    stat_sample(out, "tocsin_slo_events_total", buf_text(labels), account->good);
}

static void write_all(struct budgets *budgets, struct buf *out, write_group *write)
{
    struct buf labels;
    buf_init(&labels, LABELS_MAX);
    for (size_t i = 0; i < budgets->count; i++) {
        const struct book *book = budgets->books[i];
        for (size_t k = 0; k < book->account_count; k++) {
            labels_of_group(&labels, book, book->accounts[k]->labels);
            write(out, &labels, book, book->accounts[k]);
        }
    }
    buf_release(&labels);
}

void budgets_write_metrics(struct budgets *budgets, struct buf *out)
{
    lock_take(&budgets->lock);
    stat_head(out, "tocsin_slo_budget_remaining_ratio", "gauge",
              "Share of the error budget of the period that is left; below 0: overspent.");
    write_all(budgets, out, write_remaining);
    stat_head(out, "tocsin_slo_coverage_ratio", "gauge",
              "Share of the period's slices that are known, since there are data.");
    write_all(budgets, out, write_coverage);
    stat_head(out, "tocsin_slo_events_total", "counter", "Events that went into budgets.");
    write_all(budgets, out, write_events);
    lock_drop(&budgets->lock);
}
