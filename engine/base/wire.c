#include "tocsin/wire.h"

enum wire_step wire_next_any(struct wire *w, struct wire_field *f)
{
    uint64_t tag;
    if (w->at == w->end)
        return WIRE_END;
    if (!wire_varint_upto(w, WIRE_HEAD_BYTES, &tag))
        return WIRE_CORRUPT;
    f->number = (uint32_t)(tag >> 3);
    if (f->number == 0)
        return WIRE_CORRUPT;
    f->type = (enum wire_type)(tag & 7);
    f->value = 0;
    bool sound = false;
    switch (f->type) {
    case WIRE_VARINT:
        sound = wire_varint(w, &f->value);
        break;
    case WIRE_64:
        sound = wire_fixed(w, &f->value, 8);
        break;
    case WIRE_BYTES:
        sound = wire_bytes(w, &f->bytes);
        break;
    case WIRE_32:
        sound = wire_fixed(w, &f->value, 4);
        break;
    }
    return sound ? WIRE_FIELD : WIRE_CORRUPT;
}
