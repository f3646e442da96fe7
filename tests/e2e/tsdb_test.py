"""`tocsin tsdb`: what is on disk, beside a running server and after it; dump line for line as promtool prints the same samples."""
import hashlib
import math
import signal
import subprocess
import time

import peers
from push import HEADERS, STALE, literal_snappy, series

VALUES = [1, 1e6, 1234567.5, math.nan, math.inf, -math.inf, 1e-6, 0.00001234, 12345678901234567890123, -0.5, 0.1]


class Tsdb(peers.Case):
    def tsdb(self, verb, folder=None):
        return subprocess.run([peers.TOCSIN, 'tsdb', verb, str(folder or self.folder / 'data')], capture_output=True, text=True, timeout=60)

    def serve_and_push(self, *pushes):
        self.file('tocsin.yml', '')
        daemon = self.tocsin()
        for pushed in pushes:
            status, text = peers.post(f'{daemon.url}/api/v1/write', literal_snappy(b''.join(pushed)), HEADERS['Content-Type'])
            self.assertEqual(status, 204, text)
        return daemon

    def all_files(self):
        return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((self.folder / 'data').glob('**/*')) if p.is_file()}

    def test_dump_prints_what_promtool_prints(self):
        start = int(time.time()) - 60
        labels = [[(b'__name__', b'x'), (b'a', b'b'), (b'c', b'q"uo\nte\\')], [(b'__name__', b'x'), (b'a', b'c')], [(b'__name__', b'y')]]
        times = [(start + i) * 1000 + 7 for i in range(len(VALUES))]
        daemon = self.serve_and_push([series(ls, list(zip(times, VALUES[i:] + VALUES[:i]))) for i, ls in enumerate(labels)])
        lines = []
        for i, ls in enumerate(labels):
            pairs = ','.join(f'{n.decode()}="{escape(v.decode())}"' for n, v in ls[1:])
            lines += [f'{ls[0][1].decode()}{{{pairs}}} {v!r} {t / 1000:.3f}' for t, v in zip(times, VALUES[i:] + VALUES[:i])]
        text = self.file('text', '# TYPE x gauge\n' + '\n'.join(lines) + '\n# EOF\n')
        self.output('promtool', 'tsdb', 'create-blocks-from', 'openmetrics', text, self.folder / 'theirs')
        (self.folder / 'theirs/wal').mkdir()
        theirs = self.output('promtool', 'tsdb', 'dump', self.folder / 'theirs')
        before = self.all_files()
        beside = self.tsdb('dump')
        self.assertEqual((beside.returncode, beside.stdout), (0, theirs))
        self.assertEqual(self.all_files(), before)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.tsdb('dump').stdout, theirs)

    def test_histograms_and_stale_markers_are_printed(self):
        now = int(time.time() * 1000)
        daemon = self.serve_and_push([series([(b'__name__', b'h')], [(now - 2, (0, 5.5, 1, 1, [2, 4])), (now - 1, STALE)])])
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.tsdb('dump').stdout,
                         f'{{__name__="h"}} {{count:7, sum:5.5, [-0.001,0.001]:1, (1,2]:2, (2,4]:4}} {now - 2}\n{{__name__="h"}} NaN {now - 1}\n')

    def test_stat_counts(self):
        now = int(time.time() * 1000)
        daemon = self.serve_and_push([series([(b'__name__', b'a')], [(now - 1, 1), (now, 2)]), series([(b'__name__', b'b')], [(now, 2)])])
        said = self.tsdb('stat')
        self.assertEqual(said.returncode, 0)
        self.assertRegex(said.stdout, r'(?m)^series +2$')
        self.assertRegex(said.stdout, r'(?m)^samples +3$')
        self.assertRegex(said.stdout, r'(?m)^log +\d+ segments, [1-9]\d* bytes$')
        self.assertRegex(said.stdout, r'(?m)^newest sample +20\d\d-.*Z$')
        self.assertEqual(daemon.stop(), 0)

    def test_verify_names_what_is_damaged(self):
        now = int(time.time() * 1000)
        pushes = [[series([(b'__name__', b'a')], [(now - 10 + i, i)])] for i in range(5)]
        daemon = self.serve_and_push(*pushes)
        sound = self.tsdb('verify')
        self.assertEqual((sound.returncode, sound.stdout), (0, '1 series, 5 samples; 0 places damaged, 0 torn at the end of a process\n'))
        self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        segment = self.folder / 'data/wal/00000001'
        raw = bytearray(segment.read_bytes())
        raw[60] ^= 1
        segment.write_bytes(raw)
        before = self.all_files()
        hurt = self.tsdb('verify')
        self.assertEqual(hurt.returncode, 1, hurt.stdout)
        self.assertRegex(hurt.stdout, rf'(?m)^damaged {segment}: offset 32, [1-9]\d* bytes: ')
        self.assertRegex(hurt.stdout, r'(?m)^lost    4 samples ')
        self.assertRegex(hurt.stdout, r'(?m)^0 series, 0 samples; 1 places damaged, 0 torn')
        self.assertEqual(self.tsdb('stat').returncode, 1)
        self.assertEqual(self.all_files(), before)

    def test_what_cannot_be_read_ends_with_3(self):
        (self.folder / 'empty').mkdir()
        for folder in ('none', 'empty'):
            said = self.tsdb('verify', self.folder / folder)
            self.assertEqual((said.returncode, said.stdout), (3, ''))
            self.assertIn('holds no samples', said.stderr)
        for command in (['tsdb'], ['tsdb', 'dump'], ['tsdb', 'eat', '.'], ['tsdb', 'dump', '--flag', '.']):
            self.assertEqual(subprocess.run([peers.TOCSIN, *command], capture_output=True, timeout=30).returncode, 3, command)
        said = subprocess.run([peers.TOCSIN, 'tsdb', '--help'], capture_output=True, text=True, timeout=30)
        self.assertEqual(said.returncode, 0)
        self.assertIn('examples:', said.stdout)


def escape(text):
    return text.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')


if __name__ == '__main__':
    peers.main()
