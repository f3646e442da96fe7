"""Alerts to other Alertmanagers: Debian's behind relabelling and a path; servers that ask for certificates and passwords."""
import base64
import http.server
import json
import signal
import ssl
import subprocess

import peers

RULES = '''
groups:
  - name: always
    interval: 1s
    rules:
      - {alert: Loud, expr: vector(1), labels: {severity: page, replica: a}}
      - {alert: Quiet, expr: vector(1)}
'''

ROUTES = '''
route: {receiver: none, group_by: [alertname]}
receivers: [{name: none}]
'''


class Case(peers.Case):
    def start(self, config):
        self.file('rules.yml', RULES)
        self.file('tocsin.yml', 'global: {evaluation_interval: 1s, external_labels: {site: test, replica: b}}\n'
                                'rule_files: [rules.yml]\n' + config)
        self.daemon = self.tocsin('--rules.alert.resend-delay=1s')

    def metric(self, name, where):
        for line in peers.get(f'{self.daemon.url}/metrics').splitlines():
            if line.startswith(f'{name}{{') and where in line:
                return float(line.rsplit(' ', 1)[1])
        return 0

    def sent(self, where):
        return self.metric('prometheus_notifications_sent_total', where)

    def errors(self, where):
        return self.metric('prometheus_notifications_errors_total', where)


class DebiansAlertmanager(Case):
    def test_is_reached_through_relabelling_and_a_path(self):
        peer = self.alertmanager(ROUTES, '--web.route-prefix=/am/here', prefix='/am/here')
        self.start(f'''
alerting:
  alert_relabel_configs:
    - {{source_labels: [alertname], regex: Quiet, action: drop}}
    - {{source_labels: [site, severity], separator: /, target_label: from}}
  alertmanagers:
    - path_prefix: am//here/
      relabel_configs:
        - {{source_labels: [real], target_label: __address__}}
        - {{source_labels: [__address__], regex: left:.*, action: drop}}
      alert_relabel_configs:
        - {{regex: replica, action: labeldrop}}
      static_configs:
        - {{targets: ["am.invalid:1"], labels: {{real: "127.0.0.1:{peer.port}"}}}}
        - {{targets: ["left:1"], labels: {{real: "left:2"}}}}
''')
        alerts = peers.wait_for('an alert', lambda: peers.get_json(f'{peer.url}/api/v2/alerts'))
        self.assertEqual([a['labels'] for a in alerts],
                         [{'alertname': 'Loud', 'severity': 'page', 'site': 'test', 'from': 'test/page'}])
        told = peers.get_json(f'{self.daemon.url}/api/v1/alertmanagers')['data']
        self.assertEqual(told['activeAlertmanagers'], [{'url': f'{peer.url}/api/v2/alerts'}])
        self.assertEqual(told['droppedAlertmanagers'], [{'url': 'http://left:1/am/here/api/v2/alerts'}])

    def test_is_told_the_labels_that_the_own_router_is_told(self):
        peer, hook = self.alertmanager(ROUTES), self.webhook()
        self.file('routes.yml', 'route: {receiver: hook, group_by: [alertname], group_wait: 0s}\n'
                                f'receivers: [{{name: hook, webhook_configs: [{{url: "{hook.url}/"}}]}}]\n')
        self.start('alertmanager_config_file: routes.yml\n'
                   'alerting: {alert_relabel_configs: [{target_label: by, replacement: rule}], '
                   f'alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{peer.port}"]}}]}}]}}\n')
        page = hook.page('firing', 'Loud')
        self.assertEqual(page['alerts'][0]['labels'],
                         {'alertname': 'Loud', 'severity': 'page', 'replica': 'a', 'site': 'test', 'by': 'rule'})
        far = peers.wait_for('the same alert', lambda: [a for a in peers.get_json(f'{peer.url}/api/v2/alerts')
                                                        if a['labels']['alertname'] == 'Loud'])
        self.assertEqual(far[0]['labels'], page['alerts'][0]['labels'])


class TlsServer(peers.Server):
    """Asks for a certificate of its own authority and for a password; keeps who was let in, by path."""

    def __init__(self, folder, password):
        seen = self.seen = {}
        wanted = 'Basic ' + base64.b64encode(f'me:{password}'.encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                allowed = self.headers['Authorization'] == wanted
                if allowed:
                    seen.setdefault(self.path, []).append((self.headers, json.loads(body)))
                self.send_response(200 if allowed else 401)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *args):
                pass
        super().__init__(Handler)
        self.server.handle_error = lambda request, address: None  # who is refused ends his connection
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / 'server.crt', folder / 'server.key')
        context.load_verify_locations(folder / 'ca.crt')
        context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)


class AServerThatAsksWhoIsThere(Case):
    PASSWORD = 'c4nary-pass'

    def setUp(self):
        super().setUp()
        for name in ('ca', 'other'):
            self.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                         '-subj', f'/CN={name}', '-keyout', f'{name}.key', '-out', f'{name}.crt')
        self.certificate('server', 'ca', 'subjectAltName=DNS:am.test')
        self.certificate('client', 'ca', 'extendedKeyUsage=clientAuth')
        self.certificate('stranger', 'other', 'extendedKeyUsage=clientAuth')
        self.server = self.keep(TlsServer(self.folder, self.PASSWORD))
        self.file('password', f'{self.PASSWORD}\n')
        self.file('token', 'c4nary-header\n')

    def openssl(self, *arguments):
        subprocess.run(['openssl', *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def certificate(self, name, authority, extension):
        self.file(f'{name}.ext', extension)
        self.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}',
                     '-keyout', f'{name}.key', '-out', f'{name}.csr')
        self.openssl('x509', '-req', '-in', f'{name}.csr', '-CA', f'{authority}.crt', '-CAkey', f'{authority}.key',
                     '-CAcreateserial', '-days', '2', '-extfile', f'{name}.ext', '-out', f'{name}.crt')

    def group(self, name, tls, more='basic_auth: {username: me, password_file: password}'):
        return (f'    - {{scheme: https, path_prefix: {name}, tls_config: {{{tls}}}, {more},\n'
                f'       static_configs: [{{targets: ["127.0.0.1:{self.server.port}"]}}]}}\n')

    def test_lets_in_who_proves_it_and_nobody_else(self):
        mine = 'cert_file: client.crt, key_file: client.key'
        self.start('alerting:\n  alertmanagers:\n'
                   + self.group('good', f'ca_file: ca.crt, {mine}, server_name: am.test, min_version: TLS13',
                                'http_headers: {X-Who: {values: [tocsin], files: [token]}}, '
                                f'basic_auth: {{username: me, password: {self.PASSWORD}}}')
                   + self.group('blind', f'insecure_skip_verify: true, {mine}')
                   + self.group('wrong_name', f'ca_file: ca.crt, {mine}')
                   + self.group('wrong_ca', f'ca_file: other.crt, {mine}, server_name: am.test')
                   + self.group('system_ca', f'{mine}, server_name: am.test')
                   + self.group('stranger', 'ca_file: ca.crt, cert_file: stranger.crt, key_file: stranger.key, server_name: am.test')
                   + self.group('nobody', 'ca_file: ca.crt, server_name: am.test')
                   + self.group('no_password', f'ca_file: ca.crt, {mine}, server_name: am.test', 'basic_auth: {username: me}')
                   + self.group('no_file', f'ca_file: gone.crt, {mine}, server_name: am.test'))
        refused = ('wrong_name', 'wrong_ca', 'system_ca', 'stranger', 'nobody', 'no_password', 'no_file')
        for name in ('good', 'blind'):
            peers.wait_for(f'alerts at {name}', lambda name=name: self.sent(f'/{name}/'))
        for name in refused:
            peers.wait_for(f'refusals of {name}', lambda name=name: self.errors(f'/{name}/'))
            self.assertEqual(self.sent(f'/{name}/'), 0, name)
        self.assertEqual(set(self.server.seen), {'/good/api/v2/alerts', '/blind/api/v2/alerts'})
        headers, alerts = self.server.seen['/good/api/v2/alerts'][0]
        self.assertEqual(headers.get_all('X-Who'), ['tocsin', 'c4nary-header'])
        self.assertEqual(headers['Host'], f'127.0.0.1:{self.server.port}')
        self.assertTrue({a['labels']['alertname'] for a in alerts} <= {'Loud', 'Quiet'})
        self.assertEqual(self.errors('/good/'), 0)
        self.no_secret_is_told()

    def no_secret_is_told(self):
        for path in ('metrics', 'api/v1/status/config', 'api/v1/alertmanagers', 'api/v1/status/flags'):
            self.assertNotIn('c4nary', peers.get(f'{self.daemon.url}/{path}'))
        self.assertNotIn('c4nary', self.daemon.log.read_text(errors='replace'))
        config = peers.get_json(f'{self.daemon.url}/api/v1/status/config')['data']['yaml']
        self.assertIn('password: <secret>', config)
        self.assertEqual(subprocess.run([peers.TOCSIN, 'check', 'config', self.file('told.yml', config)], capture_output=True).returncode, 0)

    def test_sees_what_is_rotated_without_a_reload(self):
        self.start('alerting:\n  alertmanagers:\n' + self.group(
            'good', 'ca_file: trusted.crt, cert_file: own.crt, key_file: own.key, server_name: am.test'))
        good = {'trusted.crt': 'ca.crt', 'own.crt': 'client.crt', 'own.key': 'client.key', 'password': 'password'}
        password = (self.folder / 'password').read_text()
        self.file('wrong', 'wrong')

        def put(files):
            for name, source in files.items():
                self.file(name, password if source == 'password' else (self.folder / source).read_text())

        def change(count):
            before = count('/good/')
            peers.wait_for('the next answer', lambda: count('/good/') > before)
        put(good)
        change(self.sent)
        for broken in ({'trusted.crt': 'other.crt'}, {'own.crt': 'stranger.crt', 'own.key': 'stranger.key'},
                       {'password': 'wrong'}):
            put(broken)
            change(self.errors)
            put(good)
            change(self.sent)

    def test_a_configuration_that_contradicts_itself_is_refused_and_the_old_one_stays(self):
        mine = 'ca_file: ca.crt, cert_file: client.crt, key_file: client.key, server_name: am.test'
        self.start('alerting:\n  alertmanagers:\n' + self.group('good', mine))
        config = (self.folder / 'tocsin.yml').read_text()
        self.file('tocsin.yml', config.replace('password_file: password', 'password_file: password, password: x'))
        status, why = peers.post(f'{self.daemon.url}/-/reload')
        self.assertEqual(status, 500)
        self.assertIn('at most one of basic_auth password, password_file & password_ref must be configured', why)
        self.file('tocsin.yml', config.replace('path_prefix: good', 'path_prefix: moved'))
        self.daemon.send(signal.SIGHUP)
        peers.wait_for('alerts at the new path', lambda: self.sent('/moved/'))


if __name__ == '__main__':
    peers.main()
