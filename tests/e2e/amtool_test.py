"""amtool's commands: Debian's amtool 0.25 on Tocsin, and Tocsin's own commands on Debian's Alertmanager 0.25 and on Tocsin, print what
Debian's amtool prints on Debian's Alertmanager.

Each pair of a client and a server goes through the same commands; what may differ (ids, times at which something was done, what only a
newer version says) is masked.
"""
import datetime
import json
import os
import re
import subprocess

import peers

ROUTES = '''
global: {resolve_timeout: 7m}
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
    routes:
    - matchers: [zone="a", rack=~"1|2"]
      receiver: db
    - matchers: [zone="b"]
  - matchers: [team=~"db|web"]
    receiver: db
receivers: [{name: team}, {name: pager}, {name: db}]
inhibit_rules:
- source_matchers: [severity="page"]
  target_matchers: [severity="ticket"]
  equal: [service]
'''
START, END = '2026-01-01T00:00:00Z', '2200-01-01T00:00:00Z'
UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
NOBODY = '6fa459ea-ee8a-4ca4-894e-db77e160355e'
TIME = re.compile(r'20(?!26-01-01|0)\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?')


def in_time(**delta):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)).strftime('%Y-%m-%dT%H:%M:%SZ')


class Pair:
    """A client, and the server that only it talks to."""

    def __init__(self, name, client, url, home):
        self.name, self.client, self.url, self.home = name, client, url, home
        self.ids = []

    def run(self, *arguments, stdin=''):
        env = {**os.environ, 'HOME': str(self.home), 'TZ': 'UTC', 'USER': 'me'}
        command = [self.client, *arguments, f'--alertmanager.url={self.url}', '--no-version-check']
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, env=env)

    def plain(self, text):
        for found in UUID.findall(text):
            if found not in self.ids and found != NOBODY:
                self.ids.append(found)
        for number, found in enumerate(self.ids):
            text = text.replace(found, f'<{number}>'.ljust(36))
        return TIME.sub(r'<time>\1', text).replace('"mutedBy":[],', '')


class Alike(peers.Case):
    def router(self, name):
        path = self.file(f'{name}.yml', ROUTES)
        port = peers.free_port()
        process = self.run_process(name, peers.TOCSIN, 'alertmanager', f'--config.file={path}', f'--storage.path={self.folder / name}',
                                   f'--web.listen-address=127.0.0.1:{port}')
        process.url = f'http://127.0.0.1:{port}'
        return process.ready(f'{process.url}/-/ready')

    def setUp(self):
        super().setUp()
        self.file('alertmanager.yml', ROUTES)
        self.file('tocsin.yml', 'alertmanager_config_file: alertmanager.yml\n')
        amtool = peers.program('amtool')
        self.pairs = [Pair('amtool, Alertmanager', amtool, self.alertmanager(ROUTES, name='am1').url, self.folder),
                      Pair('amtool, tocsin serve', amtool, self.tocsin().url, self.folder),
                      Pair('amtool, tocsin alertmanager', amtool, self.router('am2').url, self.folder),
                      Pair('tocsin, Alertmanager', peers.TOCSIN, self.alertmanager(ROUTES, name='am3').url, self.folder),
                      Pair('tocsin, tocsin alertmanager', peers.TOCSIN, self.router('am4').url, self.folder)]

    def all(self, *arguments, code=0, ids=(), stdin=None):
        """Runs it with each pair; ids: numbers of silences that are arguments, too. What the first one printed."""
        told = None
        for pair in self.pairs:
            done = pair.run(*arguments, *(pair.ids[number] for number in ids), stdin=stdin(pair) if stdin else '')
            self.assertEqual(done.returncode, code, f'{pair.name} {arguments}: {done.stdout}{done.stderr}')
            self.assertEqual(bool(done.stderr.strip()), code == 1 and 'WARNING' not in done.stdout or 'Warning' in done.stderr,
                             f'{pair.name} {arguments}: {done.stderr}')
            text = pair.plain(done.stdout)
            if told is None:
                told = text
            self.assertEqual(text, told, f'{pair.name} {arguments}')
        return told

    def add_alerts(self):
        self.all('alert', 'add', 'Disk', 'service=a', 'severity=page', '--annotation=summary=full, quite <é>', '--annotation', 'runbook=http://r',
                 f'--start={START}', f'--end={END}', '--generator-url=http://g/?a=b')
        self.all('alert', 'add', 'alertname=Slow', 'service=a', 'severity=ticket', 'team=db', f'--start={START}', f'--end={END}')
        self.all('alert', 'add', 'service=only', '--start=2026-01-01T02:00:00+02:00', f'--end={END}')

    def test_alerts(self):
        self.assertEqual(self.all('alert'), 'Alertname  Starts At  Summary  State  \n')
        self.assertEqual(self.all('alert', 'query', '-o', 'json'), '[]\n')
        self.all('alert', 'add', code=1)
        self.all('alert', 'add', 'Disk', 'a=~b', code=1)
        self.all('alert', 'add', 'Disk', '--start=today', code=1)
        self.add_alerts()
        for arguments in ([], ['Disk'], ['-o', 'extended'], ['-oextended', '-ai'], ['-o', 'json'], ['--output=json', '-a', '-i'],
                          ['severity=~p.*', 'service=a'], ['nothing=here'], ['{}'], ['two words'], ['a~b'], ['-i'], ['--inhibited', '--active'], ['-s'], ['-u'],
                          ['-r', 'db'], ['--receiver=te.m', '-a', '-i'], ['alertname!=Disk'], ['--date.format=2006/01/02 Monday 15h MST -0700']):
            with self.subTest(arguments):
                self.all('alert', 'query', *arguments)
        for arguments in (['a=~"("'], ['-r', '('], ['--nonsense'], ['-o', 'yaml'], ['a=b', 'c']):
            with self.subTest(arguments):
                self.all('alert', 'query', *arguments, code=1)
        self.assertIn('Disk', self.all('alert', 'Disk'))

    def test_silences(self):
        self.add_alerts()
        self.assertEqual(self.all('silence'), 'ID  Matchers  Ends At  Created By  Comment  \n')
        for arguments in (['Disk'], ['-c', 'x'], ['-c', 'x', '-d', '0s', 'Disk'], ['-c', 'x', '-d', 'long', 'Disk'],
                          ['-c', 'x', '--start', in_time(hours=2), '--end', in_time(hours=1), 'Disk'], ['-c', 'x', '--end=soon', 'Disk'],
                          ['-c', 'x', 'a=~"("']):
            with self.subTest(arguments):
                self.all('silence', 'add', '-a', 'me', *arguments, code=1)
        self.all('silence', 'add', '-a', 'me', '-c', 'why not', '-d', '1h', 'Disk', 'service=~a|b')
        self.all('silence', 'add', '-a', 'you', '-c', 'x', '-d', '1d', 'team!=web', 'team!~w.*')
        self.all('silence', 'add', '--author=you', '-clater', '--start', in_time(hours=1), '--end', in_time(hours=5), 'a="b\\"c"')
        self.all('silence', 'add', '--no-require-comment', '-a', 'a\tb', 'two=lines', '-d2w')
        for arguments in ([], ['-o', 'extended'], ['-q'], ['Disk'], ['team!=web'], ['team=web'], ['--created-by=you'], ['--within=2h'],
                          ['--expired']):
            with self.subTest(arguments):
                self.all('silence', 'query', *arguments)
        self.assertEqual(self.all('silence', 'query', '-o', 'json', 'Disk'), self.all('silence', '--output', 'json', 'query', 'alertname=Disk'))
        self.assertIn('suppressed', self.all('alert', 'query', '-s'))
        self.assertIn('longer', self.all('silence', 'update', '-d', '2h', '-c', 'longer', ids=[0]))
        self.all('silence', 'update', '--end', in_time(hours=9), ids=[0, 1])
        for pair in self.pairs[3:]:  # Debian's prints addresses of its own memory
            self.assertEqual(pair.run('silence', 'update', '-q', '-c', 'longer', pair.ids[0]).stdout, pair.ids[0] + '\n')
        self.all('silence', 'update', '-o', 'json', '-c', 'x', ids=[1])
        self.all('silence', 'expire', ids=[0])
        self.assertIn('longer', self.all('silence', 'query', '--expired'))
        self.all('silence', 'query', '--expired', '--within=1h')
        self.assertNotIn('longer', self.all('silence', 'query'))
        self.assertIn('again', self.all('silence', 'update', '-d', '3h', '-c', 'again', ids=[0]))
        self.all('silence', 'expire', code=1)
        self.all('silence', 'update', code=1)
        self.all('silence', 'expire', 'nonsense', code=1)
        self.all('silence', 'update', '-d', '3h', NOBODY, code=1)

    def expect_silences(self, count):
        for pair in self.pairs:
            self.assertEqual(len(pair.run('silence', 'query', '-q').stdout.split()), count, pair.name)

    def test_import(self):
        for number in range(3):
            self.all('silence', 'add', '-a', 'me', '-c', f'number {number} <é>', f'a={number}', '--end', f'2199-01-0{number + 1}T00:00:00Z')
        told = {pair: json.dumps(json.loads(pair.run('silence', 'query', '-o', 'json').stdout)) for pair in self.pairs}
        self.assertEqual(len(self.all('silence', 'import', '-w', '1', stdin=told.get).split()), 3)  # those that are there
        self.expect_silences(3)
        self.all('silence', 'import', '-f', '--worker=1', stdin=told.get)
        self.expect_silences(6)
        unknown = json.dumps([{**silence, 'id': NOBODY} for silence in json.loads(told[self.pairs[0]])[:1]])
        self.all('silence', 'import', str(self.file('unknown.json', unknown)))
        self.expect_silences(7)
        for bad in '[{]', 'x', '':
            with self.subTest(bad):
                self.all('silence', 'import', str(self.file('bad.json', bad)), code=1)
        self.all('silence', 'import', str(self.folder / 'absent.json'), code=1)

    def test_configuration(self):
        for source in [], [f'--config.file={self.folder / "alertmanager.yml"}']:
            for arguments in (['routes'], ['routes', 'show'], ['routes', 'test', 'severity=page', 'team=db'], ['routes', 'test'],
                              ['routes', 'test', '--tree', 'severity=page', 'zone=a', 'rack=2', 'team=web'],
                              ['routes', 'test', '--verify.receivers=pager,db', 'severity=page', 'team=db']):
                with self.subTest(arguments + source):
                    self.all('config', *arguments, *source)
            self.all('config', 'routes', 'test', '--verify.receivers=db', 'severity=page', 'team=db', *source, code=1)
            self.all('config', 'routes', 'test', 'severity=~page', *source, code=1)
        self.all('config', 'routes', '--config.file=absent.yml', code=1)
        for pair in self.pairs:
            self.assertIn('resolve_timeout: 7m\n', pair.run('config', 'show').stdout)
            self.assertIn('resolve_timeout: 7m\n', pair.run('config').stdout)
            self.assertIn('resolve_timeout: 7m\n', json.loads(pair.run('config', 'show', '-o', 'json').stdout)['config']['original'])
        self.assertEqual(*[pair.run('config', 'show').stdout for pair in self.pairs if pair.name.endswith('tocsin alertmanager')])

    def test_cluster(self):
        for arguments in ['cluster'], ['cluster', 'show'], ['cluster', 'show', '-o', 'extended'], ['cluster', '-o', 'json']:
            with self.subTest(arguments):
                self.all(*arguments)

    def test_files_of_defaults(self):
        folder = self.folder / '.config/prometheus'
        folder.mkdir(parents=True)
        (folder / 'amtool.yml').write_text('author: from the file\noutput: extended\ncomment_required: "false"\nnobody: knows\n')
        self.all('silence', 'add', 'Disk')
        self.assertIn('from the file', self.all('silence'))
        self.assertIn('Updated At', self.all('silence'))
        self.assertNotIn('Updated At', self.all('silence', '-o', 'simple'))
        (folder / 'amtool.yml').write_text('output: yaml\n')
        self.all('silence', code=1)


class Own(peers.Case):
    """What amtool does not have, or has elsewhere."""

    def tocsin_says(self, *arguments, code=0):
        done = subprocess.run([peers.TOCSIN, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, 'HOME': str(self.folder)})
        self.assertEqual(done.returncode, code, f'{arguments}: {done.stdout}{done.stderr}')
        return done.stdout + done.stderr

    def test_files_are_found_sound_in_amtools_words(self):
        self.file('a.tmpl', '{{ define "a" }}{{ end }}')
        plain = self.file('plain.yml', ROUTES)
        templates = self.file('templates.yml', ROUTES + 'templates: ["*.tmpl", "no*.tmpl"]\n')
        self.assertEqual(self.tocsin_says('check', 'alertmanager', plain, templates), self.output('amtool', 'check-config', plain, templates))

    def test_upstreams_file_of_defaults_wins_over_debians(self):
        for name in 'amtool/config.yml', 'prometheus/amtool.yml':
            path = self.folder / '.config' / name
            path.parent.mkdir(parents=True)
            path.write_text(f'alertmanager.url: http://127.0.0.1:1/{name}\n')
        self.assertIn('unexpected "x"', self.tocsin_says('cluster', 'x', code=1))
        path.parent.parent.joinpath('amtool/config.yml').write_text('alertmanager.url: nonsense\n')
        self.assertIn('--alertmanager.url takes a URL', self.tocsin_says('cluster', code=1))

    def test_credentials_come_from_a_file(self):
        seen = []

        class Handler(peers.http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, self.headers['Authorization']))
                self.send_response(200)
                self.send_header('Content-Length', '2')
                self.end_headers()
                self.wfile.write(b'[]')

            def log_message(self, *args):
                pass
        server = self.keep(peers.Server(Handler))
        self.file('password', 'secret\n')
        http = self.file('http.yml', 'basic_auth: {username: me, password_file: password}\n')
        self.tocsin_says('alert', f'--alertmanager.url={server.url}/prefix/', f'--http.config.file={http}')
        self.tocsin_says('alert', f'--alertmanager.url={server.url.replace("//", "//you:pw@")}')
        self.assertTrue(seen[0][0].startswith('/prefix/api/v2/alerts?'), seen)
        self.assertEqual([s[1] for s in seen], ['Basic bWU6c2VjcmV0', 'Basic eW91OnB3'])
        self.assertIn('http.yml', self.tocsin_says('alert', f'--http.config.file={self.file("http.yml", "nonsense: 1")}', code=1))

    def test_what_only_newer_amtools_have(self):
        self.file('alertmanager.yml', ROUTES)
        self.file('tocsin.yml', 'alertmanager_config_file: alertmanager.yml\n')
        url = f'--alertmanager.url={self.tocsin().url}'
        made = [self.tocsin_says('silence', 'add', f'a={i}', '-c', 'why', url, '--annotation=ticket=7').strip() for i in range(2)]
        self.assertEqual(self.tocsin_says('silence', f'--id={made[1]}', '-q', url), made[1] + '\n')
        self.assertEqual(json.loads(self.tocsin_says('silence', '-o', 'json', url))[0]['annotations'], {'ticket': '7'})
        self.assertIn('1 out of 1', self.tocsin_says('silence', 'import', self.file('bad.json', '[{"matchers": []}]'), url, code=1))

    def test_an_alert_is_acknowledged_until_it_has_ended(self):
        hook = self.webhook()
        self.file('alertmanager.yml', 'route: {receiver: team, group_by: [alertname], group_wait: 100ms, group_interval: 1s, repeat_interval: 1s}\n'
                                      f'receivers: [{{name: team, webhook_configs: [{{url: "{hook.url}"}}]}}]\n')
        self.file('tocsin.yml', 'alertmanager_config_file: alertmanager.yml\n')
        url = f'--alertmanager.url={self.tocsin().url}'
        self.assertIn('no active alert', self.tocsin_says('alert', 'ack', 'Disk', url, code=1))
        self.tocsin_says('alert', 'add', 'Disk', 'host=a', url, f'--start={START}', f'--end={END}')
        hook.page('firing', 'Disk')
        silence, name = self.tocsin_says('alert', 'ack', 'Disk', '-a', 'me', '-c', 'on it', url).split()
        self.assertEqual(name, 'Disk')
        self.assertIn('on it', self.tocsin_says('silence', 'query', url))
        self.assertIn('no active alert', self.tocsin_says('alert', 'ack', 'Disk', url, code=1))
        self.assertIn('until it has ended, or', self.tocsin_says('explain', 'page', 'Disk', url.replace('alertmanager.url', 'url')))
        self.tocsin_says('alert', 'add', 'Disk', 'host=a', url, f'--start={START}', '--end=2026-01-02T00:00:00Z')
        peers.wait_for('its end', lambda: silence in self.tocsin_says('silence', 'query', '--expired', '-q', url))
        hook.page('resolved', 'Disk')
        told = len(hook.pages)
        self.tocsin_says('alert', 'add', 'Disk', 'host=a', url, f'--end={END}')
        peers.wait_for('a new page', lambda: [p for p in hook.pages[told:] if p['status'] == 'firing'])

    def test_what_ends_with_alerts_is_only_for_a_server_that_ends_it(self):
        url = f'--alertmanager.url={self.alertmanager(ROUTES).url}'
        self.tocsin_says('alert', 'add', 'Disk', url)
        for command in ['alert', 'ack', 'Disk'], ['silence', 'add', 'Disk', '-c', 'x', '--until-resolved']:
            self.assertIn('is no Tocsin', self.tocsin_says(*command, url, code=1))
        self.assertEqual(self.tocsin_says('silence', 'query', '-q', url), '')

    def test_help(self):
        for command in 'alert', 'silence', 'config', 'cluster':
            told = self.tocsin_says(command, '--help')
            self.assertIn('examples:\n', told)
            self.assertIn('--alertmanager.url', told)
        self.assertIn('--require-comment', self.tocsin_says('silence', 'add', '--help'))

    def test_receiver_is_tried(self):
        hook = self.webhook()
        config = self.file('am.yml', f'''
route: {{receiver: good}}
receivers:
- name: good
  webhook_configs: [{{url: "{hook.url}/hush"}}, {{url: "{hook.url}/hush", http_config: {{authorization: {{credentials: sesame}}}}}}]
- name: bad
  webhook_configs: [{{url: "{hook.url}/hush"}}, {{url: "http://127.0.0.1:{peers.free_port()}/hush"}}]
- name: none
''')
        told = self.tocsin_says('config', 'test-receiver', f'--config.file={config}', 'good', '--alertmanager.url=http://me:hush@am.example:9093/x/')
        self.assertRegex(told, r'^webhook\[0\]  delivered: status 200 after \d+ ms\nwebhook\[1\]  delivered: status 200 after \d+ ms\n$')
        page = hook.page('firing', 'TocsinTestPage')
        self.assertEqual(page['receiver'], 'good')
        self.assertIn('TEST PAGE', page['commonAnnotations']['summary'])
        self.assertEqual((page['externalURL'], page['alerts'][0]['generatorURL']), ('http://am.example:9093/x',) * 2)
        self.assertEqual(len(hook.pages), 2)
        told = self.tocsin_says('config', 'test-receiver', f'--config.file={config}', 'bad', code=1)
        self.assertIn('webhook[0]  delivered', told)
        self.assertIn('webhook[1]  FAILED: ', told)
        self.assertNotIn('hush', told)
        self.assertIn('nobody', self.tocsin_says('config', 'test-receiver', f'--config.file={config}', 'none', code=1))
        self.assertIn('there are good, bad, none', self.tocsin_says('config', 'test-receiver', f'--config.file={config}', 'x', code=1))

    SECRETS = '''
global: {smtp_smarthost: "mail.example:25", smtp_from: me@example.com, smtp_auth_username: me, smtp_auth_password: hush-1,
         opsgenie_api_key: hush-2, slack_api_url: "http://slack.example/hush-3", wechat_api_corp_id: corp, wechat_api_secret: hush-4}
route: {receiver: all}
templates: ['*.tmpl']
receivers:
- name: all
  email_configs: [{to: you@example.com}]
  pagerduty_configs: [{routing_key: hush-5, description: '{{ template "mine" . }}'}, {service_key_file: FILE}]
  opsgenie_configs: [{}]
  slack_configs: [{title: '{{ template "mine" . }}'}]
  wechat_configs: [{}]
  webhook_configs: [{url: "http://127.0.0.1:1/hush-6", http_config: {http_headers: {X-Token: {secrets: [hush-7]}}}}, {url_file: FILE}]
  telegram_configs: [{bot_token: hush-8, chat_id: 1}]
  pushover_configs: [{user_key: hush-9, token: hush-10}]
  victorops_configs: [{api_key: hush-11, routing_key: team}]
  jira_configs: [{api_url: "http://jira.example", project: P, issue_type: Bug, http_config: {basic_auth: {username: me, password: hush-12}}}]
  sns_configs: [{topic_arn: "arn:aws:sns:eu-west-1:1:t", sigv4: {region: eu-west-1, access_key: AK, secret_key: hush-13}}]
- name: odd.name
  webhook_configs: [{url: "http://127.0.0.1:1/hush-6"}]
'''

    def secretive(self):
        self.file('secret', 'hush-file\n')
        self.file('mine.tmpl', '{{ define "mine" }}{{ .Alerts.Firing | len }} of mine{{ end }}')
        return self.file('am.yml', self.SECRETS.replace('FILE', str(self.folder / 'secret')))

    def test_what_a_receiver_would_get_is_shown_without_secrets(self):
        config = self.secretive()
        told = self.tocsin_says('config', 'render', f'--config.file={config}', 'all')
        self.assertNotIn('hush', told)
        self.assertNotIn('FAILED', told)
        for part in ('---- webhook[0]\nPOST <secret>\n', '"routing_key":"<secret>"', '"summary":"2 of mine"', '"title":"2 of mine"', '---- email[0]\n',
                     'The disk of db1 is full', '---- pagerduty[1]', '---- jira[0]', '---- sns[0]', '---- wechat[0]'):
            self.assertIn(part, told)
        alerts = self.file('alerts.json', json.dumps([{'labels': {'alertname': 'Mine', 'x': '<y>'}, 'startsAt': START, 'endsAt': '2026-01-02T00:00:00Z'}]))
        told = self.tocsin_says('config', 'render', f'--config.file={config}', f'--alerts={alerts}', 'odd.name')
        page = json.loads(told.splitlines()[-1])
        self.assertEqual((page['status'], page['groupLabels'], page['alerts'][0]['labels']['x']), ('resolved', {'alertname': 'Mine'}, '<y>'))
        self.assertIn('there are all, odd.name', self.tocsin_says('config', 'render', f'--config.file={config}', 'x', code=1))

    def test_a_text_is_rendered(self):
        self.assertEqual(self.tocsin_says('config', 'render', '--template={{ template "slack.default.title" . }}'),
                         '[FIRING:2] DiskFull (critical)\n')
        config = self.secretive()
        told = self.tocsin_says('config', 'render', f'--config.file={config}', '--template={{ template "mine" . }} {{ .Receiver }}', 'odd.name')
        self.assertEqual(told, '2 of mine odd\\.name\n')
        self.assertEqual(self.tocsin_says('config', 'render', '--html', '--template=<p>{{ "<b>" }}</p>'), '<p>&lt;b&gt;</p>\n')
        self.assertIn('function "nope" not defined', self.tocsin_says('config', 'render', '--template={{ nope }}', code=1))

    def test_alerts_of_a_server_are_rendered(self):
        config = self.secretive()
        self.file('alertmanager.yml', 'route: {receiver: odd.name, group_by: [alertname]}\nreceivers: [{name: odd.name}]\n')
        self.file('tocsin.yml', 'alertmanager_config_file: alertmanager.yml\n')
        server = self.tocsin()
        url = f'--alertmanager.url={server.url}'
        render = ['config', 'render', f'--config.file={config}', '--stored', url, 'odd.name']
        self.assertIn('no active alerts', self.tocsin_says(*render, code=1))
        for name in 'A', 'B':
            self.tocsin_says('alert', 'add', name, 'host=h', url)
        pages = [json.loads(line) for line in self.tocsin_says(*render).splitlines() if line.startswith('{')]
        self.assertEqual([(p['groupLabels']['alertname'], p['status'], p['externalURL']) for p in pages],
                         [('A', 'firing', server.url), ('B', 'firing', server.url)])


if __name__ == '__main__':
    peers.main()
