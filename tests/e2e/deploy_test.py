"""What ships under deploy/ and rules/library is loaded, by us and, where it is theirs, by the originals' own tools."""
import configparser
import subprocess

import peers

DEPLOY = peers.ROOT / 'deploy'


class WhatShips(peers.Case):
    def check(self, *arguments):
        done = subprocess.run([peers.TOCSIN, 'check', *map(str, arguments)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_configurations_are_sound(self):
        for folder in ('demo', 'example'):
            self.check('config', DEPLOY / folder / 'tocsin.yml')

    def test_amtool_accepts_the_routes(self):
        for path in sorted(DEPLOY.glob('*/alertmanager.yml')):
            self.output('amtool', 'check-config', path)

    def test_promtool_accepts_the_rules_and_their_tests(self):
        rules = sorted(DEPLOY.glob('**/rules*.yml')) + sorted(DEPLOY.glob('**/rules/*.yml')) + sorted((peers.ROOT / 'rules/library').glob('*.yml'))
        self.assertGreater(len(rules), 2)
        self.output('promtool', 'check', 'rules', *rules)
        self.check('rules', *rules)
        ours = [p for p in sorted((peers.ROOT / 'tests/rules').glob('*_test.yml')) if p.name != 'newer_test.yml']
        self.output('promtool', 'test', 'rules', *ours)

    def test_the_example_starts(self):
        daemon = self.run_process('tocsin', peers.TOCSIN, 'serve', f'--config.file={DEPLOY}/example/tocsin.yml', '--storage.path=',
                                  f'--web.listen-address=127.0.0.1:{peers.free_port()}')
        port = daemon.process.args[-1].rpartition(':')[2]
        daemon.ready(f'http://127.0.0.1:{port}/-/ready')
        alerts = peers.wait_for('the watchdog', lambda: peers.get_json(f'http://127.0.0.1:{port}/api/v1/alerts')['data']['alerts'], 120)
        self.assertEqual([a['labels']['alertname'] for a in alerts], ['Watchdog'])
        self.assertEqual(daemon.stop(), 0)

    def test_a_benchmark_starts_the_daemon_and_replaces_its_rules(self):
        rules = self.file('rules.yml', 'groups: []\n')
        port = peers.free_port()
        daemon = self.run_process('start', peers.ROOT / 'tests/bench/start', port, self.folder / 'data', rules, '127.0.0.1:1')
        url = f'http://127.0.0.1:{port}'
        daemon.ready(f'{url}/-/ready')
        rules.write_text('groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}]\n')
        self.assertEqual(peers.post(f'{url}/-/reload')[0], 200)
        alerts = peers.wait_for('the new alert', lambda: peers.get_json(f'{url}/api/v1/alerts')['data']['alerts'])
        self.assertEqual([a['labels']['alertname'] for a in alerts], ['Always'])
        self.assertEqual(daemon.stop(), 0)

    def test_the_unit_file_starts_what_is_installed(self):
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str
        unit.read(DEPLOY / 'systemd/tocsin.service')
        self.assertTrue(unit['Service']['ExecStart'].startswith('/usr/local/bin/tocsin serve '))
        flags = [w.split('=')[0] for w in unit['Service']['ExecStart'].split()[2:]]
        said = subprocess.run([peers.TOCSIN, 'serve', '--help'], capture_output=True, text=True, timeout=30).stdout
        for flag in flags:
            self.assertIn(f'  {flag}=', said)


if __name__ == '__main__':
    peers.main()
