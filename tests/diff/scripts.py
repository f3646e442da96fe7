"""Generated routing trees and scripts of alerts for tests/diff/alertmanager: a case from a seed and a number.

A script grows event by event; one that would come near a flush, by the versions' own times, is not taken (flushes.py).
What 0.25 cannot say is written in its words: `group_by: []` below a route that names labels came with 0.31.
"""
import json
import random

from flushes import Case, HORIZON_MS, Hook, Inhibition, Matcher, NEW, News, OLD, Play, Post, Route, Silence, Unsilence, all_match, distance

MARGIN_MS = 300
LAST_EVENT_MS = 9_000
LABELS = {'alertname': ['Disk', 'Fire', 'Slow "x"'], 'team': ['db', 'web', 'ops'], 'severity': ['page', 'ticket', 'info'],
          'instance': ['i1', 'i2', 'i3'], 'job': ['api', 'node']}
PATTERNS = {'alertname': ['D.*', 'Fire|Disk', '[A-E].+'], 'team': ['db|web', 'd.?b', '', 'w.*|'], 'severity': ['page|ticket', '.+', '^page$'],
            'instance': ['i[12]', 'i1|i3'], 'job': ['.*', 'api']}
INTERVALS = [
    {'name': 'all_day', 'time_intervals': [{'times': [{'start_time': '00:00', 'end_time': '24:00'}]}]},
    {'name': 'all_year', 'time_intervals': [{'years': ['1990']}, {'months': ['january:6', '7:december'], 'location': 'Europe/Rome'}]},
    {'name': 'all_days', 'time_intervals': [{'weekdays': ['sunday:saturday'], 'days_of_month': ['1:31'], 'years': ['2020:2099']}]},
    {'name': 'long_ago', 'time_intervals': [{'years': ['1990:1999']}]},
    {'name': 'no_times', 'time_intervals': [{'times': [], 'weekdays': ['sunday:saturday']}]},
]
ALWAYS, NEVER = ['all_day', 'all_year', 'all_days'], ['long_ago', 'no_times']
NO_SUCH_LABEL = 'no_label_of_this_name'


def milliseconds(ms):
    return f'{ms}ms' if ms % 1000 else f'{ms // 1000}s'


class Maker:
    def __init__(self, seed, number):
        self.rng = random.Random(f'{seed}/{number}')
        self.number = number
        self.receivers = {}

    # ---- the tree ----

    def matcher(self, forms=('matchers', 'matchers', 'match', 'match_re')):
        rng = self.rng
        name = rng.choice(list(LABELS))
        form = rng.choice(forms)
        if form == 'match':
            return Matcher(name, '=', rng.choice(LABELS[name]), form)
        if form == 'match_re':
            return Matcher(name, '=~', rng.choice(PATTERNS[name]), form)
        op = rng.choice(['=', '=', '!=', '=~', '!~'])
        values = PATTERNS[name] if '~' in op else LABELS[name] + ['']
        return Matcher(name, op, rng.choice(values), form)

    def matchers(self, low, high, **more):
        """At most one of a form and a name: match and match_re are maps."""
        found = [self.matcher(**more) for _ in range(self.rng.randint(low, high))]
        return list({(m.name, m.form): m for m in found}.values())

    def mine(self):
        return Matcher('case', '=', str(self.number))

    def conditions(self):
        """Of a route: mostly such as hold for one of the alerts, sometimes none."""
        if self.rng.random() < 0.2:
            return self.matchers(0, 2)
        return self.fitting(self.rng.choice(self.labels))

    def receiver(self):
        if self.receivers and self.rng.random() < 0.4:
            return self.rng.choice(list(self.receivers))
        name = f'r{self.number}.{chr(ord("a") + len(self.receivers))}'
        hooks = self.rng.choices([0, 1, 2, 3], [1, 12, 5, 2])[0]
        self.receivers[name] = [Hook(self.rng.random() < 0.7, self.rng.choices([0, 1, 2], [8, 1, 1])[0]) for _ in range(hooks)]
        return name

    def group_by(self, above):
        """Of the route, as the file says it (None: nothing), and what is in force. Named labels below '...' mean different things."""
        rng = self.rng
        said = rng.choices([None, ['...'], [], rng.sample(list(LABELS), rng.randint(1, 2))], [6, 1, 1, 3])[0]
        if above == ['...'] and said:
            said = ['...']
        return said, above if said is None else said

    def timers(self, above):
        """group_wait, group_interval, repeat_interval; the last falls between two flushes, or never comes."""
        rng = self.rng
        if above and rng.random() < 0.6:
            return {}, above
        interval = rng.choice([1000, 2000, 2000, 3000, 3000])
        found = (rng.choice([0, 500, 1000, 1000, 1500, 2000, 3000]), interval,
                 rng.choice([interval * 3 // 2, interval * 5 // 2, 3_600_000, 3_600_000]))
        return dict(zip(('group_wait', 'group_interval', 'repeat_interval'), map(milliseconds, found))), found

    def times(self):
        rng = self.rng
        if rng.random() < 0.8:
            return {}, True
        kind, other = rng.sample(['mute_time_intervals', 'active_time_intervals'], 2)
        names = rng.sample(ALWAYS + NEVER, rng.randint(1, 2))
        always = any(name in ALWAYS for name in names)
        both = {other: ['long_ago']} if other == 'mute_time_intervals' and rng.random() < 0.3 else {}
        return {kind: names, **both}, always == (kind == 'active_time_intervals')

    def matchers_yaml(self, matchers, prefix=''):
        yaml = {}
        for m in matchers:
            if m.form == 'matchers':
                yaml.setdefault(f'{prefix}matchers', []).append(self.matcher_text(m))
            else:
                yaml.setdefault(f'{prefix}{m.form}', {})[m.name] = m.value
        listed = yaml.get(f'{prefix}matchers', [])
        if len(listed) > 1 and self.rng.random() < 0.3:
            yaml[f'{prefix}matchers'] = [self.rng.choice(['{%s}', '%s', '%s,']) % ', '.join(listed)]
        return yaml

    def matcher_text(self, m):
        blank = self.rng.choice(['', '', ' '])
        plain = m.value and all(c.isalnum() or c in '.*|' for c in m.value)
        value = m.value if plain and self.rng.random() < 0.4 else json.dumps(m.value)
        return f'{m.name}{blank}{m.op}{blank}{value}'

    def route(self, depth=0, above=None):
        rng = self.rng
        timers_yaml, timers = self.timers(above and (above.wait, above.interval, above.repeat))
        said, group_by = self.group_by(above.group_by if above else [])
        times_yaml, on = self.times()
        own = self.conditions() if above else [self.mine()]
        name = above.receiver if above and rng.random() < 0.15 else self.receiver()
        route = Route(own, name, group_by, *timers, on, proceed=above is not None and rng.random() < 0.4)
        route.yaml = {**self.matchers_yaml(own), 'receiver': name, **timers_yaml, **times_yaml}
        if said is not None:
            route.yaml['group_by'] = said
        if route.proceed:
            route.yaml['continue'] = True
        children = [self.route(depth + 1, route) for _ in range(rng.choice([0, 1, 2, 3]) if depth < 3 else 0)]
        route.routes = list({frozenset((m.name, m.op, m.stored()) for m in c.matchers): c for c in children}.values())
        return route

    def fitting(self, labels, **more):
        """Matchers that hold for an alert, or any."""
        for _ in range(20):
            found = self.matchers(1, 2, **more)
            if all_match(found, labels):
                break
        return found

    def inhibition(self):
        """Mostly of one alert that there is by another."""
        rng = self.rng
        source, target = (rng.choice(self.labels) for _ in range(2))
        shared = [name for name in LABELS if source.get(name) == target.get(name)]
        names = shared if rng.random() < 0.8 else list(LABELS)
        return Inhibition([self.mine(), *self.fitting(source)], [self.mine(), *self.fitting(target)],
                          rng.sample(names, min(len(names), rng.choice([0, 1, 1, 2]))))

    # ---- the script ----

    def universe(self):
        rng = self.rng
        sets = [{'case': str(self.number), **{n: rng.choice(v) for n, v in LABELS.items() if n == 'alertname' or rng.random() < 0.7}}
                for _ in range(rng.randint(3, 6))]
        return list({tuple(sorted(s.items())): s for s in sets}.values())

    def annotations(self):
        return {n: self.rng.choice(v) for n, v in {'summary': ['down <&>', 'up\nagain'], 'runbook': ['http://r/1', 'é']}.items()
                if self.rng.random() < 0.6}

    def news(self, labels, at):
        """One alert: new, refreshed, changed, ended, or fired again."""
        rng = self.rng
        known = self.starts.get(tuple(sorted(labels.items())))
        kind = rng.choice(['fire', 'refresh', 'refresh', 'end', 'end', 'end', 'bare end'] if known is not None else ['fire'] * 8 + ['end'])
        if kind == 'bare end':
            return News(labels, {}, None, at)
        if kind == 'end':
            starts, ends = known if rng.random() < 0.7 else None, at - rng.choice([0, 0, 100])
            return News(labels, self.annotations(), starts, ends if starts is None else max(starts, ends))
        starts = known if kind == 'refresh' else rng.choice([None, at, at, at, at - 400, at - 60_000, at + 700])
        ends = rng.choice([None, None, HORIZON_MS + 60_000, HORIZON_MS + 60_000, at + rng.randrange(1200, 5000, 50)])
        if starts is not None and ends is not None and ends < starts:
            ends = None
        return News(labels, self.annotations(), starts, ends)

    def event(self, at, silences):
        rng = self.rng
        kind = rng.choices(['post', 'silence', 'unsilence'], [9, 1.3, 0.7 if silences else 0])[0]
        if kind == 'unsilence':
            return Unsilence(at, rng.randrange(silences))
        if kind == 'silence':
            starts = at + rng.choice([0, 0, 0, 1000, 1700])
            return Silence(at, [self.mine(), *self.fitting(rng.choice(self.labels), forms=('matchers',))], starts, starts + rng.randrange(1500, 8000, 100))
        chosen = rng.sample(self.labels, min(len(self.labels), rng.choice([1, 1, 1, 2, 3])))
        return Post(at, [self.news(labels, at) for labels in chosen])

    def take(self, event):
        for news in event.alerts if isinstance(event, Post) else ():
            starts = news.starts if news.starts is not None else event.at if news.ends is None else None
            if starts is not None:
                self.starts[tuple(sorted(news.labels.items()))] = starts

    def grow(self, case):
        """Gives up an event that finds no place; ends when time or patience does."""
        rng = self.rng
        wanted, patience = rng.randint(5, 10), 80
        case.events = []
        at = 100 + rng.randrange(0, 1000, 50)
        while len(case.events) < wanted and patience and at < LAST_EVENT_MS:
            event = self.event(at, sum(isinstance(e, Silence) for e in case.events))
            case.events.append(event)
            if min(Play(case, version).margin() for version in (NEW, OLD)) >= MARGIN_MS:
                self.take(event)
                at += rng.randrange(300, 1800, 50)
            else:
                case.events.pop()
                patience -= 1
                at += 50
        return case

    def case(self):
        self.starts, self.labels = {}, self.universe()
        route = self.route()
        route.name_all()
        inhibitions = [self.inhibition() for _ in range(self.rng.choice([0, 0, 1, 2, 3]))]
        return self.grow(Case(self.number, route, self.receivers, inhibitions, RESOLVE_TIMEOUT_MS, []))


RESOLVE_TIMEOUT_MS = 3_500


def make(seed, number):
    """A case in which somebody is told something, and every receiver is there."""
    for attempt in range(100):
        maker = Maker(f'{seed}/{attempt}', number)
        case = maker.case()
        if Play(case, NEW).told:
            case.maker = maker
            return case
    raise AssertionError(f'no script for {seed}/{number}')


def cut(case):
    """A moment near the end at which no version flushes anything: what comes later is not looked at."""
    ticks = sorted(t for version in (NEW, OLD) for t in Play(case, version).ticks)
    return max(range(HORIZON_MS - 1200, HORIZON_MS - 200, 20), key=lambda t: distance(t, ticks))


# ---- as files ----

def tree_yaml(route, old):
    yaml = {**route.yaml, 'routes': [tree_yaml(r, old) for r in route.routes]}
    if yaml.get('group_by') == [] and old:
        yaml['group_by'] = [NO_SUCH_LABEL]
    return yaml


def configuration(cases, url, old):
    """One alertmanager.yml for many cases; JSON is YAML."""
    return json.dumps({
        'global': {'resolve_timeout': milliseconds(RESOLVE_TIMEOUT_MS)},
        'route': {'receiver': 'nobody', 'routes': [tree_yaml(c.route, old) for c in cases]},
        'receivers': [{'name': 'nobody'}] + [
            {'name': name, 'webhook_configs': [
                {'url': f'{url}/{name}/{i}', 'send_resolved': h.send_resolved, 'max_alerts': h.max_alerts} for i, h in enumerate(hooks)]}
            for c in cases for name, hooks in c.receivers.items()],
        'inhibit_rules': [
            {**c.maker.matchers_yaml(rule.sources, 'source_'), **c.maker.matchers_yaml(rule.targets, 'target_'), 'equal': rule.equal}
            for c in cases for rule in c.inhibitions],
        'mute_time_intervals': INTERVALS[:2],
        'time_intervals': INTERVALS[2:],
    }, ensure_ascii=False, indent=1)
