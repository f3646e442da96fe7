/*
 * world_priv: the disk, as both worlds read it.
 */
#ifndef TOCSIN_BASE_WORLD_PRIV_H
#define TOCSIN_BASE_WORLD_PRIV_H

#include "tocsin/world.h"

int disk_read_file(struct world *w, const char *path, struct buf *out, struct err *err);
int disk_write_file(struct world *w, const char *path, struct str content, struct err *err);
int disk_make_folder(struct world *w, const char *path, struct err *err);
int disk_glob(struct world *w, const char *pattern, void (*found)(void *context, const char *path),
              void *context, struct err *err);

#endif
