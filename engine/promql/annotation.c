#include "shared_priv.h"

#include "tocsin/gotext.h"

#include <stdarg.h>

struct note {
    enum annotation_kind kind;
    struct str text;
    size_t position; /* in the text; of those that are kept: which node of their part */
    bool counted;    /* tell how often it occurred */
    size_t occurrences;
    struct note *next;
};

enum { NOTE_TEXT_MAX = 4096, NOTES_MAX = 1000 };

static struct note *find_note(struct evaluation *ev, enum annotation_kind kind, struct str text)
{
    for (struct note *n = ev->notes.first; n != NULL; n = n->next)
        if (n->kind == kind && str_eq(n->text, text))
            return n;
    return NULL;
}

/* False: the arena has no room. */
static bool append_note(struct notes *notes, struct note note, struct arena *arena)
{
    struct note *n = ARENA_NEW(arena, struct note);
    note.text = str_copy(arena, note.text);
    if (n == NULL || note.text.p == NULL)
        return false;
    *n = note;
    n->next = NULL;
    if (notes->last != NULL)
        notes->last->next = n;
    else
        notes->first = n;
    notes->last = n;
    notes->count++;
    return true;
}

static int merge_note(struct evaluation *ev, struct note note)
{
    struct note *known = find_note(ev, note.kind, note.text);
    if (known == NULL && ev->notes.count < NOTES_MAX)
        return append_note(&ev->notes, note, ev->arena) ? 0 : eval_no_memory(ev);
    if (known == NULL)
        return 0;
    known->position = note.position;
    known->occurrences += note.occurrences;
    return 0;
}

static int format_note(struct evaluation *ev, struct note note, const char *format, va_list args)
{
    struct buf text;
    buf_init(&text, NOTE_TEXT_MAX);
    buf_vformat(&text, format, args);
    note.text = buf_slice(&text);
    note.occurrences = 1;
    int code = merge_note(ev, note);
    buf_release(&text);
    return code;
}

int note_add(struct evaluation *ev, enum annotation_kind kind, size_t position, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int code = format_note(ev, (struct note){.kind = kind, .position = position}, format, args);
    va_end(args);
    return code;
}

int note_count(struct evaluation *ev, enum annotation_kind kind, size_t position, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int code =
        format_note(ev, (struct note){.kind = kind, .position = position, .counted = true}, format, args);
    va_end(args);
    return code;
}

static void line_and_column(struct str text, size_t position, int *line, int *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < position && i < text.n; i++) {
        *column = text.p[i] == '\n' ? 1 : *column + 1;
        *line += text.p[i] == '\n';
    }
}

static const char *note_text(struct evaluation *ev, const struct note *n)
{
    int line, column;
    line_and_column(ev->q->text, n->position, &line, &column);
    const char *kind = n->kind == ANNOTATION_WARNING ? "warning" : "info";
    if (n->counted && n->occurrences > 1)
        return arena_format(ev->arena, "PromQL %s: %.*s (%zu occurrences) (%d:%d)", kind, STR_ARG(n->text),
                            n->occurrences, line, column);
    return arena_format(ev->arena, "PromQL %s: %.*s (%d:%d)", kind, STR_ARG(n->text), line, column);
}

int note_mixed_kinds(struct evaluation *ev, size_t position, const struct labels *series)
{
    return note_add(ev, ANNOTATION_WARNING, position,
                    "encountered a mix of histograms and floats for metric name %s",
                    note_quote(ev, labels_metric(series)));
}

int note_mixed_schemas(struct evaluation *ev, size_t position, const struct labels *series)
{
    return note_add(
        ev, ANNOTATION_WARNING, position,
        "vector contains a mix of histograms with exponential and custom buckets schemas for metric "
        "name %s",
        note_quote(ev, labels_metric(series)));
}

int notes_finish(struct evaluation *ev, struct promql_result *out)
{
    out->annotations = ARENA_ARRAY(ev->arena, struct annotation, ev->notes.count);
    if (out->annotations == NULL)
        return eval_no_memory(ev);
    for (struct note *n = ev->notes.first; n != NULL; n = n->next) {
        const char *text = note_text(ev, n);
        if (text == NULL)
            return eval_no_memory(ev);
        out->annotations[out->annotation_count++] =
            (struct annotation){.kind = n->kind, .text = str_of(text)};
    }
    return 0;
}

/* ---- of parts that several expressions have in common ---- */

int notes_join(struct evaluation *ev, const struct notes *own)
{
    for (const struct note *n = own->first; n != NULL; n = n->next)
        TRY(merge_note(ev, *n));
    return 0;
}

/* Nodes that begin at the same place do so in any text of the same expression. SIZE_MAX: none begins there. */
static size_t node_at(const struct promql *q, const struct expr *part, size_t position)
{
    for (size_t i = part->plan_id; i < q->node_count && q->nodes[i].expr->start < part->end; i++)
        if (q->nodes[i].expr->start == position)
            return i - part->plan_id;
    return SIZE_MAX;
}

bool notes_keep(const struct evaluation *ev, const struct expr *part, const struct notes *own,
                struct arena *arena, struct notes *kept)
{
    for (const struct note *n = own->first; n != NULL; n = n->next) {
        struct note copy = *n;
        copy.position = node_at(ev->q, part, n->position);
        if (copy.position == SIZE_MAX || !append_note(kept, copy, arena))
            return false;
    }
    return true;
}

int notes_repeat(struct evaluation *ev, const struct expr *part, const struct notes *kept)
{
    for (const struct note *n = kept->first; n != NULL; n = n->next) {
        struct note here = *n;
        here.position = ev->q->nodes[part->plan_id + n->position].expr->start;
        TRY(merge_note(ev, here));
    }
    return 0;
}

static const char *keep_text(struct evaluation *ev, struct buf *b)
{
    const char *copy = arena_copy_text(ev->arena, buf_text(b), b->used);
    buf_release(b);
    return copy != NULL ? copy : "";
}

const char *note_quote(struct evaluation *ev, struct str s)
{
    struct buf b;
    buf_init(&b, NOTE_TEXT_MAX);
    go_quote(&b, s);
    return keep_text(ev, &b);
}

const char *note_float(struct evaluation *ev, double v)
{
    struct buf b;
    buf_init(&b, NOTE_TEXT_MAX);
    go_float(&b, v, 'g', -1);
    return keep_text(ev, &b);
}
