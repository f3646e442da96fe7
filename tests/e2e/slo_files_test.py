"""Files of service level objectives as people check them before they hand them to a server."""
import subprocess
import unittest

import peers

SHOP = '''
version: tocsin/v1
service: shop
slos:
- {name: availability, objective: 99.9, sli: {bad: errors_total, total: requests_total}}
- {name: latency, objective: 99, sli: {latency: {histogram: seconds_bucket, under: 300ms}}}
'''


class SloFiles(peers.Case):
    def check(self, *files):
        done = subprocess.run([peers.TOCSIN, 'check', 'slo', *files], capture_output=True, text=True, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def test_sound_files_end_with_0(self):
        self.file('shop.yml', SHOP)
        self.file('web.yml', SHOP.replace('service: shop', 'service: web'))
        self.assertEqual(self.check('shop.yml', 'web.yml'), (
            0, 'Checking shop.yml\n  SUCCESS: 2 objectives found\n\nChecking web.yml\n  SUCCESS: 2 objectives found\n\n', ''))

    def test_one_mistake_ends_with_1_and_the_others_are_checked(self):
        self.file('bad.yml', SHOP.replace('under: 300ms', 'below: 300ms'))
        self.file('shop.yml', SHOP)
        status, out, errors = self.check('bad.yml', 'missing.yml', 'shop.yml')
        self.assertEqual(status, 1)
        self.assertIn('  SUCCESS: 2 objectives found', out)
        self.assertIn('bad.yml:6: field below not found in type latency, which has histogram, under, native, total\n', errors)
        self.assertIn('missing.yml: ', errors)

    def test_ids_are_unique_over_all_files(self):
        self.file('one.yml', SHOP)
        self.file('two.yml', SHOP)
        status, _, errors = self.check('one.yml', 'two.yml')
        self.assertEqual(status, 1)
        self.assertIn('two.yml:5: the objective shop-availability is there twice; the first one is at one.yml:5', errors)


if __name__ == '__main__':
    unittest.main()
