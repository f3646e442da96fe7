#include "rulefile_priv.h"

/* A path while it is put together: everything up to `kept` stays, be it the root or leading "..". */
struct path {
    struct buf *out;
    size_t kept;
};

static void drop_last(struct path *p)
{
    size_t used = p->out->used;
    while (used > p->kept && buf_text(p->out)[used - 1] != '/')
        used--;
    buf_truncate(p->out, used > p->kept ? used - 1 : p->kept);
}

static void add_part(struct path *p, struct str part)
{
    if (p->out->used > 0 && buf_text(p->out)[p->out->used - 1] != '/')
        buf_char(p->out, '/');
    buf_str(p->out, part);
}

static void add_all(struct path *p, struct str path)
{
    bool rooted = p->out->used > 0 && buf_text(p->out)[0] == '/';
    while (path.p != NULL && path.n > 0) {
        struct str part = str_cut(&path, '/');
        bool up = str_is(part, ".."), dropped = up && p->out->used > p->kept;
        if (part.n == 0 || str_is(part, "."))
            continue;
        if (dropped)
            drop_last(p);
        else if (!up || !rooted)
            add_part(p, part);
        if (up && !dropped && !rooted)
            p->kept = p->out->used;
    }
}

void rule_path_join(struct buf *out, struct str folder, struct str pattern)
{
    struct path p = {.out = out};
    buf_clear(out);
    if (pattern.n == 0 || pattern.p[0] == '/') {
        buf_str(out, pattern);
        return;
    }
    if (folder.n > 0 && folder.p[0] == '/') {
        buf_char(out, '/');
        p.kept = 1;
    }
    add_all(&p, folder);
    add_all(&p, pattern);
    if (out->used == 0)
        buf_char(out, '.');
}
