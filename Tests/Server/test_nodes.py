"""The nodes of an estate as processes: two plants on the same multicast lines, two gateways that merge them over two
message servers that share nothing. Every node says the same of the market, also after a plant was killed and came back;
what an operator tells nodes; what is said of a wrong estate or node."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import kabuto
from lines import Exchange, messages_of

NATS = shutil.which("nats-server") or shutil.which("/usr/sbin/nats-server")

ESTATE = """
estate: nodes-test
version: 1
markets:
  - code: XTKS
    feed: "{feed}"
    time_zone: Asia/Tokyo
    reference: {reference}
sites:
  - {{name: s, zones: [za, zb]}}
links:
  - {{name: ab, between: [za, zb], latency_ms: 1}}
backbone:
  servers:
    - {{name: ma, zone: za, rail: a, address: 127.0.0.1, port: {a}, monitor_port: {ma}}}
    - {{name: mb, zone: zb, rail: b, address: 127.0.0.2, port: {b}, monitor_port: {mb}}}
nodes:
  - {{name: p1, zone: za, address: 127.0.0.1, port: {p1}, roles: [plant]}}
  - {{name: p2, zone: zb, address: 127.0.0.1, port: {p2}, roles: [plant]}}
  - {{name: g1, zone: za, address: 127.0.0.1, port: {g1}, roles: [gateway], streams: 2}}
  - {{name: g2, zone: zb, address: 127.0.0.1, port: {g2}, roles: [gateway]}}
"""


class Estate:
    """The processes of the estate above."""

    def __init__(self, feed):
        self.folder = tempfile.mkdtemp(prefix="kabuto-nodes-")
        self.ports = {name: kabuto.free_port() for name in ("a", "b", "ma", "mb", "p1", "p2", "g1", "g2")}
        self.file = os.path.join(self.folder, "estate.yaml")
        with open(self.file, "w") as file:
            file.write(ESTATE.format(feed=feed, reference=kabuto.simulated_file() + ".reference.json", **self.ports))
        self.processes = {}
        for server in ("ma", "mb"):
            made = kabuto.run("estate", "servers", self.file, "--server", server)
            assert made.returncode == 0, made.stderr
            path = os.path.join(self.folder, server + ".conf")
            with open(path, "w") as file:
                file.write(made.stdout)
            self.begin(server, [NATS, "-c", path])
        for node in ("p1", "p2", "g1", "g2"):
            self.serve(node)

    def begin(self, name, command):
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=kabuto.ENVIRONMENT)

    def serve(self, node):
        self.begin(node, [kabuto.BINARY, "serve", "--estate", self.file, "--node", node])

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def close(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, node, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[node]}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except (urllib.error.URLError, OSError):
            return 0, {}

    def sequence(self, node):
        status, answer = self.get(node, "/v1/status")
        return answer["sources"][0]["seq"] if status == 200 and answer["sources"] else -1

    def market(self, node):
        """All that a node says of prices, but for when."""
        quotes = self.get(node, "/v1/quotes?limit=1000")[1].get("quotes", [])
        state = {}
        for quote in quotes:
            book = self.get(node, f"/v1/books/{quote['instrument']}?levels=50")[1]
            trades = self.get(node, f"/v1/trades/{quote['instrument']}?limit=40")[1].get("trades")
            for part in (quote, book):
                for name in ("seq", "time", "rx"):
                    part.pop(name, None)
            state[quote["instrument"]] = (quote, book, trades)
        return state


@unittest.skipUnless(NATS, "nats-server is not installed")
class Nodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.messages = messages_of(kabuto.simulated_file())[:20_000]

    def setUp(self):
        self.exchange = Exchange(self.messages, multicast=True)
        self.addCleanup(self.exchange.close)
        self.estate = Estate(self.exchange.source())
        self.addCleanup(self.estate.close)
        for node in ("p1", "p2", "g1", "g2"):
            kabuto.until(lambda: self.estate.get(node, "/health/live")[0] == 200, f"{node} to live")

    def publish(self, through):
        self.exchange.publish(through)

    def all_reach(self, number, nodes=("p1", "p2", "g1", "g2")):
        for node in nodes:
            kabuto.until(lambda: self.estate.sequence(node) >= number, f"{node} at {number}")

    def assert_all_say_the_same(self, nodes=("p1", "p2", "g1", "g2")):
        for node in nodes[1:]:
            kabuto.until(
                lambda: self.estate.market(nodes[0]) == self.estate.market(node), f"{node} to say what {nodes[0]} says")

    def test_every_node_says_the_same(self):
        self.publish(6_000)
        self.all_reach(6_000)
        self.assert_all_say_the_same()
        self.assertGreater(len(self.estate.market("g1")), 3)

        self.estate.kill("p1")
        self.publish(10_000)
        self.all_reach(10_000, ("p2", "g1", "g2"))
        self.assert_all_say_the_same(("p2", "g1", "g2"))
        for gateway in ("g1", "g2"):
            kabuto.until(
                lambda: not any(
                    path["used"] for path in self.estate.get(gateway, "/v1/status")[1]["paths"]
                    if path["stream"] == "p1"),
                f"{gateway} to leave p1")

        # Without a store, it begins anew: what it missed it asks of the other plant or the request server.
        self.estate.serve("p1")
        self.publish(14_000)
        self.all_reach(14_000)
        self.assert_all_say_the_same()

        # One network of message servers less: a copy less.
        self.estate.kill("ma")
        self.publish(18_000)
        self.all_reach(18_000)
        self.assert_all_say_the_same()

    def test_an_operator_takes_nodes_out(self):
        self.publish(2_000)
        self.all_reach(2_000)
        listed = kabuto.until(
            lambda: (lambda done: done if done.returncode == 0 else None)(
                kabuto.run("node", "list", "--estate", self.estate.file, "--json")),
            "all nodes to be heard and well")
        self.assertEqual([line["node"] for line in json.loads(listed.stdout)], ["p1", "p2", "g1", "g2"])

        def command(word, node):
            return kabuto.run("node", word, node, "--estate", self.estate.file)

        kabuto.until(lambda: command("out", "g1").returncode == 0, "g1 to leave")
        status, ready = self.estate.get("g1", "/health/ready")
        self.assertEqual(status, 503, ready)
        refused = command("out", "g2")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("last", refused.stdout)
        self.assertEqual(command("in", "g1").returncode, 0)
        kabuto.until(lambda: self.estate.get("g1", "/health/ready")[0] == 200, "g1 to serve again")
        nobody = command("out", "g3")
        self.assertEqual(nobody.returncode, 2)
        self.assertIn("wanted one of p1, p2, g1, g2", nobody.stderr)

    def test_the_page_knows_every_node_and_the_rails_are_accounted(self):
        self.publish(2_000)
        self.all_reach(2_000)

        def states(node="g1"):
            return {one["name"]: one["state"] for one in self.estate.get(node, "/v1/estate")[1]["nodes"]}

        # The first answer after a time without looks knows all.
        self.assertNotIn("unknown", states("p2").values())
        kabuto.until(lambda: set(states().values()) == {"ready"}, "every node to be ready")
        self.assertEqual(kabuto.run("node", "out", "g2", "--estate", self.estate.file).returncode, 0)
        kabuto.until(lambda: states()["g2"] == "out of service", "g2 to be out on g1's page")
        self.assertEqual(kabuto.run("node", "in", "g2", "--estate", self.estate.file).returncode, 0)
        kabuto.until(lambda: states()["g2"] == "ready", "g2 to be back on g1's page")
        self.estate.kill("p2")
        kabuto.until(lambda: states()["p2"] == "silent", "p2 to be silent on g1's page")
        listed = kabuto.run("node", "list", "--estate", self.estate.file, "--json")
        self.assertEqual(listed.returncode, 1)
        lines = {line["node"]: line for line in json.loads(listed.stdout)}
        self.assertEqual([name for name, line in lines.items() if not line["heard"]], ["p2"])
        self.assertEqual(lines["g1"]["beat"]["service"], "in-service")

        rails = self.estate.get("g1", "/v1/status")[1]["rails"]
        self.assertEqual([rail["rail"] for rail in rails], ["a", "b"])
        for rail in rails:
            self.assertTrue(rail["connected"], rail)
            systems = {system["system"]: system for system in rail["systems"]}
            for system in ("px", "beat", "node"):
                self.assertGreater(systems[system]["bytes_in"], 0, system)
            self.assertGreater(systems["node"]["bytes_out"], 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.estate.ports['g1']}/metrics", timeout=10) as answer:
            self.assertIn('kabuto_bus_bytes_total{direction="in",rail="a",system="px"} ', answer.read().decode())
        shown = kabuto.run("top", "--estate", self.estate.file, "--once").stdout
        self.assertRegex(shown, r"(?m)^a +px +")

    def test_wrong_names_are_told(self):
        wrong = kabuto.run("serve", "--estate", self.estate.file, "--node", "p11")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean p1", wrong.stderr)
        none = kabuto.run("serve", "--estate", self.estate.file)
        self.assertEqual(none.returncode, 2)
        self.assertIn("Give --node NAME", none.stderr)
        alone = kabuto.run("serve", "--node", "p1")
        self.assertEqual(alone.returncode, 2)
        self.assertIn("--estate", alone.stderr)


if __name__ == "__main__":
    unittest.main()
