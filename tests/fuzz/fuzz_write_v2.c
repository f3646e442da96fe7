/* Any bytes as the decompressed message of a 2.0 push, twice, against protobuf-c's understanding of them (write_help.h). */
#include "tocsin/wire.h"
#include "remote_v2.pb-c.h"
#include "write_help.h"

static size_t count_of(struct str message, uint32_t number)
{
    struct wire w = wire_of(message);
    struct wire_field f;
    size_t count = 0;
    while (wire_next(&w, &f) == WIRE_FIELD)
        count += f.number == number && f.type == WIRE_BYTES;
    return count;
}

/* Where a series brings metadata twice protobuf-c keeps what the first says and the second sets to 0; Go's decoder and ours
 * take the 0. */
static bool may_repeat_metadata(struct str message)
{
    enum { SERIES = 5, METADATA = 5 };
    struct wire w = wire_of(message);
    struct wire_field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == SERIES && f.type == WIRE_BYTES && count_of(f.bytes, METADATA) > 1)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct side ours, theirs;
    struct str message = {(const char *)data, size};
    if (oracle_may_err(message) || may_repeat_metadata(message))
        return 0;
    limits.series = 1000;
    open_side(&ours);
    open_side(&theirs);
    if (size % 2 == 0) {
        intake_name_types(ours.intake);
        intake_name_types(theirs.intake);
    }
    ProtobufCMessage *read = oracle_read(&theirs.arena, &write_v2__request__descriptor, message);
    struct str again = read != NULL ? oracle_write(&theirs.arena, read) : (struct str){0};
    for (int i = 0; i < 2; i++) {
        push_message(&ours, intake_push_v2, message);
        must(read != NULL || ours.answer.status == 400 || ours.answer.status == 413);
        must(read != NULL || ours.figures.series == 0);
        if (read == NULL)
            continue;
        push_message(&theirs, intake_push_v2, again);
        must_agree(&ours, &theirs);
    }
    close_side(&ours);
    close_side(&theirs);
    return 0;
}
