"""Exemplars and metadata, beside a real Prometheus 2.42: what reaches both must be answered alike."""
import http.server
import json
import math
import time
import urllib.error
import urllib.parse

import peers
import push

PROMETHEUS = '''
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: exporter
    static_configs: [{{targets: ["127.0.0.1:{exporter}"]}}]
remote_write:
  - url: "http://127.0.0.1:{tocsin}/api/v1/write"
    send_exemplars: true
    metadata_config: {{send: true, send_interval: 1s}}
    queue_config: {{batch_send_deadline: 200ms}}
'''

PAGE = '''# HELP requests Requests <answered>, by \\"code\\".
# TYPE requests counter
requests_total{{code="200"}} {n} # {{trace_id="r{n}"}} 1 {t:.3f}
# HELP time_seconds How long they took.
# TYPE time_seconds histogram
# UNIT time_seconds seconds
time_seconds_bucket{{le="0.1"}} {n} # {{trace_id="a{n}",span_id="s"}} 0.0{n} {t:.3f}
time_seconds_bucket{{le="+Inf"}} {n} # {{trace_id="b{n}"}} 3.5e+21 {t:.3f}
time_seconds_sum {n}
time_seconds_count {n}
# TYPE load gauge
load 1
# HELP mystery Nobody knows.
mystery 1
# TYPE build info
build_info{{version="1"}} 1
# EOF
'''

EXEMPLARS = ['query=requests_total', 'query=time_seconds_bucket', 'query={__name__=~".%2B"}', 'query=nothing',
             'query=rate(time_seconds_bucket{le="0.1"}[5m])/on()requests_total', 'query={__name__=~".%2B"}&end=5',
             'query=1', 'query=time_seconds_bucket{', 'query=load&start=2&end=1', 'query=load&start=x', 'query=load&end=y']
METADATA = ['metadata', 'metadata?metric=time_seconds', 'metadata?metric=time_seconds_bucket', 'metadata?limit=0', 'metadata?limit=-1',
            'metadata?limit=x', 'targets/metadata?metric=nothing']


class OpenMetrics(peers.Server):
    """The page of a round, until the next is begun."""
    ROUNDS = 4

    def __init__(self):
        self.round = 0
        self.begin_round()
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = exporter.page.encode()
                self.send_response(200)
                self.send_header('Content-Type', 'application/openmetrics-text; version=1.0.0; charset=utf-8')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass
        super().__init__(Handler)

    def begin_round(self):
        """With new exemplars."""
        self.round += 1
        self.page = PAGE.format(n=self.round, t=time.time())


def ask(url, path):
    """Status and what was answered, as JSON."""
    try:
        with peers.urllib.request.urlopen(f'{url}/api/v1/{urllib.parse.quote(path, safe="/?&=%")}', timeout=peers.START_S) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        status, text = e.code, e.read().decode()
    return status, json.loads(text) if text else None


class Beside(peers.Case):
    def start(self, config):
        self.file('tocsin.yml', 'global: {evaluation_interval: 1s}\n')
        self.daemon = self.tocsin()
        self.peer = self.prometheus(config.format(tocsin=self.daemon.port), '--enable-feature=exemplar-storage')

    def same(self, path):
        status, theirs = ask(self.peer.url, path)
        if theirs and 'error' in theirs:
            theirs['error'] = theirs['error'].replace('Invalid time', 'invalid time')  # as 3.2 and later begin it
        theirs = status, theirs
        self.assertEqual(ask(self.daemon.url, path), theirs, path)
        return theirs


class WhatPrometheusScrapesAndSends(Beside):
    def test_is_answered_as_prometheus_answers_it(self):
        self.exporter = self.keep(OpenMetrics())
        self.start(PROMETHEUS.replace('{exporter}', str(self.exporter.port)))
        everything = 'query_exemplars?query={__name__=~".%2B"}'

        def arrived():
            theirs = ask(self.peer.url, everything)[1]['data']
            return sum(len(s['exemplars']) for s in theirs) == 3 * self.exporter.round and ask(self.daemon.url, everything)[1]['data'] == theirs
        peers.wait_for('exemplars, in both', arrived)
        while self.exporter.round < OpenMetrics.ROUNDS:
            self.exporter.begin_round()
            peers.wait_for('new exemplars, in both', arrived)
        peers.wait_for('metadata, in both', lambda: len(ask(self.daemon.url, 'metadata')[1]['data']) == 5)
        for query in EXEMPLARS:
            self.same(f'query_exemplars?{query}')
        for path in METADATA:
            self.same(path)
        told = self.same('metadata')[1]['data']
        self.assertEqual(told['time_seconds'], [{'type': 'histogram', 'help': 'How long they took.', 'unit': 'seconds'}])
        self.assertEqual(told['build'][0]['type'], 'info')
        self.figures_agree()

    def figures_agree(self):
        def figures(url):
            lines = [line for line in peers.get(f'{url}/metrics').splitlines() if line.startswith('prometheus_tsdb_exemplar_')]
            return dict(line.rsplit(' ', 1) for line in lines)
        self.assertEqual(figures(self.daemon.url), figures(self.peer.url))


class WhatIsPushedToBoth(Beside):
    UP = [(b'__name__', b'up'), (b'job', b'api')]
    DOWN = [(b'__name__', b'down'), (b'job', b'api')]

    def push(self, *pieces):
        body = push.literal_snappy(b''.join(pieces))
        answers = [peers.post(f'{url}/api/v1/write', body, headers=push.HEADERS) for url in (self.peer.url, self.daemon.url)]
        self.assertEqual(answers[1], answers[0])
        self.assertEqual(answers[0][0], 204)

    def trace(self, number):
        return [(b'trace_id', b'%d' % number)]

    def test_is_kept_and_left_out_alike(self):
        self.start('global: {{}}\n# {tocsin}\n')
        now = int(time.time() * 1000)
        self.push(push.series(self.UP, [(now, 1)], [(self.trace(1), 0.1, now - 3600000)]),
                  push.series(self.DOWN, [(now, 1)], [([(b'z', b'1'), (b'empty', b''), (b'a', b'\xc3\xa4\n"')], -0.0, now)]))
        self.push(push.series(self.UP, [], [(self.trace(2), 1e-10, now - 60000)]))
        self.push(push.series(self.UP, [], [(self.trace(2), 1e-10, now - 60000)]))
        self.push(push.series(self.UP, [], [(self.trace(3), math.nan, now - 70000)]))
        self.push(push.series(self.UP, [], [(self.trace(4), math.nan, now - 50000)]), push.series(self.UP, [(now + 1, 2)]))
        for i, value in enumerate([math.inf, -math.inf, 0, -1, 1e10]):
            self.push(push.series(self.UP, [], [(self.trace(5 + i), value, now + i)]))
        self.push(push.series(self.UP, [], [([(b'l', b'x' * 127)], 1, now + 10)]))
        self.push(push.series(self.UP, [], [([(b'l', b'x' * 128)], 1, now + 11)]))
        self.push(push.series([(b'__name__', b'unknown')], [], [(self.trace(1), 1, now)]))
        self.push(push.series([(b'__name__', b'new')], [(now, 1)]), push.series([(b'__name__', b'new')], [], [([], 1, now)]))
        data = self.same('query_exemplars?query={__name__=~".%2B"}')[1]['data']
        self.assertEqual([(s['seriesLabels']['__name__'], len(s['exemplars'])) for s in data], [('down', 1), ('new', 1), ('up', 9)])
        self.same(f'query_exemplars?query=up&start={(now - 60000) / 1000:.3f}&end={now / 1000:.3f}')
        self.same(f'query_exemplars?query=up or up or down&start={(now - 59999) / 1000:.3f}')
        form = urllib.parse.urlencode({'query': 'up{job="api"}', 'end': f'{now / 1000:.3f}'}).encode()
        answers = [peers.post(f'{url}/api/v1/query_exemplars', form, 'application/x-www-form-urlencoded')
                   for url in (self.peer.url, self.daemon.url)]
        self.assertEqual(answers[1], answers[0])


if __name__ == '__main__':
    peers.main()
