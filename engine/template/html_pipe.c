#include "html_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

enum { STEPS_MAX = 3 };

/* What is to be appended to one pipeline. */
struct steps {
    const struct template_function *items[STEPS_MAX];
    size_t count;
};

static void add_step(struct steps *s, enum html_step step)
{
    s->items[s->count++] = &html_steps[step];
}

static int fail(const struct node *action, struct err *err, int code, const char *what)
{
    struct buf text;
    scratch_begin(&text);
    node_print(&text, action);
    err_set(err, code, "%s %s", buf_text(&text), what);
    buf_release(&text);
    return code;
}

static int choose_url(struct html_context c, const struct node *action, struct steps *s, struct err *err)
{
    switch (c.part) {
    case HTML_PART_START:
        add_step(s, HTML_STEP_URL_FILTER);
        add_step(s, HTML_STEP_URL_NORMALIZE);
        return 0;
    case HTML_PART_PATH:
        add_step(s, HTML_STEP_URL_NORMALIZE);
        return 0;
    case HTML_PART_QUERY:
        add_step(s, HTML_STEP_URL_ENCODE);
        return 0;
    default:
        return fail(action, err, ERR_PARSE, "appears in an ambiguous context within a URL");
    }
}

static int choose_by_state(struct html_context c, const struct node *action, struct steps *s, struct err *err)
{
    switch (c.state) {
    case HTML_TEXT:
        add_step(s, HTML_STEP_TEXT);
        return 0;
    case HTML_ATTR_NAME:
        add_step(s, HTML_STEP_NAME);
        return 0;
    case HTML_COMMENT:
    case HTML_STYLE_BLOCK_COMMENT:
    case HTML_STYLE_LINE_COMMENT:
        add_step(s, HTML_STEP_COMMENT);
        return 0;
    case HTML_RCDATA:
        add_step(s, HTML_STEP_RCDATA);
        return 0;
    case HTML_ATTR:
    case HTML_META:
        return 0;
    case HTML_URL:
        return choose_url(c, action, s, err);
    case HTML_META_URL:
        add_step(s, HTML_STEP_URL_FILTER);
        return 0;
    case HTML_SRCSET:
        add_step(s, HTML_STEP_SRCSET);
        return 0;
    case HTML_SCRIPT:
        return fail(action, err, ERR_UNSUPPORTED,
                    "appears in a script or an event handler, where values are not supported");
    default:
        return fail(action, err, ERR_UNSUPPORTED,
                    "appears in a style sheet or style attribute, where values are not supported");
    }
}

static int choose(struct html_context c, const struct node *action, struct steps *s, struct err *err)
{
    int rc = choose_by_state(c, action, s, err);
    if (rc == 0 && c.delim == HTML_DELIM_SPACE)
        add_step(s, HTML_STEP_UNQUOTED);
    else if (rc == 0 && c.delim != HTML_DELIM_NONE)
        add_step(s, HTML_STEP_ATTR);
    return rc;
}

/* ---- html and urlquery, which authors wrote before there was escaping ---- */

static bool is_predefined(const struct node *command)
{
    const struct node *first = command->first;
    return first->kind == NODE_IDENTIFIER && (str_is(first->text, "html") || str_is(first->text, "urlquery"));
}

/* They may only come last, and html not in a value without quotes, for which it does not escape enough. */
static int check_predefined(struct html_context c, const struct node *pipe, struct err *err)
{
    for (const struct node *command = pipe->first; command != NULL; command = command->next) {
        if (!is_predefined(command))
            continue;
        bool weak =
            c.state == HTML_ATTR && c.delim == HTML_DELIM_SPACE && str_is(command->first->text, "html");
        if (command->next != NULL || weak)
            return err_set(err, ERR_PARSE, "predefined escaper \"%.*s\" disallowed in template",
                           STR_ARG(command->first->text));
    }
    return 0;
}

static bool does_the_same(const struct template_function *step, struct str name)
{
    bool url = step == &html_steps[HTML_STEP_URL_ENCODE] || step == &html_steps[HTML_STEP_URL_NORMALIZE];
    bool html = step == &html_steps[HTML_STEP_TEXT] || step == &html_steps[HTML_STEP_RCDATA] ||
                step == &html_steps[HTML_STEP_ATTR];
    return str_is(name, "urlquery") ? url : html;
}

/* The author's escaper takes the place of its equal among the steps. False: none is. */
static bool take_over(struct steps *s, const struct template_function *predefined)
{
    bool taken = false;
    for (size_t i = 0; i < s->count; i++) {
        if (does_the_same(s->items[i], str_of(predefined->name))) {
            s->items[i] = predefined;
            taken = true;
        }
    }
    return taken;
}

/* ---- the copy ---- */

struct copying {
    struct arena *arena;
    const struct node *at; /* what new nodes say of their place */
    bool failed;
};

static struct node *copy_node(struct copying *c, const struct node *n)
{
    struct node *copy = arena_copy(c->arena, n, 1, sizeof *n);
    c->failed = c->failed || copy == NULL;
    if (copy != NULL)
        copy->next = NULL;
    return copy;
}

static void append(struct node *parent, struct node *child)
{
    if (parent == NULL || child == NULL)
        return;
    if (parent->last != NULL)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

static struct node *make_identifier(struct copying *c, const struct template_function *function)
{
    struct node n = {.kind = NODE_IDENTIFIER,
                     .source = c->at->source,
                     .pos = c->at->pos,
                     .text = str_of(function->name),
                     .function = function};
    return copy_node(c, &n);
}

static struct node *make_command(struct copying *c, const struct template_function *function)
{
    struct node n = {.kind = NODE_COMMAND, .source = c->at->source, .pos = c->at->pos};
    struct node *command = copy_node(c, &n);
    append(command, make_identifier(c, function));
    return command;
}

/* {{html a b}}: its arguments become one text, which goes on through the steps. */
static struct node *make_arguments(struct copying *c, const struct node *command)
{
    struct node *copy = make_command(c, &html_steps[HTML_STEP_ARGUMENTS]);
    if (copy == NULL || copy->first == NULL)
        return NULL;
    copy->first->next = command->first->next;
    copy->last = command->last;
    copy->count = command->count;
    return copy;
}

/* The author's commands: all, without the last where a step has taken it over. */
static void copy_commands(struct copying *c, const struct node *pipe, struct node *copy, bool without_last)
{
    for (const struct node *n = pipe->first; n != NULL && (n->next != NULL || !without_last); n = n->next)
        append(copy, copy_node(c, n));
}

static struct node *copy_pipe(struct copying *c, struct template_set *set, const struct node *pipe,
                              struct steps *s)
{
    struct node *copy = copy_node(c, pipe);
    if (copy == NULL)
        return NULL;
    copy->first = copy->last = NULL;
    copy->count = 0;
    const struct template_function *predefined =
        is_predefined(pipe->last) ? set_function(set, pipe->last->first->text) : NULL;
    bool taken = predefined != NULL && take_over(s, predefined);
    bool whole = predefined != NULL && pipe->count == 1 && pipe->last->count > 1;
    if (whole)
        append(copy, make_arguments(c, pipe->last));
    else
        copy_commands(c, pipe, copy, taken);
    if (whole && !taken)
        append(copy, make_command(c, predefined));
    for (size_t i = 0; i < s->count; i++)
        append(copy, make_command(c, s->items[i]));
    return copy;
}

struct node *html_action(struct template_set *set, struct html_context *context, const struct node *action,
                         int *rc, struct err *err)
{
    struct copying c = {.arena = set->arena, .at = action};
    struct steps steps = {.count = 0};
    struct node *copy = copy_node(&c, action);
    *rc = 0;
    if (action->pipe->name_count == 0) {
        *context = html_nudge(*context);
        *rc = check_predefined(*context, action->pipe, err);
        *rc = *rc == 0 ? choose(*context, action, &steps, err) : *rc;
        if (*rc == 0 && copy != NULL)
            copy->pipe = copy_pipe(&c, set, action->pipe, &steps);
    }
    if (*rc == 0 && c.failed) {
        limit_hit(LIMIT_template_arena_bytes);
        *rc = err_set(err, ERR_LIMIT, "template too large");
    }
    return *rc == 0 ? copy : NULL;
}
