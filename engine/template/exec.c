#include "template_priv.h"

#include "tocsin/limits.h"

/* What a walk can answer besides 0 and an error code. */
enum { WALK_BREAK = 1, WALK_CONTINUE = 2 };

/* Blocks and parentheses open at once, over all templates that call each other: what the C stack has to bear.
 */
enum { NESTING_PER_LEVEL = 8, ARGS_INLINE = 4 };

struct variable {
    struct str name;
    struct tval value;
};

struct template_run {
    const struct template_set *set;
    struct arena arena;
    void *context;
    struct buf *out;
    size_t out_start;
    struct err err;
    struct str executing;  /* name of the template at work */
    const struct node *at; /* what an error points at */
    struct variable *vars;
    size_t var_count, var_capacity;
    size_t var_base; /* the first one the template at work may see */
    int64_t steps;
    int depth, nesting;
};

struct arena *template_arena(struct template_run *run)
{
    return &run->arena;
}

void *template_context(struct template_run *run)
{
    return run->context;
}

/* ---- errors ---- */

/* Puts Go's "template: NAME:LINE:COL: executing ..." in front of the text in run->err. */
static void locate(struct template_run *run)
{
    struct buf where;
    scratch_begin(&where);
    int line, column;
    node_position(run->at, &line, &column);
    struct tval name = tval_text(run->executing);
    buf_format(&where, "template: %.*s:%d:%d: executing ", STR_ARG(run->at->source->name), line, column);
    print_format(&where, STR("%q"), &name, 1);
    buf_puts(&where, " at <");
    node_print(&where, run->at);
    buf_puts(&where, ">: ");
    err_prefix(&run->err, "%s", buf_text(&where));
    buf_release(&where);
}

__attribute__((format(printf, 3, 4))) static int fail(struct template_run *run, int code, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    err_vset(&run->err, code, format, args);
    va_end(args);
    locate(run);
    return code;
}

static int fail_limit(struct template_run *run, enum limit_id id, const char *what, int64_t most)
{
    limit_hit(id);
    return fail(run, ERR_LIMIT, "exceeded maximum template %s (%lld)", what, (long long)most);
}

static int fail_memory(struct template_run *run)
{
    return fail_limit(run, LIMIT_template_arena_bytes, "memory", limits.template_arena_bytes);
}

/* An error text that shows a node and perhaps a value. */
static int fail_node(struct template_run *run, const char *before, const struct node *n)
{
    struct buf text;
    scratch_begin(&text);
    node_print(&text, n);
    int rc = fail(run, ERR_EXEC, "%s%s", before, buf_text(&text));
    buf_release(&text);
    return rc;
}

static int fail_value(struct template_run *run, const char *before, const struct tval *v, const char *after)
{
    struct buf text;
    scratch_begin(&text);
    tval_print(&text, v);
    int rc = fail(run, ERR_EXEC, "%s%s%s", before, buf_text(&text), after);
    buf_release(&text);
    return rc;
}

static int step(struct template_run *run, const struct node *n)
{
    run->at = n;
    if (++run->steps > limits.template_steps)
        return fail_limit(run, LIMIT_template_steps, "steps", limits.template_steps);
    return 0;
}

static int enter(struct template_run *run)
{
    int64_t most = limits.template_depth * NESTING_PER_LEVEL;
    if (++run->nesting > most)
        return fail_limit(run, LIMIT_template_depth, "nesting", most);
    return 0;
}

static void leave(struct template_run *run)
{
    run->nesting--;
}

/* ---- variables ---- */

static int push_variable(struct template_run *run, struct str name, const struct tval *value)
{
    ARENA_GROW(&run->arena, run->vars, run->var_count, run->var_capacity);
    if (run->vars == NULL) {
        run->var_count = run->var_capacity = 0;
        return fail_memory(run);
    }
    run->vars[run->var_count++] = (struct variable){.name = name, .value = *value};
    return 0;
}

/* NULL: `$x =` may stand where no $x is declared, which the parser does not notice. */
static struct variable *find_variable(struct template_run *run, struct str name)
{
    for (size_t i = run->var_count; i > run->var_base; i--)
        if (str_eq(run->vars[i - 1].name, name))
            return &run->vars[i - 1];
    return NULL;
}

static int assign_variable(struct template_run *run, struct str name, const struct tval *value)
{
    struct variable *v = find_variable(run, name);
    if (v == NULL)
        return fail(run, ERR_EXEC, "undefined variable: %.*s", STR_ARG(name));
    v->value = *value;
    return 0;
}

/* ---- calls ---- */

/* One evaluation of an operand list: `final` is what the pipe hands over, NULL if nothing. */
struct call {
    const struct tval *dot;
    const struct node *args; /* first operand, NULL if none */
    const struct tval *final;
};

static int eval_pipeline(struct template_run *run, const struct tval *dot, const struct node *pipe,
                         struct tval *out);
static int eval_operand(struct template_run *run, const struct tval *dot, const struct node *n,
                        struct tval *out);

static bool has_arguments(const struct call *c)
{
    return c->args != NULL || c->final != NULL;
}

static size_t count_operands(const struct node *n)
{
    size_t count = 0;
    for (; n != NULL; n = n->next)
        count++;
    return count;
}

static int check_count(struct template_run *run, const struct template_function *f, const struct call *c,
                       const char *name)
{
    bool variadic;
    size_t want = signature_count(f->args, &variadic), written = count_operands(c->args);
    size_t got = written + (c->final != NULL);
    if (variadic && got < want)
        return fail(run, ERR_EXEC, "wrong number of args for %s: want at least %zu got %zu", name, want,
                    written);
    if (!variadic && got != want)
        return fail(run, ERR_EXEC, "wrong number of args for %s: want %zu got %zu", name, want, got);
    return 0;
}

static struct str full_name(struct str type)
{
    return str_is(type, "[]any") ? STR("[]interface {}") : type;
}

static int check_type(struct template_run *run, struct tval *v, struct str type)
{
    if (v->kind == TVAL_NIL && !v->boxed)
        *v = value_nil_as(type);
    if (value_goes_into(v, type))
        return 0;
    if (v->kind == TVAL_NIL && !v->boxed)
        return fail(run, ERR_EXEC, "invalid value; expected %.*s", STR_ARG(full_name(type)));
    return fail(run, ERR_EXEC, "wrong type for value; expected %.*s; got %s", STR_ARG(full_name(type)),
                v->kind == TVAL_NIL ? "interface {}" : value_type_name(v));
}

/* A literal takes the type asked for, where Go's untyped constants would. */
static int eval_literal(struct template_run *run, const struct node *n, struct str type, struct tval *out)
{
    const char *wanted = NULL;
    *out = n->value;
    if (str_is(type, "any"))
        return 0;
    if (str_is(type, "string") || str_is(type, "bool")) {
        wanted = str_is(type, "string") ? "string" : "bool";
        if (n->kind == (str_is(type, "string") ? NODE_STRING : NODE_BOOL))
            return 0;
    } else if (str_is(type, "float64")) {
        wanted = "float";
        *out = tval_float(n->real);
        if (n->kind == NODE_NUMBER && n->is_float)
            return 0;
    } else if (str_is(type, "int") || str_is(type, "int64") || str_is(type, "time.Duration")) {
        wanted = "integer";
        *out = str_is(type, "time.Duration") ? tval_duration(n->integer) : tval_int(n->integer);
        if (n->kind == NODE_NUMBER && n->is_int)
            return 0;
    }
    struct buf shown;
    scratch_begin(&shown);
    node_print(&shown, n);
    int rc = wanted != NULL ? fail(run, ERR_EXEC, "expected %s; found %s", wanted, buf_text(&shown))
                            : fail(run, ERR_EXEC, "can't handle %s for arg of type %.*s", buf_text(&shown),
                                   STR_ARG(full_name(type)));
    buf_release(&shown);
    return rc;
}

static int eval_argument(struct template_run *run, const struct tval *dot, const struct node *n,
                         struct str type, struct tval *out)
{
    int rc = step(run, n);
    if (rc != 0)
        return rc;
    switch (n->kind) {
    case NODE_NIL:
        *out = value_nil_as(type);
        if (str_is(type, "any") || out->kind != TVAL_NIL)
            return 0;
        return fail(run, ERR_EXEC, "cannot assign nil to %.*s", STR_ARG(full_name(type)));
    case NODE_BOOL:
    case NODE_NUMBER:
    case NODE_STRING:
        return eval_literal(run, n, type, out);
    default:
        rc = eval_operand(run, dot, n, out);
        return rc != 0 ? rc : check_type(run, out, type);
    }
}

static int eval_arguments(struct template_run *run, const struct template_function *f, const struct call *c,
                          struct tval *args)
{
    size_t i = 0;
    for (const struct node *n = c->args; n != NULL; n = n->next, i++) {
        int rc = eval_argument(run, c->dot, n, signature_type(f->args, i), &args[i]);
        if (rc != 0)
            return rc;
    }
    if (c->final == NULL)
        return 0;
    args[i] = *c->final;
    return check_type(run, &args[i], signature_type(f->args, i));
}

/* and, or: the first argument that decides. */
static int eval_short_circuit(struct template_run *run, const struct call *c, bool stop_at, struct tval *out)
{
    for (const struct node *n = c->args; n != NULL; n = n->next) {
        int rc = eval_argument(run, c->dot, n, STR("any"), out);
        if (rc != 0)
            return rc;
        if (tval_truth(out) == stop_at)
            return 0;
    }
    if (c->final != NULL)
        *out = *c->final;
    return 0;
}

static int invoke(struct template_run *run, const struct template_function *f, const struct tval *receiver,
                  const struct node *node, const struct call *c, struct tval *args, struct tval *out)
{
    size_t count = count_operands(c->args) + (c->final != NULL), first = receiver != NULL ? 1 : 0;
    if (receiver != NULL)
        args[0] = *receiver;
    int rc = eval_arguments(run, f, c, args + first);
    if (rc != 0)
        return rc;
    *out = tval_nil();
    rc = f->call(run, args, count + first, out, &run->err);
    if (rc == 0)
        return 0;
    run->at = node;
    err_prefix(&run->err, "error calling %s: ", f->name);
    locate(run);
    return rc;
}

/* No value is a function, so that `call` always fails; it names what it was given. */
static int eval_builtin_call(struct template_run *run, const struct node *node, const struct call *c)
{
    struct tval callee = c->final != NULL ? *c->final : tval_nil(), ignored;
    for (const struct node *n = c->args; n != NULL; n = n->next) {
        int rc = eval_argument(run, c->dot, n, STR("any"), n == c->args ? &callee : &ignored);
        if (rc != 0)
            return rc;
    }
    run->at = node;
    if (callee.kind == TVAL_NIL)
        return fail(run, ERR_EXEC, "error calling call: call of nil");
    struct buf shown;
    scratch_begin(&shown);
    if (c->args != NULL)
        node_print(&shown, c->args);
    else if (callee.kind == TVAL_TEXT)
        buf_str(&shown, callee.text);
    else
        buf_format(&shown, "<%s Value>", value_type_name(&callee));
    fail(run, ERR_EXEC, "error calling call: non-function %s of type %s", buf_text(&shown),
         value_type_name(&callee));
    buf_release(&shown);
    return ERR_EXEC;
}

static int eval_call(struct template_run *run, const struct template_function *f, const struct tval *receiver,
                     const struct node *node, const struct call *c, struct tval *out)
{
    int rc = check_count(run, f, c, f->name);
    if (rc != 0)
        return rc;
    if (f->call == builtin_and || f->call == builtin_or)
        return eval_short_circuit(run, c, f->call == builtin_or, out);
    if (f->call == builtin_call)
        return eval_builtin_call(run, node, c);
    struct tval inline_args[ARGS_INLINE], *args = inline_args;
    size_t count = count_operands(c->args) + 2;
    if (count > ARGS_INLINE)
        args = ARENA_ARRAY(&run->arena, struct tval, count);
    if (args == NULL)
        return fail_memory(run);
    return invoke(run, f, receiver, node, c, args, out);
}

/* ---- fields ---- */

static int fail_field(struct template_run *run, const struct tval *receiver, struct str name)
{
    const char *type = receiver->boxed ? "interface {}" : value_type_name(receiver);
    if (receiver->kind == TVAL_NIL)
        return fail(run, ERR_EXEC, "nil pointer evaluating interface {}.%.*s", STR_ARG(name));
    return fail(run, ERR_EXEC, "can't evaluate field %.*s in type %s", STR_ARG(name), type);
}

static int eval_field(struct template_run *run, const struct node *node, const struct tval *receiver,
                      struct str name, const struct call *c, struct tval *out)
{
    if (receiver->kind == TVAL_NIL && !receiver->boxed) {
        *out = tval_nil();
        return 0;
    }
    const struct template_function *method = value_method(receiver, name);
    if (method != NULL)
        return eval_call(run, method, receiver, node, c, out);
    const struct tval *field = tval_get(receiver, name);
    if (receiver->kind == TVAL_MAP && has_arguments(c))
        return fail(run, ERR_EXEC, "%.*s is not a method but has arguments", STR_ARG(name));
    if (field != NULL && has_arguments(c))
        return fail(run, ERR_EXEC, "%.*s has arguments but cannot be invoked as function", STR_ARG(name));
    bool any_map = receiver->kind == TVAL_MAP && receiver->map.zero != TVAL_TEXT;
    if (field != NULL)
        *out = *field;
    else if (receiver->kind == TVAL_MAP)
        *out = any_map ? tval_nil() : tval_text(STR(""));
    else
        return fail_field(run, receiver, name);
    out->boxed = any_map;
    return 0;
}

/* Only the last name of a chain gets the arguments. */
static int eval_fields(struct template_run *run, const struct node *node, const struct tval *start,
                       size_t from, const struct call *c, struct tval *out)
{
    struct tval receiver = *start;
    struct call none = {.dot = c->dot};
    for (size_t i = from; i < node->name_count; i++) {
        bool last = i + 1 == node->name_count;
        int rc = eval_field(run, node, &receiver, node->names[i], last ? c : &none, out);
        if (rc != 0)
            return rc;
        receiver = *out;
    }
    return 0;
}

static int refuse_arguments(struct template_run *run, const struct node *first, const struct call *c)
{
    if (!has_arguments(c))
        return 0;
    return fail_node(run, "can't give argument to non-function ", first);
}

static int eval_variable(struct template_run *run, const struct node *n, const struct call *c,
                         struct tval *out)
{
    struct variable *v = find_variable(run, n->names[0]);
    if (v == NULL)
        return fail(run, ERR_EXEC, "undefined variable: %.*s", STR_ARG(n->names[0]));
    *out = v->value;
    if (n->name_count == 1)
        return refuse_arguments(run, n, c);
    struct tval start = v->value;
    return eval_fields(run, n, &start, 1, c, out);
}

static int eval_chain(struct template_run *run, const struct node *n, const struct call *c, struct tval *out)
{
    struct tval start;
    int rc = eval_argument(run, c->dot, n->first, STR("any"), &start);
    return rc != 0 ? rc : eval_fields(run, n, &start, 0, c, out);
}

static int eval_function(struct template_run *run, const struct node *name, const struct node *node,
                         const struct call *c, struct tval *out)
{
    const struct template_function *f = name->function;
    if (f == NULL)
        f = set_function(run->set, name->text);
    if (f == NULL)
        return fail(run, ERR_EXEC, "\"%.*s\" is not a defined function", STR_ARG(name->text));
    return eval_call(run, f, NULL, node, c, out);
}

/* An operand that is not the first of its command: no arguments. */
static int eval_operand(struct template_run *run, const struct tval *dot, const struct node *n,
                        struct tval *out)
{
    struct call none = {.dot = dot};
    switch (n->kind) {
    case NODE_DOT:
        *out = *dot;
        return 0;
    case NODE_FIELD:
        return eval_fields(run, n, dot, 0, &none, out);
    case NODE_VARIABLE:
        return eval_variable(run, n, &none, out);
    case NODE_CHAIN:
        return eval_chain(run, n, &none, out);
    case NODE_IDENTIFIER:
        return eval_function(run, n, n, &none, out);
    case NODE_PIPE:
        return eval_pipeline(run, dot, n, out);
    default:
        *out = n->value;
        return 0;
    }
}

/* ---- pipelines ---- */

static int eval_command(struct template_run *run, const struct tval *dot, const struct node *command,
                        const struct tval *final, struct tval *out)
{
    const struct node *first = command->first;
    struct call c = {.dot = dot, .args = first->next, .final = final};
    int rc = first->kind == NODE_PIPE ? refuse_arguments(run, first, &c) : 0;
    rc = rc == 0 ? step(run, first) : rc;
    if (rc != 0)
        return rc;
    switch (first->kind) {
    case NODE_FIELD:
        return eval_fields(run, first, dot, 0, &c, out);
    case NODE_CHAIN:
        return eval_chain(run, first, &c, out);
    case NODE_VARIABLE:
        return eval_variable(run, first, &c, out);
    case NODE_IDENTIFIER:
        return eval_function(run, first, command, &c, out);
    default:
        break;
    }
    rc = refuse_arguments(run, first, &c);
    if (rc != 0)
        return rc;
    if (first->kind == NODE_NIL)
        return fail(run, ERR_EXEC, "nil is not a command");
    return eval_operand(run, dot, first, out);
}

static int bind_variables(struct template_run *run, const struct node *pipe, const struct tval *value)
{
    for (size_t i = 0; i < pipe->name_count; i++) {
        int rc = pipe->assigns ? assign_variable(run, pipe->names[i], value)
                               : push_variable(run, pipe->names[i], value);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int eval_commands(struct template_run *run, const struct tval *dot, const struct node *pipe,
                         struct tval *out)
{
    struct tval value;
    const struct tval *final = NULL;
    for (const struct node *c = pipe->first; c != NULL; c = c->next) {
        int rc = eval_command(run, dot, c, final, out);
        if (rc != 0)
            return rc;
        out->boxed = false;
        value = *out;
        final = &value;
    }
    return bind_variables(run, pipe, out);
}

static int eval_pipeline(struct template_run *run, const struct tval *dot, const struct node *pipe,
                         struct tval *out)
{
    int rc = step(run, pipe);
    rc = rc == 0 ? enter(run) : rc;
    rc = rc == 0 ? eval_commands(run, dot, pipe, out) : rc;
    leave(run);
    return rc;
}

/* ---- actions ---- */

static int walk(struct template_run *run, const struct tval *dot, const struct node *n);

static int check_output(struct template_run *run)
{
    int64_t most = limits.template_output_bytes;
    if (!buf_overflow(run->out) && run->out->used - run->out_start <= (uint64_t)most)
        return 0;
    return fail_limit(run, LIMIT_template_output_bytes, "output", most);
}

static int walk_list(struct template_run *run, const struct tval *dot, const struct node *list)
{
    if (list == NULL)
        return 0;
    int rc = enter(run);
    for (const struct node *n = list->first; n != NULL && rc == 0; n = n->next)
        rc = walk(run, dot, n);
    leave(run);
    return rc;
}

static int walk_action(struct template_run *run, const struct tval *dot, const struct node *n)
{
    struct tval value;
    int rc = eval_pipeline(run, dot, n->pipe, &value);
    if (rc != 0 || n->pipe->name_count > 0)
        return rc;
    run->at = n;
    if (value.kind == TVAL_NIL)
        buf_puts(run->out, "<no value>");
    else
        tval_print(run->out, &value);
    return check_output(run);
}

static int walk_if_or_with(struct template_run *run, const struct tval *dot, const struct node *n)
{
    size_t scope = run->var_count;
    struct tval value;
    int rc = eval_pipeline(run, dot, n->pipe, &value);
    if (rc == 0 && tval_truth(&value))
        rc = walk_list(run, n->kind == NODE_WITH ? &value : dot, n->body);
    else if (rc == 0)
        rc = walk_list(run, dot, n->other);
    run->var_count = scope;
    return rc;
}

static int bind_range(struct template_run *run, const struct node *pipe, const struct tval *key,
                      const struct tval *item)
{
    if (pipe->name_count == 0)
        return 0;
    size_t last = pipe->name_count - 1;
    if (!pipe->assigns) { /* eval_pipeline has just pushed them */
        run->vars[run->var_count - 1].value = *item;
        if (last > 0)
            run->vars[run->var_count - 2].value = *key;
        return 0;
    }
    int rc = last > 0 ? assign_variable(run, pipe->names[0], key) : 0;
    return rc != 0 ? rc : assign_variable(run, pipe->names[last], item);
}

/* 0 to go on, WALK_BREAK, or an error. */
static int walk_turn(struct template_run *run, const struct node *n, const struct tval *key,
                     const struct tval *item)
{
    size_t scope = run->var_count;
    run->at = n->pipe;
    int rc = bind_range(run, n->pipe, key, item);
    rc = rc == 0 ? step(run, n->pipe) : rc;
    rc = rc == 0 ? walk_list(run, item, n->body) : rc;
    run->var_count = scope;
    return rc == WALK_CONTINUE ? 0 : rc;
}

static int64_t range_count(const struct tval *v)
{
    switch (v->kind) {
    case TVAL_LIST:
        return (int64_t)v->list.count;
    case TVAL_MAP:
        return (int64_t)v->map.count;
    case TVAL_INT:
    case TVAL_DURATION:
        return v->integer;
    default:
        return 0;
    }
}

static void range_item(const struct tval *v, int64_t i, struct tval *key, struct tval *item)
{
    *key = tval_int(i);
    if (v->kind == TVAL_LIST) {
        *item = v->list.items[i];
        item->boxed = v->type == NULL;
    } else if (v->kind == TVAL_MAP) {
        *key = tval_text(v->map.fields[i].name);
        *item = *v->map.fields[i].value;
        item->boxed = v->map.zero != TVAL_TEXT;
    } else {
        *item = *v;
        item->integer = i;
    }
}

static int walk_turns(struct template_run *run, const struct tval *dot, const struct node *n,
                      const struct tval *over)
{
    int64_t count = range_count(over);
    for (int64_t i = 0; i < count; i++) {
        struct tval key, item;
        range_item(over, i, &key, &item);
        int rc = walk_turn(run, n, &key, &item);
        if (rc != 0)
            return rc == WALK_BREAK ? 0 : rc;
    }
    return count > 0 ? 0 : walk_list(run, dot, n->other);
}

static int walk_range(struct template_run *run, const struct tval *dot, const struct node *n)
{
    size_t scope = run->var_count;
    struct tval over;
    int rc = eval_pipeline(run, dot, n->pipe, &over);
    bool number = rc == 0 && (over.kind == TVAL_INT || over.kind == TVAL_DURATION);
    if (rc == 0 && number && n->pipe->name_count > 1)
        rc = fail_value(run, "can't use ", &over, " to iterate over more than one variable");
    else if (rc == 0 && !number && over.kind != TVAL_LIST && over.kind != TVAL_MAP && over.kind != TVAL_NIL)
        rc = fail_value(run, "range can't iterate over ", &over, "");
    else if (rc == 0)
        rc = walk_turns(run, dot, n, &over);
    run->var_count = scope;
    return rc;
}

/* A called template sees its dot as $ and nothing of the caller's variables. */
static int run_template(struct template_run *run, const struct definition *d, const struct tval *dot)
{
    struct str caller = run->executing;
    size_t scope = run->var_count, base = run->var_base;
    run->var_base = scope;
    run->executing = d->name;
    run->depth++;
    int rc = push_variable(run, STR("$"), dot);
    rc = rc == 0 ? walk_list(run, dot, d->root) : rc;
    run->depth--;
    run->executing = caller;
    run->var_base = base;
    run->var_count = scope;
    return rc;
}

static int walk_template(struct template_run *run, const struct tval *dot, const struct node *n)
{
    const struct definition *d = n->callee != NULL ? n->callee : set_find(run->set, n->text);
    if (d == NULL) {
        struct tval name = tval_text(n->text);
        struct buf quoted;
        scratch_begin(&quoted);
        print_format(&quoted, STR("%q"), &name, 1);
        int rc = fail(run, ERR_EXEC, "template %s not defined", buf_text(&quoted));
        buf_release(&quoted);
        return rc;
    }
    if (run->depth >= limits.template_depth)
        return fail_limit(run, LIMIT_template_depth, "depth", limits.template_depth);
    struct tval value = tval_nil();
    int rc = n->pipe != NULL ? eval_pipeline(run, dot, n->pipe, &value) : 0;
    return rc != 0 ? rc : run_template(run, d, &value);
}

static int walk(struct template_run *run, const struct tval *dot, const struct node *n)
{
    int rc = step(run, n);
    if (rc != 0)
        return rc;
    switch (n->kind) {
    case NODE_TEXT:
        buf_str(run->out, n->text);
        return check_output(run);
    case NODE_ACTION:
        return walk_action(run, dot, n);
    case NODE_IF:
    case NODE_WITH:
        return walk_if_or_with(run, dot, n);
    case NODE_RANGE:
        return walk_range(run, dot, n);
    case NODE_TEMPLATE:
        return walk_template(run, dot, n);
    case NODE_BREAK:
        return WALK_BREAK;
    case NODE_CONTINUE:
        return WALK_CONTINUE;
    default:
        return walk_list(run, dot, n);
    }
}

static int execute(const struct template_set *set, const struct definition *d, const struct tval *data,
                   void *context, struct buf *out, struct err *err)
{
    struct template_run run = {
        .set = set, .context = context, .out = out, .out_start = out->used, .at = d->root};
    run.executing = d->name;
    arena_init(&run.arena, (size_t)limits.template_arena_bytes);
    int rc = run_template(&run, d, data);
    if (rc != 0 && err != NULL)
        *err = run.err;
    arena_release(&run.arena);
    return rc;
}

int template_execute(const struct template_set *set, struct str name, const struct tval *data, void *context,
                     struct buf *out, struct err *err)
{
    const struct definition *d = set_find(set, name);
    if (d == NULL)
        return err_set(err, ERR_NOT_FOUND, "template: no template \"%.*s\" associated with template \"%.*s\"",
                       STR_ARG(name), STR_ARG(name));
    return execute(set, d, data, context, out, err);
}

int template_execute_html(const struct template_set *set, struct str name, const struct tval *data,
                          void *context, struct buf *out, struct err *err)
{
    const struct definition *d = set_find_html(set, name);
    if (d == NULL)
        return err_set(err, ERR_NOT_FOUND, "html/template: \"%.*s\" has not been escaped", STR_ARG(name));
    return execute(set, d, data, context, out, err);
}
