/*
 * Any bytes as the decompressed message of a 1.0 push, against protobuf-c's understanding of them (write_help.h). Pushed again,
 * our side finds its series by their spelling; the other side spells them differently and looks at their labels again. What the
 * store then shows is encoded and pushed into a third store, which must accept it all.
 */
#include "remote_v1.pb-c.h"
#include "write_help.h"

static void round_trip(struct side *from)
{
    struct side to;
    open_side(&to);
    push_body(&to, intake_push, encode_all(from));
    must(to.answer.status == 204);
    must(to.figures.series == from->figures.series && to.figures.samples == from->figures.samples);
    close_side(&to);
}

/* The same labels in other bytes: each with a field that nobody knows. */
static void spell_differently(Prometheus__WriteRequest *request)
{
    static ProtobufCMessageUnknownField unknown = {9, PROTOBUF_C_WIRE_TYPE_VARINT, 1, (uint8_t *)"\x01"};
    for (size_t i = 0; i < request->n_timeseries; i++)
        for (size_t k = 0; k < request->timeseries[i]->n_labels; k++) {
            request->timeseries[i]->labels[k]->base.n_unknown_fields = 1;
            request->timeseries[i]->labels[k]->base.unknown_fields = &unknown;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct side ours, theirs;
    struct str message = {(const char *)data, size};
    if (oracle_may_err(message))
        return 0;
    limits.series = 1000;
    open_side(&ours);
    open_side(&theirs);
    push_message(&ours, intake_push, message);
    ProtobufCMessage *read = oracle_read(&theirs.arena, &prometheus__write_request__descriptor, message);
    must(read != NULL || ours.answer.status == 400 || ours.answer.status == 413);
    must(read != NULL || ours.figures.series == 0);
    if (read != NULL) {
        push_message(&theirs, intake_push, oracle_write(&theirs.arena, read));
        must_agree(&ours, &theirs);
        spell_differently((Prometheus__WriteRequest *)read);
        push_message(&ours, intake_push, message);
        push_message(&theirs, intake_push, oracle_write(&theirs.arena, read));
        must_agree(&ours, &theirs);
    }
    if (ours.figures.series > 0)
        round_trip(&ours);
    close_side(&ours);
    close_side(&theirs);
    return 0;
}
