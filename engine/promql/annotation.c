#include "eval_priv.h"

#include "tocsin/gotext.h"

#include <stdarg.h>

struct note {
    enum annotation_kind kind;
    struct str text;
    size_t position;
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

static int append_note(struct evaluation *ev, struct note note)
{
    struct note *n = ARENA_NEW(ev->arena, struct note);
    note.text = str_copy(ev->arena, note.text);
    if (n == NULL || note.text.p == NULL)
        return eval_no_memory(ev);
    *n = note;
    if (ev->notes.last != NULL)
        ev->notes.last->next = n;
    else
        ev->notes.first = n;
    ev->notes.last = n;
    ev->notes.count++;
    return 0;
}

int note_add(struct evaluation *ev, enum annotation_kind kind, size_t position, const char *format, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, NOTE_TEXT_MAX);
    va_start(args, format);
    buf_vformat(&text, format, args);
    va_end(args);
    struct note *known = find_note(ev, kind, buf_slice(&text));
    int code = 0;
    if (known != NULL)
        known->position = position;
    else if (ev->notes.count < NOTES_MAX)
        code = append_note(ev, (struct note){.kind = kind, .text = buf_slice(&text), .position = position});
    buf_release(&text);
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

int notes_finish(struct evaluation *ev, struct promql_result *out)
{
    out->annotations = ARENA_ARRAY(ev->arena, struct annotation, ev->notes.count);
    if (out->annotations == NULL)
        return eval_no_memory(ev);
    for (struct note *n = ev->notes.first; n != NULL; n = n->next) {
        int line, column;
        line_and_column(ev->q->text, n->position, &line, &column);
        const char *text =
            arena_format(ev->arena, "PromQL %s: %.*s (%d:%d)",
                         n->kind == ANNOTATION_WARNING ? "warning" : "info", STR_ARG(n->text), line, column);
        if (text == NULL)
            return eval_no_memory(ev);
        out->annotations[out->annotation_count++] =
            (struct annotation){.kind = n->kind, .text = str_of(text)};
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
