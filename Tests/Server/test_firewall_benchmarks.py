"""What the firewall's measurements rest on: requests that are the same by the same seed and differ among themselves,
copies of rules in which nothing is shared, a comparison that notices a missing rule. No figure is judged here."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "Benchmarks", "Firewall")
sys.path[:0] = [HERE, FOLDER, os.path.join(FOLDER, "..")]

import corpora
import differential
import injectable
import rulesets

DATA = corpora.test_data()


def read(path):
    """Lines that are neither empty nor comments."""
    with open(path, errors="replace") as lines:
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


class Requests(unittest.TestCase):
    def test_a_seed_makes_the_same_mix_and_no_value_comes_twice(self):
        cases = [case for case in corpora.CASES if case != "upload"]
        first = list(corpora.mix(20, 7, cases))
        self.assertEqual(first, list(corpora.mix(20, 7, cases)))
        self.assertEqual(len({corpora.raw(one) for one in first}), len(first))
        self.assertNotEqual(first, list(corpora.mix(20, 8, cases)))

    def test_the_cases_are_as_large_as_said(self):
        sizes = {one["case"]: len(corpora.body(one)) for one in corpora.mix(1, 1)}
        self.assertEqual(sizes["json"], 32768)
        self.assertEqual(sizes["form"], 4096)
        self.assertGreater(sizes["upload"], 2_000_000)
        page = next(corpora.mix(1, 1, ["quotes"]))
        self.assertEqual(dict(page["headers"])["Cookie"].count("; "), 21)
        json.loads(corpora.body(next(corpora.mix(1, 1, ["json"]))))

    def test_an_expectation_is_met_or_not(self):
        self.assertTrue(corpora.passes({"log": 'id "942100"'}, "942100-1", [942100]))
        self.assertFalse(corpora.passes({"log": 'id "942100"'}, "942100-1", [942110]))
        self.assertFalse(corpora.passes({"no_log": 'id "942100"'}, "942100-1", [942100]))
        self.assertFalse(corpora.passes({"status": [403]}, "920100-4", [911100]))
        self.assertTrue(corpora.passes({"status": [403]}, "920100-4", [920100]))

    def test_mutations_are_the_same_by_the_same_seed(self):
        requests = list(corpora.mix(5, 1, ["get", "form", "attack", "json"]))
        first = list(differential.mutations(requests, 300, 3))
        self.assertEqual(first, list(differential.mutations(requests, 300, 3)))
        self.assertEqual(len({one["id"] for one in first}), 300)
        kinds = {kind for one in first for kind in one["id"].rsplit("~", 1)[1].split("+")}
        self.assertEqual(kinds, {*differential.CHANGES, "move"})
        self.assertGreater(len({corpora.raw(one) for one in first}), 280)
        for one in first:
            self.assertNotRegex(one["uri"], r"[\r\n\t ]")
            size = dict((name.lower(), value) for name, value in one["headers"]).get("content-length")
            if size is not None:
                self.assertEqual(int(size), len(corpora.body(one)))


class Copies(unittest.TestCase):
    def test_words_change_and_the_rest_stays(self):
        for pattern, wanted in (
            (r"(?i:union\s+select)", r"(?i:unionX\s+selectX)"), (r"colou?r", r"coloXu?r"), (r"\bfoo\x41bar[abc]{2,3}baz", r"\bfooX\x41barX[abc]{2,3}bazX"),
            (r"[^]abcd]+|\d", r"(?:[^]abcd]+|\d)|Xword"), (r"(?<name>word)", r"(?<name>wordX)"),
        ):
            self.assertEqual(rulesets.changed_pattern(pattern, "X"), wanted)
            re.compile(wanted.replace("(?<name>", "(?P<name>"))

    @unittest.skipUnless(os.path.isdir(os.path.join(DATA, "crs-3.3", "rules")), "the test data is not there")
    def test_a_copy_shares_no_number_word_or_variable(self):
        rules = os.path.join(DATA, "crs-3.3", "rules")
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        rulesets.copy(rules, folder, 1)

        def found(where, pattern):
            lines = [line for path in glob.glob(os.path.join(where, "*.conf")) for line in read(path)]
            return {one for line in lines for one in re.findall(pattern, line)}

        for pattern in (r"\bid:'?(\d+)", r"setvar:'?tx\.([a-z_][\w-]*)", r"SecMarker\s+[\"']?([\w-]+)"):
            own, copied = found(rules, pattern), found(folder, pattern)
            self.assertGreater(len(own), 10)
            self.assertFalse(own & copied, pattern)
        for path in glob.glob(os.path.join(rules, "*.data")):
            own, copied = (set(read(where)) for where in (path, os.path.join(folder, os.path.basename(path))))
            self.assertEqual(len(own), len(copied))
            self.assertFalse(own & copied)


class InjectableApplication(unittest.TestCase):
    def test_only_what_changes_the_structure_counts(self):
        for value, wanted in (("7203", False), ("any word", False), ("it''s", False), ("7203' OR '1'='1", True), ("'", True), ("7203'--", True)):
            self.assertEqual(injectable.differs("query", injectable.STATEMENTS["query"].format(value)), wanted, value)
        for value, wanted in (("1", False), ("22", False), ("1 OR 1=1", True), ("(1)", True)):
            self.assertEqual(injectable.differs("cookie", injectable.STATEMENTS["cookie"].format(value)), wanted, value)


@unittest.skipUnless(
    shutil.which("g++") and os.path.exists("/usr/include/modsecurity/modsecurity.h") and not rulesets.missing() and os.path.isdir(os.path.join(DATA, "crs-3.3-tests")),
    "libmodsecurity's development files, its configuration or the test data are not there")
class Differential(unittest.TestCase):
    def compare(self, *more):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "requests.jsonl")
            corpora.write(corpora.mix(10, 1, ["get", "form", "attack"]), path)
            return subprocess.run([sys.executable, os.path.join(FOLDER, "differential.py"), path, "--against", "peer", "--count", "100", "--paranoia", "1", "--exceptions", os.path.join(folder, "none"),
                                   "--out", os.path.join(folder, "out"), *more], capture_output=True, text=True, timeout=300, env={**os.environ, "KABUTO_BENCH_TOOLS": os.path.join(folder, "tools")})

    def test_libmodsecurity_agrees_with_itself(self):
        done = self.compare()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"differing": 0', done.stdout)

    def test_a_missing_rule_is_noticed(self):
        done = self.compare("--canary", "942100")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn('"rule": 942100, "only": "peer"', done.stdout)


if __name__ == "__main__":
    unittest.main()
