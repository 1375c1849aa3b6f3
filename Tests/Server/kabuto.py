"""The real binary as a process: started on a free port, asked over HTTP, ended. Nothing here waits by the clock
alone: `until` looks again and again, and its limits are generous, so that a busy machine changes no verdict.

KABUTO_BIN   the binary (default .build/debug/kabuto)
"""

import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse

BINARY = os.path.abspath(os.environ.get("KABUTO_BIN", ".build/debug/kabuto"))
PATIENCE_SECONDS = 60
# Settings of the caller's environment are not meant for the servers under test.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KABUTO_")}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, name, seconds=PATIENCE_SECONDS, pause=0.05):
    """The first true value of `what()`."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {name}")
        time.sleep(pause)


def run(*arguments, environment=None, seconds=120):
    """Runs the binary to its end."""
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=seconds, env={**ENVIRONMENT, **(environment or {})}
    )


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def type(self):
        return (self.headers.get("Content-Type") or "").split(";")[0]

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """`kabuto serve` with its own folder; `stop` and `start` again keep port and data."""

    def __init__(self, *feeds, data=False, options=(), environment=None, tls=False):
        self.folder = tempfile.mkdtemp(prefix="kabuto-server-")
        self.data = os.path.join(self.folder, "data") if data else None
        self.feeds = feeds
        self.options = list(options)
        self.environment = environment or {}
        self.tls = tls
        self.port = free_port()
        self.process = None

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    @property
    def stream_url(self):
        return f"ws{'s' if self.tls else ''}://127.0.0.1:{self.port}/v1/stream"

    def launch(self):
        """Starts the process and waits for nothing."""
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}"]
        for feed in self.feeds:
            command += ["--feed", feed]
        if self.data and "KABUTO_DATA" not in self.environment:
            command += ["--data", self.data]
        self.log = os.path.join(self.folder, "serve.log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command + self.options, stdout=log, stderr=log, env={**ENVIRONMENT, **self.environment}
            )
        atexit.register(self.kill)

    def start(self, ready=True):
        self.launch()
        until(lambda: self.answers("/health/live"), "an answer")
        if ready:
            until(lambda: self.answers("/health/ready"), "readiness")
        return self

    def answers(self, path):
        if self.process.poll() is not None:
            raise AssertionError(f"kabuto ended with status {self.process.returncode}:\n{self.log_text()}")
        try:
            return self.get(path).status == 200
        except OSError:
            return False

    def log_text(self, length=4000):
        """The end of what it said."""
        with open(self.log, "rb") as text:
            return text.read()[-length:].decode("utf-8", "replace")

    def connection(self):
        if self.tls:
            context = ssl.create_default_context(cafile=self.tls)
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def request(self, method, path, headers=None, body=None):
        connection = self.connection()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, headers=None, **query):
        names = {"from_": "from"}
        pairs = {names.get(name, name): value for name, value in query.items() if value is not None}
        if pairs:
            path += "?" + urllib.parse.urlencode(pairs)
        return self.request("GET", path, headers)

    def json(self, path, **query):
        answer = self.get(path, **query)
        if answer.status != 200:
            raise AssertionError(f"{path} {query}: {answer.status} {answer.body!r}")
        return answer.json

    def codes(self):
        return [line["instrument"] for line in self.json("/v1/quotes", limit=10_000)["quotes"]]

    def busy(self, count=1):
        """The instruments with the most trades."""
        quotes = self.json("/v1/quotes", limit=10_000)["quotes"]
        return [quote["instrument"] for quote in sorted(quotes, key=lambda quote: -quote["trades"])[:count]]

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def terminate(self):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


_shared = None


MORNING_SECONDS = 180


def trading_server(fresh=False):
    """A simulated market in the midst of its day, for all tests that only look. A class that needs a busy market for
    long asks for a fresh one before its first test: that of an earlier class may soon be at lunch or at its close."""
    global _shared
    if fresh and _shared is not None and time.monotonic() - _shared.began > MORNING_SECONDS:
        _shared.end()
        _shared = None
    if _shared is None:
        _shared = Server("sim:seed=7&speed=20&instruments=120", data=True)
        _shared.start()
        _shared.began = time.monotonic()
        atexit.register(_shared.end)
        until(lambda: sum(q["trades"] for q in _shared.json("/v1/quotes", limit=1000)["quotes"]) > 300, "some trades")
    return _shared


_files = None


def simulated_file():
    """An ITCH file of a whole day with busy instruments, and its reference beside it."""
    global _files
    if _files is None:
        _files = tempfile.mkdtemp(prefix="kabuto-files-")
        atexit.register(shutil.rmtree, _files, True)
        made = run("simulate", "--out", os.path.join(_files, "day.itch"), "--seed", "7", "--instruments", "6", "--messages", "60000")
        assert made.returncode == 0, made.stderr
    return os.path.join(_files, "day.itch")


def whole_day_server():
    """The day of `simulated_file`, played to its end."""
    server = Server(f"itch:{simulated_file()}?speed=max", data=True)
    server.start(ready=False)
    until(lambda: server.json("/v1/status")["sources"][0]["state"] == "ended", "the end of the day")
    until(lambda: server.json("/v1/status")["loops"][0]["ring_fill"] == 0, "an empty ring")
    return server
