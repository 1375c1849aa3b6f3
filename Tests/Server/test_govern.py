"""`kabuto govern` as others use it: exit statuses, JSON, SARIF and JUnit for build systems, and the language's own cases.

KABUTO_BIN        the program
KABUTO_TESTDATA   where published rules lie (its folder `governance`, or its neighbour); those tests are skipped without
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

import kabuto

ROOT = pathlib.Path(__file__).resolve().parents[2]

RULES = """
let buckets = Resources.*[ Type == 'AWS::S3::Bucket' ]
rule NAMED when %buckets !empty {
  %buckets.Properties.BucketName == /^company-/ <<
    Violation: a bucket's name says whose it is & "why".
    Fix: begin it with company-
  >>
}
rule VOLUMES { AWS::EC2::Volume { Properties.Encrypted == true } }
"""
GOOD = """
Parameters: {Name: {Type: String}}
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: company-logs
"""
BAD = GOOD.replace("company-logs", "logs")
OPEN = GOOD.replace("company-logs", "!Ref Name")


def data():
    places = [ROOT.parent / "shared" / "governance"]
    given = os.environ.get("KABUTO_TESTDATA")
    if given:
        places = [pathlib.Path(given) / "governance", pathlib.Path(given).parent / "governance"] + places
    return next((place for place in places if (place / "GUARD.md").exists()), None)


DATA = data()


class GovernTestCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.rules = self.write("r.guard", RULES)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def check(self, *inputs, rules=None, options=()):
        return kabuto.run("govern", "check", "--rules", rules or self.rules, "--input", *inputs, *options)


class OutputTest(GovernTestCase):
    """Reports that can't be written, or are read no further."""

    def outcome(self, arguments, output):
        return subprocess.run([kabuto.BINARY, *arguments], stdout=output, stderr=subprocess.PIPE, text=True, timeout=120,
                              env=kabuto.ENVIRONMENT)

    def commands(self):
        check = ["govern", "check", "--rules", self.rules, "--input", self.write("bad.yaml", BAD), "--format"]
        for form in ["text", "json", "lines", "sarif", "junit", "comment", "asff", "ocsf", "csv", "html"]:
            yield [*check, form]
        yield from (["govern", "types"], ["govern", "types", "--json"], ["govern", "check", "--help"], ["--version"])

    def test_a_full_disk_is_told(self):
        for command in self.commands():
            with self.subTest(command), open("/dev/full", "w") as full:
                answer = self.outcome(command, full)
                self.assertEqual(answer.returncode, 2)
                self.assertIn("standard output: can't be written: No space left on device", answer.stderr)

    def test_a_closed_output_is_told(self):
        for command in self.commands():
            with self.subTest(command):
                answer = subprocess.run(
                    ["sh", "-c", 'exec "$0" "$@" >&-', kabuto.BINARY, *command], stderr=subprocess.PIPE, text=True, timeout=120,
                    env=kabuto.ENVIRONMENT)
                self.assertEqual(answer.returncode, 2)
                self.assertIn("standard output: can't be written: Bad file descriptor", answer.stderr)

    def test_who_reads_no_further_hears_nothing(self):
        for command in self.commands():
            with self.subTest(command):
                end, output = os.pipe()
                os.close(end)
                with os.fdopen(output, "w") as pipe:
                    answer = self.outcome(command, pipe)
                self.assertEqual(answer.returncode, -signal.SIGPIPE)
                self.assertEqual(answer.stderr.replace("kabuto: ", ""), "")

    def test_nothing_is_written_into_what_takes_the_place_of_a_closed_output(self):
        folder = str(self.folder / "data")
        command = ["govern", "check", "--rules", self.rules, "--input", self.write("bad.yaml", BAD), "--data", folder]
        subprocess.run(["sh", "-c", 'exec "$0" "$@" >&- 2>&- <&-', kabuto.BINARY, *command], timeout=120, env=kabuto.ENVIRONMENT)
        listed = kabuto.run("govern", "history", "list", "--data", folder, "--json")
        self.assertEqual(1, len(json.loads(listed.stdout)["findings"]), listed.stderr)


class CheckTest(GovernTestCase):
    def test_what_cannot_be_read_hides_no_other(self):
        good, bad = self.write("bad.yaml", BAD), self.write("twice.yaml", "a: 1\na: 2\n")
        broken = self.write("broken.guard", "rule r {")
        answer = kabuto.run("govern", "check", "--rules", self.rules, broken, "--input", good, bad, str(self.folder / "none.yaml"))
        self.assertEqual(answer.returncode, 2)
        self.assertIn("NAMED", answer.stdout)
        self.assertTrue(answer.stdout.splitlines()[-1].startswith("FAIL: 1 input, 3 faults, rules passed 0, failed 1"), answer.stdout)
        for name in ["broken.guard", "twice.yaml", "none.yaml"]:
            self.assertIn(name, answer.stderr)
        # What is kept, and something unread beside it: not a word of SKIP or PASS.
        answer = kabuto.run("govern", "check", "--rules", self.rules, "--input", self.write("good.yaml", GOOD), bad)
        self.assertEqual(answer.returncode, 2)
        self.assertTrue(answer.stdout.splitlines()[-1].startswith("UNKNOWN: 1 input, 1 fault"), answer.stdout)

    def test_text_says_what_where_and_how_to_mend(self):
        rules = self.write("n.guard", """
# @severity high
# @title Volumes are encrypted
# @title.ja EBSボリュームを暗号化する
# @mend Set Encrypted to true.
# @mend.ja Encryptedをtrueにする。
rule enc { let bad = Resources.*[ Type == 'AWS::EC2::Volume' ][ Properties.Encrypted != true ]  %bad empty <<It isn't.>> }
""")
        template = self.write("v.yaml", 'Resources: {"\\e[31mRED\\e[0m\\u202E": {Type: "AWS::EC2::Volume", Properties: {Encrypted: false}}}')
        answer = self.check(template, rules=rules)
        self.assertEqual(answer.stdout.splitlines()[1:-1], [
            "  \\u{1B}[31mRED\\u{1B}[0m\\u{202E}  AWS::EC2::Volume", "  severity  high", "  wanted    Volumes are encrypted",
            "  found     Properties.Encrypted: false", "  why       It isn't.", "  mend      Set Encrypted to true."])
        answer = self.check(template, rules=rules, options=["--language", "ja"])
        self.assertIn("  期待値  EBSボリュームを暗号化する\n", answer.stdout)
        self.assertIn("  対処  Encryptedをtrueにする。\n", answer.stdout)
        found = json.loads(self.check(template, rules=rules, options=["--json"]).stdout)["findings"][0]
        self.assertEqual(("%bad empty", "Volumes are encrypted", "Properties.Encrypted: false"),
                         (found["clause"], found["wanted"], found["found"]))

    def test_exit_statuses(self):
        self.assertEqual(self.check(self.write("good.yaml", GOOD)).returncode, 0)
        self.assertEqual(self.check(self.write("bad.yaml", BAD)).returncode, 1)
        self.assertEqual(self.check(self.write("none.yaml", "Resources: {A: {Type: 'AWS::X::Y'}}")).returncode, 0)
        for name, text in {
            "empty.yaml": "", "blank.yaml": "# nothing\n", "crash.yaml": "a:\n  SSEAlgorithm: {{CRASH}}\n", "null.yaml": "~: 1\n",
            "list.yaml": "[1, 2, 3]: foo\n", "int.yaml": "1: foo\n", "float.yaml": "1.0: foo\n", "alias.yaml": "a: &x 1\nb: *x\n",
            "twice.yaml": "a: 1\na: 2\n", "cut.json": '{"Resources": {', "deep.json": "[" * 10_000, "deep.yaml": "- " * 10_000,
        }.items():
            with self.subTest(name):
                answer = self.check(self.write(name, text))
                self.assertEqual(answer.returncode, 2, answer.stderr)
                self.assertIn(name, answer.stderr)
        self.assertEqual(self.check(str(self.folder / "nowhere.yaml")).returncode, 2)
        self.assertEqual(self.check(self.write("good.yaml", GOOD), rules=str(self.folder / "nowhere.guard")).returncode, 2)

    def test_a_bad_input_hides_no_other(self):
        answer = self.check(self.write("a.yaml", ""), self.write("b.yaml", BAD), options=["--json"])
        report = json.loads(answer.stdout)
        self.assertEqual(answer.returncode, 2)
        self.assertEqual((report["failed"], len(report["faults"])), (1, 1))

    def test_all_faults_of_rules_are_told_with_their_place(self):
        rules = self.write("bad.guard", "rule a { x == }\nrule b { y exists }\nrule c { z == /(/ }\n")
        answer = self.check(self.write("good.yaml", GOOD), rules=rules)
        self.assertEqual(answer.returncode, 2)
        self.assertRegex(answer.stderr, r"bad\.guard:1:15: found .*; wanted ")
        self.assertRegex(answer.stderr, r"bad\.guard:3:")

    def test_a_finding_points_at_the_line(self):
        path = self.write("bad.yaml", BAD)
        report = json.loads(self.check(path, options=["--json"]).stdout)
        self.assertEqual({key: report[key] for key in ("status", "inputs", "passed", "failed", "unknown", "skipped")},
                         {"status": "FAIL", "inputs": 1, "passed": 0, "failed": 1, "unknown": 0, "skipped": 1})
        finding = report["findings"][0]
        self.assertEqual((finding["status"], finding["rule"], finding["input"], finding["line"], finding["column"]), ("FAIL", "NAMED", path, 7, 19))
        self.assertEqual((finding["resource"], finding["resource_type"], finding["path"]), ("Logs", "AWS::S3::Bucket", "Properties.BucketName"))
        self.assertIn("begin it with company-", finding["message"])
        text = self.check(path).stdout
        self.assertIn(f"{path}:7:19", text)

    def test_what_is_not_known_is_not_kept(self):
        path = self.write("open.yaml", OPEN)
        answer = self.check(path, options=["--json"])
        self.assertEqual(answer.returncode, 1)
        report = json.loads(answer.stdout)
        self.assertEqual((report["status"], report["unknown"], report["findings"][0]["status"]), ("UNKNOWN", 1, "UNKNOWN"))
        self.assertIn("Name", report["findings"][0]["found"])
        self.assertEqual(self.check(path, options=["--allow-unknown"]).returncode, 0)
        self.assertEqual(self.check(path, options=["--parameter", "Name=company-x"]).returncode, 0)
        self.assertEqual(self.check(path, options=["--parameter", "Name=x", "--allow-unknown"]).returncode, 1)
        self.assertEqual(self.check(path, options=["--parameter", "Name"]).returncode, 64)

    def test_parameters_that_are_wrong_are_faults(self):
        path = self.write("open.yaml", OPEN.replace("{Type: String}", "{Type: String, AllowedValues: [company-x, b]}"))
        for options, status, told in (
            (["--parameter", "Name=z"], 2, "wanted one of company-x, b"),
            (["--parameter", "Nmae=b"], 2, "Nmae: no template has it; wanted Name"),
            (["--parameter", "Name=b", "--parameter", "Name=company-x"], 64, "given twice"),
            (["--parameter", "Name=company-x"], 0, ""),
        ):
            with self.subTest(options):
                answer = self.check(path, options=options)
                self.assertEqual(answer.returncode, status, answer.stderr)
                self.assertIn(told, answer.stderr)
        # One template of several is enough, and one that can't be read may have it.
        other = self.write("other.yaml", OPEN.replace("Name", "Whose"))
        self.assertEqual(self.check(path, other, options=["--parameter", "Name=company-x", "--parameter", "Whose=company-y"]).returncode, 1)
        self.assertNotIn("no template has it", self.check(path, self.write("cut.json", '{"Resources": {'), options=["--parameter", "X=y"]).stderr)

    def test_a_known_bad_value_is_bad(self):
        rules = self.write("rds.guard", """
            let instances = Resources.*[ Type == 'AWS::RDS::DBInstance' ]
            rule ENCRYPTED when %instances !empty {
              let bad = %instances[ Properties.StorageEncrypted !exists or Properties.StorageEncrypted != true ]
              %bad empty
            }
            rule PORT when %instances !empty { %instances.Properties.Port >= 1024 }
            """)
        path = self.write("rds.yaml", """
Parameters: {Enc: {Type: String}, Port: {Type: Number, Default: "5432"}}
Resources: {D: {Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: !Ref Enc, Port: !Ref Port}}}
""")
        self.assertEqual(self.check(path, rules=rules).returncode, 1)
        for given, status in (("Enc=true", 0), ("Enc=false", 1)):
            self.assertEqual(self.check(path, rules=rules, options=["--parameter", given]).returncode, status, given)
        options = ["--parameter", "Enc=true", "--parameter", "Port=22"]
        self.assertEqual(self.check(path, rules=rules, options=options).returncode, 1)

    def test_what_is_no_template_after_all_is_a_fault(self):
        for name, text, told in (("null.json", "null", ":1:1: found null"), ("list.yaml", "Resources: []", ":1:12: found Resources as a list"),
                                 ("none.yaml", "AWSTemplateFormatVersion: 2010-09-09\nresources: {}", ":1:1: found a template without Resources")):
            answer = self.check(self.write(name, text))
            self.assertEqual(answer.returncode, 2, name)
            self.assertIn(told, answer.stderr)

    def test_resources_of_another_template_are_told(self):
        path = self.write("nested.yaml", "Resources: {N: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: 'https://x/y'}}}")
        answer = self.check(path, options=["--json"])
        self.assertEqual(answer.returncode, 1)
        self.assertEqual([(f["rule"], f["resource"], f["status"], f["found"]) for f in json.loads(answer.stdout)["findings"]],
                         [("kabuto_shape", "N", "UNKNOWN", "resources of another template")])

    def test_files_that_are_passed_over_by_name_are_counted(self):
        for name in ("in/good.yaml", "in/x", "in/deep/x.txt", "in/.git/x", "in/.hidden"):
            self.write(name, GOOD)
        answer = self.check(str(self.folder / "in"))
        self.assertEqual(answer.returncode, 0)
        self.assertIn("2 files were passed over by name", answer.stderr)
        self.assertNotIn("passed over", self.check(str(self.folder / "in" / "x")).stderr)

    def test_a_type_without_a_shape_is_told(self):
        plan = {"format_version": "1.2", "resource_changes": [
            {"address": "aws_new_thing.a", "type": "aws_new_thing", "change": {"actions": ["create"], "after": {}}},
            {"address": "awscc_s3_bucket.b", "type": "awscc_s3_bucket", "change": {"actions": ["create"], "after": {}}},
            {"address": "random_id.a", "type": "random_id", "change": {"actions": ["create"], "after": {}}},
        ]}
        answer = self.check(self.write("plan.json", json.dumps(plan)), options=["--json"])
        self.assertEqual(answer.returncode, 1)
        self.assertEqual([(f["rule"], f["resource"]) for f in json.loads(answer.stdout)["findings"]], [("kabuto_shape", "aws_new_thing.a"), ("kabuto_shape", "awscc_s3_bucket.b")])

    def test_sarif(self):
        answer = self.check(self.write("a b.yaml", BAD), self.write("open.yaml", OPEN), self.write("empty.yaml", ""), options=["--format", "sarif"])
        report = json.loads(answer.stdout)
        self.assertEqual(report["version"], "2.1.0")
        self.assertTrue(report["$schema"].endswith("sarif-2.1.0.json"))
        run = report["runs"][0]
        self.assertEqual(run["tool"]["driver"]["name"], "kabuto")
        self.assertFalse(run["invocations"][0]["executionSuccessful"])
        self.assertEqual(len(run["invocations"][0]["toolExecutionNotifications"]), 1)
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        self.assertEqual([(r["kind"], r["level"]) for r in run["results"]], [("fail", "warning"), ("open", "none")])  # without notes: medium
        for result in run["results"]:
            self.assertEqual(ids[result["ruleIndex"]], result["ruleId"])
            self.assertTrue(result["message"]["text"])
            place = result["locations"][0]["physicalLocation"]
            self.assertNotIn(" ", place["artifactLocation"]["uri"])
            self.assertEqual(place["region"]["startLine"], 7)
            self.assertEqual(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "Logs")

    def test_junit(self):
        answer = self.check(self.write("a&b.yaml", BAD), self.write("open.yaml", OPEN), self.write("empty.yaml", ""), options=["--format", "junit"])
        root = ElementTree.fromstring(answer.stdout)
        self.assertEqual(root.tag, "testsuites")
        self.assertEqual((root.get("tests"), root.get("failures"), root.get("errors")), ("5", "1", "2"))
        suites = {suite.get("name").rsplit("/", 1)[-1]: suite for suite in root}
        self.assertEqual(suites["a&b.yaml"].find("testcase/failure").text.count("company-"), 2)
        self.assertIsNotNone(suites["a&b.yaml"].find("testcase/skipped"))
        self.assertIsNotNone(suites["open.yaml"].find("testcase/error"))
        self.assertIsNotNone(suites["inputs"].find("testcase/error"))


class RuleTestsTest(GovernTestCase):
    def test_expectations_and_exit_statuses(self):
        test = "- name: one\n  input: {Resources: {A: {Type: 'AWS::EC2::Volume', Properties: {Encrypted: true}}}}\n  expectations: {rules: {VOLUMES: %s, NAMED: SKIP}}\n"
        tests = self.write("tests/r_tests.yml", test % "PASS")
        answer = kabuto.run("govern", "test", str(self.folder), "--json")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        report = json.loads(answer.stdout)
        self.assertEqual((report["passed"], report["failed"], len(report["cases"]), report["faults"]), (2, 0, 2, []))
        case = report["cases"][0]
        self.assertEqual((case["file"], case["rule"], case["expected"], case["found"], case["passed"]), (tests, "VOLUMES", "PASS", ["PASS"], True))
        self.write("tests/r_tests.yml", test % "FAIL")
        answer = kabuto.run("govern", "test", str(self.folder))
        self.assertEqual(answer.returncode, 1)
        self.assertIn("VOLUMES: expected FAIL, found PASS", answer.stdout)
        self.write("tests/r_tests.yml", test % "MAYBE")
        self.assertEqual(kabuto.run("govern", "test", str(self.folder)).returncode, 2)
        self.write("x.guard", "rule a { x == }")
        self.assertEqual(kabuto.run("govern", "test", str(self.folder)).returncode, 2)

    def test_an_expectation_of_a_rule_that_is_not_there_is_not_met(self):
        self.write("tests/r_tests.yml", "- input: {Resources: {}}\n  expectations: {rules: {VOLUMES: SKIP, GONE: SKIP}}\n")
        answer = kabuto.run("govern", "test", str(self.folder), "--json")
        report = json.loads(answer.stdout)
        self.assertEqual((answer.returncode, report["passed"], report["failed"]), (1, 1, 1))
        self.assertIn("GONE is no rule of", report["unmatched"][0])

    def test_rules_that_cannot_be_read_are_not_tested_by_others(self):
        self.write("x.guard", "rule VOLUMES { x == }")
        self.write("tests/x_tests.yml", "- input: {Resources: {}}\n  expectations: {rules: {VOLUMES: SKIP}}\n")
        answer = kabuto.run("govern", "test", str(self.folder), "--json")
        report = json.loads(answer.stdout)
        self.assertEqual((answer.returncode, report["cases"]), (2, []))
        self.assertTrue(any("x_tests.yml" in fault for fault in report["faults"]), report["faults"])

    @unittest.skipUnless(DATA, "no published rules at $KABUTO_TESTDATA or ../shared")
    def test_the_registry(self):
        answer = kabuto.run("govern", "test", str(DATA / "aws-guard-rules-registry"), "--json")
        report = json.loads(answer.stdout)
        self.assertEqual((answer.returncode, report["passed"], report["failed"]), (0, 945, 0))


@unittest.skipUnless(DATA, "no published rules at $KABUTO_TESTDATA or ../shared")
class LanguageCasesTest(unittest.TestCase):
    def test_cases(self):
        folder = DATA / "cloudformation-guard" / "guard" / "resources"
        functions = [(f"validate/functions/data/template.yaml", f"validate/functions/rules/{name}.guard", status)
                     for name, status in [("now", 0), ("substring", 0), ("json_parse", 0), ("join", 0), ("complex_rules", 0), ("failing_complex_rule", 1)]]
        second = "validate/s3-server-side-encryption-template-non-compliant-2.yaml"
        for given, rules, status in functions + [
            ("validate/data-dir/s3-public-read-prohibited-template-compliant.yaml", "validate/rules-dir/s3_bucket_public_read_prohibited.guard", 0),
            ("validate/data-dir/s3-public-read-prohibited-template-non-compliant.yaml", "validate/rules-dir/s3_bucket_public_read_prohibited.guard", 1),
            ("validate/template_where_resources_isnt_root.json", "validate/workshop.guard", 1),
            ("validate/data-dir/advanced_regex_negative_lookbehind_non_compliant.yaml", "validate/rules-dir/advanced_regex_negative_lookbehind_rule.guard", 1),
            ("validate/data-dir/advanced_regex_negative_lookbehind_compliant.yaml", "validate/rules-dir/advanced_regex_negative_lookbehind_rule.guard", 0),
            (second, "validate/blank-rule.guard", 0), (second, "validate/comments.guard", 0),
            ("validate/blank.yaml", "validate/workshop.guard", 2), ("validate/blank-template.yaml", "validate/workshop.guard", 2),
            ("validate/nowhere.yaml", "validate/workshop.guard", 2), (second, "validate/nowhere.guard", 2),
            (second, "test-command/rule-dir/invalid_rule.guard", 2),
        ]:
            with self.subTest(f"{rules} on {given}"):
                answer = kabuto.run("govern", "check", "--rules", str(folder / rules), "--input", str(folder / given))
                self.assertEqual(answer.returncode, status, answer.stdout + answer.stderr)


class DocumentTest(unittest.TestCase):
    def test_the_tables_of_types_are_those_of_the_program(self):
        listed = json.loads(kabuto.run("govern", "types", "--json").stdout)
        text = (ROOT / "docs" / "GOVERN.md").read_text()
        terraform = re.findall(r"^\| `(aws_\w+)` \| `([\w:]+)` \|$", text, re.MULTILINE)
        self.assertEqual(terraform, [(each["type"], each["shape"]) for each in listed["terraform"]])
        self.assertEqual(re.findall(r"^- `(AWS::[\w:]+)`$", text, re.MULTILINE), listed["config"])
        plain = kabuto.run("govern", "types").stdout.splitlines()
        self.assertEqual(len(plain), len(listed["terraform"]) + len(listed["config"]))


if __name__ == "__main__":
    unittest.main()
