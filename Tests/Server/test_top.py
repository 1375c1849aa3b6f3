"""`kabuto top`: a server's service and figures, and every node of an estate.

    python -m unittest -v Tests/Server/test_top.py
"""

import os
import shutil
import signal
import tempfile
import unittest

import kabuto


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = kabuto.Server("sim:seed=7&speed=20&instruments=5", options=["--firewall", "off"]).start()
        cls.addClassCleanup(cls.server.end)

    def test_out_of_service_is_shown(self):
        shown = kabuto.run("top", self.server.url, "--once", "--interval", "0.2")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertNotIn("OUT OF SERVICE", shown.stdout)
        self.server.process.send_signal(signal.SIGUSR1)
        try:
            kabuto.until(lambda: self.server.json("/v1/status")["service"]["state"] == "out", "out of service")
            shown = kabuto.run("top", self.server.url, "--once", "--interval", "0.2")
            self.assertIn("OUT OF SERVICE: taken out of service by the operator", shown.stdout)
        finally:
            self.server.process.send_signal(signal.SIGUSR2)
        kabuto.until(lambda: self.server.answers("/health/ready"), "readiness")

    def test_every_node_of_an_estate_is_asked(self):
        folder = tempfile.mkdtemp(prefix="kabuto-top-")
        self.addCleanup(shutil.rmtree, folder, True)
        file = os.path.join(folder, "estate.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(
                f"""estate: pair
version: 4
markets:
  - {{code: XTKS, feed: "sim:", time_zone: Asia/Tokyo}}
sites:
  - {{name: here, zones: [a, b]}}
links:
  - {{name: ab, between: [a, b], latency_ms: 1}}
backbone:
  servers:
    - {{name: nats, zone: a, rail: a, address: 127.0.0.1}}
nodes:
  - {{name: one, zone: a, address: 127.0.0.1, port: {self.server.port}, roles: [plant, gateway]}}
  - {{name: two, zone: b, address: 127.0.0.1, port: {kabuto.free_port()}, roles: [plant, gateway]}}
""")
        shown = kabuto.run("top", "--estate", file, "--once")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        lines = {line.split()[0]: line for line in shown.stdout.splitlines() if line.strip()}
        self.assertIn("estate pair, version 4", shown.stdout)
        self.assertIn("ready", lines["one"])
        self.assertIn("XTKS", lines["one"])
        self.assertIn("silent", lines["two"])
        self.assertIn("no answer", lines["two"])
        self.assertEqual(kabuto.run("top", "--estate", file, "--json").returncode, 64)


if __name__ == "__main__":
    unittest.main(verbosity=2)
