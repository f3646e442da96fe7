"""The daemon as people run it: reload, bad files, signals, restarts."""
import pathlib
import signal
import subprocess
import time
import urllib.parse

import peers

ROUTES = '''
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}/"}}]}}]
'''

RULES = '''
groups:
  - name: g
    interval: 1s
    rules: [{{alert: {name}, expr: vector(1)}}]
'''

CHAINED = '''
groups:
  - name: g
    interval: 1s
    rules:
      - {record: a, expr: time()}
      - {record: b, expr: 2 * time()}
      - {alert: Fires, expr: vector(time()) > 0}
      - {record: sum, expr: 'a + b + scalar(count(ALERTS{alertname="Fires"}))'}
'''

TOCSIN = '''
rule_files: [rules.yml]
alertmanager_config_file: routes.yml
'''


class TheDaemon(peers.Case):
    def setUp(self):
        super().setUp()
        self.hook = self.webhook()
        self.file('routes.yml', ROUTES.format(url=self.hook.url))
        self.file('rules.yml', RULES.format(name='Always'))
        self.file('tocsin.yml', TOCSIN)

    def test_ends_with_status_zero_on_sigterm_and_on_ctrl_c(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.tocsin().stop(number), 0)

    def test_rules_beside_each_other_come_to_what_they_come_to_in_order(self):
        self.file('rules.yml', CHAINED)
        for flags, at_once in ((), False), (('--enable-feature=concurrent-rule-eval', '--rules.evaluators=4'), True):
            begun = time.time()
            daemon = self.tocsin(*flags)
            features = peers.get_json(f'{daemon.url}/api/v1/features')['data']
            self.assertEqual(features['rules']['concurrent_rule_eval'], at_once)

            def slots():
                result = peers.get_json(f'{daemon.url}/api/v1/query?query=sum[1m]')['data']['result']
                values = [(t, value) for series in result for t, value in series['values'] if t > begun]
                return values if len(values) > 3 else None
            for t, value in peers.wait_for('slots', slots):
                self.assertAlmostEqual(float(value), 3 * t + 1, places=1)
            self.hook.page('firing', 'Fires')
            rules = peers.get_json(f'{daemon.url}/api/v1/rules')['data']['groups'][0]['rules']
            self.assertEqual([rule['health'] for rule in rules], ['ok'] * 4)
            self.assertEqual(daemon.stop(), 0)

    def test_takes_over_new_rules_on_sighup(self):
        daemon = self.tocsin()
        self.hook.page('firing', 'Always')
        self.file('rules.yml', RULES.format(name='Instead'))
        daemon.send(signal.SIGHUP)
        self.hook.page('firing', 'Instead')
        self.assertEqual(daemon.stop(), 0)

    def test_keeps_the_rules_in_force_when_a_file_is_bad(self):
        daemon = self.tocsin()
        self.file('rules.yml', 'groups: [{name: g, rules: [{alert: A, expr: "sum("}]}]')
        status, text = peers.post(f'{daemon.url}/-/reload')
        self.assertEqual(status, 500)
        self.assertIn('rules.yml', text)
        self.assertIn('unclosed left parenthesis', text)
        groups = peers.get_json(f'{daemon.url}/api/v1/rules')['data']['groups']
        self.assertEqual(groups[0]['rules'][0]['name'], 'Always')
        self.assertNotIn('1m17s', peers.get(f'{daemon.url}/api/v1/status/config'))
        self.file('rules.yml', RULES.format(name='Mended'))
        with open(self.folder / 'tocsin.yml', 'a', encoding='utf-8') as config:
            config.write('\nstorage: {retention: 2d, keep: all, out_of_order_time_window: 77s}\n')
        self.assertEqual(peers.post(f'{daemon.url}/-/reload')[0], 200)
        self.assertIn('out_of_order_time_window: 1m17s', peers.get(f'{daemon.url}/api/v1/status/config'))
        self.hook.page('firing', 'Mended')

    def test_pages_nobody_twice_after_kill_dash_nine(self):
        daemon = self.tocsin()
        self.hook.page('firing', 'Always')
        peers.wait_for('the page in the notification log', lambda: '\ntocsin_notification_log_entries 1\n' in peers.get(f'{daemon.url}/metrics'))
        daemon.stop(signal.SIGKILL)
        again = self.tocsin()

        def seen():
            """Evaluated four times, and known to the router: between two evaluations lies a tick of the group, and each may send."""
            groups = peers.get_json(f'{again.url}/api/tocsin/v1/rules')['data']['groups']
            alerts = peers.get_json(f'{again.url}/api/v2/alerts')
            return groups[0]['iterations'] >= 4 and alerts and alerts[0]['labels']['alertname'] == 'Always'
        peers.wait_for('the alert after the restart', seen)
        self.assertEqual(len(self.hook.pages), 1)

    def test_says_what_is_wrong_and_where_before_it_starts(self):
        self.file('tocsin.yml', 'rule_files: [rules.yml]\nglobal:\n  evaluation_intervall: 1s\n')
        done = subprocess.run([peers.TOCSIN, 'serve', f'--config.file={self.folder}/tocsin.yml'], capture_output=True, text=True,
                              timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn('line 3: field evaluation_intervall not found', done.stderr)

    def run_tocsin(self, *arguments):
        return subprocess.run([peers.TOCSIN, *arguments], capture_output=True, text=True, timeout=30, cwd=self.folder)

    def test_has_one_set_of_features_for_rules_api_check_and_test(self):
        experimental, delayed = (f'--enable-feature=promql-{name}' for name in ('experimental-functions', 'delayed-name-removal'))
        self.file('rules.yml', RULES.format(name='Sampled').replace('vector(1)', '"limitk(1, vector(1))"'))
        self.file('rules_test.yml', """
rule_files: [rules.yml]
tests:
- alert_rule_test: [{eval_time: 1m, alertname: Sampled, exp_alerts: [{}]}]
  promql_expr_test:
  - {expr: 'label_replace(-ALERTS, "was", "$1", "__name__", "(.+)")', eval_time: 1m,
     exp_samples: [{labels: '{alertname="Sampled",alertstate="firing",was="ALERTS"}', value: -1}]}
""")
        for command in (('serve', '--config.file=tocsin.yml', '--storage.path='), ('check', 'rules', 'rules.yml'), ('check', 'config', 'tocsin.yml'),
                        ('test', 'rules', 'rules_test.yml')):
            done = self.run_tocsin(*command)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn('must be enabled with --enable-feature=promql-experimental-functions', done.stdout + done.stderr)
            done = self.run_tocsin(command[0], '--enable-feature=promql-experimental', *command[1:])
            self.assertEqual(done.returncode, 2, done)
            self.assertIn('"promql-experimental" is not known; known are promql-experimental-functions, ', done.stderr)
        self.assertEqual(self.run_tocsin('check', 'rules', experimental, 'rules.yml').returncode, 0)
        self.assertEqual(self.run_tocsin('check', 'config', experimental, 'tocsin.yml').returncode, 0)
        self.assertEqual(self.run_tocsin('test', 'rules', experimental, 'rules_test.yml').returncode, 1)
        done = self.run_tocsin('test', 'rules', experimental, delayed, 'rules_test.yml')
        self.assertEqual(done.returncode, 0, done)
        daemon = self.tocsin(experimental, delayed + ',native-histograms')
        self.hook.page('firing', 'Sampled')
        flags = peers.get_json(f'{daemon.url}/api/v1/status/flags')['data']
        self.assertEqual(flags['enable-feature'], 'promql-experimental-functions,promql-delayed-name-removal,native-histograms')
        query = urllib.parse.quote('label_replace(limitk(1, -ALERTS), "was", "$1", "__name__", "(.+)")')
        answer = peers.get_json(f'{daemon.url}/api/v1/query?query={query}')
        self.assertEqual(answer['data']['result'][0]['metric']['was'], 'ALERTS')
        self.assertEqual(daemon.text().count('feature=native-histograms'), 1)

    def test_takes_over_a_configuration_as_a_whole_or_not_at_all(self):
        config = TOCSIN + 'limits: {{standing_selectors: 2}}\nglobal: {{external_labels: {{region: {region}}}}}\n'
        self.file('tocsin.yml', config.format(region='old'))
        daemon = self.tocsin('--rules.alert.resend-delay=1s')
        self.hook.page('firing', 'Always')
        self.file('tocsin.yml', config.format(region='new'))
        self.file('rules.yml', RULES.format(name='Always').replace('vector(1)', 'a + b + c'))
        status, text = peers.post(f'{daemon.url}/-/reload')
        self.assertEqual(status, 500)
        self.assertIn('standing_selectors', text)

        def iterations():
            return peers.get_json(f'{daemon.url}/api/tocsin/v1/rules')['data']['groups'][0]['iterations']
        before = iterations()
        peers.wait_for('the alert to be told again', lambda: iterations() >= before + 4)
        regions = [alert['labels']['region'] for alert in peers.get_json(f'{daemon.url}/api/v2/alerts')]
        self.assertEqual(regions, ['old'])

    def test_limits_bind_from_the_start_and_change_only_with_a_restart(self):
        def series_limit():
            return '\ntocsin_limit{limit="series",unit="series"} 77\n' in peers.get(f'{daemon.url}/metrics')
        self.file('tocsin.yml', TOCSIN + 'limits: {series: 77}\n')
        daemon = self.tocsin()
        self.assertTrue(series_limit())
        self.assertEqual(peers.post(f'{daemon.url}/-/reload')[0], 200)
        self.file('tocsin.yml', TOCSIN)
        status, text = peers.post(f'{daemon.url}/-/reload')
        self.assertEqual((status, text), (500, 'failed to reload config: changing limits needs a restart\n'))
        self.assertTrue(series_limit())
        self.hook.page('firing', 'Always')

    def test_refuses_a_port_that_is_taken(self):
        daemon = self.tocsin()
        done = subprocess.run([peers.TOCSIN, 'serve', f'--config.file={self.folder}/tocsin.yml', '--storage.path=',
                               f'--web.listen-address=127.0.0.1:{daemon.port}'], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(daemon.port), done.stderr)

    def test_takes_what_simulate_pushes_in_pieces(self):
        daemon = self.tocsin()
        done = subprocess.run([peers.TOCSIN, 'simulate', f'--url={daemon.url}/api/v1/write', '--services=1', '--instances=1',
                               '--kubernetes', '--samples-per-push=7', '--connections=2', '--backfill=60s', '--backfill-step=30s', '--for=1s'],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('backfill done: 36 samples in 6 pushes\n', done.stderr)
        self.assertTrue(done.stderr.endswith('pushed 54 samples in 9 pushes, 0 of them refused\n'), done.stderr)
        for query, value in (('count(%7Bpod!=""%7D)', '18'), ('count_over_time(up%5B5m%5D)', '3')):
            answer = peers.get_json(f'{daemon.url}/api/v1/query?query={query}')
            self.assertEqual(answer['data']['result'][0]['value'][1], value)

    def test_accepts_a_prometheus_configuration_as_it_is(self):
        self.file('tocsin.yml', TOCSIN + 'scrape_configs: [{job_name: x, static_configs: [{targets: ["h:1"]}]}]\n')
        daemon = self.tocsin()
        self.assertIn('scrape_configs', pathlib.Path(daemon.log).read_text())


if __name__ == '__main__':
    peers.main()
