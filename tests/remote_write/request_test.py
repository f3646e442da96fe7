"""What HTTP asks of a remote-write receiver: types, encodings, bodies that are not what they say, confirmations."""
import unittest

from receiver import HOUR_MS, Receiver  # first: it knows where push is
from push import HEADERS, HEADERS_V2, Exemplar, Histogram, Series, field, literal_snappy, varint, write_v1, write_v2

PROTOBUF = 'application/x-protobuf'
V1 = f'{PROTOBUF};proto=prometheus.WriteRequest'
V2 = f'{PROTOBUF};proto=io.prometheus.write.v2.Request'
CORRUPT = b'\xff\xff\xff\xff\xff\xff'
# One field of each wire type under numbers that nobody has given out.
UNKNOWN = field(90, 0, varint(7)) + field(91, 1, bytes(8)) + field(92, 2, b'later') + field(93, 5, bytes(4))


def with_header(headers, name, value):
    """The headers with one replaced, or left out for None."""
    return {k: v for k, v in {**headers, name: value}.items() if v is not None}


class Requests(Receiver):
    def test_the_content_type_says_which_version(self):
        for kind, v2 in ((None, False), (PROTOBUF, False), (V1, False), (f'{PROTOBUF}; proto=prometheus.WriteRequest', False), (V2, True),
                         (f'{PROTOBUF}; proto=io.prometheus.write.v2.Request', True), ('Application/X-Protobuf', False)):
            with self.subTest(kind):
                labels = self.name()
                body = literal_snappy((write_v2 if v2 else write_v1)(Series(labels, [(self.now_ms, 1)])))
                answer = self.post(body, with_header(HEADERS, 'Content-Type', kind))
                self.assertEqual((answer.status, answer.text), (204, ''))
                self.assertEqual(answer.written, (1, 0, 0) if v2 else (None, None, None))
                self.assert_stored(labels, (self.now_ms, 1))

    def test_bad_content_types_are_refused_whatever_the_body(self):
        for kind in ('application/json', 'image/png', 'text/plain', 'application/x-protobuf;proto=prometheus.ReadRequest',
                     'application/x-protobuf;proto=io.prometheus.write.v3.Request', 'application/octet-stream'):
            for body in (CORRUPT, literal_snappy(write_v1(Series(self.name(), [(self.now_ms, 1)])))):
                with self.subTest(kind):
                    self.assertEqual(self.post(body, with_header(HEADERS, 'Content-Type', kind)).status, 415)

    def test_bad_content_encodings_are_refused_whatever_the_body(self):
        for headers, nothing in ((HEADERS, (None, None, None)), (HEADERS_V2, (0, 0, 0))):
            for encoding in ('gzip', 'deflate', 'zstd', 'identity', 'x-snappy-framed', 'snappy, gzip'):
                with self.subTest(encoding):
                    answer = self.post(CORRUPT, with_header(headers, 'Content-Encoding', encoding))
                    self.assertEqual((answer.status, answer.written), (415, nothing))

    def test_the_content_encoding_may_be_left_out(self):
        for encoding in (None, 'Snappy'):
            labels = self.name()
            body = literal_snappy(write_v1(Series(labels, [(self.now_ms, 1)])))
            self.assertEqual(self.post(body, with_header(HEADERS, 'Content-Encoding', encoding)).status, 204)
            self.assert_stored(labels, (self.now_ms, 1))

    def test_a_bad_type_and_a_large_body_are_refused_before_they_are_read(self):
        for headers, length, status, written in ((with_header(HEADERS, 'Content-Type', 'image/png'), 1000, 415, (None, None, None)),
                                                 (HEADERS, 5 << 20, 413, (None, None, None)), (HEADERS_V2, 5 << 20, 413, (0, 0, 0))):
            answer = self.post(None, {**headers, 'Content-Length': str(length)})
            self.assertEqual((answer.status, answer.written), (status, written), answer)

    def test_only_post_writes(self):
        for method in ('GET', 'PUT', 'DELETE', 'HEAD'):
            answer = self.post(None, {}, method=method)
            self.assertEqual((answer.status, answer.headers['Allow']), (405, 'POST, OPTIONS'), method)

    def test_corrupt_bodies_are_refused_and_store_nothing(self):
        labels = self.name()
        good = {HEADERS['Content-Type']: write_v1(Series(labels, [(self.now_ms, 1)])),
                HEADERS_V2['Content-Type']: write_v2(Series(labels, [(self.now_ms, 1)]))}
        for headers, nothing in ((HEADERS, (None, None, None)), (HEADERS_V2, (0, 0, 0))):
            raw = good[headers['Content-Type']]
            for name, body in (
                    ('empty', b''),
                    ('no snappy', CORRUPT),
                    ('snappy cut short', literal_snappy(raw)[:-1]),
                    ('a literal that is longer than what is left', b'\x05\xf0\xff\x00'),
                    ('a copy from before the beginning', b'\x05\x00a\x0d\x7f'),
                    ('a declared length that is too small', varint(len(raw) - 1) + literal_snappy(raw)[len(varint(len(raw))):]),
                    ('framed snappy', b'\xff\x06\x00\x00sNaPpY' + literal_snappy(raw)),
                    ('protobuf without snappy', raw),
                    ('protobuf cut short', literal_snappy(raw[:-1])),
                    ('field number 0', literal_snappy(raw + b'\x00\x00')),
                    ('wire type 3', literal_snappy(raw + b'\x0b')),
                    ('series that is a number', literal_snappy(raw + field(1 if headers is HEADERS else 5, 0, b'\x01'))),
                    ('an endless varint', literal_snappy(raw + b'\x98\x06' + b'\xff' * 11))):
                with self.subTest(name):
                    answer = self.post(body, headers)
                    self.assertEqual((answer.status, answer.written), (400, nothing), answer)
                    self.assert_not_stored(labels)

    def test_unknown_fields_are_skipped(self):
        labels = self.name()
        series = Series(labels, [(self.now_ms, 1)], extra=UNKNOWN)
        self.assertEqual(self.post(literal_snappy(UNKNOWN + write_v1(series) + UNKNOWN), HEADERS).status, 204)
        self.assert_stored(labels, (self.now_ms, 1))
        labels = self.name()
        series = Series(labels, [(self.now_ms, 1)], extra=UNKNOWN)
        self.assert_taken(self.post(literal_snappy(UNKNOWN + write_v2(series) + UNKNOWN), HEADERS_V2), samples=1)
        self.assert_stored(labels, (self.now_ms, 1))

    def test_the_reserved_field_of_old_drafts_is_skipped(self):
        labels = self.name()
        self.assert_taken(self.push_v2(Series(labels, [(self.now_ms, 1)], extra=field(6, 0, varint(self.now_ms - HOUR_MS)))), samples=1)
        self.assert_stored(labels, (self.now_ms, 1))

    def test_the_version_header_decides_nothing(self):
        for headers, write in ((HEADERS, write_v1), (HEADERS_V2, write_v2)):
            for version in (None, '0.1.0', '2.0.0', '9', 'x'):
                labels = self.name()
                body = literal_snappy(write(Series(labels, [(self.now_ms, 1)])))
                answer = self.post(body, with_header(headers, 'X-Prometheus-Remote-Write-Version', version))
                self.assertEqual((answer.status, answer.text), (204, ''), version)
                self.assert_stored(labels, (self.now_ms, 1))

    def test_a_request_of_nothing_is_fine(self):
        self.assertEqual(self.push_v1().status, 204)
        self.assert_taken(self.push_v2())

    def test_1_0_is_never_given_counts(self):
        full = Series(self.name(), [(self.now_ms, 1)], exemplars=[Exemplar({'trace': 'a'}, 1, self.now_ms)])
        histogram = Series(self.name(), histograms=[Histogram(self.now_ms, positive=[(0, [1])])])
        for answer, status in ((self.push_v1(full, histogram), 204), (self.push_v1(Series({'x': '1'}, [(self.now_ms, 1)])), 400)):
            self.assertEqual((answer.status, answer.written), (status, (None, None, None)))

    def test_2_0_is_given_counts_with_every_answer(self):
        body = literal_snappy(write_v2(Series(self.name(), [(self.now_ms, 1)])))
        for status, body, headers in ((204, body, HEADERS_V2), (400, CORRUPT, HEADERS_V2),
                                      (413, varint(33 << 20) + bytes(2 << 20), HEADERS_V2),
                                      (415, body, {**HEADERS_V2, 'Content-Encoding': 'gzip'})):
            answer = self.post(body, headers)
            self.assertEqual((answer.status, answer.written), (status, (int(status == 204), 0, 0)), answer)


class PartialWrites(Receiver):
    def refused(self):
        """Series that break a rule each, with the words of their reason."""
        t = self.now_ms
        return ((Series({'job': 'x'}, [(t, 1)]), 'invalid metric name or labels, got {job="x"}'),
                (Series([*self.name().items(), ('a', '1'), ('a', '2')], [(t, 1)]), 'duplicated label name, labels'),
                (Series(self.name('late'), [(t - 3 * HOUR_MS, 1)]), 'too old sample for series {__name__="late"'),
                (Series(self.name('early'), [(t + HOUR_MS, 1)]), 'out of bounds for series {__name__="early"'))

    def test_the_good_part_is_stored_and_each_bad_series_has_its_line(self):
        for push, confirmed in ((self.push_v1, (None, None, None)), (self.push_v2, (2, 0, 0))):
            first, last, bad = self.name(), self.name(), self.refused()
            answer = push(Series(first, [(self.now_ms, 1)]), *(s for s, _ in bad), Series(last, [(self.now_ms, 2)]))
            self.assertEqual((answer.status, answer.written), (400, confirmed), answer)
            lines = answer.text.splitlines()
            self.assertEqual(len(lines), len(bad) + 1, answer.text)
            for _, why in bad:
                self.assertEqual(sum(why in line for line in lines), 1, (why, answer.text))
            self.assertEqual(lines[-1], '4 samples refused')
            self.assert_stored(first, (self.now_ms, 1))
            self.assert_stored(last, (self.now_ms, 2))

    def test_the_good_samples_of_a_series_are_stored(self):
        labels = self.name()
        answer = self.push_v2(Series(labels, [(self.now_ms - 3 * HOUR_MS, 0), (self.now_ms, 1), (self.now_ms + HOUR_MS, 2)]))
        self.assert_refused(answer, 'too old sample', (1, 0, 0))
        self.assert_stored(labels, (self.now_ms, 1))

    def test_a_push_sent_again_is_taken_silently(self):
        labels = self.name()
        other = self.name()
        for _ in range(2):
            answer = self.push_v2(Series(labels, [(self.now_ms - 1000, 1), (self.now_ms, 2)]),
                                  Series(other, histograms=[Histogram(self.now_ms + i, positive=[(0, [1])]) for i in range(3)]))
            self.assert_taken(answer, samples=2, histograms=3)
        self.assert_stored(labels, (self.now_ms - 1000, 1), (self.now_ms, 2))
        self.assertEqual(len(self.stored(other)[0][2]), 3)


if __name__ == '__main__':
    unittest.main(verbosity=2)
