/* Alertmanager's files: any bytes are read without harm, within the memory that their length allows, and protobuf-c takes what we take. */
#include "../../engine/route/am_snapshot_priv.h"

#include "tocsin/check.h"
#include "tocsin/log.h"
#include "tocsin/wire.h"

#include "am_snapshot.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Messages that say what they must; a text may hold a NUL, which protobuf-c cuts it at, so only whether there is one is compared. */
static size_t count_with_oracle(struct str bytes, bool silences)
{
    struct wire w = wire_of(bytes);
    struct str message;
    size_t count = 0;
    while (w.at < w.end) {
        must(wire_bytes(&w, &message));
        const ProtobufCMessageDescriptor *what =
            silences ? &am_snapshot__mesh_silence__descriptor : &am_snapshot__mesh_entry__descriptor;
        ProtobufCMessage *read = protobuf_c_message_unpack(what, NULL, message.n, (const uint8_t *)message.p);
        must(read != NULL);
        protobuf_c_message_free_unpacked(read, NULL);
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct arena arena;
    struct nflog_entry *entries;
    struct silence_row *rows;
    size_t count, refused;
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, 2);
    arena_init(&arena, am_snapshot_arena_bytes(bytes));
    if (am_snapshot_nflog(&arena, bytes, &entries, &count, NULL) == 0) {
        must(count <= count_with_oracle(bytes, false));
        for (size_t i = 0; i < count; i++)
            must(entries[i].key.n > 0 && entries[i].sent_ns > 0);
    }
    arena_clear(&arena);
    if (am_snapshot_silences(&arena, bytes, &rows, &count, &refused, NULL) == 0) {
        must(count + refused == count_with_oracle(bytes, true));
        for (size_t i = 0; i < count; i++)
            must(rows[i].matcher_count > 0 && rows[i].annotations != NULL);
    }
    arena_release(&arena);
    return 0;
}
