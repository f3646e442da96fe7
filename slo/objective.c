/* Objectives of files of all kinds: who reads which document, and that no two are called the same. */
#include "slo_priv.h"

#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/rulefile.h"

enum { PATH_MAX_BYTES = 1 << 16, MINUTE_MS = 60 * 1000 };
static const int64_t month_ms = INT64_C(30) * 24 * 60 * MINUTE_MS;

struct objective_set *objective_set_new(void)
{
    struct objective_set *set = MEM_NEW(struct objective_set);
    arena_init(&set->arena, (size_t)limits.generation_arena_bytes);
    set->world = world_real();
    return set;
}

void objective_set_free(struct objective_set *set)
{
    if (set == NULL)
        return;
    arena_release(&set->arena);
    mem_free(set);
}

/* ---- for readers ---- */

struct objective *objective_add(struct objective_set *set, struct str file)
{
    struct objective *items = set->items;
    size_t capacity = set->capacity;
    ARENA_GROW(&set->arena, items, set->count, capacity);
    if (items == NULL)
        return NULL;
    set->items = items;
    set->capacity = capacity;
    struct objective *o = &items[set->count++];
    *o = (struct objective){
        .file = file,
        .period = {.unit = PERIOD_ROLLING, .length_ms = month_ms, .count = 1},
        .slice_ms = MINUTE_MS,
        .alert_name = STR("ErrorBudgetBurn"),
        .watch = {.no_data_severity = STR("ticket")},
    };
    return o;
}

void objective_name(struct arena *arena, struct objective *o, struct str service, struct str name)
{
    o->service = service;
    o->name = name;
    o->id = str_of(arena_format(arena, "%.*s-%.*s", STR_ARG(service), STR_ARG(name)));
}

int objective_percent(struct str text, struct fraction *out, struct err *err)
{
    struct fraction percent;
    int rc = fraction_parse(text, &percent, err);
    if (rc == 0 && fraction_multiply(percent, (struct fraction){1, 100}, out) != 0)
        rc = err_set(err, ERR_PARSE, "\"%.*s\" has too many digits", STR_ARG(text));
    return rc;
}

/* ---- errors ---- */

static void tell_line(struct buf *errors, struct str file, int line, struct str what)
{
    buf_str(errors, file);
    if (line > 0)
        buf_format(errors, ":%d", line);
    buf_puts(errors, ": ");
    buf_str(errors, what);
    buf_char(errors, '\n');
}

/* "line 3: field x ...", one of several that strict.h tells at once. */
static void tell_problem(struct buf *errors, struct str file, struct str problem)
{
    long long line = 0;
    struct str rest = problem;
    struct str head = str_cut(&rest, ':');
    if (rest.p != NULL && str_starts(head, STR("line ")) &&
        str_to_i64((struct str){head.p + 5, head.n - 5}, &line))
        tell_line(errors, file, (int)line, str_trim(rest));
    else
        tell_line(errors, file, 0, problem);
}

static void tell(struct buf *errors, struct str file, const struct err *err)
{
    static const char heading[] = "yaml: unmarshal errors:\n";
    struct str text = str_of(err->text);
    if (!str_starts(text, str_of(heading))) {
        tell_line(errors, file, err->line, text);
        return;
    }
    str_cut(&text, '\n');
    while (text.p != NULL)
        tell_problem(errors, file, str_trim(str_cut(&text, '\n')));
}

/* ---- one file ---- */

struct form {
    const char *key, *value; /* what a document of this form begins with */
    const char *kind;        /* NULL: none is told */
    objective_read *read;
};

static const struct form forms[] = {
    {"version", "tocsin/v1", NULL, objective_read_own},
    {"version", "prometheus/v1", NULL, objective_read_sloth},
    {"apiVersion", "sloth.slok.dev/v1", "PrometheusServiceLevel", objective_read_sloth},
    {"apiVersion", "pyrra.dev/v1alpha1", "ServiceLevelObjective", objective_read_pyrra},
};

static const struct form *form_of(const struct tree *root)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const struct form *form = &forms[i];
        if (str_is(tree_get_text(root, form->key), form->value) &&
            (form->kind == NULL || str_is(tree_get_text(root, "kind"), form->kind)))
            return form;
    }
    return NULL;
}

bool objective_is_openslo(const struct tree *root)
{
    return str_is(tree_get_text(root, "apiVersion"), "openslo/v1");
}

struct reading {
    struct objective_set *set;
    struct str file;
    struct tree_documents roots;
    bool openslo_read;
    struct buf *errors;
    int result; /* the first that went wrong */
};

static void note(struct reading *r, int code, const struct err *err)
{
    if (code == 0)
        return;
    tell(r->errors, r->file, err);
    r->result = r->result == 0 ? code : r->result;
}

static int refuse(const struct tree *root, struct err *err)
{
    struct str version = tree_get_text(root, "apiVersion");
    if (str_starts(version, STR("openslo")))
        return err_at(err, ERR_UNSUPPORTED, root->line, root->column,
                      "OpenSLO's version %.*s is not supported: only openslo/v1 is", STR_ARG(version));
    return err_at(
        err, ERR_PARSE, root->line, root->column,
        "no objectives of a known form: there must be `version: tocsin/v1`, `version: prometheus/v1` "
        "(Sloth's), `apiVersion: openslo/v1`, or the apiVersion and kind of Sloth's "
        "PrometheusServiceLevel or Pyrra's ServiceLevelObjective");
}

static int read_openslo(struct reading *r, struct err *err)
{
    if (r->openslo_read)
        return 0;
    r->openslo_read = true;
    return objective_read_openslo(r->set, &r->roots, r->file, err);
}

static void read_document(struct reading *r, const struct tree *root)
{
    struct err err = {0};
    const struct form *form = form_of(root);
    int rc;
    if (objective_is_openslo(root))
        rc = read_openslo(r, &err);
    else if (form == NULL)
        rc = refuse(root, &err);
    else
        rc = form->read(r->set, root, r->file, &err);
    note(r, rc, &err);
}

static void read_text(struct reading *r, struct str text)
{
    struct err err = {0};
    struct str kept = str_copy(&r->set->arena, text);
    if (kept.p == NULL)
        return;
    int rc = yaml_parse_documents(&r->set->arena, kept, true, &r->roots, &err);
    if (rc == 0 && r->roots.count == 0)
        rc = err_set(&err, ERR_PARSE, "the file is empty");
    note(r, rc, &err);
    for (size_t i = 0; i < r->roots.count && rc == 0; i++)
        read_document(r, r->roots.items[i]);
}

/* ---- ids ---- */

static bool has_id(const void *item, const void *id)
{
    return str_eq(((const struct objective *)item)->id, *(const struct str *)id);
}

static void check_id(struct reading *r, struct map *seen, struct objective *o, bool is_new)
{
    struct err err;
    uint64_t hash = hash_bytes(o->id.p, o->id.n);
    const struct objective *first = map_find(seen, hash, has_id, &o->id);
    if (first == NULL)
        map_add(seen, hash, o);
    else if (is_new)
        note(r,
             err_at(&err, ERR_PARSE, o->line, 0,
                    "the objective %.*s is there twice; the first one is at %.*s:%d: name one differently",
                    STR_ARG(o->id), STR_ARG(first->file), first->line),
             &err);
}

static void check_ids(struct reading *r, size_t before)
{
    struct map seen;
    map_init(&seen);
    for (size_t i = 0; i < r->set->count; i++)
        check_id(r, &seen, &r->set->items[i], i >= before);
    map_release(&seen);
}

int objective_file_parse(struct objective_set *set, struct str file, struct str text, struct buf *errors)
{
    size_t before = set->count;
    struct reading r = {.set = set, .file = str_copy(&set->arena, file), .errors = errors};
    struct err err;
    read_text(&r, text);
    if (r.result == 0 && arena_exhausted(&set->arena))
        note(&r, err_set(&err, ERR_LIMIT, "the files take more memory than generation_arena_bytes allows"),
             &err);
    if (r.result == 0)
        check_ids(&r, before);
    if (r.result == 0)
        set->file_count++;
    else
        set->count = before;
    return r.result;
}

/* ---- many files ---- */

struct loading {
    struct world *world;
    struct objective_set *set;
    struct buf *errors;
    struct buf text;
    struct map seen; /* paths; nothing is read twice that two patterns match */
    int result;
};

static bool is_path(const void *item, const void *path)
{
    return strcmp(item, path) == 0;
}

static bool seen_before(struct loading *l, const char *path)
{
    uint64_t hash = hash_bytes(path, strlen(path));
    if (map_find(&l->seen, hash, is_path, path) != NULL)
        return true;
    char *kept = arena_copy_text(&l->set->arena, path, strlen(path));
    if (kept != NULL)
        map_add(&l->seen, hash, kept);
    return false;
}

static void load_file(void *context, const char *path)
{
    struct loading *l = context;
    struct err err;
    if (seen_before(l, path))
        return;
    buf_clear(&l->text);
    int code = l->world->read_file(l->world, path, &l->text, &err);
    if (code != 0)
        tell_line(l->errors, str_of(path), 0, str_of(err.text));
    else
        code = objective_file_parse(l->set, str_of(path), buf_slice(&l->text), l->errors);
    if (code != 0)
        l->result = code;
}

static void load_pattern(struct loading *l, struct str folder, struct str pattern)
{
    struct err err;
    struct buf path;
    buf_init(&path, PATH_MAX_BYTES);
    rule_path_join(&path, folder, pattern);
    int code = l->world->glob(l->world, buf_text(&path), load_file, l, &err);
    if (code != 0 && code != ERR_NOT_FOUND) {
        tell_line(l->errors, pattern, 0, str_of(err.text));
        l->result = code;
    }
    buf_release(&path);
}

int objective_set_load(struct world *world, struct str folder, const struct str *patterns, size_t count,
                       struct objective_set **out, struct buf *errors)
{
    struct loading l = {.world = world, .set = objective_set_new(), .errors = errors};
    l.set->world = world;
    buf_init(&l.text, (size_t)limits.yaml_bytes);
    map_init(&l.seen);
    for (size_t i = 0; i < count; i++)
        load_pattern(&l, folder, patterns[i]);
    map_release(&l.seen);
    buf_release(&l.text);
    *out = l.set;
    if (l.result != 0) {
        objective_set_free(l.set);
        *out = NULL;
    }
    return l.result;
}
