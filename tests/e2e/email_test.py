"""Mails as a mail server sees them: over TLS, with a login, refused, and beside those of Debian's Alertmanager 0.25."""
import base64
import email
import email.policy
import html.parser
import json
import subprocess
import time

import peers

EXTERNAL = 'http://am.example:9093'
ROUTE = 'route: {receiver: all, group_by: [alertname], group_wait: 1s, group_interval: 2s}\n'


class MailServer(peers.Process):
    def __init__(self, folder, name, *modes):
        script = peers.ROOT / 'tests/e2e/mail_server.py'
        super().__init__(folder, name, ['/usr/bin/python3', str(script), str(folder), *modes])
        self.port = int(peers.wait_for('the port of the mail server', lambda: self.lines()[:1])[0])

    def lines(self):
        if self.process.poll() is not None:
            raise AssertionError(f'{self.name} ended:\n{self.text()}')
        whole = self.log.read_text(errors='replace').split('\n')[:-1]
        return whole

    @property
    def mails(self):
        return [json.loads(line) for line in self.lines()[1:] if line.startswith('{')]


def message(mail):
    return email.message_from_bytes(base64.b64decode(mail['text']), policy=email.policy.SMTP)


def body(mail, kind):
    return message(mail).get_body((kind,)).get_content()


class Words(html.parser.HTMLParser):
    """What a page says and where its links lead."""

    def __init__(self, text):
        super().__init__()
        self.words, self.links, self.silent = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.silent = tag in ('style', 'title')
        self.links += [value for name, value in attributes if tag == 'a' and name == 'href']

    def handle_endtag(self, tag):
        self.silent = False

    def handle_data(self, data):
        if not self.silent:
            self.words += data.split()


def alert(instance, resolved=False):
    now = time.time()
    stamp = lambda t: time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))
    return {'labels': {'alertname': 'A', 'instance': instance, 'severity': 'critical'},
            'annotations': {'runbook': 'r & <b>"q"</b>', 'summary': f's {instance}\r\nBcc: evil@example.org\r\n\r\nx'},
            'generatorURL': f'http://p/{instance}?a=1&b=2', 'startsAt': stamp(now - 3600), 'endsAt': stamp(now - 1 if resolved else now + 3600)}


class Case(peers.Case):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=ca',
                     '-keyout', 'ca.key', '-out', 'ca.crt')
        self.file('server.ext', 'subjectAltName=DNS:localhost,IP:127.0.0.1')
        self.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=server', '-keyout', 'server.key',
                     '-out', 'server.csr')
        self.openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
                     '-extfile', 'server.ext', '-out', 'server.crt')
        self.file('password', 'pass word\n')

    def openssl(self, *arguments):
        subprocess.run(['openssl', *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def server(self, *modes):
        return self.keep(MailServer(self.folder, 'mail-' + '-'.join(modes), *modes))

    def start(self, *emails):
        self.file('tocsin.yml', 'alertmanager_config_file: routes.yml\n')
        self.file('routes.yml', ROUTE + 'receivers:\n  - name: all\n    email_configs:\n' + ''.join(f'      - {{{e}}}\n' for e in emails))
        return self.tocsin(f'--web.external-url={EXTERNAL}')

    def tell(self, program, *alerts):
        status, why = peers.post(f'{program.url}/api/v2/alerts', json.dumps(alerts).encode())
        self.assertEqual(status, 200, why)

    def failed(self, daemon, reason):
        name = f'alertmanager_notifications_failed_total{{integration="email",reason="{reason}"}} '
        return next(int(line[len(name):]) for line in peers.get(f'{daemon.url}/metrics').split('\n') if line.startswith(name))


COMMON = 'from: "Töcsin <tocsin@example.org>", send_resolved: true'


class RealServer(Case):
    def test_takes_mails_over_starttls_from_who_proves_himself(self):
        server = self.server('starttls', 'auth')
        daemon = self.start(f'{COMMON}, to: "ops@example.org, Näme <second@example.org>", smarthost: "localhost:{server.port}", hello: my.host, '
                            'auth_username: ops, auth_password_file: password, tls_config: {ca_file: ca.crt}, text: "{{ .CommonAnnotations.summary }}"'
                            .replace('password_file: password', f'password_file: {self.folder}/password'))
        self.tell(daemon, alert('i1'), alert('i2'))
        mail = peers.wait_for('a mail', lambda: server.mails)[0]
        self.assertEqual((mail['from'], mail['to'], mail['hello'], mail['tls'], mail['login']),
                         ('tocsin@example.org', ['ops@example.org', 'second@example.org'], 'my.host', True, 'ops'))
        mime = message(mail)
        self.assertEqual(str(mime['Subject']), '[FIRING:2] A (critical)')
        self.assertEqual(str(mime['From']), 'Töcsin <tocsin@example.org>')
        self.assertEqual([str(a) for a in mime['To'].addresses], ['ops@example.org', 'Näme <second@example.org>'])
        self.assertNotIn('Bcc', mime)
        self.assertEqual(mime.defects, [])
        page = body(mail, 'html')
        self.assertIn('r &amp; &lt;b&gt;', page)
        self.assertIn('http://p/i1?a=1&amp;b=2', page)
        self.tell(daemon, alert('i1', True), alert('i2', True))
        peers.wait_for('the end', lambda: len(server.mails) == 2)
        self.assertEqual(str(message(server.mails[1])['Subject']), '[RESOLVED] A (critical)')

    def test_takes_mails_over_tls_from_the_start(self):
        server = self.server('implicit')
        daemon = self.start(f'{COMMON}, to: a@example.org, smarthost: "127.0.0.1:{server.port}", force_implicit_tls: true, '
                            'tls_config: {ca_file: ca.crt}, threading: {enabled: true, thread_by_date: daily}')
        self.tell(daemon, alert('i1'))
        mail = peers.wait_for('a mail', lambda: server.mails)[0]
        self.assertTrue(mail['tls'])
        self.assertRegex(str(message(mail)['References']), r'^<alert-[0-9a-f]{16}-\d{4}-\d\d-\d\d@alertmanager>$')

    def test_gets_nothing_if_it_is_not_who_it_should_be_or_has_no_tls(self):
        stranger, plain = self.server('starttls'), self.server()
        daemon = self.start(f'{COMMON}, to: a@example.org, smarthost: "127.0.0.1:{stranger.port}"',
                            f'{COMMON}, to: b@example.org, smarthost: "127.0.0.1:{plain.port}"',
                            f'{COMMON}, to: c@example.org, smarthost: "127.0.0.1:{plain.port}", require_tls: false')
        self.tell(daemon, alert('i1'))
        peers.wait_for('the third mail', lambda: plain.mails)
        name = 'alertmanager_notification_requests_failed_total{integration="email"} '
        peers.wait_for('two that fail', lambda: int(peers.get(f'{daemon.url}/metrics').split(name)[1].split('\n')[0]) >= 2)
        self.assertEqual(stranger.mails, [])
        self.assertEqual([m['to'] for m in plain.mails], [['c@example.org']])

    def test_is_asked_again_where_it_says_so_and_not_where_it_refuses(self):
        server, closed = self.server(), self.server('auth')
        daemon = self.start(f'{COMMON}, to: busy@example.org, smarthost: "127.0.0.1:{server.port}", require_tls: false',
                            f'{COMMON}, to: "a@example.org, nobody@example.org", smarthost: "127.0.0.1:{server.port}", require_tls: false',
                            f'{COMMON}, to: a@example.org, smarthost: "127.0.0.1:{closed.port}", require_tls: false, '
                            'auth_username: ops, auth_password: c4nary')
        self.tell(daemon, alert('i1'))
        peers.wait_for('the second attempt', lambda: server.mails)
        peers.wait_for('refusals', lambda: self.failed(daemon, 'clientError') >= 1 and self.failed(daemon, 'authError') >= 1)
        self.assertEqual({m['to'][0] for m in server.mails}, {'busy@example.org'})
        self.assertEqual(closed.mails, [])
        log = daemon.log.read_text()
        self.assertIn('no such user', log)
        self.assertNotIn('c4nary', log)


class BesideAlertmanager(Case):
    SETTINGS = '''      - to: 'Ops <ops@example.org>, b@example.org'
        from: am@example.org
        smarthost: localhost:{port}
        hello: my.host
        require_tls: false
        send_resolved: true
        headers: {{reply-TO: 'r@example.org', X-Group: '{{{{ .GroupLabels.alertname }}}}', Subject: 'Übel: {{{{ .Status }}}}'}}
        text: "{{{{ range .Alerts }}}}ä {{{{ .Annotations.runbook }}}} \\n.\\n{{{{ end }}}}"
      - to: c@example.org
        from: am@example.org
        smarthost: localhost:{port}
        require_tls: false
        send_resolved: true
        text: plain
        html: '<b title="{{{{ .CommonAnnotations.runbook }}}}">{{{{ .Status }}}}</b>'
'''

    def setUp(self):
        super().setUp()
        self.theirs, self.ours = (self.keep(MailServer(self.folder, name)) for name in ('theirs', 'ours'))
        self.peer = self.alertmanager(self.config(self.theirs), f'--web.external-url={EXTERNAL}', '--web.route-prefix=/')
        self.file('tocsin.yml', 'alertmanager_config_file: routes.yml\n')
        self.file('routes.yml', self.config(self.ours))
        self.daemon = self.tocsin(f'--web.external-url={EXTERNAL}')

    def config(self, server):
        return ROUTE + 'receivers:\n  - name: all\n    email_configs:\n' + self.SETTINGS.format(port=server.port)

    def test_mails_say_the_same(self):
        for ended in (False, True):
            for program in (self.peer, self.daemon):
                self.tell(program, alert('i1', ended), alert('i2', ended))
            for server in (self.theirs, self.ours):
                peers.wait_for('both mails', lambda server=server: len(server.mails) == (4 if ended else 2))
        key = lambda mail: (mail['to'], str(message(mail)['Subject']))
        for their, our in zip(sorted(self.theirs.mails, key=key), sorted(self.ours.mails, key=key)):
            self.same(their, our)

    def same(self, their, our):
        for field in ('from', 'to', 'hello', 'tls', 'login'):
            self.assertEqual(our[field], their[field])
        a, b = ([(n, v) for n, v in message(m).raw_items() if n not in ('Message-Id', 'Date', 'Content-Type')] for m in (their, our))
        self.assertEqual(sorted(b), sorted(a))
        parts = [[(p.get_content_type(), p['Content-Type'], p['Content-Transfer-Encoding']) for p in message(m).iter_parts()]
                 for m in (their, our)]
        self.assertEqual(parts[1], parts[0])
        plain = [message(m).get_body(('plain',)).get_payload() for m in (their, our)]
        self.assertEqual(plain[1], plain[0])
        if their['to'] == ['c@example.org']:
            self.assertEqual(body(our, 'html'), body(their, 'html'))
            return
        a, b = (Words(body(m, 'html')) for m in (their, our))
        self.assertEqual(b.words, a.words)
        self.assertEqual(b.links, a.links)

    def test_the_configuration_prints_the_same(self):
        def receivers(url):
            text = peers.get_json(f'{url}/api/v2/status')['config']['original']
            return text[text.index('receivers:'):text.index('templates:')]
        self.assertEqual(receivers(self.daemon.url).replace(str(self.ours.port), str(self.theirs.port)), receivers(self.peer.url))


if __name__ == '__main__':
    peers.main()
