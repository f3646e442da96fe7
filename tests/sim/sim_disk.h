/*
 * sim_disk: a disk in memory that can lose power, fail and fill up, for tests of what must survive.
 *
 * It keeps apart what was synced and what was not. At a power cut each sector of 512 bytes that was written and not synced
 * holds any of its contents since the last sync, on its own: so writes are lost, reordered and torn. A length that was not
 * synced may be the old or the new one, before or after the bytes it covers; these then read as zeros, or as leftovers of
 * another file. What was created, renamed and removed in a folder and not synced is there or not, each on its own.
 *
 * A sync that fails leaves what it should have written to chance, and no later sync makes it safe. A write that fails has
 * written a part.
 *
 * Any number of threads may use it through one world or several. Names are taken as they are spelt; rename only within a
 * folder.
 *
 * Drawback: it knows sectors, not drives: a drive that lies about syncs, or hurts what lies beside a write, is not played.
 */
#ifndef TOCSIN_TESTS_SIM_DISK_H
#define TOCSIN_TESTS_SIM_DISK_H

#include "tocsin/world.h"

struct sim_disk;

/* Empty, but for the folders "." and "/". */
struct sim_disk *sim_disk_open(void);
void sim_disk_close(struct sim_disk *disk); /* no file of it is open */

/* Everything this world does with files goes to the disk from now on. */
void sim_disk_install(struct sim_disk *disk, struct world *world);

/* The power goes during the next call but `calls`: this one acts, as far as chance lets it, and fails; those after it only
 * fail. */
void sim_disk_cut(struct sim_disk *disk, uint64_t calls);

/* Decides what a power cut leaves, and lifts the cut and all faults. Files that are open can only be closed. */
void sim_disk_crash(struct sim_disk *disk, uint64_t seed);

/* Lifts the cut and all faults: a process was killed, the machine runs on. */
void sim_disk_heal(struct sim_disk *disk);

enum sim_disk_call {
    SIM_DISK_OPEN,
    SIM_DISK_READ,
    SIM_DISK_WRITE,
    SIM_DISK_SYNC, /* of a file or a folder */
    SIM_DISK_NAME, /* a folder is made, a file renamed or removed */
    SIM_DISK_CALLS
};

/* The nth call of this kind from now on (1: the next) fails with ERR_IO or ERR_FULL; lasting: all after it, too. */
void sim_disk_fail(struct sim_disk *disk, enum sim_disk_call call, uint64_t nth, int code, bool lasting);

/* How many there were since sim_disk_open. */
uint64_t sim_disk_calls(struct sim_disk *disk, enum sim_disk_call call);

/* From now on the files may hold so many bytes in all; without it there is no end. */
void sim_disk_limit(struct sim_disk *disk, uint64_t bytes);

#endif
