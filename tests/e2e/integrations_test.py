"""Integrations as receivers see them: beside Debian's Alertmanager 0.25 the same requests, byte for byte, and the same default texts."""
import http.server
import json
import re
import threading
import time

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
