#include "sim_disk_priv.h"
#include "tocsin/mem.h"

/* ---- chance ---- */

/* splitmix64 */
static uint64_t next_bits(struct chance *c)
{
    uint64_t z = c->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t chance_below(struct chance *c, uint64_t bound)
{
    return next_bits(c) % bound;
}

bool chance_keeps(struct chance *c)
{
    return chance_below(c, 100) < c->keep_percent;
}

/* All or nothing are as likely as any mixture: both are what disks do most of the time. */
struct chance chance_of(uint64_t seed)
{
    static const uint32_t PERCENT[] = {0, 10, 50, 90, 100};
    struct chance c = {.state = seed};
    c.keep_percent = PERCENT[chance_below(&c, 5)];
    c.leftovers = chance_below(&c, 4) == 0;
    return c;
}

/* ---- content ---- */

static void set_length(struct sim_content *c, size_t bytes)
{
    if (bytes > c->capacity) {
        size_t grown = c->capacity * 2 > bytes ? c->capacity * 2 : bytes;
        c->bytes = mem_resize(c->bytes, grown, 1);
        memset(c->bytes + c->capacity, 0, grown - c->capacity);
        c->capacity = grown;
    }
    if (bytes < c->used)
        memset(c->bytes + bytes, 0, c->used - bytes);
    c->used = bytes;
}

/* As much of the sector as lies within the length. */
static void put_sector(struct sim_content *c, size_t sector, const char *bytes)
{
    size_t at = sector * SIM_SECTOR_BYTES;
    if (at < c->used)
        memcpy(c->bytes + at, bytes, c->used - at < SIM_SECTOR_BYTES ? c->used - at : SIM_SECTOR_BYTES);
}

struct sim_node *sim_node_new(void)
{
    return MEM_NEW(struct sim_node);
}

void sim_node_free(struct sim_node *node)
{
    mem_free(node->now.bytes);
    mem_free(node->safe.bytes);
    mem_free(node->versions);
    mem_free(node);
}

static void note_version(struct sim_node *node, size_t sector)
{
    MEM_GROW(node->versions, node->version_count, node->version_capacity);
    struct sim_version *v = &node->versions[node->version_count++];
    size_t at = sector * SIM_SECTOR_BYTES, left = node->now.used - at;
    *v = (struct sim_version){.sector = sector, .file_bytes = node->now.used};
    memcpy(v->bytes, node->now.bytes + at, left < SIM_SECTOR_BYTES ? left : SIM_SECTOR_BYTES);
}

void sim_node_write(struct sim_node *node, size_t offset, struct str bytes)
{
    if (bytes.n == 0)
        return;
    size_t end = offset + bytes.n;
    if (end > node->now.used)
        set_length(&node->now, end);
    memcpy(node->now.bytes + offset, bytes.p, bytes.n);
    for (size_t sector = offset / SIM_SECTOR_BYTES; sector <= (end - 1) / SIM_SECTOR_BYTES; sector++)
        note_version(node, sector);
}

void sim_node_truncate(struct sim_node *node)
{
    node->truncated = node->now.used > 0;
    set_length(&node->now, 0);
}

static void forget_versions(struct sim_node *node)
{
    mem_free(node->versions);
    node->versions = NULL;
    node->version_count = node->version_capacity = 0;
    node->truncated = false;
}

void sim_node_sync(struct sim_node *node)
{
    set_length(&node->safe, node->now.used);
    if (node->truncated && node->now.used > 0)
        memcpy(node->safe.bytes, node->now.bytes, node->now.used);
    for (size_t i = 0; i < node->version_count && !node->truncated; i++)
        if (!node->versions[i].lost)
            put_sector(&node->safe, node->versions[i].sector, node->versions[i].bytes);
    forget_versions(node);
}

void sim_node_fail_sync(struct sim_node *node)
{
    for (size_t i = 0; i < node->version_count; i++)
        node->versions[i].lost = true;
}

/* ---- the power cut ---- */

static size_t choose_length(const struct sim_node *node, struct chance *chance)
{
    if (!chance_keeps(chance))
        return node->safe.used;
    if (node->version_count == 0 || chance_below(chance, 2) == 0)
        return node->now.used;
    return node->versions[chance_below(chance, node->version_count)].file_bytes;
}

static void fill_leftovers(struct sim_content *c, size_t from, const struct sim_content *other)
{
    size_t to = c->used < other->used ? c->used : other->used;
    if (from < to)
        memcpy(c->bytes + from, other->bytes + from, to - from);
}

void sim_node_crash(struct sim_node *node, struct chance *chance, const struct sim_node *other)
{
    size_t safe = node->safe.used, length = choose_length(node, chance);
    set_length(&node->safe, length);
    if (chance->leftovers && other != NULL)
        fill_leftovers(&node->safe, safe, &other->safe);
    for (size_t i = 0; i < node->version_count; i++)
        if (chance_keeps(chance))
            put_sector(&node->safe, node->versions[i].sector, node->versions[i].bytes);
    forget_versions(node);
    set_length(&node->now, 0);
    set_length(&node->now, length);
    if (length > 0)
        memcpy(node->now.bytes, node->safe.bytes, length);
}
