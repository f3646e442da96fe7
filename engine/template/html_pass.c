#include "html_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

/*
 * Walks a template from its first byte to its last, the context going along, and makes a copy that escapes. Branches have to
 * end in one context. A template that is called is copied for each context it is called in; one that calls itself is taken
 * to end where it began, and if it does not, to end where it then did.
 */

/* A {{break}} or {{continue}}: what follows the loop, or its next turn, may follow it. */
struct jump {
    struct html_context from;
    const struct node *node;
    struct jump *next;
};

struct loop {
    struct jump *first, **end;
};

struct pass {
    struct template_set *set;
    struct html_variant *variants; /* the set's, and before them this pass's */
    struct loop *loop;             /* the innermost */
    int64_t steps;
    int depth;
    const struct node *at; /* of an error; NULL: the text as a whole */
    int line;              /* or this line of it */
    struct err *err;
};

static int walk_list(struct pass *p, struct html_context *c, const struct node *list, struct node **out);

static int fail_memory(struct pass *p)
{
    limit_hit(LIMIT_template_arena_bytes);
    return err_set(p->err, ERR_LIMIT, "template too large");
}

static int fail_named(struct pass *p, const struct node *at, const char *before, struct str name)
{
    struct buf quoted;
    scratch_begin(&quoted);
    go_quote(&quoted, name);
    p->at = at;
    err_set(p->err, ERR_PARSE, "%s%s", before, buf_text(&quoted));
    buf_release(&quoted);
    return ERR_PARSE;
}

static int join(struct pass *p, struct html_context *a, struct html_context b, const struct node *at,
                const char *keyword)
{
    struct html_context joined;
    if (html_join(*a, b, &joined)) {
        *a = joined;
        return 0;
    }
    struct buf text;
    scratch_begin(&text);
    html_context_print(&text, *a);
    buf_puts(&text, ", ");
    html_context_print(&text, b);
    p->at = at;
    err_set(p->err, ERR_PARSE, "{{%s}} branches end in different contexts: %s", keyword, buf_text(&text));
    buf_release(&text);
    return ERR_PARSE;
}

static struct node *copy_node(struct pass *p, const struct node *n, int *rc)
{
    struct node *copy = arena_copy(p->set->arena, n, 1, sizeof *n);
    if (copy == NULL)
        *rc = fail_memory(p);
    else
        copy->next = NULL;
    return copy;
}

static int walk_text(struct pass *p, struct html_context *c, const struct node *n, struct node **out)
{
    struct buf text;
    scratch_begin(&text);
    int rc = html_text(c, n->text, &text, p->err);
    *out = rc == 0 ? copy_node(p, n, &rc) : NULL;
    if (rc == 0 && buf_overflow(&text))
        rc = fail_memory(p);
    if (rc == 0 && !str_eq(buf_slice(&text), n->text)) {
        (*out)->text = str_copy(p->set->arena, buf_slice(&text));
        rc = (*out)->text.p != NULL ? 0 : fail_memory(p);
    }
    buf_release(&text);
    return rc;
}

static int walk_action(struct pass *p, struct html_context *c, const struct node *n, struct node **out)
{
    int rc;
    *out = html_action(p->set, c, n, &rc, p->err);
    if (rc != 0)
        p->at = n;
    return rc;
}

/* ---- branches ---- */

static int walk_jump(struct pass *p, struct html_context *c, const struct node *n, struct node **out)
{
    int rc = 0;
    struct jump *jump = ARENA_NEW(p->set->arena, struct jump);
    *out = copy_node(p, n, &rc);
    if (jump == NULL)
        return fail_memory(p);
    *jump = (struct jump){.from = *c, .node = n};
    *p->loop->end = jump;
    p->loop->end = &jump->next;
    *c = (struct html_context){.state = HTML_DEAD};
    return rc;
}

static int join_jumps(struct pass *p, struct html_context *c, const struct loop *loop, enum node_kind kind)
{
    for (const struct jump *j = loop->first; j != NULL; j = j->next) {
        if (j->node->kind != kind)
            continue;
        int rc = join(p, c, j->from, j->node, "range");
        if (rc != 0) {
            err_prefix(p->err, "at range loop %s: ", kind == NODE_BREAK ? "break" : "continue");
            return rc;
        }
    }
    return 0;
}

/* One turn of a loop. */
static int walk_turn(struct pass *p, struct html_context *c, const struct node *body, struct node **out)
{
    struct loop loop = {.first = NULL}, *outer = p->loop;
    loop.end = &loop.first;
    p->loop = &loop;
    int rc = walk_list(p, c, body, out);
    p->loop = outer;
    rc = rc == 0 ? join_jumps(p, c, &loop, NODE_BREAK) : rc;
    return rc == 0 ? join_jumps(p, c, &loop, NODE_CONTINUE) : rc;
}

/* A second turn begins where the first has ended, and must not end elsewhere. What it copies is of no use. */
static int walk_second_turn(struct pass *p, struct html_context *c, const struct node *n)
{
    struct html_variant *before = p->variants;
    struct html_context again = *c;
    struct node *ignored;
    int rc = walk_turn(p, &again, n->body, &ignored);
    p->variants = before;
    rc = rc == 0 ? join(p, c, again, n->pipe, "range") : rc;
    if (rc == 0)
        return 0;
    int column;
    node_position(n->pipe, &p->line, &column);
    err_prefix(p->err, "on range loop re-entry: ");
    return rc;
}

static int walk_branches(struct pass *p, struct html_context *c, const struct node *n, struct node **out)
{
    static const char *const keywords[] = {[NODE_IF] = "if", [NODE_WITH] = "with", [NODE_RANGE] = "range"};
    struct html_context other = *c, begin = *c;
    int rc = 0;
    struct node *copy = *out = copy_node(p, n, &rc);
    if (rc != 0)
        return rc;
    rc =
        n->kind == NODE_RANGE ? walk_turn(p, c, n->body, &copy->body) : walk_list(p, c, n->body, &copy->body);
    if (rc == 0 && n->kind == NODE_RANGE && !html_same(*c, begin))
        rc = walk_second_turn(p, c, n);
    if (rc == 0 && n->other != NULL)
        rc = walk_list(p, &other, n->other, &copy->other);
    return rc == 0 ? join(p, c, other, n->pipe, keywords[n->kind]) : rc;
}

/* ---- called templates ---- */

static struct html_variant *find_variant(const struct pass *p, struct str name, struct html_context c)
{
    struct html_variant *v = p->variants;
    while (v != NULL && !(str_eq(v->name, name) && html_same(v->begin, c)))
        v = v->next;
    return v;
}

static struct html_variant *make_variant(struct pass *p, struct str name, struct html_context begin,
                                         struct html_context end)
{
    struct html_variant *v = ARENA_NEW(p->set->arena, struct html_variant);
    struct buf text;
    scratch_begin(&text);
    buf_str(&text, name);
    html_context_suffix(&text, begin);
    struct str full = str_copy(p->set->arena, buf_slice(&text));
    buf_release(&text);
    if (v == NULL || full.p == NULL)
        return NULL;
    *v = (struct html_variant){
        .definition.name = full, .name = name, .begin = begin, .end = end, .next = p->variants};
    p->variants = v;
    return v;
}

/* Copies it, taken to end in *end if it calls itself. *settled: it does end there, or does not call itself. */
static int try_variant(struct pass *p, const struct definition *d, struct html_context begin,
                       struct html_context *end, bool *settled)
{
    struct html_variant *v = make_variant(p, d->name, begin, *end);
    if (v == NULL)
        return fail_memory(p);
    struct loop *outer = p->loop;
    p->loop = NULL;
    *end = begin;
    int rc = walk_list(p, end, d->root, &v->definition.root);
    p->loop = outer;
    *settled = rc == 0 && (!v->called || html_same(v->end, *end));
    v->end = *end;
    return rc;
}

static int fail_unsettled(struct pass *p, const struct definition *d)
{
    p->at = d->root;
    return err_set(p->err, ERR_PARSE, "cannot compute output context for template %.*s", STR_ARG(d->name));
}

static int add_variant(struct pass *p, const struct definition *d, struct html_context begin)
{
    struct html_variant *before = p->variants;
    struct html_context end = begin;
    bool settled;
    if (p->depth >= limits.template_depth) {
        limit_hit(LIMIT_template_depth);
        return err_set(p->err, ERR_LIMIT, "exceeded maximum template depth (%lld)",
                       (long long)limits.template_depth);
    }
    p->depth++;
    int rc = try_variant(p, d, begin, &end, &settled);
    if (rc == 0 && !settled) {
        p->variants = before;
        rc = try_variant(p, d, begin, &end, &settled);
        if (rc != ERR_LIMIT && !settled)
            rc = fail_unsettled(p, d);
    }
    p->depth--;
    return rc;
}

static int walk_template(struct pass *p, struct html_context *c, const struct node *n, struct node **out)
{
    int rc = 0;
    struct html_variant *v = find_variant(p, n->text, *c);
    *out = copy_node(p, n, &rc);
    if (rc == 0 && v == NULL) {
        const struct definition *d = set_find(p->set, n->text);
        rc = d != NULL ? add_variant(p, d, *c) : fail_named(p, n, "no such template ", n->text);
        v = find_variant(p, n->text, *c);
    }
    if (rc != 0)
        return rc;
    v->called = true;
    (*out)->callee = &v->definition;
    *c = v->end;
    return 0;
}

/* ---- lists ---- */

static int walk(struct pass *p, struct html_context *c, const struct node *n, struct node **out)
{
    if (++p->steps > limits.template_steps) {
        limit_hit(LIMIT_template_steps);
        return err_set(p->err, ERR_LIMIT, "exceeded maximum template steps (%lld)",
                       (long long)limits.template_steps);
    }
    switch (n->kind) {
    case NODE_TEXT:
        return walk_text(p, c, n, out);
    case NODE_ACTION:
        return walk_action(p, c, n, out);
    case NODE_IF:
    case NODE_WITH:
    case NODE_RANGE:
        return walk_branches(p, c, n, out);
    case NODE_TEMPLATE:
        return walk_template(p, c, n, out);
    case NODE_BREAK:
    case NODE_CONTINUE:
        return walk_jump(p, c, n, out);
    default:
        return walk_list(p, c, n, out);
    }
}

/* What stands behind a jump is never reached. */
static int walk_list(struct pass *p, struct html_context *c, const struct node *list, struct node **out)
{
    int rc = 0;
    struct node *copy = *out = copy_node(p, list, &rc);
    if (rc != 0)
        return rc;
    struct node **end = &copy->first;
    copy->first = copy->last = NULL;
    for (const struct node *n = list->first; n != NULL && c->state != HTML_DEAD; n = n->next) {
        rc = walk(p, c, n, end);
        if (rc != 0)
            return rc;
        copy->last = *end;
        end = &(*end)->next;
    }
    return 0;
}

/* ---- the whole ---- */

static int fail_open(struct pass *p, struct html_context c)
{
    struct buf text;
    scratch_begin(&text);
    html_context_print(&text, c);
    err_set(p->err, ERR_PARSE, "ends in a non-text context: %s", buf_text(&text));
    buf_release(&text);
    return ERR_PARSE;
}

static void locate(const struct pass *p, struct str name)
{
    int line, column;
    if (p->at != NULL) {
        node_position(p->at, &line, &column);
        err_prefix(p->err, "html/template:%.*s:%d:%d: ", STR_ARG(p->at->source->name), line, column);
    } else if (p->line > 0) {
        err_prefix(p->err, "html/template:%.*s:%d: ", STR_ARG(name), p->line);
    } else if (name.n > 0) {
        err_prefix(p->err, "html/template:%.*s: ", STR_ARG(name));
    } else {
        err_prefix(p->err, "html/template: ");
    }
}

int template_escape_html(struct template_set *set, struct str name, struct err *err)
{
    const struct html_context text = {.state = HTML_TEXT};
    struct err ignored;
    struct pass p = {.set = set, .variants = set->variants, .err = err != NULL ? err : &ignored};
    const struct definition *d = set_find(set, name);
    if (d == NULL)
        return err_set(err, ERR_NOT_FOUND, "html/template: \"%.*s\" is undefined", STR_ARG(name));
    int rc = find_variant(&p, name, text) == NULL ? add_variant(&p, d, text) : 0;
    struct html_context end = rc == 0 ? find_variant(&p, name, text)->end : text;
    if (rc == 0 && end.state != HTML_TEXT)
        rc = fail_open(&p, end);
    if (rc == 0)
        set->variants = p.variants;
    else
        locate(&p, name);
    return rc;
}

const struct definition *set_find_html(const struct template_set *set, struct str name)
{
    const struct html_context text = {.state = HTML_TEXT};
    const struct pass p = {.variants = set->variants};
    const struct html_variant *v = find_variant(&p, name, text);
    return v != NULL && v->end.state == HTML_TEXT ? &v->definition : NULL;
}
