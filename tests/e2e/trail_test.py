"""Why was I (not) paged? Real alerts, a silence, a receiver that fails, a restart; what the API and `tocsin explain page` say of them."""
import http.server
import json
import re
import signal
import subprocess
import unittest

import peers

ROUTES = '''
route:
  receiver: team
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
  routes:
  - {matchers: [kind="slow"], receiver: team, group_wait: 1h}
  - {matchers: [kind="refused"], receiver: refusing}
inhibit_rules:
- {source_matchers: [alertname="Net"], target_matchers: [alertname="Disk"], equal: [host]}
receivers:
- {name: team, webhook_configs: [{url: "URL/hush-hush?token=secret"}]}
- {name: refusing, webhook_configs: [{url: "REFUSING/hush-hush?token=secret"}]}
'''
RULES = '''
groups: [{name: g, interval: 1s, rules: [{alert: Ruled, expr: vector(1), labels: {kind: slow}}]}]
'''
TIME = r'\d\d:\d\d:\d\d(?:\.\d{3})?Z'


class Refusing(peers.Server):
    """Says no for good."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers['Content-Length']))
                self.send_response(400)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *args):
                pass
        super().__init__(Handler)


class Trail(peers.Case):
    def setUp(self):
        super().setUp()
        self.hook, refusing = self.webhook(), self.keep(Refusing())
        self.file('alertmanager.yml', ROUTES.replace('URL', self.hook.url, 1).replace('REFUSING', refusing.url))
        self.file('rules.yml', RULES)
        self.file('tocsin.yml', 'alertmanager_config_file: alertmanager.yml\nrule_files: [rules.yml]\n')
        self.daemon = self.tocsin()

    def fire(self, name, **labels):
        body = json.dumps([{'labels': {'alertname': name, **labels}}]).encode()
        self.assertEqual(peers.post(f'{self.daemon.url}/api/v2/alerts', body, 'application/json')[0], 200)

    def silence(self, name):
        body = {'matchers': [{'name': 'alertname', 'value': name, 'isRegex': False, 'isEqual': True}], 'createdBy': 'bob',
                'comment': 'deploy', 'startsAt': '2026-01-01T00:00:00Z', 'endsAt': '2200-01-01T00:00:00Z'}
        status, text = peers.post(f'{self.daemon.url}/api/v2/silences', json.dumps(body).encode(), 'application/json')
        self.assertEqual(status, 200, text)
        return json.loads(text)['silenceID']

    def explain(self, *arguments, code=0):
        done = subprocess.run([peers.TOCSIN, 'explain', 'page', f'--url={self.daemon.url}/', *arguments], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, code, f'{arguments}: {done.stdout}{done.stderr}')
        self.assertNotIn('secret', done.stdout + done.stderr)
        self.assertNotIn('hush', done.stdout + done.stderr)
        return done.stdout if code < 2 else done.stderr

    def says(self, pattern, *arguments):
        """Waits until it says that; answers all it says."""
        def probe():
            text = self.explain(*arguments)
            return text if re.search(pattern, text, re.M) else None
        try:
            return peers.wait_for(pattern, probe)
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self.explain(*arguments)}') from None

    def test_what_was_paged_and_what_was_not(self):
        silence = self.silence('Quiet')
        self.fire('Loud', severity='page')
        self.fire('Quiet')
        self.fire('Slow', kind='slow')
        self.fire('Refused', kind='refused')
        self.fire('Net', host='a')
        self.fire('Disk', host='a')

        text = self.says('^paged: ', 'Loud')
        self.assertRegex(text, rf'(?m)^paged: team via webhook at {TIME} \(answered 200\)$')
        self.assertRegex(text, rf'(?m)^  {TIME}  came in, posted to the API$')
        self.assertRegex(text, rf'(?m)^  {TIME}  matched route {{}} of team; waits for group_wait until {TIME}; '
                               r'group {}:{alertname="Loud"}$')
        self.assertRegex(text, rf'(?m)^  {TIME}  team via webhook: sent \(answered 200\): firing: first notification$')
        self.assertEqual(text.count('alertname="Quiet"'), 0)

        held = rf"silenced by {silence} until 2200-01-01T00:00:00Z \(created by bob: 'deploy'\)"
        text = self.says(rf'^not paged: team: {held}$', 'alertname=~"Q.*"', 'severity=""')
        self.assertRegex(text, rf'(?m)^  {TIME}  team: {held}$')
        self.assertRegex(self.explain('Slow'), rf'(?m)^not paged: team: waits for group_wait until .*{TIME}$')
        self.says(rf'^not paged: refusing: webhook failed at {TIME} \(\d+ attempts?, answered 400', 'Refused')
        self.says(r'^not paged: team: inhibited by {alertname="Net", host="a"}$', 'Disk')
        self.says(rf'^  {TIME}  came in from a rule$', 'Ruled')

    def test_as_json_and_by_fingerprint(self):
        self.fire('Loud', severity='page')
        self.says('^paged: ', 'Loud')
        data = json.loads(self.explain('Loud', '-o', 'json'))['data']
        self.assertFalse(data['truncated'])
        alert, = data['alerts']
        self.assertEqual(alert['labels'], {'alertname': 'Loud', 'severity': 'page'})
        self.assertEqual(alert['state'], 'firing')
        self.assertEqual([v['paged'] for v in alert['verdicts']], [True])
        whats = [d['what'] for d in alert['decisions']]
        self.assertEqual(whats[:3], ['came', 'matched', 'sent'])
        sent = alert['decisions'][2]
        self.assertEqual((sent['receiver'], sent['integration'], sent['status'], sent['attempt'], sent['route'], sent['group']),
                         ('team', 'webhook', 200, 1, '{}', '{}:{alertname="Loud"}'))
        self.assertEqual(alert['next'][-1]['receiver'], 'team')
        self.assertRegex(alert['next'][-1]['text'], 'the group is flushed; this alert is no news until its repeat at ')
        self.assertIn(alert['fingerprint'], self.explain(alert['fingerprint']))
        self.assertEqual(len(json.loads(self.explain('--limit=1', '--output=json'))['data']['alerts']), 1)

    def test_questions_that_find_nothing_or_make_no_sense(self):
        self.assertIn('no alert matches', self.explain('Nothing', code=1))
        self.assertIn('no alert matches', self.explain('Nothing', '--receiver=tea', code=1))
        self.assertIn('HTTP status 400', self.explain('a=~"("', code=2))
        self.assertIn('--output is text or json', self.explain('-o', 'xml', code=2))
        self.assertIn('--limit', self.explain('--limit=0', code=2))
        self.daemon.stop(signal.SIGKILL)
        self.assertIn('Couldn', self.explain('A', code=2))

    def test_after_a_restart_the_notification_log_still_knows(self):
        self.fire('Loud', severity='page')
        before = self.says(r'^paged: team via webhook at \S+ \(answered 200\)$', 'Loud')
        at = re.search(rf'webhook at ({TIME})', before)[1]
        self.daemon.stop(signal.SIGKILL)
        self.daemon = self.tocsin()
        self.fire('Loud', severity='page')
        text = self.says(r'^paged: ', 'Loud')
        self.assertIn(f'paged: team via webhook at {at} (says the notification log)', text)
        self.assertEqual(len([p for p in self.hook.pages if p['groupLabels'] == {'alertname': 'Loud'}]), 1)


class Routes(peers.Case):
    def explain(self, *arguments, code=0):
        done = subprocess.run([peers.TOCSIN, 'explain', 'page', f'--config.file={self.folder}/alertmanager.yml', *arguments],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, f'{arguments}: {done.stdout}{done.stderr}')
        return done.stdout + done.stderr

    def test_say_why_they_are_taken_and_what_holds_there(self):
        self.file('alertmanager.yml', ROUTES.replace('REFUSING', 'http://r').replace('URL', 'http://t'))
        self.assertEqual(self.explain('Disk', 'kind=slow', 'host=a'), '''\
yes  {}
  yes  {}/{kind="slow"}
    -> told: team (webhook)
       group {alertname="Disk"}
       group_wait 1h, group_interval 1s, repeat_interval 1h
quiet while an alert {alertname="Net"} fires with equal host
''')
        self.assertEqual(self.explain('alertname=Disk', 'kind=other').split('\n')[1:3],
                         ['  no   {}/{kind="slow"}: not kind="slow", kind is "other"',
                          '  no   {}/{kind="refused"}: not kind="refused", kind is "other"'])

    def test_need_a_file_and_labels(self):
        self.assertIn('alertmanager.yml', self.explain('A', code=2))
        self.file('alertmanager.yml', ROUTES.replace('REFUSING', 'http://r').replace('URL', 'http://t'))
        self.assertIn('is no label', self.explain('=x', code=2))


if __name__ == '__main__':
    peers.main()
