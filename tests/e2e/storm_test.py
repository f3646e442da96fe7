"""A storm as a receiver sees it: some pages, then one that stands for the others; and its end."""
import json
import time

import peers

ROUTES = '''
route: {{receiver: team, group_by: [n], group_wait: 0s, group_interval: 2s, repeat_interval: 1h}}
receivers: [{{name: team, webhook_configs: [{{url: "{url}"}}]}}]
'''
COUNT = 40


class Storm(peers.Case):
    def post(self, ended=False):
        now = time.time()
        stamp = lambda t: time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t))
        alerts = [{'labels': {'alertname': 'A', 'n': str(i), 'severity': 'critical' if i == 0 else 'warning'},
                   'startsAt': stamp(now - 60), 'endsAt': stamp(now if ended else now + 3600)} for i in range(COUNT)]
        status, why = peers.post(f'{self.daemon.url}/api/v2/alerts', json.dumps(alerts).encode())
        self.assertEqual(status, 200, why)

    def test_is_told_in_one_page_and_so_is_its_end(self):
        hook = self.webhook()
        self.file('routes.yml', ROUTES.format(url=hook.url))
        self.file('tocsin.yml', 'alertmanager_config_file: routes.yml\nstorm: {pages_per_minute: 4}\n')
        self.daemon = self.tocsin()
        self.post()
        digest = hook.page('firing', 'AlertStorm')
        alone = [page for page in hook.pages if page is not digest]
        self.assertEqual(len(alone), 5)  # four, and the one that is critical
        self.assertIn('0', {a['labels']['n'] for page in alone for a in page['alerts']})
        [alert] = digest['alerts']
        self.assertEqual(alert['labels'], {'alertname': 'AlertStorm', 'receiver': 'team', 'severity': 'warning'})
        self.assertIn(f'{COUNT - 5} alerts fire', alert['annotations']['summary'])
        named = {page['alerts'][0]['labels']['n'] for page in alone}
        for n in range(COUNT):
            self.assertEqual(f'n="{n}"' in alert['annotations']['description'], str(n) not in named, n)
        shown = peers.get_json(f'{self.daemon.url}/api/v2/alerts')
        self.assertEqual(len(shown), COUNT)
        metrics = peers.get(f'{self.daemon.url}/metrics')
        self.assertIn('tocsin_digests_total 1\n', metrics)
        self.assertIn(f'tocsin_digest_pages_total {COUNT - 5}\n', metrics)
        self.post(ended=True)
        hook.page('resolved', 'AlertStorm')
        ends = [a['labels']['n'] for page in hook.pages if page['status'] == 'resolved' for a in page['alerts'] if 'n' in a['labels']]
        self.assertEqual(set(ends), named)
        self.assertEqual(len(ends), 5)


if __name__ == '__main__':
    peers.main()
