"""One life of the daemon, for the scripts that end it with SIGKILL."""
import http.client
import json
import pathlib
import subprocess
import sys
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/e2e'))
sys.dont_write_bytecode = True

START_S = 60


class Lost(Exception):
    """What is wrong, and how many things that were safe are missing."""

    def __init__(self, text, count=0):
        super().__init__(text)
        self.count = count


class Daemon:
    def __init__(self, binary, folder, port):
        self.port = port
        self.log = open(folder / 'tocsin.log', 'ab')
        self.process = subprocess.Popen([binary, 'serve', f'--config.file={folder}/tocsin.yml', f'--storage.path={folder}/data',
                                         f'--web.listen-address=127.0.0.1:{port}'], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + START_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise Lost(f'the daemon does not start: {(folder / "tocsin.log").read_text(errors="replace")[-2000:]}')
            time.sleep(0.002)

    def ready(self):
        try:
            return self.get('/-/ready')[0] == 200
        except OSError:
            return False

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=START_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path):
        return self.ask('GET', path)

    def data(self, path, **parameters):
        """The data of an API's answer."""
        status, body = self.get(f'{path}?{urllib.parse.urlencode(parameters)}')
        if status != 200:
            raise Lost(f'{path} {parameters} is answered {status}: {body[:500]!r}')
        return json.loads(body)['data']

    def query(self, expression, at_ms):
        return self.data('/api/v1/query', query=expression, time=f'{at_ms / 1000:.3f}')['result']

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()
