"""Budgets of objectives in the running engine: made of what the store holds, told as metrics, and there again after kill -9."""
import signal
import subprocess
import time
import unittest
import urllib.error

import peers
from push import HEADERS, literal_snappy, series

OWN = '''
version: tocsin/v1
service: shop
slos:
- {name: answers, objective: 90, sli: {bad: 'requests_total{code="500"}', total: requests_total}}
'''

CONFIG = 'global: {evaluation_interval: 1s}\nslo_files: ["slos/*.yml"]\n'
REMAINING = 'tocsin_slo_budget_remaining_ratio{slo="shop-answers"}'


class Budgets(peers.Case):
    def setUp(self):
        super().setUp()
        (self.folder / 'slos').mkdir()
        self.file('tocsin.yml', CONFIG)

    def metric(self, name):
        text = peers.get(f'{self.daemon.url}/metrics')
        found = [line.rsplit(' ', 1)[1] for line in text.splitlines() if line.startswith(name + ' ')]
        return found[0] if found else None

    def slos(self, query=''):
        return peers.get_json(f'{self.daemon.url}/api/tocsin/v1/slos{query}')['data']['slos']

    def command(self, verb, *ids):
        return subprocess.run([peers.TOCSIN, 'slo', verb, f'--url={self.daemon.url}', *ids], capture_output=True, text=True)

    def push_minutes(self, minutes):
        """For each of the last minutes 4 samples: 3 good requests and 1 bad one each."""
        now_ms = int(time.time() * 1000)
        times = range(now_ms - minutes * 60000, now_ms, 15000)
        body = b''.join(series([(b'__name__', b'requests_total'), (b'code', code)],
                               [(t, each * i) for i, t in enumerate(times)]) for code, each in ((b'200', 3), (b'500', 1)))
        status, text = peers.post(f'{self.daemon.url}/api/v1/write', literal_snappy(body), headers=HEADERS)
        self.assertIn(status, (200, 204), text)

    def test_a_budget_of_what_is_held_survives_kill_9(self):
        self.daemon = self.tocsin()
        self.push_minutes(14)
        self.file('slos/own.yml', OWN)
        self.assertEqual(peers.post(f'{self.daemon.url}/-/reload')[0], 200)
        peers.wait_for('a budget', lambda: self.metric(REMAINING))
        peers.wait_for('two slices', lambda: float(self.metric('tocsin_slo_events_total{slo="shop-answers",outcome="bad"}')) > 20)
        before = self.metric(REMAINING)
        self.assertAlmostEqual(float(before), -1.5, places=9)
        self.daemon.stop(signal.SIGKILL)
        self.daemon = self.tocsin()
        peers.wait_for('the same budget', lambda: self.metric(REMAINING) == before)
        slo, = self.slos()
        self.assertEqual((slo['id'], slo['objective'], slo['budgeting'], slo['epoch']), ('shop-answers', 0.9, 'events', 1))
        group, = slo['groups']
        self.assertAlmostEqual(group['remaining'], float(before), places=12)
        self.assertAlmostEqual(group['events']['good'], 3 * group['events']['bad'], places=9)
        self.assertTrue(group['exhausted'])
        self.assertAlmostEqual(group['windows'][0]['burn'], 2.5, places=9)
        self.assertEqual(self.slos('?id=shop-answers')[0]['id'], 'shop-answers')
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.slos('?id=nothing')
        self.assertEqual(refused.exception.code, 404)
        listed = self.command('list')
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertRegex(listed.stdout, r'shop-answers +- +90% +75.0000% +-150.0% ')
        whole = self.command('budget', 'shop-answers')
        self.assertRegex(whole.stdout, r'(?m)^  left +-150.00% *$')
        self.assertRegex(whole.stdout, r'(?m)^  5m +25.0000% +2.5 ')
        self.assertEqual(self.command('budget', 'nothing').returncode, 1)
        self.assertEqual(self.command('budget').returncode, 2)
        self.assertIsNotNone(self.metric('tocsin_slo_coverage_ratio{slo="shop-answers"}'))


if __name__ == '__main__':
    unittest.main()
