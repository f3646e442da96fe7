#include "zone_priv.h"

#include <stdlib.h>

/* A file has two parts of the same shape: one with times of four bytes, for programs of old, and one with eight. */
enum { HEADER_BYTES = 44, TYPE_BYTES = 6, LEAP_BYTES = 4, FILE_BYTES_MAX = 1 << 20 };

struct header {
    size_t utc_marks, standard_marks, leaps, changes, types, letters;
};

static uint64_t read_number(const char *p, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

static bool cut(struct str *rest, size_t bytes, struct str *piece)
{
    if (bytes > rest->n)
        return false;
    *piece = (struct str){rest->p, bytes};
    *rest = (struct str){rest->p + bytes, rest->n - bytes};
    return true;
}

static bool read_header(struct str *rest, struct header *h, char *version)
{
    struct str text;
    if (!cut(rest, HEADER_BYTES, &text) || !str_starts(text, STR("TZif")))
        return false;
    *version = text.p[4];
    size_t *const counts[] = {&h->utc_marks, &h->standard_marks, &h->leaps,
                              &h->changes,   &h->types,          &h->letters};
    for (size_t i = 0; i < 6; i++) {
        *counts[i] = read_number(text.p + 20 + 4 * i, 4);
        if (*counts[i] > FILE_BYTES_MAX)
            return false;
    }
    return h->types > 0 && h->types <= 256;
}

static size_t body_bytes(const struct header *h, size_t time_bytes)
{
    return h->changes * (time_bytes + 1) + h->types * TYPE_BYTES + h->letters +
           h->leaps * (time_bytes + LEAP_BYTES) + h->standard_marks + h->utc_marks;
}

static bool take_changes(struct arena *arena, const struct header *h, struct str times, struct str kinds,
                         size_t time_bytes, struct zone *zone)
{
    int64_t *changes = ARENA_ARRAY(arena, int64_t, h->changes);
    zone->kinds = arena_copy(arena, kinds.p, kinds.n, 1);
    zone->changes = changes;
    zone->change_count = h->changes;
    for (size_t i = 0; changes != NULL && i < h->changes; i++) {
        uint64_t bits = read_number(times.p + i * time_bytes, time_bytes);
        changes[i] = time_bytes == 4 ? (int32_t)(uint32_t)bits : (int64_t)bits;
        if ((unsigned char)kinds.p[i] >= h->types || (i > 0 && changes[i] < changes[i - 1]))
            return false;
    }
    return true;
}

static bool take_types(struct arena *arena, const struct header *h, struct str types, struct str letters,
                       struct zone *zone)
{
    struct zone_time *list = ARENA_ARRAY(arena, struct zone_time, h->types);
    zone->types = list;
    zone->type_count = h->types;
    for (size_t i = 0; list != NULL && i < h->types; i++) {
        const char *type = types.p + i * TYPE_BYTES;
        size_t name = (unsigned char)type[5];
        if (name > letters.n)
            return false;
        struct str text = {letters.p + name, letters.n - name};
        list[i].offset_s = (int32_t)(uint32_t)read_number(type, 4);
        list[i].name = str_copy(arena, (struct str){text.p, str_find_char(text, '\0')});
        if (abs(list[i].offset_s) > 26 * 3600)
            return false;
    }
    return true;
}

static bool read_body(struct arena *arena, struct str *rest, const struct header *h, size_t time_bytes,
                      struct zone *zone)
{
    struct str times, kinds, types, letters, marks;
    return cut(rest, h->changes * time_bytes, &times) && cut(rest, h->changes, &kinds) &&
           cut(rest, h->types * TYPE_BYTES, &types) && cut(rest, h->letters, &letters) &&
           cut(rest, h->leaps * (time_bytes + LEAP_BYTES) + h->standard_marks + h->utc_marks, &marks) &&
           take_changes(arena, h, times, kinds, time_bytes, zone) &&
           take_types(arena, h, types, letters, zone);
}

static bool read_footer(struct arena *arena, struct str rest, struct zone *zone)
{
    if (rest.n < 2 || rest.p[0] != '\n')
        return false;
    rest = (struct str){rest.p + 1, rest.n - 1};
    struct str rule = str_copy(arena, str_cut(&rest, '\n'));
    return rest.p != NULL && (rule.n == 0 || zone_rule_parse(rule, &zone->rule));
}

static bool read_file(struct arena *arena, struct str rest, struct zone *zone)
{
    struct header h;
    struct str old;
    char version;
    if (!read_header(&rest, &h, &version))
        return false;
    if (version == '\0')
        return read_body(arena, &rest, &h, 4, zone);
    return cut(&rest, body_bytes(&h, 4), &old) && read_header(&rest, &h, &version) &&
           read_body(arena, &rest, &h, 8, zone) && read_footer(arena, rest, zone);
}

int zone_parse(struct arena *arena, struct str file, const struct zone **out, struct err *err)
{
    struct zone *zone = ARENA_NEW(arena, struct zone);
    bool sound = zone != NULL && read_file(arena, file, zone);
    if (arena_exhausted(arena))
        return err_set(err, ERR_LIMIT, "a time zone does not fit its memory");
    if (!sound)
        return err_set(err, ERR_PARSE, "malformed time zone information");
    *out = zone;
    return 0;
}

static const struct zone *utc(void)
{
    static const struct zone_time type = {0, {"UTC", 3}};
    static const struct zone zone = {.types = &type, .type_count = 1};
    return &zone;
}

static int load_file(struct world *world, struct arena *arena, const char *path, struct str name,
                     const struct zone **out, struct err *err)
{
    struct buf file;
    buf_init(&file, FILE_BYTES_MAX);
    int rc = world->read_file(world, path, &file, NULL);
    if (rc == 0)
        rc = zone_parse(arena, buf_slice(&file), out, err);
    else
        rc = err_set(err, ERR_NOT_FOUND, "unknown time zone %.*s", STR_ARG(name));
    buf_release(&file);
    return rc;
}

/* As Go has it: no TZ means the system's zone, or UTC where there is none; an empty one UTC. */
static int load_local(struct world *world, struct arena *arena, const struct zone **out, struct err *err)
{
    const char *name = getenv("TZ");
    struct err why;
    if (name == NULL) {
        int rc = load_file(world, arena, "/etc/localtime", STR("Local"), out, &why);
        return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_set(err, rc, "%s", why.text);
    }
    struct str zone = str_of(name[0] == ':' ? name + 1 : name);
    if (str_starts(zone, STR("/")))
        return load_file(world, arena, zone.p, zone, out, err);
    return str_is(zone, "Local") ? 0 : zone_load(world, arena, zone, out, err);
}

/* A name is one of the system's folder, never a path out of it. */
static bool is_odd(struct str name)
{
    bool odd = name.p[0] == '/' || name.p[0] == '\\' || memchr(name.p, '\0', name.n) != NULL;
    for (size_t i = 0; i + 1 < name.n; i++)
        odd = odd || (name.p[i] == '.' && name.p[i + 1] == '.');
    return odd;
}

int zone_load(struct world *world, struct arena *arena, struct str name, const struct zone **out,
              struct err *err)
{
    *out = utc();
    if (name.n == 0 || str_is(name, "UTC"))
        return 0;
    if (str_is(name, "Local"))
        return load_local(world, arena, out, err);
    const char *path = is_odd(name) ? NULL : arena_format(arena, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    if (path == NULL)
        return err_set(err, ERR_NOT_FOUND, "unknown time zone %.*s", STR_ARG(name));
    return load_file(world, arena, path, name, out, err);
}

struct zone_time zone_at(const struct zone *zone, int64_t unix_s)
{
    size_t low = 0, high = zone->change_count; /* how many changes are not after unix_s */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle] <= unix_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->change_count && zone->rule.known)
        return zone_rule_at(&zone->rule, unix_s);
    return zone->types[low > 0 ? zone->kinds[low - 1] : 0];
}
