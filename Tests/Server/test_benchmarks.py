"""The benchmarks still run: every script tells its options, the builders of books agree on a small market, a wrong book is
noticed, and the plots find what was measured. No figure is judged here."""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kabuto import BINARY

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Benchmarks")
SCRIPTS = sorted(path for path in glob.glob(os.path.join(FOLDER, "*.py")) if os.path.basename(path) not in ("bench.py", "manyorders.py"))


def run(script, *arguments, folder=None):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KABUTO_")}
    if folder:
        environment["KABUTO_BENCH_TOOLS"] = os.path.join(folder, "tools")
    return subprocess.run(
        [sys.executable, os.path.join(FOLDER, script), *arguments], capture_output=True, text=True, timeout=300, env=environment)


class Benchmarks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def test_every_script_tells_its_options(self):
        self.assertGreaterEqual(len(SCRIPTS), 10)
        for path in SCRIPTS:
            with self.subTest(os.path.basename(path)):
                done = run(os.path.basename(path), "--help")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("--results", done.stdout)

    @unittest.skipUnless(shutil.which("g++"), "g++ is not installed")
    def test_the_builders_agree_on_a_small_market(self):
        results = os.path.join(self.folder, "results")
        done = run("books.py", "--kabuto", BINARY, "--tiny", "--peers", "kabuto,cpp-map,cpp-flat", "--results", results, folder=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(results, "books.jsonl")) as lines:
            head, *found = map(json.loads, lines)
        self.assertEqual(head["benchmark"], "books")
        simulated = {one["peer"]: one for one in found if one["file"].startswith("simulated")}
        self.assertEqual(set(simulated), {"kabuto", "cpp-map", "cpp-flat"})
        self.assertEqual(len({one["books"] for one in simulated.values()}), 1)
        for one in found:
            self.assertTrue(one["equal"], one)
            self.assertGreater(one["ns_per_message"], 0)

    @unittest.skipUnless(shutil.which("nats-server") or shutil.which("/usr/sbin/nats-server"), "nats-server is not installed")
    @unittest.skipUnless(shutil.which("ss"), "ss (iproute2) is not installed")
    def test_what_crosses_between_sites_arrives_whole(self):
        results = os.path.join(self.folder, "results")
        done = run(
            "backbone.py", "--kabuto", BINARY, "--quick", "--parts", "sites", "--far", "0,2", "--results", results, folder=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(results, "backbone.jsonl")) as lines:
            head, *found = map(json.loads, lines)
        self.assertEqual(head["benchmark"], "backbone")
        self.assertEqual(
            {(one["between"], one["far_nodes"]) for one in found},
            {(between, far) for between in ("gateways", "leafnodes") for far in (0, 2)})
        for one in found:
            self.assertTrue(one["equal"], one)
            self.assertGreater(one["frames"], 0)

    def test_rules_find_in_large_inputs_and_accounts_what_was_put_there(self):
        results = os.path.join(self.folder, "results")
        parts = ["growth", "plan", "snapshot"]
        try:
            import moto.server  # noqa: F401

            parts += ["live", "watch"]
        except ImportError:
            pass
        done = run(
            "govern.py", "--kabuto", BINARY, "--quick", "--parts", ",".join(parts), "--checkov", "/nonexistent", "--custodian", "/nonexistent",
            "--prowler", "/nonexistent", "--megabytes", "0.3", "--items", "1000", "--resources", "60", "--results", results, folder=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(results, "govern.jsonl")) as lines:
            head, *found = map(json.loads, lines)
        self.assertEqual(head["benchmark"], "govern")
        self.assertEqual({one["part"] for one in found}, set(parts))
        for one in found:
            self.assertGreater(one["cpu_s"], 0)
        watched = [one for one in found if one["part"] == "watch"]
        self.assertEqual([(one["resources"], one["changes"], one["equal"]) for one in watched], [(20, 5, True), (60, 5, True), (60, 5, True)] * ("watch" in parts))

    def test_a_finding_too_few_is_noticed(self):
        done = subprocess.run(
            [sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); import inputs, govern\n"
             "inputs.RULES = inputs.RULES.replace('== true', '!= 5')\nsys.argv[0] = 'govern.py'\ngovern.main()",
             FOLDER, "--kabuto", BINARY, "--quick", "--parts", "snapshot", "--items", "200"],
            capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": os.path.join(FOLDER, "Govern")})
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("wrong: snapshot", done.stderr)

    def test_a_change_that_is_told_otherwise_is_noticed(self):
        try:
            import moto.server  # noqa: F401
        except ImportError:
            self.skipTest("moto's server is not installed")
        done = subprocess.run(
            [sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); import govern\n"
             "flip = govern.Run.flip\ngovern.Run.flip = staticmethod(lambda port, groups: {group: not is_open for group, is_open in flip(port, groups).items()})\n"
             "sys.argv[0] = 'govern.py'\ngovern.main()",
             FOLDER, "--kabuto", BINARY, "--quick", "--parts", "watch", "--resources", "20", "--events", "2"],
            capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": os.path.join(FOLDER, "Govern")})
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("wrong: watch: 20 resources, rules × 1: 2 looks for 2 changes; told otherwise", done.stderr)

    def test_a_wrong_level_is_noticed(self):
        code = (
            "import sys; sys.argv = ['x']; sys.path.insert(0, sys.orig_argv[-3]); import books; "
            "print(books.differences(sys.orig_argv[-2], sys.orig_argv[-1]))")
        own = os.path.join(self.folder, "own")
        other = os.path.join(self.folder, "other")
        with open(own, "w") as out:
            out.write("A,B,100,5,2\nA,S,200,5,1\n")
        for text, wanted in (
            ("A,B,100,5,2\nA,S,200,5,1\n", "0"), ("A,B,100,5,0\nA,S,200,5,0\n", "0"), ("A,B,100,6,2\nA,S,200,5,1\n", "1"),
            ("A,B,100,5,3\nA,S,200,5,1\n", "1"), ("A,B,100,5,2\n", "1"),
        ):
            with open(other, "w") as out:
                out.write(text)
            done = subprocess.run([sys.executable, "-c", code, FOLDER, own, other], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.stdout.strip(), wanted, (text, done.stderr))

    def test_the_plots_take_the_last_run(self):
        with open(os.path.join(self.folder, "books.jsonl"), "w") as out:
            for figure in (1, 2):
                out.write(json.dumps({"benchmark": "books", "cores": 2}) + "\n")
                out.write(json.dumps({"file": "one", "peer": "kabuto", "ns_per_message": figure}) + "\n")
        done = run("plots.py", "--list", "--results", self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), {"books": [{"file": "one", "peer": "kabuto", "ns_per_message": 2}]})


if __name__ == "__main__":
    unittest.main()
