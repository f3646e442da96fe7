"""Reloads while samples are pushed: no push is refused, no evaluation left out, nothing forgotten (promise B1).

RELOADS=100 RELOAD_SECONDS=60 makes it the long run.
"""
import os
import threading
import time
import urllib.parse

import peers
from push import HEADERS, literal_snappy, series

RELOADS = int(os.environ.get('RELOADS', '30'))
SECONDS = float(os.environ.get('RELOAD_SECONDS', '24'))
SERIES, PUSHERS = 100, 2
INTERVAL_S = 3  # a slot is left out if its evaluation begins that late, whatever the reason: so it is more than machines stand still

CONFIG = f'''
global: {{evaluation_interval: {INTERVAL_S}s}}
rule_files: [kept.yml, changed.yml]
rules: {{groups: [{{group: by_data, evaluation: data, data_wait: 15s}}]}}
'''

KEPT = '''
groups:
  - name: kept
    rules:
      - {record: kept, expr: count(load)}
      - {alert: KeptPending, expr: vector(1), for: 1h}
      - {alert: KeptFiring, expr: count(load) > 0}
  - name: by_data
    rules: [{record: by_data, expr: sum(load)}]
'''

CHANGED = '''
groups:
  - name: changed
    rules:
      - {{record: changed, expr: vector({number})}}
      - {{alert: ChangedPending, expr: vector({number}) > 0, for: 1h}}
'''


class Reloads(peers.Case):
    def setUp(self):
        super().setUp()
        self.file('kept.yml', KEPT)
        self.write_changed(1)
        self.file('tocsin.yml', CONFIG)
        self.daemon = self.tocsin()
        self.statuses, self.stopped = [], threading.Event()

    def write_changed(self, number):
        self.file('changed.yml', CHANGED.format(number=number))

    def push_on(self, pusher):
        while not self.stopped.is_set():
            now_ms = int(time.time() * 1000)
            body = b''.join(series([(b'__name__', b'load'), (b'i', b'%d' % i), (b'pusher', b'%d' % pusher)],
                                   [(now_ms, 1)]) for i in range(SERIES))
            self.statuses.append(peers.post(f'{self.daemon.url}/api/v1/write', literal_snappy(body),
                                            HEADERS['Content-Type'], HEADERS)[0])
            time.sleep(0.02)

    def alerts(self):
        data = peers.get_json(f'{self.daemon.url}/api/v1/alerts')['data']['alerts']
        return {a['labels']['alertname']: (a['state'], a['activeAt']) for a in data}

    def recorded_ms(self, name):
        query = urllib.parse.urlencode({'query': f'{name}[10m]'})
        result = peers.get_json(f'{self.daemon.url}/api/v1/query?{query}')['data']['result']
        return [round(t * 1000) for series in result for t, _ in series['values']]

    def reload_all(self):
        """Evenly spread; every second one changes a group."""
        begun = time.monotonic()
        for n in range(RELOADS):
            self.write_changed(1 + n // 2 % 2)
            status, text = peers.post(f'{self.daemon.url}/-/reload')
            self.assertEqual(status, 200, text)
            time.sleep(max(0, begun + (n + 1) * SECONDS / RELOADS - time.monotonic()))

    def test_lose_nothing_under_load(self):
        pushers = [threading.Thread(target=self.push_on, args=(i,)) for i in range(PUSHERS)]
        for pusher in pushers:
            pusher.start()
        try:
            peers.wait_for('the first evaluations', lambda: len(self.alerts()) == 3 and self.recorded_ms('by_data'))
            before = self.alerts()
            self.reload_all()
        finally:
            self.stopped.set()
            for pusher in pushers:
                pusher.join()
        self.assertEqual(set(self.statuses), {204})
        self.assertGreater(len(self.statuses), RELOADS)
        self.assertEqual(self.alerts(), before)
        for name in ('kept', 'changed', 'by_data'):
            times = self.recorded_ms(name)
            self.assertGreaterEqual(len(times), int(SECONDS / INTERVAL_S) - 1, name)
            self.assertEqual({b - a for a, b in zip(times, times[1:])}, {INTERVAL_S * 1000}, f'{name}: a slot was left out: {times}')
        metrics = peers.get(f'{self.daemon.url}/metrics')
        missed = [line for line in metrics.splitlines() if line.startswith('prometheus_rule_group_iterations_missed_total')]
        self.assertEqual([line.rsplit(' ', 1)[1] for line in missed], ['0'] * 3)
        print(f'reloads={RELOADS} pushes={len(self.statuses)} refused=0', flush=True)


if __name__ == '__main__':
    peers.main()
