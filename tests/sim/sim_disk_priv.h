/*
 * sim_disk_priv: what the simulated disk is made of: contents (sim_disk_node.c) and names (sim_disk_names.c), both as they are and
 * as a power cut would leave them.
 */
#ifndef TOCSIN_TESTS_SIM_DISK_PRIV_H
#define TOCSIN_TESTS_SIM_DISK_PRIV_H

#include "tocsin/str.h"

#include <stdint.h>

enum { SIM_SECTOR_BYTES = 512 };

/* One seeded sequence of chances for one power cut. */
struct chance {
    uint64_t state;
    uint32_t keep_percent; /* of what was not synced */
    bool leftovers;        /* bytes that a length covers and nobody wrote hold what was there before */
};
struct chance chance_of(uint64_t seed);
uint64_t chance_below(struct chance *c, uint64_t bound); /* 0 .. bound - 1; bound > 0 */
bool chance_keeps(struct chance *c);

/* ---- content ---- */

/* What a sector held after one write that is not synced yet. */
struct sim_version {
    size_t sector;
    size_t file_bytes; /* the file's length then */
    bool lost;         /* a sync failed: no later one makes it safe */
    char bytes[SIM_SECTOR_BYTES];
};

struct sim_content {
    char *bytes;
    size_t used, capacity; /* behind `used` all is zero */
};

struct sim_node {
    struct sim_content now, safe;
    struct sim_version *versions; /* oldest first */
    size_t version_count, version_capacity;
    bool truncated; /* since the last sync */
    int open;       /* files */
};

struct sim_node *sim_node_new(void);
void sim_node_free(struct sim_node *node);
void sim_node_write(struct sim_node *node, size_t offset, struct str bytes);
void sim_node_truncate(struct sim_node *node);
void sim_node_sync(struct sim_node *node);
void sim_node_fail_sync(struct sim_node *node);
/* `other`: whose content leftovers come from; may be NULL. */
void sim_node_crash(struct sim_node *node, struct chance *chance, const struct sim_node *other);

/* ---- names ---- */

struct sim_entry {
    char *path;
    struct sim_node *node; /* NULL: a folder */
};

struct sim_names {
    struct sim_entry *entries;
    size_t count, capacity;
};

/* What has been done in a folder and is not synced. */
struct sim_change {
    char *from, *to; /* NULL: created; removed */
    struct sim_node *node;
};

struct sim_folders {
    struct sim_names now, safe;
    struct sim_change *changes; /* oldest first */
    size_t change_count, change_capacity;
};

void sim_folders_release(struct sim_folders *f);
struct sim_entry *sim_names_find(const struct sim_names *names, const char *path);
struct str sim_folder_of(const char *path);
bool sim_folders_have(const struct sim_folders *f, struct str folder);

/* Created (from NULL), removed (to NULL) or renamed. */
void sim_folders_change(struct sim_folders *f, const char *from, const char *to, struct sim_node *node);
void sim_folders_sync(struct sim_folders *f, const char *folder);
void sim_folders_crash(struct sim_folders *f, struct chance *chance);

/* Somebody could still find it, now or after a power cut. */
bool sim_folders_hold(const struct sim_folders *f, const struct sim_node *node);

#endif
