"""Rule files and rule unit tests, the same ones to promtool and to Tocsin: equal verdicts, equal complaints.

$PROMTOOL names another promtool than Debian's 2.42. Without any, what needs one is skipped. The rule files are made up anew each
time, from one seed; a file that two disagree on is shown in full.
"""
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import rule_files

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOCSIN = os.environ.get('TOCSIN', str(ROOT / 'build/tocsin'))
UNITS = ROOT / 'tests/rules/units'
LINT = ROOT / 'tests/rules/lint'
RULES = {'rules.yml', 'late.yml', 'broken.yml', 'failing.yml'}
GOOD, BAD = 300, 200


def find_promtool():
    unpacked = ROOT / 'build/peers/usr/bin/promtool'
    return os.environ.get('PROMTOOL') or (str(unpacked) if unpacked.exists() else shutil.which('promtool'))


PROMTOOL = find_promtool()
with_promtool = unittest.skipUnless(PROMTOOL, 'no promtool')


def run(*command, cwd, text=None):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, input=text,
                          stdin=None if text is not None else subprocess.DEVNULL, timeout=300, check=False)
    return done.returncode, done.stdout


@functools.cache
def promtool_is_new():
    _, output = run(PROMTOOL, '--version', cwd=ROOT)
    return not re.search(r'version 2\.', output)


def expected(text, peer):
    """What a file of units/ says about itself."""
    verdict = re.search(r'^# verdict: (pass|fail)$', text, re.M).group(1)
    old = re.search(r'^# promtool 2\.42: (pass|fail) ', text, re.M)
    own = re.search(r'^# promtool: (pass|fail) ', text, re.M)
    if peer and own:
        return own.group(1)
    if peer and old and not promtool_is_new():
        return old.group(1)
    return verdict


class UnitTests(unittest.TestCase):
    def verdicts(self, program, peer):
        files = sorted(p for p in UNITS.glob('*.yml') if p.name not in RULES)
        self.assertGreaterEqual(len(files), 30)
        for path in files:
            with self.subTest(path.name):
                status, output = run(program, 'test', 'rules', path.name, cwd=UNITS)
                self.assertIn(status, (0, 1))
                self.assertEqual('fail' if status else 'pass', expected(path.read_text(), peer), output)

    def test_tocsin_comes_to_the_verdict_that_each_file_names(self):
        self.verdicts(TOCSIN, False)

    @with_promtool
    def test_promtool_comes_to_it_too(self):
        self.verdicts(PROMTOOL, True)

    @with_promtool
    def test_failures_read_alike(self):
        """Where both must fail: the same lines, but for what one of them does not know."""
        for path in sorted(p for p in UNITS.glob('*.yml') if p.name not in RULES):
            text = path.read_text()
            if expected(text, False) != 'fail' or not re.search(r'^ +(alert_rule_test|promql_expr_test)', text, re.M):
                continue
            if re.search('partial|exp_pending|fuzzy_compare|histogram|start_timestamp', text):
                continue
            with self.subTest(path.name):
                ours, theirs = (self.failures(program, path) for program in (TOCSIN, PROMTOOL))
                self.assertEqual(ours, theirs)

    @staticmethod
    def failures(program, path):
        _, output = run(program, 'test', 'rules', path.name, cwd=UNITS)
        return [line.rstrip() for line in output.splitlines()
                if line.strip() and not re.match(r'Unit Testing|\d+ passed|  FAILED|  SUCCESS', line)]


def complaints(output):
    """By file: its SUCCESS line, or the complaints about it, each once."""
    by_file, current = {}, None
    for line in output.splitlines():
        if line.startswith('Checking '):
            current = by_file.setdefault(line[len('Checking '):], [])
        elif current is not None and line.strip() and not line.startswith(('  WARNING: ', 'time=')) and line.strip() != 'FAILED:':
            line = plain(line)
            if line not in current:
                current.append(line)
    return by_file


def plain(line):
    """What the two cannot but call by different names: promtool decodes twice, into types that say the same."""
    line = re.sub(r'rulefmt\.RuleNode\b', 'rulefmt.Rule', line)
    line = re.sub(r'rulefmt\.RuleGroupNode\b', 'rulefmt.RuleGroup', line)
    line = re.sub(r'rulefmt\.ruleGroups\b', 'rulefmt.RuleGroups', line)
    line = re.sub(r'\[\]yaml\.Node\b', '[]rulefmt.RuleGroup', line)
    line = re.sub(r'yaml\.Node\b', 'string', line)
    line = re.sub(r': 0:0: (?:0:0: )?group', ': 0:0: group', line)
    if PROMTOOL and promtool_is_new():  # 3.14 has lost the places of groups
        line = re.sub(r': \d+:\d+: ([Gg]roupname)', r': \1', line)
    return as_in_2_42(line)


def as_in_2_42(line):
    """Words that Prometheus 3 has changed."""
    line = re.sub(r'unknown unit "[^"]*" in duration ("[^"]*")', r'not a valid duration string: \1', line)
    line = line.replace('bad number or duration syntax', 'bad duration syntax')
    line = line.replace('expected number, duration, step(), or range()', 'expected duration')
    return re.sub(r'`\^\(\?:(.*)\)\$`', r'`\1`', line)


class GeneratedRuleFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='tocsin_rules_')
        cls.made = rule_files.make(GOOD, BAD, seed=20261122)
        for name, text in cls.made.items():
            pathlib.Path(cls.folder.name, name).write_text(text, encoding='utf-8')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def judged(self, program, prefix, lint):
        names = sorted(name for name in self.made if name.startswith(prefix))
        status, output = run(program, 'check', 'rules', f'--lint={lint}', *names, cwd=self.folder.name)
        found = complaints(output)
        self.assertEqual(sorted(found), names)
        return status, found

    def test_tocsin_accepts_all_good_files(self):
        status, found = self.judged(TOCSIN, 'good', 'none')
        self.assertEqual(status, 0)
        for name, lines in found.items():
            self.assertRegex(' '.join(lines), '^  SUCCESS: [0-9]+ rules found$', self.made[name])

    def test_tocsin_refuses_all_bad_files(self):
        status, found = self.judged(TOCSIN, 'bad', 'none')
        self.assertEqual(status, 1)
        for name, lines in found.items():
            self.assertNotIn('SUCCESS', ' '.join(lines), self.made[name])

    @with_promtool
    def test_promtool_says_the_same_of_good_files(self):
        self.assertEqual(self.judged(TOCSIN, 'good', 'duplicate-rules'), self.judged(PROMTOOL, 'good', 'duplicate-rules'))

    @with_promtool
    def test_promtool_says_the_same_of_bad_files(self):
        """The same complaints with the same lines and columns, in the same order but for those that Go's maps shuffle."""
        _, ours = self.judged(TOCSIN, 'bad', 'duplicate-rules')
        _, theirs = self.judged(PROMTOOL, 'bad', 'duplicate-rules')
        for name, text in self.made.items():
            if name.startswith('bad'):
                with self.subTest(name):
                    self.assertEqual(sorted(ours[name]), sorted(theirs[name]), text)

    @with_promtool
    def test_lint_is_fatal_for_both(self):
        twice = 'groups: [{name: g, rules: [{record: r, expr: m, labels: {a: b}}, {record: r, expr: n, labels: {a: b}}]}]\n'
        cases = [([], 0), (['--lint-fatal'], 3), (['--lint=none', '--lint-fatal'], 0), (['--lint=all', '--lint-fatal'], 3)]
        for flags, status in cases:
            for program in (TOCSIN, PROMTOOL):
                with self.subTest(flags=flags, program=program):
                    path = pathlib.Path(self.folder.name, 'twice.yml')
                    path.write_text(twice, encoding='utf-8')
                    self.assertEqual(run(program, 'check', 'rules', *flags, 'twice.yml', cwd=self.folder.name)[0], status)

    def test_standard_input_is_checked_without_files(self):
        good, bad = 'groups: [{name: g, rules: [{record: r, expr: m}]}]', 'groups: [{name: g, rules: [{record: r}]}]'
        status, output = run(TOCSIN, 'check', 'rules', cwd=self.folder.name, text=good)
        self.assertEqual((status, output), (0, 'Checking standard input\n  SUCCESS: 1 rules found\n\n'))
        status, output = run(TOCSIN, 'check', 'rules', cwd=self.folder.name, text=bad)
        self.assertEqual(status, 1)
        self.assertIn('\n0:0: group "g", rule 1, "r": field \'expr\' must be set in rule\n', output)


class Lints(unittest.TestCase):
    NAMES = ['absent-of-bool', 'always-true', 'dropped-label', 'dropped-le', 'duplicate-rules', 'never-true', 'short-for',
             'unmatched-join']

    def test_each_lint_has_a_file_that_raises_it_alone_and_one_that_does_not(self):
        for name in self.NAMES:
            for kind in ('raised', 'silent'):
                path = LINT / f'{name}_{kind}.yml'
                with self.subTest(path.name):
                    status, output = run(TOCSIN, 'check', 'rules', f'--lint={name}', '--lint-fatal', path.name, cwd=LINT)
                    self.assertEqual(status, 3 if kind == 'raised' else 0, output)
                    if kind == 'raised' and name != 'duplicate-rules':
                        rules = len(re.findall(r'^ +- (?:alert|record):', path.read_text(), re.M))
                        self.assertEqual(len(re.findall(rf'\({name}\)$', output, re.M)), rules, output)

    def test_warnings_do_not_fail_unless_asked(self):
        for name in self.NAMES:
            with self.subTest(name):
                path = f'{name}_raised.yml'
                status, output = run(TOCSIN, 'check', 'rules', path, cwd=LINT)
                self.assertEqual(status, 0, output)
                status, _ = run(TOCSIN, 'check', 'rules', '--lint-fatal', path, cwd=LINT)
                self.assertEqual(status, 3 if name == 'duplicate-rules' else 0)


if __name__ == '__main__':
    unittest.main()
