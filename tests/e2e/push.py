"""Remote-write pushes, 1.0 and 2.0, as bytes: protobuf and snappy by hand, so that nothing but Python is needed.

`series` is one TimeSeries of 1.0 in its plainest form. The classes describe whatever a series may carry; `write_v1` and
`write_v2` make a request of them.
"""
import dataclasses
import struct

STALE = bytes.fromhex('020000000000f07f')
HEADERS = {'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy'}
HEADERS_V2 = {**HEADERS, 'Content-Type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request'}


def varint(n):
    out = bytearray()
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, wire, payload):
    return varint(number << 3 | wire) + (varint(len(payload)) + payload if wire == 2 else payload)


class Snappy:
    """A block made by hand: literals, and copies of what came `offset` bytes before, as often as it takes."""

    def __init__(self):
        self.out, self.size = bytearray(), 0

    def literal(self, raw):
        for at in range(0, len(raw), 60):
            piece = raw[at:at + 60]
            self.out += bytes([(len(piece) - 1) << 2]) + piece
        self.size += len(raw)
        return self

    def copy(self, offset, length):
        whole, rest = divmod(length, 64)
        self.out += (b'\xfe' + struct.pack('<H', offset)) * whole
        if rest:
            self.out += bytes([(rest - 1) << 2 | 2]) + struct.pack('<H', offset)
        self.size += length
        return self

    def repeat(self, unit, times):
        return self.literal(unit).copy(len(unit), len(unit) * (times - 1)) if times else self

    def block(self):
        return varint(self.size) + bytes(self.out)


def literal_snappy(raw):
    """The bytes as one block without compression."""
    return Snappy().literal(raw).block()


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def native(t_ms, schema, total, zero, offset, counts):
    """A native histogram of whole counts: `counts` of the positive buckets from index `offset` on, in one span."""
    return Histogram(t_ms, schema, total, zero, positive=[(offset, counts)]).encode()


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
    body += b''.join(field(3, 2, exemplar(*e)) for e in exemplars)
    return field(1, 2, body)


# ---- whatever a series may carry ----

def number(n, value):
    """A double field."""
    return field(n, 1, value if isinstance(value, bytes) else struct.pack('<d', value))


def whole(n, value):
    """An int64 or uint field; 0 is left out, as protobuf does."""
    return field(n, 0, varint(value % (1 << 64))) if value else b''


def whole_signed(n, value):
    return field(n, 0, zigzag(value)) if value else b''


def packed(n, items, encode):
    return field(n, 2, b''.join(map(encode, items))) if items else b''


def raw(text):
    return text if isinstance(text, bytes) else text.encode()


@dataclasses.dataclass
class Histogram:
    """A native histogram. Each side is a list of spans (distance from the end of the one before, counts). `count` is what the
    buckets hold unless it is given."""
    t_ms: int
    schema: int = 0
    total: object = 0.0
    zero: float = 0
    zero_threshold: float = 0.001
    positive: list = ()
    negative: list = ()
    bounds: list = ()
    count: float = None
    floats: bool = False
    hint: int = 0
    start_ms: int = 0

    def side(self, spans, first):
        """The fields of one side: its spans are `first`, deltas and counts the two after it."""
        counts = [c for _, counts in spans for c in counts]
        out = b''.join(field(first, 2, whole_signed(1, offset) + whole(2, len(counts))) for offset, counts in spans)
        if self.floats:
            return out + packed(first + 2, counts, lambda c: struct.pack('<d', c))
        return out + packed(first + 1, [b - a for a, b in zip([0, *counts], counts)], zigzag)

    def encode(self):
        held = self.zero + sum(c for side in (self.positive, self.negative) for _, counts in side for c in counts)
        count = held if self.count is None else self.count
        out = number(2, float(count)) if self.floats else field(1, 0, varint(count))
        out += number(3, self.total) + whole_signed(4, self.schema) + number(5, self.zero_threshold)
        out += number(7, float(self.zero)) if self.floats else field(6, 0, varint(self.zero))
        out += self.side(self.negative, 8) + self.side(self.positive, 11) + whole(14, self.hint)
        return out + whole(15, self.t_ms) + packed(16, self.bounds, lambda b: struct.pack('<d', b)) + whole(17, self.start_ms)


COUNTER, GAUGE, HISTOGRAM, GAUGEHISTOGRAM, SUMMARY, INFO, STATESET = range(1, 8)


@dataclasses.dataclass
class Exemplar:
    labels: dict
    value: float
    t_ms: int


@dataclasses.dataclass
class Series:
    """Labels are a mapping or a list of pairs, sent in its order. A sample is (ms, number or eight raw bytes) or (ms, value, start
    ms); metadata (type, help, unit). `extra` goes behind the fields as it is."""
    labels: object
    samples: list = ()
    histograms: list = ()
    exemplars: list = ()
    metadata: tuple = None
    extra: bytes = b''

    def pairs(self):
        return list(self.labels.items() if isinstance(self.labels, dict) else self.labels)


def pairs_v1(pairs):
    return label_fields((raw(n), raw(v)) for n, v in pairs)


def series_v1(s):
    body = pairs_v1(s.pairs())
    body += b''.join(field(2, 2, number(1, x[1]) + whole(2, x[0])) for x in s.samples)
    body += b''.join(field(3, 2, pairs_v1(e.labels.items()) + number(2, e.value) + whole(3, e.t_ms)) for e in s.exemplars)
    return body + b''.join(field(4, 2, h.encode()) for h in s.histograms) + s.extra


def write_v1(*series):
    """A WriteRequest, metadata behind the series."""
    out = b''.join(field(1, 2, series_v1(s)) for s in series)
    for s in series:
        if s.metadata:
            kind, text, unit = s.metadata
            family = dict(s.pairs()).get('__name__', '')
            out += field(3, 2, whole(1, kind) + field(2, 2, raw(family)) + field(4, 2, raw(text)) + field(5, 2, raw(unit)))
    return out


class Symbols:
    """The table of a 2.0 request; its first entry is the empty text."""

    def __init__(self):
        self.numbers = {b'': 0}

    def __call__(self, text):
        return self.numbers.setdefault(raw(text), len(self.numbers))

    def refs(self, n, pairs):
        return packed(n, [self(text) for pair in pairs for text in pair], varint)

    def encode(self):
        return b''.join(field(4, 2, text) for text in self.numbers)


def series_v2(s, symbols):
    body = symbols.refs(1, s.pairs())
    body += b''.join(field(2, 2, number(1, x[1]) + whole(2, x[0]) + whole(3, x[2] if len(x) > 2 else 0)) for x in s.samples)
    body += b''.join(field(3, 2, h.encode()) for h in s.histograms)
    body += b''.join(field(4, 2, symbols.refs(1, e.labels.items()) + number(2, e.value) + whole(3, e.t_ms)) for e in s.exemplars)
    if s.metadata:
        kind, text, unit = s.metadata
        body += field(5, 2, whole(1, kind) + whole(3, symbols(text)) + whole(4, symbols(unit)))
    return body + s.extra


def write_v2(*series):
    """An io.prometheus.write.v2.Request, the table of symbols in front."""
    symbols = Symbols()
    body = b''.join(field(5, 2, series_v2(s, symbols)) for s in series)
    return symbols.encode() + body
