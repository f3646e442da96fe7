"""Rule files as they lie about: manifests in folders, reloads of all or nothing, selectors held against running servers."""
import subprocess
import unittest

import peers

MANIFEST = '''
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {{name: {name}, namespace: shop}}
spec:
  groups:
  - name: {name}
    interval: 1s
    rules:
    - {{record: made_by_{name}, expr: vector(1)}}
'''

ASKING = '''
groups:
- name: g
  rules:
  - {record: a, expr: 'sum(there{x!="y"})'}
  - {record: b, expr: 'rate(not_there[5m])'}
'''


class RuleFiles(peers.Case):
    def rules(self):
        groups = peers.get_json(f'{self.daemon.url}/api/v1/rules')['data']['groups']
        return sorted(f"{g['file'].removeprefix(str(self.folder) + '/')};{g['name']}" for g in groups)

    def setUp(self):
        super().setUp()
        for team in ('one', 'two'):
            (self.folder / 'rules' / team).mkdir(parents=True)
            self.file(f'rules/{team}/x.yml', MANIFEST.format(name=team))
        self.file('tocsin.yml', 'rule_files: ["./rules/*/x.yml"]\n')
        self.daemon = self.tocsin()

    def test_manifests_below_a_wildcard_run_as_they_are(self):
        self.assertEqual(self.rules(), ['rules/one/x.yml;one', 'rules/two/x.yml;two'])
        self.recorded('made_by_two')

    def recorded(self, name):
        peers.wait_for(name, lambda: peers.get_json(f'{self.daemon.url}/api/v1/query?query={name}')['data']['result'])

    def test_one_bad_object_changes_nothing(self):
        both = MANIFEST.format(name='one') + '---' + MANIFEST.format(name='three')
        self.file('rules/one/x.yml', both.replace('record: made_by_three', 'recording: made_by_three'))
        status, text = peers.post(f'{self.daemon.url}/-/reload')
        self.assertEqual(status, 500)
        self.assertIn('rules/one/x.yml: yaml: unmarshal errors:\n  line 20: field recording not found in type rulefmt.Rule', text)
        self.assertEqual(self.rules(), ['rules/one/x.yml;one', 'rules/two/x.yml;two'])
        self.file('rules/one/x.yml', both)
        self.assertEqual(peers.post(f'{self.daemon.url}/-/reload')[0], 200)
        self.assertEqual(self.rules(), ['rules/one/x.yml#shop/one;one', 'rules/one/x.yml#shop/three;three', 'rules/two/x.yml;two'])

    def check_against(self, url, *flags):
        done = subprocess.run([peers.TOCSIN, 'check', 'rules', f'--against={url}', *flags, 'asking.yml'], capture_output=True, text=True,
                              timeout=30, cwd=self.folder)
        return done.returncode, done.stderr

    def test_selectors_are_held_against_tocsin(self):
        self.recorded('made_by_one')
        self.file('asking.yml', ASKING.replace('there{', 'made_by_one{'))
        self.expect_one_missing(self.daemon.url)

    def test_selectors_are_held_against_prometheus(self):
        self.file('made.yml', 'groups: [{name: g, rules: [{record: there, expr: vector(1)}]}]')
        prometheus = self.prometheus('global: {evaluation_interval: 1s}\nrule_files: [made.yml]\n')
        peers.wait_for('there', lambda: peers.get_json(f'{prometheus.url}/api/v1/query?query=there')['data']['result'])
        self.file('asking.yml', ASKING)
        self.expect_one_missing(prometheus.url + '/')

    def expect_one_missing(self, url):
        warning = ('  WARNING: asking.yml: 6:23: group "g", rule 2, "b": {__name__="not_there"} matched no series in the last hour '
                   '(no-series)\n')
        self.assertEqual(self.check_against(url), (0, warning))
        self.assertEqual(self.check_against(url, '--lint=no-series', '--lint-fatal'), (3, warning))

    def test_a_server_that_is_not_there_is_a_failure(self):
        self.file('asking.yml', ASKING)
        status, text = self.check_against(f'http://127.0.0.1:{peers.free_port()}')
        self.assertEqual(status, 1)
        self.assertIn("Couldn't connect", text)


if __name__ == '__main__':
    unittest.main()
