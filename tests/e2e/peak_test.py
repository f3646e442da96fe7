"""peakSamples beside a real Prometheus 2.42: what a query holds at once. Left out is what 3 counts differently: aggregations and
label_replace() hold less, subqueries end where the last step does, and ranges leave out what stands at their left edge (so the time
asked for is at no edge of a subquery's steps)."""
import time
import urllib.parse

import peers
from push import HEADERS, Series, literal_snappy, write_v1

STEP_S, HOUR_S = 30, 3600
QUERIES = '''
three
three + 1
1 + three
three + three
three * on (a) group_left () three{a="1"}
three{a="1"} + on () three{a="2"} + on () three{a="3"}
three > 5
three > bool 5
three and one
three or on () one
three unless on (a) three{a="1"}
(three)
-three
-three + 1
(1) + three
1
1 + 2
time()
1 + time()
1 > bool 2
vector(1)
vector(time()) + 1
vector(scalar(one))
scalar(one)
scalar(one) + three
scalar(scalar(one) * vector(1)) * rate(three[1m])
abs(three)
clamp(three, 1, 5)
round(three, 5)
sort(three)
histogram_quantile(0.9, three)
minute()
minute(three)
absent(three)
absent(nothing)
timestamp(three)
timestamp(abs(three))
count_values("v", three)
rate(three[1m])
rate(three[5m])
irate(three[30s] offset 1m)
rate(three[1m]) + 1
2 * rate(three[1m])
rate(three[1m]) / rate(three[2m])
(rate(three[1m]) > 0) or three
quantile_over_time(0.5, three[1m])
predict_linear(three[1m], 60)
last_over_time(three[1m])
absent_over_time(three[1m])
absent_over_time(nothing[1m])
three @ AT
abs(three @ AT) + three
scalar(one @ AT) + three
rate(three[1m] @ AT)
max_over_time(three[2m:10s])
max_over_time((three @ AT)[2m:10s])
max_over_time(rate(three[1m])[2m:10s])
quantile_over_time(0.5, rate(three[1m])[2m:10s])
2 * max_over_time((1 + three)[2m:10s])
'''.split('\n')[1:-1]


class Peak(peers.Case):
    def setUp(self):
        super().setUp()
        self.file('tocsin.yml', 'storage: {retention: 1d}\n')
        self.daemon, self.peer = self.tocsin(), self.prometheus('')
        self.now_s = int(time.time()) // 60 * 60 - 7
        names = [{'__name__': 'one'}] + [{'__name__': 'three', 'a': str(i)} for i in (1, 2, 3)]
        body = literal_snappy(write_v1(*(Series(labels, self.samples(i)) for i, labels in enumerate(names))))
        for url in (self.daemon.url, self.peer.url):
            self.assertEqual(peers.post(f'{url}/api/v1/write', body, headers=HEADERS), (204, ''))

    def samples(self, k):
        """With a gap, and between the edges of windows."""
        first_ms = (self.now_s - HOUR_S) * 1000 + 137
        return [(first_ms + i * 10000, i * k % 17) for i in range(340) if not 100 < i < 130]

    def peak(self, url, endpoint, parameters):
        query = urllib.parse.urlencode({**parameters, 'stats': 'true'})
        return peers.get_json(f'{url}/api/v1/{endpoint}?{query}')['data']['stats']['samples']['peakSamples']

    def same(self, endpoint, **parameters):
        ours, theirs = (self.peak(url, endpoint, parameters) for url in (self.daemon.url, self.peer.url))
        self.assertEqual(ours, theirs, f'{endpoint} {parameters}')

    def test_the_peak_of_range_queries_was_that_of_whole_series(self):
        at = self.now_s - HOUR_S // 2
        for query in (q.replace('AT', str(at)) for q in QUERIES):
            self.same('query', query=query, time=at)
            for step in (STEP_S, 10 * STEP_S):
                self.same('query_range', query=query, start=at - 40 * STEP_S, end=at + 20 * STEP_S, step=step)


if __name__ == '__main__':
    peers.main()
