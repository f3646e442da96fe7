"""remote_write: what rules record reaches a real Prometheus by 1.0 and another Tocsin by 2.0, also after an outage, and is what we hold ourselves."""
import base64
import http.server
import json
import signal
import time
import urllib.parse

import peers
import push

CONFIG = '''
global: {{evaluation_interval: 1s, external_labels: {{site: here}}}}
rule_files: [rules.yml]
remote_write:
- url: http://127.0.0.1:{port}/api/v1/write
  name: long
  queue_config: {{batch_send_deadline: {deadline}, min_backoff: 50ms, max_backoff: 500ms}}
  {more}
'''

RULES = '''
groups:
- name: g
  rules:
  - {record: clock, expr: time()}
  - {alert: Always, expr: vector(1), labels: {severity: page}}
'''


def matrix(url, selector):
    """[(ms, value)] of the one series there is; empty if there is none yet."""
    query = urllib.parse.urlencode({'query': f'{selector}[10m]', 'time': f'{time.time() + 60:.0f}'})
    result = peers.get_json(f'{url}/api/v1/query?{query}')['data']['result']
    assert len(result) <= 1, result
    return [(round(t * 1000), value) for r in result for t, value in r.get('values', r.get('histograms'))]


def names(url, selector):
    query = urllib.parse.urlencode({'query': f'count by (__name__) ({selector})'})
    return sorted(r['metric']['__name__'] for r in peers.get_json(f'{url}/api/v1/query?{query}')['data']['result'])


class Sending(peers.Case):
    def start(self, port, deadline='200ms', more='', rules=RULES):
        self.file('rules.yml', rules)
        self.file('tocsin.yml', CONFIG.format(port=port, deadline=deadline, more=more))
        return self.tocsin()

    def receiver(self):
        """Another Tocsin, with a folder of its own."""
        self.file('empty.yml', '')
        port = peers.free_port()
        daemon = self.run_process('receiver', peers.TOCSIN, 'serve', f'--config.file={self.folder}/empty.yml', '--storage.path=',
                                  f'--web.listen-address=127.0.0.1:{port}')
        daemon.port, daemon.url = port, f'http://127.0.0.1:{port}'
        return daemon.ready(f'{daemon.url}/-/ready')

    def figure(self, daemon, name):
        """One of this target's prometheus_remote_storage_*; several with further labels are added."""
        lines = [line for line in peers.get(f'{daemon.url}/metrics').splitlines()
                 if line.startswith(f'prometheus_remote_storage_{name}{{remote_name="long"')]
        self.assertTrue(lines, name)
        return sum(float(line.rsplit(' ', 1)[1]) for line in lines)

    def assert_same(self, here, there, selector, at_least):
        """All that we hold of a series by now is there, too: the same samples, none between them."""
        ours = peers.wait_for('samples of our own', lambda: len(matrix(here.url, selector)) >= at_least and matrix(here.url, selector))
        outside = selector.replace('{', '{site="here",').replace(',}', '}')

        def arrived():
            theirs = matrix(there.url, outside)
            return theirs and theirs[-1][0] >= ours[-1][0] and theirs
        theirs = peers.wait_for('the newest of them', arrived)
        self.assertEqual([s for s in theirs if s[0] <= ours[-1][0]], ours)


class ToPrometheus(Sending):
    def test_records_alerts_and_their_ends_arrive(self):
        there = self.prometheus('global: {}')
        here = self.start(there.url.rpartition(':')[2])
        for selector in ('clock{}', 'ALERTS{alertname="Always",alertstate="firing",severity="page"}', 'ALERTS_FOR_STATE{alertname="Always"}'):
            self.assert_same(here, there, selector, 3)
        self.file('rules.yml', 'groups: []')
        here.send(signal.SIGHUP)
        peers.wait_for('stale markers', lambda: names(there.url, '{site="here"}') == [])
        self.assertGreater(len(matrix(there.url, 'clock{site="here"}')), 2)
        self.assertEqual(self.figure(here, 'samples_failed_total'), 0)

    def test_an_outage_loses_nothing(self):
        there = self.prometheus('global: {}')
        port = there.url.rpartition(':')[2]
        here = self.start(port)
        self.assert_same(here, there, 'clock{}', 2)
        self.assertEqual(there.stop(), 0)
        before = self.figure(here, 'samples_total')
        peers.wait_for('a backlog', lambda: self.figure(here, 'samples_pending') > 15 and self.figure(here, 'samples_retried_total') > 0)
        again = self.prometheus('global: {}', port=port)
        self.assert_same(here, again, 'clock{}', 8)
        self.assert_same(here, again, 'ALERTS{alertname="Always"}', 8)
        self.assertGreater(self.figure(here, 'samples_total'), before + 15)
        for lost in ('failed', 'dropped'):
            self.assertEqual(self.figure(here, f'samples_{lost}_total'), 0)

    def test_relabelling_decides_what_goes_out(self):
        there = self.prometheus('global: {}')
        self.start(there.url.rpartition(':')[2], more='''write_relabel_configs:
  - {source_labels: [__name__], regex: ALERTS.*, action: drop}
  - {target_label: via, replacement: tocsin}''')
        peers.wait_for('samples', lambda: len(matrix(there.url, 'clock{site="here",via="tocsin"}')) > 2)
        self.assertEqual(names(there.url, '{site="here"}'), ['clock'])


class ToTocsin(Sending):
    V2 = 'protobuf_message: io.prometheus.write.v2.Request'

    def test_2_0_brings_floats_and_histograms(self):
        there = self.receiver()
        here = self.start(there.port, more=self.V2, rules=RULES + '  - {record: copy, expr: h}\n')

        def send():
            histogram = push.Histogram(int(time.time() * 1000), schema=1, total=5.5, zero=1, positive=[(0, [1, 2])], negative=[(1, [4])])
            sample = push.Series({'__name__': 'h'}, histograms=[histogram])
            status, text = peers.post(f'{here.url}/api/v1/write', push.literal_snappy(push.write_v2(sample)), headers=push.HEADERS_V2)
            self.assertEqual((status, text), (204, ''))
            return len(matrix(here.url, 'copy{}')) >= 3
        peers.wait_for('recorded histograms', send)
        for selector in ('clock{}', 'copy{}', 'ALERTS{alertname="Always"}'):
            self.assert_same(here, there, selector, 3)
        self.assertGreater(self.figure(here, 'histograms_total'), 2)

    def test_what_waits_goes_out_before_the_end(self):
        there = self.receiver()
        here = self.start(there.port, deadline='1h', more=self.V2)
        peers.wait_for('samples', lambda: len(matrix(here.url, 'clock{}')) > 2)
        self.assertEqual(matrix(there.url, 'clock{}'), [])
        ours = matrix(here.url, 'clock{}')
        self.assertEqual(here.stop(), 0)
        self.assertEqual(matrix(there.url, 'clock{site="here"}')[:len(ours)], ours)

    def test_we_are_not_a_target_of_our_own(self):
        port = peers.free_port()
        self.file('rules.yml', RULES)
        self.file('tocsin.yml', CONFIG.format(port=port, deadline='100ms', more=''))
        here = self.tocsin(port=port)
        peers.wait_for('samples', lambda: len(matrix(here.url, 'clock{}')) > 2)
        self.assertIn('is Tocsin itself', here.text())
        self.assertEqual(matrix(here.url, 'clock{site="here"}'), [])


class Refusing(peers.Server):
    """Answers what it is told to; keeps what was asked of it."""

    def __init__(self):
        self.status, self.headers, self.asked = 204, {}, []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers['Content-Length']))
                server.asked.append((time.monotonic(), dict(self.headers)))
                body = b'out of order sample\nsecond line'
                self.send_response(server.status)
                for name, value in {'Content-Length': str(len(body)), **server.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass
        super().__init__(Handler)


class ToWhoRefuses(Sending):
    def test_is_told_and_counted(self):
        there = self.keep(Refusing())
        there.status = 400
        here = self.start(there.port, more='headers: {X-Scope-OrgID: team}\n  basic_auth: {username: me, password: s3cret}')
        peers.wait_for('a refusal', lambda: self.figure(here, 'samples_failed_total') >= 3)
        self.assertEqual(self.figure(here, 'samples_retried_total'), 0)
        self.assertIn('err="out of order sample"', here.text())
        headers = there.asked[0][1]
        self.assertEqual(headers['X-Scope-OrgID'], 'team')
        self.assertEqual(headers['X-Prometheus-Remote-Write-Version'], '0.1.0')
        self.assertEqual(headers['Authorization'], 'Basic ' + base64.b64encode(b'me:s3cret').decode())
        self.assertTrue(headers['User-Agent'].startswith('Tocsin/'), headers)
        there.headers = {'Retry-After': '2'}
        there.status = 503  # last: every such answer says when to come again
        peers.wait_for('a retry', lambda: self.figure(here, 'samples_retried_total') >= 3)
        at = len(there.asked)
        peers.wait_for('the next one', lambda: len(there.asked) > at)
        self.assertGreaterEqual(there.asked[at][0] - there.asked[at - 1][0], 2)
        shown = json.loads(peers.get(f'{here.url}/api/v1/status/config'))['data']['yaml']
        self.assertIn('"X-Scope-OrgID": <secret>', shown)
        self.assertNotIn('s3cret', shown)

    def test_who_does_not_confirm_2_0_is_found_out(self):
        there = self.keep(Refusing())
        here = self.start(there.port, more=ToTocsin.V2)
        peers.wait_for('failures', lambda: self.figure(here, 'samples_failed_total') >= 3)
        self.assertEqual(self.figure(here, 'samples_total'), 0)
        self.assertIn('does not confirm remote write 2.0', here.text())
        there.headers = {'X-Prometheus-Remote-Write-Samples-Written': '3'}
        peers.wait_for('success', lambda: self.figure(here, 'samples_total') >= 3)


if __name__ == '__main__':
    peers.main()
