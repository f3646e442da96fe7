"""Integrations as receivers see them: beside Debian's Alertmanager 0.25 the same requests, byte for byte, and the same default texts."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import threading
import time
import unittest.mock
import urllib.parse

import peers

EXTERNAL = 'http://am.example:9093'

# What 0.25 knows, every setting of it. {url} differs by program.
RECEIVERS = '''
slack_configs:
  - api_url: {url}/slack
    channel: '#{{{{ .GroupLabels.alertname }}}}'
    send_resolved: true
  - api_url: {url}/slack_full
    send_resolved: true
    channel: '#c'
    username: u
    color: '{{{{ if eq .Status "firing" }}}}warning{{{{ else }}}}good{{{{ end }}}}'
    title: '{{{{ range .Alerts }}}}{{{{ .Labels.instance }}}} <&> {{{{ end }}}}'
    title_link: http://t
    pretext: pre
    text: '{{{{ "line\\n" }}}}line'
    fields: [{{title: a, value: '{{{{ .CommonLabels.severity }}}}', short: true}}, {{title: b, value: c}}]
    short_fields: false
    footer: foot
    fallback: fall
    callback_id: cb
    icon_emoji: ':x:'
    icon_url: http://i
    image_url: http://img
    thumb_url: http://thumb
    link_names: true
    mrkdwn_in: [text]
    actions:
      - {{type: button, text: go, url: 'http://a/{{{{ .GroupLabels.alertname }}}}', style: danger, name: dropped}}
      - {{type: button, text: do, name: n, value: v, confirm: {{text: sure, title: t, ok_text: ok, dismiss_text: no}}}}
pagerduty_configs:
  - routing_key: '{{{{ .CommonLabels.severity }}}}-key'
    url: {url}/pagerduty
    severity: '{{{{ .CommonLabels.severity }}}}'
    class: c
    component: co
    group: g
    details: {{firing: f, resolved: r, num_firing: a, num_resolved: b, own: '{{{{ .Status }}}} is'}}
    images: [{{src: 'http://s', alt: a, href: http://h}}, {{alt: dropped}}]
    links: [{{href: 'http://l', text: t}}, {{text: dropped}}]
opsgenie_configs:
  - api_key: k
    api_url: {url}/opsgenie
  - api_key: '{{{{ .Status }}}}'
    api_url: {url}/opsgenie_full/
    message: '{{{{ range .Alerts }}}}{{{{ .Labels.instance }}}}, {{{{ end }}}}'
    description: d
    source: s
    details: {{severity: over, zone: '{{{{ .GroupLabels.alertname }}}}'}}
    entity: e
    responders:
      - {{name: 'a, b', type: teams}}
      - {{id: i, type: '{{{{ "User" }}}}'}}
      - {{username: '{{{{ "" }}}}', type: '{{{{ "" }}}}'}}
    actions: 'x,,y z'
    tags: ' a, b ,'
    note: n
    priority: P1
    update_alerts: true
discord_configs:
  - webhook_url: {url}/discord
  - webhook_url: {url}/discord_full
    title: '{{{{ .Status }}}}'
    message: 'm <{{{{ len .Alerts }}}}>'
victorops_configs:
  - api_key: 'k y'
    api_url: {url}/victorops
    routing_key: r
  - api_key: k
    api_url: {url}/victorops_full/
    routing_key: '{{{{ .GroupLabels.alertname }}}}/?&{{{{ .Status }}}}'
    message_type: '{{{{ "WARNING" }}}}'
    state_message: '<{{{{ .Status }}}}>'
    entity_display_name: e
    monitoring_tool: m
    custom_fields: {{zone: '{{{{ .GroupLabels.alertname }}}}', a: b}}
webex_configs:
  - api_url: {url}/webex
    room_id: r
    http_config: {{authorization: {{credentials: bot}}}}
  - api_url: {url}/webex_full
    room_id: r
    message: '{{{{ range .Alerts }}}}{{{{ printf "%02500d\u00e4" 1 }}}}{{{{ end }}}}'
    http_config: {{authorization: {{credentials: bot}}}}
telegram_configs:
  - api_url: {url}/telegram
    bot_token: 'b:k'
    chat_id: -12
  - api_url: {url}/telegram_full
    bot_token: k
    chat_id: 7
    message: '{{{{ .Status }}}} {{{{ "<" }}}}'
    parse_mode: MarkdownV2
    disable_notifications: true
wechat_configs:
  - api_url: {url}/wechat
    api_secret: 's &{{{{ .Status }}}}'
    corp_id: c
  - api_url: {url}/wechat_full/
    api_secret: s
    corp_id: c
    message: '<{{{{ .Status }}}}>'
    message_type: markdown
    to_user: '@all'
    to_party: p
    to_tag: t
    agent_id: '7'
'''

ROUTE = 'route: {receiver: all, group_by: [alertname], group_wait: 1s, group_interval: 2s}\n'

TOKEN, SENT, CHAT = b'{"errcode":0,"access_token":"t /k"}', b'{"errcode":0,"errmsg":"ok"}', b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":7}}}'
ANSWERS = {'/slack': ('text/plain', b'ok'), '/slack_full': ('application/json', b'{"ok":true}'),
           '/wechat/gettoken': ('application/json', TOKEN), '/wechat_full/gettoken': ('application/json', TOKEN),
           '/wechat/message/send': ('application/json', SENT), '/wechat_full/message/send': ('application/json', SENT),
           '/telegram/botb:k/sendMessage': ('application/json', CHAT), '/telegram_full/botk/sendMessage': ('application/json', CHAT),
           '/rocketchat/api/v1/chat.postMessage': ('application/json', b'{"success":true}')}

NAMES = '''slack.default.title slack.default.username slack.default.fallback slack.default.callbackid slack.default.pretext
slack.default.titlelink slack.default.iconemoji slack.default.iconurl slack.default.text slack.default.footer pagerduty.default.description
pagerduty.default.client pagerduty.default.clientURL opsgenie.default.message opsgenie.default.description opsgenie.default.source
wechat.default.message wechat.default.to_user wechat.default.to_party wechat.default.to_tag wechat.default.agent_id
victorops.default.state_message victorops.default.entity_display_name victorops.default.monitoring_tool pushover.default.title
pushover.default.message pushover.default.url sns.default.subject sns.default.message telegram.default.message discord.default.title
discord.default.message webex.default.message email.default.subject'''.split()


class Recorder(peers.Server):
    """Keeps each request: method, path, what headers say, body."""

    def __init__(self):
        seen = self.seen = []
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers['Content-Length'] or 0))
                with lock:
                    seen.append((self.command, self.path, self.headers['Content-Type'], self.headers['Authorization'], body))
                kind, answer = ANSWERS.get(self.path[3:].split('?')[0], ('text/plain', b''))
                self.send_response(200)
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *args):
                pass
        super().__init__(Handler)

    def of(self, program):
        """In order of their paths; requests to one path in order of arrival."""
        mine = [(m, p[3:], t, a, b) for m, p, t, a, b in self.seen if p.startswith(f'/{program}/')]
        return sorted(mine, key=lambda request: request[1])


def alert(instance, resolved):
    now = time.time()
    stamp = lambda t: time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))
    return {'labels': {'alertname': 'A', 'instance': instance, 'severity': 'critical'},
            'annotations': {'runbook': 'r & "q"', 'summary': f's {instance}'}, 'generatorURL': f'http://p/{instance}?a=1&b=2',
            'startsAt': stamp(now - 3600), 'endsAt': stamp(now - 1 if resolved else now + 3600)}


class Case(peers.Case):
    maxDiff = None

    def indented(self, receivers):
        return '\n'.join('    ' + line for line in receivers.splitlines())

    def start(self, receivers):
        self.file('tocsin.yml', 'alertmanager_config_file: routes.yml\n')
        self.file('routes.yml', ROUTE + 'receivers:\n  - name: all\n' + self.indented(receivers) + '\n')
        return self.tocsin(f'--web.external-url={EXTERNAL}')

    def tell(self, program, *alerts):
        status, why = peers.post(f'{program.url}/api/v2/alerts', json.dumps(alerts).encode())
        self.assertEqual(status, 200, why)


class BesideAlertmanager(Case):
    def setUp(self):
        super().setUp()
        self.server = self.keep(Recorder())
        self.peer = self.alertmanager(ROUTE + 'receivers:\n  - name: all\n' + self.indented(RECEIVERS.format(url=f'{self.server.url}/am')),
                                      f'--web.external-url={EXTERNAL}', '--web.route-prefix=/')
        self.daemon = self.start(RECEIVERS.format(url=f'{self.server.url}/to'))

    def test_requests_are_the_same_to_the_byte(self):
        pair = [alert('i1', False), alert('i2', False), alert('i3', True)]
        for program in (self.peer, self.daemon):
            self.tell(program, *pair)
        firing = 19  # one for each integration, two more where OpsGenie's alert is updated, one more for each of WeChat's tokens
        for name in ('am', 'to'):
            peers.wait_for(f'requests of {name}', lambda name=name: len(self.server.of(name)) >= firing)
        end = [alert(i, True) for i in ('i1', 'i2')]
        for program in (self.peer, self.daemon):
            self.tell(program, *end)
        for name in ('am', 'to'):
            peers.wait_for(f'requests of {name} at the end', lambda name=name: len(self.server.of(name)) >= firing + 13)
        theirs, ours = self.server.of('am'), self.server.of('to')
        for their, our in zip(theirs, ours):
            self.assertEqual(our, their)
        self.assertEqual(len(ours), len(theirs))

    def test_the_configuration_prints_the_same(self):
        def receivers(url):
            text = peers.get_json(f'{url}/api/v2/status')['config']['original']
            return text[text.index('receivers:'):text.index('templates:')]
        ours = receivers(self.daemon.url).replace('/to/', '/am/')
        # Since 0.25 this default has become a template with a name.
        old = 'color: \'{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}\''
        self.assertEqual(ours.replace('color: \'{{ template "slack.default.color" . }}\'', old), receivers(self.peer.url))


EVERY_KIND = '''
webhook_configs: [{{url: {url}/webhook}}]
slack_configs: [{{api_url_file: slack_url}}]
pagerduty_configs: [{{routing_key: k, url: {url}/pagerduty}}]
opsgenie_configs: [{{api_key: k, api_url: {url}/opsgenie}}]
discord_configs: [{{webhook_url: {url}/discord}}]
msteams_configs: [{{webhook_url: {url}/msteams}}]
msteamsv2_configs: [{{webhook_url: {url}/msteamsv2}}]
incidentio_configs: [{{url: {url}/incidentio, alert_source_token: t}}]
rocketchat_configs: [{{api_url: {url}/rocketchat, token: t, token_id: i}}]
mattermost_configs: [{{webhook_url: {url}/mattermost}}]
victorops_configs: [{{api_url: {url}/victorops, api_key: k, routing_key: r}}]
webex_configs: [{{api_url: {url}/webex, room_id: r, http_config: {{authorization: {{credentials: c}}}}}}]
wechat_configs: [{{api_url: {url}/wechat, api_secret: s, corp_id: c}}]
telegram_configs: [{{api_url: {url}/telegram, bot_token: 'b:k', chat_id: 7}}]
'''


class EveryKind(Case):
    def test_is_told_and_counted(self):
        server = self.keep(Recorder())
        self.file('slack_url', f'{server.url}/to/slack\n')
        daemon = self.start(EVERY_KIND.format(url=f'{server.url}/to').replace('slack_url', str(self.folder / 'slack_url')))
        self.tell(daemon, alert('i1', False))
        kinds = [line.split('_configs')[0] for line in EVERY_KIND.split('\n') if line]

        def counted():
            metrics = peers.get(f'{daemon.url}/metrics')
            return all(f'alertmanager_notification_latency_seconds_count{{integration="{k}"}} 1\n' in metrics for k in kinds) and metrics
        metrics = peers.wait_for('an attempt of each kind', counted)
        for kind in kinds:
            self.assertIn(f'alertmanager_notifications_total{{integration="{kind}"}} 1\n', metrics)
            self.assertIn(f'alertmanager_notification_requests_failed_total{{integration="{kind}"}} 0\n', metrics)
        told = [request for request in server.of('to') if not request[1].startswith('/wechat/gettoken')]
        self.assertEqual(sorted(path.split('/')[1] for _, path, *_ in told), sorted(kinds))
        for method, _, kind, _, body in told:
            self.assertEqual((method, kind), ('POST', 'application/json'))
            json.loads(body)
        self.assertNotIn(server.url, daemon.log.read_text())


class JiraServer(peers.Server):
    """Keeps issues, finds them by the JQL that is asked, and has one workflow: Open -> Done by "Close", and back by "Reopen"."""

    def __init__(self):
        self.issues, self.requests, self.lock = {}, [], threading.Lock()
        jira = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers['Content-Length'] or 0))
                with jira.lock:
                    status, answer = jira.answer(self.command, self.path, self.headers, json.loads(body) if body else None)
                text = json.dumps(answer).encode() if answer is not None else b''
                self.send_response(status)
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *args):
                pass
        super().__init__(Handler)

    def answer(self, method, path, headers, body):
        self.requests.append((method, path))
        if headers['Authorization'] != 'Basic ' + base64.b64encode(b'bot:pass').decode() or headers['Accept-Language'] != 'en':
            return 401, {'errorMessages': ['who?']}
        if (method, path) == ('POST', '/rest/api/2/search'):
            return 200, {'issues': self.find(body)[:body['maxResults']]}
        if (method, path) == ('POST', '/rest/api/2/issue'):
            key = f"{body['fields']['project']['key']}-{len(self.issues) + 1}"
            self.issues[key] = {**body['fields'], 'category': 'new', 'resolution': None}
            return 201, {'id': '1', 'key': key}
        issue, below = re.fullmatch(r'/rest/api/2/issue/([A-Z]+-\d+)(/transitions)?', path).groups()
        if method == 'PUT':
            self.issues[issue].update(body['fields'])
            return 204, None
        done = self.issues[issue]['category'] == 'done'
        name, number = ('Reopen', '3') if done else ('Close', '2')
        if method == 'GET':
            return 200, {'transitions': [{'id': '9', 'name': 'Comment'}, {'id': number, 'name': name}]}
        if body != {'transition': {'id': number}}:
            return 400, {'errorMessages': ['no such transition now']}
        self.issues[issue].update({'category': 'new', 'resolution': None} if done else {'category': 'done', 'resolution': 'Fixed'})
        return 204, None

    def find(self, body):
        """All of the JQL must be understood."""
        form = (r'(?:\(resolution is EMPTY or resolution != "(?P<not>[^"]*)"\) and )?'
                r'(?:(?P<open>statusCategory != Done) and |\(resolutiondate is EMPTY OR resolutiondate >= -(?P<minutes>\d+)m\) and )'
                r'project="(?P<project>[^"]*)" and labels="(?P<label>[^"]*)" order by status ASC,resolutiondate DESC')
        asked = re.fullmatch(form, body['jql'])
        found = [(key, i) for key, i in self.issues.items() if i['project']['key'] == asked['project'] and asked['label'] in i['labels']
                 and not (asked['not'] and i['resolution'] == asked['not']) and not (asked['open'] and i['category'] == 'done')]
        return [{'key': key, 'fields': {name: {'name': '?', 'statusCategory': {'key': i['category']}} for name in body['fields']}}
                for key, i in sorted(found, key=lambda item: item[1]['category'] == 'done')]


class Jira(Case):
    def test_an_issue_lives_as_long_as_its_group(self):
        jira = self.keep(JiraServer())
        daemon = self.start(f"""
jira_configs:
  - api_url: {jira.url}/rest/api/2
    project: OPS
    issue_type: Incident
    labels: [alert]
    summary: {{template: '{{{{ len .Alerts.Firing }}}} of {{{{ .GroupLabels.alertname }}}}', enable_update: true}}
    description: {{enable_update: false}}
    resolve_transition: Close
    reopen_transition: Reopen
    reopen_duration: 1h
    wont_fix_resolution: "Won't fix"
    fields: {{customfield_7: {{value: '{{{{ .Status }}}}'}}}}
    http_config: {{basic_auth: {{username: bot, password: pass}}}}""")

        def until(what, probe):
            peers.wait_for(what, lambda: probe(dict(jira.issues)))
        self.tell(daemon, alert('i1', False))
        until('an issue', lambda issues: issues.get('OPS-1'))
        made = dict(jira.issues['OPS-1'])
        self.assertEqual((made['summary'], made['issuetype'], made['priority']), ('1 of A', {'name': 'Incident'}, {'name': 'High'}))
        self.assertEqual(made['labels'], ['ALERT{' + hashlib.sha256(b'{}:{alertname="A"}').hexdigest() + '}', 'alert'])
        self.assertIn(' - instance = i1\n', made['description'])
        self.tell(daemon, alert('i1', False), alert('i2', False))
        until('its change', lambda issues: issues['OPS-1']['summary'] == '2 of A')
        self.tell(daemon, alert('i1', True), alert('i2', True))
        until('its end', lambda issues: issues['OPS-1']['category'] == 'done')
        self.assertEqual(jira.issues['OPS-1']['customfield_7'], {'value': 'resolved'})
        self.assertEqual(jira.issues['OPS-1']['description'], made['description'])
        self.tell(daemon, alert('i3', False))
        until('its return', lambda issues: issues['OPS-1']['category'] == 'new')
        with jira.lock:  # somebody decides
            jira.issues['OPS-1'].update({'category': 'done', 'resolution': "Won't fix"})
        self.tell(daemon, alert('i3', False), alert('i4', False))
        until('a new issue', lambda issues: len(issues) == 2)
        self.assertEqual(jira.issues['OPS-1']['category'], 'done')
        self.assertEqual([path for method, path in jira.requests if (method, path[-6:]) == ('POST', '/issue')], ['/rest/api/2/issue'] * 2)


class SnsServer(peers.Server):
    """Takes what is signed as AWS says, by whom it knows: access key -> secret key, session token."""

    def __init__(self, logins):
        taken = self.taken = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'] or 0))
                good = SnsServer.is_signed(self.path, self.headers, body, logins)
                text = b'<PublishResponse/>' if good else b'<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>'
                if good:
                    taken.append((good, self.path, self.headers['Content-Type'], urllib.parse.parse_qsl(body.decode(), True)))
                self.send_response(200 if good else 403)
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass
        super().__init__(Handler)

    @staticmethod
    def is_signed(path, headers, body, logins):
        form = r'AWS4-HMAC-SHA256 Credential=(\w+)/((\d{8})/[^/]+/sns/aws4_request), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})'
        key, scope, day, names, signature = re.fullmatch(form, headers['Authorization']).groups()
        secret, token = logins[key]
        date = headers['X-Amz-Date']
        now = time.time()
        fresh = any(time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now - age)) == date for age in range(-5, 60))
        needed = {'content-type', 'host', 'x-amz-date'} | ({'x-amz-security-token'} if token else set())
        values = ''.join(f'{name}:{headers[name].strip()}\n' for name in names.split(';'))
        canonical = '\n'.join(['POST', urllib.parse.quote(path, '/-_.~'), '', values, names, hashlib.sha256(body).hexdigest()])
        text = '\n'.join(['AWS4-HMAC-SHA256', date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signer = ('AWS4' + secret).encode()
        for part in scope.split('/'):
            signer = hmac.new(signer, part.encode(), 'sha256').digest()
        good = hmac.new(signer, text.encode(), 'sha256').hexdigest() == signature
        return key if good and fresh and date.startswith(day) and needed <= set(names.split(';')) and headers['X-Amz-Security-Token'] == token else None


class Sns(Case):
    def test_forms_and_settings_are_alertmanagers(self):
        sns = self.keep(SnsServer({'AK': ('SK', None)}))

        def receivers(program):
            return f"""
sns_configs:
  - api_url: {sns.url}/{program}
    topic_arn: 'arn:{{{{ .GroupLabels.alertname }}}}'
    attributes: {{b: '{{{{ .Status }}}} & x', zone: c}}
    sigv4: {{region: eu-west-1, access_key: AK, secret_key: SK}}
  - api_url: {sns.url}/{program}
    phone_number: '+49'
    subject: ''
    message: '{{{{ printf "%01601d" 7 }}}}'
    sigv4: {{region: eu-west-1, access_key: AK, secret_key: SK}}"""
        peer = self.alertmanager(ROUTE + 'receivers:\n  - name: all\n' + self.indented(receivers('am')),
                                 f'--web.external-url={EXTERNAL}', '--web.route-prefix=/')
        daemon = self.start(receivers('to'))
        for program in (peer, daemon):
            self.tell(program, alert('i1', False))
        peers.wait_for('two messages of each', lambda: len(sns.taken) >= 4)

        def forms(program):
            """Attributes by name: Alertmanager numbers them as it likes."""
            for _, path, kind, form in sns.taken:
                if path.startswith(f'/{program}'):
                    values = dict(form)
                    names = {k.split('.')[2]: v for k, v in values.items() if k.startswith('MessageAttributes') and k.endswith('.Name')}
                    yield kind.split(';')[0], sorted((re.sub(r'entry\.(\d+)', lambda m: names[m[1]], k), v) for k, v in form)
        self.assertEqual(sorted(forms('to')), sorted(forms('am')))

        def printed(program):
            text = peers.get_json(f'{program.url}/api/v2/status')['config']['original']
            return text[text.index('receivers:'):text.index('templates:')]
        # Alertmanager leaves out an empty subject, and would read the default in its place.
        self.assertEqual(printed(daemon).replace('/to', '/am').replace('    subject: ""\n', ''), printed(peer))

    def test_messages_are_signed_by_the_keys_of_settings_profile_and_environment(self):
        sns = self.keep(SnsServer({'AK1': ('s/1', None), 'AK2': ('s/2', 'to/k+en=='), 'AK3': ('s3', None)}))
        profiles = self.file('credentials', '[other]\naws_access_key_id=AK2\naws_secret_access_key = s/2\naws_session_token=to/k+en==\n')
        environment = {'AWS_SHARED_CREDENTIALS_FILE': str(profiles), 'AWS_ACCESS_KEY_ID': 'AK3', 'AWS_SECRET_ACCESS_KEY': 's3',
                       'AWS_REGION': 'us-east-2', 'AWS_SESSION_TOKEN': ''}
        with unittest.mock.patch.dict(os.environ, environment):
            daemon = self.start(f"""
sns_configs:
  - api_url: {sns.url}
    topic_arn: 'arn:aws:sns:eu-west-1:1:{{{{ .GroupLabels.alertname }}}}.fifo'
    attributes: {{severity: '{{{{ .CommonLabels.severity }}}}'}}
    sigv4: {{region: eu-west-1, access_key: AK1, secret_key: s/1}}
  - api_url: {sns.url}/base/a%20b
    phone_number: '+491'
    message: 'm\u00e4h & {{{{ .Status }}}}'
    sigv4: {{region: eu-west-1, profile: other}}
  - api_url: {sns.url}
    target_arn: t
    message: m
    http_config: {{authorization: {{credentials: not-for-aws}}}}""")
        self.tell(daemon, alert('i1', False))
        peers.wait_for('three messages', lambda: len(sns.taken) >= 3)
        by = {key: (path, kind, dict(form)) for key, path, kind, form in sns.taken}
        self.assertEqual(sorted(by), ['AK1', 'AK2', 'AK3'])
        path, kind, form = by['AK1']
        self.assertEqual((path, kind, form['Action'], form['Version']), ('/', 'application/x-www-form-urlencoded', 'Publish', '2010-03-31'))
        self.assertEqual((form['TopicArn'], form['Subject']), ('arn:aws:sns:eu-west-1:1:A.fifo', '[FIRING:1] A (i1 critical)'))
        self.assertEqual(form['MessageGroupId'], hashlib.sha256(b'{}:{alertname="A"}').hexdigest())
        self.assertIn(' - instance = i1\n', form['Message'])
        self.assertEqual([form[f'MessageAttributes.entry.1.{name}'] for name in ('Name', 'Value.DataType', 'Value.StringValue')],
                         ['severity', 'String', 'critical'])
        path, _, form = by['AK2']
        self.assertEqual((path, form['PhoneNumber'], form['Message']), ('/base/a%20b', '+491', 'm\u00e4h & firing'))
        self.assertEqual(by['AK3'][2]['TargetArn'], 't')
        self.tell(daemon, alert('i1', True))
        peers.wait_for('three ends', lambda: len(sns.taken) >= 6)
        ids = [dict(form)['MessageDeduplicationId'] for key, _, _, form in sns.taken if key == 'AK1']
        self.assertEqual(len(set(ids)), 2)
        log = daemon.log.read_text()
        for secret in ('s/1', 's/2', 'to/k+en=='):
            self.assertNotIn(secret, log)


class DefaultTexts(Case):
    def test_are_what_amtool_makes_of_alertmanagers_own(self):
        hook = self.webhook()
        payload = '\n'.join(f"      {name}: '@{{{{ template \"{name}\" . }}}}'" for name in NAMES)
        self.daemon = self.start(f'webhook_configs:\n  - url: {hook.url}/plain\n  - url: {hook.url}/texts\n    payload:\n{payload}\n')
        self.tell(self.daemon, alert('i1', False), alert('i2', False), alert('i3', True))
        peers.wait_for('both pages', lambda: len(hook.pages) == 2)
        self.compare(hook.pages)
        hook.pages.clear()
        self.tell(self.daemon, alert('i1', True), alert('i2', True))
        peers.wait_for('both ends', lambda: len(hook.pages) == 2)
        self.compare(hook.pages)

    def compare(self, pages):
        data = next(p for p in pages if 'groupKey' in p)
        ours = next(p for p in pages if 'groupKey' not in p)
        path = self.file('data.json', json.dumps(data))
        mark = '\n@@@@\n'
        text = ''.join(f'{{{{ template "{name}" . }}}}{mark}' for name in NAMES)
        theirs = self.output('amtool', 'template', 'render', '--template.glob=/usr/share/prometheus/alertmanager/*.tmpl',
                             f'--template.data={path}', f'--template.text={text}').split(mark)
        self.assertEqual(ours, {name: '@' + their for name, their in zip(NAMES, theirs)})


if __name__ == '__main__':
    peers.main()
