"""What scripts rely on: members of the reports in JSON, and options that `check`, `scan` and `watch` share.

    python -m unittest -v Tests/Server/test_govern_shapes.py
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import findings
import kabuto
import live_account

COUNTS = {"status", "passed", "failed", "unknown", "skipped"}


class TheShapes(unittest.TestCase):
    def setUp(self):
        self.history = findings.History()
        self.addCleanup(self.history.end)
        self.history.write("web.json", open_groups=1, unknown_buckets=1)

    def test_check(self):
        report = json.loads(self.history.check(data=False).stdout)
        self.assertEqual(COUNTS | {"excepted", "inputs", "findings", "omitted", "faults", "notes", "cost"}, set(report))
        self.assertEqual(("FAIL", 1, 1, 0), (report["status"], report["failed"], report["unknown"], report["excepted"]))
        self.assertEqual({"cpu_seconds", "resident_bytes"}, set(report["cost"]))
        *lines, last = map(json.loads, self.history.check(form="lines", data=False).stdout.splitlines())
        self.assertEqual(COUNTS | {"inputs", "findings", "faults", "cost"}, set(last))
        self.assertEqual((len(lines), report["failed"], report["unknown"]), (last["findings"], last["failed"], last["unknown"]))

    @unittest.skipIf(live_account.MISSING, live_account.MISSING)
    def test_scan(self):
        moto = live_account.Moto()
        self.addCleanup(moto.end)
        gate = live_account.Gate(moto.port)
        self.addCleanup(gate.end)
        moto.client("ec2", "eu-west-1").create_volume(AvailabilityZone="eu-west-1a", Size=8, Encrypted=False)
        for options in (("--format", "json"), ("--json",)):
            found = findings.scan(self.history, gate, "--regions", "eu-west-1", *options)
            report = json.loads(found.stdout)
            self.assertEqual(
                COUNTS | {"excepted", "regions", "resources", "calls", "throttled", "saved", "findings", "faults", "notes"}, set(report))
            self.assertGreaterEqual(report["failed"], 1)

    def test_shared_options_say_the_same_where_they_are_wrong(self):
        for command in (("check", "--input", "x"), ("scan",), ("watch", "--events", "x")):
            for options, wanted in ((("--notify", "file:x"), "--notify needs --data"), (("--keep-days", "0"), "--keep-days: wanted 1 to 36500")):
                with self.subTest(command[0], options=options):
                    found = kabuto.run("govern", *command, "--rules", self.history.rules, *options)
                    self.assertEqual(64, found.returncode, found.stderr)
                    self.assertIn(wanted, found.stderr)
            for options in (("--exceptions", "/nowhere.yaml"), ("-i", "/nowhere.yaml"), ("--input-parameters", "/nowhere.yaml")):
                with self.subTest(command[0], options=options):
                    found = kabuto.run("govern", *command, "--rules", self.history.rules, *options)
                    self.assertEqual(2, found.returncode, found.stderr)
                    self.assertIn("/nowhere.yaml", found.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
