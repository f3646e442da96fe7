"""`tocsin slo generate` on files of Sloth's and of Pyrra's: which rules go where, and what is refused."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import peers

SLOS = peers.ROOT / 'tests/slo'


class Slo(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='tocsin-slo-'))
        self.addCleanup(shutil.rmtree, self.folder)

    def generate(self, *args):
        return subprocess.run([peers.TOCSIN, 'slo', 'generate', *map(str, args)], capture_output=True, text=True, timeout=60)

    def refused(self, status, *args):
        done = self.generate(*args)
        self.assertEqual((done.returncode, done.stdout), (status, ''))
        return done.stderr

    def written(self):
        return sorted(p.name for p in self.folder.iterdir())

    def test_the_files_say_whose_they_are(self):
        pyrra = self.generate('--generic-rules', SLOS / 'pyrra_ratio.yaml')
        self.assertEqual((pyrra.returncode, pyrra.stderr), (0, ''))
        self.assertEqual(pyrra.stdout, (SLOS / 'pyrra_ratio.rules').read_text())
        sloth = self.generate('--extra-labels=env=prod', SLOS / 'object.yml')
        self.assertEqual(sloth.stdout, (SLOS / 'object_30d.rules').read_text())
        self.assertIn('one kind at a time', self.refused(1, SLOS / 'pyrra_ratio.yaml', SLOS / 'object.yml'))

    def test_a_format_that_is_named_is_meant(self):
        self.assertIn('no objective of Pyrra', self.refused(1, '--format=pyrra', SLOS / 'object.yml'))
        self.assertIn('no SLOs of a known form', self.refused(1, '--format=sloth', SLOS / 'pyrra_ratio.yaml'))
        self.assertIn('must be sloth, pyrra or prometheus', self.refused(2, '--format=yaml', SLOS / 'pyrra_ratio.yaml'))

    def test_flags_of_the_other_form_are_refused(self):
        self.assertIn("are for Pyrra's files", self.refused(2, '--generic-rules', SLOS / 'object.yml'))
        self.assertIn("are for Sloth's files", self.refused(2, '--disable-alerts', SLOS / 'pyrra_ratio.yaml'))
        self.assertIn('--external-url: must be http', self.refused(2, '--external-url=pyrra', SLOS / 'pyrra_ratio.yaml'))

    def test_several_of_pyrras_files_share_one_of_rules(self):
        done = self.generate(SLOS / 'pyrra_latency.yaml', SLOS / 'pyrra_gauge.yaml')
        self.assertEqual(done.stdout.count('groups:'), 1)
        self.assertEqual(done.stdout.count('- interval: 30s\n'), 2)

    def test_performance_over_accuracy_takes_a_folder(self):
        slo = SLOS / 'pyrra_gauge_groups.yaml'
        self.assertIn(f'{slo}:1: SLO "up-targets": performanceOverAccuracy makes two files', self.refused(1, slo))
        done = self.generate(f'--output-dir={self.folder}', slo, SLOS / 'pyrra_gauge.yaml')
        self.assertEqual((done.returncode, done.stdout), (0, ''))
        self.assertEqual(self.written(), ['pyrra_gauge.yaml', 'pyrra_gauge_groups-long.yaml', 'pyrra_gauge_groups-short.yaml'])
        self.assertEqual((self.folder / 'pyrra_gauge_groups-long.yaml').read_text(),
                         (SLOS / 'pyrra_gauge_groups-long.rules').read_text())

    def test_nothing_is_written_if_a_file_is_wrong(self):
        (self.folder / 'in').mkdir()
        bad = self.folder / 'in/bad.yaml'
        bad.write_text((SLOS / 'pyrra_gauge.yaml').read_text().replace('28d', '1d'))
        self.assertIn(f'{bad}:7: SLO "probes": with a window of 1d',
                      self.refused(1, f'--output-dir={self.folder}', SLOS / 'pyrra_ratio.yaml', bad))
        self.assertEqual(self.written(), ['in'])

    def test_objectives_are_not_overwritten(self):
        slo = self.folder / 'slo.yaml'
        shutil.copy(SLOS / 'pyrra_gauge.yaml', slo)
        self.assertIn('holds objectives: say another --output-dir', self.refused(1, f'--output-dir={self.folder}', slo))
        self.assertEqual(slo.read_text(), (SLOS / 'pyrra_gauge.yaml').read_text())
        self.assertIn('to the same file as', self.refused(1, f'--output-dir={self.folder}', slo, slo))

    def test_what_is_doubtful_is_told(self):
        done = self.generate(SLOS / 'pyrra_native.yaml')
        self.assertEqual(done.returncode, 0)
        self.assertIn('shop-native": its shortest range is 1m', done.stderr)


if __name__ == '__main__':
    unittest.main()
