"""Series of floats: labels, values, times, metadata and exemplars, one at a time and many together."""
import unittest

from receiver import HOUR_MS, MINUTE_MS, Receiver  # first: it knows where push is
from push import (COUNTER, GAUGE, GAUGEHISTOGRAM, HISTOGRAM, INFO, STALE, STATESET, SUMMARY, Exemplar, Series, Symbols, field,
                  literal_snappy, packed, series_v2, varint, whole, HEADERS_V2)

SHAPES = (
    {'__name__': 'up'},
    {'__name__': 'http_requests_total', 'code': '200', 'handler': '/api/v1/write', 'method': 'post'},
    {'zone': 'b', 'job': 'api', '__name__': 'unsorted', 'Upper': '1', 'a': 'z'},
    {'__name__': 'http.server.duration', 'service.name': 'shop'},
    {'__name__': 'a name with spaces', 'a label': 'a value'},
    {'__name__': 'special', 'text': 'a "quoted"\nline \\ and a tab\t'},
    {'__name__': '温度', 'città': 'Zürich ☃ 🜁'},
    {'__name__': 'long', 'value': 'x' * 4096, 'n' * 256: '1'},
)
NAMELESS = ({}, {'job': 'x'}, {'__name__': ''}, {'__name__': '', 'job': 'x'})
VALUES = ((1.0, '1'), (-0.0, '-0'), (0.1, '0.1'), (1e300, '1e+300'), (float('nan'), 'NaN'), (float('inf'), '+Inf'),
          (float('-inf'), '-Inf'), (5e-324, '5e-324'))


class Floats(Receiver):
    def test_every_value_of_every_shape_of_labels_comes_back(self):
        for shape in SHAPES:
            for value, printed in VALUES:
                for push, written in ((self.push_v1, (None, None, None)), (self.push_v2, (1, 0, 0))):
                    with self.subTest(shape, value=value):
                        labels = {**shape, **self.name(shape['__name__'])}
                        answer = push(Series(labels, [(self.now_ms, value)]))
                        self.assertEqual((answer.status, answer.text, answer.written), (204, '', written))
                        self.assert_stored(labels, (self.now_ms, printed))

    def test_a_stale_marker_ends_a_series(self):
        for shape in SHAPES:
            labels = {**shape, **self.name(shape['__name__'])}
            self.assert_taken(self.push_v2(Series(labels, [(self.now_ms - 1000, 7), (self.now_ms, STALE)])), samples=2)
            self.assert_stored(labels, (self.now_ms - 1000, 7))
            self.assertEqual(self.query(f'{{case="{labels["case"]}"}}'), [])

    def test_a_series_needs_a_name(self):
        for labels in NAMELESS:
            for value, _ in (*VALUES, (STALE, None)):
                with self.subTest(labels, value=value):
                    self.assert_refused(self.push_v2(Series(labels, [(self.now_ms, value)])), 'invalid metric name or labels, got {')
                    self.assertEqual(self.push_v1(Series(labels, [(self.now_ms, value)])).status, 400)

    def test_bad_labels_are_refused(self):
        many = {f'l{i:03}': '1' for i in range(127)}
        for extra, why in ((((b'bad\xff', '1'),), 'invalid metric name or labels'), ((('bad', b'\xff'),), 'invalid metric name or labels'),
                           ((('', '1'),), 'invalid metric name or labels'),
                           ((('twice', '1'), ('twice', '1')), 'duplicated label name'), ((('case', '1'),), 'duplicated label name'),
                           ((('n' * 257, '1'),), 'label name or value too long'), ((('n', 'v' * 4097),), 'label name or value too long'),
                           (many.items(), 'too many labels')):
            for push, written in ((self.push_v1, (None, None, None)), (self.push_v2, (0, 0, 0))):
                with self.subTest(extra):
                    labels = self.name()
                    self.assert_refused(push(Series([*labels.items(), *extra], [(self.now_ms, 1)])), why, written)
                    self.assert_not_stored(labels)

    def test_a_label_with_an_empty_value_is_none(self):
        labels = self.name()
        self.assert_taken(self.push_v2(Series({'a': '', **labels, 'z': ''}, [(self.now_ms, 1)])), samples=1)
        self.assert_taken(self.push_v2(Series(labels, [(self.now_ms + 1, 2)])), samples=1)
        self.assert_stored(labels, (self.now_ms, 1), (self.now_ms + 1, 2))

    def test_references_must_be_in_pairs_and_inside_the_table(self):
        for spoil, why in ((lambda refs: refs[:-1], 'labelRefs'), (lambda refs: refs[:-1] + [99], 'outside of symbols table')):
            labels = self.name()
            symbols = Symbols()
            body = packed(1, spoil([symbols(text) for pair in labels.items() for text in pair]), varint)
            body = field(5, 2, body + field(2, 2, whole(2, self.now_ms)))
            self.assert_refused(self.post(literal_snappy(symbols.encode() + body), HEADERS_V2), why)
            self.assert_not_stored(labels)

    def test_a_series_needs_a_sample_in_2_0(self):
        for series in (Series(self.name()), Series(self.name(), metadata=(COUNTER, 'Help.', 's')),
                       Series(self.name(), exemplars=[Exemplar({'trace': 'a'}, 1, self.now_ms)])):
            self.assert_refused(self.push_v2(series), 'TimeSeries must contain at least one sample or histogram for series {__name__="case"')
        self.assertEqual(self.push_v1(Series(self.name())).status, 204)


class Times(Receiver):
    def test_only_so_far_back_and_ahead(self):
        for ahead_ms, why in ((-HOUR_MS, None), (-110 * MINUTE_MS, None), (-121 * MINUTE_MS, 'too old sample'), (9 * MINUTE_MS, None),
                              (11 * MINUTE_MS, 'out of bounds'), (-(1 << 62), 'too old sample'), ((1 << 62), 'out of bounds')):
            with self.subTest(ahead_ms):
                labels, at_ms = self.name(), self.now_ms + ahead_ms
                answer = self.push_v2(Series(labels, [(at_ms, 1)]))
                if why is None:
                    self.assert_taken(answer, samples=1)
                else:
                    self.assert_refused(answer, why)

    def test_order_within_a_series(self):
        t = self.now_ms
        for second, why in (((t + 1, 2), None), ((t, 1), None), ((t, 2), 'duplicate sample for timestamp'),
                            ((t, STALE), 'duplicate sample for timestamp'), ((t - 1, 2), 'out of order sample')):
            with self.subTest(second):
                labels = self.name()
                self.assert_taken(self.push_v2(Series(labels, [(t, 1)])), samples=1)
                answer = self.push_v2(Series(labels, [second]))
                if why is None:
                    self.assert_taken(answer, samples=1)
                    self.assert_stored(labels, *sorted({(t, 1), second}))
                else:
                    self.assert_refused(answer, why)
                    self.assert_stored(labels, (t, 1))

    def test_samples_of_a_push_may_come_in_any_order(self):
        labels = self.name()
        self.assert_taken(self.push_v2(Series(labels, [(self.now_ms, 3), (self.now_ms - 2, 1), (self.now_ms - 1, 2)])), samples=3)
        self.assert_stored(labels, (self.now_ms - 2, 1), (self.now_ms - 1, 2), (self.now_ms, 3))

    def test_a_start_timestamp_never_fails_a_sample(self):
        t = self.now_ms
        for starts in ((0, 0), (t - HOUR_MS, t - HOUR_MS), (t - 1, t), (t, t + 1), (t + HOUR_MS, t + HOUR_MS), (t - 1, t - HOUR_MS),
                       (-HOUR_MS, -HOUR_MS)):
            with self.subTest(starts):
                labels = self.name()
                samples = [(t + i, i + 1, start) for i, start in enumerate(starts)]
                self.assert_taken(self.push_v2(Series(labels, samples, metadata=(COUNTER, 'Help.', ''))), samples=2)
                self.assert_stored(labels, (t, 1), (t + 1, 2))


class LateSamples(Receiver):
    STORAGE = '{retention: 2h, out_of_order_time_window: 10m}'

    def test_late_samples_are_taken_inside_the_window(self):
        t = self.now_ms
        for late, why in (((t - 9 * MINUTE_MS, 2), None), ((t - 11 * MINUTE_MS, 2), 'too old sample'), ((t, 2), 'duplicate sample for timestamp'),
                          ((t, 1), None)):
            with self.subTest(late):
                labels = self.name()
                self.assert_taken(self.push_v2(Series(labels, [(t, 1)])), samples=1)
                answer = self.push_v2(Series(labels, [late]))
                if why is None:
                    self.assert_taken(answer, samples=1)
                    self.assert_stored(labels, *sorted({late, (t, 1)}))
                else:
                    self.assert_refused(answer, why)


class DefaultRetention(Receiver):
    STORAGE = '{}'

    def test_what_no_rule_asks_for_is_taken_up_to_a_quarter_of_an_hour_late(self):
        labels = self.name()
        self.assert_taken(self.push_v2(Series(labels, [(self.now_ms - 14 * MINUTE_MS, 1)])), samples=1)
        self.assert_refused(self.push_v2(Series(self.name(), [(self.now_ms - 16 * MINUTE_MS, 1)])), 'too old sample')


class Metadata(Receiver):
    def test_every_metadata_is_taken_with_its_samples(self):
        kinds = (0, COUNTER, GAUGE, HISTOGRAM, GAUGEHISTOGRAM, SUMMARY, INFO, STATESET, 99)
        for kind in kinds:
            for text, unit in (('Requests served.', 'seconds'), ('', ''), ('a "quoted"\nline \\ ☃', 'm²'), ('x' * 100000, '')):
                with self.subTest(kind, text=text[:20]):
                    labels = self.name()
                    self.assert_taken(self.push_v2(Series(labels, [(self.now_ms, 1)], metadata=(kind, text, unit))), samples=1)
                    self.assert_stored(labels, (self.now_ms, 1))
                    self.assertEqual(self.push_v1(Series(self.name(), [(self.now_ms, 1)], metadata=(kind, text, unit))).status, 204)

    def test_metadata_may_change_and_differ_within_a_family(self):
        first, second = self.name(), self.name()
        self.assert_taken(self.push_v2(Series(first, [(self.now_ms, 1)], metadata=(COUNTER, 'One.', '')),
                                       Series(second, [(self.now_ms, 1)], metadata=(GAUGE, 'Another.', 's'))), samples=2)
        self.assert_taken(self.push_v2(Series(first, [(self.now_ms + 1, 2)], metadata=(GAUGE, 'Other.', 'm'))), samples=1)
        self.assert_stored(first, (self.now_ms, 1), (self.now_ms + 1, 2))

    def test_metadata_does_not_stand_in_for_a_name(self):
        for labels in NAMELESS:
            self.assert_refused(self.push_v2(Series(labels, [(self.now_ms, 1)], metadata=(COUNTER, 'Help.', ''))), 'invalid metric name')

    def test_metadata_outside_of_the_table_is_refused(self):
        for n in (3, 4):
            labels = self.name()
            series = Series(labels, [(self.now_ms, 1)], extra=field(5, 2, whole(n, 99)))
            self.assert_refused(self.push_v2(series), 'symbols table')
            self.assert_not_stored(labels)

    def test_metadata_alone_is_fine_in_1_0(self):
        body = field(3, 2, whole(1, COUNTER) + field(2, 2, b'a') + field(4, 2, b'Help.') + field(5, 2, b's'))
        self.assertEqual(self.post(literal_snappy(body), {'Content-Type': 'application/x-protobuf'}).status, 204)


class Exemplars(Receiver):
    def assert_confirmed(self, exemplars, count=None):
        labels = self.name('requests_total')
        series = Series(labels, [(self.now_ms, 1)], exemplars=exemplars)
        self.assert_taken(self.push_v2(series), samples=1, exemplars=len(exemplars) if count is None else count)
        self.assert_stored(labels, (self.now_ms, 1))
        self.assertEqual(self.push_v1(Series(self.name(), [(self.now_ms, 1)], exemplars=exemplars)).status, 204)

    def test_exemplars_of_every_shape_are_confirmed(self):
        for labels in ({'trace_id': 'abc'}, {'trace_id': 'abc', 'span_id': 'def'}, {}, {'a': ''}, {'span': '☃ "x"\n'}, {'a b': 'c', 'd.e': 'f'}):
            with self.subTest(labels):
                self.assert_confirmed([Exemplar(labels, 0.5, self.now_ms)])

    def test_exemplars_of_every_value_are_confirmed(self):
        for value in (0, -5.5, 1e10, 1e-10, float('nan'), float('inf'), float('-inf')):
            with self.subTest(value):
                self.assert_confirmed([Exemplar({'trace_id': 'abc'}, value, self.now_ms)])

    def test_exemplars_may_be_older_than_their_sample(self):
        for age_ms in (HOUR_MS, MINUTE_MS, 0):
            with self.subTest(age_ms):
                self.assert_confirmed([Exemplar({'trace_id': 'abc'}, 1, self.now_ms - age_ms)])

    def test_several_exemplars_of_a_series_are_confirmed(self):
        self.assert_confirmed([Exemplar({'trace_id': str(i)}, i, self.now_ms - 10 + i) for i in range(10)])

    def test_exemplars_come_with_start_timestamps(self):
        labels = self.name()
        series = Series(labels, [(self.now_ms, 1, self.now_ms - HOUR_MS)], exemplars=[Exemplar({'trace_id': 'a'}, 1, self.now_ms)])
        self.assert_taken(self.push_v2(series), samples=1, exemplars=1)
        self.assert_stored(labels, (self.now_ms, 1))

    def test_exemplars_do_not_stand_in_for_a_name(self):
        for labels in NAMELESS:
            series = Series(labels, [(self.now_ms, 1)], exemplars=[Exemplar({'trace_id': 'a'}, 1, self.now_ms)])
            self.assert_refused(self.push_v2(series), 'invalid metric name')

    def test_an_exemplar_outside_of_the_table_is_refused_and_its_sample_kept(self):
        labels = self.name()
        series = Series(labels, [(self.now_ms, 1)], extra=field(4, 2, packed(1, [1, 99], varint) + whole(3, self.now_ms)))
        self.assert_refused(self.push_v2(series), 'exemplar', (1, 0, 0))
        self.assert_stored(labels, (self.now_ms, 1))


class Together(Receiver):
    def test_samples_with_metadata_and_exemplars(self):
        families = [Series(self.name(f'family_{i}', kind=str(i % 3)), [(self.now_ms - 1000, i), (self.now_ms, i + 1)],
                           exemplars=[Exemplar({'trace_id': str(i)}, i, self.now_ms)] * (i % 2), metadata=(COUNTER, f'Family {i}.', 's'))
                    for i in range(6)]
        self.assert_taken(self.push_v2(*families), samples=12, exemplars=3)
        for i, family in enumerate(families):
            self.assert_stored(family.labels, (self.now_ms - 1000, i), (self.now_ms, i + 1))

    def test_the_series_of_a_family_are_kept_apart(self):
        family = [Series(self.name('http_requests_total', code=str(code)), [(self.now_ms, code)]) for code in (200, 404, 500)]
        self.assert_taken(self.push_v2(*family), samples=3)
        for series in family:
            self.assert_stored(series.labels, (self.now_ms, int(series.labels['code'])))

    def test_the_same_series_twice_in_a_push(self):
        labels = self.name()
        self.assert_taken(self.push_v2(Series(labels, [(self.now_ms, 1)]), Series(dict(reversed(labels.items())), [(self.now_ms + 1, 2)])), samples=2)
        self.assert_stored(labels, (self.now_ms, 1), (self.now_ms + 1, 2))

    def test_old_and_new_samples_in_different_series(self):
        old, new = self.name(), self.name()
        self.assert_taken(self.push_v2(Series(old, [(self.now_ms - HOUR_MS, 1)]), Series(new, [(self.now_ms, 2)])), samples=2)
        self.assert_stored(old, (self.now_ms - HOUR_MS, 1))
        self.assert_stored(new, (self.now_ms, 2))

    def test_many_samples_of_one_series_and_many_series(self):
        labels = self.name()
        samples = [(self.now_ms - 50 + i, i) for i in range(50)]
        many = [Series(self.name('many'), [(self.now_ms, i)]) for i in range(1000)]
        self.assert_taken(self.push_v2(Series(labels, samples), *many), samples=1050)
        self.assert_stored(labels, *samples)
        self.assertEqual([r['value'][1] for r in self.query(f'count({{__name__="many"}}) - 1 == max({{__name__="many"}})')], ['999'])


if __name__ == '__main__':
    unittest.main(verbosity=2)
