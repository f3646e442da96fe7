/*
 * json_priv: JSON objects written field by field, as Go's encoding/json does.
 *
 * Commas are put by themselves: one is due unless the last byte opened an object or list or was a key's colon. `_some` leaves out what is
 * empty.
 */
#ifndef TOCSIN_NOTIFY_JSON_PRIV_H
#define TOCSIN_NOTIFY_JSON_PRIV_H

#include "tocsin/buf.h"

/* The key and its colon, or, with NULL, just the comma that is due: an item of a list comes next. */
void json_key(struct buf *out, const char *key);

/* { or [ under a key (NULL: as an item), and its end. */
void json_open(struct buf *out, const char *key, char bracket);
void json_close(struct buf *out, char bracket);

void json_text(struct buf *out, const char *key, struct str value);
void json_text_some(struct buf *out, const char *key, struct str value);
void json_bool(struct buf *out, const char *key, bool value);
void json_texts(struct buf *out, const char *key, const struct str *items, size_t count);

#endif
