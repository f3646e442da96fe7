"""What the end-to-end tests stand on: real programs, each in a folder of its own on 127.0.0.1, waited for, ended by pid.

Programs come from build/peers (Debian's, unpacked) or from PATH; Tocsin from $TOCSIN.
"""
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOCSIN = os.environ.get('TOCSIN', str(ROOT / 'build/tocsin'))
START_S = 60  # for whatever may be slow where others work too; who is well takes a fraction of it


def program(name):
    unpacked = ROOT / 'build/peers/usr/bin' / name
    found = str(unpacked) if unpacked.exists() else shutil.which(name)
    if not found:
        raise FileNotFoundError(f'{name} is missing: run `make deps`')
    return found


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def get(url, timeout=START_S):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


def get_json(url):
    return json.loads(get(url))


def post(url, body=b'', content_type='application/json', headers=None):
    """Status and text, whatever the status."""
    request = urllib.request.Request(url, data=body, method='POST', headers={'Content-Type': content_type, **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=START_S) as answer:
            return answer.status, answer.read().decode(errors='replace')
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.read().decode(errors='replace')


def wait_for(what, probe, seconds=START_S):
    """The first true answer of probe(); fails loudly when none comes."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            answer = probe()
            if answer:
                return answer
        except (OSError, urllib.error.URLError, ValueError) as e:
            last = e
        time.sleep(0.05)
    raise AssertionError(f'{what}: not within {seconds} s{f" ({last})" if last else ""}')


class Process:
    """One program; its output goes to a file in its folder, which is shown when it dies early."""

    def __init__(self, folder, name, command):
        self.log = pathlib.Path(folder) / f'{name}.log'
        self.name = name
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder)

    def ready(self, url, seconds=START_S):
        def probe():
            if self.process.poll() is not None:
                raise AssertionError(f'{self.name} ended with {self.process.returncode}:\n{self.text()}')
            return get(url) is not None
        wait_for(f'{self.name} at {url}', probe, seconds)
        return self

    def text(self):
        return self.log.read_text(errors='replace')[-4000:]

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Exit status; killed if it does not end by itself."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(START_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


class Server:
    """A small HTTP server of the test's own, on its own thread."""

    def __init__(self, handler):
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f'http://127.0.0.1:{self.port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Webhook(Server):
    """Keeps every page that is posted to it."""

    def __init__(self):
        pages = self.pages = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                pages.append(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
                self.send_response(200)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *args):
                pass
        super().__init__(Handler)

    def page(self, status, alertname, seconds=60):
        def probe():
            return next((p for p in self.pages if p['status'] == status and p['groupLabels'].get('alertname') == alertname), None)
        return wait_for(f'a {status} page of {alertname}', probe, seconds)


class Exporter(Server):
    """A service's /metrics: requests are counted on every scrape; `failing` turns them into errors."""

    def __init__(self):
        self.failing = False
        self.ok = self.errors = 0
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if exporter.failing:
                    exporter.errors += 10
                else:
                    exporter.ok += 10
                body = ('# TYPE http_requests_total counter\n'
                        f'http_requests_total{{code="200"}} {exporter.ok}\n'
                        f'http_requests_total{{code="500"}} {exporter.errors}\n').encode()
                self.send_response(200)
                self.send_header('Content-Type', 'text/plain; version=0.0.4')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass
        super().__init__(Handler)


class Case(unittest.TestCase):
    """A test with a folder; what it starts is stopped in reverse order at its end."""

    def setUp(self):
        self.processes = []
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='tocsin-'))
        self.stack.callback(shutil.rmtree, self.folder, True)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def tearDown(self):
        """A program that ended by itself is why a test failed: its last words."""
        for process in self.processes:
            code = process.process.poll()
            if code not in (None, 0, -signal.SIGKILL):
                print(f'\n{process.name} ended with {code}:\n{process.text()}', flush=True)

    def keep(self, thing):
        self.stack.callback(thing.stop)
        return thing

    def run_process(self, name, *command):
        self.processes.append(self.keep(Process(self.folder, name, [str(c) for c in command])))
        return self.processes[-1]

    def webhook(self):
        return self.keep(Webhook())

    def tocsin(self, *flags, config='tocsin.yml', port=None, under=()):
        """A running daemon; .url and .port say where. `under`: a command in front of it that becomes it."""
        port = port or free_port()
        daemon = self.run_process('tocsin', *under, TOCSIN, 'serve', f'--config.file={self.folder / config}',
                                  f'--storage.path={self.folder / "data"}', f'--web.listen-address=127.0.0.1:{port}',
                                  '--web.enable-lifecycle', *flags)
        daemon.port, daemon.url = port, f'http://127.0.0.1:{port}'
        return daemon.ready(f'{daemon.url}/-/ready')

    def prometheus(self, config, *flags, name='prometheus', port=None):
        port = port or free_port()
        path = self.file(f'{name}.yml', config)
        peer = self.run_process(name, program('prometheus'), f'--config.file={path}', f'--storage.tsdb.path={self.folder / name}',
                                f'--web.listen-address=127.0.0.1:{port}', '--web.enable-remote-write-receiver', *flags)
        peer.url = f'http://127.0.0.1:{port}'
        return peer.ready(f'{peer.url}/-/ready')

    def alertmanager(self, config, *flags, name='alertmanager', prefix=''):
        port = free_port()
        path = self.file(f'{name}.yml', config)
        peer = self.run_process(name, program('prometheus-alertmanager'), f'--config.file={path}',
                                f'--storage.path={self.folder / name}', f'--web.listen-address=127.0.0.1:{port}',
                                '--cluster.listen-address=', *flags)
        peer.port, peer.url = port, f'http://127.0.0.1:{port}{prefix}'
        return peer.ready(f'{peer.url}/-/ready')

    def output(self, name, *arguments, stdin=''):
        """What one of Debian's tools prints; it must end with 0."""
        done = subprocess.run([program(name), *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, f'{name}: {done.stdout}{done.stderr}')
        return done.stdout


def main():
    unittest.main(module='__main__', verbosity=2)
