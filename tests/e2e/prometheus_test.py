"""The whole way with real peers: exporter -> Prometheus 2.42 -> Tocsin -> webhook and Debian's Alertmanager."""
import json
import time

import peers
from push import HEADERS, Series, literal_snappy, write_v1

ROUTES = '''
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}/"}}]}}]
'''

RULES = '''
groups:
  - name: exporter
    interval: 1s
    rules:
      - record: service:errors:ratio_rate20s
        expr: sum by (service) (rate(http_requests_total{code="500"}[20s])) / sum by (service) (rate(http_requests_total[20s]))
      - alert: ErrorsHigh
        expr: service:errors:ratio_rate20s > 0.5
        labels: {severity: page}
        annotations: {summary: '{{ $labels.service }} fails {{ $value | humanizePercentage }} of its requests'}
'''

TOCSIN = '''
global: {{evaluation_interval: 1s, external_labels: {{site: test}}}}
rule_files: [rules.yml]
alertmanager_config_file: routes.yml
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
'''

PROMETHEUS = '''
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: exporter
    static_configs: [{{targets: ["127.0.0.1:{exporter}"], labels: {{service: shop}}}}]
  - job_name: tocsin
    static_configs: [{{targets: ["127.0.0.1:{tocsin}"]}}]
remote_write: [{{url: "http://127.0.0.1:{tocsin}/api/v1/write"}}]
'''


class AnExporterThatStartsToFail(peers.Case):
    def setUp(self):
        super().setUp()
        self.hook, self.far_hook = self.webhook(), self.webhook()
        self.exporter = self.keep(peers.Exporter())
        self.alertmanager_peer = self.alertmanager(ROUTES.format(url=self.far_hook.url))
        self.file('rules.yml', RULES)
        self.file('routes.yml', ROUTES.format(url=self.hook.url))
        self.file('tocsin.yml', TOCSIN.format(alertmanager=self.alertmanager_peer.port))
        self.daemon = self.tocsin()
        self.prometheus_peer = self.prometheus(PROMETHEUS.format(exporter=self.exporter.port, tocsin=self.daemon.port))

    def test_pages_the_webhook_and_debians_alertmanager_and_answers_the_tools(self):
        peers.wait_for('the ratio of a healthy service', lambda: self.ratio() == '0')
        self.assertEqual(self.hook.pages, [])
        self.exporter.failing = True

        page = self.hook.page('firing', 'ErrorsHigh')
        alert = page['alerts'][0]
        self.assertEqual(alert['labels']['service'], 'shop')
        self.assertEqual(alert['labels']['severity'], 'page')
        self.assertRegex(alert['annotations']['summary'], r'^shop fails [0-9.]+% of its requests$')
        far = self.far_hook.page('firing', 'ErrorsHigh')
        self.assertEqual(far['alerts'][0]['labels'], {**alert['labels'], 'site': 'test'})

        self.tools_answer()
        self.exporter.failing = False
        self.hook.page('resolved', 'ErrorsHigh')
        self.far_hook.page('resolved', 'ErrorsHigh')

    def ratio(self):
        found = peers.get_json(f'{self.daemon.url}/api/v1/query?query=service:errors:ratio_rate20s')['data']['result']
        return found[0]['value'][1] if found else None

    def tools_answer(self):
        table = self.output('amtool', f'--alertmanager.url={self.daemon.url}', 'alert', 'query')
        self.assertIn('ErrorsHigh', table)
        vector = self.output('promtool', 'query', 'instant', self.daemon.url, 'ALERTS{alertstate="firing"}')
        self.assertRegex(vector, r'ALERTS\{alertname="ErrorsHigh".*\} => 1 @')
        rules = peers.get_json(f'{self.daemon.url}/api/v1/rules')['data']['groups'][0]['rules']
        self.assertEqual([r['type'] for r in rules], ['recording', 'alerting'])
        self.assertEqual(rules[1]['state'], 'firing')
        alerts = peers.get_json(f'{self.daemon.url}/api/v1/alerts')['data']['alerts']
        self.assertEqual(alerts[0]['labels']['alertname'], 'ErrorsHigh')
        incidents = peers.get_json(f'{self.daemon.url}/api/tocsin/v1/incidents')
        self.assertIn('ErrorsHigh', json.dumps(incidents))

    def test_prometheus_scrapes_tocsins_own_metrics(self):
        def scraped():
            query = f'{self.prometheus_peer.url}/api/v1/query?query=prometheus_tsdb_head_samples_appended_total{{job="tocsin",type="float"}}'
            found = peers.get_json(query)['data']['result']
            return found and float(found[0]['value'][1]) > 0
        peers.wait_for('samples counted by Tocsin, seen by Prometheus', scraped)
        self.output('promtool', 'check', 'metrics', stdin=peers.get(f'{self.daemon.url}/metrics'))


class TheSamePush(peers.Case):
    def test_status_tsdb_is_told_as_prometheus_tells_it(self):
        self.file('tocsin.yml', '')
        daemon, peer = self.tocsin(), self.prometheus('global: {scrape_interval: 1m}\n')
        now_ms = int(time.time() * 1000)
        series = [Series({'__name__': name, 'job': 'api', 'pod': f'{name}-{i % 3}', 'zone': 'é' * i}, [(now_ms, 1)])
                  for name, count in (('up', 3), ('a', 1)) for i in range(1, count + 1)]
        body = literal_snappy(write_v1(*series))
        told = []
        for url in (daemon.url, peer.url):
            self.assertEqual(peers.post(f'{url}/api/v1/write', body, headers=HEADERS)[0], 204)
            answer = peers.get_json(f'{url}/api/v1/status/tsdb')
            del answer['data']['headStats']['chunkCount']
            for name, top in answer['data'].items():
                if name != 'headStats':
                    self.assertLessEqual(len(top), 10)
                    self.assertEqual([x['value'] for x in top], sorted((x['value'] for x in top), reverse=True))
                    top.sort(key=lambda x: (-x['value'], x['name']))
            told.append(answer)
        self.assertEqual(*told)


if __name__ == '__main__':
    peers.main()
