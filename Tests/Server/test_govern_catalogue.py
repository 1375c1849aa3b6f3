"""`kabuto govern check --catalogue/--exceptions`, `catalogue`, `users` and `exception` with the real binary, and with moto's
real server where an account is needed. moto knows no boundary of a user and no length of a policy: a gate before it keeps
the former and refuses what is longer than IAM takes.

    python -m unittest -v Tests/Server/test_govern_catalogue.py
"""

import datetime
import http.client
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest
import urllib.parse
from xml.etree import ElementTree

import kabuto
import live_account

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = str(ROOT / "Catalogues" / "example.yaml")
SEED = int(os.environ.get("KABUTO_SEED", "0"), 16) or random.SystemRandom().randrange(1, 1 << 32)

CATALOGUE = """organisation: Test
regions: [eu-west-1]
services:
  - id: s3
    assessed: {on: 2026-01-02, by: me}
    allowed: yes
    denied: [DeleteBucket]
    types: ["AWS::S3::*"]
    read: [s3:List*, s3:GetBucket*]
  - {id: ec2, assessed: {on: 2026-01-02, by: me}, allowed: yes, denied: [RunInstances], types: ["AWS::EC2::*"], operate: [StartInstances, StopInstances]}
  - {id: iam, assessed: {on: 2026-01-02, by: me}, allowed: yes, types: ["AWS::IAM::*"]}
  - {id: kinesis, allowed: no, types: ["AWS::Kinesis::*"]}
groups:
  - id: operator
    access: [{services: ec2, level: operate}, {services: s3, level: full}]
    members: [anna, ben]
  - id: auditor
    access: [{services: "*", level: read}]
    members: [ben, cleo]
"""

TEMPLATE = """Resources:
  Files:
    Type: AWS::S3::Bucket
  Stream:
    Type: AWS::Kinesis::Stream
    Properties: {ShardCount: 1}
  Search:
    Type: AWS::OpenSearchService::Domain
  Rights:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: x
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: "s3:*", Resource: "*"}
"""

RULES = "rule NAMED { Resources.*[ Type == 'AWS::S3::Bucket' ] { Properties.BucketName exists <<Give it a name>> } }\n"


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kabuto-catalogue-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.catalogue = self.write("catalogue.yaml", CATALOGUE)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)


class CheckByCatalogue(Folder):
    def check(self, *inputs, options=(), catalogue=None):
        return kabuto.run("govern", "check", "--catalogue", catalogue or self.catalogue, "--input", *inputs, *options)

    def told(self, answer):
        return [(f["status"], f["rule"], f["resource"]) for f in json.loads(answer.stdout)["findings"]]

    def test_findings(self):
        path = self.write("t.yaml", TEMPLATE)
        answer = self.check(path, options=["--region", "eu-west-1", "--json"])
        self.assertEqual(answer.returncode, 1, answer.stderr)
        self.assertEqual(self.told(answer), [
            ("FAIL", "catalogue_service_assessed", "Stream"), ("FAIL", "catalogue_service_assessed", "Search"),
            ("FAIL", "catalogue_policy_grants", "Rights"),
        ])
        first = json.loads(answer.stdout)["findings"][0]
        self.assertEqual((first["input"], first["line"], first["severity"]), (path, 5, "high"))
        self.assertIn(("FAIL", "catalogue_region_allowed", "Files"),
                      self.told(self.check(path, options=["--region", "us-east-1", "--json"])))
        # Without a region it isn't known; what is known is told all the same.
        statuses = {f[0] for f in self.told(self.check(path, options=["--json"]))}
        self.assertEqual(statuses, {"FAIL", "UNKNOWN"})
        good = self.write("good.yaml", "Resources: {A: {Type: 'AWS::S3::Bucket'}}\n")
        self.assertEqual(self.check(good, options=["--region", "eu-west-1"]).returncode, 0)
        self.assertEqual(self.check(good).returncode, 1)
        self.assertEqual(self.check(good, options=["--allow-unknown"]).returncode, 0)
        self.assertEqual(kabuto.run("govern", "check", "--input", good).returncode, 64)

    def test_findings_say_what_they_are_in_both_languages(self):
        path = self.write("t.yaml", TEMPLATE)
        options = ["--region", "us-east-1", "--json", "--language"]
        english, japanese = (
            json.loads(self.check(path, options=[*options, language]).stdout)["findings"] for language in ("en", "ja"))
        self.assertEqual([(f["rule"], f["resource"], f["line"]) for f in english], [(f["rule"], f["resource"], f["line"]) for f in japanese])
        self.assertGreater(len(japanese), 3)
        for one, other in zip(english, japanese):
            self.assertNotEqual(one["message"], other["message"])
            self.assertNotEqual(one["clause"], other["clause"])
            self.assertRegex(other["message"], "[ぁ-ん]")
            self.assertNotRegex(one["message"] + one["clause"], "[ぁ-ん]")
        self.assertIn("カタログにありますが、まだ評価されていません", " ".join(f["message"] for f in japanese))
        comment = self.check(path, options=["--region", "us-east-1", "--format", "comment", "--language", "ja"]).stdout
        self.assertIn("が許可されるのは eu-west-1 だけです", comment)
        for word in ("is allowed in", "the region is one of", "It grants"):
            self.assertNotIn(word, comment)

    def test_calls_without_a_region_are_not_shut_off(self):
        calls = ["s3:ListAllMyBuckets", "s3:PutAccountPublicAccessBlock", "ec2:DescribeRegions", "iam:GetUser"]
        answer = kabuto.run("govern", "catalogue", "decide", self.catalogue, "--region", "us-east-1", *calls)
        self.assertEqual(answer.returncode, 0, answer.stdout)
        answer = kabuto.run("govern", "catalogue", "decide", self.catalogue, "--region", "us-east-1", "s3:ListBucket")
        self.assertEqual(answer.returncode, 1)
        baseline = self.write("baseline.yaml", "baseline: b\nregions: {used: [eu-west-1]}\n")
        closed, _ = json.loads(kabuto.run("govern", "baseline", "--region-policy", "--baseline", baseline).stdout)["Statement"]
        control = json.loads(kabuto.run("govern", "catalogue", "scp", self.catalogue, "--form", "deny").stdout)
        outside = [
            statement for policy in control["policies"] for statement in json.loads(policy["document"])["Statement"]
            if "aws:RequestedRegion" in str(statement.get("Condition"))
        ]
        self.assertTrue(outside)
        for statement in outside:
            for call in calls[:3]:
                self.assertIn(call, closed["NotAction"])
                if "NotAction" in statement:
                    self.assertIn(call, statement["NotAction"])
                else:
                    self.assertNotIn(call.split(":")[0] + ":*", statement["Action"])

    def test_a_folder_has_the_policies_of_the_last_run_only(self):
        def made(catalogue, status=0):
            answer = kabuto.run("govern", "catalogue", "scp", catalogue, "--form", "allow", "--out", str(self.folder / "out"))
            self.assertEqual(answer.returncode, status, answer.stderr)
            return answer

        actions = ", ".join(f"AnActionWithALongName{n}" for n in range(400))
        long = self.write("long.yaml", CATALOGUE.replace("    read: [s3:List*, s3:GetBucket*]\n", f"    actions: [{actions}]\n    read: AnActionWithALongName1\n").replace("    denied: [DeleteBucket]\n", ""))
        first = made(long).stdout.split()
        self.assertGreater(len(first), 1)
        other = self.folder / "out" / "other.json"
        other.write_text("{}")
        pathlib.Path(first[-1]).write_text("by hand")
        answer = made(self.catalogue)
        kept = [first[-1]] if first[-1] not in answer.stdout.split() else []
        for path in set(first) - set(answer.stdout.split()) - set(kept):
            self.assertIn(f"{path}: removed; an earlier run wrote it", answer.stderr)
        for path in kept:
            self.assertIn(f"{path}: of an earlier run, and changed since", answer.stderr)
        found = sorted(str(path) for path in (self.folder / "out").glob("*.json"))
        self.assertEqual(sorted([*answer.stdout.split(), *kept, str(other)]), found)
        self.assertEqual(other.read_text(), "{}")
        # The list beside them is one that others can check.
        self.assertEqual(0, subprocess.run(["sha256sum", "--check", "--quiet", ".kabuto-catalogue.sha256"], cwd=self.folder / "out").returncode)

    def test_a_plan_is_held_against_it_too(self):
        plan = {"format_version": "1.2", "resource_changes": [
            {"address": "aws_kinesis_stream.a", "type": "aws_kinesis_stream",
             "change": {"actions": ["create"], "after": {"name": "a"}, "after_unknown": {}}}]}
        answer = self.check(self.write("plan.json", json.dumps(plan)), options=["--region", "eu-west-1", "--json"])
        self.assertIn(("FAIL", "catalogue_service_assessed", "aws_kinesis_stream.a"), self.told(answer))

    def test_policies_that_a_plan_attaches(self):
        catalogue = self.write("get.yaml", CATALOGUE.replace(
            "allowed: yes, types: [\"AWS::IAM::*\"]", "allowed: yes, types: [\"AWS::IAM::*\"], actions: [\"Get*\"]"))
        admin, own = "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::111122223333:policy/kabuto/kabuto-boundary"
        def change(kind, name, after, unknown=None):
            return {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name,
                    "change": {"actions": ["create"], "after": after, "after_unknown": unknown or {}}}
        def told(*changes, configuration=()):
            plan = {"format_version": "1.2", "resource_changes": list(changes),
                    "configuration": {"root_module": {"resources": list(configuration)}}}
            answer = self.check(self.write("plan.json", json.dumps(plan)), options=["--region", "eu-west-1", "--json"], catalogue=catalogue)
            found = self.told(answer)
            self.assertEqual(answer.returncode, 1 if found else 0, answer.stdout + answer.stderr)
            return [(status, rule.removeprefix("catalogue_"), resource.split(".")[0]) for status, rule, resource in found]
        role = {"name": "r", "assume_role_policy": "{}"}
        for kind, holder in [("role", {"role": "r"}), ("user", {"user": "u"}), ("group", {"group": "g"})]:
            self.assertEqual(told(change(f"aws_iam_{kind}_policy_attachment", "a", {**holder, "policy_arn": admin})),
                             [("FAIL", "policy_grants", f"aws_iam_{kind}_policy_attachment")])
        attached = change("aws_iam_role_policy_attachment", "a", {"role": "r", "policy_arn": admin})
        self.assertEqual(told(change("aws_iam_policy_attachment", "a", {"roles": ["r"], "policy_arn": admin})),
                         [("FAIL", "policy_grants", "aws_iam_policy_attachment")])
        self.assertEqual(told(change("aws_iam_role", "r", role), attached), [("FAIL", "policy_grants", "aws_iam_role_policy_attachment")])
        bounded = change("aws_iam_role", "r", {**role, "permissions_boundary": own})
        self.assertEqual(told(bounded, attached), [])
        # A policy of the plan, whose ARN is known later, is looked at where it stands.
        later = change("aws_iam_role_policy_attachment", "a", {}, {"role": True, "policy_arn": True})
        said = {"address": "aws_iam_role_policy_attachment.a", "type": "aws_iam_role_policy_attachment", "expressions": {
            "policy_arn": {"references": ["aws_iam_policy.p.arn", "aws_iam_policy.p"]},
            "role": {"references": ["aws_iam_role.r.name", "aws_iam_role.r"]}}}
        def policy(action):
            statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
            return change("aws_iam_policy", "p", {"name": "p", "policy": json.dumps({"Statement": statement})}, {"arn": True})
        plain = change("aws_iam_role", "r", role)
        self.assertEqual(told(plain, policy("iam:GetUser"), later, configuration=[said]), [])
        self.assertEqual(told(plain, policy("iam:*"), later, configuration=[said]), [("FAIL", "policy_grants", "aws_iam_policy")])
        self.assertEqual(told(plain, later), [("UNKNOWN", "policy_grants", "aws_iam_role_policy_attachment")])
        self.assertEqual(told(bounded, later, configuration=[said]), [])
        # Where it may come from elsewhere, too, it isn't known.
        said["expressions"]["role"]["references"].append("module.m.role")
        self.assertEqual(told(bounded, later, configuration=[said]), [("UNKNOWN", "policy_grants", "aws_iam_role_policy_attachment")])
        said["expressions"]["policy_arn"]["references"].append("local.arn")
        self.assertEqual(told(plain, policy("iam:GetUser"), later, configuration=[said]),
                         [("UNKNOWN", "policy_grants", "aws_iam_role_policy_attachment")])
        # What has no shape is never good.
        for kind in ["aws_iam_role_policy_attachments_exclusive", "aws_iam_user_group_membership", "aws_ssoadmin_managed_policy_attachment",
                     "aws_ssoadmin_permission_set_inline_policy", "aws_ssoadmin_account_assignment",
                     "aws_ssoadmin_customer_managed_policy_attachment"]:
            self.assertEqual(told(change(kind, "x", {"managed_policy_arn": admin})), [("UNKNOWN", "kabuto_shape", kind)])

    def test_an_assessment_of_the_future_is_a_fault(self):
        future = self.write("future.yaml", CATALOGUE.replace("on: 2026-01-02", "on: 2999-01-02", 1))
        for command in [["catalogue", "check", future], ["catalogue", "boundary", future], ["check", "--catalogue", future, "--input", future]]:
            answer = kabuto.run("govern", *command)
            self.assertEqual(answer.returncode, 2)
            self.assertRegex(answer.stderr, r"future\.yaml:5:\d+: found assessed on 2999-01-02; wanted a day that has come")

    def test_rules_of_use_are_evaluated_with_the_rest(self):
        self.write("rules/named.guard", RULES)
        with_rules = CATALOGUE.replace("    read: [s3:List*", "    rules: [{file: rules/named.guard}, {rule: NAMED}, {rule: GONE}]\n    read: [s3:List*")
        catalogue = self.write("with.yaml", with_rules)
        answer = self.check(self.write("t.yaml", "Resources: {A: {Type: 'AWS::S3::Bucket'}}\n"),
                            options=["--region", "eu-west-1", "--json"], catalogue=catalogue)
        self.assertEqual([(s, r) for s, r, _ in self.told(answer)], [
            ("FAIL", "NAMED"), ("FAIL", "catalogue_rules_of_use"), ("UNKNOWN", "catalogue_rules_of_use")])

    def test_reports(self):
        path = self.write("t.yaml", TEMPLATE)
        sarif = json.loads(self.check(path, options=["--format", "sarif"]).stdout)["runs"][0]
        self.assertIn("catalogue_service_assessed", [rule["id"] for rule in sarif["tool"]["driver"]["rules"]])
        junit = ElementTree.fromstring(self.check(path, options=["--format", "junit"]).stdout)
        cases = {case.get("name"): case for case in junit.iter("testcase")}
        self.assertIsNotNone(cases["catalogue_service_assessed"].find("failure"))
        self.assertIsNotNone(cases["catalogue_region_allowed"].find("error"))

    def test_all_faults_of_a_catalogue_are_told(self):
        bad = self.write("bad.yaml", CATALOGUE.replace("allowed: no", "allowed: perhaps").replace("level: read", "level: raed"))
        for command in [["govern", "check", "--catalogue", bad, "--input", bad], ["govern", "catalogue", "check", bad],
                        ["govern", "users", "plan", "--catalogue", bad]]:
            answer = kabuto.run(*command)
            self.assertEqual(answer.returncode, 2)
            self.assertRegex(answer.stderr, r"bad\.yaml:12:\d+: found .*perhaps.*; wanted ")
            self.assertRegex(answer.stderr, r"bad\.yaml:18:\d+: found .*raed.*did you mean \"read\"\?")

    def test_the_schema_takes_what_the_reader_takes(self):
        try:
            import jsonschema
            import yaml
        except ImportError as error:
            self.skipTest(f"no validator of schemas ({error})")
        schema = json.loads(kabuto.run("govern", "catalogue", "schema").stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for text in (CATALOGUE, pathlib.Path(EXAMPLE).read_text()):
            # As editors read YAML 1.2: days, yes and on are texts.
            document = yaml.load(text, Loader=yaml.BaseLoader)
            self.assertEqual([error.message for error in validator.iter_errors(document)], [])
            document["services"][0]["alowed"] = True
            self.assertEqual(len(list(validator.iter_errors(document))), 1)

    def test_a_comment(self):
        path = self.write("t|`<b>.yaml", TEMPLATE.replace("Stream:", "\"@everyone<!--|`*\":"))
        for language, word in [("en", "violations"), ("ja", "違反あり")]:
            answer = self.check(path, options=["--region", "eu-west-1", "--format", "comment", "--language", language])
            self.assertEqual(answer.returncode, 1)
            text = answer.stdout
            self.assertTrue(text.startswith("<!-- kabuto govern check -->\n### "))
            self.assertIn(word, text)
            self.assertEqual(text.count("<details>"), 3)
            self.assertEqual(text.count("<details>"), text.count("</details>"))
            self.assertNotIn("@everyone", text)
            self.assertNotIn("<b>", text)
            self.assertNotIn("省略" if language == "ja" else "left out", text)
            rows = [line for line in text.splitlines() if line.startswith("| ❌")]
            self.assertEqual(len(rows), 3)
            for row in rows:
                self.assertEqual(row.count("|"), 5)
        many = "Resources:\n" + "".join(f"  R{n}: {{Type: 'AWS::Kinesis::Stream'}}\n" for n in range(3000))
        text = self.check(self.write("many.yaml", many), options=["--format", "comment"]).stdout
        self.assertLessEqual(len(text.encode("utf-16-le")) // 2, 65_536)
        self.assertGreater(len(text), 60_000)
        shown = len([line for line in text.splitlines() if line.startswith("| ❌")])
        self.assertIn(f"{3000 - shown} findings", text)


class ExceptionFlow(Folder):
    def setUp(self):
        super().setUp()
        self.template = self.write("t.yaml", TEMPLATE)
        self.today = datetime.datetime.now(datetime.timezone.utc).date()

    def day(self, days):
        return (self.today + datetime.timedelta(days=days)).isoformat()

    def request(self, path, name="EX-1", rule="catalogue_service_assessed", days=30, **scope):
        options = [part for key, value in scope.items() for part in (f"--{key}", value)]
        return kabuto.run("govern", "exception", "request", path, "--id", name, "--rule", rule, "--owner", "data", "--reason",
                          "A trial: \"streams\"", "--by", "tanaka", "--expires", self.day(days), *options)

    def approve(self, path, name="EX-1", by="suzuki"):
        return kabuto.run("govern", "exception", "approve", path, name, "--by", by)

    def check(self, path, *options):
        return kabuto.run("govern", "check", "--catalogue", self.catalogue, "--input", self.template, "--region", "eu-west-1",
                          "--exceptions", path, *options)

    def findings(self, path):
        return json.loads(self.check(path, "--json").stdout)

    def test_from_request_to_end(self):
        for place in ["exceptions", "exceptions.yaml"]:
            with self.subTest(place):
                path = str(self.folder / place)
                answer = self.request(path, resource="Stream")
                self.assertEqual(answer.returncode, 0, answer.stderr)
                self.assertEqual(self.request(path).returncode, 2)
                report = self.findings(path)
                stream = next(f for f in report["findings"] if f["resource"] == "Stream")
                self.assertEqual(stream["status"], "FAIL")
                self.assertIn("EX-1 isn't approved", stream["message"])
                self.assertEqual(self.approve(path, by="Tanaka").returncode, 2)
                self.assertEqual(self.approve(path, "EX-2").returncode, 2)
                self.assertEqual(kabuto.run("govern", "exception", "check", path).returncode, 1)
                answer = self.approve(path)
                self.assertEqual(answer.returncode, 0, answer.stderr)
                self.assertEqual(kabuto.run("govern", "exception", "check", path).returncode, 0)
                self.assertEqual(kabuto.run("govern", "exception", "check", path, "--days", "31").returncode, 1)
                report = self.findings(path)
                self.assertEqual({f["resource"]: (f["status"], f.get("exception")) for f in report["findings"]}, {
                    "Stream": ("EXCEPTED", "EX-1"), "Search": ("FAIL", None), "Rights": ("FAIL", None)})
                # Changed afterwards, it ends.
                file = path if place.endswith("yaml") else f"{path}/EX-1.yaml"
                text = pathlib.Path(file).read_text()
                pathlib.Path(file).write_text(text.replace('"Stream"', '"S*"'))
                report = self.findings(path)
                self.assertEqual({f["status"] for f in report["findings"]}, {"FAIL"})
                self.assertIn("EX-1 isn't what was approved", report["findings"][0]["message"])
                self.assertEqual(self.approve(path).returncode, 0)
                self.assertEqual(sorted(f["status"] for f in self.findings(path)["findings"]), ["EXCEPTED", "EXCEPTED", "FAIL"])

    def test_all_excepted_is_good(self):
        path = str(self.folder / "all")
        for name, rule in [("A", "catalogue_service_*"), ("B", "catalogue_policy_grants")]:
            self.assertEqual(self.request(path, name, rule).returncode, 0)
            self.assertEqual(self.approve(path, name).returncode, 0)
        answer = self.check(path)
        self.assertEqual(answer.returncode, 0, answer.stdout)
        self.assertIn("excepted 2", answer.stdout)
        sarif = json.loads(self.check(path, "--format", "sarif").stdout)["runs"][0]
        for result in sarif["results"]:
            suppression = result["suppressions"][0]
            self.assertEqual((suppression["kind"], suppression["status"]), ("external", "accepted"))
            self.assertIn("A trial", suppression["justification"])
        junit = ElementTree.fromstring(self.check(path, "--format", "junit").stdout)
        self.assertEqual((junit.get("failures"), junit.get("errors")), ("0", "0"))
        self.assertIn("☑️ EXCEPTED", self.check(path, "--format", "comment").stdout)

    def test_a_name_that_can_not_be_seen_is_nobodys(self):
        path = str(self.folder / "unseen.yaml")
        self.assertEqual(self.request(path).returncode, 0)
        answer = self.approve(path, by="\u200b")
        self.assertEqual(answer.returncode, 64, answer.stdout)
        self.assertIn("--by: wanted a name with letters or digits", answer.stderr)
        asked = kabuto.run("govern", "exception", "request", path, "--id", "EX-2", "--rule", "a", "--owner", "data", "--reason", "r",
                           "--by", "\u3164", "--expires", self.day(3))
        self.assertEqual(asked.returncode, 64, asked.stdout)
        # Nor does one count that is written by hand.
        pathlib.Path(path).write_text(pathlib.Path(path).read_text() + f'    approved: {{by: "\\u200b", on: {self.day(0)}, sum: "00"}}\n')
        answer = self.check(path)
        self.assertEqual(answer.returncode, 2, answer.stdout)
        self.assertRegex(answer.stderr, r"unseen\.yaml:\d+:\d+: .*by: a name that can't be seen")

    def test_no_terminal_obeys_what_others_wrote(self):
        path, data = str(self.folder / "escape.yaml"), str(self.folder / "data")
        answer = kabuto.run("govern", "exception", "request", path, "--id", "EX-1", "--rule", "catalogue_*", "--owner", "da\x1b[2Jta",
                            "--reason", "r\x1b]0;x\x07", "--by", "ta\x1b[2Jnaka", "--expires", self.day(3))
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertEqual(self.approve(path).returncode, 0)
        self.check(path, "--data", data)
        found = json.loads(kabuto.run("govern", "history", "list", "--data", data, "--state", "excepted", "--json").stdout)["findings"]
        texts = [kabuto.run("govern", "history", "show", found[0]["id"], "--data", data).stdout]
        self.assertIn("exception EX-1", texts[0])
        text = pathlib.Path(path).read_text()
        pathlib.Path(path).write_text(text.replace("suzuki", "ta\\u001b[2Jnaka"))
        told = kabuto.run("govern", "exception", "check", path)
        self.assertIn("who asked for it", told.stdout)
        texts.append(told.stdout)
        for text in texts:
            self.assertNotIn("\x1b", text)
            self.assertIn("\\u{1B}[2J", text)

    def test_unknown_is_covered_only_where_it_says_so(self):
        bucket = self.write("t.yaml", "Resources: {A: {Type: 'AWS::S3::Bucket'}}\n")
        for name, flag, status in [("plain", [], "UNKNOWN"), ("open", ["--unknown"], "EXCEPTED")]:
            path = str(self.folder / name)
            answer = kabuto.run("govern", "exception", "request", path, "--id", "U", "--rule", "catalogue_region_allowed",
                                "--owner", "o", "--reason", "r", "--by", "a", "--expires", self.day(1), *flag)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            self.assertEqual(self.approve(path, "U").returncode, 0)
            answer = kabuto.run("govern", "check", "--catalogue", self.catalogue, "--input", bucket, "--exceptions", path, "--json")
            report = json.loads(answer.stdout)
            self.assertEqual([f["status"] for f in report["findings"]], [status])
            self.assertEqual(answer.returncode, 0 if flag else 1)

    def test_what_covers_nothing_and_what_is_over_is_told(self):
        path = str(self.folder / "few.yaml")
        self.assertEqual(self.request(path, "GONE", "no_such_rule").returncode, 0)
        self.assertEqual(self.approve(path, "GONE").returncode, 0)
        answer = self.check(path)
        self.assertIn("exception GONE covers nothing here", answer.stderr)
        self.assertEqual(answer.returncode, 1)
        old = ("exceptions:\n  - id: OLD\n    rule: catalogue_*\n    owner: o\n    reason: r\n    requested: {by: a, on: 2025-01-01}\n"
               "    expires: 2025-02-01\n    approved: {by: b, on: 2025-01-02, sum: \"%s\"}\n")
        report = self.findings(self.write("old.yaml", old % ("0" * 64)))
        self.assertEqual({f["status"] for f in report["findings"]}, {"FAIL"})
        self.assertIn("isn't what was approved", report["findings"][0]["message"])

    def test_an_empty_list_covers_nothing_and_is_a_fault(self):
        for text, place in [("rule: catalogue_*\n    scope: {resource: []}", r"few\.yaml:4:\d+: .*resource: an empty list"),
                            ("rule: []", r"few\.yaml:3:\d+: .*rule: an empty list")]:
            path = self.write("few.yaml", f"exceptions:\n  - id: a\n    {text}\n    owner: o\n    reason: r\n"
                                          "    requested: {by: a, on: 2026-01-01}\n    expires: 2026-02-01\n")
            for answer in (self.check(path), kabuto.run("govern", "exception", "check", path)):
                self.assertEqual(answer.returncode, 2, answer.stdout)
                self.assertRegex(answer.stderr, place)

    def test_days_beyond_the_calendar_are_refused(self):
        path = self.write("few.yaml", "exceptions: []\n")
        for days, status in [("9223372036854775807", 64), ("36501", 64), ("-1", 64), ("36500", 0)]:
            answer = kabuto.run("govern", "exception", "check", path, f"--days={days}")
            self.assertEqual(answer.returncode, status, answer.stderr)

    def test_what_can_not_be_asked_for(self):
        path = str(self.folder / "x.yaml")
        self.assertEqual(self.request(path, "../x").returncode, 2)
        self.assertEqual(self.request(path, rule="*").returncode, 2)
        self.assertEqual(self.request(path, days=366).returncode, 2)
        self.assertEqual(self.request(path, days=-1).returncode, 2)
        self.assertFalse(os.path.exists(path))
        flow = self.write("flow.yaml", "exceptions: [{id: a, rule: b, owner: o, reason: r, requested: {by: a, on: 2026-01-01}, expires: 2026-02-01}]\n")
        before = pathlib.Path(flow).read_text()
        self.assertEqual(self.request(flow).returncode, 2)
        self.assertEqual(pathlib.Path(flow).read_text(), before)

    def test_many_at_once_lose_nothing(self):
        path = str(self.folder / "many.yaml")
        answers = []
        threads = [threading.Thread(target=lambda n=n: answers.append(self.request(path, f"EX-{n}").returncode)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [0] * 8)
        listed = json.loads(kabuto.run("govern", "exception", "list", path, "--json").stdout)
        self.assertEqual(sorted(each["id"] for each in listed), sorted(f"EX-{n}" for n in range(8)))
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".")], [])


class BoundaryGate:
    """Before moto: keeps users' boundaries, refuses policies longer than IAM's, and calls `on_change(number, action)` before
    and after each call that changes something."""

    READS = ("Get", "List")

    def __init__(self, target_port):
        self.boundaries = {}
        self.changes = []
        self.on_change = lambda number, action, isDone: None
        self.deny = set()
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def refuse(self, status, code):
                self.reply(status, f"<ErrorResponse><Error><Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>".encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                form = {key: value[0] for key, value in urllib.parse.parse_qs(body.decode(), keep_blank_values=True).items()}
                action, user = form.get("Action", ""), form.get("UserName", "")
                changes = "/iam/" in self.headers.get("Authorization", "") and not action.startswith(gate.READS)
                if changes:
                    gate.changes.append(action)
                    if gate.on_change(len(gate.changes), action, False) == "drop":
                        self.close_connection = True
                        return
                if action in gate.deny:
                    return self.refuse(403, "AccessDenied")
                if len("".join(form.get("PolicyDocument", "").split())) > 6144:
                    return self.refuse(409, "LimitExceeded")
                if action in ("PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"):
                    gate.boundaries[user] = form.get("PermissionsBoundary")
                    status, headers, content = 200, [], f"<{action}Response/>".encode()
                else:
                    link = http.client.HTTPConnection("127.0.0.1", target_port, timeout=60)
                    link.request("POST", self.path, body, {n: v for n, v in self.headers.items() if n.lower() != "connection"})
                    found = link.getresponse()
                    status, content = found.status, found.read()
                    link.close()
                if status == 200 and action == "CreateUser":
                    gate.boundaries[user] = form.get("PermissionsBoundary")
                if status == 200 and action == "DeleteUser":
                    gate.boundaries.pop(user, None)
                if action == "GetAccountAuthorizationDetails":
                    content = re.sub(rb"<UserName>(.*?)</UserName>", gate.bounded, content)
                if changes:
                    gate.on_change(len(gate.changes), action, True)
                self.reply(status, content)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bounded(self, match):
        arn = self.boundaries.get(match[1].decode())
        if not arn:
            return match[0]
        return match[0] + f"<PermissionsBoundary><PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>".encode()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


@unittest.skipIf(live_account.MISSING, live_account.MISSING)
class WithAccount(Folder):
    @classmethod
    def setUpClass(cls):
        cls.moto = live_account.Moto()
        cls.addClassCleanup(cls.moto.end)

    def setUp(self):
        super().setUp()
        self.post("/moto-api/reset")
        self.gate = BoundaryGate(self.moto.port)
        self.addCleanup(self.gate.end)
        self.iam = self.boto("iam")

    def post(self, path, body=""):
        link = http.client.HTTPConnection("127.0.0.1", self.moto.port, timeout=60)
        link.request("POST", path, body)
        answer = link.getresponse()
        answer.read()
        self.assertEqual(answer.status, 200)

    def boto(self, service, key=live_account.KEY, secret=live_account.SECRET, region="eu-west-1"):
        return live_account.boto3.client(service, region_name=region, endpoint_url=self.gate.url if service == "iam" else self.moto.url,
                                         aws_access_key_id=key, aws_secret_access_key=secret)

    ENVIRONMENT = {"AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET,
                   "AWS_REGION": "eu-west-1", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}

    def users(self, verb, *options, catalogue=None):
        answer = kabuto.run("govern", "users", verb, "--catalogue", catalogue or self.catalogue, "--endpoint", self.gate.url,
                            "--attempts", "2", *options, environment=self.ENVIRONMENT)
        self.assertNotIn(live_account.SECRET, answer.stdout + answer.stderr)
        return answer

    def state(self):
        details = self.iam.get_account_authorization_details(Filter=["User", "Group", "LocalManagedPolicy"])
        return {
            "users": {u["UserName"]: (u["Path"], sorted(u.get("GroupList", [])), self.gate.boundaries.get(u["UserName"]),
                                      [p["PolicyArn"] for p in u["AttachedManagedPolicies"]]) for u in details["UserDetailList"]},
            "groups": {g["GroupName"]: (g["Path"], sorted(p["PolicyArn"] for p in g["AttachedManagedPolicies"])) for g in details["GroupDetailList"]},
            "policies": {p["Arn"].split("/")[-1]: (p["Path"], json.dumps(next(v["Document"] for v in p["PolicyVersionList"] if v["IsDefaultVersion"]), sort_keys=True))
                         for p in details["Policies"]},
        }


class UsersOfAnAccount(WithAccount):
    def test_plan_apply_and_nothing_left(self):
        answer = self.users("plan", "--json")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        plan = json.loads(answer.stdout)
        self.assertEqual({step["kind"] for step in plan["steps"]}, {"create"})
        self.assertEqual(self.gate.changes, [])
        self.assertEqual(self.users("drift").returncode, 1)
        answer = self.users("apply", "--json")
        self.assertEqual(answer.returncode, 0, answer.stderr + answer.stdout)
        self.assertEqual([s["text"] for s in json.loads(answer.stdout)["steps"]], [s["text"] for s in plan["steps"]])
        account = plan["account"]
        boundary = f"arn:aws:iam::{account}:policy/kabuto/kabuto-boundary"
        self.assertEqual(self.state()["users"], {
            "anna": ("/kabuto/", ["operator"], boundary, []), "ben": ("/kabuto/", ["auditor", "operator"], boundary, []),
            "cleo": ("/kabuto/", ["auditor"], boundary, []),
        })
        self.assertEqual(self.iam.list_access_keys(UserName="anna")["AccessKeyMetadata"], [])
        before = len(self.gate.changes)
        answer = self.users("apply")
        self.assertEqual((answer.returncode, len(self.gate.changes)), (0, before), answer.stderr)
        self.assertEqual(self.users("drift").returncode, 0)

    def test_what_was_changed_by_hand_is_drift_and_goes(self):
        self.assertEqual(self.users("apply").returncode, 0)
        meant = self.state()
        everything = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
        foreign = self.iam.create_policy(PolicyName="mine", PolicyDocument=everything)["Policy"]["Arn"]
        self.iam.attach_user_policy(UserName="anna", PolicyArn=foreign)
        self.iam.put_user_policy(UserName="ben", PolicyName="inline", PolicyDocument=everything)
        self.iam.attach_group_policy(GroupName="auditor", PolicyArn=foreign)
        self.iam.delete_user_permissions_boundary(UserName="cleo")
        self.iam.remove_user_from_group(UserName="anna", GroupName="operator")
        policy = next(p["Arn"] for p in self.iam.list_policies(Scope="Local")["Policies"] if p["PolicyName"] == "kabuto-auditor")
        self.iam.create_policy_version(PolicyArn=policy, PolicyDocument=everything, SetAsDefault=True)
        answer = self.users("drift", "--json")
        self.assertEqual(answer.returncode, 1)
        told = "\n".join(step["text"] for step in json.loads(answer.stdout)["steps"])
        for word in ["user anna: detach " + foreign, "user ben: delete its own policy inline", "group auditor: detach " + foreign,
                     "user cleo: set the boundary", "user anna: join group operator", "policy kabuto-auditor: back to version v1"]:
            self.assertIn(word, told)
        self.assertEqual(len(told.splitlines()), 6)
        self.assertEqual(self.users("apply").returncode, 0)
        found = self.state()
        found["policies"].pop("mine")
        self.assertEqual(found, meant)

    def test_changes_and_removals(self):
        self.assertEqual(self.users("apply").returncode, 0)
        self.iam.create_access_key(UserName="cleo")
        self.iam.create_login_profile(UserName="cleo", Password="Nobody-sees-this-1")
        changed = self.write("changed.yaml", CATALOGUE[:CATALOGUE.index("  - id: auditor")].replace("denied: [DeleteBucket]", "denied: [DeleteBucket, PutBucketAcl]"))
        answer = self.users("plan", catalogue=changed)
        self.assertIn("- user cleo: delete", answer.stdout)
        self.assertIn("~ policy kabuto-boundary", answer.stdout)
        self.assertEqual(self.users("apply", "--most-removals", "0", catalogue=changed).returncode, 2)
        self.assertEqual(self.users("drift").returncode, 0)
        answer = self.users("apply", catalogue=changed)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        found = self.state()
        self.assertEqual(sorted(found["users"]), ["anna", "ben"])
        self.assertEqual(found["users"]["ben"][1], ["operator"])
        self.assertEqual(sorted(found["groups"]), ["operator"])
        self.assertEqual(sorted(found["policies"]), ["kabuto-boundary", "kabuto-operator"])
        self.assertIn("PutBucketAcl", found["policies"]["kabuto-boundary"][1])
        # IAM keeps five versions; the sixth change goes through all the same.
        for number in range(6):
            text = CATALOGUE.replace("denied: [DeleteBucket]", f"denied: [DeleteBucket, Put{number}]")
            self.assertEqual(self.users("apply", catalogue=self.write("n.yaml", text)).returncode, 0)

    def test_what_is_of_others_stays(self):
        self.iam.create_user(UserName="anna")
        self.iam.create_user(UserName="guest", Path="/kabuto/")
        answer = self.users("plan")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("! user anna is there already, under /", answer.stdout)
        before = self.state()
        self.assertEqual(self.users("apply").returncode, 2)
        self.assertEqual(self.state(), before)
        self.iam.delete_user(UserName="anna")
        answer = self.users("apply")
        self.assertEqual(answer.returncode, 1, answer.stderr)
        self.assertIn("? user guest is under /kabuto/", answer.stdout)
        self.assertIn("guest", self.state()["users"])

    def test_without_the_boundary_nobody_is_given_anything(self):
        self.gate.deny = {"CreatePolicy"}
        answer = self.users("apply")
        self.assertEqual(answer.returncode, 1)
        found = self.state()
        self.assertEqual((found["users"], found["policies"]), ({}, {}))
        self.assertIn("AccessDenied", answer.stderr)
        self.gate.deny = {"AddUserToGroup"}
        self.assertEqual(self.users("apply").returncode, 1)
        self.assertEqual(len(self.state()["users"]), 3)
        self.gate.deny = {"GetAccountAuthorizationDetails"}
        self.assertEqual(self.users("drift").returncode, 2)
        self.gate.deny = set()
        self.assertEqual(self.users("apply").returncode, 0)

    def test_killed_at_every_change_and_run_again(self):
        self.assertEqual(self.users("apply").returncode, 0)
        wanted, changes = self.state(), list(self.gate.changes)
        self.assertGreater(len(changes), 10)
        for number in range(1, len(changes) + 1):
            for isDone in (False, True) if number % 3 == 0 else (number % 2 == 0,):
                with self.subTest(number=number, isDone=isDone):
                    self.post("/moto-api/reset")
                    self.gate.boundaries.clear()
                    self.gate.changes.clear()
                    process = subprocess.Popen(
                        [kabuto.BINARY, "govern", "users", "apply", "--catalogue", self.catalogue, "--endpoint", self.gate.url],
                        env={**kabuto.ENVIRONMENT, **self.ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

                    def kill(count, action, done, process=process):
                        if (count, done) == (number, isDone):
                            process.send_signal(signal.SIGKILL)
                            process.wait()
                            return None if done else "drop"

                    self.gate.on_change = kill
                    process.wait(120)
                    self.assertEqual(process.returncode, -signal.SIGKILL)
                    self.gate.on_change = lambda *_: None
                    # Whoever is there has the boundary, at every moment.
                    for user, (_, _, boundary, _) in self.state()["users"].items():
                        self.assertTrue(boundary, user)
                    answer = self.users("apply")
                    self.assertEqual(answer.returncode, 0, answer.stderr)
                    self.assertEqual(self.state(), wanted)
                    done = self.gate.changes
                    for action in set(done):
                        # Nothing twice, but the call during which it was ended.
                        self.assertLessEqual(done.count(action), changes.count(action) + (action == changes[number - 1]))

    def test_a_narrowed_user_may_do_what_is_meant(self):
        """By moto's own decision, which knows groups' policies, but neither boundaries nor conditions."""
        self.assertEqual(self.users("apply").returncode, 0)
        keys = {name: self.iam.create_access_key(UserName=name)["AccessKey"] for name in ("anna", "cleo")}
        self.post("/moto-api/reset-auth", "0")
        self.addCleanup(self.post, "/moto-api/reset-auth", "1000000000")
        def may(user, service, call, **parameters):
            client = self.boto(service, keys[user]["AccessKeyId"], keys[user]["SecretAccessKey"])
            try:
                getattr(client, call)(**parameters)
                return True
            except live_account.boto3.exceptions.Boto3Error:
                raise
            except Exception as error:
                code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
                if code in ("AccessDenied", "UnauthorizedOperation", "AccessDeniedException"):
                    return False
                return True
        self.assertTrue(may("cleo", "ec2", "describe_instances"))
        self.assertFalse(may("cleo", "ec2", "stop_instances", InstanceIds=["i-12345678"]))
        self.assertTrue(may("anna", "ec2", "stop_instances", InstanceIds=["i-12345678"]))
        self.assertFalse(may("anna", "ec2", "run_instances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1))
        self.assertTrue(may("anna", "s3", "create_bucket", Bucket="kabuto-x", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}))
        self.assertFalse(may("cleo", "s3", "create_bucket", Bucket="kabuto-y", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}))
        self.assertTrue(may("cleo", "s3", "list_buckets"))
        self.assertFalse(may("anna", "ec2", "create_vpc", CidrBlock="10.0.0.0/16"))
        self.assertFalse(may("anna", "sns", "list_topics"))


class PoliciesAreTaken(WithAccount):
    def test_by_iam_and_organizations(self):
        organizations = self.boto("organizations", region="us-east-1")
        organizations.create_organization(FeatureSet="ALL")
        for number, catalogue in enumerate([self.catalogue, EXAMPLE]):
            answer = kabuto.run("govern", "catalogue", "boundary", catalogue)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            self.iam.create_policy(PolicyName=f"boundary{number}", PolicyDocument=answer.stdout)
            answer = kabuto.run("govern", "catalogue", "users", catalogue)
            for group in json.loads(answer.stdout)["groups"]:
                for policy in group["policies"]:
                    self.iam.create_policy(PolicyName=f"{policy['name']}{number}", PolicyDocument=policy["document"])
            for form in ("deny", "allow"):
                options = ["--form", form]
                answer = kabuto.run("govern", "catalogue", "scp", catalogue, *options)
                self.assertEqual(answer.returncode, 0, answer.stderr)
                report = json.loads(answer.stdout)
                self.assertEqual(report["form"], form)
                self.assertLessEqual(len(report["policies"]), 4 if form == "deny" else 5)
                for policy in report["policies"]:
                    self.assertLessEqual(len(policy["document"]), 5120)
                    # IAM's own check of grammar serves for these, too.
                    self.iam.create_policy(PolicyName=f"{policy['name']}{form}{number}", PolicyDocument=policy["document"])
                    made = organizations.create_policy(Name=f"{policy['name']}{form}{number}", Description="x",
                                                       Type="SERVICE_CONTROL_POLICY", Content=policy["document"])
                    self.assertEqual(json.loads(made["Policy"]["Content"]), json.loads(policy["document"]))

    def test_moto_decides_as_the_catalogue_does(self):
        """The boundary of a catalogue without regions, by an evaluator that isn't ours."""
        from moto.iam.access_control import IAMPolicy, PermissionResult

        chance = random.Random(SEED)
        words = ["Get", "Put", "Delete", "Bucket", "Object", "Acl", "List", "Run"]
        text = ["organisation: T\nservices:\n"]
        for number in range(12):
            patterns = ["".join(chance.choice(words + ["*"] * 4) for _ in range(3)) for _ in range(6)]
            text.append(f"  - id: p{number}\n    assessed: {{on: 2026-01-01, by: x}}\n    allowed: yes\n    regions: global\n"
                        f"    actions: {json.dumps(sorted(set(patterns[:4])))}\n    denied: {json.dumps(sorted({p + 'X*' for p in patterns[4:]}))}\n")
        catalogue = self.write("made.yaml", "".join(text))
        boundary = kabuto.run("govern", "catalogue", "boundary", catalogue)
        self.assertEqual(boundary.returncode, 0, f"{boundary.stderr} KABUTO_SEED={SEED:x}")
        policy = IAMPolicy(boundary.stdout)
        actions = sorted({f"p{chance.randrange(13)}:" + "".join(chance.choice(words + ["X"]) for _ in range(chance.randrange(1, 5))) for _ in range(1500)})
        answer = kabuto.run("govern", "catalogue", "decide", catalogue, "--region", "eu-west-1", "--json", *actions)
        decisions = json.loads(answer.stdout)
        self.assertEqual(answer.returncode, 1)
        allowed = 0
        for each in decisions:
            found = policy.is_action_permitted(each["action"]) == PermissionResult.PERMITTED
            self.assertEqual(found, each["allowed"], f"{each} KABUTO_SEED={SEED:x}")
            allowed += found
        self.assertGreater(allowed, 50)

    def test_what_does_not_fit_is_told(self):
        actions = ", ".join(f"AnActionWithALongName{n}" for n in range(400))
        large = self.write("large.yaml", CATALOGUE.replace("    read: [s3:List*, s3:GetBucket*]\n", f"    actions: [{actions}]\n    read: AnActionWithALongName1\n").replace("    denied: [DeleteBucket]\n", ""))
        for command in (["catalogue", "boundary", large], ["catalogue", "check", large]):
            answer = kabuto.run("govern", *command)
            self.assertEqual(answer.returncode, 1)
            self.assertRegex(answer.stderr, r"takes \d+ characters; wanted at most 6144")
            self.assertRegex(answer.stderr, r"characters by service: s3 \d{4,}")
        self.assertEqual(self.users("apply", catalogue=large).returncode, 2)
        self.assertEqual(self.gate.changes, [])
        folder = self.folder / "out"
        answer = kabuto.run("govern", "catalogue", "scp", large, "--out", str(folder))
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("detach FullAWSAccess", answer.stderr)
        for path in answer.stdout.split():
            self.assertLessEqual(len(pathlib.Path(path).read_text()), 5120)


@unittest.skipIf(live_account.MISSING, live_account.MISSING)
class ScanWithExceptions(WithAccount):
    def test_an_exception_of_one_account(self):
        s3 = self.boto("s3")
        s3.create_bucket(Bucket="kabuto-one", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        rules = self.write("r.guard", "let all = Resources.*[ Type == 'AWS::S3::Bucket' ]\nrule VERSIONED when %all !empty { %all.Properties.VersioningConfiguration.Status == 'Enabled' }\n")
        account = self.boto("sts").get_caller_identity()["Account"]
        until = (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=3)).isoformat()
        for number, status in [(account, 0), ("999999999999", 1)]:
            path = str(self.folder / number)
            kabuto.run("govern", "exception", "request", path, "--id", "S", "--rule", "VERSIONED", "--account", number, "--owner", "o",
                       "--reason", "r", "--by", "a", "--expires", until)
            self.assertEqual(kabuto.run("govern", "exception", "approve", path, "S", "--by", "b").returncode, 0)
            answer = kabuto.run("govern", "scan", "--rules", rules, "--regions", "eu-west-1", "--endpoint", self.moto.url, "--allow-unknown",
                                "--exceptions", path, "--format", "json", environment=self.ENVIRONMENT)
            self.assertEqual(answer.returncode, status, answer.stdout + answer.stderr)


if __name__ == "__main__":
    unittest.main()
