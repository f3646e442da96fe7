"""Default texts: one fixed set of alerts, told by Debian's Alertmanager 0.25 and by `tocsin alertmanager` to the same fake services. What each
receiver gets is taken apart into fields, and each field must say the same, but for those listed in NEWER and OWN with their reasons.

Not here: Pushover and PagerDuty's first version, whose addresses are fixed in 0.25 (integrations_test.py compares Pushover's templates with
amtool's rendering), and the receivers that 0.25 does not know."""
import datetime
import html.parser
import http.server
import json
import re
import threading
import time
import urllib.parse

import email_test
import peers

EXTERNAL = 'http://am.example:9093'

RECEIVERS = '''
webhook_configs: [{{url: {url}/webhook}}]
slack_configs: [{{api_url: {url}/slack, channel: '#c', send_resolved: true}}]
pagerduty_configs: [{{routing_key: k, url: {url}/pagerduty}}]
opsgenie_configs: [{{api_key: k, api_url: {url}/opsgenie}}]
discord_configs: [{{webhook_url: {url}/discord}}]
victorops_configs: [{{api_key: k, api_url: {url}/victorops/, routing_key: r}}]
webex_configs: [{{api_url: {url}/webex, room_id: r, http_config: {{authorization: {{credentials: bot}}}}}}]
telegram_configs: [{{api_url: {url}/telegram, bot_token: 'b:k', chat_id: 7}}, {{api_url: {url}/telegram_plain, bot_token: 'b:k', chat_id: 7, parse_mode: ''}}]
wechat_configs: [{{api_url: {url}/wechat, api_secret: s, corp_id: c, send_resolved: true}}]
sns_configs: [{{api_url: {url}/sns, topic_arn: t, sigv4: {{region: eu-west-1, access_key: AK, secret_key: SK}}}}]
email_configs: [{{to: a@example.org, from: t@example.org, smarthost: '127.0.0.1:{mail}', require_tls: false, send_resolved: true}}]
'''

# Fields that one of the two lacks or has in another form, in every page: Tocsin follows 0.34.
NEWER = {
    ('webhook', 'notification_reason'): '0.34 says why it notifies',
    ('webhook', 'routeLabels'): '0.34 has labels of routes',
    ('pagerduty', 'payload.custom_details.firing'): '0.34 sends a list of objects where 0.25 sent one text',
    ('pagerduty', 'payload.custom_details.resolved'): '0.34 sends a list of objects where 0.25 sent one text',
    ('pagerduty', 'payload.custom_details.num_firing'): '0.34 sends a number where 0.25 sent its digits',
    ('pagerduty', 'payload.custom_details.num_resolved'): '0.34 sends a number where 0.25 sent its digits',
}
# Of a field that both have, what is not compared.
OWN = {
    ('sns', 'MessageAttributes'): 'Alertmanager sends an empty one that says nothing',
    ('email', 'Date'): 'when it was sent',
    ('email', 'Message-Id'): 'by chance, and ends in the sender\'s domain in Tocsin',
    ('email', 'Content-Type'): 'the boundary is by chance',
    ('email', 'html'): 'the page looks otherwise: its visible words and its links are compared, as fields of their own',
}
KINDS = ['webhook', 'slack', 'pagerduty', 'opsgenie', 'discord', 'victorops', 'webex', 'telegram', 'telegram_plain', 'wechat', 'sns', 'email']

ODD = 'ä & <b>"q"</b> \'s\' + 100% _x_ *y* `z` {{ no }} \\n 😀'
LATER = '2099-01-01T00:00:00Z'


def ago(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')


# Alertmanager sends at once what has fired for longer than group_wait, while it still takes in the rest: so these have not.
BEGAN, ENDED = ago(1), ago(0.5)


def alert(number, ended):
    labels = {'alertname': 'Disk "full" & <hot>', 'cluster': 'Zürich+1', 'instance': f'i{number}:9100', 'job': 'node', 'severity': 'critical',
              'odd': ODD if number == 1 else 'plain'}
    return {'labels': labels, 'annotations': {'summary': f'{ODD} no. {number}', 'runbook': 'http://r/?a=1&b=<2>', 'description': 'two\nlines\tand a tab'},
            'generatorURL': f'http://p/graph?g0.expr=up%7Bx%3D%22{number}%22%7D&g0.tab=1', 'startsAt': BEGAN, 'endsAt': ENDED if ended else LATER}


class Services(peers.Server):
    """Takes whatever comes, and answers as the services do."""

    def __init__(self):
        seen, lock = [], threading.Lock()
        self.seen = seen
        answers = {'gettoken': b'{"errcode":0,"access_token":"t"}', 'send': b'{"errcode":0}',
                   'sendMessage': b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":7}}}', 'slack': b'ok'}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'] or 0)).decode()
                path = urllib.parse.urlsplit(self.path).path
                with lock:
                    if not path.endswith('gettoken'):
                        seen.append((path.split('/')[1], path.split('/')[2], body))
                answer = answers.get(path.rsplit('/', 1)[-1], b'<PublishResponse/>' if '/sns' in path else b'')
                self.send_response(200)
                self.send_header('Content-Type', 'text/plain' if answer == b'ok' else 'application/json')
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            do_GET = do_PUT = do_POST

            def log_message(self, *args):
                pass
        super().__init__(Handler)

    def of(self, program):
        return [(kind, body) for name, kind, body in self.seen if name == program]


class Words(html.parser.HTMLParser):
    """What a page shows, its title, and where its links lead."""

    def __init__(self, text):
        super().__init__()
        self.words, self.title, self.links, self.within = [], '', [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ('style', 'title'):
            self.within = tag
        self.links += [value for name, value in attributes if tag == 'a' and name == 'href']

    def handle_endtag(self, tag):
        self.within = None if tag == self.within else self.within

    def handle_data(self, data):
        if self.within is None:
            self.words += data.split()
        elif self.within == 'title':
            self.title += data


def flatten(value, path=''):
    """{dotted path: leaf}."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None or not value:
        return {path: value}
    return {k: v for key, item in items for k, v in flatten(item, f'{path}.{key}' if path else str(key)).items()}


def fields_of(kind, body):
    if kind == 'sns':
        return dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
    return flatten(json.loads(body))


def fields_of_mail(mail):
    mime = email_test.message(mail)
    page = Words(mime.get_body(('html',)).get_content())
    fields = {'Message-Id' if name.lower() == 'message-id' else name: str(value) for name, value in mime.items()}
    return {**fields, 'subject': str(mime['Subject']), 'html words': ' '.join(page.words), 'html title': page.title.strip(), 'html links': page.links, 'html': ''}


def is_listed(kind, field, table):
    return any(k == kind and (field == f or field.startswith(f + '.')) for k, f in table)


class DefaultTexts(email_test.Case):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.services = self.keep(Services())
        self.mails = {name: self.keep(email_test.MailServer(self.folder, f'mail-{name}')) for name in ('am', 'to')}
        self.programs = {'am': self.alertmanager(self.configuration('am'), f'--web.external-url={EXTERNAL}', '--web.route-prefix=/'),
                         'to': self.own(self.configuration('to'))}

    def configuration(self, name):
        receivers = RECEIVERS.format(url=f'{self.services.url}/{name}', mail=self.mails[name].port)
        return ('route: {receiver: "x.y", group_by: [alertname, cluster], group_wait: 10s, group_interval: 2s}\nreceivers:\n  - name: "x.y"\n'
                + '\n'.join('    ' + line for line in receivers.strip().splitlines()) + '\n')

    def own(self, config):
        port = peers.free_port()
        path = self.file('own.yml', config)
        process = self.run_process('tocsin', peers.TOCSIN, 'alertmanager', f'--config.file={path}', f'--storage.path={self.folder / "own"}',
                                   f'--web.listen-address=127.0.0.1:{port}', f'--web.external-url={EXTERNAL}', '--web.route-prefix=/',
                                   '--cluster.listen-address=')
        process.url = f'http://127.0.0.1:{port}'
        return process.ready(f'{process.url}/-/ready')

    def tell(self, program, *alerts):
        status, why = peers.post(f'{program.url}/api/v2/alerts', json.dumps(alerts).encode())
        self.assertEqual(status, 200, why)

    def told(self, name, count):
        """{kind: fields of its count-th page}, once all have it."""
        def probe():
            kinds = {kind: [body for k, body in self.services.of(name) if k == kind] for kind in KINDS if kind != 'email'}
            return all(len(bodies) >= count for bodies in kinds.values()) and len(self.mails[name].mails) >= count and kinds
        kinds = peers.wait_for(f'page {count} of every receiver of {name}', probe, seconds=60)
        pages = {kind: fields_of(kind, bodies[count - 1]) for kind, bodies in kinds.items()}
        return {**pages, 'email': fields_of_mail(self.mails[name].mails[count - 1])}

    def compare(self, count):
        theirs, ours = (self.told(name, count) for name in ('am', 'to'))
        differ = set()
        for kind in KINDS:
            for field in sorted({*theirs[kind], *ours[kind]}):
                if is_listed(kind, field, NEWER) or is_listed(kind, field, OWN):
                    differ.update((k, f) for k, f in NEWER if k == kind and (field + '.').startswith(f + '.') and theirs[kind].get(field) != ours[kind].get(field))
                    continue
                with self.subTest(kind=kind, field=field, page=count):
                    self.assertIn(field, theirs[kind])
                    self.assertIn(field, ours[kind])
                    self.assertEqual(ours[kind][field], theirs[kind][field])
        self.assertEqual(differ, set(NEWER))  # what is listed is needed
        return theirs, ours

    def test_each_field_says_the_same(self):
        for program in self.programs.values():  # the fourth ends at once: it is told as resolved beside those that fire
            self.tell(program, *[alert(number, number == 4) for number in (1, 2, 3, 4)])
        theirs, ours = self.compare(1)
        self.assertIn('Disk "full" & <hot> Zürich+1', ours['slack']['attachments.0.title'])
        self.assertIn('[3] Firing', ours['email']['html words'])
        self.compare_newer(theirs['pagerduty'], ours['pagerduty'])
        for program in self.programs.values():
            self.tell(program, *[alert(number, True) for number in (1, 2, 3)])
        theirs, ours = self.compare(2)
        self.assertTrue(ours['email']['subject'].startswith('[RESOLVED] '))
        self.compare_newer(theirs['pagerduty'], ours['pagerduty'])

    def compare_newer(self, theirs, ours):
        """The list of objects says what the text said."""
        for status in ('firing', 'resolved'):
            field = f'payload.custom_details.{status}'
            instances = [value for key, value in sorted(ours.items()) if re.fullmatch(re.escape(field) + r'\.\d+\.labels\.instance', key)]
            self.assertEqual(re.findall(r' - instance = (\S+)', theirs[field]), instances)
            self.assertEqual(str(ours[f'payload.custom_details.num_{status}']), theirs[f'payload.custom_details.num_{status}'])


if __name__ == '__main__':
    peers.main()
