"""XXH64 with seed 0, by which the notification log knows alerts."""
import struct

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def rotate(x, by):
    return (x << by | x >> 64 - by) & MASK


def mix(sum_, lane):
    return rotate((sum_ + lane * P2) & MASK, 31) * P1 & MASK


def stripes(data):
    """What whole stripes of 32 bytes come to, and how many bytes they are."""
    sums, at = [(P1 + P2) & MASK, P2, 0, -P1 & MASK], 0
    while at + 32 <= len(data):
        sums = [mix(s, lane) for s, lane in zip(sums, struct.unpack_from('<4Q', data, at))]
        at += 32
    h = sum(rotate(s, by) for s, by in zip(sums, (1, 7, 12, 18))) & MASK
    for s in sums:
        h = ((h ^ mix(0, s)) * P1 + P4) & MASK
    return h, at


def xxh64(data):
    h, at = stripes(data) if len(data) >= 32 else (P5, 0)
    h = (h + len(data)) & MASK
    for size, form, first, by, second, third in (8, '<Q', None, 27, P1, P4), (4, '<I', P1, 23, P2, P3), (1, '<B', P5, 11, P1, 0):
        while at + size <= len(data):
            lane = struct.unpack_from(form, data, at)[0]
            h = (rotate(h ^ (mix(0, lane) if first is None else lane * first & MASK), by) * second + third) & MASK
            at += size
    for by, factor in (33, P2), (29, P3), (32, 1):
        h = (h ^ h >> by) * factor & MASK
    return h


def alert_hash(labels):
    return xxh64(b''.join(part.encode() + b'\xff' for pair in sorted(labels.items()) for part in pair))
