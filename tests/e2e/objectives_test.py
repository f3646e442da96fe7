"""Objectives in the running engine: loaded with the configuration or not at all, shown as rules, and printed for Prometheus."""
import shutil
import subprocess
import time
import unittest

import peers
from push import HEADERS, literal_snappy, series

OWN = '''
version: tocsin/v1
service: shop
slos:
- {{name: answers, objective: {objective}, sli: {{bad: 'requests_total{{code="500"}}', total: requests_total}}}}
'''

SLOTH = '''
version: prometheus/v1
service: shop
slos:
- name: orders
  objective: 95
  sli: {events: {error_query: 'sum(rate(bad[{{.window}}]))', total_query: 'sum(rate(all[{{.window}}]))'}}
  alerting: {name: OrdersFail, page_alert: {labels: {severity: critical}}, ticket_alert: {disable: true}}
'''

CONFIG = 'global: {evaluation_interval: 1s}\nslo_files: ["slos/*.yml"]\nrules: {groups: [{group: "shop-.*", catch_up: 1m}]}\n'


class Objectives(peers.Case):
    def setUp(self):
        super().setUp()
        (self.folder / 'slos').mkdir()
        self.file('slos/own.yml', OWN.format(objective='99.9'))
        self.file('slos/sloth.yml', SLOTH)
        self.file('tocsin.yml', CONFIG)

    def groups(self):
        found = peers.get_json(f'{self.daemon.url}/api/v1/rules')['data']['groups']
        return {g['name']: g for g in found}

    def command(self, *words):
        done = subprocess.run([peers.TOCSIN, *words], capture_output=True, text=True, timeout=60, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def value(self, query):
        found = peers.get_json(f'{self.daemon.url}/api/v1/query?query={query}')['data']['result']
        return float(found[0]['value'][1]) if found else None

    def test_each_is_a_group_that_records_and_alerts(self):
        self.daemon = self.tocsin()
        groups = self.groups()
        self.assertEqual(sorted(groups), ['shop-answers', 'shop-orders'])
        self.assertTrue(groups['shop-answers']['file'].endswith('slos/own.yml'))
        self.assertIn('OrdersFail', [rule['name'] for rule in groups['shop-orders']['rules']])
        self.assertEqual({rule['health'] for g in groups.values() for rule in g['rules']} - {'ok', 'unknown'}, set())
        peers.wait_for('the objective', lambda: self.value('tocsin_slo_objective_ratio{slo="shop-answers"}') == 0.999)

    def test_errors_become_a_page(self):
        self.daemon = self.tocsin()
        self.push(100)
        peers.wait_for('a page', lambda: (self.push(100), self.value(
            'ALERTS{alertname="ErrorBudgetBurn",alertstate="firing",severity="page",slo="shop-answers"}'))[1] == 1)
        self.assertGreater(self.value('tocsin_slo_burn_rate{slo="shop-answers",window="1h"}'), 14.4)

    def push(self, step):
        self.count = getattr(self, 'count', 0) + step
        now_ms = int(time.time() * 1000)
        body = b''.join(series([(b'__name__', b'requests_total'), (b'code', code)], [(now_ms, self.count)]) for code in (b'200', b'500'))
        peers.post(f'{self.daemon.url}/api/v1/write', literal_snappy(body), headers=HEADERS)
        time.sleep(0.2)

    def test_one_that_is_wrong_changes_nothing(self):
        self.daemon = self.tocsin()
        self.file('slos/own.yml', OWN.format(objective='99.5'))
        self.file('slos/sloth.yml', SLOTH.replace('sum(rate(bad[', 'sum(rat(bad['))
        status, text = peers.post(f'{self.daemon.url}/-/reload')
        self.assertEqual(status, 500)
        self.assertIn('slos/sloth.yml', text)
        self.assertIn('unknown function with name "rat"', text)
        self.assertIn('shop-orders', self.groups())
        peers.wait_for('the objective', lambda: self.value('tocsin_slo_objective_ratio{slo="shop-answers"}') == 0.999)
        self.assertEqual(self.command('check', 'config', 'tocsin.yml')[0], 1)
        self.file('slos/sloth.yml', SLOTH)
        self.assertEqual(self.command('check', 'config', 'tocsin.yml')[:2], (0, 'Checking tocsin.yml\n'
                         '  SUCCESS: 0 rule files with 44 rules\n'
                         '  SUCCESS: 2 SLO files with 2 objectives, whose rules are among these\n'))
        self.assertEqual(peers.post(f'{self.daemon.url}/-/reload')[0], 200)
        peers.wait_for('the new objective', lambda: self.value('tocsin_slo_objective_ratio{slo="shop-answers"}') == 0.995)

    def test_the_printed_rules_are_prometheus(self):
        status, text, errors = self.command('slo', 'generate', '--format=prometheus', 'slos/own.yml', 'slos/sloth.yml')
        self.assertEqual((status, errors), (0, ''))
        self.file('made.yml', text)
        status, told, _ = self.command('check', 'rules', 'made.yml')
        self.assertEqual(status, 0, told)
        promtool = peers.ROOT / 'build/peers/usr/bin/promtool'
        promtool = str(promtool) if promtool.exists() else shutil.which('promtool')
        if promtool is None:
            self.skipTest('promtool is missing')
        done = subprocess.run([promtool, 'check', 'rules', 'made.yml'], capture_output=True, text=True, timeout=60, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_cannot_become_rules_is_told_by_the_check_of_files(self):
        self.assertEqual(self.command('check', 'slo', 'slos/own.yml', 'slos/sloth.yml')[0], 0)
        self.file('slos/own.yml', OWN.format(objective='100, policy: {}'))
        status, _, errors = self.command('check', 'slo', 'slos/own.yml', 'slos/sloth.yml')
        self.assertEqual(status, 1)
        self.assertIn('slos/own.yml:5: shop-answers: a policy needs a target under 100 %', errors)

    def test_burn_tables_are_as_their_script_writes_them(self):
        self.assertEqual(subprocess.run([peers.ROOT / 'tests/page/burn_table', '--check'], timeout=60).returncode, 0)

    def test_a_wrong_file_prints_nothing(self):
        self.file('slos/own.yml', OWN.format(objective='101'))
        status, text, errors = self.command('slo', 'generate', '--format=prometheus', 'slos/own.yml', 'slos/none.yml')
        self.assertEqual((status, text), (1, ''))
        self.assertIn('slos/own.yml:5: ', errors)
        self.assertIn('slos/none.yml: ', errors)


if __name__ == '__main__':
    unittest.main()
