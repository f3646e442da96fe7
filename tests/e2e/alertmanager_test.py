"""`tocsin alertmanager` in Alertmanager's place: its command lines, its files, Debian's amtool."""
import json
import re
import signal
import subprocess
import urllib.error
import urllib.request

import peers

CONFIG = '''
route: {receiver: team, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers: [{name: team, webhook_configs: [{url: "URL"}]}]
'''

# Every flag of Alertmanager 0.34 that one who runs it alone may have on his command line, at its default or at what switches it off.
ALONE = '''--data.maintenance-interval=15m --data.retention=120h --silences.max-silences=0 --silences.max-silence-size-bytes=0 --log.silences
--alerts.gc-interval=30m --alerts.per-alertname-limit=0 --dispatch.maintenance-interval=30s --dispatch.start-delay=0s --web.get-concurrency=0
--web.timeout=0 --auto-gomemlimit.ratio=0.9 --cluster.listen-address= --cluster.advertise-address= --cluster.peer-name= --cluster.peer=
--cluster.peer-timeout=15s --cluster.peers-resolve-timeout=15s --cluster.gossip-interval=200ms --cluster.pushpull-interval=1m0s
--cluster.tcp-timeout=10s --cluster.probe-timeout=500ms --cluster.probe-interval=1s --cluster.settle-timeout=1m0s
--cluster.reconnect-interval=10s --cluster.reconnect-timeout=6h0m0s --cluster.tls-config= --cluster.label=
--cluster.allow-insecure-public-advertise-address-discovery --no-web.systemd-socket --web.config.file= --log.level=debug --log.format=logfmt
--enable-feature=receiver-name-in-metrics,utf8-strict-mode'''.split()


class Router(peers.Case):
    def start(self, *flags, prefix='', name='tocsin'):
        """Waits for the line that Alertmanager's own tests wait for; the port is the one that it tells."""
        process = self.run_process(name, peers.TOCSIN, 'alertmanager', '--config.file', self.folder / 'am.yml', '--storage.path',
                                   self.folder / 'data', '--web.listen-address', '127.0.0.1:0', *flags)
        found = peers.wait_for('Listening on', lambda: re.findall(r'msg="Listening on" address=(\S+)', process.text()))
        process.addresses, process.url = found, f'http://{found[0]}{prefix}'
        return process.ready(f'{process.url}/-/ready')

    def config(self):
        hook = self.webhook()
        self.file('am.yml', CONFIG.replace('URL', hook.url))
        return hook

    def amtool(self, router, *arguments):
        return self.output('amtool', f'--alertmanager.url={router.url}', '--no-version-check', *arguments)

    def refused(self, *flags):
        done = subprocess.run([peers.TOCSIN, 'alertmanager', *flags], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr


class Pages(Router):
    def test_amtool_posts_an_alert_and_silences_it_and_the_silence_outlives_the_process(self):
        hook = self.config()
        router = self.start()
        self.amtool(router, 'alert', 'add', 'Down', 'job=db', '--annotation=summary=gone')
        page = hook.page('firing', 'Down')
        self.assertEqual(page['alerts'][0]['labels'], {'alertname': 'Down', 'job': 'db'})
        self.assertIn('Down', self.amtool(router, 'alert', 'query', 'job=db'))
        silence = self.amtool(router, 'silence', 'add', '-a', 'me', '-c', 'known', 'alertname=Down').strip()
        self.assertEqual(json.loads(self.amtool(router, 'alert', 'query', '-s', '-o', 'json'))[0]['status']['silencedBy'], [silence])
        self.assertIn('receiver: team', self.amtool(router, 'config', 'show'))
        self.assertEqual(router.stop(), 0)
        again = self.start(name='again')
        self.assertIn(silence, self.amtool(again, 'silence', 'query'))
        self.amtool(again, 'silence', 'expire', silence)
        self.assertNotIn(silence, self.amtool(again, 'silence', 'query'))

    def test_what_was_paged_is_not_paged_again_after_a_restart(self):
        hook = self.config()
        body = json.dumps([{'labels': {'alertname': 'Once'}, 'startsAt': '2026-01-01T00:00:00Z', 'endsAt': '2199-01-01T00:00:00Z'}]).encode()
        router = self.start()
        self.assertEqual(peers.post(f'{router.url}/api/v2/alerts', body), (200, ''))
        hook.page('firing', 'Once')
        peers.wait_for('the log', lambda: 'tocsin_notification_log_entries 1\n' in peers.get(f'{router.url}/metrics'))
        self.assertEqual(router.stop(), 0)
        again = self.start(name='again')
        peers.post(f'{again.url}/api/v2/alerts', body.replace(b'}]', b'}, {"labels": {"alertname": "New"}}]'))
        hook.page('firing', 'New')
        self.assertEqual([p['groupLabels']['alertname'] for p in hook.pages], ['Once', 'New'])

    def test_what_was_posted_is_known_after_a_kill_and_its_end_is_told(self):
        hook = self.config()
        router = self.start()
        alert = {'labels': {'alertname': 'Kept'}, 'startsAt': '2026-01-01T00:00:00Z', 'endsAt': '2199-01-01T00:00:00Z'}
        peers.post(f'{router.url}/api/v2/alerts', json.dumps([alert]).encode())
        hook.page('firing', 'Kept')
        peers.wait_for('the log', lambda: 'tocsin_notification_log_entries 1\n' in peers.get(f'{router.url}/metrics'))
        alert['endsAt'] = '2026-01-02T00:00:00Z'
        self.assertEqual(peers.post(f'{router.url}/api/v2/alerts', json.dumps([alert]).encode()), (200, ''))
        late = {'labels': {'alertname': 'Late'}, 'startsAt': '2026-01-01T00:00:00Z', 'endsAt': '2199-01-01T00:00:00Z'}
        self.assertEqual(peers.post(f'{router.url}/api/v2/alerts', json.dumps([late]).encode()), (200, ''))
        router.stop(signal.SIGKILL)
        again = self.start(name='again')
        hook.page('resolved', 'Kept')
        hook.page('firing', 'Late')
        self.assertEqual([a['labels']['alertname'] for a in peers.get_json(f'{again.url}/api/v2/alerts')], ['Late'])

    def test_the_folder_of_an_alertmanager_is_taken_over(self):
        hook = self.config()
        peer = self.alertmanager(CONFIG.replace('URL', hook.url), name='data')
        alert = {'labels': {'alertname': 'Moved'}, 'startsAt': '2026-01-01T00:00:00Z', 'endsAt': '2199-01-01T00:00:00Z'}
        peers.post(f'{peer.url}/api/v2/alerts', json.dumps([alert]).encode())
        hook.page('firing', 'Moved')
        silence = self.amtool(peer, 'silence', 'add', '-a', 'me', '-c', 'known', 'alertname=Other').strip()
        self.assertEqual(peer.stop(), 0)
        router = self.start()
        self.assertIn(silence, self.amtool(router, 'silence', 'query'))
        peers.post(f'{router.url}/api/v2/alerts', json.dumps([alert, {'labels': {'alertname': 'New'}}]).encode())
        hook.page('firing', 'New')
        self.assertEqual([p['groupLabels']['alertname'] for p in hook.pages], ['Moved', 'New'])

    def test_the_end_of_what_is_silenced_is_told_nobody_as_there(self):
        hook = self.config()
        router = self.start()
        ends = '2199-01-01T00:00:00Z'
        alert = {'labels': {'alertname': 'Quiet'}, 'startsAt': '2026-01-01T00:00:00Z', 'endsAt': ends}
        post = lambda: peers.post(f'{router.url}/api/v2/alerts', json.dumps([alert]).encode())
        post()
        hook.page('firing', 'Quiet')
        self.amtool(router, 'silence', 'add', '-a', 'me', '-c', 'known', 'alertname=Quiet')
        alert['endsAt'] = '2026-01-02T00:00:00Z'
        post()
        peers.wait_for('its group to go', lambda: peers.get_json(f'{router.url}/api/v2/alerts') == []
                       and 'alertmanager_dispatcher_aggregation_groups 0\n' in peers.get(f'{router.url}/metrics'))
        self.assertEqual([p['status'] for p in hook.pages], ['firing'])


class Flags(Router):
    def test_the_command_line_of_one_alertmanager_alone_is_taken_whole(self):
        self.config()
        router = self.start(*ALONE)
        text = router.log.read_text()
        for flag in 'data.maintenance-interval', 'cluster.settle-timeout', 'auto-gomemlimit.ratio', 'log.silences':
            self.assertIn(f'msg="this flag changes nothing here" flag={flag}', text)
        self.assertIn('msg="this feature flag changes nothing here" feature=utf8-strict-mode', text)
        self.assertNotIn('there is no cluster', text)

    def test_a_cluster_address_is_warned_of(self):
        self.config()
        self.assertIn('there is no cluster', self.start('--cluster.listen-address=127.0.0.1:0').log.read_text())

    def test_what_would_leave_pages_unguarded_is_refused(self):
        self.assertIn('each of two would send every page', self.refused('--cluster.peer=10.0.0.2:9094'))
        self.assertIn('TLS and logins are not built', self.refused('--web.config.file=web.yml'))
        self.assertIn('--web.listen-address says where to listen', self.refused('--web.systemd-socket'))

    def test_what_is_misspelt_is_refused(self):
        self.assertIn("Unknown option 'nope' for --enable-feature", self.refused('--enable-feature=nope'))
        self.assertIn('unknown flag --web.nope', self.refused('--web.nope=1'))
        self.assertIn('--data.retention takes a duration like 30s or 120h, not "5d"', self.refused('--data.retention=5d'))
        self.assertIn("only 'http' and 'https' are supported", self.refused('--web.external-url=ftp://a/'))
        self.assertIn('longer than nothing', self.refused('--alerts.gc-interval=0s'))

    def test_help_and_version_end_well(self):
        for flag, text in ('--help', 'examples:'), ('--version', 'tocsin, version'):
            done = subprocess.run([peers.TOCSIN, 'alertmanager', flag], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertIn(text, done.stdout)

    def test_a_limit_on_namesakes_drops_the_rest_and_says_so(self):
        self.config()
        router = self.start('--alerts.per-alertname-limit=2')
        body = json.dumps([{'labels': {'alertname': 'Storm', 'i': str(i)}, 'endsAt': '2199-01-01T00:00:00Z'} for i in range(5)]).encode()
        self.assertEqual(peers.post(f'{router.url}/api/v2/alerts', body), (200, ''))
        self.assertEqual(len(peers.get_json(f'{router.url}/api/v2/alerts')), 2)
        self.assertIn('alertmanager_alerts_limited_total 3\n', peers.get(f'{router.url}/metrics'))
        self.assertIn('dropped=3 limit=2', router.text())


class Web(Router):
    def test_every_path_is_below_the_prefix_at_every_address(self):
        hook = self.config()
        router = self.start('--web.external-url=http://pages.example:80/am/', '--web.listen-address=127.0.0.1:0', prefix='/am')
        self.assertEqual(len(router.addresses), 2)
        for address in router.addresses:
            with urllib.request.urlopen(f'http://{address}/') as answer:
                self.assertEqual(answer.url, f'http://{address}/am')
            self.assertEqual(peers.get_json(f'http://{address}/am/api/v2/status')['cluster'], {'peers': [], 'status': 'disabled'})
            for path in '/api/v2/status', '/amx/api/v2/status', '/-/healthy':
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    peers.get(f'http://{address}{path}')
                refused.exception.close()
                self.assertEqual(refused.exception.code, 404)
        self.amtool(router, 'alert', 'add', 'Down')
        self.assertEqual(hook.page('firing', 'Down')['externalURL'], 'http://pages.example:80/am')

    def test_nothing_of_rules_and_samples_is_served(self):
        self.config()
        router = self.start()
        for path in '/api/v1/query?query=up', '/api/v1/rules', '/api/v1/labels', '/api/v1/status/tsdb', '/federate', '/api/tocsin/v1/rules':
            with self.assertRaises(urllib.error.HTTPError) as refused:
                peers.get(f'{router.url}{path}')
            refused.exception.close()
            self.assertEqual(refused.exception.code, 404, path)
        status, _ = peers.post(f'{router.url}/api/v1/write', b'x', 'application/x-protobuf', {'Content-Encoding': 'snappy'})
        self.assertEqual(status, 404)
        for path in '/', '/-/healthy', '/-/ready', '/metrics', '/api/v1/status/buildinfo', '/api/v1/status/runtimeinfo', '/api/v1/status/flags':
            try:
                peers.get(f'{router.url}{path}')
            except urllib.error.HTTPError as e:
                e.close()
                self.assertEqual(e.code, 404, path)

    def test_what_alertmanagers_own_rules_ask_for_is_told(self):
        hook = self.config()
        router = self.start()
        peer = self.alertmanager(CONFIG.replace('URL', hook.url), name='peer')

        def told(name, url=router.url):
            return float(re.search(rf'^alertmanager_{name} (\S+)$', peers.get(f'{url}/metrics'), re.M).group(1))
        self.assertEqual(told('config_hash'), told('config_hash', peer.url))
        self.assertEqual((told('config_last_reload_successful'), told('cluster_enabled')), (1, 0))
        self.assertAlmostEqual(told('config_last_reload_success_timestamp_seconds'),
                               told('config_last_reload_success_timestamp_seconds', peer.url), delta=60)
        before = told('config_hash')
        self.file('am.yml', 'route: {}\n')
        self.assertEqual(peers.post(f'{router.url}/-/reload')[0], 500)
        self.assertEqual((told('config_last_reload_successful'), told('config_hash')), (0, before))

    def test_the_first_api_has_gone(self):
        self.config()
        router = self.start()
        theirs = '{"status":"deprecated","error":"The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version ' \
                 '0.27.0 - please use the equivalent route in the v2 API"}\n'
        for path in 'alerts', 'silences':
            self.assertEqual(peers.post(f'{router.url}/api/v1/{path}', b'[]'), (410, theirs))
        for path in 'status', 'receivers', 'alerts', 'silences', 'silence/6fa459ea-ee8a-4ca4-894e-db77e160355e':
            with self.assertRaises(urllib.error.HTTPError) as refused:
                peers.get(f'{router.url}/api/v1/{path}')
            with refused.exception as e:
                self.assertEqual((e.code, e.headers['Content-Type'], e.read().decode()), (410, 'application/json', theirs))

    def test_files_are_read_anew_and_a_broken_one_changes_nothing(self):
        hook = self.config()
        router = self.start()
        self.file('am.yml', 'route: {}\n')
        status, text = peers.post(f'{router.url}/-/reload')
        self.assertEqual(status, 500)
        self.assertIn('failed to reload config: ', text)
        self.assertIn('receiver: team', peers.get_json(f'{router.url}/api/v2/status')['config']['original'])
        self.file('am.yml', CONFIG.replace('URL', hook.url).replace('team', 'others'))
        self.assertEqual(peers.post(f'{router.url}/-/reload'), (200, ''))
        self.assertEqual(peers.get_json(f'{router.url}/api/v2/receivers')[0]['name'], 'others')
        self.file('am.yml', CONFIG.replace('URL', hook.url))
        router.send(signal.SIGHUP)
        peers.wait_for('the old receiver', lambda: peers.get_json(f'{router.url}/api/v2/receivers')[0]['name'] == 'team')
        self.assertEqual(router.stop(), 0)


if __name__ == '__main__':
    peers.main()
