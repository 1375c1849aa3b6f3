"""A gateway with `interest: clients`: it knows all instruments, takes those that its clients ask for, answers as the plant
does, never shows as live what nobody refreshed, and says so where all of a market is wanted."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import kabuto
from lines import Exchange, messages_of

NATS = shutil.which("nats-server") or shutil.which("/usr/sbin/nats-server")

ESTATE = """
estate: interest-test
version: 1
markets:
  - code: XTKS
    feed: "{feed}"
    time_zone: Asia/Tokyo
    reference: {reference}
sites:
  - {{name: s, zones: [z]}}
backbone:
  servers:
    - {{name: ma, zone: z, rail: a, address: 127.0.0.1, port: {a}, monitor_port: {ma}}}
nodes:
  - {{name: p1, zone: z, address: 127.0.0.1, port: {p1}, roles: [plant]}}
  - {{name: g1, zone: z, address: 127.0.0.1, port: {g1}, roles: [gateway], interest: clients}}
  - {{name: g2, zone: z, address: 127.0.0.1, port: {g2}, roles: [{others}], interest: clients}}
"""


@unittest.skipUnless(NATS, "nats-server is not installed")
class Interest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.messages = messages_of(kabuto.simulated_file())[:20_000]

    def setUp(self):
        self.exchange = Exchange(self.messages, multicast=True)
        self.addCleanup(self.exchange.close)
        self.folder = tempfile.mkdtemp(prefix="kabuto-interest-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.ports = {name: kabuto.free_port() for name in ("a", "ma", "p1", "g1", "g2")}
        self.file = self.write("estate.yaml", "gateway")
        self.processes = {}
        self.addCleanup(self.end)
        made = kabuto.run("estate", "servers", self.file, "--server", "ma")
        self.assertEqual(made.returncode, 0, made.stderr)
        path = os.path.join(self.folder, "ma.conf")
        with open(path, "w") as file:
            file.write(made.stdout)
        self.begin("ma", [NATS, "-c", path])
        for node in ("p1", "g1"):
            self.begin(node, [kabuto.BINARY, "serve", "--estate", self.file, "--node", node])
        self.exchange.publish(8_000)
        kabuto.until(lambda: self.get("p1", "/health/ready")[0] == 200, "p1 to be ready")
        kabuto.until(lambda: self.get("g1", "/health/ready")[0] == 200, "g1 to be ready")

    def write(self, name, others):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(ESTATE.format(
                feed=self.exchange.source(), reference=kabuto.simulated_file() + ".reference.json", others=others,
                **self.ports))
        return path

    def begin(self, name, command):
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=kabuto.ENVIRONMENT)

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()

    def get(self, node, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[node]}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except (urllib.error.URLError, OSError):
            return 0, {}

    def codes(self, node="p1"):
        return [one["code"] for one in self.get(node, "/v1/instruments?limit=1000")[1].get("instruments", [])]

    def taken(self):
        """Subjects of prices that g1 hears, as the message server says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['ma']}/connz?subs=1", timeout=10) as answer:
            connections = json.load(answer)["connections"]
        found = set()
        for connection in connections:
            found |= {s for s in connection.get("subscriptions_list") or [] if s.startswith("px.")}
        return found

    def plain(self, part):
        for name in ("seq", "time", "rx"):
            part.pop(name, None)
        return part

    def events(self, path):
        """The first events of a stream."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['g1']}{path}", timeout=10) as answer:
            for line in answer:
                if line.startswith(b"data:"):
                    yield from json.loads(line[5:])

    def test_it_answers_as_the_plant_does_and_takes_no_more(self):
        codes = self.codes()
        self.assertGreater(len(codes), 3)
        kabuto.until(lambda: self.codes("g1") == codes, "all instruments to be listed")
        self.assertEqual(self.taken(), set())
        first = codes[0]
        for path in (f"/v1/quotes/{first}", f"/v1/books/{first}?levels=50", f"/v1/trades/{first}?limit=20"):
            status, here = self.get("g1", path)
            self.assertEqual(status, 200, here)
            self.assertIsNone(here["stale"], path)
            there = self.get("p1", path)[1]
            self.assertEqual(self.plain(here), self.plain(there))
        self.assertEqual(self.taken(), {f"px.XTKS.p1.i.{first}"})
        status, quotes = self.get("g1", f"/v1/quotes?instruments={codes[1]},{codes[2]}")
        self.assertEqual([one["stale"] for one in quotes["quotes"]], [None, None])
        self.assertEqual(len(self.taken()), 3)

        # It goes on, while somebody asks.
        self.exchange.publish(14_000)
        kabuto.until(lambda: self.get("p1", "/v1/status")[1]["sources"][0]["seq"] >= 14_000, "p1 at 14,000")
        for code in codes[:3]:
            kabuto.until(
                lambda: self.plain(self.get("g1", f"/v1/quotes/{code}")[1])
                == self.plain(self.get("p1", f"/v1/quotes/{code}")[1]), f"{code} to be as at p1")
        # What nobody asks for any more isn't taken any more.
        kabuto.until(lambda: self.taken() == set(), "nothing to be taken", seconds=60)

    def test_a_stream_wants_and_follows(self):
        code = self.codes()[0]
        events = self.events(f"/v1/events?channel=quotes&instruments={code}&interval=50")
        for event in events:
            if event["type"] == "snapshot" and event["stale"] is None:
                break
        at = event["seq"]
        self.exchange.publish(16_000)
        for event in events:
            self.assertNotEqual(event["type"], "stale", event)
            if event["type"] == "update":
                self.assertGreater(event["seq"], at)
                break

    def test_all_of_a_market_is_refused(self):
        status, problem = self.get("g1", "/v1/quotes")
        self.assertEqual((status, problem["type"].rsplit("/")[-1].rsplit(":")[-1]), (400, "whole-market"), problem)
        self.assertIn("interest: clients", problem["detail"])
        event = next(self.events("/v1/events?channel=quotes&instruments=*"))
        self.assertEqual((event["type"], event["code"]), ("error", "whole_market"))
        wrong = kabuto.run("serve", "--estate", self.write("other.yaml", "gateway, store"), "--node", "g2")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("interest: clients and the role store", wrong.stderr)

    def test_what_nobody_refreshed_is_never_live(self):
        codes = self.codes()
        kabuto.until(lambda: self.codes("g1") == codes, "all instruments to be listed")
        self.processes["p1"].kill()
        self.processes["p1"].wait()
        begin = time.monotonic()
        status, quote = self.get("g1", f"/v1/quotes/{codes[0]}")
        self.assertLess(time.monotonic() - begin, 8)
        self.assertEqual(status, 200)
        self.assertIn(quote["stale"]["reason"], ("recovering", "silent"))
        self.assertIsNone(quote["bid"])
        self.assertIsNone(quote["last"])
        status, book = self.get("g1", f"/v1/books/{codes[0]}")
        self.assertEqual((book["bids"], book["asks"]), ([], []))
        self.assertIsNotNone(book["stale"])


if __name__ == "__main__":
    unittest.main()
