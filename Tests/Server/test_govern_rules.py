"""The shipped rules (Rules/) on a good and a bad resource of each: as a template, as a Terraform plan, and live in two
accounts of moto's real server. The verdict is the same in all three, but for what `rule_cases.DIFFERENCES` explains.

    python -m unittest -v Tests/Server/test_govern_rules.py
"""

import json
import os
import pathlib
import re
import shutil
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

import kabuto
import live_account
import rule_cases
from rules_account import ACCOUNT, REGION, SECRET, UNUSED, fill

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = str(ROOT / "Rules")
TAKES_PARAMETERS = "--input-parameters" in kabuto.run("govern", "check", "--help").stdout
NO_PARAMETERS = "govern takes no --input-parameters here"
# Rules that need facts of the estate or the company's lists.
NEEDS_FACTS = {
    "estate_public_ports", "estate_ports", "estate_listener_ports", "zones_of_groups", "zones_of_balancers", "zones_balanced",
    "service_network_balancer", "firewall_targets_by_address", "region_empty", "bucket_policy_other_accounts",
}
# Live: the resource of each kind, by the names of `fill`; None: the whole region is judged.
LIVE = {
    **{rule: "group" for rule in rule_cases.CASES if rule.startswith("security_group_")},
    "security_group_default_empty": "default_group", "estate_public_ports": "group", "estate_ports": "group",
    "bucket_acl": "bucket", "bucket_public_access_block": "bucket", "bucket_tls_only": "bucket", "bucket_encryption": "bucket",
    "bucket_versioning": "bucket", "storage_encryption": "bucket", "bucket_policy_anyone": "bucket_policy",
    "bucket_policy_other_accounts": "bucket_policy", "lambda_permission_anyone": "permission_account",
    "lambda_permission_source": "permission_service", "lambda_url_auth": "url", "lambda_secrets": "function",
    "lambda_runtime": "function", "trail_logging": "trail", "trail_validated": "trail", "trail_all_regions": "trail",
    "trail_management_events": "trail", "trail_in_region": None, "recorder_records": "recorder", "recorder_in_region": None, "detector_enabled": "detector",
    "detector_in_region": None, "region_empty": None, "root_without_keys": "root", "root_with_mfa": "root",
    "password_policy_there": None, "password_policy_strong": "password", "user_mfa": "user", "user_direct_policies": "user",
    "policy_everything": "policy", "policy_administrator": "role", "volume_encryption": "volume", "database_encryption": "database",
    "key_rotation": "key", "database_public": "database", "balancer_web_acl": "balancer", "certificate_end": "certificate",
    "internet_instances": "instance", "internet_addresses": "address", "internet_subnets": "instance",
    "estate_listener_ports": "listener", "zones_of_groups": "scaling", "zones_of_balancers": "balancer", "zones_balanced": None,
    "instance_types": "instance", "service_network_balancer": "feed_target", "firewall_targets_by_address": "gate_target",
}
# What moto can't make: (rule, kind) → why.
NOT_LIVE = {
    ("root_without_keys", "bad"): "moto's root has no keys", ("root_with_mfa", "good"): "moto's root has no device",
    ("password_policy_strong", "bad"): "the bad account has no policy at all; a weak one is tried by itself",
    ("user_key_age", "good"): "a key of today", ("user_key_age", "bad"): "moto's keys are of today; AccountsTests try old ones",
}


def statuses(junit):
    """(input, rule) → status."""
    out = {}
    for suite in ElementTree.fromstring(junit):
        for case in suite:
            tag = {"skipped": "SKIP", "failure": "FAIL", "error": "UNKNOWN"}
            out[suite.get("name"), case.get("name")] = tag[case[0].tag] if len(case) else "PASS"
    return out


class RuleFiles(unittest.TestCase):
    def test_every_expectation_of_the_shipped_rules_is_met(self):
        found = kabuto.run("govern", "test", RULES, "--json")
        self.assertEqual(found.returncode, 0, found.stderr + found.stdout[:4000])
        report = json.loads(found.stdout)
        self.assertEqual((report["failed"], report["untested"]), (0, []))
        self.assertGreater(report["passed"], 300)
        expected = {}
        for case in report["cases"]:
            expected.setdefault(case["rule"], set()).add(case["expected"])
        self.assertEqual(set(expected), set(self.rules()))
        for rule, of in expected.items():
            self.assertEqual(of, {"PASS", "FAIL", "SKIP"}, rule)

    def test_every_rule_has_its_cases_here(self):
        self.assertEqual(set(rule_cases.CASES), set(self.rules()))
        self.assertEqual(set(LIVE) | {rule for rule, _ in NOT_LIVE}, set(self.rules()))

    @staticmethod
    def rules():
        texts = [path.read_text("utf-8") for path in pathlib.Path(RULES).rglob("*.guard")]
        return re.findall(r"^rule (\w+)\b(?!\()", "\n".join(texts), re.M)


class Facts(unittest.TestCase):
    def test_the_estate_is_told_as_rules_ask_for_it(self):
        estate = (ROOT / "Estates" / "two-sites.yaml").read_text()
        estate = estate.replace(
            "    host: quotes.example.com\n",
            "    host: quotes.example.com\n    ports: [443]\n    speaks: http-1.0\n"
            "  - {name: wall, nodes: [], ports: [8443], firewall: true, fixed_address: true}\n",
        )
        estate += (
            "aws:\n  accounts: ['111122223333']\n  zones: {osk-a: ap-northeast-3a, osk-b: ap-northeast-3c}\n"
            "  instance_types: [m7i, c7i.large]\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "estate.yaml")
            pathlib.Path(path).write_text(estate)
            found = kabuto.run("govern", "facts", "--estate", path)
            self.assertEqual(found.returncode, 0, found.stderr)
            facts = json.loads(found.stdout)["Kabuto"]["Estate"]
            pathlib.Path(path).write_text(estate.replace("osk-b: ap-northeast-3c", "osk-x: 'ap northeast'"))
            self.assertEqual(kabuto.run("govern", "facts", "--estate", path).returncode, 1)
        self.assertEqual(facts["Zones"], ["ap-northeast-3a", "ap-northeast-3c"])
        self.assertEqual((facts["Regions"], facts["Accounts"]), (["ap-northeast-3"], ["111122223333"]))
        self.assertEqual(facts["PublicPorts"], [443, 8443])
        # Nodes and message servers in the cloud; those in buildings of one's own are no business of these rules.
        self.assertEqual(facts["Ports"], [443, 4222, 6222, 7222, 7422, 8080, 8443])
        self.assertEqual((facts["NetworkServices"], facts["Firewalls"]), (["quotes", "wall"], ["wall"]))
        self.assertEqual(facts["InstanceTypes"], ["m7i", "c7i.large"])
        # What the estate doesn't say isn't there: an empty list would say that nothing may be.
        plain = json.loads(kabuto.run("govern", "facts", "--estate", "two-sites").stdout)["Kabuto"]["Estate"]
        self.assertTrue({"Zones", "Regions", "Ports", "PublicPorts", "Firewalls", "InstanceTypes"}.isdisjoint(plain))
        self.assertEqual(kabuto.run("govern", "facts", "--estate", "/nowhere.yaml").returncode, 2)


class Documents(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kabuto-rules-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def judged(self, form, cases):
        """(rule, kind) → status of that rule on that document."""
        facts = {**rule_cases.COMPANY, **json.loads(json.dumps(rule_cases.FACTS))}
        for (rule, kind), case in cases.items():
            known = json.loads(json.dumps(facts))
            if rule.startswith("zones_"):
                known["Kabuto"]["Estate"]["Zones"] = rule_cases.ZONE_FACTS
            document = rule_cases.template(case, known) if form == "template" else rule_cases.plan(case)
            pathlib.Path(self.folder, f"{rule}.{kind}.json").write_text(json.dumps(document))
        options = []
        if form == "plan" and TAKES_PARAMETERS:
            facts["Kabuto"]["Estate"]["Zones"] = rule_cases.ZONE_FACTS
            for name in ("Company", "Kabuto"):
                path = os.path.join(self.folder, f"{name}.parameters")
                pathlib.Path(path).write_text(json.dumps({name: facts[name]}))
                options += [path]
            options = ["--input-parameters", *options]
        found = kabuto.run("govern", "check", "--rules", RULES, "--input", self.folder, "--format", "junit", *options)
        self.assertIn(found.returncode, (0, 1), found.stderr[:4000])
        self.assertNotIn(SECRET, found.stdout + found.stderr)
        told = statuses(found.stdout)
        return {
            (rule, kind): told[os.path.join(self.folder, f"{rule}.{kind}.json"), rule] for rule, kind in cases
        }

    def compare(self, form, places, left_out=frozenset()):
        cases = {}
        for rule, case in rule_cases.CASES.items():
            for kind, place in zip(("good", "bad"), places):
                if rule in left_out:
                    continue
                if case is None or case[place] is None:
                    self.assertTrue({(rule, form), (rule, f"{form} {kind}")} & set(rule_cases.DIFFERENCES), (rule, form))
                    continue
                cases[rule, kind] = case[place]
        told = self.judged(form, cases)
        wrong = {key: status for key, status in told.items() if status != {"good": "PASS", "bad": "FAIL"}[key[1]]}
        self.assertEqual(wrong, {})
        return told

    def test_templates(self):
        self.assertGreater(len(self.compare("template", (0, 1))), 70)

    def test_plans(self):
        left_out = frozenset() if TAKES_PARAMETERS else NEEDS_FACTS
        self.assertGreater(len(self.compare("plan", (2, 3), left_out)), 60)

    def test_a_user_with_a_password_in_a_plan_is_unknown(self):
        changes = [("aws_iam_user.r", {"name": "u"}), ("aws_iam_user_login_profile.l", {"user": "u", "password_reset_required": True})]
        self.assertEqual(self.judged("plan", {("user_mfa", "bad"): changes}), {("user_mfa", "bad"): "UNKNOWN"})

    def test_what_is_not_known_yet_is_unknown(self):
        parameter = {"Parameters": {"P": {"Type": "String"}}}
        cases = {
            "security_group_guarded_ports": rule_cases.group(**rule_cases.tcp(22, {"Ref": "P"})),
            "security_group_world_ports": rule_cases.group(IpProtocol="tcp", FromPort={"Ref": "P"}, ToPort=443, CidrIp="0.0.0.0/0"),
            "bucket_acl": rule_cases.bucket(AccessControl={"Ref": "P"}),
            "bucket_policy_anyone": rule_cases.bucket_policy(rule_cases.policy(rule_cases.statement("Allow", {"Ref": "P"})))[0],
            "volume_encryption": rule_cases.of("AWS::EC2::Volume", {"Encrypted": {"Ref": "P"}}),
            "lambda_secrets": rule_cases.of("AWS::Lambda::Function", {"Environment": {"Variables": {"PASSWORD": {"Ref": "P"}}}}),
            "internet_subnets": rule_cases.of("AWS::EC2::Instance", {"SubnetId": {"Ref": "P"}}),
            "security_group_default_empty": rule_cases.of("AWS::EC2::SecurityGroupIngress", {"GroupId": {"Ref": "P"}}),
        }
        for rule, told in self.told({rule: (rule, resources) for rule, resources in cases.items()}, parameter).items():
            with self.subTest(rule):
                self.assertEqual(told, "UNKNOWN")

    def told(self, cases, parameter):
        """name → (rule, resources) of a template; name → status of that rule."""
        for name, (_, resources) in cases.items():
            pathlib.Path(self.folder, f"{name}.json").write_text(json.dumps(rule_cases.template(resources, parameter)))
        found = kabuto.run("govern", "check", "--rules", RULES, "--input", self.folder, "--format", "junit")
        told = statuses(found.stdout)
        return {name: told[os.path.join(self.folder, f"{name}.json"), rule] for name, (rule, _) in cases.items()}

    def test_names_that_are_put_in_may_be_anybody(self):
        principals = {
            "sub": ({"Fn::Sub": "${P}"}, "UNKNOWN"), "sub2": ({"Fn::Sub": "*${P}"}, "UNKNOWN"),
            "sub3": ({"Fn::Sub": ["${W}", {"W": {"Fn::ImportValue": "who"}}]}, "UNKNOWN"),
            "sub4": ({"Fn::Sub": ["${R.Arn}", {"R.Arn": {"Ref": "P"}}]}, "UNKNOWN"),
            "join": ({"Fn::Join": ["", [{"Ref": "P"}]]}, "UNKNOWN"), "join2": ({"Fn::Join": ["", ["*", {"Ref": "P"}]]}, "UNKNOWN"),
            "attribute": ({"Fn::GetAtt": ["Custom", "Who"]}, "UNKNOWN"), "list": (["arn:aws:iam::111122223333:root", {"Fn::Sub": "${P}"}], "UNKNOWN"),
            "beside": ([{"Fn::Sub": "${P}"}, "*"], "FAIL"),
            "text": ({"Fn::Sub": "arn:aws:iam::${P}:root"}, "PASS"), "text2": ({"Fn::Sub": ["arn:${A}:x", {"A": {"Ref": "P"}}]}, "PASS"),
            "text3": ({"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "P"}, ":root"]]}, "PASS"), "role": ({"Fn::GetAtt": ["R", "Arn"]}, "PASS"),
            "role2": ({"Fn::Sub": "${R.Arn}"}, "PASS"), "account": ({"Fn::Sub": "${AWS::AccountId}"}, "PASS"),
            "lists": ([{"Fn::Sub": "arn:aws:iam::${P}:root"}, {"Fn::GetAtt": ["R", "Arn"]}], "PASS"),
        }
        cases = {
            name: ("bucket_policy_anyone", rule_cases.bucket_policy(rule_cases.policy(rule_cases.statement("Allow", {"AWS": principal})))[0])
            for name, (principal, _) in principals.items()
        }
        told = self.told(cases, {"Parameters": {"P": {"Type": "String"}}})
        self.assertEqual(told, {name: wanted for name, (_, wanted) in principals.items()})

    def test_what_is_known_stays_so_beside_what_is_not(self):
        variables = {"DB_PASSWORD": "plain", "API_TOKEN": {"Ref": "P"}}
        ingress = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0", "Description": "a"}
        group = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "d", "SecurityGroupEgress": []}}
        default = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupName": "default", "SecurityGroupEgress": []}}
        network = {"Type": "AWS::EC2::VPC"}

        def rule(group_id):
            return {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"GroupId": group_id, **ingress}}

        text = json.dumps(rule_cases.policy({"Effect": "Allow", "Action": "*", "Resource": "*"}))
        cases = {
            "secret": ("lambda_secrets", rule_cases.of("AWS::Lambda::Function", {"Environment": {"Variables": variables}}), "FAIL"),
            "own": ("security_group_default_empty", {"G": group, "I": rule({"Ref": "G"})}, "PASS"),
            "attribute": ("security_group_default_empty", {"G": group, "I": rule({"Fn::GetAtt": ["G", "GroupId"]})}, "PASS"),
            "default": ("security_group_default_empty", {"V": network, "I": rule({"Fn::GetAtt": ["V", "DefaultSecurityGroup"]})}, "FAIL"),
            "named": ("security_group_default_empty", {"G": default, "I": rule({"Ref": "G"})}, "UNKNOWN"),
            "custom": ("security_group_default_empty", {"G": {"Type": "Custom::G"}, "I": rule({"Ref": "G"})}, "UNKNOWN"),
            "text": ("policy_everything", rule_cases.of("AWS::IAM::ManagedPolicy", {"PolicyDocument": text}), "FAIL"),
            "inline": ("policy_everything", rule_cases.of("AWS::IAM::Role", {"Policies": [{"PolicyName": "a", "PolicyDocument": text}]}), "FAIL"),
        }
        told = self.told({name: case[:2] for name, case in cases.items()}, {"Parameters": {"P": {"Type": "String"}}})
        self.assertEqual(told, {name: case[2] for name, case in cases.items()})

    def test_findings_of_what_is_counted_stand_in_the_document(self):
        path, parameters = pathlib.Path(self.folder, "t.yaml"), pathlib.Path(self.folder, "p.parameters")
        path.write_text(
            "Resources:\n  G:\n    Type: AWS::AutoScaling::AutoScalingGroup\n    Properties:\n      MinSize: '1'\n"
            "      VPCZoneIdentifier: [subnet-1]\n  B: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Name: x}}\n"
        )
        parameters.write_text(json.dumps({"Kabuto": {"Estate": {"Zones": ["ap-northeast-3a", "ap-northeast-3b"]}}}))
        rules = os.path.join(RULES, "estate", "zones.guard")
        found = kabuto.run(
            "govern", "check", "--rules", rules, "--input", str(path), "--json", "--input-parameters", str(parameters))
        places = [(f["rule"], f["line"], f["resource"], f["path"], f["found"]) for f in json.loads(found.stdout)["findings"]]
        self.assertEqual(places, [
            ("zones_of_groups", 6, "G", "Properties.VPCZoneIdentifier[0]", "1"), ("zones_of_balancers", 7, "B", "", "0"),
        ])


@unittest.skipIf(live_account.MISSING, live_account.MISSING)
class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kabuto-rules-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.motos, cls.arns = {}, {}
        # moto has AWS's own policies only where it is told to.
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
        cls.addClassCleanup(os.environ.pop, "MOTO_IAM_LOAD_MANAGED_POLICIES", None)
        for kind in ("good", "bad"):
            cls.motos[kind] = live_account.Moto()
            cls.addClassCleanup(cls.motos[kind].end)
            cls.arns[kind] = fill(cls.motos[kind], kind)

    def scan(self, kind, form, rules=RULES):
        empty = {name: "" for name in os.environ if name.startswith("AWS_")}
        keys = {
            "AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET, "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true",
        }
        options = []
        if TAKES_PARAMETERS:
            facts = json.loads(json.dumps(rule_cases.FACTS))
            facts["Kabuto"]["Estate"]["Zones"] = rule_cases.ZONE_FACTS
            for name, document in (("company", rule_cases.COMPANY), ("facts", facts)):
                path = os.path.join(self.folder, f"{name}.parameters")
                pathlib.Path(path).write_text(json.dumps(document))
                options.append(path)
            options = ["--input-parameters", *options]
        found = kabuto.run(
            "govern", "scan", "--own-only", "--rules", rules, "--endpoint", self.motos[kind].url, "--regions", f"{REGION},{UNUSED}", "--format", form,
            *options, environment={**empty, **keys},
        )
        self.assertIn(found.returncode, (0, 1), found.stderr[:4000])
        self.assertNotIn(SECRET, found.stdout + found.stderr)
        return found.stdout

    def test_live_accounts_are_judged_as_templates_and_plans_are(self):
        left_out = set() if TAKES_PARAMETERS else NEEDS_FACTS
        wrong = {}
        for kind in ("good", "bad"):
            findings = json.loads(self.scan(kind, "json"))["findings"]
            told = statuses(self.scan(kind, "junit"))
            self.assertEqual([each["found"] for each in findings if each["rule"] == "kabuto_call"], [])
            for rule in rule_cases.CASES:
                if rule in left_out or (rule, kind) in NOT_LIVE:
                    continue
                with self.subTest(rule=rule, kind=kind):
                    status = self.status(rule, kind, findings, told)
                    if status != {"good": "PASS", "bad": "FAIL"}[kind]:
                        wrong[rule, kind] = status
        self.assertEqual(wrong, {})

    def status(self, rule, kind, findings, told):
        """What came of the rule on its resource; of a region where it is one of the region."""
        if LIVE[rule] is None:
            place = {"region_empty": UNUSED, "password_policy_there": "global"}.get(rule, REGION)
            return told[f"aws:{ACCOUNT}/{place}", rule]
        arn = self.arns[kind][LIVE[rule]]
        own = {each["status"] for each in findings if each["rule"] == rule and each["resource"] == arn}
        if own:
            return "FAIL" if "FAIL" in own else "UNKNOWN"
        # Not skipped where the resource is.
        everywhere = {status for (_, name), status in told.items() if name == rule}
        return "PASS" if everywhere - {"SKIP"} else "SKIP"

    def test_a_weak_password_policy(self):
        iam = self.motos["bad"].client("iam", REGION)
        iam.update_account_password_policy(MinimumPasswordLength=8)
        self.addCleanup(iam.delete_account_password_policy)
        findings = json.loads(self.scan("bad", "json", os.path.join(RULES, "baseline", "root.guard")))["findings"]
        self.assertIn("password_policy_strong", {each["rule"] for each in findings})
        self.assertNotIn("password_policy_there", {each["rule"] for each in findings})


if __name__ == "__main__":
    unittest.main()
