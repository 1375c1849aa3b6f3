"""`kabuto drill` against two real servers of the same feed: what it does, when it refuses, and that it takes faults back.

    python -m unittest -v Tests/Server/test_drill.py
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from urllib.parse import quote

import kabuto
import lines


class Pair:
    """Two servers that hear the same lines, and an exchange that sends on and on."""

    def __init__(self):
        path = kabuto.simulated_file()
        self.exchange = lines.Exchange(lines.messages_of(path), multicast=True)
        source = self.exchange.source(reference=quote(path + ".reference.json"))
        self.servers = [kabuto.Server(source, options=["--firewall", "off"]) for _ in range(2)]
        named = ",".join(f"{server.url}#node=gw-{number + 1}" for number, server in enumerate(self.servers))
        for server in self.servers:
            server.options += ["--endpoints", named]
            server.start(ready=False)
        self.ending = self.pausing = False
        self.feeder = threading.Thread(target=self.feed, daemon=True)
        self.feeder.start()
        for server in self.servers:
            kabuto.until(lambda: server.answers("/health/ready"), "readiness")

    def feed(self):
        self.exchange.publish(through=15_000, pause=0.0002)
        while not self.ending and self.exchange.next < len(self.exchange.messages):
            if not self.pausing:
                self.exchange.publish(through=min(len(self.exchange.messages), self.exchange.next + 2))
            time.sleep(0.012)  # lasts longer than all tests: without values nothing is begun

    def end(self):
        self.ending = True
        self.feeder.join()
        for server in self.servers:
            if server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
            server.end()
        self.exchange.close()


class Drills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pair = Pair()
        cls.addClassCleanup(cls.pair.end)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kabuto-drill-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.data = os.path.join(self.folder, "data")

    def write(self, **drill):
        drill = {"name": "practice", "node": "gw-1", "calm": "500ms", "hold": "2s", "settle": "5s", "outage": "2s", **drill}
        nodes = {
            f"gw-{number + 1}": {"url": server.url, "roles": ["gateway"]} for number, server in enumerate(self.pair.servers)
        }
        file = os.path.join(self.folder, "drills.yaml")
        with open(file, "w", encoding="utf-8") as out:
            json.dump(
                {"nodes": nodes, "drills": [drill],
                 "commands": {"out-of-service": {"inject": "kill -USR1 {pid}", "heal": "kill -USR2 {pid}"}}}, out)
        return file

    def drill(self, file, *more, status=0):
        ended = kabuto.run("drill", file, "--data", self.data, *more)
        self.assertEqual(ended.returncode, status, ended.stderr)
        return ended

    def history(self):
        return json.loads(kabuto.run("drill", "history", "--data", self.data, "--json").stdout)["runs"]

    def assertWell(self):
        for server in self.pair.servers:
            kabuto.until(lambda: server.answers("/health/ready"), "readiness")

    def test_the_plan_is_printed_and_nothing_is_done(self):
        ended = self.drill(self.write(fault="out-of-service"))
        self.assertIn("kill -USR1 {pid}", ended.stderr)
        self.assertIn("Nothing was done", ended.stderr)
        self.assertFalse(os.path.exists(self.data))

    def test_out_of_service_passes_and_is_kept(self):
        ended = self.drill(self.write(fault="out-of-service"), "--apply", "--json")
        (run,) = json.loads(ended.stdout)["runs"]
        self.assertEqual((run["outcome"], run["errors"], run["isFaulted"]), ("passed", [], False))
        self.assertGreaterEqual(run["changes"], 1)
        print(f"    out of service: longest silence {run['longestOutageNanoseconds'] / 1e6:.0f} ms")
        self.assertEqual(self.history(), [run])
        self.assertWell()

    def test_frozen_passes(self):
        self.drill(self.write(fault="freeze"), "--apply")
        (run,) = self.history()
        self.assertEqual(run["outcome"], "passed")
        print(f"    frozen: longest silence {run['longestOutageNanoseconds'] / 1e6:.0f} ms")
        self.assertWell()

    def test_a_killed_server_is_started_again(self):
        server = self.pair.servers[0]
        killed = server.process
        # Who runs the servers starts it: here this test, when it is told to.
        order = os.path.join(self.folder, "start")
        process = self.start(
            self.write(fault="kill", inject="kill -KILL {pid}", heal=f"touch {order}", settle="60s"))
        self.addCleanup(process.stderr.close)

        def await_step(done, name):
            kabuto.until(lambda: done() or process.poll() is not None, name)
            if not done():
                self.fail(f"ended with {process.returncode}: {process.stderr.read()}")

        try:
            await_step(lambda: killed.poll() is not None, "the kill")
            self.assertEqual(killed.returncode, -signal.SIGKILL)
            self.assertTrue(self.pair.servers[1].answers("/health/ready"))
            await_step(lambda: os.path.exists(order), "the order to start it again")
        finally:
            if killed.poll() is not None:
                server.start(ready=False)
        self.assertEqual(process.wait(120), 0, process.stderr.read())
        self.assertNotEqual(server.process.pid, killed.pid)
        (run,) = self.history()
        self.assertEqual((run["outcome"], run["errors"], run["isFaulted"]), ("passed", [], False))
        print(f"    killed: longest silence {run['longestOutageNanoseconds'] / 1e6:.0f} ms")
        self.assertWell()

    def test_a_killed_server_that_nobody_starts_fails_the_drill(self):
        server = self.pair.servers[0]
        ended = self.drill(
            self.write(fault="kill", inject="kill -KILL {pid}", heal="true", settle="2s"), "--apply", status=1)
        try:
            self.assertIn("gw-1", ended.stderr)
            (run,) = self.history()
            self.assertEqual(run["outcome"], "failed")
        finally:
            server.process.wait()
            server.start(ready=False)
        self.assertWell()

    def test_a_client_that_sees_it_ends_the_fault_and_stands_in_the_way_of_the_next(self):
        # Both are frozen: nobody can go elsewhere.
        pids = " ".join(str(server.process.pid) for server in self.pair.servers)
        file = self.write(fault="command", hold="1h", inject=f"kill -STOP {pids}", heal=f"kill -CONT {pids}")
        ended = self.drill(file, "--apply", status=1)
        self.assertIn("taking it back", ended.stderr)
        (run,) = self.history()
        self.assertEqual((run["outcome"], run["isFaulted"]), ("failed", False))
        self.assertWell()
        refused = self.drill(file, "--apply", status=1)
        self.assertIn("the last drill did not pass", refused.stderr)
        acknowledged = kabuto.run("drill", "acknowledge", run["id"], "--data", self.data)
        self.assertEqual(acknowledged.returncode, 0, acknowledged.stderr)
        self.drill(self.write(fault="out-of-service"), "--apply")

    def test_a_degraded_estate_is_left_alone(self):
        second = self.pair.servers[1].process
        second.send_signal(signal.SIGUSR1)
        try:
            kabuto.until(lambda: self.pair.servers[1].get("/health/ready").status == 503, "out of service")
            ended = self.drill(self.write(fault="freeze"), "--apply", status=1)
            self.assertIn("gw-2 is not ready", ended.stderr)
            self.assertEqual(self.history()[0]["outcome"], "refused")
        finally:
            second.send_signal(signal.SIGUSR2)
        self.assertWell()

    def start(self, file):
        return subprocess.Popen(
            [kabuto.BINARY, "drill", file, "--data", self.data, "--apply"], stderr=subprocess.PIPE, text=True, env=kabuto.ENVIRONMENT)

    def await_fault(self, process):
        """Until the fault is there; where the drill ends without it, what it said is the failure."""
        kabuto.until(lambda: self.is_frozen() or process.poll() is not None, "the fault")
        if process.poll() is not None:
            self.fail(f"ended with {process.returncode}: {process.stderr.read()}")

    def is_frozen(self):
        with open(f"/proc/{self.pair.servers[0].process.pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "T"

    def test_its_operator_ends_it_and_the_fault_is_taken_back(self):
        process = self.start(self.write(fault="freeze", hold="1h", outage="10s"))
        self.addCleanup(process.stderr.close)
        self.await_fault(process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 1)
        self.assertFalse(self.is_frozen())
        self.assertEqual(self.history()[0]["outcome"], "failed")
        self.assertWell()

    def test_cut_off_it_is_taken_back_by_the_next_run(self):
        file = self.write(fault="freeze", hold="1h", outage="10s")
        process = self.start(file)
        self.addCleanup(process.stderr.close)
        self.await_fault(process)
        process.kill()
        process.wait()
        self.assertTrue(self.is_frozen())
        ended = self.drill(self.write(fault="freeze"), "--apply")
        self.assertIn("was cut off", ended.stderr)
        self.assertFalse(self.is_frozen())
        self.assertEqual([run["outcome"] for run in self.history()], ["healed late", "passed"])

    def test_a_second_drill_is_kept_away_and_a_hang_up_takes_the_fault_back(self):
        file = self.write(fault="freeze", hold="1h", outage="10s")
        process = self.start(file)
        self.addCleanup(process.stderr.close)
        self.await_fault(process)
        second = self.drill(file, "--apply", status=2)
        self.assertIn(f"another drill is running here (process {process.pid})", second.stderr)
        self.assertEqual(kabuto.run("drill", "acknowledge", "x", "--data", self.data).returncode, 2)
        self.assertTrue(self.is_frozen())
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(60), 1)
        self.assertFalse(self.is_frozen())
        (run,) = self.history()
        self.assertEqual((run["outcome"], run["target"]["pid"]), ("failed", self.pair.servers[0].process.pid))
        self.assertWell()

    def test_a_slow_command_does_not_delay_the_end_and_is_ended_with_all_it_began(self):
        pids = " ".join(str(server.process.pid) for server in self.pair.servers)
        mark = os.path.join(self.folder, "mark")
        file = self.write(fault="command", outage="1s", inject=f"kill -STOP {pids}; (sleep 10; touch {mark}) & sleep 10",
                          heal=f"kill -CONT {pids}")
        begun = time.monotonic()
        ended = self.drill(file, "--apply", status=1)
        self.assertIn("(it was ended)", ended.stderr)
        self.assertEqual(self.history()[0]["isFaulted"], False)
        self.assertWell()
        time.sleep(max(0, 11 - (time.monotonic() - begun)))
        self.assertFalse(os.path.exists(mark))

    def test_beats_without_values_are_an_outage(self):
        # The exchange says nothing more: both gateways go on beating.
        self.pair.pausing = True
        try:
            ended = self.drill(self.write(fault="freeze", calm="1h", outage="1s"), "--apply", status=1)
        finally:
            self.pair.pausing = False
        self.assertIn("client: outage: no value of", ended.stderr)
        self.assertEqual(self.history()[0]["outcome"], "refused")
        self.assertWell()

    def test_where_no_gateway_accepts_it_is_told(self):
        out = " ".join(str(server.process.pid) for server in self.pair.servers)
        file = self.write(fault="command", outage="60s", hold="1h", inject=f"kill -USR1 {out}", heal=f"kill -USR2 {out}")
        ended = self.drill(file, "--apply", status=1)
        self.assertEqual(self.history()[0]["outcome"], "failed")
        self.assertIn("taking it back", ended.stderr)
        self.assertWell()

    def test_a_line_that_was_cut_off_costs_no_other(self):
        os.makedirs(self.data)
        path = os.path.join(self.data, "drills.jsonl")
        file = self.write(fault="freeze")
        self.drill(file, "--apply")
        with open(path, "rb+") as history:
            whole = history.read()
            history.seek(0, os.SEEK_END)
            history.write(whole.splitlines(True)[0][:40])
        self.drill(file, "--apply")
        self.assertEqual([run["outcome"] for run in self.history()], ["passed", "passed"])
        with open(path, "rb+") as history:  # A whole record whose end alone is missing is kept.
            history.truncate(os.path.getsize(path) - 1)
        self.drill(file, "--apply")
        self.assertEqual([run["outcome"] for run in self.history()], ["passed"] * 3)

    def test_a_bad_file_is_told_with_all_its_faults(self):
        file = os.path.join(self.folder, "bad.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(
                "nodes:\n  a: {url: 'ftp://x', pid: 1}\ndrills:\n  - {name: x, fault: explode, node: a}\n"
                "  - {name: y, fault: freeze, node: b, hold: soon}\n")
        ended = kabuto.run("drill", file)
        self.assertEqual(ended.returncode, 2)
        for text in (":2: ", "\"explode\" found", "\"soon\" found", "node \"b\" found, wanted one of a", "wanted http://HOST:PORT",
                     "pid: wanted url or roles", "roles: nothing found"):
            self.assertIn(text, ended.stderr)
        self.assertEqual(kabuto.run("drill", os.path.join(self.folder, "none.yaml")).returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
