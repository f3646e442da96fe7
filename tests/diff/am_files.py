"""Generated alertmanager.yml files for tests/diff/alertmanager_config: good ones, which between them use every key that 0.25 knows, and
bad ones, which are good ones with one thing wrong. A file is a tree of dicts, lists and scalars until it is printed.
"""
import json
import random

DURATIONS = ['30s', '5m', '1h', '4h', '1d', '2w', '1h30m', '500ms', '1y2w3d4h5m6s7ms', '90s']
URLS = ['http://hook.example/a', 'https://hook.example:8443/b?c=d', 'http://user@hook.example/', 'https://[::1]:9/x', 'http://hook.example']
TEXTS = ['plain', '{{ .GroupLabels.alertname }}', '{{ template "slack.default.title" . }}', 'two\nlines', '', 'é: #', '{{ .CommonLabels.x | toUpper }}', '1', 'yes']


def one(*values):
    return lambda rng: rng.choice(values)


def some(make, low=1, high=3):
    return lambda rng: [make(rng) for _ in range(rng.randint(low, high))]


def shape(**keys):
    """A map that has each key or has it not; a trailing underscore says that it must have it."""
    def make(rng):
        return {key.rstrip('_'): value(rng) for key, value in keys.items() if key.endswith('_') or rng.random() < 0.45}
    return make


def either(*shapes):
    return lambda rng: rng.choice(shapes)(rng)


def joined(*makers):
    def make(rng):
        parts = [maker(rng) for maker in makers]
        return {key: value for part in parts for key, value in part.items()}
    return make


TEXT, WORD, URL, FLAG = one(*TEXTS), one('a', 'ops', 'b-c'), one(*URLS), one(True, False)
DURATION, FILE, NUMBER = one(*DURATIONS), one('/etc/secret', 'secret.txt'), one(0, 1, 10)
SECRET = one('hush', '<secret>', 'p@ss: word')
NOTHING = shape()

TLS = joined(shape(ca_file=FILE, server_name=WORD, insecure_skip_verify=FLAG, min_version=one('TLS10', 'TLS12', 'TLS13')),
             either(NOTHING, shape(cert_file_=FILE, key_file_=FILE)))
BASIC = joined(shape(username_=WORD), either(shape(password=SECRET), shape(password_file=FILE)))
OAUTH2 = joined(shape(client_id_=WORD, token_url_=URL, scopes=some(WORD), endpoint_params=lambda rng: {'a': 'b'}, tls_config=TLS, proxy_url=URL),
                either(shape(client_secret_=SECRET), shape(client_secret_file_=FILE)))
AUTHORIZATION = joined(shape(type=one('Bearer', 'Token')), either(shape(credentials_=SECRET), shape(credentials_file_=FILE)))
HTTP = joined(shape(tls_config=TLS, follow_redirects=FLAG, enable_http2=FLAG, proxy_url=URL),
              either(NOTHING, shape(basic_auth_=BASIC), shape(authorization_=AUTHORIZATION), shape(oauth2_=OAUTH2),
                     shape(bearer_token_=SECRET), shape(bearer_token_file_=FILE)))
COMMON = shape(send_resolved=FLAG, http_config=HTTP)
HEADERS = one({'Subject': 'x {{ .Status }}'}, {'X-A': 'b', 'reply-to': 'c@example.org'}, {})
DETAILS = one({'a': '{{ .Status }}', 'b': ''}, {'firing': 'mine'}, {})
SLACK_FIELD = shape(title_=one('t'), value_=one('v', '{{ .Status }}'), short=FLAG)
SLACK_CONFIRM = shape(text_=one('sure?'), title=TEXT, ok_text=TEXT, dismiss_text=TEXT)
SLACK_ACTION = joined(shape(type_=one('button'), text_=one('go'), style=WORD, confirm=SLACK_CONFIRM, value=TEXT),
                      either(shape(url_=URL), shape(name_=WORD)))
RESPONDER = joined(either(shape(id_=WORD), shape(name_=WORD), shape(username_=WORD)),
                   shape(type_=one('team', 'user', 'escalation', 'schedule', 'teams', '{{ .CommonLabels.kind }}', 'Team')))
SIGV4 = joined(shape(region=one('eu-west-1'), profile=WORD, role_arn=WORD),
               either(NOTHING, shape(access_key_=WORD, secret_key_=SECRET)))

KINDS = {
    'webhook': joined(COMMON, shape(max_alerts=NUMBER, url_=URL)),
    'email': joined(shape(send_resolved=FLAG, to_=one('a@example.org', 'A <a@example.org>, b@example.org', '{{ .CommonLabels.owner }}'),
                          hello=WORD, headers=HEADERS, html=TEXT, text=TEXT, require_tls=FLAG, tls_config=TLS, auth_username=WORD,
                          auth_secret=SECRET, auth_identity=WORD, from_=one('am@example.org'), smarthost_=one('mail.example:25', '[::1]:587')),
                    either(shape(auth_password=SECRET), shape(auth_password_file=FILE))),
    'slack': joined(COMMON, shape(**dict.fromkeys(
        'channel username color title title_link pretext text footer fallback callback_id icon_emoji icon_url image_url thumb_url'.split(), TEXT),
        fields=some(SLACK_FIELD), short_fields=FLAG, link_names=FLAG, mrkdwn_in=some(WORD), actions=some(SLACK_ACTION)),
        either(shape(api_url_=URL), shape(api_url_file_=FILE))),
    'pagerduty': joined(COMMON, shape(url=URL, client=TEXT, client_url=TEXT, description=TEXT, details=DETAILS, severity=TEXT, component=TEXT,
                                      group=TEXT, images=some(shape(src=URL, alt=TEXT, href=URL)), links=some(shape(href=URL, text=TEXT)),
                                      **{'class': TEXT}),
                        either(shape(service_key_=SECRET), shape(routing_key_=SECRET), shape(service_key_file_=FILE), shape(routing_key_file_=FILE))),
    'opsgenie': joined(COMMON, shape(api_url=URL, message=TEXT, description=TEXT, source=TEXT, details=DETAILS, responders=some(RESPONDER), tags=TEXT,
                                     note=TEXT, priority=TEXT, update_alerts=FLAG, entity=TEXT, actions=TEXT),
                       either(shape(api_key_=SECRET), shape(api_key_file_=FILE))),
    'victorops': joined(COMMON, shape(api_url=URL, routing_key_=WORD, message_type=TEXT, state_message=TEXT, entity_display_name=TEXT,
                                      monitoring_tool=TEXT, custom_fields=one({'owner': '{{ .Status }}'}, {})),
                        either(shape(api_key_=SECRET), shape(api_key_file_=FILE))),
    'pushover': joined(COMMON, shape(title=TEXT, message=TEXT, url=TEXT, url_title=TEXT, sound=WORD, priority=TEXT, retry=one('1m', '30s', '1h5m'),
                                     expire=one('1h', '90m'), html=FLAG, user_key_=SECRET, token_=SECRET)),
    'wechat': joined(COMMON, shape(api_secret_=SECRET, corp_id_=WORD, message=TEXT, api_url=URL, to_user=TEXT, to_party=TEXT, to_tag=TEXT, agent_id=TEXT,
                                   message_type=one('text', 'markdown'))),
    'telegram': joined(COMMON, shape(api_url=URL, chat_id_=one(-1001, 7), message=TEXT, disable_notifications=FLAG,
                                     parse_mode=one('Markdown', 'MarkdownV2', 'HTML', ''), bot_token_=SECRET)),
    'discord': joined(COMMON, shape(webhook_url_=URL, title=TEXT, message=TEXT)),
    'webex': joined(shape(send_resolved=FLAG, api_url=URL, message=TEXT, room_id_=WORD, http_config_=shape(authorization_=AUTHORIZATION, proxy_url=URL))),
    'sns': joined(COMMON, shape(api_url=URL, sigv4=SIGV4, subject=TEXT, message=TEXT, attributes=one({'a': 'b'}, {})),
                  either(shape(topic_arn_=WORD), shape(phone_number_=one('+15551234')), shape(target_arn_=WORD))),
}
GLOBAL = joined(
    shape(resolve_timeout=DURATION, http_config=HTTP, smtp_from=one('am@example.org'), smtp_hello=WORD, smtp_smarthost=one('mail.example:25'),
          smtp_auth_username=WORD, smtp_auth_secret=SECRET, smtp_auth_identity=WORD, smtp_require_tls=FLAG, pagerduty_url=URL, opsgenie_api_url=URL,
          wechat_api_url=URL, wechat_api_secret=SECRET, wechat_api_corp_id=WORD, victorops_api_url=URL, telegram_api_url=URL, webex_api_url=URL),
    either(shape(smtp_auth_password=SECRET), shape(smtp_auth_password_file=FILE)),
    either(shape(slack_api_url=URL), shape(slack_api_url_file=FILE)),
    either(shape(opsgenie_api_key=SECRET), shape(opsgenie_api_key_file=FILE)),
    either(shape(victorops_api_key=SECRET), shape(victorops_api_key_file=FILE)))
FROM_GLOBAL = {'slack': ('api_url', 'slack_api_url'), 'opsgenie': ('api_key', 'opsgenie_api_key'), 'victorops': ('api_key', 'victorops_api_key'),
               'email': ('smarthost', 'smtp_smarthost')}

LABELS = ['alertname', 'team', 'severity', 'instance', '_x1']
MATCHERS = ['team="db"', 'team = db', 'severity=~"page|ticket"', 'alertname!=Watchdog', 'instance!~".*test.*"', '{team="db", severity="page"}',
            'team=""', 'a="b",', 'x=~"a,b",y!="c"', 'q="a\\"b"', 'r="\\d+"', 'foo=~(a|b)', '_x1=1', 'a:b="c"', 'team=d b', '{a=b', 'a=b}', ' ', 'n="ü"']
REGEXES = ['a|b', '.*', '^x$', '[a-z]+', '(?i)up', r'\d{3}', '']
SPEC = shape(times=some(one({'start_time': '09:00', 'end_time': '17:00'}, {'start_time': '00:00', 'end_time': '24:00'}), 1, 2),
             weekdays=some(one('monday:friday', 'Sunday', 'saturday', 'sunday:tuesday')), days_of_month=some(one('1', '1:5', '-3:-1', '31', '-1', '5:-5')),
             months=some(one('january', '1:3', 'may:August', '12')), years=some(one('2026', '2026:2030', 2025)),
             location=one('Europe/Rome', 'UTC', 'Local', 'America/New_York'))


class Good:
    def __init__(self, rng, kinds):
        self.rng, self.kinds = rng, kinds
        self.receivers, self.intervals = [], []

    def receiver(self, number, settings):
        rng = self.rng
        receiver = {'name': rng.choice([f'r{number}', f'team {number}', f'é{number}'])}
        for kind in rng.sample(self.kinds, rng.choice([0, 1, 1, 2, 3])):
            receiver[f'{kind}_configs'] = items = [KINDS[kind](rng) for _ in range(rng.choice([1, 1, 2]))]
            own, given = FROM_GLOBAL.get(kind, (None, None))
            if given in settings and rng.random() < 0.4:
                for item in items:
                    item.pop(own, None)
        return receiver

    def interval(self, number):
        return {'name': f'times {number}', 'time_intervals': [SPEC(self.rng) for _ in range(self.rng.randint(1, 2))]}

    def conditions(self, prefix=''):
        rng = self.rng
        return {f'{prefix}{name}': value for name, value in {
            'match': {rng.choice(LABELS): rng.choice(['x', '', 'y z', 'yes'])}, 'match_re': {rng.choice(LABELS): rng.choice(REGEXES)},
            'matchers': rng.sample(MATCHERS, rng.choice([0, 1, 1, 2]))}.items() if rng.random() < 0.4}

    def route(self, depth=0):
        rng = self.rng
        route = shape(group_by=one(['...'], [], *([*rng.sample(LABELS, n)] for n in (1, 1, 2, 3))), group_wait=one('0s', *DURATIONS),
                      group_interval=DURATION, repeat_interval=DURATION)(rng)
        if depth == 0 or rng.random() < 0.6:
            route['receiver'] = rng.choice(self.receivers)['name']
        if depth:
            route |= self.conditions()
            route |= shape(**{'continue': FLAG})(rng)
            for key in ('mute_time_intervals', 'active_time_intervals'):
                if self.intervals and rng.random() < 0.25:
                    route[key] = [rng.choice(self.intervals)['name']]
        elif rng.random() < 0.1:
            route['continue'] = False
        if depth < 3 and rng.random() < 0.7:
            route['routes'] = [self.route(depth + 1) for _ in range(rng.randint(0 if depth else 1, 3))]
        return route

    def inhibition(self):
        rule = self.conditions('source_') | self.conditions('target_')
        return rule | shape(equal=one([], ['alertname'], ['team', 'instance']))(self.rng)

    def file(self):
        rng = self.rng
        settings = GLOBAL(rng)
        self.receivers = [self.receiver(n, settings) for n in range(rng.randint(1, 4))]
        self.intervals = [self.interval(n) for n in range(rng.choice([0, 1, 2]))]
        split = rng.randint(0, len(self.intervals))
        parts = {'global': settings, 'route': self.route(), 'receivers': self.receivers, 'templates': rng.choice([[], ['*.tmpl'], ['/no/such/*.tmpl']]),
                 'inhibit_rules': [self.inhibition() for _ in range(rng.choice([0, 1, 2]))],
                 'mute_time_intervals': self.intervals[:split], 'time_intervals': self.intervals[split:]}
        return {key: value for key, value in parts.items() if value or rng.random() < 0.3}


# ---- one thing wrong ----

class Twice(dict):
    """A map that is printed with one of its keys a second time."""


def places(value, path=()):
    """Every node with its path."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places(child, path + (key,))


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


class Bad:
    """Each method changes the tree in place; what it cannot do to this tree it answers with False."""
    FREE = ('headers', 'details', 'custom_fields', 'attributes', 'endpoint_params', 'match', 'match_re', 'source_match', 'source_match_re', 'target_match',
            'target_match_re')

    def __init__(self, rng, tree):
        self.rng, self.tree = rng, tree

    def pick(self, wanted):
        found = [(path, value) for path, value in places(self.tree) if path and wanted(path, value)]
        return self.rng.choice(found) if found else (None, None)

    def put(self, path, value):
        if path is None:
            return False
        at(self.tree, path[:-1])[path[-1]] = value
        return True

    def replace(self, keys, *values):
        path, _ = self.pick(lambda path, value: path[-1] in keys)
        return self.put(path, self.rng.choice(values))

    def add(self, where, key, *values):
        """Below a map whose own key, or whose list's key, is `where`."""
        path, value = self.pick(lambda path, value: isinstance(value, dict) and where in path[-2:])
        if path is None:
            return False
        value[key] = self.rng.choice(values)
        return True

    def unknown_key(self):
        path, value = self.pick(lambda path, value: isinstance(value, dict) and path[-1] not in self.FREE)
        if path is None:
            return False
        value[self.rng.choice(['x-extra', 'recieve', 'Name', 'grup_by', 'http_cofig', '1'])] = 'x'
        return True

    def unknown_section(self):
        self.tree[self.rng.choice(['routes', 'receiver', 'alerting', 'inhibit_rule', 'x-anchors'])] = self.rng.choice(['a', [], {'a': 1}])

    def scalar_for_list(self):
        path, _ = self.pick(lambda path, value: isinstance(value, list))
        return self.put(path, self.rng.choice(['a', 1, {'a': 'b'}]))

    def scalar_for_map(self):
        path, _ = self.pick(lambda path, value: isinstance(value, dict))
        return self.put(path, self.rng.choice(['a', 1, ['a']]))

    def map_for_scalar(self):
        path, _ = self.pick(lambda path, value: not isinstance(value, (list, dict)))
        return self.put(path, self.rng.choice([{'a': 'b'}, ['a', 'b'], []]))

    def no_flag(self):
        path, _ = self.pick(lambda path, value: isinstance(value, bool))
        return self.put(path, self.rng.choice(['maybe', 1, '', 'ja', 'off', 'true']))

    def no_number(self):
        return self.replace(['max_alerts', 'chat_id'], 'many', 1.5, -1, '3', True)

    def nothing(self):
        """A key without a value: mostly the same as none."""
        path, _ = self.pick(lambda path, value: True)
        return self.put(path, None)

    def left_out(self):
        path, _ = self.pick(lambda path, value: isinstance(path[-1], str) and path[-1] not in ('send_resolved', 'html'))
        del at(self.tree, path[:-1])[path[-1]]

    def section_left_out(self):
        del self.tree[self.rng.choice(list(self.tree))]

    def no_such_receiver(self):
        return self.replace(['receiver'], 'nobody', 'R0', '')

    def name_twice(self):
        for key in self.rng.sample(['receivers', 'time_intervals', 'mute_time_intervals'], 3):
            if self.tree.get(key):
                self.tree[key].append(dict(self.rng.choice(self.tree[key])))
                return True
        return False

    def key_twice(self):
        path, value = self.pick(lambda path, value: isinstance(value, dict) and value)
        return self.put(path, Twice(value))

    def bad_regex(self):
        path, value = self.pick(lambda path, value: isinstance(value, dict) and str(path[-1]).endswith('match_re'))
        if path is None:
            self.tree['route'].setdefault('routes', []).append({'match_re': {'a': '('}})
        else:
            value['b'] = self.rng.choice(['(', '[a', '*', 'a**', '(?P<n', r'\8', 'a{2,1}', '(?=x)', r'\pX', 'x{1001}'])
        return True

    def bad_matcher(self):
        bad = ['=x', 'a', 'a==b', 'a=~(', 'a="b', 'a=b"', '1a=b', 'a b=c', '', ',', 'a=b,,c=d', 'a=b,c', 'a=~"["', '{}', '{', '}', 'a=!b', 'a!b', 'a-b=c', 'é=x', 'a="\\']
        path, value = self.pick(lambda path, value: isinstance(value, list) and str(path[-1]).endswith('matchers'))
        if path is None:
            value = []
            self.tree['route'].setdefault('routes', []).append({'matchers': value})
        value.append(self.rng.choice(bad))
        return True

    def bad_duration(self):
        return self.replace(['group_wait', 'group_interval', 'repeat_interval', 'resolve_timeout'],
                            '5', '5 m', '30m1h', '1.5h', '-1m', '', 'm', '0', 0, 5, '0s', '1h1h', '99999999999y', '1H', '1m ')

    def bad_go_duration(self):
        return self.replace(['retry', 'expire'], '5', '1d', '', '-1m', 'x', '1h 5m', '0', 60, '1.5h')

    def bad_url(self):
        return self.replace([k for k in ('url', 'api_url', 'webhook_url', 'proxy_url', 'token_url', 'slack_api_url', 'pagerduty_url', 'opsgenie_api_url',
                                         'wechat_api_url', 'victorops_api_url', 'telegram_api_url', 'webex_api_url')],
                            'ftp://x.example/', 'hook.example/a', 'http://', '', 'http://a b/', ':', '://x', 'http://x:port/', '/path', 'http:/x', 'HTTP://X.example',
                            'http://[::1/', 'http://x/%zz', 'mailto:a@example.org')

    def bad_time(self):
        return self.replace(['times'], [{'start_time': '9:00', 'end_time': '17:00'}], [{'start_time': '17:00', 'end_time': '09:00'}], [{'start_time': '09:00'}],
                            [{'start_time': '09:00', 'end_time': '24:01'}], [{'start_time': '09:00', 'end_time': '09:00'}], [{}], [None], ['09:00'],
                            [{'start_time': '09:00', 'end_time': '25:00'}], [{'start_time': '24:00', 'end_time': '24:00'}], [{'start_time': '00:60', 'end_time': '10:00'}],
                            [{'start_time': 540, 'end_time': 1020}], [], None)

    def bad_range(self):
        weekdays = ['mon', 'friday:monday', 'monday:', ':friday', 'monday:friday:sunday', 'monday :friday', '1', '', 3]
        days = ['0', '32', '-32', '5:1', '-1:1', '5:-30', 'a', '1:b', '', '1-5', 7, '-5:-10']
        months = ['march:january', 'janvier', '13', '0', 'jan', '12:1', '', 5, '1:13']
        years = ['2030:2020', 'a', '2020:', '', '20', 2020.5, '-5', '2020-2021']
        key, values = self.rng.choice([('weekdays', weekdays), ('days_of_month', days), ('months', months), ('years', years)])
        return self.replace([key], *[[value] for value in values])

    def bad_location(self):
        return self.replace(['location'], 'Mars/Base', 'europe/rome', '', 'CET', '../UTC', 'UTC+1', 1)

    def no_such_interval(self):
        return self.put(('route', 'routes'), [{self.rng.choice(['mute_time_intervals', 'active_time_intervals']): [self.rng.choice(['never heard of', ''])]}])

    def at_the_root(self):
        key, value = self.rng.choice([('matchers', ['a=b']), ('match', {'a': 'b'}), ('match_re', {'a': 'b'}), ('continue', True), ('mute_time_intervals', ['times 0']),
                                      ('active_time_intervals', ['times 0']), ('receiver', ''), ('receiver', None), ('matchers', []), ('continue', False)])
        self.tree['route'][key] = value

    def grouping(self):
        values = [['a', 'a'], ['...', 'a'], ['...', '...'], ['a', '...'], 'a', [''], ['a', 1], [None], [['a']]]
        return self.put(('route', 'group_by'), self.rng.choice(values))

    def one_too_many(self):
        pairs = [('slack_configs', 'api_url', 'api_url_file'), ('opsgenie_configs', 'api_key', 'api_key_file'),
                 ('victorops_configs', 'api_key', 'api_key_file'), ('pagerduty_configs', 'routing_key', 'routing_key_file'),
                 ('pagerduty_configs', 'service_key', 'service_key_file'), ('email_configs', 'auth_password', 'auth_password_file')]
        self.rng.shuffle(pairs)
        for where, *keys in pairs:
            path, value = self.pick(lambda path, value: isinstance(value, dict) and where in path[-2:])
            if path is not None:
                value.update((key, 'http://x.example/') for key in keys)
                return True
        first, second = self.rng.choice([('smtp_auth_password', 'smtp_auth_password_file'), ('slack_api_url', 'slack_api_url_file'),
                                         ('opsgenie_api_key', 'opsgenie_api_key_file'), ('victorops_api_key', 'victorops_api_key_file')])
        self.tree['global'] = {**(self.tree.get('global') or {}), first: 'http://x.example/', second: 'f'}
        return True

    def http_config(self):
        bad = [{'basic_auth': {'username': 'a'}, 'bearer_token': 'b'}, {'bearer_token': 'a', 'bearer_token_file': 'b'}, {'authorization': {'type': 'basic'}},
               {'authorization': {'credentials': 'a', 'credentials_file': 'b'}}, {'basic_auth': {'username': 'a', 'password': 'b', 'password_file': 'c'}},
               {'oauth2': {'client_id': 'a'}}, {'oauth2': {'client_id': 'a', 'token_url': 'http://x/', 'client_secret': 'a', 'client_secret_file': 'b'}},
               {'oauth2': {'token_url': 'http://x/'}}, {'tls_config': {'cert_file': 'a'}}, {'tls_config': {'key_file': 'a'}}, {'tls_config': {'min_version': 'TLS9'}},
               {'authorization': {'credentials': 'a'}, 'basic_auth': {'username': 'b'}}, {'authorization': {'credentials': 'a'}, 'bearer_token': 'b'},
               {'proxy_url': 'x'}, {'proxy_url': ''}, {'follow_redirects': None}, {'basic_auth': {}}, {'authorization': {}}, {'oauth2': {}}, {'tls_config': None},
               {'oauth2': {'client_id': 'a', 'token_url': 'http://x/'}, 'basic_auth': {'username': 'b'}}]
        value = self.rng.choice(bad)
        path, _ = self.pick(lambda path, value: path[-1] == 'http_config' and isinstance(value, dict))
        if path is not None and self.rng.random() < 0.7:
            return self.put(path, value)
        self.tree['global'] = {**(self.tree.get('global') or {}), 'http_config': value}
        return True

    def kind_of_its_own(self):
        """What single integrations refuse."""
        choices = [('webex_configs', 'room_id', ''), ('webex_configs', 'http_config', None), ('telegram_configs', 'parse_mode', 'markdown'),
                   ('telegram_configs', 'chat_id', 0), ('telegram_configs', 'bot_token', ''), ('wechat_configs', 'message_type', 'html'),
                   ('victorops_configs', 'routing_key', ''), ('victorops_configs', 'custom_fields', {'state_message': 'x'}),
                   ('victorops_configs', 'custom_fields', {'monitoring_tool': ''}), ('opsgenie_configs', 'responders', [{'type': 'team'}]),
                   ('opsgenie_configs', 'responders', [{'name': 'a'}]), ('opsgenie_configs', 'responders', [{'name': 'a', 'type': 'dog'}]),
                   ('opsgenie_configs', 'responders', [{'name': 'a', 'type': '{{ x'}]), ('opsgenie_configs', 'responders', [{'name': 'a', 'id': 'b', 'type': 'user'}]),
                   ('slack_configs', 'fields', [{'title': 'a'}]), ('slack_configs', 'fields', [{'value': 'a'}]), ('slack_configs', 'actions', [{'type': 'button', 'text': 'a'}]),
                   ('slack_configs', 'actions', [{'text': 'a', 'url': 'http://x/'}]), ('slack_configs', 'actions', [{'type': 'a', 'text': 'b', 'name': 'c', 'confirm': {}}]),
                   ('email_configs', 'to', ''), ('email_configs', 'smarthost', 'mail'), ('email_configs', 'smarthost', 'mail:'), ('email_configs', 'smarthost', '::1:25'),
                   ('email_configs', 'headers', {'a-b': '1', 'A-B': '2'}), ('email_configs', 'headers', ['x']), ('email_configs', 'from', ''),
                   ('pushover_configs', 'user_key', ''), ('pushover_configs', 'token', ''), ('pagerduty_configs', 'images', ['x']),
                   ('pagerduty_configs', 'details', ['x']), ('pagerduty_configs', 'routing_key', ''), ('discord_configs', 'webhook_url', ''),
                   ('webhook_configs', 'max_alerts', -1), ('webhook_configs', 'url', '<secret>'), ('discord_configs', 'webhook_url', '<secret>'),
                   ('slack_configs', 'api_url', '<secret>'), ('sns_configs', 'topic_arn', ''), ('sns_configs', 'sigv4', {'access_key': 'a'}),
                   ('sns_configs', 'phone_number', '+1555')]
        self.rng.shuffle(choices)
        return any(self.add(*choice) for choice in choices)

    def null_item(self):
        """Not for those at which 0.25 ends with a panic."""
        path, value = self.pick(lambda path, value: isinstance(value, list) and str(path[-1]).endswith('_configs') and
                                path[-1] not in ('slack_configs', 'opsgenie_configs', 'wechat_configs'))
        if path is None:
            return False
        value.append(None)
        return True

    def names(self):
        kind = self.rng.choice(['receiver', 'interval', 'equal', 'match'])
        if kind == 'receiver':
            return self.put(('receivers', 0, 'name'), self.rng.choice(['', None, 'other']))
        if kind == 'interval':
            return self.replace(['time_intervals'], [{'name': '', 'time_intervals': []}], [{'time_intervals': []}], [{'name': 'x'}])
        if kind == 'equal':
            return self.replace(['equal'], [''], [1], 'a', [['a']])
        return self.replace(['match', 'source_match', 'target_match_re', 'match_re'], {'a-b': 'c'}, {'1': 'c'}, {'': 'c'}, {'a': 1}, {'a': ['b']}, {'a': None})

    def text(self, printed):
        """Wrong as YAML."""
        return self.rng.choice([printed + '\n\t- x', printed + '\n- x', printed + '\nroute: [', '%YAML 9\n' + printed, printed.replace(':', '', 1), '', '[]', '# nothing', 'x',
                                printed + '\n---\nanother: document', printed + '\n"open', '&a ' + printed, printed + '\n*b', '\ufeff' + printed])


MUTATIONS = [name for name in vars(Bad) if not name.startswith('_') and name not in ('FREE', 'pick', 'put', 'replace', 'add')]


# ---- printing ----

def scalar(rng, value):
    if isinstance(value, str) and rng.random() < 0.5 and value.replace('.', '').replace('/', '').isalnum() and value.isascii() and not value[0].isdigit() \
            and value.lower() not in ('true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', 'null'):
        return value
    if isinstance(value, str) and rng.random() < 0.3 and '\n' not in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return 'null' if value is None else json.dumps(value, ensure_ascii=False)


def flow(rng, value):
    if isinstance(value, dict):
        items = [f'{scalar(rng, k)}: {flow(rng, v)}' for k, v in value.items()]
        return '{' + ', '.join(items + items[:isinstance(value, Twice)]) + '}'
    if isinstance(value, list):
        return '[' + ', '.join(flow(rng, v) for v in value) + ']'
    return scalar(rng, value)


def block(rng, value, indent=''):
    """Lines of YAML; now and then the rest of a branch in one line."""
    if not isinstance(value, (dict, list)) or not value or (indent and rng.random() < 0.2):
        return ' ' + flow(rng, value)
    if isinstance(value, list):
        return ''.join(f'\n{indent}-{block(rng, v, indent + "  ")}' for v in value)
    lines = [f'\n{indent}{scalar(rng, k)}:{block(rng, v, indent + "  ")}' for k, v in value.items()]
    return ''.join(lines + lines[:isinstance(value, Twice)])


def good(seed, number, kinds):
    rng = random.Random(f'good {seed}/{number}')
    return block(rng, Good(rng, kinds).file()).lstrip('\n') + '\n'


def bad(seed, number, kinds):
    """A text and what was done to it; every mutation comes in its turn."""
    rng = random.Random(f'bad {seed}/{number}')
    name = MUTATIONS[number % len(MUTATIONS)]
    for _ in range(50):
        tree = Good(rng, kinds).file()
        if name == 'text':
            return Bad(rng, tree).text(block(rng, tree).lstrip('\n')), name
        if getattr(Bad(rng, tree), name)() is not False:
            return block(rng, tree).lstrip('\n') + '\n', name
    raise AssertionError(f'{name} finds nothing to change')
