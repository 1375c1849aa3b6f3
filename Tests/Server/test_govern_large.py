"""`kabuto govern check` on what is large, on what means harm, and with input parameters: bounded memory and time, clear faults.

KABUTO_BIN   the program
"""
import json
import pathlib
import resource
import subprocess
import sys
import unittest

import kabuto
from test_govern import GovernTestCase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Benchmarks" / "Govern"))

import inputs

MOST_SECONDS = 120


def limited(arguments, mebibytes=2_048):
    """Runs kabuto with an address space that no runaway fits into."""
    return subprocess.run(
        [kabuto.BINARY, *arguments], capture_output=True, text=True, timeout=MOST_SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20)))


class LargeInputTest(GovernTestCase):
    def large(self, make, *options):
        path = str(self.folder / "large.json")
        expected = make(path)
        rules = self.write("large.guard", inputs.RULES)
        answer = self.check(path, rules=rules, options=["--format", "lines", *options])
        *findings, last = [json.loads(line) for line in answer.stdout.splitlines()]
        counts = {}
        for finding in findings:
            counts[finding["rule"]] = counts.get(finding["rule"], 0) + 1
            self.assertTrue(finding["resource"] or finding["rule"] == "FEW_DATABASES", finding)
        counts.pop("kabuto_shape", None)
        return answer, findings, counts, last, expected

    def test_a_plan_of_many_resources(self):
        answer, findings, counts, last, (expected, _) = self.large(lambda path: inputs.plan(path, 7, 6))
        self.assertEqual((answer.returncode, counts), (1, expected))
        self.assertEqual((last["inputs"], last["findings"], last["faults"]), (1, len(findings), []))
        self.assertLess(last["cost"]["resident_bytes"], 300 << 20)

    def test_a_snapshot_of_many_items(self):
        answer, findings, counts, last, expected = self.large(lambda path: inputs.snapshot(path, 7, 12_000))
        self.assertEqual((answer.returncode, counts), (1, expected))
        self.assertLess(last["cost"]["resident_bytes"], 300 << 20)
        # The same, an item a line; and as one JSON document, whose findings are in the same order.
        whole = json.loads((self.folder / "large.json").read_text())
        lines = self.write("large.jsonl", "".join(json.dumps(item) + "\n" for item in whole["configurationItems"]))
        answer = self.check(lines, rules=str(self.folder / "large.guard"), options=["--json"])
        report = json.loads(answer.stdout)
        self.assertEqual([(f["rule"], f["resource"]) for f in report["findings"]], [(f["rule"], f["resource"]) for f in findings])
        self.assertEqual((report["omitted"], report["failed"]), (0, last["failed"]))

    def test_findings_that_a_report_does_not_hold_are_counted(self):
        item = '{"resourceType":"AWS::Unheard::Of","configurationItemStatus":"OK","arn":"arn:%d","configuration":{}}\n'
        path = self.write("many.jsonl", "".join(item % number for number in range(30_000)))
        rules = self.write("r2.guard", "rule r { AWS::EC2::Volume { Properties.Encrypted == true } }")
        answer = self.check(path, rules=rules, options=["--json"])
        report = json.loads(answer.stdout)
        self.assertEqual((answer.returncode, len(report["findings"]), report["omitted"], report["status"]), (1, 25_000, 5_000, "UNKNOWN"))
        self.assertIn("5000 findings more", answer.stderr)
        sarif = json.loads(self.check(path, rules=rules, options=["--format", "sarif"]).stdout)
        notes = sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"]
        self.assertEqual([note["level"] for note in notes], ["warning"])
        for form, wanted in (("lines", 30_001), ("text", 30_000 * 6 + 1)):
            answer = self.check(path, rules=rules, options=["--format", form])
            self.assertEqual((len(answer.stdout.splitlines()) >= min(wanted, 30_001), answer.stderr), (True, ""))
            self.assertIn("arn:29999", answer.stdout)

    def test_what_needs_more_memory_than_is_given_is_told(self):
        volume = '{"resourceType":"AWS::EC2::Volume","configurationItemStatus":"OK","arn":"arn:%d","configuration":{"encrypted":true,"volumeType":"%s"}}\n'
        path = self.write("kept.jsonl", "".join(volume % (number, "x" * 2_000) for number in range(6_000)))
        rules = self.write("r3.guard", "rule each { AWS::EC2::Volume { Properties.Encrypted == true } }\nrule all { let n = count(Resources.*[ Type == 'AWS::EC2::Volume' ]) %n < 9 }")
        answer = self.check(path, rules=rules, options=["--json", "--memory", "16"])
        report = json.loads(answer.stdout)
        self.assertEqual((answer.returncode, report["passed"], len(report["faults"])), (2, 1, 1))
        self.assertRegex(report["faults"][0], r"r3\.guard:2: rule all looks at several resources at once, of AWS::EC2::Volume.*--memory")
        self.assertEqual(self.check(path, rules=rules).returncode, 1)
        document = self.write("document.yaml", "a:\n" + "- x\n" * 200_000)
        answer = self.check(document, rules=rules, options=["--memory", "16"])
        self.assertEqual(answer.returncode, 2)
        self.assertRegex(answer.stderr, r"document\.yaml:\d+:\d+: found more values than 8 MiB hold")
        self.assertEqual(self.check(document, rules=rules, options=["--memory", "1"]).returncode, 64)


class InputParametersTest(GovernTestCase):
    RULES = "let types = Kabuto.types\nrule r { AWS::EC2::Instance { Properties.InstanceType in %types } }"
    TEMPLATE = "Resources: {A: {Type: 'AWS::EC2::Instance', Properties: {InstanceType: t3.micro}}}"

    def test_they_are_put_beside_each_input(self):
        rules, template = self.write("p.guard", self.RULES), self.write("t.yaml", self.TEMPLATE)
        good = self.write("good/p.yaml", "Kabuto: {types: [t3.micro]}")
        bad = self.write("bad/p.json", '{"Kabuto": {"types": ["m5.large"]}}')
        other = self.write("other.yaml", "Else: 1")
        self.assertEqual(self.check(template, rules=rules, options=["--input-parameters", good, other]).returncode, 0)
        self.assertEqual(self.check(template, rules=rules, options=["-i", bad]).returncode, 1)
        self.assertEqual(self.check(template, rules=rules).returncode, 1)

    def test_a_name_twice_is_a_fault(self):
        rules, template = self.write("p.guard", self.RULES), self.write("t.yaml", self.TEMPLATE)
        first, second = self.write("a.yaml", "Kabuto: 1"), self.write("b.yaml", "Kabuto: 2")
        answer = self.check(template, rules=rules, options=["-i", first, second])
        self.assertEqual(answer.returncode, 2)
        self.assertIn(f'{second}:1:9: found "Kabuto", which {first}:1:9 has too', answer.stderr)
        taken = self.write("c.yaml", "Resources: {}")
        answer = self.check(template, rules=rules, options=["-i", taken])
        self.assertEqual(answer.returncode, 2)
        self.assertRegex(answer.stderr, r't\.yaml:1:12: found "Resources", which the input parameters of .*c\.yaml:1:12 have too')

    def test_what_means_harm(self):
        rules, template = self.write("p.guard", self.RULES), self.write("t.yaml", self.TEMPLATE)
        for name, text in {
            "empty.yaml": "", "list.yaml": "- 1", "alias.yaml": "a: &x [1]\nb: *x\n", "deep.yaml": "a: " + "[" * 100_000,
            "bomb.yaml": "a: &a [1,1]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]\n" for n in range(20)),
            "many.yaml": "k: [" + "1," * 2_000_000 + "1]",
        }.items():
            with self.subTest(name):
                answer = limited(["govern", "check", "--rules", rules, "--input", template, "-i", self.write(name, text)])
                self.assertEqual(answer.returncode, 2, answer.stderr[-500:])
                self.assertIn(name, answer.stderr)


class HarmfulInputTest(GovernTestCase):
    def test_each_ends_with_a_fault_or_a_result(self):
        change = '{"address":"aws_s3_bucket.b","type":"aws_s3_bucket","change":{"actions":["create"],"after":%s,"after_unknown":%s}}'
        plan = '{"format_version":"1.2","resource_changes":[%s]}'
        item = '{"resourceType":"AWS::S3::Bucket","configurationItemStatus":"OK","arn":"a","configuration":%s}'
        deep = "[" * 120 + "]" * 120
        cases = {
            # name: (text, exit statuses that are right)
            "bomb.yaml": ("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n", {2}),
            "deep.template": ("Resources: {A: {Type: T, Properties: " + "{a: " * 5_000 + "1" + "}" * 5_000 + "}}", {2}),
            "cycle.yaml": ("Conditions: {A: {Condition: B}, B: {Condition: A}}\nResources: {X: {Type: 'AWS::S3::Bucket', Condition: A}}", {0, 1, 2}),
            "intrinsics.yaml": ("Resources: {X: {Type: 'AWS::S3::Bucket', Properties: {K: [" + "!Sub '${AWS::Region}${AWS::Region}', " * 200_000 + "]}}}", {0, 1, 2}),
            "billion.json": (json.dumps({"Resources": {"X": {"Type": "AWS::S3::Bucket", "Properties": {"K": self.nested(100)}}}}), {0, 1, 2}),
            "key.yaml": ("Resources: {X: {Type: 'AWS::S3::Bucket', Properties: {? " + "k" * 3_000_000 + " : 1}}}", {0, 1, 2}),
            "keys.json": ('{"Resources":{"X":{"Type":"AWS::S3::Bucket","Properties":{' + ",".join(f'"{"k" * 30}{n}":1' for n in range(300_000)) + "}}}}", {0, 1, 2}),
            "plan-deep.json": (plan % change % ("[" * 5_000, "{}"), {2}),
            "plan-nested.json": (plan % change % (deep, deep.replace("[]", "[true]")), {0, 1, 2}),
            "plan-names.json": (plan % ",".join('{"address":"%s","type":"aws_s3_bucket_policy","change":{"actions":["create"],"after":{}}}' % ("m." * 2_000) for _ in range(300)), {0, 1}),
            "plan-cut.json": (plan % ",".join([change % ("{}", "{}")] * 5_000) + "]", {2}),
            "plan-module.json": ('{"format_version":"1.2","resource_changes":[%s],"configuration":{"root_module":%s{}%s}}' % (
                '{"address":"aws_s3_bucket_acl.b","type":"aws_s3_bucket_acl","change":{"actions":["create"],"after":{}}}',
                '{"module_calls":{"m":{"module":' * 100, "}}}" * 100), {2}),
            "items-text.json": ("[" + item % json.dumps("{\"a\":" * 5_000) + "]", {0, 1, 2}),
            "items-number.json": ("[" + item % ("{\"a\":" + "9" * 100_000 + "}") + "]", {2}),
            "items-blank.jsonl": ((item % "{}" + "\n" * 50) * 2_000 + "x", {2}),
        }
        rules = self.write("h.guard", "rule r when Resources exists { AWS::S3::Bucket { Properties.K exists } }\nrule all { let n = count(Resources.*) %n > 0 }")
        for name, (text, statuses) in cases.items():
            with self.subTest(name):
                answer = limited(["govern", "check", "--rules", rules, "--input", self.write(name, text), "--json"])
                self.assertIn(answer.returncode, statuses, answer.stderr[-500:])
                if answer.returncode == 2:
                    self.assertIn(name, answer.stderr)

    @staticmethod
    def nested(depth):
        value = "x"
        for _ in range(depth // 3):
            value = {"Fn::Join": ["", [value, value if depth < 20 else "y"]]}
        return value

    def test_rules_end_with_faults(self):
        template = self.write("t.yaml", "Resources: {X: {Type: 'AWS::S3::Bucket', Properties: {K: '" + "a" * 5_000 + "!'}}}")
        for name, text in {
            "deep.guard": "rule r { " + "a { " * 5_000, "filters.guard": "rule r { a" + "[ b" * 5_000, "calls.guard": "let x = " + "to_upper(" * 5_000,
            "lists.guard": "rule r { a == " + "[" * 5_000, "itself.guard": "rule a { b }\nrule b { a }", "variable.guard": "let a = %b\nlet b = %a\nrule r { %a exists }",
            "chain.guard": "\n".join(f"rule r{n} {{ r{n + 1} }}" for n in range(20_000)) + "\nrule r20000 { a exists }",
            "pattern.guard": "rule r { Resources.*.Properties.K == /(a+)+$/ }", "steps.guard": "rule r { a" + ".b" * 5_000 + " exists }",
            "text.guard": "rule r { a == 'x" + "y" * 100_000,
        }.items():
            with self.subTest(name):
                answer = limited(["govern", "check", "--rules", self.write(name, text), "--input", template])
                self.assertEqual(answer.returncode, 2, (answer.stdout + answer.stderr)[-500:])
                self.assertIn(name, answer.stderr)


if __name__ == "__main__":
    unittest.main()
