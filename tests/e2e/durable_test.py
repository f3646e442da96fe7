"""What was acknowledged is still there: after kill -9, after SIGTERM, after a full disk; and nothing is acknowledged before it is on disk."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse

import peers
from push import HEADERS, literal_snappy, series

RULES = '''
groups:
  - name: g
    interval: 1s
    rules:
      - {record: twice, expr: 2 * gauge}
      - {alert: High, expr: gauge > 100}
'''

ROUTES = '''
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}/"}}]}}]
'''


def body(name, value, t_ms=None):
    return literal_snappy(series([(b'__name__', name.encode())], [(t_ms or int(time.time() * 1000), value)]))


def push(daemon, name, value, t_ms=None):
    return peers.post(f'{daemon.url}/api/v1/write', body(name, value, t_ms), HEADERS['Content-Type'])


def query(daemon, expression):
    """[value of each series], or of a range selector [[values of each series]]."""
    result = peers.get_json(f'{daemon.url}/api/v1/query?{urllib.parse.urlencode({"query": expression})}')['data']['result']
    return [[float(v) for _, v in one['values']] if 'values' in one else float(one['value'][1]) for one in result]


def metric(daemon, name):
    return float(re.search(rf'(?m)^{name} (\S+)$', peers.get(f'{daemon.url}/metrics')).group(1))


class Restarts(peers.Case):
    def test_nothing_acknowledged_is_lost_when_killed(self):
        done = subprocess.run([sys.executable, str(peers.ROOT / 'tests/kill/run'), '--turns=10', '--seed=1', f'--binary={peers.TOCSIN}'],
                              capture_output=True, text=True, timeout=300)
        print(f'\n{done.stdout}', flush=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r'(?m)^turns=10 acknowledged=[1-9]\d* lost=0 ')

    def test_alerts_go_on_as_if_nothing_had_happened_when_killed(self):
        done = subprocess.run([sys.executable, str(peers.ROOT / 'tests/kill/alerts'), '--turns=20', f'--binary={peers.TOCSIN}'],
                              capture_output=True, text=True, timeout=300)
        print(f'\n{done.stdout}', flush=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r'(?m)^turns=20 evaluations=[1-9]\d* pages=[1-9]\d* lost=0 repeated=0 ')

    def test_posted_alerts_and_silences_go_on_as_if_nothing_had_happened_when_killed(self):
        done = subprocess.run([sys.executable, str(peers.ROOT / 'tests/kill/router'), '--turns=15', f'--binary={peers.TOCSIN}'],
                              capture_output=True, text=True, timeout=600)
        print(f'\n{done.stdout}', flush=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r'(?m)^turns=15 alerts=[1-9]\d* accepted=[1-9]\d* silences=[1-9]\d* pages=[1-9]\d* lost=0 repeated=0 ')

    def test_sigterm_loses_nothing_recorded_results_included(self):
        self.file('tocsin.yml', 'rule_files: [rules.yml]\n')
        self.file('rules.yml', RULES)
        daemon = self.tocsin()
        self.assertEqual(push(daemon, 'gauge', 21), (204, ''))
        peers.wait_for('the recorded result', lambda: query(daemon, 'twice') == [42])
        self.assertGreaterEqual(metric(daemon, 'prometheus_tsdb_wal_fsync_duration_seconds_count'), 1)
        self.assertGreater(metric(daemon, 'prometheus_tsdb_wal_fsync_duration_seconds_sum'), 0)
        self.assertGreater(metric(daemon, 'prometheus_tsdb_wal_storage_size_bytes'), 0)
        before = query(daemon, 'count_over_time(twice[1h])')
        self.assertEqual(daemon.stop(), 0)
        again = self.tocsin()
        self.assertIn('brought back series and samples', again.text())
        self.assertEqual(query(again, 'gauge'), [21])
        self.assertGreaterEqual(query(again, 'count_over_time(twice[1h])')[0], before[0])

    def test_a_folder_is_used_by_one_process(self):
        self.file('tocsin.yml', '')
        daemon = self.tocsin()
        done = subprocess.run([peers.TOCSIN, 'serve', f'--config.file={self.folder}/tocsin.yml', f'--storage.path={self.folder}/data',
                               f'--web.listen-address=127.0.0.1:{peers.free_port()}'], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn('another Tocsin works in', done.stderr)
        self.assertEqual(push(daemon, 'gauge', 1), (204, ''))

    def test_changing_the_sync_needs_a_restart(self):
        self.file('tocsin.yml', 'storage: {wal: {sync: os}}\n')
        daemon = self.tocsin()
        self.assertEqual(push(daemon, 'gauge', 1), (204, ''))
        self.file('tocsin.yml', 'storage: {wal: {sync: group}}\n')
        status, text = peers.post(f'{daemon.url}/-/reload')
        self.assertEqual((status, text), (500, 'failed to reload config: changing storage.wal.sync needs a restart\n'))
        self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertEqual(query(self.tocsin(), 'gauge'), [1])


class Call:
    """A system call in strace's output: the lines on which it began and ended."""

    def __init__(self, name, text, line):
        self.name, self.text, self.began, self.ended = name, text, line, line


def calls(trace):
    under_way = {}
    for number, line in enumerate(trace.splitlines()):
        found = re.match(r'(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)', line)
        if not found:
            continue
        thread, resumed, name, text = found.groups()
        if resumed:
            call = under_way.pop(thread)
            call.text += text
            call.ended = number
            yield call
        elif text.endswith('<unfinished ...>'):
            under_way[thread] = Call(name, text, number)
        else:
            yield Call(name, text, number)


@unittest.skipUnless(shutil.which('strace'), 'strace is not installed: `make deps` brings it')
class OrderOfSystemCalls(peers.Case):
    def test_204_leaves_after_the_sync_that_follows_its_samples(self):
        self.file('tocsin.yml', '')
        trace, port, names = self.folder / 'trace', peers.free_port(), [f'probe_{i}_' + 'x' * 20 for i in range(5)]
        # LeakSanitizer cannot look while somebody traces
        daemon = self.run_process('strace', 'strace', '-f', '-s', '4096', '-o', trace, '-E', 'ASAN_OPTIONS=detect_leaks=0', '-e',
                                  'trace=pwrite64,pwritev,write,writev,fsync,fdatasync,sendto,sendmsg', peers.TOCSIN, 'serve',
                                  f'--config.file={self.folder}/tocsin.yml', f'--storage.path={self.folder}/data',
                                  f'--web.listen-address=127.0.0.1:{port}')
        daemon.ready(f'http://127.0.0.1:{port}/-/ready')
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
        for name in names:
            connection.request('POST', '/api/v1/write', body(name, 1), HEADERS)
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()), (204, b''))
        connection.close()
        self.stop_traced(daemon)
        self.check_order(list(calls(trace.read_text(errors='replace'))), names)

    def stop_traced(self, daemon):
        """strace itself ignores SIGTERM while it traces: the traced program is told."""
        children = pathlib.Path(f'/proc/{daemon.process.pid}/task/{daemon.process.pid}/children').read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGTERM)
        self.assertEqual(daemon.process.wait(60), 0)

    def check_order(self, seen, names):
        answers = [c for c in seen if c.name in ('sendto', 'sendmsg', 'write', 'writev') and 'HTTP/1.1 204 ' in c.text]
        self.assertEqual(len(answers), len(names))
        for name, answer in zip(names, answers):
            written = min((c.ended for c in seen if c.name.startswith('pwrite') and name in c.text), default=None)
            self.assertIsNotNone(written, f'{name} was not written')
            synced = [c for c in seen if c.name in ('fsync', 'fdatasync') and written < c.began and c.ended < answer.began and
                      c.text.rstrip().endswith('= 0')]
            self.assertTrue(synced, f'no sync between line {written}, where {name} was written, and its 204 at {answer.began}')


def can_mount():
    return shutil.which('unshare') and shutil.which('nsenter') and \
        subprocess.run(['unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], capture_output=True).returncode == 0


@unittest.skipUnless(can_mount(), 'a small file system cannot be mounted here: that needs root, and a mount namespace of its own')
class FullDisk(peers.Case):
    def setUp(self):
        super().setUp()
        self.hook = self.webhook()
        self.file('tocsin.yml', 'rule_files: [rules.yml]\nalertmanager_config_file: routes.yml\n')
        self.file('rules.yml', RULES)
        self.file('routes.yml', ROUTES.format(url=self.hook.url))
        data = self.folder / 'data'
        data.mkdir()
        # The file system lives as long as this process: daemons join its namespace.
        self.holder = self.run_process('holder', 'unshare', '-m', 'sh', '-c', f'mount -t tmpfs -o size=64m none {data} && exec sleep 600')
        self.inside = pathlib.Path(f'/proc/{self.holder.process.pid}/root{data}')
        peers.wait_for('the small file system', lambda: self.inside.stat().st_dev != data.stat().st_dev)

    def daemon(self):
        port = peers.free_port()
        daemon = self.run_process('tocsin', 'nsenter', '-m', '-t', self.holder.process.pid, peers.TOCSIN, 'serve',
                                  f'--config.file={self.folder}/tocsin.yml', f'--storage.path={self.folder}/data',
                                  f'--web.listen-address=127.0.0.1:{port}')
        daemon.url = f'http://127.0.0.1:{port}'
        return daemon.ready(f'{daemon.url}/-/ready')

    def fill(self):
        with open(self.inside / 'ballast', 'wb', buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(65536))
            except OSError:
                pass

    def push_until(self, daemon, status):
        """Pushes to new series until the answer is `status`; the names of those that were acknowledged."""
        acknowledged = []

        def probe():
            self.count += 1
            name = f'filler_{self.count}'
            samples = b''.join(series([(b'__name__', name.encode()), (b'i', str(i).encode()), (b'pad', b'x' * 2000)],
                                      [(int(time.time() * 1000), self.count)]) for i in range(500))
            code, text = peers.post(f'{daemon.url}/api/v1/write', literal_snappy(samples), HEADERS['Content-Type'])
            self.assertIn(code, (204, 503), text)
            if code == 204:
                acknowledged.append((name, self.count))
            return text or 'acknowledged' if code == status else None
        return acknowledged, peers.wait_for(f'a push answered {status}', probe)

    def test_pushes_wait_rules_go_on_and_all_is_well_without_a_restart(self):
        self.count = 0
        daemon = self.daemon()
        self.assertEqual(push(daemon, 'gauge', 1), (204, ''))
        self.fill()
        acknowledged, text = self.push_until(daemon, 503)
        self.assertIn('the write-ahead log cannot be written', text)
        self.assertEqual(metric(daemon, 'tocsin_wal_healthy'), 0)
        self.assertGreaterEqual(metric(daemon, 'prometheus_tsdb_wal_writes_failed_total'), 1)
        self.assertEqual(push(daemon, 'gauge', 200)[0], 503)
        self.assertEqual(query(daemon, 'gauge'), [200])
        peers.wait_for('the rule on what is in memory only', lambda: query(daemon, 'twice') == [400])
        self.hook.page('firing', 'High')
        (self.inside / 'ballast').unlink()
        more, _ = self.push_until(daemon, 204)
        self.assertEqual(metric(daemon, 'tocsin_wal_healthy'), 1)
        self.assertGreaterEqual(metric(daemon, 'prometheus_tsdb_checkpoint_creations_total'), 1)
        self.assertIn('is written again', daemon.text())
        daemon.stop(signal.SIGKILL)
        again = self.daemon()
        for name, value in acknowledged + more:
            self.assertEqual(query(again, name), [value] * 500)
        self.assertEqual(query(again, 'gauge[1h]'), [[1, 200]])  # in memory only while the disk was full, and safe since
        self.assertEqual(again.stop(), 0)


if __name__ == '__main__':
    peers.main()
