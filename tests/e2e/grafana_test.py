"""What Grafana's Prometheus datasource asks, of Tocsin and of Debian's Prometheus 2.42 with the same samples: where both know the
endpoint they must answer alike. Samples lie some ms past a second and are asked for between seconds, because 2.42 counts the left
edge of a range in (tests/diff/differences.md).
"""
import gzip
import json
import signal
import time
import urllib.error
import urllib.parse
import urllib.request

import peers
from push import HEADERS, Histogram, Series, literal_snappy, write_v1

FORM = 'application/x-www-form-urlencoded'
EVERY_MS = 15000
COUNT = 120

RULES = '''
groups:
  - name: shop
    interval: 1s
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(requests_total[5m]))
        labels: {team: web}
      - alert: Up
        expr: up{instance="a"} == 1
        labels: {severity: page}
        annotations: {summary: "{{ $labels.instance }} <is> up"}
      - alert: Never
        expr: vector(0) > 1
        for: 1h
  - name: empty
    interval: 1h
    rules:
      - record: none
        expr: absent(up)
'''

# Both read it; 2.42 scrapes nothing.
CONFIG = '''
global: {evaluation_interval: 1s, external_labels: {site: here}}
rule_files: [rules.yml]
alerting: {alertmanagers: [{scheme: http, path_prefix: /am, static_configs: [{targets: ["127.0.0.1:9"]}]}]}
'''

INSTANT = ['1+1', 'up', 'up{job="api"}', 'sum by (job) (up)', 'rate(requests_total[5m])', 'topk(2, requests_total)', 'nothing', '"text"',
           'requests_total[1m]', 'requests_total[1m:20s]', 'time()', 'histogram_quantile(0.9, sum by (le) (rate(took_bucket[5m])))',
           'absent(nothing{a="b"})', 'up == 1 and on(instance) requests_total', 'label_replace(up, "x", "$1", "job", "(.*)")',
           'count_over_time(requests_total[5m:30s] offset 1m)', 'requests_total offset 5m', 'scalar(up{instance="a"})', '1e21']
RANGE = ['up', 'rate(requests_total[5m])', 'sum(rate(requests_total[1m])) by (job)', '1', 'nothing', 'max_over_time(requests_total[2m:30s])',
         'requests_total > 100', 'histogram_quantile(0.5, sum by (le) (rate(took_bucket[5m])))', 'absent(nothing)']
BROKEN = ['query?query=sum(', 'query?query=up{', 'query?query=up&time=yesterday', 'query?query=up&timeout=x',
          'query_range?query=up&start=2&end=1&step=1', 'query_range?query=up&start=1&end=2&step=0', 'query_range?query=up&start=1&end=2&step=x',
          'query_range?query=up&start=x&end=2&step=1', 'query_range?query=up&end=2&step=1', 'query_range?query=up&start=1&end=2',
          'query_range?query=up&start=0&end=11001&step=1', 'series', 'series?match[]={',
          'series?match[]=up&start=x', 'labels?match[]=up{', 'labels?end=x', 'label/job/values?match[]={',
          'rules?type=x', 'metadata?limit=x', 'format_query?query=sum(', 'query?query=-{__name__=~"up|requests_total"}', 'nope']
COUNTED = ['up', 'sum(up)', 'up offset 5m', 'rate(requests_total[5m])', 'sum by (job) (rate(requests_total[5m])) / 2', 'up + on(instance) up',
           'quantile_over_time(0.5, requests_total[2m])', 'max_over_time(requests_total[5m:30s])', 'sum(max_over_time(up[1m:15s]))',
           'nothing', '1', 'absent_over_time(up[1m])', 'timestamp(up)', 'avg_over_time(rate(requests_total[1m])[5m:1m])', 'requests_total > 5']
WRITTEN = ['sum(up)by(job)', 'a+b', '-(up)', 'up{b="2",a="1"}offset 5m', 'rate(requests_total[5m])[1h:1m] @ start()',
           '(node_filesystem_avail_bytes{job="node",fstype!=""} / node_filesystem_size_bytes{job="node",fstype!=""} * 100 < 40 and '
           'predict_linear(node_filesystem_avail_bytes{job="node",fstype!=""}[6h], 24*60*60) < 0)',
           'sum by (namespace, pod, container) (irate(container_cpu_usage_seconds_total{job="kubelet", image!=""}[5m])) * on (namespace, pod) '
           'group_left(node) topk by (namespace, pod) (1, max by (namespace, pod, node) (kube_pod_info{node!=""}))',
           '-histogram_quantile(0.99, sum by (le, verb) (rate(apiserver_request_duration_seconds_bucket{job="apiserver",verb!="WATCH"}[5m])))',
           'label_replace(up{job="api-server-of-the-first-cluster",service="a:c"}, "foo", "$1", "service", "(.*):.*") or vector(1) unless bool_metric',
           'quantile_over_time(scalar(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa), b[5m:1m])',
           'count_values("a", aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa == bool bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb)']


def fetch(url, method='GET', body=None, headers=None):
    """Status, headers and bytes, whatever the status."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.headers, e.read()


def ask(url, path, form=None):
    """Status and JSON (or text) of one request of the API, with a form as Grafana posts it."""
    body = urllib.parse.urlencode(form, doseq=True).encode() if form is not None else None
    status, headers, text = fetch(f'{url}/api/v1/{urllib.parse.quote(path, safe="/?&=%[]")}', 'GET' if form is None else 'POST', body,
                                  {'Content-Type': FORM} if form is not None else {})
    if 'json' not in (headers.get('Content-Type') or ''):
        return status, text.decode()
    return status, json.loads(text)


def as_now(answer):
    """2.42's words for a bad time begin with a capital letter; annotations came later."""
    status, body = answer
    if isinstance(body, dict):
        body = {k: v for k, v in body.items() if k not in ('warnings', 'infos')}
        if 'error' in body:
            body['error'] = body['error'].replace('Invalid time value', 'invalid time value')
    return status, body


def plain(value):
    """Without what no two processes have alike, and what 2.42 does not tell."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()
                if k not in ('evaluationTime', 'lastEvaluation', 'activeAt', 'keepFiringFor', 'file') and (k, v) != ('labels', {})}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


class WhatGrafanaAsks(peers.Case):
    def setUp(self):
        super().setUp()
        self.file('rules.yml', '')  # what rules record would be found among the samples, or not yet
        self.file('tocsin.yml', CONFIG + 'storage: {retention: 1d}\n')
        self.daemon = self.tocsin('--enable-feature=promql-per-step-stats')
        self.peer = self.prometheus(CONFIG, '--enable-feature=promql-per-step-stats')
        self.end_ms = int(time.time()) * 1000 - 1000 + 37
        self.at = f'{(self.end_ms + 463) / 1000:.3f}'
        self.start = f'{(self.end_ms + 463) / 1000 - 600:.3f}'
        self.push()

    def samples(self, value):
        return [(self.end_ms - (COUNT - 1 - i) * EVERY_MS, value(i)) for i in range(COUNT)]

    def push(self):
        """In the order of their labels, which is how 2.42 answers."""
        series = [Series({'__name__': 'requests_total', 'instance': instance, 'job': job}, self.samples(lambda i, k=k: i * (k + 1) % 400))
                  for k, (instance, job) in enumerate([('a', 'api'), ('b', 'api'), ('c', 'w<b')])]
        series += [Series({'__name__': 'took_bucket', 'instance': 'a', 'le': le}, self.samples(lambda i, n=n: i * n))
                   for le, n in (('+Inf', 4), ('0.1', 1), ('1', 3))]
        series += [Series({'__name__': 'up', 'instance': instance, 'job': job}, self.samples(lambda i, v=v: v))
                   for instance, job, v in (('a', 'api', 1), ('b', 'api', 0), ('c', 'w<b', 1))]
        body = literal_snappy(write_v1(*series))
        for url in (self.daemon.url, self.peer.url):
            self.assertEqual(peers.post(f'{url}/api/v1/write', body, headers=HEADERS), (204, ''))

    def same(self, path, form=None):
        ours, theirs = as_now(ask(self.daemon.url, path, form)), as_now(ask(self.peer.url, path, form))
        self.assertEqual(ours, theirs, f'{path} {form}')
        return ours

    def data(self, path, form=None):
        status, body = self.same(path, form)
        self.assertEqual((status, body['status']), (200, 'success'), path)
        return body['data']

    def test_queries_are_answered_as_prometheus_answers_them(self):
        self.assertEqual(ask(self.daemon.url, 'query', {'query': '1+1', 'time': '4'}),
                         (200, {'status': 'success', 'data': {'resultType': 'scalar', 'result': [4, '2']}}))
        for query in INSTANT:
            got = self.data('query', {'query': query, 'time': self.at})
            self.assertEqual(got, self.data(f'query?{urllib.parse.urlencode({"query": query}, quote_via=urllib.parse.quote)}&time={self.at}'))
        for query in RANGE:
            self.data('query_range', {'query': query, 'start': self.start, 'end': self.at, 'step': '15'})
        self.assertEqual(len(self.data('query', {'query': 'up', 'time': self.at})['result']), 3)
        matrix = self.data('query_range', {'query': 'up{instance="a"}', 'start': self.start, 'end': self.at, 'step': '15s'})['result']
        self.assertEqual([value for _, value in matrix[0]['values']], ['1'] * 41)

    def test_bad_requests_get_the_same_words(self):
        for path in BROKEN:
            with self.subTest(path):
                self.assertGreaterEqual(self.same(path)[0], 400)

    def test_the_builder_finds_metrics_labels_and_series(self):
        window = {'start': self.start, 'end': self.at}
        query = urllib.parse.urlencode(window)
        self.assertEqual(self.data(f'label/__name__/values?{query}'), ['requests_total', 'took_bucket', 'up'])
        self.assertEqual(self.data(f'label/job/values?{query}'), ['api', 'w<b'])
        self.assertEqual(self.data(f'label/job/values?match[]=took_bucket&{query}'), [])
        self.assertEqual(self.data(f'label/instance/values?match[]=up{{job="api"}}&match[]=took_bucket&{query}'), ['a', 'b'])
        self.assertEqual(self.data('labels', window), ['__name__', 'instance', 'job', 'le'])
        self.assertEqual(self.data('labels', {**window, 'match[]': ['up{job="api"}']}), ['__name__', 'instance', 'job'])
        self.assertEqual(len(self.data('series', {**window, 'match[]': ['up', '{instance="a"}']})), 7)
        self.assertEqual(self.data(f'series?match[]=nothing&{query}'), [])
        self.assertEqual(self.data('metadata?limit=10'), {})
        self.assertEqual(self.data('query_exemplars', {**window, 'query': 'rate(requests_total[5m])'}), [])
        for path, count in (('labels?', 4), ('label/__name__/values?', 3), ('series?match[]=up&', 3)):
            status, body = ask(self.daemon.url, f'{path}limit=2')
            self.assertEqual((status, len(body['data']), body['warnings']), (200, 2, ['results truncated due to limit']))
            self.assertEqual(len(ask(self.daemon.url, f'{path}limit={count}')[1]['data']), count)
            self.assertNotIn('warnings', ask(self.daemon.url, f'{path}limit={count}')[1])

    def test_rules_and_alerts_have_the_same_shape(self):
        self.file('rules.yml', RULES)
        self.daemon.send(signal.SIGHUP)
        self.peer.send(signal.SIGHUP)

        def evaluated(url):
            groups = ask(url, 'rules')[1]['data']['groups']
            rules = groups[-1]['rules'] if groups else []
            return rules and rules[0]['health'] == 'ok' and rules[1].get('state') == 'firing' and rules[2]['health'] == 'ok'
        for url in (self.daemon.url, self.peer.url):
            peers.wait_for(f'firing rules at {url}', lambda url=url: evaluated(url))
        for path in ('rules', 'rules?type=alert', 'rules?type=record', 'alerts', 'rules?type=recording'):
            ours, theirs = as_now(ask(self.daemon.url, path)), as_now(ask(self.peer.url, path))
            self.assertEqual(plain(self.evaluated_alike(ours)), plain(self.evaluated_alike(theirs)), path)
        alert = ask(self.daemon.url, 'alerts')[1]['data']['alerts'][0]
        self.assertEqual(alert['labels'], {'alertname': 'Up', 'instance': 'a', 'job': 'api', 'severity': 'page'})
        self.assertEqual((alert['annotations'], alert['state'], alert['value']), ({'summary': 'a <is> up'}, 'firing', '1e+00'))
        page = ask(self.daemon.url, 'rules?group_limit=1')[1]['data']
        rest = ask(self.daemon.url, f'rules?group_limit=1&group_next_token={page["groupNextToken"]}')[1]['data']
        self.assertEqual([g['name'] for g in page['groups'] + rest['groups']], ['empty', 'shop'])
        self.assertNotIn('groupNextToken', rest)

    def evaluated_alike(self, answer):
        """The group with an hour's interval may have been evaluated by one of them; 2.42 lists groups that were left without rules."""
        status, body = answer
        if 'groups' in body.get('data', {}):
            body['data']['groups'] = [group for group in body['data']['groups'] if group['rules']]
        for group in body.get('data', {}).get('groups', []):
            for rule in group['rules']:
                if group['name'] == 'empty':
                    rule['health'] = rule['state'] = 'any'
        return status, body

    def test_statistics_count_what_prometheus_counts(self):
        for query in COUNTED:
            for api, form in (('query', {'time': self.at}), ('query_range', {'start': self.start, 'end': self.at, 'step': '60'})):
                form = {**form, 'query': query, 'stats': 'all'}
                ours, theirs = (ask(url, api, form)[1]['data'] for url in (self.daemon.url, self.peer.url))
                self.assertEqual(ours['result'], theirs['result'], query)
                for key in ('totalQueryableSamples', 'totalQueryableSamplesPerStep'):
                    self.assertEqual(ours['stats']['samples'][key], theirs['stats']['samples'][key], f'{api} {query} {key}')
                self.assertEqual(set(ours['stats']['timings']), set(theirs['stats']['timings']))
                self.assertLessEqual(ours['stats']['samples']['samplesRead'], ours['stats']['samples']['totalQueryableSamples'] + 100)
        self.assertNotIn('stats', ask(self.daemon.url, 'query?query=up')[1]['data'])
        self.assertNotIn('totalQueryableSamplesPerStep', ask(self.daemon.url, 'query?query=up&stats=true')[1]['data']['stats']['samples'])

    def test_expressions_are_laid_out_alike(self):
        for query in WRITTEN:
            pretty = self.data('format_query', {'query': query})
            self.assertEqual(self.data('format_query', {'query': pretty}), pretty)
            tree, again = (ask(self.daemon.url, 'parse_query', {'query': text}) for text in (query, pretty))
            self.assertEqual(tree[0], 200)
            self.assertEqual(self.sorted_matchers(tree), self.sorted_matchers(again))

    def sorted_matchers(self, node):
        """The canonical text puts matchers in order."""
        if isinstance(node, dict):
            node = {k: self.sorted_matchers(v) for k, v in node.items()}
            return {**node, 'matchers': sorted(node['matchers'], key=str)} if 'matchers' in node else node
        return [self.sorted_matchers(v) for v in node] if isinstance(node, (list, tuple)) else node

    def test_the_process_tells_what_it_is(self):
        def both(path):
            return ask(self.daemon.url, path)[1]['data'], ask(self.peer.url, path)[1]['data']
        for path in ('status/buildinfo', 'status/walreplay', 'status/config', 'status/tsdb', 'alertmanagers'):
            ours, theirs = both(path)
            self.assertEqual(set(ours), set(theirs), path)
        ours, theirs = both('status/runtimeinfo')
        self.assertLessEqual(set(theirs), set(ours) | {'maxSamples'})
        self.assertTrue(ours['reloadConfigSuccess'])
        ours, theirs = both('status/flags')
        self.assertLessEqual(set(ours), set(theirs) | {'storage.path'})
        self.assertEqual(ours['query.lookback-delta'], theirs['query.lookback-delta'])
        peers.wait_for('alertmanagers of the peer', lambda: both('alertmanagers')[1]['activeAlertmanagers'])
        self.assertEqual(*both('alertmanagers'))
        yaml = both('status/config')[0]['yaml']
        self.assertIn('"site": "here"', yaml)
        self.assertIn('path_prefix: /am', yaml)
        self.assertEqual(set(both('targets')[1]) - set(both('targets')[0]), set())
        self.assertTrue(ask(self.daemon.url, 'features')[1]['data']['api']['query_stats'])
        self.assertEqual(ask(self.daemon.url, 'notifications'), (200, {'status': 'success', 'data': []}))

    def test_other_flavours_are_not_taken_for_it(self):
        """Grafana probes these to tell Mimir and Cortex from Prometheus."""
        for path in ('rules/test/test', 'api/v1/rules/test/test', 'api/v1/status/config/x', 'loki/api/v1/labels', 'api/prom/api/v1/labels',
                     'api/v1/cardinality/label_names', 'config/v1/rules'):
            status, _, body = fetch(f'{self.daemon.url}/{path}')
            self.assertEqual((status, body), (404, b'404 page not found\n'), path)

    def test_browsers_may_ask_directly(self):
        origin = {'Origin': 'http://grafana.example'}
        for url in (self.daemon.url, self.peer.url):
            for method, path, body in (('OPTIONS', 'query', None), ('GET', 'query?query=1', None), ('POST', 'query', b'query=1')):
                status, headers, _ = fetch(f'{url}/api/v1/{path}', method, body, {**origin, 'Content-Type': FORM})
                self.assertEqual(status, 204 if method == 'OPTIONS' else 200, f'{url} {method}')
                self.assertEqual(headers['Access-Control-Allow-Origin'], '*')
                self.assertEqual(headers['Access-Control-Allow-Methods'], 'GET, POST, OPTIONS')
                self.assertEqual(headers['Access-Control-Allow-Headers'], 'Accept, Authorization, Content-Type, Origin')
                self.assertEqual(headers['Access-Control-Expose-Headers'], 'Date')
                self.assertTrue(headers['Date'])
        self.assertEqual(fetch(f'{self.daemon.url}/-/reload', 'POST', b'', origin)[0], 403)
        self.assertEqual(fetch(f'{self.daemon.url}/api/v1/write', 'POST', b'x', {**origin, **HEADERS})[0], 403)

    def test_large_answers_are_compressed_for_those_who_take_it(self):
        path = f'{self.daemon.url}/api/v1/query_range?query=requests_total&start={self.start}&end={self.at}&step=15'
        _, headers, packed = fetch(path, headers={'Accept-Encoding': 'gzip'})
        _, plain_headers, text = fetch(path)
        self.assertEqual((headers['Content-Encoding'], plain_headers['Content-Encoding']), ('gzip', None))
        self.assertEqual(gzip.decompress(packed), text)
        self.assertLess(len(packed), len(text) / 2)


class Federation(peers.Case):
    def test_prometheus_scrapes_chosen_series(self):
        self.file('tocsin.yml', 'global: {external_labels: {site: here}}\n')
        daemon = self.tocsin()
        config = f'''
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: {{'match[]': ['{{job="api"}}', 'up']}}
    static_configs: [{{targets: ["127.0.0.1:{daemon.port}"]}}]
'''
        peer = self.prometheus(config)
        now_ms = int(time.time() * 1000)
        series = [Series({'__name__': 'level', 'instance': 'x', 'job': 'api', 'text': 'a"\\\n<é'}, [(now_ms, 1.5e6)]),
                  Series({'__name__': 'level', 'job': 'other'}, [(now_ms, 1)]),
                  Series({'__name__': 'up', 'job': 'none'}, [(now_ms, 0)])]
        body = literal_snappy(write_v1(*series))
        self.assertEqual(peers.post(f'{daemon.url}/api/v1/write', body, headers=HEADERS)[0], 204)
        query = f'{peer.url}/api/v1/query?query=level[5m]'
        result = peers.wait_for('the federated series', lambda: peers.get_json(query)['data']['result'])
        self.assertEqual(result, [{'metric': {'__name__': 'level', 'instance': 'x', 'job': 'api', 'site': 'here', 'text': 'a"\\\n<é'},
                                   'values': [[now_ms / 1000, '1500000']]}])
        up = peers.get_json(f'{peer.url}/api/v1/query?query=up{{job="none"}}[5m]')['data']['result']
        self.assertEqual(up, [{'metric': {'__name__': 'up', 'job': 'none', 'site': 'here'}, 'values': [[now_ms / 1000, '0']]}])

    def test_prometheus_scrapes_native_histograms(self):
        self.file('tocsin.yml', '')
        daemon = self.tocsin()
        config = f'''
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: {{'match[]': ['{{job="api"}}']}}
    static_configs: [{{targets: ["127.0.0.1:{daemon.port}"]}}]
'''
        peer = self.prometheus(config, '--enable-feature=native-histograms')
        now_ms = int(time.time() * 1000)
        histogram = Histogram(now_ms, 2, 10.5, 3, 0.01, positive=[(-3, [1, 2]), (2, [4])], negative=[(5, [1.5])], floats=True)
        whole = Histogram(now_ms, -1, 7, positive=[(0, [3, 1])])
        body = literal_snappy(write_v1(Series({'__name__': 'took', 'job': 'api', 'kind': 'float'}, histograms=[histogram]),
                                       Series({'__name__': 'took', 'job': 'api', 'kind': 'none'}, [(now_ms, 5)]),
                                       Series({'__name__': 'took', 'job': 'api', 'kind': 'whole'}, histograms=[whole])))
        self.assertEqual(peers.post(f'{daemon.url}/api/v1/write', body, headers=HEADERS)[0], 204)

        def told(url):
            return peers.get_json(f'{url}/api/v1/query?query=took[10m]')['data']['result']

        theirs = peers.wait_for('the federated series', lambda: len(told(peer.url)) == 3 and told(peer.url))
        self.assertEqual([len(s.get('histograms', [])) for s in theirs], [1, 0, 1])
        self.assertEqual(theirs, told(daemon.url))


if __name__ == '__main__':
    peers.main()
