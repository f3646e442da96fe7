"""Native histograms: every shape comes back through the query API, every broken one is refused with its reason."""
import unittest

from receiver import HOUR_MS, MINUTE_MS, Receiver  # first: it knows where push is
from push import COUNTER, GAUGE, HISTOGRAM, STALE, Exemplar, Histogram, Series

CUSTOM = -53


def shapes(t_ms):
    """What is pushed, and what the API says of it: count, sum, buckets."""
    return {
        'basic': (Histogram(t_ms, 0, 18.5, 2, positive=[(0, [1, 2]), (1, [3])], negative=[(0, [4])]), '12', '18.5',
                  [[1, '-1', '-0.5', '4'], [3, '-0.001', '0.001', '2'], [0, '0.5', '1', '1'], [0, '1', '2', '2'], [0, '4', '8', '3']]),
        'positive only': (Histogram(t_ms, 1, 6, positive=[(1, [2, 1])]), '3', '6',
                          [[0, '1', '1.414213562373095', '2'], [0, '1.414213562373095', '2', '1']]),
        'negative only': (Histogram(t_ms, 0, -6, negative=[(1, [2, 1])]), '3', '-6', [[1, '-4', '-2', '1'], [1, '-2', '-1', '2']]),
        'zero only': (Histogram(t_ms, 0, 0, 5), '5', '0', [[3, '-0.001', '0.001', '5']]),
        'empty': (Histogram(t_ms), '0', '0', None),
        'floats': (Histogram(t_ms, 0, 1.25, 0.5, positive=[(0, [1.5, 0.25])], floats=True), '2.25', '1.25',
                   [[3, '-0.001', '0.001', '0.5'], [0, '0.5', '1', '1.5'], [0, '1', '2', '0.25']]),
        'floats that do not add up': (Histogram(t_ms, 0, 1, positive=[(0, [1.5])], floats=True, count=7), '7', '1', [[0, '0.5', '1', '1.5']]),
        'custom buckets': (Histogram(t_ms, CUSTOM, 9, zero_threshold=0, positive=[(0, [1, 2, 3])], bounds=[0.5, 2.5]), '6', '9',
                           [[3, '-Inf', '0.5', '1'], [0, '0.5', '2.5', '2'], [0, '2.5', '+Inf', '3']]),
        'a sum of NaN, and observations outside of the buckets': (Histogram(t_ms, 0, float('nan'), positive=[(0, [1])], count=3), '3', 'NaN', [[0, '0.5', '1', '1']]),
        'finer than can be kept': (Histogram(t_ms, 9, 3, positive=[(1, [1, 2])]), '3', '3', [[0, '1', '1.0027112750502025', '3']]),
        'gauge': (Histogram(t_ms, 0, 2, positive=[(0, [2])], hint=3), '2', '2', [[0, '0.5', '1', '2']]),
    }


class Shapes(Receiver):
    def assert_held(self, labels, *points):
        """One series of exactly these labels and histograms."""
        ((found, floats, histograms),) = self.stored(labels)
        self.assertEqual((found, floats), (labels, []))
        self.assertEqual([(t_ms, h['count'], h['sum'], h.get('buckets')) for t_ms, h in histograms], list(points))

    def test_every_shape_comes_back(self):
        for push, written in ((self.push_v1, (None, None, None)), (self.push_v2, (0, 1, 0))):
            for name, (histogram, count, total, buckets) in shapes(self.now_ms).items():
                with self.subTest(name):
                    labels = self.name('latency_seconds')
                    answer = push(Series(labels, histograms=[histogram]))
                    self.assertEqual((answer.status, answer.text, answer.written), (204, '', written))
                    self.assert_held(labels, (self.now_ms, count, total, buckets))

    def test_metadata_and_exemplars_come_along(self):
        exemplars = [Exemplar({'trace_id': 'abc'}, 0.7, self.now_ms)]
        for metadata, exemplars in (((HISTOGRAM, 'Latency.', 's'), ()), (None, exemplars), ((HISTOGRAM, '', ''), exemplars),
                                    ((COUNTER, 'Wrong.', ''), exemplars * 3)):
            for name, (histogram, count, total, buckets) in shapes(self.now_ms).items():
                with self.subTest(name, metadata=metadata):
                    labels = self.name('latency_seconds')
                    answer = self.push_v2(Series(labels, histograms=[histogram], exemplars=exemplars, metadata=metadata))
                    self.assert_taken(answer, histograms=1, exemplars=len(exemplars))
                    self.assert_held(labels, (self.now_ms, count, total, buckets))

    def test_a_start_timestamp_never_fails_a_histogram(self):
        for start_ms in (self.now_ms - HOUR_MS, self.now_ms - 1, self.now_ms, self.now_ms + HOUR_MS, -HOUR_MS):
            with self.subTest(start_ms):
                labels = self.name()
                histogram = Histogram(self.now_ms, 0, 1, positive=[(0, [1])], start_ms=start_ms)
                self.assert_taken(self.push_v2(Series(labels, histograms=[histogram], metadata=(HISTOGRAM, '', ''))), histograms=1)
                self.assert_held(labels, (self.now_ms, '1', '1', [[0, '0.5', '1', '1']]))

    def test_several_histograms_of_several_families(self):
        families = [Series(self.name(f'family_{i}'), metadata=(HISTOGRAM, f'Family {i}.', 's'),
                           histograms=[Histogram(self.now_ms - 100 + k, 0, k, positive=[(0, [k + 1])]) for k in range(50)])
                    for i in range(4)]
        self.assert_taken(self.push_v2(*families), histograms=200)
        for family in families:
            self.assert_held(family.labels, *((self.now_ms - 100 + k, str(k + 1), str(k), [[0, '0.5', '1', str(k + 1)]]) for k in range(50)))

    def test_floats_and_histograms_in_one_push(self):
        plain, histogram = self.name('requests'), self.name('latency')
        exemplars = [Exemplar({'trace_id': 'abc'}, 0.7, self.now_ms)]
        answer = self.push_v2(Series(plain, [(self.now_ms, 1), (self.now_ms + 1, 2)], metadata=(GAUGE, '', ''), exemplars=exemplars),
                              Series(histogram, histograms=[Histogram(self.now_ms, 0, 1, positive=[(0, [1])])], exemplars=exemplars))
        self.assert_taken(answer, samples=2, histograms=1, exemplars=2)
        self.assert_stored(plain, (self.now_ms, 1), (self.now_ms + 1, 2))
        self.assert_held(histogram, (self.now_ms, '1', '1', [[0, '0.5', '1', '1']]))

    def test_floats_and_histograms_in_one_series(self):
        labels = self.name()
        histogram = Histogram(self.now_ms + 1, 0, 1, positive=[(0, [1])])
        self.assert_taken(self.push_v2(Series(labels, [(self.now_ms, 5)], [histogram])), samples=1, histograms=1)
        ((_, floats, histograms),) = self.stored(labels)
        self.assertEqual((floats, len(histograms)), ([(self.now_ms, '5')], 1))

    def test_order_within_a_series(self):
        t = self.now_ms
        for second, why in ((Histogram(t + 1, 0, 1, positive=[(0, [1])]), None), (Histogram(t, 0, 1, positive=[(0, [1])]), None),
                            (Histogram(t, 0, 1, positive=[(0, [2])]), 'duplicate sample for timestamp'),
                            (Histogram(t - 1, 0, 1, positive=[(0, [1])]), 'out of order sample'),
                            (Histogram(t + HOUR_MS, 0, 1, positive=[(0, [1])]), 'out of bounds'),
                            (Histogram(t - 3 * HOUR_MS, 0, 1, positive=[(0, [1])]), 'too old sample')):
            with self.subTest(second):
                labels = self.name()
                self.assert_taken(self.push_v2(Series(labels, histograms=[Histogram(t, 0, 1, positive=[(0, [1])])])), histograms=1)
                answer = self.push_v2(Series(labels, histograms=[second]))
                if why is None:
                    self.assert_taken(answer, histograms=1)
                else:
                    self.assert_refused(answer, why)

    def test_a_stale_marker_ends_a_series(self):
        labels = self.name()
        histogram = Histogram(self.now_ms - 1000, 0, 1, positive=[(0, [1])])
        self.assert_taken(self.push_v2(Series(labels, histograms=[histogram, Histogram(self.now_ms, 0, STALE)])), histograms=2)
        self.assert_held(labels, (self.now_ms - 1000, '1', '1', [[0, '0.5', '1', '1']]))
        self.assertEqual(self.query(f'{{case="{labels["case"]}"}}'), [])

    def test_a_refused_stale_marker_is_no_sample(self):
        labels, plain = self.name(), self.name()
        answer = self.push_v2(Series(plain, [(self.now_ms, 1)]), Series(labels, histograms=[Histogram(self.now_ms + HOUR_MS, 0, STALE)]))
        self.assert_refused(answer, 'out of bounds', (1, 0, 0))

    def test_the_query_language_sees_them(self):
        labels = self.name('latency_seconds')
        points = [Histogram(self.now_ms - 4 * MINUTE_MS + i * MINUTE_MS, 0, 10 * i, positive=[(0, [10 * i, 10 * i])]) for i in range(4)]
        self.assert_taken(self.push_v2(Series(labels, histograms=points)), histograms=4)
        selector = f'{{case="{labels["case"]}"}}'
        for query, value in ((f'histogram_count({selector})', '60'), (f'histogram_quantile(1, {selector})', '2'),
                             (f'histogram_avg({selector})', '0.5'), (f'histogram_count(increase({selector}[10m])) >= bool 60', '1')):
            self.assertEqual([r['value'][1] for r in self.query(query)], [value], query)


class Broken(Receiver):
    def broken(self):
        t = self.now_ms
        return {
            'bad count': (Histogram(t, positive=[(0, [1, 2])], count=4), 'should equal the number of observations found in the buckets'),
            'bad count beside a sum of NaN': (Histogram(t, 0, float('nan'), positive=[(0, [5])], count=4), 'should be at least'),
            'a count below zero': (Histogram(t, positive=[(0, [1, -2])], count=1), 'observation count is negative'),
            'a float count below zero': (Histogram(t, positive=[(0, [-2])], floats=True, count=1), 'observation count is negative'),
            'a zero bucket below zero': (Histogram(t, zero=-1, floats=True, count=1), 'observation count is negative'),
            'a whole below zero': (Histogram(t, floats=True, count=-1), 'observation count is negative'),
            'a span that runs back': (Histogram(t, positive=[(0, [1]), (-1, [1])]), 'span whose offset is negative'),
            'bounds that do not rise': (Histogram(t, CUSTOM, zero_threshold=0, positive=[(0, [1])], bounds=[2, 1]), 'strictly increasing'),
            'bounds that are equal': (Histogram(t, CUSTOM, zero_threshold=0, positive=[(0, [1])], bounds=[1, 1]), 'strictly increasing'),
            'a bound without end': (Histogram(t, CUSTOM, zero_threshold=0, positive=[(0, [1])], bounds=[1, float('inf')]), 'must be finite'),
            'too few bounds': (Histogram(t, CUSTOM, zero_threshold=0, positive=[(0, [1, 1, 1])], bounds=[1]), 'insufficient'),
            'custom buckets with a zero bucket': (Histogram(t, CUSTOM, zero=1, zero_threshold=0, bounds=[1]), 'zero count of 0'),
            'custom buckets with a threshold': (Histogram(t, CUSTOM, positive=[(0, [1])], bounds=[1]), 'zero threshold of 0'),
            'custom buckets below zero': (Histogram(t, CUSTOM, zero_threshold=0, negative=[(0, [1])], bounds=[1]), 'must not have negative'),
            'custom bounds without custom buckets': (Histogram(t, positive=[(0, [1])], bounds=[1]), 'must not have custom bounds'),
            'an unknown schema': (Histogram(t, -9, positive=[(0, [1])]), 'invalid schema, got -9'),
        }

    def test_broken_histograms_are_refused_with_the_reason(self):
        for push, written in ((self.push_v1, (None, None, None)), (self.push_v2, (0, 0, 0))):
            for name, (histogram, why) in self.broken().items():
                with self.subTest(name):
                    labels = self.name()
                    self.assert_refused(push(Series(labels, histograms=[histogram])), why, written)
                    self.assert_not_stored(labels)

    def test_a_broken_one_does_not_cost_the_others(self):
        bad = self.broken()['bad count'][0]
        good, other = self.name(), self.name()
        answer = self.push_v2(Series(good, histograms=[Histogram(self.now_ms, positive=[(0, [1])])]), Series(self.name(), histograms=[bad]),
                              Series(other, [(self.now_ms, 1)]))
        self.assert_refused(answer, 'number of observations', (1, 1, 0))
        self.assertEqual(len(self.stored(good)[0][2]), 1)
        self.assert_stored(other, (self.now_ms, 1))

    def test_a_histogram_needs_a_name(self):
        for labels in ({}, {'job': 'x'}, {'__name__': ''}):
            histogram = Histogram(self.now_ms, positive=[(0, [1])])
            self.assert_refused(self.push_v2(Series(labels, histograms=[histogram])), 'invalid metric name')


if __name__ == '__main__':
    unittest.main(verbosity=2)
