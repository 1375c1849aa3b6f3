"""A Kabuto server to look at: the real binary on a free port, or one that already runs (KABUTO_URL)."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

READY_WITHIN_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`kabuto serve` with the simulated exchange. `stop` and `start` again use the same port."""

    def __init__(self):
        self.given = os.environ.get("KABUTO_URL", "").rstrip("/")
        self.binary = os.environ.get("KABUTO_BIN", ".build/debug/kabuto")
        self.process = None
        if self.given:
            self.url = self.given
            return
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = tempfile.TemporaryDirectory(prefix="kabuto-browser-")

    @property
    def is_ours(self):
        return not self.given

    def start(self):
        if not self.is_ours:
            return
        self.log = open(os.path.join(self.folder.name, "serve.log"), "ab")
        data = os.path.join(self.folder.name, "data")
        feed = os.environ.get("KABUTO_FEED", "sim:seed=7&instruments=400&speed=20")
        command = [self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--feed", feed, "--data", data]
        if os.environ.get("KABUTO_VIEWER"):
            command += ["--viewer", os.environ["KABUTO_VIEWER"]]
        # The tests' own variables are no settings of the server.
        variables = {name: value for name, value in os.environ.items() if not name.startswith("KABUTO_")}
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=variables)
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"kabuto ended with status {self.process.returncode}:\n{self.log_text()}")
            try:
                with urllib.request.urlopen(self.url + "/health/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.2)
        raise RuntimeError(f"kabuto was not ready within {READY_WITHIN_SECONDS} s:\n{self.log_text()}")

    def log_text(self):
        with open(self.log.name, "rb") as text:
            return text.read()[-4000:].decode("utf-8", "replace")

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        self.log.close()
