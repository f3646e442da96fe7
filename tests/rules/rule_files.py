"""Makes up rule files: good ones in all the forms that people write, and bad ones, each broken in one way or a few.

Only what Prometheus 2.42 knows, so that its promtool can be asked: no query_offset, no labels of groups. What 2.42 refuses and 3
accepts (names in UTF-8) is left out, too.
"""
import random

METRICS = ['up', 'http_requests_total', 'node_memory_MemFree_bytes', 'job:errors:rate5m', 'a']
LABELS = ['job', 'instance', 'code', 'le', 'severity', 'team', '_x1']
VALUES = ['web', '5..', '', 'north', "it's", '0.5', 'yes', '007', 'a b']
NAMES = ['HighLatency', 'A', 'disk full', 'TargetDown', 'x_y']
TEXTS = ['plain', '{{ $labels.job }} is down', '{{ $value | humanize }}', '{{ if gt $value 1.0 }}a{{ else }}b{{ end }}', '',
         '{{ range query "up" }}{{ .Labels.job }} {{ end }}', '{{ with $x := $labels.job }}{{ $x | toUpper }}{{ end }}',
         "{{ printf \"%.2f\" $value }}%", '{{/* nothing */}}', '{{ $externalLabels.site }}']
DURATIONS = ['5m', '30s', '1h30m', '0s', '0', '1d', '2w', '250ms']


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Maker:
    def __init__(self, rng):
        self.rng = rng

    def one(self, *choices):
        return self.rng.choice(choices)

    def some(self, pool, most):
        return self.rng.sample(pool, self.rng.randint(0, most))

    # ---- expressions ----

    def selector(self):
        matchers = [f'{name}{self.one("=", "!=", "=~", "!~")}"{self.one("web", "5..", "north")}"' for name in self.some(LABELS, 2)]
        braces = f'{{{",".join(matchers)}}}' if matchers or self.rng.random() < 0.2 else ''
        return self.rng.choice(METRICS) + braces + self.one('', '', '', ' offset 5m')

    def vector(self, depth):
        r = self.rng.random()
        if depth == 0 or r < 0.2:
            return self.selector()
        if r < 0.4:
            bare = self.selector().split(' offset')[0]
            return f'{self.one("rate", "increase", "avg_over_time", "max_over_time")}({bare}[{self.one("5m", "1h", "30s")}])'
        if r < 0.6:
            group = self.one('', ' by (job)', ' without (instance, code)', ' by ()')
            return f'{self.one("sum", "avg", "max", "count")}{group} ({self.vector(depth - 1)})'
        if r < 0.8:
            op = self.one('+', '/', '>', '== bool', 'and', 'or', 'unless on (job)')
            return f'{self.vector(depth - 1)} {op} {self.vector(depth - 1)}'
        if r < 0.9:
            return f'({self.vector(depth - 1)}) {self.one(">", "<=", "*")} {self.one("0.5", "1e3", "-1", "0x1f", "Inf")}'
        return f'{self.one("abs(", "absent(", "sort_desc(", "-(", "histogram_quantile(0.9, ")}{self.vector(depth - 1)})'

    def expr(self):
        return self.vector(self.rng.randint(0, 3))

    # ---- rules as lists of (key, text) ----

    def pairs(self, pool, texts):
        return [(name, self.rng.choice(texts)) for name in self.some(pool, 3)]

    def rule(self):
        if self.rng.random() < 0.5:
            rule = [('record', self.one('job:x:rate5m', 'y', 'a_b:c')), ('expr', self.expr())]
            if self.rng.random() < 0.4:
                rule.append(('labels', self.pairs(LABELS, VALUES)))
            return rule
        rule = [('alert', self.rng.choice(NAMES)), ('expr', self.expr())]
        if self.rng.random() < 0.5:
            rule.append(('for', self.rng.choice(DURATIONS)))
        if self.rng.random() < 0.3:
            rule.append(('keep_firing_for', self.rng.choice(DURATIONS)))
        if self.rng.random() < 0.6:
            rule.append(('labels', self.pairs(LABELS, VALUES + TEXTS)))
        if self.rng.random() < 0.6:
            rule.append(('annotations', self.pairs(['summary', 'description', 'runbook_url'], TEXTS)))
        self.rng.shuffle(rule)
        return rule

    def group(self, number):
        group = [('name', f'{self.one("g", "node rules ", "x.")}{number}')]
        if self.rng.random() < 0.4:
            group.append(('interval', self.one('30s', '1m', '0s')))
        if self.rng.random() < 0.2:
            group.append(('limit', self.one('0', '100', '-1', '2.7')))
        group.append(('rules', [self.rule() for _ in range(self.rng.randint(0, 5))]))
        return group

    def file(self):
        return [('groups', [self.group(i) for i in range(self.rng.randint(1, 3))])]

    # ---- text ----

    def scalar(self, text, indent, key):
        r = self.rng.random()
        if r < 0.5 or text == '' or text.strip() != text:
            return quoted(text)
        if r < 0.7:
            return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'
        if r < 0.85:
            ends = self.one('>-', '|-') if key in ('record', 'name') else self.one('|', '>-', '|-')
            return ends + f'\n{" " * (indent + 2)}{text}'
        plain = not any(c in text for c in '{}[]#:,&*!|>\'"%@`') and text[0] not in '-? ' and text not in ('yes', '007', '0.5')
        return text if plain else quoted(text)

    def write(self, value, indent, key):
        """A list of lists, a list of pairs, or a text, as the value of a key that stands at this indent."""
        if isinstance(value, str):
            return ' ' + self.scalar(value, indent, key)
        if not value:
            return self.one(' []' if key in ('groups', 'rules') else ' {}', '', ' ~')
        if isinstance(value[0], tuple):
            return '\n' + self.write_map(value, indent + 2)
        pad = ' ' * (indent + self.one(0, 2))
        items = [self.write_map(item, len(pad) + 2)[len(pad) + 2:] for item in value]
        return '\n' + '\n'.join(f'{pad}- {item}' for item in items)

    def write_map(self, pairs, indent):
        lines = []
        for key, value in pairs:
            if self.rng.random() < 0.05:
                lines.append(' ' * indent + '# a comment' if lines else None)
            written = f' {value}' if key in ('for', 'interval', 'limit', 'keep_firing_for') else self.write(value, indent, key)
            lines.append(f'{" " * indent}{key}:{written}')
        return '\n'.join(line for line in lines if line is not None)

    def text(self, file):
        return self.one('', '---\n', '# rules\n') + self.write_map(file, 0) + '\n'


# ---- breaking ----

BAD_EXPRS = ['sum(', 'up)', 'up{', 'up{job=}', 'up{job=~"("}', '1 +', 'nosuch(up)', 'rate(up)', 'sum(up[5m])', 'up[5m', '"a" + 1',
             'up and 1', '{}', 'up offset', 'rate(up[5x])', '1 > 2', 'up == bool', 'sum by (job up)', 'abs()', 'abs(up, up)',
             'up{job="a}', 'label_replace(up, "a")', '', 'up @ start(', '!', 'up ^', 'topk(up)', 'sum(up) by', 'group_left(x)',
             'up > on(a) group_right(a) up']
BAD_TEXTS = ['{{ foo }}', '{{ $labels.job', '{{ $nope }}', '{{ end }}', '{{ if }}x{{ end }}', '{{ range query "up" }}',
             '{{ . | | len }}', '{{ "open }}']


def rules_of(file):
    return [rule for group in file[0][1] for rule in dict(group).get('rules', [])]


def some_rule(rng, file, kind=None):
    rules = [r for r in rules_of(file) if kind is None or kind in dict(r)]
    if rules:
        return rng.choice(rules)
    rule = [(kind or 'alert', 'A'), ('expr', 'up')]
    dict(file[0][1][0])['rules'].append(rule)
    return rule


def put(pairs, key, value):
    pairs[:] = [(k, v) for k, v in pairs if k != key] + [(key, value)]


def drop(pairs, key):
    pairs[:] = [(k, v) for k, v in pairs if k != key]


def bad_expr(rng, file):
    put(some_rule(rng, file), 'expr', rng.choice(BAD_EXPRS))


def no_expr(rng, file):
    drop(some_rule(rng, file), 'expr')


def both_kinds(rng, file):
    put(some_rule(rng, file, 'alert'), 'record', 'r')


def neither_kind(rng, file):
    drop(some_rule(rng, file, 'alert'), 'alert')


def unknown_key_of_a_rule(rng, file):
    put(some_rule(rng, file), rng.choice(['annotation', 'expression', 'For', 'x']), 'text')


def unknown_key_of_a_group(rng, file):
    rng.choice(file[0][1]).insert(0, (rng.choice(['rule', 'intervall']), 'text'))


def unknown_key_of_the_file(rng, file):
    file.append((rng.choice(['group', 'version']), 'text'))


def bad_duration(rng, file):
    put(some_rule(rng, file, 'alert'), 'for', rng.choice(['5', '5x', '-5m', '1.5h', '1m1h', 'abc', "'5 m'"]))


def bad_interval(rng, file):
    put(rng.choice(file[0][1]), 'interval', rng.choice(['5', '1y2y', 'often']))


def bad_limit(rng, file):
    put(rng.choice(file[0][1]), 'limit', rng.choice(['many', '[1]', '{a: b}', '99999999999999999999']))


def alert_key_in_a_record(rng, file):
    rule = some_rule(rng, file, 'record')
    put(rule, rng.choice(['for', 'keep_firing_for']), '5m')
    if rng.random() < 0.5:
        put(rule, 'annotations', [('summary', 'x')])


def bad_label_name(rng, file):
    put(some_rule(rng, file), 'labels', [(rng.choice(['__name__', "''"]), 'x'), ('ok', 'y')])


def bad_annotation_name(rng, file):
    put(some_rule(rng, file, 'alert'), 'annotations', [("''", 'x')])


def bad_template(rng, file):
    put(some_rule(rng, file, 'alert'), rng.choice(['labels', 'annotations']), [('summary', rng.choice(BAD_TEXTS))])


def no_group_name(rng, file):
    group = rng.choice(file[0][1])
    put(group, 'name', '') if rng.random() < 0.5 else drop(group, 'name')


def repeated_group(rng, file):
    file[0][1].append([('name', dict(rng.choice(file[0][1]))['name']), ('rules', [])])


def repeated_key(rng, file):
    rule = some_rule(rng, file)
    rule.append(rng.choice(rule))


def repeated_label(rng, file):
    put(some_rule(rng, file), 'labels', [('job', 'a'), ('team', 'b'), ('job', 'c')])


def text_for_a_map(rng, file):
    put(some_rule(rng, file), 'labels', 'text that is rather long')


def list_for_a_text(rng, file):
    put(some_rule(rng, file), 'labels', [('job', [[('a', 'b')]])])


def map_for_a_list(rng, file):
    put(rng.choice(file[0][1]), 'rules', [('alert', 'A'), ('expr', 'up')])


BREAK = [bad_expr, bad_expr, bad_expr, bad_expr, no_expr, both_kinds, neither_kind, unknown_key_of_a_rule, unknown_key_of_a_group,
         unknown_key_of_the_file, bad_duration, bad_interval, bad_limit, alert_key_in_a_record, bad_label_name, bad_annotation_name,
         bad_template, bad_template, no_group_name, repeated_group, repeated_key, repeated_label, text_for_a_map, list_for_a_text,
         map_for_a_list]


def break_text(rng, text):
    """What is wrong before there is any structure."""
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    how = rng.choice(['indent', 'tab', 'colon', 'quote', 'bracket', 'anchor', 'cut'])
    if how == 'indent':
        lines.insert(at, '   odd: 1\n')
    elif how == 'tab':
        lines.insert(at, '\tkey: 1\n')
    elif how == 'colon':
        lines.insert(at, 'a: b: c\n')
    elif how == 'quote':
        lines.append("x: 'never closed\n")
    elif how == 'bracket':
        lines.append('x: [1, 2\n')
    elif how == 'anchor':
        lines.append('x: *nobody\n')
    else:
        lines.append('x: {a\n')
    return ''.join(lines)


def make(good, bad, seed):
    """Texts by file name: good000.yml ..., bad000.yml ..."""
    rng = random.Random(seed)
    maker = Maker(rng)
    files = {f'good{i:03}.yml': maker.text(maker.file()) for i in range(good)}
    for i in range(bad):
        file = maker.file()
        if i % 10 == 9:
            files[f'bad{i:03}.yml'] = break_text(rng, maker.text(file))
            continue
        for breaker in sorted(rng.sample(BREAK, rng.choice([1, 1, 1, 2])), key=BREAK.index):  # the last ones leave no structure
            breaker(rng, file)
        files[f'bad{i:03}.yml'] = maker.text(file)
    return files
