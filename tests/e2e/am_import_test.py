"""Debian's Alertmanager 0.25 pages, is stopped, and Tocsin goes on with the files that it left: nobody is paged again, what ends is told as
ended, and a silence keeps quiet what it kept quiet."""
import datetime
import json
import shutil
import time
import urllib.request

import peers

ROUTES = '''
route:
  receiver: team
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
  routes:
  - matchers: [team=~"db|web", severity!="none"]
    receiver: "two kinds"
    group_by: [alertname, instance]
receivers:
- name: team
  webhook_configs: [{url: "URL/team"}]
- name: two kinds
  webhook_configs: [{url: "URL/first"}, {url: "URL/second", send_resolved: false}]
'''
QUIET_S = 4  # some ticks of every group


def in_time(**delta):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)).isoformat().replace('+00:00', 'Z')


def told(page):
    return page['status'], page['groupKey'], sorted((a['status'], a['labels']['alertname'], a['labels'].get('i')) for a in page['alerts'])


class Import(peers.Case):
    def setUp(self):
        super().setUp()
        self.hook = self.webhook()
        self.routes = ROUTES.replace('URL', self.hook.url)
        self.file('routes.yml', self.routes)
        self.file('tocsin.yml', 'alertmanager_config_file: routes.yml\n')
        self.begun = in_time(seconds=-5)

    def post(self, server, *alerts, ends=None):
        body = [{'labels': labels, 'startsAt': self.begun, 'endsAt': ends or in_time(hours=1)} for labels in alerts]
        status, text = peers.post(f'{server.url}/api/v2/alerts', json.dumps(body).encode())
        self.assertEqual(status, 200, text)

    def silence(self, server, **matchers):
        body = {'matchers': [{'name': n, 'value': v, 'isRegex': True, 'isEqual': True} for n, v in matchers.items()],
                'startsAt': in_time(), 'endsAt': in_time(hours=2), 'createdBy': 'mé', 'comment': 'maintenance'}
        status, text = peers.post(f'{server.url}/api/v2/silences', json.dumps(body).encode())
        self.assertEqual(status, 200, text)
        return json.loads(text)['silenceID']

    def left_by_alertmanager(self):
        """The alerts that it told of, and its silence."""
        alerts = [{'alertname': 'Disk', 'i': '1', 'odd': 'a "quoted"\nüñí'}, {'alertname': 'Disk', 'i': '2'},
                  {'alertname': 'Slow', 'team': 'db', 'instance': 'x', 'i': '1'}, {'alertname': 'Hushed', 'i': '1'}]
        peer = self.alertmanager(self.routes, name='peer')
        silence = self.silence(peer, alertname='Hush.*|Quiet')
        self.post(peer, *alerts)
        peers.wait_for('three pages', lambda: len(self.hook.pages) == 3)
        self.post(peer, {'alertname': 'Gone'})
        self.hook.page('firing', 'Gone')
        self.post(peer, {'alertname': 'Gone'}, ends=in_time(seconds=-1))
        self.hook.page('resolved', 'Gone')
        listed = peers.get_json(f'{peer.url}/api/v2/silences')
        self.assertEqual(peer.stop(), 0)
        (self.folder / 'data').mkdir()
        for name in 'nflog', 'silences':
            shutil.copy(self.folder / 'peer' / name, self.folder / 'data')
        self.before = sorted(map(told, self.hook.pages))
        self.hook.pages.clear()
        return alerts, silence, listed

    def test_nobody_is_paged_again_and_a_silence_goes_on(self):
        alerts, silence, listed = self.left_by_alertmanager()
        daemon = self.tocsin()
        known = peers.get_json(f'{daemon.url}/api/v2/silences')
        for one in listed + known:
            one.pop('annotations', None)  # which 0.25 does not know
        self.assertEqual(known, listed)
        self.post(daemon, *alerts, {'alertname': 'Quiet'})
        time.sleep(QUIET_S)
        self.assertEqual([told(page) for page in self.hook.pages], [])
        hushed = peers.get_json(f'{daemon.url}/api/v2/alerts?filter=alertname=Hushed')[0]
        self.assertEqual(hushed['status']['silencedBy'], [silence])
        self.post(daemon, *alerts[:3], ends=in_time(seconds=-1))  # the end is told to whom Alertmanager told the beginning
        peers.wait_for('the ends', lambda: len(self.hook.pages) >= 2)
        time.sleep(QUIET_S)
        ends = {(status, key) for status, key, _ in self.before if status == 'firing' and 'Gone' not in key}
        self.assertEqual({('firing', key) for _, key, _ in map(told, self.hook.pages)}, ends)
        self.assertEqual([page['status'] for page in self.hook.pages], ['resolved'] * 2)  # the second of two kinds wants none

    def test_what_was_taken_over_is_not_taken_over_again(self):
        _, silence, _ = self.left_by_alertmanager()
        daemon = self.tocsin()
        request = urllib.request.Request(f'{daemon.url}/api/v2/silence/{silence}', method='DELETE')
        urllib.request.urlopen(request, timeout=30).close()
        self.assertEqual(daemon.stop(), 0)
        daemon = self.tocsin()
        self.assertEqual([s['status']['state'] for s in peers.get_json(f'{daemon.url}/api/v2/silences')], ['expired'])
        self.assertNotIn('took over', daemon.log.read_text())

    def test_a_file_that_was_cut_off_is_refused(self):
        self.left_by_alertmanager()
        path = self.folder / 'data' / 'silences'
        path.write_bytes(path.read_bytes()[:-3])
        with self.assertRaisesRegex(AssertionError, 'silences, which Alertmanager left .*cut off'):
            self.tocsin()


if __name__ == '__main__':
    peers.main()
