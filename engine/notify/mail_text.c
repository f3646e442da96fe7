#include "mail_priv.h"

enum { ENCODED_LINE_MAX = 76 };

/* One text while it is written. A blank is held back: at the end of a line it must not stand as it is. */
struct writer {
    struct buf *out;
    size_t column;
    char blank; /* 0: none is held back */
};

static void make_room(struct writer *w, size_t bytes)
{
    if (w->column + bytes <= ENCODED_LINE_MAX - 1)
        return;
    buf_puts(w->out, "=\r\n");
    w->column = 0;
}

static void add_literal(struct writer *w, char c)
{
    make_room(w, 1);
    buf_char(w->out, c);
    w->column++;
}

static void add_encoded(struct writer *w, char c)
{
    make_room(w, 3);
    buf_format(w->out, "=%02X", (unsigned char)c);
    w->column += 3;
}

static void settle_blank(struct writer *w, bool ends_line)
{
    char blank = w->blank;
    w->blank = 0;
    if (blank != 0 && ends_line)
        add_encoded(w, blank);
    else if (blank != 0)
        add_literal(w, blank);
}

static void end_line(struct writer *w)
{
    settle_blank(w, true);
    buf_puts(w->out, "\r\n");
    w->column = 0;
}

static void add(struct writer *w, char c)
{
    settle_blank(w, false);
    if (c == ' ' || c == '\t')
        w->blank = c;
    else if (c > ' ' && c < 0x7f && c != '=')
        add_literal(w, c);
    else
        add_encoded(w, c);
}

/* CR LF, LF and CR alone all end a line. */
void mail_quoted_printable(struct buf *out, struct str text)
{
    struct writer w = {.out = out};
    for (size_t i = 0; i < text.n && !buf_overflow(out); i++) {
        char c = text.p[i];
        if (c == '\n' && i > 0 && text.p[i - 1] == '\r')
            continue;
        if (c == '\n' || c == '\r')
            end_line(&w);
        else
            add(&w, c);
    }
    settle_blank(&w, true);
}
