"""What an estate's message servers keep, as people use it: the estate that was published, and what tenants used. The
servers run with the configurations that the program writes, credentials and all: nobody may more than it needs.

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
estate: keep-test
version: {version}
markets:
  - code: XTKS
    feed: "sim:seed=5&instruments=20&speed=30"
    time_zone: Asia/Tokyo
sites:
  - name: s
    zones: [za]
backbone:
  credentials: passwords
  servers:
    - {{name: ma, zone: za, rail: a, address: 127.0.0.1, port: {a}, leaf_port: {leaf}, monitor_port: {m1}}}
    - {{name: ka, zone: za, rail: a, address: 127.0.0.2, port: {k}, monitor_port: {m2}, keeps_streams: true}}
nodes:
  - {{name: p1, zone: za, address: 127.0.0.1, port: {p1}, roles: [plant]}}
  - {{name: s1, zone: za, address: 127.0.0.1, port: {s1}, roles: [store], data: data/s1}}
  - {{name: g1, zone: za, address: 127.0.0.1, port: {g1}, roles: [gateway]}}
tenants:
  - {{name: alpha, markets: [XTKS]}}
  - {{name: beta, markets: [XTKS]}}
"""


@unittest.skipUnless(NATS, "nats-server is not installed")
class Keep(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kabuto-keep-")
        self.ports = {name: kabuto.free_port() for name in ("a", "leaf", "k", "m1", "m2", "p1", "s1", "g1")}
        self.estate = os.path.join(self.folder, "estate.yaml")
        self.write(3)
        with open(os.path.join(self.folder, "passwords"), "w") as file:
            for name in ("p1", "s1", "g1", "operator", "rail/a"):
                file.write(f"{name} secret-of-{name}\n")
        self.processes = {}
        self.addCleanup(self.end)
        for server in ("ma", "ka"):
            made = kabuto.run(
                "estate", "servers", self.estate, "--server", server, "--streams", os.path.join(self.folder, "kept"))
            self.assertEqual(made.returncode, 0, made.stderr)
            with open(os.path.join(self.folder, server + ".conf"), "w") as file:
                file.write(made.stdout)
            self.carry(server)

    def write(self, version):
        with open(self.estate, "w") as file:
            file.write(ESTATE.format(version=version, **self.ports))

    def begin(self, name, command):
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=kabuto.ENVIRONMENT)

    def carry(self, server):
        self.begin(server, [NATS, "-c", os.path.join(self.folder, server + ".conf")])

    def serve(self, node):
        self.begin(node, [kabuto.BINARY, "serve", "--estate", self.estate, "--node", node, "--log-format", "json"])
        kabuto.until(lambda: self.get(node, "/health/live")[0] == 200, f"{node} to live")

    def stop(self, node):
        self.processes[node].send_signal(signal.SIGTERM)
        self.assertEqual(self.processes[node].wait(60), 0, self.log(node))

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self, name):
        with open(os.path.join(self.folder, name + ".log"), errors="replace") as file:
            return file.read()

    def get(self, node, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[node]}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except (urllib.error.URLError, OSError):
            return 0, {}

    def configuration(self, node):
        return self.get(node, "/v1/status")[1].get("configuration") or {}

    def usage(self, *more):
        done = kabuto.run("node", "usage", "--estate", self.estate, "--json", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def read_total(self):
        """The same where a server that keeps may still be starting: nothing then."""
        try:
            return self.total()
        except AssertionError:
            return {}

    def total(self):
        return {one["tenant"]: one["requests"] for one in self.usage()["totals"]}

    def test_the_estate_is_kept_and_who_runs_another_says_so(self):
        kabuto.until(
            lambda: kabuto.run("estate", "publish", self.estate).returncode == 0, "the estate to be kept")
        again = kabuto.run("estate", "publish", self.estate)
        self.assertEqual((again.returncode, "already" in again.stdout), (0, True), again.stderr)
        self.serve("g1")
        kabuto.until(lambda: self.configuration("g1").get("state") == "same", "g1 to know that it runs what is kept")
        with open(self.estate) as file:
            text = file.read()
        kept = kabuto.run("estate", "kept", self.estate)
        self.assertEqual((kept.returncode, kept.stdout), (0, text), kept.stderr)

        self.write(4)
        published = kabuto.run("estate", "publish", self.estate)
        self.assertEqual(published.returncode, 0, published.stderr)
        found = kabuto.until(
            lambda: (lambda one: one if one.get("state") == "differs" else None)(self.configuration("g1")),
            "g1 to say that another is kept")
        self.assertEqual((found["version"], found["kept_version"]), (3, 4))
        self.assertEqual(found["detail"], "node runs version 3, kept is version 4")
        self.assertIn("node runs version 3, kept is version 4", self.log("g1"))

        self.write(3)
        older = kabuto.run("estate", "publish", self.estate)
        self.assertEqual(older.returncode, 1)
        self.assertIn("keeps version 4, this is version 3", older.stderr)
        other = kabuto.run("estate", "kept", self.estate, "--json")
        self.assertEqual(other.returncode, 1)
        document = json.loads(other.stdout)
        self.assertEqual((document["version"], document["same"], document["estate"]), (4, False, "keep-test"))

    def test_what_tenants_used_lasts_and_counts_once(self):
        self.serve("s1")
        self.serve("g1")
        for name, count in (("alpha", 3), ("beta", 2)):
            for _ in range(count):
                self.assertEqual(self.get("g1", f"/health/live?tenant={name}")[0], 200)
        self.assertEqual(self.get("g1", "/health/live?tenant=gamma")[0], 400)
        self.stop("g1")
        found = self.total()
        self.assertEqual((found["alpha"], found["beta"]), (3, 2))

        # While the server that keeps is killed the gateway holds what was used, and serves.
        self.serve("g1")
        self.processes["ka"].kill()
        self.processes["ka"].wait()
        self.assertEqual(self.get("g1", "/health/live?tenant=alpha")[0], 200)
        self.carry("ka")
        # Four where a minute has just ended.
        kabuto.until(lambda: self.read_total().get("alpha") in (3, 4), "the kept usage to be there again")
        self.stop("g1")
        kabuto.until(lambda: self.read_total().get("alpha") == 4, "what was used meanwhile")
        self.assertEqual(self.total()["beta"], 2)
        self.assertEqual(self.usage("--to", "2020-01-01")["minutes"], [])
        text = kabuto.run("node", "usage", "--estate", self.estate, "--from", "2020-01-01")
        self.assertEqual(text.returncode, 0, text.stderr)
        self.assertIn("alpha  4 requests", text.stdout)
        wrong = kabuto.run("node", "usage", "--estate", self.estate, "--from", "yesterday")
        self.assertEqual(wrong.returncode, 64)
        self.assertIn("2026-11-26T09:30", wrong.stderr)

    def test_where_nothing_is_kept_that_is_said(self):
        with open(self.estate, "w") as file:
            file.write(ESTATE.format(version=1, **self.ports).replace(", keeps_streams: true", ""))
        for command in (["estate", "publish", self.estate], ["estate", "kept", self.estate],
                        ["node", "usage", "--estate", self.estate]):
            done = kabuto.run(*command)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("wanted one with keeps_streams: true", done.stderr)


if __name__ == "__main__":
    unittest.main()
