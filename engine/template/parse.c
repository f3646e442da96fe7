#include "template_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

#include <stdio.h>

/* One text being parsed. The first failure sticks: it sets `failed`, and every function then returns NULL. */
struct parser {
    struct template_set *set;
    struct arena *arena;
    const struct source *source;
    struct lexer lexer;
    struct token ahead[3]; /* given back, last first */
    int ahead_count;
    int lexed_line; /* of the newest token: what errors name */
    int action_line;
    int range_depth, depth;
    struct str *vars;
    size_t var_count, var_capacity;
    struct definition *found; /* the {{define}}s and {{block}}s of this text */
    size_t found_count, found_capacity;
    bool failed;
    int code;
    struct err *err;
};

static struct node *vfail(struct parser *p, int code, const char *format, va_list args)
{
    if (p->failed)
        return NULL;
    p->failed = true;
    p->code = err_vset(p->err, code, format, args);
    err_prefix(p->err, "template: %.*s:%d: ", STR_ARG(p->source->name), p->lexed_line);
    return NULL;
}

__attribute__((format(printf, 2, 3))) static struct node *fail(struct parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfail(p, ERR_PARSE, format, args);
    va_end(args);
    return NULL;
}

__attribute__((format(printf, 3, 4))) static struct node *fail_limit(struct parser *p, enum limit_id id,
                                                                     const char *format, ...)
{
    limit_hit(id);
    va_list args;
    va_start(args, format);
    vfail(p, ERR_LIMIT, format, args);
    va_end(args);
    return NULL;
}

static struct node *fail_memory(struct parser *p)
{
    return fail_limit(p, LIMIT_template_arena_bytes, "template too large");
}

/* Fails with `before "text" after`, the text quoted as Go does. */
static struct node *fail_quoted(struct parser *p, const char *before, struct str text, const char *after)
{
    struct buf quoted;
    scratch_begin(&quoted);
    go_quote(&quoted, text);
    fail(p, "%s%s%s", before, buf_text(&quoted), after);
    buf_release(&quoted);
    return NULL;
}

/* ---- tokens ---- */

static struct token next(struct parser *p)
{
    if (p->ahead_count > 0)
        return p->ahead[--p->ahead_count];
    struct token t = lexer_next(&p->lexer);
    p->lexed_line = t.line;
    return t;
}

static void back(struct parser *p, struct token t)
{
    p->ahead[p->ahead_count++] = t;
}

static struct token peek(struct parser *p)
{
    struct token t = next(p);
    back(p, t);
    return t;
}

/* As errors show it: EOF, <keyword>, the first ten characters in quotes. */
static void print_token(struct buf *out, struct token t)
{
    if (t.kind == TOKEN_EOF) {
        buf_puts(out, "EOF");
    } else if (t.kind == TOKEN_ERROR) {
        buf_str(out, t.text);
    } else if (t.kind > TOKEN_KEYWORD) {
        buf_format(out, "<%.*s>", STR_ARG(t.text));
    } else {
        struct tval text = tval_text(t.text);
        print_format(out, t.text.n > 10 ? STR("%.10q...") : STR("%q"), &text, 1);
    }
}

static struct node *unexpected(struct parser *p, struct token t, const char *context)
{
    struct buf shown;
    scratch_begin(&shown);
    print_token(&shown, t);
    if (t.kind != TOKEN_ERROR) {
        fail(p, "unexpected %s in %s", buf_text(&shown), context);
    } else if (p->action_line != 0 && p->action_line != t.line) {
        const char *in = str_ends(t.text, STR(" action")) ? "" : " in action";
        fail(p, "%s%s started at %.*s:%d", buf_text(&shown), in, STR_ARG(p->source->name), p->action_line);
    } else {
        fail(p, "%s", buf_text(&shown));
    }
    buf_release(&shown);
    return NULL;
}

static bool expect(struct parser *p, enum token_kind kind, const char *context, struct token *t)
{
    *t = next(p);
    if (t->kind == kind)
        return true;
    unexpected(p, *t, context);
    return false;
}

/* ---- nodes ---- */

static struct node *make(struct parser *p, enum node_kind kind, struct token t)
{
    struct node *n = ARENA_NEW(p->arena, struct node);
    if (n == NULL)
        return fail_memory(p);
    *n = (struct node){.kind = kind, .source = p->source, .pos = t.pos, .text = t.text};
    return n;
}

static void append(struct node *parent, struct node *child)
{
    if (parent->last != NULL)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

static bool add_name(struct parser *p, struct node *n, struct str name)
{
    ARENA_GROW(p->arena, n->names, n->name_count, n->name_capacity);
    if (n->names == NULL)
        return fail_memory(p) != NULL;
    n->names[n->name_count++] = name;
    return true;
}

static bool add_variable(struct parser *p, struct str name)
{
    ARENA_GROW(p->arena, p->vars, p->var_count, p->var_capacity);
    if (p->vars == NULL)
        return fail_memory(p) != NULL;
    p->vars[p->var_count++] = name;
    return true;
}

/* A name defined twice in one text is an error, unless one of the two is empty. */
static bool define(struct parser *p, struct str name, struct node *root)
{
    struct definition d = {.name = name, .root = root};
    for (size_t i = 0; i < p->found_count; i++)
        if (str_eq(p->found[i].name, name) && !definition_is_empty(&p->found[i]) && !definition_is_empty(&d))
            return fail_quoted(p, "template: multiple definition of template ", name, "") != NULL;
    ARENA_GROW(p->arena, p->found, p->found_count, p->found_capacity);
    if (p->found == NULL)
        return fail_memory(p) != NULL;
    p->found[p->found_count++] = d;
    return true;
}

/* Recursion of the parser follows the text, and so does the executor's later. */
static bool enter(struct parser *p)
{
    if (++p->depth <= limits.template_depth)
        return true;
    fail_limit(p, LIMIT_template_depth, "max expression depth exceeded");
    return false;
}

static void leave(struct parser *p)
{
    p->depth--;
}

/* ---- operands ---- */

static struct node *parse_pipeline(struct parser *p, const char *context, enum token_kind end);

static bool unquote(struct parser *p, struct str literal, struct str *text)
{
    struct buf bytes;
    buf_init(&bytes, literal.n);
    bool ok = go_unquote(literal, &bytes);
    if (!ok)
        fail(p, "invalid syntax");
    else
        *text = str_copy(p->arena, buf_slice(&bytes));
    buf_release(&bytes);
    if (ok && text->p == NULL)
        return fail_memory(p) != NULL;
    return ok;
}

static struct node *parse_literal(struct parser *p, struct token t)
{
    struct node *n = make(p, NODE_STRING, t);
    if (n == NULL)
        return NULL;
    struct str text;
    if (!unquote(p, t.text, &text))
        return NULL;
    n->value = tval_text(text);
    return n;
}

static struct node *parse_number(struct parser *p, struct token t)
{
    struct node *n = make(p, NODE_NUMBER, t);
    struct err why;
    if (n != NULL && !node_read_number(n, t, &why))
        return fail(p, "%s", why.text);
    return n;
}

static struct node *parse_bool(struct parser *p, struct token t)
{
    struct node *n = make(p, NODE_BOOL, t);
    if (n != NULL)
        n->value = tval_bool(str_is(t.text, "true"));
    return n;
}

static struct node *parse_function_name(struct parser *p, struct token t)
{
    if (set_function(p->set, t.text) == NULL)
        return fail_quoted(p, "function ", t.text, " not defined");
    return make(p, NODE_IDENTIFIER, t);
}

static struct node *parse_variable(struct parser *p, struct token t)
{
    size_t i = p->var_count;
    while (i > 0 && !str_eq(p->vars[i - 1], t.text))
        i--;
    if (i == 0)
        return fail_quoted(p, "undefined variable ", t.text, "");
    struct node *n = make(p, NODE_VARIABLE, t);
    return n != NULL && add_name(p, n, t.text) ? n : NULL;
}

static struct str without_dot(struct str field)
{
    return (struct str){field.p + 1, field.n - 1};
}

static struct node *parse_field(struct parser *p, struct token t)
{
    struct node *n = make(p, NODE_FIELD, t);
    return n != NULL && add_name(p, n, without_dot(t.text)) ? n : NULL;
}

static struct node *parse_parenthesised(struct parser *p)
{
    if (!enter(p))
        return NULL;
    struct node *n = parse_pipeline(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
    leave(p);
    return n;
}

/* NULL without failure: no operand stands here. */
static struct node *parse_term(struct parser *p)
{
    struct token t = next(p);
    switch (t.kind) {
    case TOKEN_IDENTIFIER:
        return parse_function_name(p, t);
    case TOKEN_DOT:
        return make(p, NODE_DOT, t);
    case TOKEN_NIL:
        return make(p, NODE_NIL, t);
    case TOKEN_VARIABLE:
        return parse_variable(p, t);
    case TOKEN_FIELD:
        return parse_field(p, t);
    case TOKEN_BOOL:
        return parse_bool(p, t);
    case TOKEN_CHAR_CONSTANT:
    case TOKEN_NUMBER:
        return parse_number(p, t);
    case TOKEN_LEFT_PAREN:
        return parse_parenthesised(p);
    case TOKEN_STRING:
    case TOKEN_RAW_STRING:
        return parse_literal(p, t);
    default:
        back(p, t);
        return NULL;
    }
}

static bool follows_field(struct parser *p)
{
    struct token t = peek(p);
    return t.kind == TOKEN_FIELD && !t.spaced;
}

static struct node *fail_dot(struct parser *p, const struct node *term)
{
    struct buf text;
    scratch_begin(&text);
    node_print(&text, term);
    fail_quoted(p, "unexpected . after term ", buf_slice(&text), "");
    buf_release(&text);
    return NULL;
}

/* What may carry a chain of fields: `.A` and `$x` take it in; a parenthesis or function name is wrapped. */
static struct node *chain_head(struct parser *p, struct node *term)
{
    switch (term->kind) {
    case NODE_FIELD:
    case NODE_VARIABLE:
        term->pos = peek(p).pos;
        return term;
    case NODE_BOOL:
    case NODE_STRING:
    case NODE_NUMBER:
    case NODE_NIL:
    case NODE_DOT:
        while (follows_field(p))
            next(p);
        return fail_dot(p, term);
    default: {
        struct node *chain = make(p, NODE_CHAIN, peek(p));
        if (chain != NULL)
            append(chain, term);
        return chain;
    }
    }
}

static struct node *parse_operand(struct parser *p)
{
    struct node *n = parse_term(p);
    if (n == NULL || !follows_field(p))
        return n;
    n = chain_head(p, n);
    while (n != NULL && follows_field(p))
        if (!add_name(p, n, without_dot(next(p).text)))
            return NULL;
    return n;
}

/* Operands up to a pipe (which is taken), the end of the action or a parenthesis (which are not). */
static struct node *parse_command(struct parser *p)
{
    struct node *command = make(p, NODE_COMMAND, peek(p));
    while (command != NULL) {
        struct node *operand = parse_operand(p);
        if (p->failed)
            return NULL;
        if (operand != NULL)
            append(command, operand);
        struct token t = next(p);
        if (t.kind == TOKEN_PIPE)
            break;
        back(p, t);
        if (t.kind == TOKEN_RIGHT || t.kind == TOKEN_RIGHT_PAREN)
            break;
        if (!t.spaced || operand == NULL)
            return unexpected(p, t, "operand");
    }
    if (command != NULL && command->count == 0)
        return fail(p, "empty command");
    return command;
}

/* ---- pipelines ---- */

static bool is_range(const char *context)
{
    return strcmp(context, "range") == 0;
}

/* `$i, $e :=`: after the comma another variable has to come, and only in a range. */
static bool another_variable(struct parser *p, const struct node *pipe, const char *context)
{
    if (!is_range(context) || pipe->name_count >= 2)
        return fail(p, "too many declarations in %s", context) != NULL;
    enum token_kind kind = peek(p).kind;
    if (kind == TOKEN_VARIABLE || kind == TOKEN_RIGHT || kind == TOKEN_RIGHT_PAREN)
        return true;
    return fail(p, "range can only initialize variables") != NULL;
}

static bool parse_declarations(struct parser *p, struct node *pipe, const char *context)
{
    while (peek(p).kind == TOKEN_VARIABLE) {
        struct token variable = next(p);
        struct token t = peek(p);
        bool declares = t.kind == TOKEN_DECLARE || t.kind == TOKEN_ASSIGN;
        bool comma = t.kind == TOKEN_CHAR && str_is(t.text, ",");
        if (!declares && !comma) {
            back(p, variable);
            return true;
        }
        next(p);
        pipe->assigns = t.kind == TOKEN_ASSIGN;
        if (!add_name(p, pipe, variable.text) || !add_variable(p, variable.text))
            return false;
        if (declares)
            return true;
        if (!another_variable(p, pipe, context))
            return false;
    }
    return true;
}

static bool is_value(enum node_kind kind)
{
    return kind == NODE_BOOL || kind == NODE_DOT || kind == NODE_NIL || kind == NODE_NUMBER ||
           kind == NODE_STRING;
}

static struct node *check_pipeline(struct parser *p, struct node *pipe, const char *context)
{
    if (pipe->count == 0)
        return fail(p, "missing value for %s", context);
    int stage = 2;
    for (const struct node *c = pipe->first->next; c != NULL; c = c->next, stage++)
        if (is_value(c->first->kind))
            return fail(p, "non executable command in pipeline stage %d", stage);
    return pipe;
}

static bool starts_operand(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_BOOL:
    case TOKEN_CHAR_CONSTANT:
    case TOKEN_DOT:
    case TOKEN_FIELD:
    case TOKEN_IDENTIFIER:
    case TOKEN_NUMBER:
    case TOKEN_NIL:
    case TOKEN_RAW_STRING:
    case TOKEN_STRING:
    case TOKEN_VARIABLE:
    case TOKEN_LEFT_PAREN:
        return true;
    default:
        return false;
    }
}

static struct node *parse_pipeline(struct parser *p, const char *context, enum token_kind end)
{
    struct node *pipe = make(p, NODE_PIPE, peek(p));
    if (pipe == NULL || !parse_declarations(p, pipe, context))
        return NULL;
    for (;;) {
        struct token t = next(p);
        if (t.kind == end)
            return check_pipeline(p, pipe, context);
        if (!starts_operand(t.kind))
            return unexpected(p, t, context);
        back(p, t);
        struct node *command = parse_command(p);
        if (command == NULL)
            return NULL;
        append(pipe, command);
    }
}

/* ---- actions ---- */

static struct node *parse_item(struct parser *p);

/* Items up to {{end}} or {{else}}, which lands in *stop. */
static struct node *parse_list(struct parser *p, struct node **stop)
{
    struct node *list = make(p, NODE_LIST, peek(p));
    while (list != NULL && peek(p).kind != TOKEN_EOF) {
        struct node *n = parse_item(p);
        if (n == NULL)
            return NULL;
        if (n->kind == NODE_END || n->kind == NODE_ELSE) {
            *stop = n;
            return list;
        }
        append(list, n);
    }
    return list != NULL ? fail(p, "unexpected EOF") : NULL;
}

static struct node *parse_control(struct parser *p, struct token t, enum node_kind kind, const char *context);

/* {{else if}} is an {{if}} inside the else, and shares its {{end}}. */
static struct node *parse_else(struct parser *p, enum node_kind kind, const char *context)
{
    enum token_kind again = kind == NODE_IF ? TOKEN_IF : TOKEN_WITH;
    struct token t = peek(p);
    if (kind != NODE_RANGE && t.kind == again) {
        struct node *list = make(p, NODE_LIST, t);
        struct node *inner = list != NULL ? parse_control(p, next(p), kind, context) : NULL;
        if (inner == NULL)
            return NULL;
        append(list, inner);
        return list;
    }
    struct node *stop, *list = parse_list(p, &stop);
    if (list != NULL && stop->kind != NODE_END)
        return fail(p, "expected end; found {{else}}");
    return list;
}

static bool parse_branches(struct parser *p, struct node *n, const char *context)
{
    n->pipe = parse_pipeline(p, context, TOKEN_RIGHT);
    if (n->pipe == NULL)
        return false;
    p->range_depth += n->kind == NODE_RANGE;
    struct node *stop;
    n->body = parse_list(p, &stop);
    p->range_depth -= n->kind == NODE_RANGE;
    if (n->body == NULL)
        return false;
    if (stop->kind == NODE_ELSE)
        n->other = parse_else(p, n->kind, context);
    return !p->failed;
}

static struct node *parse_control(struct parser *p, struct token t, enum node_kind kind, const char *context)
{
    struct node *n = make(p, kind, t);
    if (n == NULL || !enter(p))
        return NULL;
    size_t scope = p->var_count;
    bool ok = parse_branches(p, n, context);
    p->var_count = scope;
    leave(p);
    return ok ? n : NULL;
}

static struct node *parse_end(struct parser *p, struct token t)
{
    struct token close;
    return expect(p, TOKEN_RIGHT, "end", &close) ? make(p, NODE_END, t) : NULL;
}

/* Leaves the `if` of an {{else if}} for parse_else to find. */
static struct node *parse_else_mark(struct parser *p, struct token t)
{
    struct token after = peek(p);
    if (after.kind == TOKEN_IF || after.kind == TOKEN_WITH)
        return make(p, NODE_ELSE, t);
    struct token close;
    return expect(p, TOKEN_RIGHT, "else", &close) ? make(p, NODE_ELSE, t) : NULL;
}

static struct node *parse_jump(struct parser *p, struct token t, enum node_kind kind)
{
    const char *word = kind == NODE_BREAK ? "{{break}}" : "{{continue}}";
    struct token close;
    if (!expect(p, TOKEN_RIGHT, word, &close))
        return NULL;
    if (p->range_depth == 0)
        return fail(p, "%s outside {{range}}", word);
    return make(p, kind, t);
}

static bool parse_name(struct parser *p, const char *context, struct token *t, struct str *name)
{
    *t = next(p);
    if (t->kind == TOKEN_STRING || t->kind == TOKEN_RAW_STRING)
        return unquote(p, t->text, name);
    unexpected(p, *t, context);
    return false;
}

static struct node *parse_call(struct parser *p)
{
    struct token t;
    struct str name;
    if (!parse_name(p, "template clause", &t, &name))
        return NULL;
    struct node *n = make(p, NODE_TEMPLATE, t);
    if (n == NULL)
        return NULL;
    n->text = name;
    if (peek(p).kind == TOKEN_RIGHT) {
        next(p);
        return n;
    }
    n->pipe = parse_pipeline(p, "template clause", TOKEN_RIGHT);
    return n->pipe != NULL ? n : NULL;
}

/* The body of a {{define}} or {{block}}: it sees no variable but its own $. */
static bool parse_definition_body(struct parser *p, struct str name, const char *context)
{
    if (!enter(p))
        return false;
    struct str *vars = p->vars;
    size_t count = p->var_count, capacity = p->var_capacity;
    int ranges = p->range_depth;
    p->vars = NULL;
    p->var_count = p->var_capacity = 0;
    p->range_depth = 0;
    struct node *stop, *list = add_variable(p, STR("$")) ? parse_list(p, &stop) : NULL;
    if (list != NULL && stop->kind != NODE_END)
        fail(p, "unexpected {{else}} in %s", context);
    p->vars = vars;
    p->var_count = count;
    p->var_capacity = capacity;
    p->range_depth = ranges;
    leave(p);
    return !p->failed && define(p, name, list);
}

static struct node *parse_block(struct parser *p)
{
    struct token t;
    struct str name;
    if (!parse_name(p, "block clause", &t, &name))
        return NULL;
    struct node *n = make(p, NODE_TEMPLATE, t);
    if (n == NULL)
        return NULL;
    n->text = name;
    n->pipe = parse_pipeline(p, "block clause", TOKEN_RIGHT);
    return n->pipe != NULL && parse_definition_body(p, name, "block clause") ? n : NULL;
}

static struct node *parse_plain_action(struct parser *p, struct token first)
{
    back(p, first);
    struct node *n = make(p, NODE_ACTION, first);
    if (n != NULL)
        n->pipe = parse_pipeline(p, "command", TOKEN_RIGHT);
    return n != NULL && n->pipe != NULL ? n : NULL;
}

static struct node *parse_action(struct parser *p)
{
    struct token t = next(p);
    switch (t.kind) {
    case TOKEN_BLOCK:
        return parse_block(p);
    case TOKEN_BREAK:
        return parse_jump(p, t, NODE_BREAK);
    case TOKEN_CONTINUE:
        return parse_jump(p, t, NODE_CONTINUE);
    case TOKEN_ELSE:
        return parse_else_mark(p, t);
    case TOKEN_END:
        return parse_end(p, t);
    case TOKEN_IF:
        return parse_control(p, t, NODE_IF, "if");
    case TOKEN_RANGE:
        return parse_control(p, t, NODE_RANGE, "range");
    case TOKEN_TEMPLATE:
        return parse_call(p);
    case TOKEN_WITH:
        return parse_control(p, t, NODE_WITH, "with");
    default:
        return parse_plain_action(p, t);
    }
}

static struct node *parse_item(struct parser *p)
{
    struct token t = next(p);
    if (t.kind == TOKEN_TEXT)
        return make(p, NODE_TEXT, t);
    if (t.kind != TOKEN_LEFT)
        return unexpected(p, t, "input");
    p->action_line = t.line;
    struct node *n = parse_action(p);
    p->action_line = 0;
    return n;
}

static bool parse_define(struct parser *p)
{
    struct token t;
    struct str name;
    return parse_name(p, "define clause", &t, &name) && expect(p, TOKEN_RIGHT, "define clause", &t) &&
           parse_definition_body(p, name, "define clause");
}

/* A whole text: items, and {{define}}s, which may stand only here. */
static struct node *parse_text(struct parser *p)
{
    struct node *list = make(p, NODE_LIST, peek(p));
    while (list != NULL && !p->failed && peek(p).kind != TOKEN_EOF) {
        struct token t = next(p);
        if (t.kind == TOKEN_LEFT && peek(p).kind == TOKEN_DEFINE) {
            next(p);
            parse_define(p);
            continue;
        }
        back(p, t);
        struct node *n = parse_item(p);
        if (n != NULL && n->kind == NODE_END)
            fail(p, "unexpected {{end}}");
        else if (n != NULL && n->kind == NODE_ELSE)
            fail(p, "unexpected {{else}}");
        else if (n != NULL)
            append(list, n);
    }
    return p->failed ? NULL : list;
}

/* ---- into the set ---- */

/* A definition replaces one of its name, unless it alone is empty. */
static void merge(struct definition *into, size_t *count, struct definition d)
{
    for (size_t i = 0; i < *count; i++) {
        if (!str_eq(into[i].name, d.name))
            continue;
        if (!definition_is_empty(&d) || definition_is_empty(&into[i]))
            into[i] = d;
        return;
    }
    into[(*count)++] = d;
}

/* The set's table is replaced whole, so that a failure leaves it as it was. */
static bool commit(struct parser *p)
{
    struct template_set *set = p->set;
    size_t capacity = set->count + p->found_count, count = set->count;
    struct definition *all = ARENA_ARRAY(p->arena, struct definition, capacity);
    if (all == NULL)
        return fail_memory(p) != NULL;
    if (count > 0)
        memcpy(all, set->definitions, count * sizeof *all);
    for (size_t i = 0; i < p->found_count; i++)
        merge(all, &count, p->found[i]);
    if (count < capacity) /* what was escaped may have called what is replaced now */
        set->variants = NULL;
    set->definitions = all;
    set->count = count;
    set->capacity = capacity;
    return true;
}

static bool make_source(struct parser *p, struct str name, struct str text)
{
    struct source *source = ARENA_NEW(p->arena, struct source);
    struct str name_copy = str_copy(p->arena, name), text_copy = str_copy(p->arena, text);
    if (source == NULL || name_copy.p == NULL || text_copy.p == NULL)
        return false;
    *source = (struct source){.name = name_copy, .text = text_copy};
    p->source = source;
    return true;
}

int template_parse(struct template_set *set, struct str name, struct str text, struct err *err)
{
    struct parser p = {.set = set, .arena = set->arena, .err = err, .lexed_line = 1};
    if (!make_source(&p, name, text))
        return err_set(err, ERR_LIMIT, "template: %.*s: too large", STR_ARG(name));
    lexer_init(&p.lexer, p.arena, p.source->text);
    if (!add_variable(&p, STR("$")))
        return p.code;
    struct node *root = parse_text(&p);
    if (root == NULL || !define(&p, p.source->name, root) || !commit(&p))
        return p.code;
    return 0;
}
