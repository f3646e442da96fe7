"""What both programs are fed: two hours of series of every shape PromQL cares about, the same on every run.

Every value is a multiple of 1/1024 of moderate size (but for `weird`), so that any order of summation gives the same
sum. Every timestamp is 1 to 99 ms past a whole second: no window or look-back of the expressions ends there
(differences.md says why).
"""
import math
import random

from push import STALE, literal_snappy, series

START_MS = 1709154000_000  # 2024-02-28 21:00 UTC: the dates pass the last of February of a leap year
SPAN_S = 3 * 3600
END_MS = START_MS + SPAN_S * 1000
SCRAPE_S = 15


def dyadic(x):
    return math.floor(x * 1024) / 1024


def labels(name, **pairs):
    return tuple(sorted([('__name__', name), *pairs.items()]))


def times(rng):
    """A scrape's times: a phase of its own, and the few milliseconds that real scrapes are off."""
    phase_ms = rng.randrange(SCRAPE_S) * 1000
    return [START_MS + phase_ms + i * SCRAPE_S * 1000 + rng.randrange(1, 100) for i in range(SPAN_S // SCRAPE_S)]


def gaps(rng, samples, stale):
    """Holes of a scrape up to eight minutes; some begin with a stale marker."""
    out, hole = [], 0
    for t_ms, value in samples:
        if hole:
            hole -= 1
        elif rng.random() < 0.02:
            hole = rng.choice([1, 2, 5, 12, 32])
            if rng.random() < stale:
                out.append((t_ms, STALE))
        else:
            out.append((t_ms, value))
    return out


def counter(rng, reset, step, base=0):
    total, out = base, []
    for t_ms in times(rng):
        total = base if rng.random() < reset else total + (step() if rng.random() < 0.9 else 0)
        out.append((t_ms, total))
    return out


def gauge(rng, low, high, place=0):
    """Gauges of different places (0 to 15) are never equal."""
    at, out = (low + high) / 2, []
    for t_ms in times(rng):
        if rng.random() < 0.7:
            at = min(high, max(low, at + rng.gauss(0, (high - low) / 20)))
        out.append((t_ms, math.floor(at * 64) / 64 + place / 1024))
    return out


def counters(rng):
    for job in ('api', 'db', 'web'):
        for instance in ('a:1', 'b:2'):
            yield labels('bytes_total', instance=instance, job=job), \
                gaps(rng, counter(rng, 0, lambda: dyadic(rng.uniform(0, 100)), base=2**40), 0.3)
            for code in ('200', '404', '500'):
                yield labels('requests_total', code=code, instance=instance, job=job), \
                    counter(rng, 0.01, lambda: rng.randrange(30))


def gauges(rng):
    for i, room in enumerate(('attic', 'cellar', 'hall', 'kitchen')):
        for floor in ('0', '1'):
            yield labels('temperature', floor=floor, room=room), gaps(rng, gauge(rng, -20, 40, 2 * i + int(floor)), 0.5)
            yield labels('humidity', floor=floor, room=room), gauge(rng, 0, 100, 2 * i + int(floor))
    for job, limit in (('api', 100), ('cron', 0), ('db', -3.5)):
        yield labels('limits', job=job), [(t, limit) for t in times(rng)]
    for job in ('api', 'db', 'web'):
        for instance in ('a:1', 'b:2', 'c:3'):
            yield labels('up', instance=instance, job=job), [(t, int(rng.random() < 0.8)) for t in times(rng)]
    for name in ('twin_a', 'twin_b'):
        for job in ('api', 'db'):
            yield labels(name, job=job), gauge(rng, 1, 1000)
    for i, word in enumerate(('über', '日本', 'a b', '"quoted"', 'new\nline', 'back\\slash')):
        yield labels('words', job='api', word=word), gauge(rng, i, i + 5, i)
    for i in range(3):
        scrape = times(rng)
        yield labels('sparse', i=str(i)), [(t, dyadic(rng.uniform(-5, 5))) for t in scrape[i::20]]


def releases(rng):
    """One value for ever, but the version changes: the old series ends with a stale marker. The new one begins with one, so
    that all series are created in the order of their labels, which is how 2.42 answers them."""
    for job in ('api', 'db'):
        for instance in ('a:1', 'b:2'):
            scrape = times(rng)
            cut = rng.randrange(len(scrape) // 4, len(scrape) * 3 // 4)
            yield labels('build_info', instance=instance, job=job, version='1.0'), \
                [(t, 1) for t in scrape[:cut]] + [(scrape[cut], STALE)]
            yield labels('build_info', instance=instance, job=job, version='1.1'), \
                [(scrape[0], STALE)] + [(t, 1) for t in scrape[cut:]]


def classic(rng):
    """Classic histograms; `web` has no +Inf bucket, `odd` a bucket bound that is none."""
    bounds = {'api': ['0.1', '0.25', '0.5', '1', '2.5', '+Inf'], 'db': ['-1', '0', '0.5', '1', '+Inf'],
              'odd': ['0.5', 'much', '+Inf'], 'web': ['0.5', '1']}
    for job, les in bounds.items():
        totals, samples = [0] * len(les), [[] for _ in les]
        for t_ms in times(rng):
            if rng.random() < 0.005:
                totals = [0] * len(les)
            for first in [rng.randrange(len(les)) for _ in range(rng.randrange(6))]:
                totals = [n + (i >= first) for i, n in enumerate(totals)]
            for i, n in enumerate(totals):
                samples[i].append((t_ms, n))
        for le, own in zip(les, samples):
            yield labels('latency_seconds_bucket', job=job, le=le), own
        yield labels('latency_seconds_count', job=job), samples[-1]


def weird(rng):
    pools = {'nan': [math.nan], 'some_nan': [math.nan, 1, 2, -3], 'inf': [math.inf], 'minus_inf': [-math.inf],
             'both': [math.inf, -math.inf, 0, 1], 'zero': [0.0, -0.0], 'tiny': [1e-300, 0], 'whole': [1e15, 1e21, 123456789]}
    for kind, pool in pools.items():
        yield labels('weird', kind=kind), [(t, rng.choice(pool)) for t in times(rng)]


def native(rng):
    """Native histograms, counted up from far above zero and never reset."""
    for job, offset in (('api', -4), ('db', 2), ('web', -4)):
        zero, total, counts, out = 5000, 1e6, [4000 + 100 * i for i in range(9)], []
        for t_ms in times(rng):
            zero += rng.randrange(2)
            for _ in range(rng.randrange(8)):
                counts[rng.randrange(len(counts))] += 1
                total += dyadic(rng.uniform(0, 4))
            out.append((t_ms, (2, total, zero, offset, tuple(counts))))
        yield labels('sizes', job=job), out


def all_series():
    rng = random.Random(20240229)
    return sorted(s for kind in (counters, gauges, releases, classic, native, weird) for s in kind(rng))


def pushes(slice_s=900):
    """Remote-write bodies in time order: a receiver may refuse what lies an hour behind its newest sample."""
    every = all_series()
    for start_ms in range(START_MS, END_MS, slice_s * 1000):
        body = b''
        for pairs, samples in every:
            now = [s for s in samples if start_ms <= s[0] < start_ms + slice_s * 1000]
            if now:
                body += series([(n.encode(), v.encode()) for n, v in pairs], now)
        yield literal_snappy(body)
