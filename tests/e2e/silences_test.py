"""Silences and muted times over the API: Debian's amtool 0.25 does the same to Tocsin and to Debian's Alertmanager 0.25, Grafana's and
Karma's requests are replayed on both, and what was answered survives kill -9.

amtool's commands that talk to no server (check-config, template render) are here only where they read what Tocsin has told.
"""
import datetime
import json
import os
import random
import re
import signal
import subprocess
import unittest
import urllib.error
import urllib.request

import peers

ROUTES = '''
route:
  receiver: team
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
  routes:
  - matchers: [severity="page"]
    receiver: pager
    continue: true
  - matchers: [team=~"db|web"]
    receiver: db
  - matchers: [team="night"]
    receiver: team
    mute_time_intervals: [always]
receivers:
- name: team
  webhook_configs: [{url: "URL"}]
- name: pager
- name: db
inhibit_rules:
- source_matchers: [severity="page"]
  target_matchers: [severity="ticket"]
  equal: [service]
time_intervals:
- name: always
  time_intervals:
  - times: [{start_time: '00:00', end_time: '24:00'}]
- name: mixed
  time_intervals:
  - {}
  - weekdays: ['monday:Friday', sunday]
    days_of_month: ['1:5', '-3:-1', '15', '-1']
    months: ['1:3', 'may:august', december]
    years: ['2026', '2026:2128']
    location: Europe/Rome
    times: [{start_time: '09:00', end_time: '17:30'}, {start_time: '19:00', end_time: '20:00'}]
'''
START, END = '2026-01-01T00:00:00Z', '2200-01-01T00:00:00Z'
UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
NOBODY = '6fa459ea-ee8a-4ca4-894e-db77e160355e'


def alert(name, **labels):
    return {'labels': {'alertname': name, **labels}, 'startsAt': START, 'endsAt': END}


def in_time(**delta):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)).isoformat().replace('+00:00', 'Z')


def silence(name='Disk', hours=1, **more):
    return {'matchers': [{'name': 'alertname', 'value': name, 'isRegex': False, 'isEqual': True}], 'startsAt': in_time(minutes=-1),
            'endsAt': in_time(hours=hours), 'createdBy': 'me', 'comment': 'work', **more}


def ask(method, url, body=None, content_type='application/json'):
    """Status, headers and text."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={'Content-Type': content_type} if content_type else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.headers, e.read().decode()


class Case(peers.Case):
    ROUTES = ROUTES

    def setUp(self):
        super().setUp()
        self.hook = self.webhook()
        self.routes = self.ROUTES.replace('URL', self.hook.url)
        self.file('alertmanager.yml', self.routes)
        self.file('tocsin.yml', 'alertmanager_config_file: alertmanager.yml\n')

    def post_silence(self, url, body):
        status, _, text = ask('POST', f'{url}/api/v2/silences', body)
        self.assertEqual(status, 200, text)
        return json.loads(text)['silenceID']

    def silences(self, url):
        return {s['id']: s for s in peers.get_json(f'{url}/api/v2/silences')}


class Amtool(Case):
    """What it prints must be the same, but for ids, for the times at which something was done, and for what only one version says."""
    ROUTES = re.sub(r'.*webhook_configs.*\n', '', ROUTES)  # whose URLs are secret since 0.26: this amtool cannot read them back

    def setUp(self):
        super().setUp()
        self.urls = [self.tocsin().url, self.alertmanager(self.routes).url]
        self.ids = [[], []]

    def amtool(self, at, *arguments):
        env = {**os.environ, 'HOME': str(self.folder), 'TZ': 'UTC'}
        command = [peers.program('amtool'), f'--alertmanager.url={self.urls[at]}', '--no-version-check', *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
        return done.returncode, done.stdout + done.stderr

    def plain(self, at, text):
        """Ids by their number, and times of today, which differ by some ms, masked."""
        for found in UUID.findall(text):
            if found not in self.ids[at] and found != NOBODY:
                self.ids[at].append(found)
        for number, found in enumerate(self.ids[at]):
            text = text.replace(found, f'<{number}>'.ljust(36))
        return re.sub(r'20(?!26-01-01|0)\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?', '<time>', text)

    def both(self, *arguments, code=0, ids=None):
        """Runs it on both; ids: numbers of silences that are arguments, too."""
        told = []
        for at in (0, 1):
            more = [self.ids[at][number] for number in ids or ()]
            returned, text = self.amtool(at, *arguments, *more)
            self.assertEqual(returned, code, f'{self.urls[at]} {arguments}: {text}')
            told.append(self.plain(at, text))
        self.assertEqual(told[0], told[1], arguments)
        return told[0]

    def add_alerts(self):
        self.both('alert', 'add', 'Disk', 'service=a', 'severity=page', '--annotation=summary=full', f'--start={START}', f'--end={END}',
                  '--generator-url=http://g/?a=b')
        self.both('alert', 'add', 'alertname=Slow', 'service=a', 'severity=ticket', 'team=db', f'--start={START}', f'--end={END}')
        self.both('alert', 'add', 'service=only', f'--start={START}', f'--end={END}')

    def test_alerts(self):
        self.both('alert', 'add', code=1)
        self.assertEqual(self.both('alert'), 'Alertname  Starts At  Summary  State  \n')
        self.add_alerts()
        self.assertIn('Disk', self.both('alert'))
        for arguments in (['-o', 'extended'], ['-o', 'json', 'Disk'], ['Disk'], ['severity=~p.*', 'service=a'], ['nothing=here'], ['a=~"("'],
                          ['-i'], ['-a', '-i'], ['-s'], ['-u'], ['-r', 'db'], ['-r', 'te.m', '-a', '-i'], ['-r', '(']):
            with self.subTest(arguments):
                code = 1 if '(' in arguments[-1] else 0
                if '-o' in arguments and 'json' in arguments:
                    self.compare_json(*arguments)
                else:
                    self.both('alert', 'query', *arguments, code=code)

    def compare_json(self, *arguments):
        """0.25 knows no mutedBy."""
        told = []
        for at in (0, 1):
            alerts = json.loads(self.amtool(at, 'alert', 'query', *arguments)[1])
            for a in alerts:
                a.pop('updatedAt')
                a['status'].pop('mutedBy', None)
            told.append(alerts)
        self.assertEqual(told[0], told[1])
        self.assertTrue(told[0])

    def test_silences(self):
        self.add_alerts()
        self.assertEqual(self.both('silence'), 'ID  Matchers  Ends At  Created By  Comment  \n')
        self.both('silence', 'add', '-a', 'me', 'Disk', code=1)
        self.both('silence', 'add', '-a', 'me', '-c', 'x', code=1)
        self.both('silence', 'add', '-a', 'me', '-c', 'why not', '-d', '1h', 'Disk', 'service=~a|b')
        self.both('silence', 'add', '-a', 'you', '-c', 'x', '-d', '1d', 'team!=web', 'team!~w.*')
        self.both('silence', 'add', '-a', 'you', '-c', 'later', '--start', in_time(hours=1), '--end', in_time(hours=5), 'a="b\\"c"')
        for arguments in ([], ['-o', 'extended'], ['-q'], ['Disk'], ['team!=web'], ['team=web'], ['--created-by=you'], ['--within=2h'],
                          ['--expired']):
            self.both('silence', 'query', *arguments)
        self.assertIn('suppressed', self.both('alert', 'query', '-s'))
        self.both('silence', 'update', '-d', '2h', '-c', 'longer', ids=[0])
        self.assertIn('longer', self.both('silence', 'query', 'Disk'))
        self.both('silence', 'expire', ids=[0])
        self.assertIn('longer', self.both('silence', 'query', '--expired'))
        self.assertNotIn('longer', self.both('silence', 'query'))
        self.both('silence', 'update', '-d', '3h', '-c', 'again', ids=[0])
        self.assertIn('again', self.both('silence', 'query', 'Disk'))
        self.both('silence', 'expire', 'nonsense', code=1)
        self.both('silence', 'update', '-d', '3h', NOBODY, code=1)

    def test_silences_go_from_one_to_the_other(self):
        for number in range(20):
            self.post_silence(self.urls[1], silence(f'A{number}', hours=number + 1, comment=f'number {number} <é>'))
        told = self.file('silences.json', self.amtool(1, 'silence', 'query', '-o', 'json')[1])
        code, text = self.amtool(0, 'silence', 'import', '-f', str(told))
        self.assertEqual(code, 0, text)
        code, text = self.amtool(0, 'silence', 'import', str(told))  # asks for the ids first, which are not known
        self.assertEqual(code, 0, text)
        self.assertEqual(len(self.silences(self.urls[0])), 40)
        known = [{k: v for k, v in s.items() if k in ('matchers', 'comment', 'createdBy', 'endsAt')} for s in self.silences(self.urls[0]).values()]
        for wanted in self.silences(self.urls[1]).values():
            self.assertEqual(known.count({k: v for k, v in wanted.items() if k in ('matchers', 'comment', 'createdBy', 'endsAt')}), 2)
        self.file('bad.json', '[{]')
        self.assertEqual(self.amtool(0, 'silence', 'import', str(self.folder / 'bad.json'))[0], 1)

    def test_configuration_and_cluster(self):
        self.both('config', 'routes')
        self.both('config', 'routes', 'show')
        self.both('config', 'routes', 'test', 'severity=page', 'team=db')
        self.both('config', 'routes', 'test', '--tree', 'team=night')
        self.both('config', 'routes', 'test', '--verify.receivers=pager,db', 'severity=page', 'team=db')
        self.both('config', 'routes', 'test', '--verify.receivers=db', 'severity=page', 'team=db', code=1)
        self.both('cluster')
        self.both('cluster', 'show')
        self.assertIn('mute_time_intervals:\n    - always\n', self.both('config', 'show'))
        told = self.file('told.yml', json.loads(peers.get(f'{self.urls[0]}/api/v2/status'))['config']['original'])
        self.assertIn('SUCCESS', self.output('amtool', 'check-config', told))

    def test_errors_are_told_alike(self):
        bodies = [b'', b'x', b'{}', b'[]', {**silence(), 'matchers': []}, {**silence(), 'matchers': [{}]}, {'comment': ''},
                  {**silence(), 'matchers': [{'name': 'a', 'isRegex': False}]}, {**silence(), 'id': NOBODY}, silence(hours=-1),
                  {**silence(), 'endsAt': in_time(minutes=-2)}, {**silence(), 'startsAt': 'yesterday'}, {**silence(), 'comment': 1}]
        for body in bodies:
            with self.subTest(body):
                ours, theirs = (ask('POST', f'{url}/api/v2/silences', body) for url in self.urls)
                self.assertEqual(ours[0], theirs[0])
                if theirs[0] != 400 or 'failed, because' not in theirs[2]:  # why a body cannot be read is told in Go's words
                    self.assertEqual(json.loads(ours[2]), json.loads(theirs[2]))
        for kind in ('application/x-www-form-urlencoded', 'text/yaml; charset=utf-8'):
            for path in ('silences', 'alerts'):
                ours, theirs = (ask('POST', f'{url}/api/v2/{path}', silence(), kind) for url in self.urls)
                self.assertEqual((ours[0], json.loads(ours[2])), (theirs[0], json.loads(theirs[2])))
        for method in ('GET', 'DELETE'):
            ours, theirs = (ask(method, f'{url}/api/v2/silence/nonsense') for url in self.urls)
            self.assertEqual((ours[0], json.loads(ours[2])), (theirs[0], json.loads(theirs[2])))
        ours, theirs = (ask('GET', f'{url}/api/v2/silence/{NOBODY}') for url in self.urls)
        self.assertEqual((ours[0], ours[2]), (theirs[0], theirs[2]))
        self.assertEqual(ask('DELETE', f'{self.urls[0]}/api/v2/silence/{NOBODY}')[0], 404)  # 0.25 says 500, 0.34 does not
        for query in ('filter=bad', 'filter=a%3D~%22(%22'):
            ours, theirs = (ask('GET', f'{url}/api/v2/silences?{query}') for url in self.urls)
            self.assertEqual(ours[0], theirs[0], query)


class Clients(Case):
    """Their requests, as they send them; answers need every key that the real one's have."""

    def shape(self, value):
        """Keys, and of lists what their items have in common."""
        if isinstance(value, dict):
            return {key: self.shape(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.shape(value[0])] if value else []
        return type(value).__name__

    def covers(self, ours, theirs, path=''):
        if isinstance(theirs, dict):
            for key, inner in theirs.items():
                self.assertIn(key, ours, path)
                self.covers(ours[key], inner, f'{path}/{key}')
        elif isinstance(theirs, list) and theirs and path != '/cluster/peers':
            self.assertTrue(ours, path)
            self.covers(ours[0], theirs[0], f'{path}[]')
        else:
            self.assertEqual(type(ours), type(theirs), path)

    def both(self, method, path, body=None, content_type='application/json'):
        ours, theirs = (ask(method, url + path, body, content_type) for url in self.urls)
        self.assertEqual(ours[0], theirs[0], f'{path}: {ours[2]} {theirs[2]}')
        if theirs[2].strip():
            self.covers(self.shape(json.loads(ours[2])), self.shape(json.loads(theirs[2])))
        return json.loads(ours[2]) if ours[2].strip() else None

    def setUp(self):
        super().setUp()
        self.urls = [self.tocsin().url, self.alertmanager(self.routes).url]
        for url in self.urls:
            self.assertEqual(ask('POST', f'{url}/api/v2/alerts', [alert('Disk', severity='page', service='a'),
                                                                  alert('Slow', severity='ticket', service='a')])[0], 200)

    def test_grafana(self):
        self.assertNotEqual(ask('GET', f'{self.urls[0]}/alertmanager/api/v2/status')[0], 200)
        self.both('GET', '/api/v2/status')
        build = ask('GET', f'{self.urls[0]}/api/v1/status/buildinfo')
        self.assertNotIn('Mimir', build[2])
        groups = self.both('GET', '/api/v2/alerts/groups?silenced=true&inhibited=true&active=true')
        self.assertEqual([g['labels']['alertname'] for g in groups], ['Disk', 'Slow'])
        self.both('GET', '/api/v2/alerts?filter=alertname%3D%22Disk%22&silenced=true&inhibited=true&active=true&unprocessed=true')
        for url in self.urls:
            made = self.post_silence(url, silence())
            changed = self.post_silence(url, {**self.silences(url)[made], 'comment': 'changed in the form'})
            self.assertEqual(changed, made)
            self.assertEqual(self.silences(url)[made]['comment'], 'changed in the form')
            self.assertEqual(ask('GET', f'{url}/api/v2/silence/{made}')[0], 200)
        self.both('GET', '/api/v2/silences?silenced=false&inhibited=false')
        for url in self.urls:
            [made] = self.silences(url)
            self.assertEqual(ask('DELETE', f'{url}/api/v2/silence/{made}', content_type=None)[0], 200)
            self.assertEqual(self.silences(url)[made]['status'], {'state': 'expired'})
        yaml = b'- labels:\n    alertname: Test\n'
        self.assertEqual([ask('POST', f'{url}/api/v2/alerts', yaml, 'application/octet-stream')[0] for url in self.urls], [415, 415])

    def test_karma(self):
        metrics = peers.get(f'{self.urls[0]}/metrics')
        self.assertRegex(metrics, r'alertmanager_build_info\{[^}]*version="\d+\.\d+\.\d+"')
        self.both('GET', '/api/v2/status')
        for url in self.urls:
            self.post_silence(url, silence('Slow', id=''))
        self.both('GET', '/api/v2/silences')
        self.assertIs(self.both('GET', '/api/v2/silences')[0]['matchers'][0]['isEqual'], True)
        groups = self.both('GET', '/api/v2/alerts/groups')
        [slow] = [a for g in groups for a in g['alerts'] if a['labels']['alertname'] == 'Slow']
        self.assertEqual(slow['status']['state'], 'suppressed')
        self.assertEqual(slow['status']['silencedBy'], list(self.silences(self.urls[0])))
        self.assertEqual(len(slow['status']['inhibitedBy']), 1)


class Quiet(Case):
    def test_what_was_answered_survives_kill(self):
        pick = random.Random(7)
        daemon = self.tocsin()
        known = {}
        for turn in range(12):
            for _ in range(pick.randrange(1, 4)):
                made = self.post_silence(daemon.url, silence(f'A{turn}', hours=pick.randrange(1, 9), annotations={'turn': str(turn)}))
                known[made] = 'active'
            victim = pick.choice(list(known))
            if known[victim] == 'active':
                self.assertEqual(ask('DELETE', f'{daemon.url}/api/v2/silence/{victim}')[0], 200)
                known[victim] = 'expired'
            daemon.stop(signal.SIGKILL)
            daemon = self.tocsin()
            self.assertEqual({i: s['status']['state'] for i, s in self.silences(daemon.url).items()}, known)
        metrics = peers.get(f'{daemon.url}/metrics')
        for state in ('active', 'expired'):
            count = sum(value == state for value in known.values())
            self.assertIn(f'alertmanager_silences{{state="{state}"}} {count}\n', metrics)
        self.assertIn('alertmanager_silences{state="pending"} 0\n', metrics)

    def test_a_silence_takes_a_page_away_and_its_end_gives_it_back(self):
        daemon = self.tocsin()
        made = self.post_silence(daemon.url, silence('Disk'))
        ask('POST', f'{daemon.url}/api/v2/alerts', [alert('Disk'), alert('Fire')])
        self.hook.page('firing', 'Fire')
        self.assertEqual([p['groupLabels']['alertname'] for p in self.hook.pages], ['Fire'])
        self.assertIn('alertmanager_notifications_suppressed_total{reason="silence"}', peers.get(f'{daemon.url}/metrics'))
        daemon.stop(signal.SIGKILL)
        daemon = self.tocsin()
        ask('POST', f'{daemon.url}/api/v2/alerts', [alert('Disk')])
        peers.wait_for('a flush', lambda: re.search(r'suppressed_total\{reason="silence"\} [1-9]', peers.get(f'{daemon.url}/metrics')))
        self.assertEqual(len(self.hook.pages), 1)
        ask('DELETE', f'{daemon.url}/api/v2/silence/{made}')
        self.hook.page('firing', 'Disk')

    def test_muted_times_are_told_of_groups(self):
        daemon = self.tocsin()
        ask('POST', f'{daemon.url}/api/v2/alerts', [alert('Owl', team='night'), alert('Fire')])
        self.hook.page('firing', 'Fire')

        def muted():
            groups = peers.get_json(f'{daemon.url}/api/v2/alerts/groups?filter=alertname%3DOwl')
            return groups[0]['alerts'][0]['status'] if groups[0]['alerts'][0]['status']['mutedBy'] else None
        status = peers.wait_for('a muted group', muted)
        self.assertEqual(status, {'inhibitedBy': [], 'mutedBy': ['always'], 'silencedBy': [], 'state': 'suppressed'})
        self.assertEqual(peers.get_json(f'{daemon.url}/api/v2/alerts?filter=alertname%3DOwl')[0]['status']['state'], 'active')
        names = [g['labels']['alertname'] for g in peers.get_json(f'{daemon.url}/api/v2/alerts/groups?muted=false')]
        self.assertEqual(names, ['Fire'])
        self.assertRegex(peers.get(f'{daemon.url}/metrics'), r'suppressed_total\{reason="mute_time_interval"\} [1-9]')
        self.assertEqual([p['groupLabels']['alertname'] for p in self.hook.pages], ['Fire'])

    def test_their_number_and_size_are_bounded_by_flags(self):
        daemon = self.tocsin('--silences.max-silences=2', '--silences.max-silence-size-bytes', '300')
        status, _, text = ask('POST', f'{daemon.url}/api/v2/silences', silence(comment='x' * 300))
        self.assertEqual(status, 400)
        self.assertRegex(text, r'^"silence exceeded maximum size: \d{3} bytes \(limit: 300 bytes\)"\n$')
        for name in 'AB':
            self.post_silence(daemon.url, silence(name))
        status, _, text = ask('POST', f'{daemon.url}/api/v2/silences', silence('C'))
        self.assertEqual((status, text), (400, '"exceeded maximum number of silences: 2 (limit: 2)"\n'))

    def test_contracts_are_switched_in_tocsin_yml(self):
        daemon = self.tocsin()
        shown = peers.get_json(f'{daemon.url}/api/v1/status/config')['data']['yaml']
        self.assertIn('contracts:\n  opened_is_closed: true\n  no_lost_page: true\n', shown)
        self.file('tocsin.yml', 'alertmanager_config_file: alertmanager.yml\ncontracts: {opened_is_closed: false}\n')
        self.assertEqual(peers.post(f'{daemon.url}/-/reload')[0], 200)
        shown = peers.get_json(f'{daemon.url}/api/v1/status/config')['data']['yaml']
        self.assertIn('contracts:\n  opened_is_closed: false\n  no_lost_page: true\n', shown)
        ask('POST', f'{daemon.url}/api/v2/alerts', [alert('Disk')])
        self.hook.page('firing', 'Disk')
        self.post_silence(daemon.url, silence('Disk'))
        ask('POST', f'{daemon.url}/api/v2/alerts', [{**alert('Disk'), 'endsAt': in_time()}, alert('Fire')])
        self.hook.page('firing', 'Fire')
        peers.wait_for('the end of the group', lambda: not any(
            g['labels']['alertname'] == 'Disk' for g in peers.get_json(f'{daemon.url}/api/v2/alerts/groups')))
        self.assertEqual([p['status'] for p in self.hook.pages], ['firing', 'firing'])


if __name__ == '__main__':
    peers.main()
