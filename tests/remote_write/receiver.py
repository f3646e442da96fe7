"""What the receiver's tests stand on: one daemon for all cases of a class, a series of its own for every case, and the way back
through the query API."""
import http.client
import itertools
import json
import pathlib
import sys
import time
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))

import peers  # noqa: E402
from push import HEADERS, HEADERS_V2, literal_snappy, write_v1, write_v2  # noqa: E402

WRITTEN = 'X-Prometheus-Remote-Write-{}-Written'
NUMBERS = itertools.count(1)
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


class Answer:
    def __init__(self, answer):
        self.status, self.headers = answer.status, answer.headers
        self.text = answer.read().decode(errors='replace')

    @property
    def written(self):
        """(samples, histograms, exemplars), each a number or None."""
        names = (WRITTEN.format(kind) for kind in ('Samples', 'Histograms', 'Exemplars'))
        return tuple(None if self.headers[name] is None else int(self.headers[name]) for name in names)

    def __repr__(self):
        return f'{self.status} {self.written} {self.text!r}'


class Receiver(unittest.TestCase):
    STORAGE = '{retention: 2h}'

    @classmethod
    def setUpClass(cls):
        host = peers.Case()
        host.setUp()
        cls.addClassCleanup(host.doCleanups)
        host.file('tocsin.yml', f'storage: {cls.STORAGE}\n')
        cls.daemon = host.tocsin()

    @classmethod
    def tearDownClass(cls):
        code = cls.daemon.stop()
        assert code == 0, f'the daemon ended with {code}:\n{cls.daemon.text()}'  # a sanitizer's report, too

    def setUp(self):
        self.now_ms = int(time.time() * 1000)

    def post(self, body, headers, method='POST', path='/api/v1/write'):
        connection = http.client.HTTPConnection('127.0.0.1', self.daemon.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def push_v1(self, *series):
        return self.post(literal_snappy(write_v1(*series)), HEADERS)

    def push_v2(self, *series):
        return self.post(literal_snappy(write_v2(*series)), HEADERS_V2)

    def name(self, text='case', **labels):
        """Labels that no other case has."""
        return {'__name__': text, **labels, 'case': str(next(NUMBERS))}

    def query(self, expression):
        """The result of an instant query far enough ahead that nothing pushed now is in its future."""
        at = (self.now_ms + MINUTE_MS) / 1000
        query = urllib.parse.urlencode({'query': expression, 'time': f'{at:.3f}'})
        return json.loads(peers.get(f'{self.daemon.url}/api/v1/query?{query}'))['data']['result']

    def stored(self, labels):
        """What the store holds of one case's series: [(labels, [(ms, value)], [(ms, histogram)])], stale markers left out."""
        found = self.query(f'{{case="{labels["case"]}"}}[2h]')
        return [(r['metric'], [(round(t * 1000), v) for t, v in r.get('values', [])],
                 [(round(t * 1000), h) for t, h in r.get('histograms', [])]) for r in found]

    def assert_stored(self, labels, *samples):
        """One series of exactly these labels and floats."""
        want = [(t_ms, value if isinstance(value, str) else f'{value:g}') for t_ms, value in samples]
        self.assertEqual(self.stored(labels), [(labels, want, [])])

    def assert_not_stored(self, labels):
        self.assertEqual(self.stored(labels), [])

    def assert_taken(self, answer, samples=0, histograms=0, exemplars=0):
        """204, nothing said, everything confirmed."""
        self.assertEqual((answer.status, answer.text, answer.written), (204, '', (samples, histograms, exemplars)))

    def assert_refused(self, answer, why, written=(0, 0, 0)):
        self.assertEqual(answer.status, 400, answer)
        self.assertIn(why, answer.text)
        self.assertTrue(answer.headers['Content-Type'].startswith('text/plain'), answer.headers)
        self.assertEqual(answer.written, written, answer)
