/* The labels of a series as the store is to have them, with type and unit where they are wanted (Prometheus 3.14). */
#include "push_priv.h"
#include "tocsin/extras.h"
#include "tocsin/hash.h"

enum { TYPE_AND_UNIT = 2 };

/* What Prometheus does not know is of no type. */
static enum metadata_type type_of(const struct pushed *s)
{
    return s->metadata_type < METADATA_TYPE_COUNT ? (enum metadata_type)s->metadata_type : METADATA_UNKNOWN;
}

/* Whether the reference leads anywhere is checked later. */
static const struct symbol *unit_of(const struct push *p, const struct pushed *s)
{
    static const struct symbol none;
    return s->unit_ref < p->symbol_count ? &p->symbols[s->unit_ref] : &none;
}

bool push_names_type(const struct push *p, const struct pushed *s)
{
    return p->names_types && p->v2 && (type_of(s) != METADATA_UNKNOWN || unit_of(p, s)->text.n > 0);
}

struct spelling push_spelling_of_type(const struct push *p, const struct pushed *s, struct spelling plain)
{
    const struct symbol *unit = unit_of(p, s);
    const uint64_t parts[] = {plain.a, plain.b, (uint64_t)type_of(s), unit->hash[0], unit->hash[1]};
    struct hash128 hash = hash_wide(parts, sizeof parts);
    return (struct spelling){hash.low, hash.high};
}

static bool is_type_or_unit(struct str name)
{
    return str_is(name, LABEL_METRIC_TYPE) || str_is(name, LABEL_METRIC_UNIT);
}

/* In the place of what the sender wrote there. */
static void name_type(const struct push *p, const struct pushed *s, struct labels *ls)
{
    size_t kept = 0;
    for (size_t i = 0; i < ls->count; i++)
        if (!is_type_or_unit(ls->item[i].name))
            ls->item[kept++] = ls->item[i];
    if (type_of(s) != METADATA_UNKNOWN)
        ls->item[kept++] = (struct label){STR(LABEL_METRIC_TYPE), str_of(metadata_type_text(type_of(s)))};
    if (unit_of(p, s)->text.n > 0)
        ls->item[kept++] = (struct label){STR(LABEL_METRIC_UNIT), unit_of(p, s)->text};
    ls->count = kept;
}

int push_spell(struct push *p, const struct pushed *s, struct labels **out, struct err *err)
{
    size_t count = p->v2 ? s->label_count / 2 : s->label_count;
    struct labels *ls = arena_alloc(&p->arena, sizeof *ls + (count + TYPE_AND_UNIT) * sizeof *ls->item);
    if (ls == NULL)
        return err_set(err, ERR_LIMIT, "no memory");
    ls->count = count;
    *out = ls;
    int rc = 0;
    if (p->v2)
        rc = spell_v2(p, s, ls->item, err);
    else
        spell_v1(s, ls->item);
    if (rc == 0 && push_names_type(p, s))
        name_type(p, s, ls);
    return rc;
}
