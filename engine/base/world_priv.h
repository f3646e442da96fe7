/*
 * world_priv: the real disk, as both worlds use it.
 */
#ifndef TOCSIN_BASE_WORLD_PRIV_H
#define TOCSIN_BASE_WORLD_PRIV_H

#include "tocsin/world.h"

/* world_disk.c: whole files and folders */
int disk_read_file(struct world *w, const char *path, struct buf *out, struct err *err);
int disk_write_file(struct world *w, const char *path, struct str content, struct err *err);
int disk_make_folder(struct world *w, const char *path, struct err *err);
int disk_sync_folder(struct world *w, const char *path, struct err *err);
int disk_glob(struct world *w, const char *pattern, void (*found)(void *context, const char *path),
              void *context, struct err *err);

/* Words what errno says about a path; returns the code it means. */
int disk_refuse(struct err *err, const char *verb, const char *path, int number);

/* Refuses what is not a file whose reading comes to an end. */
int disk_check_kind(int fd, const char *path, struct err *err);

/* world_file.c: one open file, and names */
int disk_file_open(struct world *w, const char *path, enum file_mode mode, struct file **out,
                   struct err *err);
int disk_file_read(struct world *w, struct file *file, int64_t offset, void *to, size_t bytes, size_t *got,
                   struct err *err);
int disk_file_write(struct world *w, struct file *file, int64_t offset, struct str bytes, struct err *err);
int disk_file_sync(struct world *w, struct file *file, struct err *err);
int disk_file_size(struct world *w, struct file *file, int64_t *bytes, struct err *err);
void disk_file_close(struct world *w, struct file *file);
int disk_rename_file(struct world *w, const char *from, const char *to, struct err *err);
int disk_remove_file(struct world *w, const char *path, struct err *err);

/* world_dns.c: server: NULL: those of resolv.conf */
struct sockaddr_in;
int dns_ask(const struct sockaddr_in *server, const char *name, int type, struct buf *answer,
            struct err *err);
int world_resolve(struct world *w, const char *name, int type, struct buf *answer, struct err *err);

#endif
