"""A seeded stream of templates: text ones full of expressions, HTML ones full of places where a value may stand."""
import random

DATA = (
    '{"name": "web", "n": 3, "zero": 0, "neg": -7, "f": 1.5, "big": 1e21, "yes": true, "no": false, "nothing": null, "empty": "", '
    '"html": "<a href=\\"x\\">\'&\'</a>", "url": "http://a.example/p q?x=1&y=ü#f\'(", "js": "javascript:alert(1)", '
    '"mail": "MailTo:a@b", "rel": "/a:b/%zz%20c", "attr": "title", "bad": "onclick", "odd": "\\u0001\\ufdd0\\u00a0`=\\t\\n+ é", '
    '"tags": "a<b c=\'>\'>d</b><!-- e --><title>f</title>&amp; \\"<3", "set": "http://a/1 2x, javascript:b, c d/e 1.5x,,", '
    '"labels": {"@strings": {"job": "api", "instance": "i:9090", "alertname": "Down<>"}}, "list": [1, "two", 3.5, null, "<x>"], '
    '"texts": {"@texts": ["a", "b&", "c"]}, "none": [], "nested": {"a": {"b": {"c": "deep"}}}, "t": {"@time": 1435065584128000000}, '
    '"d": {"@duration": 90500000000}, "level": {"@level": 7}, "alert": {"@alert": {"Status": "firing", "Labels": {"@strings": '
    '{"job": "api"}}, "StartsAt": {"@time": 1435065584000000000}, "Value": 42.5}}}')

FIELDS = ('.name .n .zero .neg .f .big .yes .no .nothing .empty .html .url .js .mail .rel .attr .bad .odd .tags .set .labels .labels.job '
          '.labels.nope .list .texts .none .nested .nested.a.b.c .nested.a.x .nope .t .d .level .alert .alert.Status .alert.Value '
          '.alert.Upper .alert.Labels.job .alert.StartsAt.Year .alert.Nope .alert.Fail .d.Seconds . $ $.name').split()
PLAIN = '.name .html .url .js .mail .rel .attr .bad .odd .tags .set .n .f .yes .nothing .nope .empty .labels .list .level .texts .d'.split()
LITERALS = ['1', '-2', '0x1F', '1.5', '1e3', '"a"', '"<b>&"', '`raw "q"`', "'x'", 'true', 'false', 'nil', '"%v"', '"%q %5d|"', '""', '0',
            "'\\n'", '1_000', '9223372036854775807', '1e1000', '3i', '"\\xff"', '08', '0b101', '0x1p4']
CALLS = {'and': (1, 3), 'or': (1, 3), 'not': (1, 1), 'eq': (2, 3), 'ne': (2, 2), 'lt': (2, 2), 'le': (2, 2), 'gt': (2, 2), 'ge': (2, 2),
         'len': (1, 1), 'index': (1, 3), 'slice': (1, 3), 'print': (0, 3), 'println': (0, 3), 'printf': (1, 4), 'html': (0, 2),
         'js': (0, 2), 'urlquery': (0, 2), 'call': (0, 2), 'safeHtml': (1, 1), 'safeUrl': (1, 1)}
FORMATS = ['%v', '%d', '%s', '%q', '%5.2f', '%x', '%X', '%t', '%T', '%-6v|', '%06d', '%+v', '%#v', '%c', '%U', '%e', '%g', '%%', '%!', '%[2]v',
           '%*d', '%.3s', '%b', '%o', '% x', '%#q', '%z', '%+q', '%6.3v', '%', '%v %v']


class Text:
    """Expressions of every shape, right and wrong."""

    def __init__(self, rng):
        self.rng = rng

    def operand(self, depth):
        kind = self.rng.random()
        if kind < 0.5:
            return self.rng.choice(FIELDS)
        if kind < 0.75 or depth <= 0:
            return self.rng.choice(LITERALS)
        return '(' + self.pipeline(depth - 1) + ')' + self.rng.choice(['', '', '', '.a', '.Status'])

    def call(self, depth):
        name = self.rng.choice(list(CALLS))
        low, high = CALLS[name]
        operands = [self.operand(depth) for _ in range(self.rng.randint(low, high))]
        if name == 'printf' and operands and self.rng.random() < 0.9:
            operands[0] = '"' + ''.join(self.rng.choice(FORMATS) for _ in range(self.rng.randint(1, 3))) + '"'
        return ' '.join([name, *operands])

    def command(self, depth):
        kind = self.rng.random()
        if kind < 0.4:
            return self.call(depth)
        if kind < 0.45:
            return '.alert.Join "x" 2'
        return self.operand(depth)

    def pipeline(self, depth=2):
        parts = [self.command(depth)]
        while self.rng.random() < 0.25:
            parts.append(self.call(depth) if self.rng.random() < 0.9 else self.operand(depth))
        return ' | '.join(parts)

    def action(self, depth):
        kind = self.rng.random()
        left, right = self.rng.choice(['{{', '{{', '{{- ']), self.rng.choice(['}}', '}}', ' -}}'])
        body = lambda: self.template(depth - 1)  # noqa: E731
        if kind < 0.6 or depth <= 0:
            return left + self.pipeline() + right
        if kind < 0.7:
            other = self.rng.choice(['', '{{else}}' + body(), '{{else if ' + self.pipeline() + '}}' + body()])
            return left + 'if ' + self.pipeline() + right + body() + other + '{{end}}'
        if kind < 0.8:
            head = self.rng.choice(['', '$i := ', '$i, $e := ', '$i, $e = '])
            jump = self.rng.choice(['', '', '{{break}}', '{{if eq 1 1}}{{continue}}{{end}}', '{{$i}}', '{{$e}}'])
            over = self.rng.choice(['.list', '.labels', '.texts', '.none', '3', self.pipeline(1)])
            return '{{range ' + head + over + '}}' + body() + jump + self.rng.choice(['', '{{else}}' + body()]) + '{{end}}'
        if kind < 0.88:
            return '{{with ' + self.rng.choice(['', '$w := ']) + self.pipeline() + '}}' + body() + self.rng.choice(
                ['', '{{$w}}', '{{else}}' + body(), '{{else with .name}}x{{.}}']) + '{{end}}'
        if kind < 0.93:
            return '{{$v := ' + self.pipeline() + '}}{{$v}}{{$v = ' + self.pipeline(1) + '}}'
        if kind < 0.97:
            return '{{block "b%d" %s}}%s{{end}}' % (self.rng.randint(0, 99), self.pipeline(1), body())
        return self.rng.choice(['{{/* c */}}', '{{- /* c */ -}}', '{{template "t2" .}}', '{{end}}', '{{ .name', '{{"\n"}}', '{{.name|}}',
                                '{{| print}}', '{{()}}', '{{.a.}}', '{{$x}}', '{{1 2}}', '{{nope}}', '{{(print 1).x}}', '{{. .}}', '{{break}}'])

    def template(self, depth=2):
        parts = []
        for _ in range(self.rng.randint(1, 3)):
            parts.append(self.rng.choice(['', 'x', ' ', '\n', 'é}}', ' y ']))
            parts.append(self.action(depth))
        return ''.join(parts)


class Html:
    """Pages with values at every place, and now and then something that no page should have."""

    def __init__(self, rng):
        self.rng = rng

    def value(self):
        text = self.rng.choice(PLAIN)
        return '{{' + self.rng.choice([text] * 8 + [
            text + ' | html', text + ' | urlquery', 'html ' + text, 'urlquery ' + text + ' "a b"', 'print ' + text + ' "<"', 'safeHtml .tags',
            'safeHtml .html', 'safeUrl .js', 'safeUrl .url', 'safeUrl .set', '.html | safeHtml | html', 'html ' + text + ' ' + text,
            text + ' | html | print', '"x"', '$v := ' + text, 'printf "%s" .url', '.nothing', '.none', 'html', 'urlquery .nothing',
            '.alert.Fail', '.url | safeUrl | urlquery']) + '}}'

    def branch(self, inner, depth):
        kind = self.rng.random()
        if depth <= 0 or kind < 0.75:
            return inner()
        a, b = self.branch(inner, depth - 1), self.branch(inner, depth - 1)
        if kind < 0.87:
            return '{{if %s}}%s{{else}}%s{{end}}' % (self.rng.choice(['.yes', '.no']), a, b)
        if kind < 0.91:
            return '{{if .yes}}%s{{end}}' % a
        if kind < 0.95:
            return '{{range .texts}}%s%s{{end}}' % (a, self.rng.choice(['', '', '{{break}}', '{{if .}}{{continue}}{{end}}' + b]))
        if kind < 0.98:
            return '{{with $.nested}}{{with $}}%s{{end}}{{else}}%s{{end}}' % (a, b)
        return '{{template "%s" .}}' % self.rng.choice(['one', 'two', 'loop', 'nope', 'open'])

    def text(self):
        return self.branch(lambda: self.rng.choice([self.value, lambda: self.rng.choice(
            ['x', ' < ', '&amp;', '<b>', '</b>', '<br/>', '<!-- c -->', '<!--' + self.value() + '-->', '<', '<!DOCTYPE html>', 'a>b', '</', "'", ' ', '<!-',
             '<3', '<a-b:c>', '&lt;'])])(), 2)

    def literal(self):
        return self.rng.choice(['x', 'http://h/', '/p', '?', '#', '&amp;', ' ', '&#63;', '&quest;', 'a=', ':', '', '%', '&#x23', '&num;', ';', 'url=', 'URL =',
                                ',', '&lt', '&lt;', '=', '<', 'b:'])

    def content(self):
        return ''.join(self.branch(self.rng.choice([self.value, self.literal]), 2) for _ in range(self.rng.randint(0, 3)))

    def attribute(self):
        name = self.rng.choice(['title', 'href', 'HREF', 'src', 'srcset', 'data-x', 'data-href', 'xlink:href', 'xmlns:a', 'content', 'alt', 'my-url', 'id', 'action',
                                'style', 'onclick', 'data-onx', 'srcdoc', 'value', '{{.attr}}', '{{.bad}}', '{{.name}}', 'x{{.attr}}', '{{if .yes}}a{{else}}b{{end}}', '"', '/',
                                'imagesrcset', 'srclang', self.value()])
        quote = self.rng.choice(['"', "'", '"', "'", '', ''])
        equals = self.rng.choice(['=', '=', '=', ' = ', ' ='])
        if self.rng.random() < 0.15:
            return ' ' + name
        inner = self.content()
        if name in ('style', 'onclick', 'data-onx'):
            inner = self.branch(lambda: self.rng.choice(['a:b', 'color: red;', '"', "'", 'url(x)', 'f()', '/* c */', "url('", '\\', '//', ')'] if name == 'style' else ['f(1)', 'x', '']), 1)
        if quote == '' and self.rng.random() < 0.7:
            inner = inner.replace(' ', '')
        return ' ' + name + equals + quote + inner + self.rng.choice([quote] * 9 + [''])

    def tag(self):
        name = self.rng.choice(['a', 'p', 'img', 'meta', 'h{{.n}}', 'svg:a', 'A', 'td'])
        attributes = ''.join(self.branch(self.attribute, 1) for _ in range(self.rng.randint(0, 3)))
        return '<' + name + attributes + self.rng.choice(['>'] * 9 + ['/>', ' >', ''])

    def element(self):
        name = self.rng.choice(['title', 'textarea', 'TITLE', 'script', 'style'])
        inner = ''.join(self.text() for _ in range(self.rng.randint(0, 2)))
        if name == 'script':
            inner = self.rng.choice(['', 'f()', 'x = 1', '{{if .yes}}y{{end}}', 'a < b'])
        if name == 'style':
            inner = ''.join(self.rng.choice(['a{b:c}', '/* d */', ' // e\n', "'f'", '"', "'", 'url(//g)', 'url("h")', '{{if .yes}}i{{end}}', '/', 'j/**/k', '\\', '<!-- l -->'])
                            for _ in range(self.rng.randint(0, 4)))
        return '<' + name + self.rng.choice(['', '', self.attribute()]) + '>' + inner + self.rng.choice(
            ['</%s>' % name] * 8 + ['</%s >' % name.upper(), '</%s\n>' % name, '' if name == 'script' else '</x>'])

    def page(self):
        piece = lambda: self.rng.choice([self.text, self.tag, self.tag, self.element])()  # noqa: E731
        define = '{{define "%s"}}%s{{end}}'
        body = ''.join(self.branch(piece, 1) for _ in range(self.rng.randint(1, 4)))
        if '{{template' in body or self.rng.random() < 0.1:
            body += define % ('one', self.rng.choice([self.value, self.text, self.content, self.tag, self.attribute])())
            body += define % ('two', self.text() + '{{template "one" .}}')
            body += define % ('loop', self.text() + '{{if .none}}{{template "loop" .}}{{end}}')
            body += define % ('open', self.rng.choice(['<a href="', '"', '<b ', '>', ' c=', '{{template "one" .}}?', 'x']))
        return body


def stream(seed, count):
    rng = random.Random(seed)
    text, html = Text(rng), Html(rng)
    for i in range(count):
        if i % 2:
            yield 'text', text.template()
        else:
            yield 'html', html.page()
