/*
 * What the encoders of 1.0 and 2.0 share: protobuf written from the end to the front, so that a message is there when its length is
 * due in front of it; a sample's and a histogram's message; and the two passes, the first of which only counts.
 */
#ifndef TOCSIN_ENCODE_PRIV_H
#define TOCSIN_ENCODE_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/sample.h"
#include "tocsin/str.h"

struct sink {
    uint8_t *end; /* bytes go in front of what is there; NULL: they are only counted */
    size_t bytes;
};

typedef void put_message(struct sink *s, const void *from);

void put_varint(struct sink *s, uint64_t v);
void put_tag(struct sink *s, uint32_t number, uint32_t type);
void put_bytes(struct sink *s, uint32_t number, const void *bytes, size_t n);
void put_nested(struct sink *s, uint32_t number, put_message *message, const void *from);

/* A struct sample each; the start timestamp, which 1.0 has no place for, in those of 2.0. */
void put_float_v1(struct sink *s, const void *from);
void put_float_v2(struct sink *s, const void *from);
void put_histogram_v1(struct sink *s, const void *from);
void put_histogram_v2(struct sink *s, const void *from);

/* The message, snappy-compressed, in the arena. 0, or ERR_LIMIT past its cap. */
int encode_message(struct arena *arena, put_message *message, const void *from, struct str *body);

#endif
