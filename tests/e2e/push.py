"""A remote-write 1.0 push, as bytes: protobuf and snappy by hand, so that nothing but Python is needed."""
import struct

STALE = bytes.fromhex('020000000000f07f')
HEADERS = {'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy'}


def varint(n):
    out = bytearray()
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, wire, payload):
    return varint(number << 3 | wire) + (varint(len(payload)) + payload if wire == 2 else payload)


def literal_snappy(raw):
    """The bytes as one snappy block without compression."""
    out = bytearray(varint(len(raw)))
    for at in range(0, len(raw), 60):
        piece = raw[at:at + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    return bytes(out)


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def native(t_ms, schema, total, zero, offset, counts):
    """A native histogram of whole counts: `counts` of the positive buckets from index `offset` on, in one span."""
    deltas = b''.join(zigzag(b - a) for a, b in zip([0, *counts], counts))
    return field(1, 0, varint(sum(counts) + zero)) + field(3, 1, struct.pack('<d', total)) + field(4, 0, zigzag(schema)) + \
        field(5, 1, struct.pack('<d', 0.001)) + field(6, 0, varint(zero)) + \
        field(11, 2, field(1, 0, zigzag(offset)) + field(2, 0, varint(len(counts)))) + field(12, 2, deltas) + field(15, 0, varint(t_ms))


def label_fields(labels):
    return b''.join(field(1, 2, field(1, 2, n) + field(2, 2, v)) for n, v in labels)


def exemplar(labels, value, t_ms):
    return label_fields(labels) + field(2, 1, struct.pack('<d', value)) + field(3, 0, varint(t_ms))


def series(labels, samples, exemplars=()):
    """One TimeSeries of a WriteRequest. Labels are (name, value) in bytes, sorted; a sample is (ms, number, eight raw bytes, or the
    arguments of native() after the time); an exemplar is what exemplar() takes."""
    body = label_fields(labels)
    for t_ms, value in samples:
        if isinstance(value, tuple):
            body += field(4, 2, native(t_ms, *value))
            continue
        raw = value if isinstance(value, bytes) else struct.pack('<d', value)
        body += field(2, 2, field(1, 1, raw) + field(2, 0, varint(t_ms)))
    return field(1, 2, body + b''.join(field(3, 2, exemplar(*e)) for e in exemplars))
