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


def series(labels, samples):
    """One TimeSeries of a WriteRequest. Labels are (name, value) in bytes, sorted; a sample is (ms, number or eight raw bytes)."""
    body = b''.join(field(1, 2, field(1, 2, n) + field(2, 2, v)) for n, v in labels)
    for t_ms, value in samples:
        raw = value if isinstance(value, bytes) else struct.pack('<d', value)
        body += field(2, 2, field(1, 1, raw) + field(2, 0, varint(t_ms)))
    return field(1, 2, body)
