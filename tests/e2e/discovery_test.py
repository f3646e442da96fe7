"""Alertmanagers found by their names: a name server of the test's own, in a network of the test's own, where it may have port 53."""
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import peers

INSIDE = 'TOCSIN_TEST_INSIDE'
RULES = 'groups: [{name: g, interval: 1s, rules: [{alert: Loud, expr: vector(1)}]}]\n'
ROUTES = 'route: {receiver: none}\nreceivers: [{name: none}]\n'
SERVFAIL, NXDOMAIN = 2, 3
TYPES = {1: 'A', 28: 'AAAA', 33: 'SRV'}


def wire(name):
    return b''.join(bytes([len(part)]) + part.encode() for part in name.strip('.').split('.')) + b'\0'


class NameServer:
    """records: {(name, type): [rdata] or a code}; names it has never heard of do not exist."""

    def __init__(self):
        self.records = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 53))
        self.socket.settimeout(0.1)
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.ends.is_set():
            try:
                message, sender = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            self.socket.sendto(self.answer(message), sender)

    def answer(self, message):
        at, parts = 12, []
        while message[at]:
            parts.append(message[at + 1:at + 1 + message[at]].decode())
            at += 1 + message[at]
        question = message[12:at + 5]
        kind = TYPES.get(struct.unpack('>H', message[at + 1:at + 3])[0])
        found = self.records.get(('.'.join(parts).lower(), kind), [])
        if not found and not any(name == '.'.join(parts).lower() for name, _ in self.records):
            found = NXDOMAIN
        code = found if isinstance(found, int) else 0
        answers = [] if isinstance(found, int) else found
        body = b''.join(b'\xc0\x0c' + question[-4:] + struct.pack('>IH', 1, len(data)) + data for data in answers)
        return message[:2] + struct.pack('>HHHHH', 0x8180 | code, 1, len(answers), 0, 0) + question + body

    def stop(self):
        self.ends.set()
        self.thread.join()
        self.socket.close()


@unittest.skipUnless(os.environ.get(INSIDE), 'this system gives no network of its own (unshare -rmn)')
class AnAlertmanagerWithAName(peers.Case):
    def setUp(self):
        super().setUp()
        self.names = self.keep(NameServer())
        self.peer = self.alertmanager(ROUTES)
        self.names.records[('am.test', 'A')] = [socket.inet_aton('127.0.0.1')]
        self.file('rules.yml', RULES)

    def start(self, lookup):
        self.file('tocsin.yml', 'rule_files: [rules.yml]\n'
                                f'alerting: {{alertmanagers: [{{dns_sd_configs: [{{{lookup}, refresh_interval: 1s}}]}}]}}\n')
        self.daemon = self.tocsin('--rules.alert.resend-delay=1s')

    def active(self):
        return [a['url'] for a in peers.get_json(f'{self.daemon.url}/api/v1/alertmanagers')['data']['activeAlertmanagers']]

    def metric(self, name):
        lines = peers.get(f'{self.daemon.url}/metrics').splitlines()
        return next(float(line.rsplit(' ', 1)[1]) for line in lines if line.startswith(f'{name} '))

    def test_is_found_by_its_service_and_followed_when_it_moves(self):
        service = ('_am._tcp.test', 'SRV')
        self.names.records[service] = [struct.pack('>HHH', 0, 0, self.peer.port) + wire('am.test')]
        self.start('names: [_am._tcp.test]')
        peers.wait_for('an alert', lambda: peers.get_json(f'{self.peer.url}/api/v2/alerts'))
        self.assertEqual(self.active(), [f'http://am.test:{self.peer.port}/api/v2/alerts'])

        self.names.records[service] = SERVFAIL
        failures = self.metric('prometheus_sd_dns_lookup_failures_total')
        peers.wait_for('a lookup in vain', lambda: self.metric('prometheus_sd_dns_lookup_failures_total') > failures)
        self.assertEqual(self.active(), [f'http://am.test:{self.peer.port}/api/v2/alerts'])

        self.names.records[service] = [struct.pack('>HHH', 0, 0, 9) + wire('am.test'), struct.pack('>HHH', 0, 0, 10) + wire('b.test')]
        peers.wait_for('the new places', lambda: self.active() == ['http://am.test:9/api/v2/alerts', 'http://b.test:10/api/v2/alerts'])

        del self.names.records[service]
        peers.wait_for('nobody', lambda: self.active() == [])

    def test_is_found_by_its_address(self):
        self.names.records[('am.test', 'AAAA')] = [socket.inet_pton(socket.AF_INET6, 'fd00::1')]
        self.start(f'names: [am.test], type: A, port: {self.peer.port}')
        peers.wait_for('an alert', lambda: peers.get_json(f'{self.peer.url}/api/v2/alerts'))
        self.assertEqual(self.active(), [f'http://127.0.0.1:{self.peer.port}/api/v2/alerts'])
        self.file('tocsin.yml', 'rule_files: [rules.yml]\nalerting: {alertmanagers: [{dns_sd_configs: '
                                '[{names: [am.test], type: aaaa, port: 9093}]}]}\n')
        self.assertEqual(peers.post(f'{self.daemon.url}/-/reload')[0], 200)
        peers.wait_for('the other address', lambda: self.active() == ['http://[fd00::1]:9093/api/v2/alerts'])


def go_inside():
    """The whole test again, alone with its loopback."""
    if subprocess.run(['unshare', '-rmn', 'true'], capture_output=True, check=False).returncode == 0:
        os.execvpe('unshare', ['unshare', '-rmn', sys.executable, *sys.argv], {**os.environ, INSIDE: '1'})


def set_up_network():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack('16sh14s', b'lo', 0x49, b''))  # SIOCSIFFLAGS: up
    with tempfile.NamedTemporaryFile('w', delete=False) as resolv:
        resolv.write('nameserver 127.0.0.1\n')
    subprocess.run(['mount', '--bind', resolv.name, '/etc/resolv.conf'], check=True)
    pathlib.Path(resolv.name).unlink()


if __name__ == '__main__':
    if os.environ.get(INSIDE):
        set_up_network()
    else:
        go_inside()
    peers.main()
