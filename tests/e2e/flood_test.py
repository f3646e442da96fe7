"""Hostile pushes against the running daemon: random and mutated bodies.

FLOOD_MIB says how much is sent (default 32). Fails when the daemon dies, when its memory passes its caps, or (under
AddressSanitizer) when it leaks.
"""
import http.client
import os
import pathlib
import random
import time

import peers
from push import HEADERS, literal_snappy, series

MIB = int(os.environ.get('FLOOD_MIB', '32'))
SANITIZED = 'asan' in peers.TOCSIN or 'tsan' in peers.TOCSIN
# What the daemon may hold beyond what it held before: bytes in flight (256 MiB) and two decode arenas (64 MiB each); a sanitizer's
# shadow and quarantine come on top.
GROWTH_MIB = 400 + (1024 if SANITIZED else 0)


def write_request(rng, count, t_ms):
    request = b''
    for i in range(count):
        labels = [(b'__name__', b'flood_%d' % rng.randrange(20)), (b'i', b'%d' % i), (b'x', os.urandom(4).hex().encode())]
        request += series(labels, [(t_ms + i, rng.random())])
    return request


def mutate(rng, body):
    body = bytearray(body)
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(body))
        kind = rng.randrange(4)
        if kind == 0:
            body[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            body[at] = rng.randrange(256)
        elif kind == 2:
            del body[at:at + rng.randrange(1, 50)]
        else:
            body[at:at] = os.urandom(rng.randrange(1, 50))
        if not body:
            return b'\x00'
    return bytes(body)


class Flood(peers.Case):
    def setUp(self):
        super().setUp()
        self.file('tocsin.yml', 'rule_files: [rules.yml]\n')
        self.file('rules.yml', 'groups: [{name: g, interval: 1s, rules: [{record: r, expr: "sum(rate(flood_1[1m]))"}]}]')
        self.daemon = self.tocsin()
        self.connection = None

    def memory_mib(self, what):
        for line in pathlib.Path(f'/proc/{self.daemon.process.pid}/status').read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) / 1024
        raise AssertionError('the daemon has gone')

    def push(self, body):
        """Status of one push; the connection is kept while the daemon keeps it."""
        for again in (True, False):
            if self.connection is None:
                self.connection = http.client.HTTPConnection('127.0.0.1', self.daemon.port, timeout=60)
            try:
                self.connection.request('POST', '/api/v1/write', body, HEADERS)
                answer = self.connection.getresponse()
                answer.read()
                if answer.will_close:
                    self.hang_up()
                return answer.status
            except (ConnectionError, http.client.HTTPException):
                self.hang_up()
                if not again:
                    raise

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def finish(self):
        self.hang_up()
        self.assertIn('ealthy', peers.get(f'{self.daemon.url}/-/healthy'))
        code = self.daemon.stop()
        self.assertEqual(code, 0, self.daemon.text())  # under AddressSanitizer: no leak either

    def test_random_and_mutated_pushes_do_no_harm(self):
        rng = random.Random(1)
        before, sent, statuses = self.memory_mib('VmRSS'), 0, {}
        while sent < MIB << 20:
            now_ms = int(time.time() * 1000)
            kind = rng.randrange(4)
            if kind == 0:
                body = os.urandom(rng.randrange(1, 1 << 20))
            elif kind == 1:
                body = literal_snappy(os.urandom(rng.randrange(1, 1 << 18)))
            elif kind == 2:
                body = mutate(rng, literal_snappy(write_request(rng, rng.randrange(1, 300), now_ms)))
            else:
                body = literal_snappy(mutate(rng, write_request(rng, rng.randrange(1, 300), now_ms)))
            status = self.push(body)
            statuses[status] = statuses.get(status, 0) + 1
            sent += len(body)
        self.assertLessEqual(set(statuses), {204, 400, 413, 415, 429, 503})
        self.assertIn(400, statuses)
        self.assertLess(self.memory_mib('VmHWM') - before, GROWTH_MIB)
        print(f'\n{sent >> 20} MiB in {sum(statuses.values())} pushes: {statuses}, '
              f'resident {before:.0f} -> {self.memory_mib("VmRSS"):.0f} MiB (peak {self.memory_mib("VmHWM"):.0f})', flush=True)
        self.finish()


if __name__ == '__main__':
    peers.main()
