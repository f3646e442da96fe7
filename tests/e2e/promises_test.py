"""What Tocsin promises about hostile bytes (D1 to D5) and about what it may use (E1 to E7), each held to by a test of its name.

D1  a body has a largest size, judged on the header       E1  a slow client is ended by an absolute deadline
D2  a declared length is not believed                     E2  connections are bounded, descriptors are left for the rest
D3  a push has a largest amount of memory                 E3  the limit of series costs no series that is there
D4  a push has a largest number of everything             E4  churn gives its memory back (tests/unit/store_test.c)
D5  the work of a push is counted                         E5  queues are bounded, their depth and losses are told
                                                          E6  log lines that input causes are bounded
                                                          E7  all bodies together have a largest amount of memory
What a promise costs in time and memory is printed; what it says is asserted.
"""
import contextlib
import http.client
import json
import os
import pathlib
import select
import socket
import time

import peers
from push import HEADERS, HEADERS_V2, Series, Snappy, field, literal_snappy, packed, series, varint, whole, write_v1, write_v2

SANITIZED = 'asan' in peers.TOCSIN or 'tsan' in peers.TOCSIN
MIB = 1 << 20
PUSH_MIB = 4 + 32 + 64  # the largest body, what it decompresses to, what decoding may take
SLACK_MIB = 28 + (700 if SANITIZED else 0)


class Promise(peers.Case):
    def start(self, limits=None, rules='', under=(), config=''):
        """A daemon with these limits."""
        self.file('rules.yml', f'groups: [{{name: g, interval: 1s, rules: [{rules}]}}]')
        self.file('tocsin.yml', f'rule_files: [rules.yml]\nlimits: {json.dumps(limits or {})}\n{config}')
        self.daemon = self.tocsin(under=under)
        self.now_ms = int(time.time() * 1000)

    def ask(self, method, path, body=None, headers=None, source='127.0.0.1', timeout=60):
        """Status, headers, text of one request on a connection of its own."""
        connection = http.client.HTTPConnection('127.0.0.1', self.daemon.port, timeout=timeout, source_address=(source, 0))
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode(errors='replace')

    def push(self, body, headers=HEADERS):
        status, self.headers, self.text = self.ask('POST', '/api/v1/write', body, headers)
        return status

    def push_series(self, *items):
        return self.push(literal_snappy(write_v1(*items)))

    def dial(self, source='127.0.0.1'):
        s = socket.create_connection(('127.0.0.1', self.daemon.port), timeout=30, source_address=(source, 0))
        self.stack.callback(s.close)
        return s

    def metric(self, name):
        """One number of /metrics, by its name with its labels."""
        lines = peers.get(f'{self.daemon.url}/metrics').splitlines()
        return next(float(line.rsplit(' ', 1)[1]) for line in lines if line.rsplit(' ', 1)[0] == name)

    def hits(self, limit):
        return self.metric(f'tocsin_limit_hits_total{{limit="{limit}"}}')

    def value(self, query):
        found = peers.get_json(f'{self.daemon.url}/api/v1/query?query={query}')['data']['result']
        return float(found[0]['value'][1]) if found else None

    def memory_mib(self, what='VmRSS'):
        text = pathlib.Path(f'/proc/{self.daemon.process.pid}/status').read_text()
        return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(what))

    def forget_peak(self):
        pathlib.Path(f'/proc/{self.daemon.process.pid}/clear_refs').write_text('5')

    def cpu_ms(self):
        fields = pathlib.Path(f'/proc/{self.daemon.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf('SC_CLK_TCK')

    def finish(self):
        code = self.daemon.stop()
        self.assertEqual(code, 0, self.daemon.text())  # under a sanitizer: nothing to report


def read_answer(s):
    """All that the other side says until it closes."""
    heard = b''
    with contextlib.suppress(ConnectionError):
        while piece := s.recv(65536):
            heard += piece
    return heard


def answered(sockets):
    return select.select(sockets, [], [], 0)[0]


# ---- hostile bytes ----

def request_head(length):
    return f'POST /api/v1/write HTTP/1.1\r\nHost: h\r\n{length}\r\n\r\n'.encode()


class HostileBytes(Promise):
    def test_D1_a_body_has_a_largest_size_judged_on_the_header(self):
        self.start()
        self.assertEqual(self.metric('tocsin_limit{limit="push_body_bytes",unit="bytes"}'), 4 * MIB)
        for length, status in (('Content-Length: 4194305', b'413'), ('Content-Length: 9223372036854775807', b'413'),
                               ('Content-Length: 4194305\r\nExpect: 100-continue', b'413')):
            s = self.dial()
            s.sendall(request_head(length))  # and no byte of the body
            answer = read_answer(s)
            self.assertTrue(answer.startswith(b'HTTP/1.1 ' + status), answer)
            self.assertIn(b'\r\nConnection: close\r\n', answer)
        self.assertEqual(self.hits('push_body_bytes'), 3)

    def test_D1_a_body_without_a_length_is_refused_as_it_grows(self):
        self.start()
        before = self.memory_mib()
        for pieces, answered in ((5, True), (64, False)):
            s = self.dial()
            s.sendall(request_head('Transfer-Encoding: chunked'))
            with contextlib.suppress(ConnectionError):
                for _ in range(pieces):
                    s.sendall(b'100000\r\n' + bytes(MIB) + b'\r\n')
                s.sendall(b'0\r\n\r\n')
            answer = read_answer(s)
            self.assertEqual(answer.startswith(b'HTTP/1.1 413'), answered, answer)
            self.assertEqual(answer != b'', answered)  # one that never ends is cut off
        self.assertEqual(self.hits('push_body_bytes'), 2)
        self.assertLess(self.memory_mib('VmHWM') - before, 16 + SLACK_MIB)
        self.finish()

    def test_D2_a_declared_length_is_not_believed(self):
        self.start()
        before = self.memory_mib()
        for name, body, status, limit in (
                ('4 GiB in seven bytes', bytes.fromhex('ffffffff0f0000'), 400, 'push_ratio'),
                ('more than the format can hold', varint(23 * 1000 + 23) + bytes(997), 400, 'push_ratio'),
                ('as much as it can hold, and does not', varint(21 * 1000) + bytes(997), 400, None),
                ('more than is taken', varint(32 * MIB + 1) + bytes(2 * MIB), 413, 'push_decoded_bytes'),
                ('32 MiB of zeros', Snappy().repeat(b'\0', 32 * MIB).block(), 400, None)):
            hits = self.hits(limit) if limit else 0
            self.assertEqual(self.push(body), status, (name, self.text))
            if limit:
                self.assertEqual(self.hits(limit), hits + 1, name)
        self.assertLess(self.memory_mib('VmHWM') - before, PUSH_MIB + SLACK_MIB)
        self.finish()

    def test_D3_a_push_has_a_largest_amount_of_memory(self):
        """Each body asks for as much as some part of decoding could be talked into."""
        self.start()
        start, n = self.memory_mib(), 30 * MIB
        name = field(1, 2, field(1, 2, b'__name__') + field(2, 2, b'm'))
        deltas = field(1, 0, b'\x01') + varint(12 << 3 | 2) + varint(n)
        histogram = varint(4 << 3 | 2) + varint(len(deltas) + n)
        whole_series = varint(1 << 3 | 2) + varint(len(name) + len(histogram) + len(deltas) + n)
        refs = varint(1 << 3 | 2) + varint(n)
        refs_series = varint(5 << 3 | 2) + varint(len(refs) + n)
        exemplar = varint(4 << 3 | 2) + varint(len(refs) + n)
        sample, millions = field(2, 2, whole(2, self.now_ms)), 4 * MIB - 9
        for what, headers, snappy, status in (
                ('16 million empty series', HEADERS, Snappy().repeat(b'\x0a\x00', 16 * MIB), 413),
                ('4 million empty series', HEADERS, Snappy().repeat(b'\x0a\x00', 4 * MIB), 413),
                ('16 million symbols', HEADERS_V2, Snappy().repeat(b'\x22\x00', 16 * MIB), 413),
                ('4 million symbols', HEADERS_V2, Snappy().repeat(b'\x22\x00', 4 * MIB - 1), 413),
                ('a series of 15 million samples', HEADERS, Snappy().literal(varint(1 << 3 | 2) + varint(n)).repeat(b'\x12\x00', n // 2), 413),
                ('a series of 4 million labels', HEADERS,
                 Snappy().literal(varint(1 << 3 | 2) + varint(len(sample) + 2 * millions) + sample).repeat(b'\x0a\x00', millions), 413),
                ('a series of 1.9 million labels', HEADERS,
                 Snappy().literal(varint(1 << 3 | 2) + varint(len(sample) + 2 * 1900000) + sample).repeat(b'\x0a\x00', 1900000), 400),
                ('a histogram of 30 million buckets', HEADERS,
                 Snappy().literal(whole_series + name + histogram + deltas).repeat(b'\x00', n), 413),
                ('a series of 30 million references', HEADERS_V2, Snappy().literal(refs_series + refs).repeat(b'\x00', n), 413),
                ('an exemplar of 30 million references', HEADERS_V2,
                 Snappy().literal(varint(5 << 3 | 2) + varint(len(exemplar) + len(refs) + n) + exemplar + refs).repeat(b'\x00', n), 400)):
            with self.subTest(what):
                self.forget_peak()
                cpu_ms, body = self.cpu_ms(), snappy.block()
                got = self.push(body, headers)
                grown = self.memory_mib('VmHWM') - start
                print(f'\n{what}: {got} {self.text.splitlines()[-1]!r}, {len(body) >> 10} KiB, +{grown:.0f} MiB, '
                      f'{self.cpu_ms() - cpu_ms} ms of CPU', flush=True)
                self.assertEqual(got, status, self.text)
                self.assertLess(grown, PUSH_MIB + SLACK_MIB)
        self.finish()

    def test_D3_the_largest_push_that_the_other_limits_allow_fits(self):
        self.start()
        samples = b''.join(field(2, 2, b'\x09' + bytes(7) + b'\x3f' + b'\x10' + varint(self.now_ms + i)) for i in range(10))
        request = Snappy()
        for i in range(50000):
            labels = b''.join(field(1, 2, field(1, 2, n) + field(2, 2, v)) for n, v in ((b'__name__', b'large'), (b'i', b'%05d' % i)))
            head = varint(1 << 3 | 2) + varint(len(labels) + len(samples)) + labels
            request.literal(head)
            if i:
                request.copy(len(head) + len(samples), len(samples))
            else:
                request.literal(samples)
        cpu_ms, body = self.cpu_ms(), request.block()
        self.assertEqual(self.push(body), 204, self.text)
        print(f'\n50,000 new series of 10 samples in {len(body) >> 10} KiB: {self.cpu_ms() - cpu_ms} ms of CPU', flush=True)
        self.assertEqual(self.metric('tocsin_store_samples'), 500000)
        cpu_ms = self.cpu_ms()
        self.assertIn(self.push(body), (204, 400))
        print(f'the same again: {self.cpu_ms() - cpu_ms} ms of CPU', flush=True)
        self.finish()

    def test_D4_a_push_has_a_largest_number_of_everything(self):
        self.start({'push_series': 20, 'push_samples': 100})
        defaults = {'labels_per_series': 128, 'label_name_bytes': 256, 'label_value_bytes': 4096}
        for limit, unit in (('labels_per_series', 'labels'), ('label_name_bytes', 'bytes'), ('label_value_bytes', 'bytes')):
            self.assertEqual(self.metric(f'tocsin_limit{{limit="{limit}",unit="{unit}"}}'), defaults[limit])

        def one(labels, count=1):
            return Series({'__name__': 'm', **labels}, [(self.now_ms + i, 1) for i in range(count)])
        for limit, at, above, status in (
                ('push_series', lambda: [one({'i': str(i)}) for i in range(20)], lambda: [one({'i': str(i)}) for i in range(21)], 413),
                ('push_samples', lambda: [one({'a': 'b'}, 100)], lambda: [one({'a': 'b'}, 100), one({'a': 'c'})], 413),
                ('labels_per_series', lambda: [one({f'l{i}': '1' for i in range(127)})], lambda: [one({f'l{i}': '1' for i in range(128)})], 400),
                ('label_name_bytes', lambda: [one({'n' * 256: '1'})], lambda: [one({'n' * 257: '1'})], 400),
                ('label_value_bytes', lambda: [one({'v': 'v' * 4096})], lambda: [one({'v': 'v' * 4097})], 400)):
            for write, headers in ((write_v1, HEADERS), (write_v2, HEADERS_V2)):
                with self.subTest(limit):
                    hits = self.hits(limit)
                    self.now_ms += 1000
                    self.assertEqual(self.push(literal_snappy(write(*at())), headers), 204, self.text)
                    self.assertEqual(self.hits(limit), hits)
                    self.assertEqual(self.push(literal_snappy(write(*above())), headers), status, self.text)
                    self.assertEqual(self.hits(limit), hits + 1)

    def test_D5_the_work_of_a_push_is_counted(self):
        """Whatever the bytes: a push has a largest number of fields, and nothing costs more than its fields and its bytes."""
        self.start({'push_fields': 1000})
        kinds = ((HEADERS, 'unknown fields', lambda n: field(90, 0, b'\x01') * n),
                 (HEADERS, 'series', lambda n: b'\x0a\x00' * n),
                 (HEADERS_V2, 'symbols', lambda n: b'\x22\x00' * n),
                 (HEADERS, 'unknown fields of a series', lambda n: field(1, 2, field(90, 0, b'\x01') * (n - 1))),
                 (HEADERS_V2, 'references one by one', lambda n: field(4, 2, b'') + field(5, 2, field(1, 0, b'\x00') * (n - 2))),
                 (HEADERS_V2, 'exemplars', lambda n: field(5, 2, field(4, 2, b'') * (n - 1))),
                 (HEADERS, 'metadata', lambda n: field(3, 2, b'') * n))
        for headers, kind, make in kinds:
            with self.subTest(kind):
                hits = self.hits('push_fields')
                self.assertIn(self.push(literal_snappy(make(1000)), headers), (204, 400), self.text)
                self.assertEqual(self.hits('push_fields'), hits)
                self.assertEqual(self.push(literal_snappy(make(1001)), headers), 413, self.text)
                self.assertIn('more than 1000 fields', self.text)
                self.assertEqual(self.hits('push_fields'), hits + 1)


# ---- what may be used ----

class Resources(Promise):
    def test_E1_a_slow_client_is_ended_by_an_absolute_deadline(self):
        """Clients that send a byte at a time would keep any deadline that a byte moves."""
        self.start({'header_ms': 3000, 'body_ms': 4000})
        drips = []
        for i in range(40):
            s = self.dial(f'127.0.1.{i % 2 + 1}')
            s.sendall(b'GET /-/healthy HTTP/1.1\r\nX-Drip: ' if i < 20 else request_head('Content-Length: 100000'))
            drips.append(s)

        def drip(s):
            """False once the other side has closed."""
            try:
                s.send(b'a')
                s.setblocking(False)
                return s.recv(1000) != b''
            except BlockingIOError:
                return True
            except ConnectionError:
                return False
        end, open_drips = time.monotonic() + peers.START_S, drips
        while open_drips and time.monotonic() < end:
            open_drips = [s for s in open_drips if drip(s)]
            self.assertEqual(self.push_series(Series({'__name__': 'legit'}, [(int(time.time() * 1000), 1)])), 204)
            self.assertEqual(self.ask('GET', '/api/v1/query?query=1')[0], 200)
        self.assertEqual(len(open_drips), 0)
        self.assertEqual(self.hits('body_ms'), 20)
        self.finish()

    def test_E2_an_address_has_its_share_of_connections(self):
        self.start()
        self.assertEqual(self.metric('tocsin_limit{limit="connections",unit="connections"}'), 512)
        greedy = [self.dial('127.0.1.1') for _ in range(64)]
        request = b'GET /-/healthy HTTP/1.1\r\nHost: h\r\n\r\n'
        for s in greedy:
            s.sendall(request)
            self.assertTrue(s.recv(1000).startswith(b'HTTP/1.1 200'))
        for _ in range(3):
            late = self.dial('127.0.1.1')
            with contextlib.suppress(ConnectionError):
                late.sendall(request)
                self.assertEqual(late.recv(1000), b'')
        self.assertEqual(self.ask('GET', '/-/healthy', source='127.0.1.2')[0], 200)
        self.assertEqual(self.hits('connections_per_address'), 3)
        for s in greedy:
            s.close()
        peers.wait_for('a place again', lambda: self.ask('GET', '/-/healthy', source='127.0.1.1')[0] == 200)

    def test_E2_beyond_all_connections_a_client_waits_its_turn(self):
        self.start({'connections': 16, 'header_ms': 1500})
        idle = [self.dial(f'127.0.1.{i}') for i in range(1, 40)]
        self.assertEqual(self.ask('GET', '/-/healthy', source='127.0.2.1')[0], 200)
        self.assertGreaterEqual(self.hits('connections'), 1)
        self.assertEqual(len(idle), 39)
        self.finish()

    def test_E2_descriptors_are_left_for_pages_and_disk(self):
        """128 descriptors, twice as many clients: what is served is served, a page goes out, nothing breaks."""
        hook = self.webhook()
        self.file('routes.yml', 'route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n'
                  f'receivers: [{{name: hook, webhook_configs: [{{url: "{hook.url}/"}}]}}]\n')
        self.start({'header_ms': 2000}, rules='{alert: Crowded, expr: crowd > 0}', under=('prlimit', '--nofile=128'),
                   config='alertmanager_config_file: routes.yml\n')
        self.assertIn('fewer connections than limits.connections', self.daemon.text())
        def descriptors():
            return len(list(pathlib.Path(f'/proc/{self.daemon.process.pid}/fd').iterdir()))
        alone = descriptors()
        crowd = [self.dial(f'127.0.{i // 200 + 1}.{i % 200 + 1}') for i in range(256)]
        for s in crowd:
            with contextlib.suppress(ConnectionError):
                s.sendall(b'GET / HTTP/1.1\r\nX-Wait: ')

        peers.wait_for('the crowd inside', lambda: descriptors() >= alone + 60)

        def pushed():
            self.assertLessEqual(descriptors(), alone + 64 + 5)  # and some for the disk and the page
            self.now_ms = int(time.time() * 1000)
            return self.push_series(Series({'__name__': 'crowd'}, [(self.now_ms, 1)])) == 204
        peers.wait_for('a push in the crowd', pushed)
        hook.page('firing', 'Crowded')
        self.assertEqual(self.value('crowd'), 1)
        self.finish()

    def test_E2_too_few_descriptors_are_told_at_start(self):
        self.file('rules.yml', '')
        self.file('tocsin.yml', '')
        with self.assertRaisesRegex(AssertionError, 'only 40 files may be open at once'):
            self.tocsin(under=('prlimit', '--nofile=40'))

    def test_E3_the_limit_of_series_costs_no_series_that_is_there(self):
        self.start({'series': 500})
        old = [{'__name__': 'old', 'i': str(i)} for i in range(500)]
        for round_ in range(10):
            t_ms = self.now_ms + round_
            flood = [Series({'__name__': f'flood_{i % 3}', 'i': f'{round_}-{i}'}, [(t_ms, 1)]) for i in range(500 if round_ else 0)]
            status = self.push_series(*(Series(labels, [(t_ms, round_)]) for labels in old), *flood)
            self.assertEqual(status, 429 if flood else 204, self.text)
        self.assertEqual(self.metric('prometheus_tsdb_head_series'), 500)
        self.assertEqual(self.hits('series'), 4500)
        self.assertEqual(self.value('count(count_over_time(old[10m])==10)'), 500)
        self.assertIsNone(self.value('count({__name__=~"flood_.*"})'))
        status, headers, text = self.ask('POST', '/api/v1/write', literal_snappy(write_v2(Series({'__name__': 'flood'}, [(t_ms, 1)]))), HEADERS_V2)
        self.assertEqual((status, headers['X-Prometheus-Remote-Write-Samples-Written']), (429, '0'))
        self.assertGreater(int(headers['Retry-After']), 0)
        self.assertIn('limit of series reached for series {__name__="flood"}', text)
        told = self.cardinality()
        self.assertEqual((told['series'], told['limit']), (500, 500))
        self.assertEqual({r['metric']: r['refused'] for r in told['refused']},
                         {'flood_0': 1503, 'flood_1': 1503, 'flood_2': 1494, 'flood': 1})
        self.assertEqual(told['identities'], [{'identity': '127.0.0.1', 'series': 500, 'refused': 4501}])

    def cardinality(self):
        return peers.get_json(f'{self.daemon.url}/api/tocsin/v1/cardinality')['data']

    def test_E3_a_greedy_sender_costs_the_others_nothing(self):
        """By address, and by a header that a proxy sets."""
        for config, greedy, modest in (('', ('127.0.1.1', {}), ('127.0.1.2', {})),
                                       ('storage: {identity_header: X-Scope-OrgID}', ('127.0.0.1', {'X-Scope-OrgID': 'greedy'}),
                                        ('127.0.0.1', {'x-scope-orgid': 'modest'}))):
            with self.subTest(config):
                self.start({'series_per_identity': 100}, config=config)

                def push(sender, name, count, source, headers):
                    series = (Series({'__name__': name, 'i': f'{sender}-{i}'}, [(self.now_ms, 1)]) for i in range(count))
                    return self.ask('POST', '/api/v1/write', literal_snappy(write_v1(*series)), {**HEADERS, **headers}, source)
                status, headers, text = push(1, 'flood', 150, *greedy)
                self.assertEqual(status, 429, text)
                self.assertIn('limit of series of this sender reached for series {__name__="flood"', text)
                self.assertTrue(text.endswith('the sender is at its limit of series\n'), text)
                self.assertGreater(int(headers['Retry-After']), 0)
                self.assertEqual(push(2, 'flood', 100, *modest)[0], 204)
                self.assertEqual(push(1, 'flood', 100, *modest)[0], 204)  # they are there, whoever made them
                names = [h.get('X-Scope-OrgID', h.get('x-scope-orgid', source)) for source, h in (greedy, modest)]
                self.assertEqual(sorted((x['identity'], x['series'], x['refused']) for x in self.cardinality()['identities']),
                                 sorted(((names[0], 100, 50), (names[1], 100, 0))))
                self.assertEqual(self.hits('series_per_identity'), 50)
                self.finish()

    def test_E5_queues_are_bounded_and_tell_their_depth_and_losses(self):
        """An Alertmanager that never answers: the oldest alerts give way, nothing else waits for it."""
        with socket.create_server(('127.0.0.1', 0), backlog=200) as tarpit:
            port = tarpit.getsockname()[1]
            self.start({'forward_queue': 10, 'series': 100000}, rules='{alert: Many, expr: many > 0}',
                       config=f'alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]}}\n')
            url = f'http://127.0.0.1:{port}/api/v2/alerts'
            self.assertEqual(self.push_series(*(Series({'__name__': 'many', 'i': str(i)}, [(self.now_ms, 1)]) for i in range(500))), 204)
            peers.wait_for('alerts that gave way', lambda: self.hits('forward_queue') > 0)
            self.assertEqual(self.metric('prometheus_notifications_queue_capacity'), 10)
            self.assertLessEqual(self.metric(f'prometheus_notifications_queue_length{{alertmanager="{url}"}}'), 10)
            self.assertGreater(self.metric(f'prometheus_notifications_dropped_total{{alertmanager="{url}"}}'), 0)
            for queue in ('alerts', 'pages', 'requests'):
                self.assertGreaterEqual(self.metric(f'tocsin_queue_length{{queue="{queue}"}}'), 0)
            # an evaluation may fall between two parts of the push
            peers.wait_for('all alerts', lambda: self.value('count(ALERTS)') == 500)

    def test_E6_log_lines_that_input_causes_are_bounded(self):
        self.start()
        started = time.monotonic()
        for i in range(300):
            self.assertEqual(self.push_series(Series({'bad': 'x\n\x1b[31m' * 300}, [(self.now_ms, 1)])), 400)
        for i in range(100):
            self.assertEqual(self.ask('GET', '/../etc/passwd')[0], 400)
        seconds = int(time.monotonic() - started) + 2
        text = self.daemon.log.read_text()
        lines = text.splitlines()
        for kind in ('push refused', 'request refused'):
            told = [line for line in lines if f'msg="{kind}"' in line]
            self.assertGreaterEqual(len(told), 10)
            self.assertLessEqual(len(told), 10 * seconds)
            self.assertIn('from=127.0.0.1 status=400 reason=', told[0])
        self.assertNotIn('\x1b', text)
        self.assertLess(max(map(len, lines)), 500)
        self.assertGreaterEqual(self.metric('tocsin_log_lines_suppressed_total'), 400 - 20 * seconds)

    def test_E7_all_bodies_together_have_a_largest_amount_of_memory(self):
        self.start({'body_ms': 300000})  # they are held for as long as this test takes
        before = self.memory_mib()
        budget = 256 - 2 * (32 + 64)  # beside what two pushes may take that are being decoded
        body = bytes(4 * MIB - 1)  # one byte is missing, so none of them comes to an end
        held = [self.dial(f'127.0.1.{i // 32 + 1}') for i in range(96)]
        for s in held:
            s.sendall(request_head(f'Content-Length: {4 * MIB}'))
        sent_away = peers.wait_for('refusals', lambda: len(found := answered(held)) == 96 - budget // 4 and found)
        for s in held:
            if s not in sent_away:
                s.sendall(body)
                continue
            answer = read_answer(s)
            self.assertTrue(answer.startswith(b'HTTP/1.1 503'), answer)
            self.assertIn(b'\r\nRetry-After: 1\r\n', answer)
        self.assertEqual(self.hits('in_flight_bytes'), len(sent_away))
        self.assertLess(self.memory_mib('VmHWM') - before, budget + SLACK_MIB)
        self.assertEqual(self.push_series(Series({'__name__': 'm'}, [(self.now_ms, 1)])), 503)
        for s in set(held) - set(sent_away):
            s.sendall(b'\0')  # the last byte
            self.assertTrue(s.recv(1000).startswith(b'HTTP/1.1 400'))
            s.close()
        self.assertEqual(self.push_series(Series({'__name__': 'm'}, [(self.now_ms, 1)])), 204)
        self.finish()


if __name__ == '__main__':
    peers.main()
