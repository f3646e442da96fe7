"""tocsin slo contract: what objectives promise without data, and what it says of promises that cannot be kept."""
import subprocess
import unittest

import peers

GOOD = '''
version: tocsin/v1
service: shop
owner: shop-team
runbook: https://example.com/shop
slos:
- {name: answers, objective: 99.9, sli: {bad: 'requests_total{code="500"}', total: requests_total}}
'''


class Contract(peers.Case):
    def contract(self, text, *flags):
        path = self.file('slos.yml', text)
        return subprocess.run([peers.TOCSIN, 'slo', 'contract', *flags, str(path)], capture_output=True, text=True)

    def test_who_is_told_when(self):
        told = self.contract(GOOD)
        self.assertEqual((told.returncode, told.stderr), (0, ''))
        self.assertRegex(told.stdout, r'(?m)^100% +1000x +43m12s +2m37s page_quick')
        self.assertRegex(told.stdout, r'(?m)^0.3% +3x +10d +- +1d1m45s ticket_slow')
        self.assertRegex(told.stdout, r'(?m)^0.1% +1x +30d +- +- +-$')
        self.assertNotRegex(told.stdout, r'(?m)^(error|warning|hint) \[')

    def test_a_page_that_is_too_late_fails(self):
        self.assertEqual(self.contract(GOOD, '--page-within=3m').returncode, 0)
        late = self.contract(GOOD, '--page-within=2m')
        self.assertEqual(late.returncode, 1)
        self.assertIn('error [page-within]: in a total outage the page leaves after 2m37s, not within 2m', late.stdout)

    def test_a_tier_that_cannot_fire_fails(self):
        told = self.contract(GOOD.replace('99.9', '90'))
        self.assertEqual(told.returncode, 1)
        self.assertRegex(told.stdout, r'(?m)^error \[tier-never\]')

    def test_a_short_window_of_one_scrape_is_told(self):
        told = self.contract(GOOD, '--scrape-interval=4m')
        self.assertRegex(told.stdout, r'(?m)^(error|warning) \[short-under-scrapes\]')

    def test_what_cannot_be_read_is_told_with_its_line(self):
        told = self.contract(GOOD.replace('objective: 99.9', 'objective: 101'))
        self.assertEqual(told.returncode, 1)
        self.assertRegex(told.stderr, r'slos.yml:7: ')


if __name__ == '__main__':
    unittest.main()
