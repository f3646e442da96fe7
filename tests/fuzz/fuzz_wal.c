/* A log of three segments that is cut, flipped, moved and removed as the input says, or a file of any bytes in its folder:
 * reading gives records that were put, in order, and a new log goes on behind it. */
#include "../../engine/store/wal_priv.h"
#include "../sim/sim_disk.h"
#include "tocsin/check.h"
#include "tocsin/limits.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS = 30 };

static void make_record(struct buf *out, int number)
{
    buf_clear(out);
    buf_format(out, "%d:", number);
    buf_repeat(out, (char)('a' + number), (size_t)(number * number));
}

static void put_records(struct wal *wal, int from, int to)
{
    struct buf record;
    buf_init(&record, 4096);
    for (int i = from; i < to; i++) {
        make_record(&record, i);
        must(wal_put(wal, buf_slice(&record)) > 0);
        must(i % 4 != 0 || wal_commit(wal, 0, NULL) == 0);
    }
    buf_release(&record);
}

static const char *path_of(uint8_t number)
{
    static char path[2][32];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "d/wal/%08d", 1 + number % 8);
    return path[turn];
}

/* Hurts a file as three bytes say. */
static void hurt(struct world *w, const uint8_t *how)
{
    struct buf file;
    const char *path = path_of(how[0]);
    buf_init(&file, 1 << 20);
    if (how[0] >> 3 == 0) {
        w->remove_file(w, path, NULL);
    } else if (how[0] >> 3 == 1) {
        w->rename_file(w, path, path_of(how[1]), NULL);
    } else if (w->read_file(w, path, &file, NULL) == 0 && file.used > 0) {
        size_t at = (size_t)(how[0] >> 3 & 7) * 256 + how[1];
        if (how[0] >> 7 == 0)
            buf_truncate(&file, at);
        else if (at < file.used)
            file.bytes[at] = (char)(file.bytes[at] ^ how[2]);
        w->write_file(w, path, buf_slice(&file), NULL);
    }
    buf_release(&file);
}

static int found_record(void *context, struct str record)
{
    int *next = context;
    struct buf expected;
    int number = atoi(record.p);
    must(number >= 0 && number <= RECORDS && number >= *next);
    *next = number + 1;
    buf_init(&expected, 4096);
    make_record(&expected, number);
    must(str_eq(record, buf_slice(&expected)));
    buf_release(&expected);
    return 0;
}

static void found_damage(void *context, uint32_t segment, uint64_t offset, uint64_t bytes, bool torn,
                         const char *why)
{
    (void)context;
    must(segment > 0 && offset < 1 << 20 && bytes < 1 << 20 && (!torn || bytes > 0) && why[0] != '\0');
}

/* The number behind the last. */
static uint32_t read_log(struct world *w, int *next)
{
    struct wal_range range;
    struct wal_visit visit = {next, found_record, found_damage};
    *next = 0;
    must(wal_list(w, "d", 1, &range, NULL) == 0 && wal_read(w, "d", &range, &visit, NULL) == 0);
    return range.last + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world_sim sim;
    struct world *w = &sim.world;
    struct wal *wal;
    int seen;
    struct sim_disk *disk = sim_disk_open();
    limits.wal_segment_bytes = 3000;
    world_sim_init(&sim, 0, 1);
    sim_disk_install(disk, w);
    w->make_folder(w, "d", NULL);
    must(wal_open(w, "d", STORE_SYNC_GROUP, 1, &wal, NULL) == 0);
    put_records(wal, 0, RECORDS);
    wal_close(wal);
    if (size > 0 && data[0] == 'r')
        must(w->write_file(w, path_of(data[0]), (struct str){(const char *)data + 1, size - 1}, NULL) == 0);
    for (size_t i = 0; size > 0 && data[0] != 'r' && i + 2 < size && i < 90; i += 3)
        hurt(w, data + i);
    uint32_t next = read_log(w, &seen);
    must(wal_open(w, "d", STORE_SYNC_GROUP, next, &wal, NULL) == 0);
    put_records(wal, RECORDS, RECORDS + 1);
    wal_close(wal);
    read_log(w, &seen);
    must(seen == RECORDS + 1);
    sim_disk_close(disk);
    return 0;
}
