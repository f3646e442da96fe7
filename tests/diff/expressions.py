"""A seeded stream of PromQL that both versions understand.

Each expression is made for a grade, how equal its values must be in two correct programs:

    DYADIC  small multiples of 1/1024: even a sum is the same in any order
    SAME    the same bits, when the same IEEE operations are done in the same order
    CLOSE   equal to 1e-9: a library's sin() or another way to sum differs in the last digit

What would blow up a last digit (a difference, a comparison, floor, sort) is only given operands that are good enough.
The other rules of the generator keep clear of what the versions define differently: see differences.md.
"""
import random

import data

DYADIC, SAME, CLOSE = 0, 1, 2


def values_by_label():
    """metric -> label -> its values."""
    out = {}
    for (_, metric), *pairs in (sorted(labels, key=lambda p: p[0] != '__name__') for labels, _ in data.all_series()):
        for label, value in pairs:
            values = out.setdefault(metric, {}).setdefault(label, [])
            if value not in values:
                values.append(value)
    return out


# What may be selected. REGULAR: sampled at every scrape of the whole time.
VALUES = values_by_label()
GAPS = ['temperature', 'bytes_total', 'sparse', 'build_info']
REGULAR = sorted(m for m in VALUES if m not in GAPS and m not in ('weird', 'sizes'))
METRICS = [*REGULAR, *GAPS]
EXTRAPOLATED = [*REGULAR, 'bytes_total']
REGEXES = ['.*', '.+', 'a.*', '[a-d].*', 'api|db', '', '.*b.*', '(?i)API', '[0-9]+', '4..|500', '.', '1\\.0', 'h(all)?|attic']
LABELS = ['job', 'instance', 'code', 'room', 'floor', 'version', 'none', 'le']

# Functions of one vector: grade wanted of the argument -> grade of the result.
MATH = {'abs': (0, 0), 'ceil': (0, 0), 'floor': (0, 0), 'sgn': (0, 0), 'round': (0, 0), 'sqrt': (1, 1), 'deg': (1, 2), 'rad': (1, 2),
        **{f: (1, 2) for f in ('acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'cos', 'cosh', 'exp', 'ln', 'log10', 'log2',
                               'sin', 'sinh', 'tan', 'tanh')}}
DATES = ['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year']
OVER_TIME = {**{f: (0, 0) for f in ('count_over_time', 'last_over_time', 'max_over_time', 'min_over_time', 'present_over_time',
                                    'sum_over_time', 'changes', 'resets', 'absent_over_time', 'idelta')},
             **{f: (0, 2) for f in ('avg_over_time', 'stddev_over_time', 'stdvar_over_time', 'deriv')},
             'irate': (0, 1), 'delta': (0, 1)}
AGGREGATES = {'sum': (0, 0), 'min': (0, 0), 'max': (0, 0), 'count': (0, 0), 'group': (0, 0), 'avg': (0, 2), 'stddev': (0, 2),
              'stdvar': (0, 2)}


class Expressions:
    def __init__(self, rng, ranged):
        self.rng = rng
        self.ranged = ranged  # a range query
        self.weird = False
        self.nested = 0
        self.single = False  # no selector of several names
        self.few = False  # at most twelve elements

    # ---- small parts ----

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, things):
        return self.rng.choice(list(things))

    def case(self, word):
        return word.upper() if self.chance(0.05) else word

    def number(self):
        return self.pick(['0', '1', '2', '3', '0.5', '-1', '10', '100', '1e3', '0x10', '-0.25', '2.', '.5', '1024'])

    def any_number(self):
        return self.pick(['NaN', 'Inf', '-Inf', '+Inf', 'nan', '1e-300', '0', '-0', self.number(), self.number(), self.number()])

    def matchers(self, metric):
        out = []
        for _ in range(self.rng.choice([0, 0, 0, 1, 1, 2])):
            label = self.pick(VALUES.get(metric, LABELS)) if self.chance(0.9) else self.pick(LABELS)
            op = self.pick(['=', '!=', '=~', '=~', '!~'])
            known = self.pick(VALUES.get(metric, {}).get(label, ['x'])).replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')
            if '~' not in op:
                value = known if self.chance(0.85) else self.pick(['x', ''])
            elif self.chance(0.7) and known.isalnum():
                value = self.pick([known, f'{known}|x', f'{known[0]}.*', f'.*{known[-1]}', f'[{known[0]}-z]+.*', f'(?i:{known.upper()})'])
            else:
                value = self.pick(REGEXES)
            if label == 'word' and '~' in op:
                value = f'(?s:{value})'
            quote = "'" if self.chance(0.2) and '\\"' not in value and "'" not in value else '"'
            out.append(f'{label}{op}{quote}{value}{quote}')
        return out

    def name(self, metrics=None):
        return self.pick(m for m in metrics or METRICS if not self.few or m not in ('requests_total', 'latency_seconds_bucket'))

    def selector(self, metric):
        matchers = self.matchers(metric)
        style = self.rng.random()
        if style < 0.05:
            matchers.append(f'__name__="{metric}"')
            return '{' + ','.join(matchers) + '}'
        if style < 0.08 and not self.single and not self.few:
            matchers.append(f'__name__=~"{metric}|twin_."')
            return '{' + ', '.join(matchers) + '}'
        if not matchers:
            return metric + ('{}' if style < 0.12 else '')
        return metric + '{' + ','.join(matchers) + (',' if style < 0.15 else '') + '}'

    def modifiers(self, pinned=True):
        out = []
        if self.chance(0.15):
            out.append(f'{self.case("offset")} {self.pick(["1m", "5m", "90s", "15m", "-2m", "-20m", "1m30s", "-1s", "10m"])}')
        if pinned and self.chance(0.1):
            at = (data.END_MS - self.rng.randrange(3600) * 1000) / 1000 - 0.5
            out.append(f'@ {self.pick([f"{at:.3f}", "start()", "end()"])}')
        self.rng.shuffle(out)
        return ''.join(' ' + m for m in out)

    def window(self):
        return self.pick(['45s', '1m', '2m', '5m', '6m', '10m', '7m30s', '20m'])

    def subquery_window(self):
        """A window whose left edge is never at a whole second, where the steps are."""
        window = self.pick(['1m', '3m', '5m', '10m', '15m'])
        return f'[{window}250ms:{self.pick(["", "15s", "30s", "1m", "7s", "45s", "2m"])}]'

    def matrix(self, depth, grade, metrics=None, pinned=True):
        if depth > 0 and self.nested < 2 and self.chance(0.25):
            self.nested += 1
            inner = self.dense(depth - 1) if metrics else self.vector(depth - 1, grade)
            self.nested -= 1
            return f'({inner}){self.subquery_window()}{self.modifiers(pinned)}'
        return f'{self.selector(self.name(metrics))}[{self.window()}]{self.modifiers(pinned)}'

    def dense(self, depth):
        """A vector whose elements do not come and go: what rate() of a subquery is asked about."""
        metric = self.selector(self.pick(['requests_total', 'humidity', 'latency_seconds_count']))
        if depth == 0 or self.chance(0.4):
            return metric
        return self.pick([f'{self.pick(["sum", "max", "min"])} {self.grouping(metric)}({metric})', f'floor({metric})', f'{metric} * 2',
                          f'last_over_time({metric}[2m])'])

    def grouping(self, text=''):
        style = self.rng.random()
        if style < 0.3:
            return ''
        labels = self.rng.sample(LABELS, self.rng.choice([0, 1, 1, 2, 3]))
        if self.chance(0.03):
            labels.append('__name__')
        return f'{self.case("by" if style < 0.75 else "without")} ({", ".join(labels)}{"," if labels and self.chance(0.1) else ""}) '

    # ---- scalars ----

    def scalar(self, depth):
        kind = self.rng.random()
        if depth <= 0 or kind < 0.5:
            return self.number()
        if kind < 0.55:
            return f'scalar({self.vector(depth - 1, DYADIC)})'
        if kind < 0.7:
            return f'scalar({self.pick(["sum", "max", "min", "count"])}({self.vector(depth - 1, DYADIC)}))'
        if kind < 0.75:
            return f'({self.number()} {self.pick(["==", "!=", "<", ">", "<=", ">="])} bool {self.number()})'
        if kind < 0.8:
            return self.pick(['time()', 'pi()', '-time()'])
        return f'({self.scalar(depth - 1)} {self.pick("+-*")} {self.number()})'

    # ---- vectors ----

    def leaf(self):
        if self.weird and self.chance(0.4):
            return self.selector('weird') + self.modifiers()
        return self.selector(self.name()) + self.modifiers()

    def vector(self, depth, grade):
        if depth <= 0:
            return self.leaf()
        kinds = [self.leaf, self.math, self.clamp, self.over_time, self.aggregate, self.choose, self.arithmetic, self.comparison, self.set_operator,
                 self.label_function, self.sort, self.absent, self.date, self.joined, self.stamp, self.unary, self.precedence]
        if grade >= SAME:
            kinds += [self.rate, self.quantile, self.smooth, self.product]
        if grade >= CLOSE:
            kinds += [self.histogram, self.predict, self.power, self.product, self.rate, self.math, self.math, self.over_time, self.aggregate]
        kind = self.pick(kinds)
        return kind() if kind == self.leaf else kind(depth - 1, grade)

    def graded(self, table, grade):
        return self.pick(f for f, (_, out) in table.items() if out <= grade)

    def math(self, depth, grade):
        f = self.graded(MATH, grade)
        wanted = min(grade, SAME)
        if f == 'round' and self.chance(0.5):
            return f'round({self.vector(depth, wanted)}, {self.pick(["1", "0.5", "10", "4", "0.25"])})'
        return f'{f}({self.vector(depth, wanted)})'

    def clamp(self, depth, grade):
        inner = self.vector(depth, min(grade, SAME))
        return self.pick([f'clamp({inner}, {self.number()}, {self.scalar(depth)})', f'clamp_min({inner}, {self.any_number()})',
                          f'clamp_max({inner}, {self.scalar(depth)})'])

    def over_time(self, depth, grade):
        if self.chance(0.1):
            return f'quantile_over_time({self.pick(["0.5", "0", "1", "0.9", "-1", "2", "NaN"])}, {self.matrix(depth, DYADIC)})'
        f = self.graded(OVER_TIME, grade)
        return f'{f}({self.matrix(depth, DYADIC)})'

    def rate(self, depth, grade):
        return f'{self.pick(["rate", "increase", "rate", "increase", "irate"])}({self.matrix(depth, DYADIC, EXTRAPOLATED)})'

    def predict(self, depth, grade):
        return f'predict_linear({self.matrix(depth, DYADIC, pinned=not self.ranged)}, {self.pick(["60", "3600", "-60", "1e4"])})'

    def smooth(self, depth, grade):
        return f'holt_winters({self.matrix(depth, DYADIC)}, {self.pick(["0.5", "0.1", "0.9"])}, {self.pick(["0.5", "0.2", "0.01"])})'

    def aggregated(self, op, arguments):
        grouping = self.grouping()
        if self.chance(0.2):
            return f'{self.case(op)}({arguments}) {grouping}'.rstrip()
        return f'{self.case(op)} {grouping}({arguments})'

    def aggregate(self, depth, grade):
        op = self.graded(AGGREGATES, grade)
        inner = self.vector(depth, SAME if op in ('min', 'max', 'count', 'group') and grade else DYADIC)
        if op in ('stddev', 'stdvar'):
            inner = f'({inner}) % 1000 < Inf > -Inf'
        if op == 'avg':
            inner = f'abs({inner})'
        return self.aggregated(op, inner)

    def quantile(self, depth, grade):
        return self.aggregated('quantile', f'{self.pick(["0.5", "0", "1", "0.75", "-1", "2", "NaN"])}, {self.vector(depth, DYADIC)}')

    def choose(self, depth, grade):
        if self.chance(0.2) and not self.few:
            return self.aggregated('count_values', f'"{self.pick(["x", "zone"])}", {self.vector(depth, DYADIC)}') if self.chance(0.7) else \
                f'count_values without (le) ("{self.pick(["value", "job", "le", "x"])}", {self.vector(depth, DYADIC)})'
        if self.chance(0.5):
            k, inner = self.pick(['0', '1', '-1', '20', '1e3']), self.in_order(depth)
        else:
            k, inner = self.pick(['2', '3', '5', '2.7', self.scalar(depth)]), self.distinct()
            if '@' in k:
                k = '4'
        return self.aggregated(self.pick(['topk', 'bottomk']), f'{k}, {inner}')

    def in_order(self, depth):
        """At most twelve elements in the same order in both: there may be equals among them, if none is voted out."""
        before, self.few, self.single = (self.few, self.single), True, True
        metric, leaf = self.selector(self.name()), self.leaf()
        self.few, self.single = before
        return self.pick([leaf, f'last_over_time({metric}[{self.window()}])', f'idelta({metric}[{self.window()}])',
                          f'changes({metric}[{self.window()}])'] + ([] if self.ranged else [f'floor({metric})', f'{metric} % 7', f'max by (job) ({metric})']))

    def distinct(self):
        """A vector without equal values."""
        metric = self.selector(self.pick(['humidity', 'temperature', 'words']))
        return self.pick([metric + self.modifiers(), f'{metric} * -2', f'last_over_time({metric}[{self.window()}])', f'max by (room, word) ({metric})',
                          f'{metric} > 10', f'abs({metric.replace("temperature", "humidity")})'])

    def matching(self, many=True):
        style = self.rng.random()
        if style < 0.35:
            return ''
        labels = self.rng.sample(LABELS, self.rng.choice([0, 1, 1, 2, 3]))
        out = f'{self.case("on" if style < 0.7 else "ignoring")} ({", ".join(labels)}) '
        if many and self.chance(0.4):
            free = [l for l in LABELS if l not in labels or style >= 0.7]
            out += f'{self.case(self.pick(["group_left", "group_right"]))} ' + \
                self.pick(['', '()', f'({", ".join(self.rng.sample(free, self.rng.choice([1, 1, 2])))})']) + ' '
        return out

    def operands(self, depth, grade, op, matching=''):
        kind = self.rng.random()
        left, right = f'({self.vector(depth, grade)})', f'({self.vector(depth, grade)})'
        if kind < 0.25:
            return f'{left} {op} {self.scalar(depth)}'
        if kind < 0.4:
            return f'{self.scalar(depth)} {op} {left}'
        if kind < 0.5:
            same = self.leaf()
            return f'{same} {op} {matching}{same}'
        if kind < 0.75:
            return f'{left} {op} {matching}({left} {self.pick(["* 2", "> 1", "!= 3", "- 7"])})'
        return f'{left} {op} {matching}{right}'

    def arithmetic(self, depth, grade):
        return self.operands(depth, min(grade, SAME), self.pick('+-'), self.matching())

    def product(self, depth, grade):
        return self.operands(depth, grade, self.pick('*/'), self.matching())

    def power(self, depth, grade):
        op = self.pick(['^', '%', 'atan2'])
        if op == 'atan2':
            return f'({self.operands(depth, SAME, "*")}) atan2 {self.pick([self.number(), f"{self.matching(False)}({self.vector(depth, SAME)})"])}'
        return self.operands(depth, SAME, op, self.matching())

    def comparison(self, depth, grade):
        op = self.pick(['==', '!=', '<', '>', '<=', '>='])
        if self.chance(0.5):
            return self.operands(depth, SAME, f'{op} {self.case("bool")}', self.matching())
        several, self.single = self.single, True
        left, right = self.vector(depth, min(grade, SAME)), self.vector(depth, SAME)
        label = self.pick(LABELS)
        out = self.pick([f'({left}) {op} {self.scalar(depth)}', f'{self.scalar(depth)} {op} ({left})', f'({left}) {op} ({left})',
                         f'max by ({label}) ({left}) {op} {self.pick(["", f"on ({label}) "])}min by ({label}) ({right})'])
        self.single = several
        return out

    def set_operator(self, depth, grade):
        op = self.pick(['and', 'unless'] if self.few else ['and', 'or', 'unless'])
        return f'({self.vector(depth, grade)}) {self.case(op)} {self.matching(False)}({self.vector(depth, grade)})'

    def joined(self, depth, grade):
        """Matches that do match, as people write them."""
        if self.few:
            return 'temperature - humidity'
        op = self.pick(['*', '+', '-', '/', '>', '==', '<= bool'] if grade else ['+', '-', '>', '<= bool'])
        return self.pick([
            f'requests_total {op} on (job) group_left limits',
            f'limits {op} on (job) group_right () up',
            f'requests_total {op} on (job, instance) group_left (version) build_info',
            f'up {op} on (job, instance) group_right (version, none) requests_total',
            f'sum by (job) (requests_total) {op} ignoring (code) limits',
            f'requests_total {op} ignoring (code, le) group_left up',
            f'requests_total{{code="500"}} {op} ignoring (code) requests_total{{code="200"}}',
            f'temperature {op} humidity',
            f'twin_a {op} twin_b',
            f'sum without (code) (requests_total) {op} up'])

    def label_function(self, depth, grade):
        inner = self.vector(depth, grade)
        if self.chance(0.4):
            sources = ''.join(f', "{s}"' for s in self.rng.sample(LABELS, self.rng.choice([0, 1, 2])))
            return f'label_join({inner}, "{self.pick(["joined", "job", "none"])}", "{self.pick(["-", "", "::"])}"{sources})'
        return f'label_replace({inner}, "{self.pick(["new", "job", "none", "code"])}", "{self.pick(["$1", "x$1y", "${1}z", "", "$0", "$2", "$$", "$name"])}", ' \
               f'"{self.pick(LABELS)}", "{self.pick(["(.*)", "(.)(.*)", "a(?P<name>.*)", "", "[0-9]+", "(a|w)(.*)"])}")'

    def sort(self, depth, grade):
        before, self.few, self.single = (self.few, self.single), True, True
        inner = self.vector(depth, DYADIC)
        self.few, self.single = before
        return f'{self.pick(["sort", "sort_desc"])}({inner})'

    def absent(self, depth, grade):
        if self.chance(0.5):
            return f'absent({self.selector(self.pick(["nothing", "nothing", "limits"]))})'
        return f'absent(({self.vector(depth, grade)}) {self.pick(["", "> 1e30", "!= 0"])})'

    def date(self, depth, grade):
        return f'{self.pick(DATES)}({self.pick(["", f"vector({self.number()})", "up * 86400 * 400", "vector(time())", self.selector(self.name())])})'

    def stamp(self, depth, grade):
        inner = self.vector(depth, grade)
        if '@' in inner:
            inner = f'-({inner})'
        return self.pick([f'vector({self.scalar(depth)})', f'timestamp({self.selector(self.name())}{self.modifiers(pinned=False)})', f'timestamp({inner})'])

    def unary(self, depth, grade):
        return f'{self.pick("-+")}({self.vector(depth, grade)})'

    def precedence(self, depth, grade):
        """A chain without parentheses."""
        out = [self.pick([self.selector('up'), 'limits', self.number()])]
        for _ in range(self.rng.choice([1, 2, 3])):
            op = self.pick(['+', '-', '*', '> bool', '== bool', '<= bool'])
            out.append(f'{op} {self.pick(["up", "twin_a", "2", "-3", "4"])}')
        return self.pick([f'({" ".join(out)})', f'vector(2 ^ 3 ^ 2 - -1 ^ 2 * {self.number()} % 7)', f'(-limits ^ 2 + {self.number()})',
                          'up and up or up unless up', 'up or up and limits unless on (job) limits'])

    def histogram(self, depth, grade):
        phi = self.pick(['0.5', '0.9', '0.99', '0', '1', '-1', '2', 'NaN', '0.25', '0.1'])
        rate = f'{self.pick(["rate", "increase"])}(latency_seconds_bucket{self.pick(["", "{job!=" + chr(34) + "web" + chr(34) + "}"])}[{self.window()}]{self.modifiers()})'
        return self.pick([f'histogram_quantile({phi}, {rate})', f'histogram_quantile({phi}, latency_seconds_bucket{self.modifiers()})',
                          f'histogram_quantile({phi}, sum by (le) ({rate}))', f'histogram_quantile({phi}, sum by (job, le) ({rate}))',
                          f'histogram_quantile({phi}, {self.vector(depth, DYADIC)})'])

    def native(self):
        """What 2.42 knows to do with native histograms. Fractions are asked at bucket bounds, where no interpolation matters."""
        metric = self.selector('sizes') + self.modifiers()
        window = f'{self.selector("sizes")}[{self.window()}]{self.modifiers()}'
        histogram = self.pick([metric, f'{self.pick(["rate", "increase"])}({window})'])
        histogram = self.pick([histogram, f'sum {self.grouping()}({histogram})', f'({histogram}) + ({histogram})',
                               f'({histogram}) {self.pick(["and", "or", "unless"])} {self.matching(False)}({self.vector(1, DYADIC)})'])
        bounds = self.pick(['0, 1', '1, 2', '-1, 2', '0.5, Inf', '2, 1', '-Inf, Inf', '1, 1', 'NaN, 1', '0.25, 4', '-Inf, 1'])
        return self.pick([histogram, histogram, f'histogram_count({histogram})', f'histogram_sum({histogram})', f'histogram_fraction({bounds}, {histogram})',
                          f'{self.pick(["count", "group"])} {self.grouping()}({histogram})', f'{self.pick(["count", "present"])}_over_time({window})',
                          f'timestamp({self.selector("sizes")})', f'absent({histogram})', f'histogram_count({self.vector(1, SAME)})',
                          f'({self.vector(1, SAME)}) and on (job) ({histogram})'])

    # ---- what is refused ----

    def wrong(self):
        v, m, s = self.vector(1, SAME), f'{self.selector(self.name())}[5m]', self.number()
        return self.pick([
            f'sum({m})', f'rate({v})', f'abs({s})', f'{m} + 1', f'{s} > {s}', f'{s} and {v}', f'({v}) and bool ({v})', f'{v} + bool {v}',
            f'unknown({v})', f'abs({v}, {v})', 'abs()', f'topk({v})', f'topk({v}, {v})', f'({v}) or on (job) group_left ({v})',
            f'({v}) * on (job) group_left (job) ({v})', '{}', '{job=~".*"}', '{job!="x"}', f'sum by (job ({v})', f'({v}', f'{v})', f'({v}) ** 2',
            'up{job=}', 'up{job="a"', 'up{"}', "up{job='a\"}", 'up[5m] @', 'up offset', 'up[]', 'up[5]x', 'up[0s]', f'({v})[5m]', f'up[5m:0s]',
            'up offset 1m offset 1m', 'up @ 1 @ 2', 'sum(up) offset 1m', 'sum(up) @ 1', '1 offset 1m', 'up @ up', 'up{job=~"("}', 'up{job=~"a**"}',
            'label_replace(up, "1bad-", "x", "job", "(")', 'label_replace(up, "a", "x", "job", "(")', 'label_join(up, "a")', 'count_values(1, up)', '"text" + 1',
            'sum("text")', '', ' ', '# nothing', f'sum by (1) ({v})', f'{v} {v}', f'{s} {s}', '1 +', '* 1', 'up{job="a" instance="b"}', 'time(1)', 'time(',
            'scalar(1)', 'vector(up)', 'quantile("a", up)', 'round(up, up)', 'histogram_quantile(up, up)', 'predict_linear(up, 1)', 'up[5m][5m]', 'up[5m:1m][5m]',
            'sum(up) by', 'by (job)', 'up == bool', 'up group_left up', 'up + ignoring job up', '1 + on (job) up', 'holt_winters(up[5m], 0, 0.5)',
            'holt_winters(up[5m], 0.5, 1)', 'topk(NaN, up)', 'topk(Inf, up)', 'bottomk(1e20, up)', '-{__name__=~"twin_."}', 'rate({__name__=~"twin_.|up"}[5m])',
            'requests_total + on (job) up', 'up + on (job) requests_total', 'requests_total * on (job) group_left up', 'label_replace(up, "instance", "x", "job", ".*")',
            'up / on () up', 'count_values("", up)', 'up{__name__="up"}', 'up{job="a",}', 'up{,}', '"just text"', f'{m}', 'up[5m:30s]', '((1))', '"a" == "a"',
            'absent(up[5m])', 'sum(up, up)', 'sum()', 'sum', 'avg by', 'up[1h30]', 'up[1m1h]', 'up[-5m]', 'rate(up[5m] offset)', 'up{job="\\q"}', 'up{job="\\x41"}', '`raw` ',
            'up{a="b",a="c"}', 'up{job="api",job="api"}', 'up{job="api",job=~"a.*"}', 'absent(nothing{job="a",job="b"})', 'absent(nothing{job="a",job="a"})'])

    def query(self):
        kind = self.rng.random()
        if kind < 0.07:
            return self.wrong()
        if kind < 0.11:
            return self.native()
        self.weird = kind > 0.8
        if kind < 0.13:
            return self.scalar(3)
        return self.vector(self.rng.choice([1, 2, 2, 3, 3, 4]), CLOSE)


def request(seed, i):
    """The i-th query of a seed: (endpoint, parameters)."""
    rng = random.Random(f'{seed}/{i}')
    ranged = rng.random() < 0.5
    expression = Expressions(rng, ranged).query()
    at_s = (data.END_MS // 1000) - rng.randrange(3600) + 0.5
    if rng.random() < 0.03 and 'rate(' not in expression and 'increase(' not in expression:
        at_s = data.START_MS // 1000 + rng.choice([-3600, -1, 10, 60, 600, data.SPAN_S + 200, data.SPAN_S + 299, data.SPAN_S + 320]) + 0.5
    if not ranged:
        return 'query', {'query': expression, 'time': f'{at_s:.3f}'}
    step_s, steps = rng.choice([1, 7, 15, 30, 60, 61, 300]), rng.randrange(12)
    return 'query_range', {'query': expression, 'start': f'{at_s - step_s * steps:.3f}', 'end': f'{at_s:.3f}', 'step': str(step_s)}
