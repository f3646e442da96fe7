"""What Alertmanager makes of a script of alerts, on paper: when each group is flushed, and who is told what.

It serves tests/diff/alertmanager in two ways: no event of a script may come near a flush (then a race would be judged), and where versions
differ it tells what each of them has to say. Times are whole milliseconds since the script's begin.
"""
import bisect
import heapq
import itertools
import re
from dataclasses import dataclass, field

HORIZON_MS = 13_000
ORDER = ['=', '!=', '=~', '!~']  # of matchers that have name and value in common


@dataclass(frozen=True)
class Version:
    """What 0.25 does differently: a group that has told everything goes on ticking until the maintenance that comes every 30 s; any alert
    whose group_wait has passed since its start flushes a group that has not been flushed, not only the first one; max_alerts cuts off
    the last ones, also those that fire. (So does 0.34; Tocsin shows those that fire first, see include/tocsin/notification.h.)"""
    lingers: bool = False
    hurries: bool = False
    cuts_blindly: bool = False


OLD, NEW = Version(True, True, True), Version()
DIFFERENCES = {
    'a group that is empty lingers (0.25), and takes new alerts without a group_wait': Version(lingers=True),
    'an alert that has waited long enough hurries those that came before it (0.25)': Version(hurries=True),
    'max_alerts cuts off alerts that fire and shows ends (0.25, 0.34)': Version(cuts_blindly=True),
}


@dataclass(frozen=True)
class Matcher:
    name: str
    op: str
    value: str
    form: str = 'matchers'  # or match, match_re

    def matches(self, labels):
        value = labels.get(self.name, '')
        if self.op in ('=', '!='):
            return (value == self.value) == (self.op == '=')
        return (re.fullmatch(self.value, value, re.DOTALL) is not None) == (self.op == '=~')

    def stored(self):
        return f'^(?:{self.value})$' if self.form == 'match_re' else self.value

    def __str__(self):
        return f'{self.name}{self.op}{quoted(self.stored())}'


def quoted(value):
    return '"' + value.replace('\\', '\\\\').replace('\n', '\\n').replace('"', '\\"') + '"'


def all_match(matchers, labels):
    return all(m.matches(labels) for m in matchers)


@dataclass
class Route:
    matchers: list
    receiver: str
    group_by: list  # in force, inherited or not
    wait: int
    interval: int
    repeat: int
    on: bool  # False if its time intervals mute it, always
    proceed: bool = False
    routes: list = field(default_factory=list)
    yaml: dict = field(default_factory=dict)  # as it stands in the file, without its children
    key: str = ''

    def name_all(self, above='{}'):
        """Group keys begin with this."""
        ordered = sorted(self.matchers, key=lambda m: (m.name, m.stored(), ORDER.index(m.op)))
        self.key = f'{above}/{{{",".join(map(str, ordered))}}}'
        for route in self.routes:
            route.name_all(self.key)

    def all(self):
        return [self, *(inner for route in self.routes for inner in route.all())]

    def find(self, labels):
        found = []
        if not all_match(self.matchers, labels):
            return found
        for route in self.routes:
            inner = route.find(labels)
            found += inner
            if inner and not route.proceed:
                break
        return found or [self]


@dataclass
class Hook:
    send_resolved: bool
    max_alerts: int


@dataclass
class Inhibition:
    sources: list
    targets: list
    equal: list


@dataclass
class Post:
    at: int
    alerts: list  # of News


@dataclass
class News:
    labels: dict
    annotations: dict
    starts: int = None
    ends: int = None


@dataclass
class Silence:
    at: int
    matchers: list
    starts: int
    ends: int


@dataclass
class Unsilence:
    at: int
    which: int  # in the order of the script


@dataclass
class Case:
    number: int
    route: Route
    receivers: dict  # name: [Hook]
    inhibitions: list
    resolve_timeout: int
    events: list


@dataclass
class Alert:
    labels: dict
    annotations: dict
    starts: int
    ends: int
    timeout: bool

    def resolved(self, now):
        return self.ends <= now


@dataclass(eq=False)
class Group:
    route: Route
    labels: tuple
    next: int
    members: dict = field(default_factory=dict)
    flushed: bool = False
    caused: bool = False  # the next flush is an event's immediate consequence


def identity(labels):
    return tuple(sorted(labels.items()))


def item_order(labels):
    """job and instance first, those without it last; then fewer labels, then the first difference."""
    def one(name):
        return (name not in labels, labels.get(name, ''))
    return (one('job'), one('instance'), len(labels), [(tuple(-ord(c) for c in n), v) for n, v in sorted(labels.items())])


class Play:
    """One case under one version. `told`: per (receiver, hook, group key) what was sent, as (time, status, ((labels, status, annotations), ...))."""

    def __init__(self, case, version):
        self.case, self.version = case, version
        self.alerts, self.groups, self.log, self.told = {}, {}, {}, {}
        self.silences, self.ticks, self.bounds, self.ends = [], [], [], {}
        self.due, self.numbers = [], itertools.count()
        self.tight = False  # something is decided by a race
        for event in case.events:
            self.flush_until(event.at)
            self.bounds.append(event.at)
            {Post: self.post, Silence: self.silence, Unsilence: self.unsilence}[type(event)](event)
        self.flush_until(HORIZON_MS)

    # ---- what comes in ----

    def post(self, event):
        for news in event.alerts:
            alert = self.store(news, event.at)
            for route in self.case.route.find(alert.labels):
                self.insert(route, alert, event)

    def store(self, news, now):
        starts, ends = news.starts, news.ends
        if starts is None:
            starts = now if ends is None else ends
        new = Alert(news.labels, news.annotations, starts, now + self.case.resolve_timeout if ends is None else ends, ends is None)
        old = self.alerts.get(identity(news.labels))
        if old and (old.starts < new.ends < old.ends or old.starts < new.starts < old.ends):
            if new.resolved(now):
                keep = old.resolved(now) and old.ends > new.ends
            else:
                keep = old.ends > new.ends and not old.timeout
            new.starts = min(old.starts, new.starts)
            if keep:  # but whether the younger one brought an end stays what it was
                new.ends = old.ends
        ends = self.ends.setdefault(identity(news.labels), [])
        if ends and ends[-1] > now:
            ends.pop()
        if now < new.ends < HORIZON_MS:
            ends.append(new.ends)
        self.alerts[identity(news.labels)] = new
        return new

    def insert(self, route, alert, event):
        everything = route.group_by == ['...']
        labels = tuple((n, v) for n, v in identity(alert.labels) if everything or n in route.group_by)
        place = (id(route), labels)
        group, made = self.groups.get(place), False
        if group is None:
            group = self.groups[place] = Group(route, labels, event.at + route.wait)
            made = True
        self.tight |= not made and group.next == event.at
        if self.at_once(group, made, event.at - alert.starts - route.wait):
            group.next = event.at
        if group.next == event.at:
            self.tight |= len(event.alerts) > 1
            group.caused = True
        if made or group.caused:
            self.schedule(group)
        group.members[identity(alert.labels)] = alert

    def at_once(self, group, made, waited):
        """Whether its group_wait is over already."""
        if group.flushed or not (made or self.version.hurries):
            return False
        self.tight |= abs(waited) < 200 and group.route.wait > 0
        return waited > 0

    def schedule(self, group):
        heapq.heappush(self.due, (group.next, next(self.numbers), group))

    def silence(self, event):
        self.silences.append([event.matchers, event.starts, event.ends])
        self.bounds += [t for t in (event.starts, event.ends) if t > event.at]

    def unsilence(self, event):
        self.silences[event.which][2] = min(event.at, self.silences[event.which][2])

    # ---- what goes out ----

    def flush_until(self, now):
        while self.due and self.due[0][0] < now:
            at, _, group = heapq.heappop(self.due)
            if group.next != at or self.groups.get((id(group.route), group.labels)) is not group:
                continue
            if not group.caused:
                self.ticks.append(at)
            group.caused, group.flushed, group.next = False, True, at + group.route.interval
            self.schedule(group)
            if group.members:
                self.flush(group, at)

    def flush(self, group, now):
        members = sorted(group.members.values(), key=lambda a: item_order(a.labels))
        loud = [a for a in members if group.route.on and not self.muted(a.labels, now)]
        for index, hook in enumerate(self.case.receivers[group.route.receiver] if loud else []):
            self.notify(group, index, hook, loud, now)
        group.members = {identity(a.labels): a for a in members if not a.resolved(now)}
        if not group.members and not self.version.lingers:
            del self.groups[(id(group.route), group.labels)]

    def muted(self, labels, now):
        if any(start <= now < end and all_match(matchers, labels) for matchers, start, end in self.silences):
            return True
        return any(self.inhibits(rule, labels, now) for rule in self.case.inhibitions)

    def inhibits(self, rule, labels, now):
        if not all_match(rule.targets, labels):
            return False
        two_sided = all_match(rule.sources, labels)
        return any(not s.resolved(now) and all_match(rule.sources, s.labels) and not (two_sided and all_match(rule.targets, s.labels))
                   and all(s.labels.get(n, '') == labels.get(n, '') for n in rule.equal) for s in self.alerts.values())

    def notify(self, group, index, hook, alerts, now):
        key = group.route.key + ':{' + ', '.join(f'{n}={quoted(v)}' for n, v in group.labels) + '}'
        place = (group.route.receiver, index, key)
        resolved = {identity(a.labels) for a in alerts if a.resolved(now)}
        firing = {identity(a.labels) for a in alerts} - resolved
        if not self.needed(self.log.get(place), firing, resolved, hook, now, group.route.repeat):
            return
        self.log[place] = (firing, resolved, now)
        sent = [(identity(a.labels), 'resolved' if a.resolved(now) else 'firing', identity(a.annotations)) for a in alerts]
        sent = [s for s in sent if hook.send_resolved or s[1] == 'firing']
        if hook.max_alerts and hook.max_alerts < len(sent) and not self.version.cuts_blindly:
            sent.sort(key=lambda s: s[1])
        shown = sent[:hook.max_alerts or None]
        if sent:
            status = 'firing' if any(s[1] == 'firing' for s in shown) else 'resolved'
            self.told.setdefault(place, []).append((now, status, tuple(shown)))

    def needed(self, entry, firing, resolved, hook, now, repeat):
        if entry is None:
            return bool(firing)
        if not firing <= entry[0]:
            return True
        if not firing:
            return bool(entry[0])
        if hook.send_resolved and not resolved <= entry[1]:
            return True
        self.tight |= abs(now - entry[2] - repeat) < 200
        return entry[2] < now - repeat

    # ---- whether clocks decide ----

    def margin(self):
        """How near an event, an end or the edge of a silence comes to a flush that it does not cause; events' own distances count, too."""
        if self.tight:
            return 0
        bounds = sorted([*self.bounds, *{t for ends in self.ends.values() for t in ends}])
        nearest = min((b - a for a, b in zip(bounds, bounds[1:])), default=HORIZON_MS) * 2
        ticks = sorted(self.ticks)
        return min([nearest, *(distance(b, ticks) for b in bounds)])

    def until(self, end):
        """What was told until then."""
        told = {place: [note for note in notes if note[0] < end] for place, notes in self.told.items()}
        return {place: notes for place, notes in told.items() if notes}


def distance(t, ticks):
    at = bisect.bisect_left(ticks, t)
    return min((abs(t - x) for x in ticks[max(at - 1, 0):at + 1]), default=HORIZON_MS)
