"""Rules that go by data, in the daemon: what a push decides does not wait for the clock."""
import time

import peers
from push import HEADERS, literal_snappy, series

ROUTES = '''
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}/"}}]}}]
'''

RULES = '''
groups:
  - name: seldom
    interval: 1000h
    rules: [{alert: Bad, expr: bad > 0}]
  - name: often
    interval: 1s
    rules: [{record: total, expr: sum(m)}, {alert: Much, expr: total > 5}]
'''

CONFIG = '''
rule_files: [rules.yml]
alertmanager_config_file: routes.yml
rules: {evaluation: data, data_wait: 1h}
'''


class ByData(peers.Case):
    def setUp(self):
        super().setUp()
        self.hook = self.webhook()
        self.file('routes.yml', ROUTES.format(url=self.hook.url))
        self.file('rules.yml', RULES)
        self.file('tocsin.yml', CONFIG)
        self.daemon = self.tocsin()

    def push(self, name, value, t_ms):
        body = series([(b'__name__', name.encode())], [(t_ms, value)])
        status, text = peers.post(f'{self.daemon.url}/api/v1/write', literal_snappy(body), HEADERS['Content-Type'], HEADERS)
        self.assertEqual(status, 204, text)

    def groups(self):
        return {g['name']: g for g in peers.get_json(f'{self.daemon.url}/api/tocsin/v1/rules')['data']['groups']}

    def test_a_bad_sample_pages_though_the_next_slot_is_weeks_away(self):
        self.push('bad', 1, int(time.time() * 1000))
        self.hook.page('firing', 'Bad')
        self.assertEqual(self.groups()['seldom']['looks'], 1)
        self.assertEqual(self.groups()['seldom']['rules'][0]['evaluations'][0]['occasion'], 'look')

    def test_slots_wait_for_their_samples_and_a_push_lets_them_go(self):
        begun_ms = int(time.time() * 1000)
        self.push('m', 1, begun_ms)  # its next sample is not there: all later slots wait, for an hour
        first = self.groups()['often']
        time.sleep(2.5)
        before = self.groups()['often']
        self.assertLess(before['iterations'], first['iterations'] + 2)
        self.push('m', 9, begun_ms + 100)
        self.push('m', 9, int(time.time() * 1000))
        self.hook.page('firing', 'Much')
        peers.wait_for('the other slots', lambda: self.groups()['often']['iterations'] >= before['iterations'] + 2)
        self.assertEqual(self.groups()['often']['missed'], 0)


if __name__ == '__main__':
    peers.main()
