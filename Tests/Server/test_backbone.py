"""Two plants and a gateway as processes, two message servers between them that share nothing: the gateway's quotes go on
while a server is frozen or killed, and while a plant is killed or frozen.

KABUTO_BIN   the binary
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import kabuto

NATS = shutil.which("nats-server") or shutil.which("/usr/sbin/nats-server")

ESTATE = """
estate: backbone-test
version: 1
markets:
  - code: XTKS
    feed: "sim:seed=5&instruments=50&speed=30"
    time_zone: Asia/Tokyo
sites:
  - name: s
    zones: [za, zb]
links:
  - name: ab
    between: [za, zb]
    latency_ms: 1
    bandwidth_mbps: 1000
backbone:
  servers:
    - {{name: ma, zone: za, rail: a, address: 127.0.0.1, port: {a}}}
    - {{name: mb, zone: zb, rail: b, address: 127.0.0.2, port: {b}}}
nodes:
  - {{name: p1, zone: za, address: 127.0.0.1, port: {p1}, roles: [plant], data: data/p1}}
  - {{name: p2, zone: zb, address: 127.0.0.1, port: {p2}, roles: [plant], data: data/p2}}
  - {{name: g1, zone: za, address: 127.0.0.1, port: {g1}, roles: [gateway], streams: 2}}
"""


@unittest.skipUnless(NATS, "nats-server is not installed")
class BackboneTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kabuto-backbone-")
        self.addCleanup(self.folder.cleanup)
        self.ports = {name: kabuto.free_port() for name in ("a", "b", "p1", "p2", "g1")}
        self.estate = os.path.join(self.folder.name, "estate.yaml")
        with open(self.estate, "w") as file:
            file.write(ESTATE.format(**self.ports))
        self.processes = {}
        self.addCleanup(self.end)
        for rail in ("a", "b"):
            self.carry(rail)
        for node in ("p1", "p2", "g1"):
            self.serve(node)

    def begin(self, name, command):
        log = open(os.path.join(self.folder.name, name + ".log"), "ab")
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=kabuto.ENVIRONMENT)
        log.close()

    def carry(self, rail):
        address = {"a": "127.0.0.1", "b": "127.0.0.2"}[rail]
        self.begin(rail, [NATS, "-a", address, "-p", str(self.ports[rail])])

    def serve(self, node):
        self.begin(node, [kabuto.BINARY, "serve", "--estate", self.estate, "--node", node])

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    def log(self, name):
        with open(os.path.join(self.folder.name, name + ".log"), errors="replace") as file:
            return file.read()[-2000:]

    def sequence(self):
        """The highest number among the gateway's quotes; 0 = there are none yet."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.ports['g1']}/v1/instruments?limit=50", timeout=5
            ) as answer:
                codes = [one["code"] for one in json.load(answer)["instruments"]]
            if not codes:
                return 0
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.ports['g1']}/v1/quotes?instruments={','.join(codes)}", timeout=5
            ) as answer:
                return max(one.get("seq", 0) for one in json.load(answer)["quotes"])
        except (urllib.error.URLError, OSError):
            return 0

    def goes_on(self, name):
        before = self.sequence()
        try:
            kabuto.until(lambda: self.sequence() > before + 300, name)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log('g1')}") from None

    def test_what_is_lost_is_a_copy(self):
        self.goes_on("quotes")
        frozen = self.processes["a"]
        frozen.send_signal(signal.SIGSTOP)
        self.goes_on("quotes while a message server is frozen")
        frozen.send_signal(signal.SIGCONT)
        self.goes_on("quotes when it is back")
        self.processes["b"].kill()
        self.goes_on("quotes while the other is killed")
        self.processes["b"].wait()
        self.carry("b")
        self.processes["p1"].send_signal(signal.SIGSTOP)
        self.goes_on("quotes while a plant is frozen")
        self.processes["p1"].send_signal(signal.SIGCONT)
        self.processes["p2"].kill()
        self.goes_on("quotes while the other plant is killed")


if __name__ == "__main__":
    unittest.main()
