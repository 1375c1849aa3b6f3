"""`kabuto govern scan` against moto's real server: a good and a bad resource of each service, calls that are denied, fail
or are throttled, and no key in anything that is written.

    python -m unittest -v Tests/Server/test_govern_scan.py
"""

import json
import os
import shutil
import tempfile
import unittest

import kabuto
import live_account

# A rule for each type: what it says, the resources that keep it, those that break it.
RULES = {
    "group_ssh": ("AWS::EC2::SecurityGroup", "SecurityGroupIngress[ FromPort == 22 ] { CidrIp != '0.0.0.0/0' }", "group"),
    "volume_encrypted": ("AWS::EC2::Volume", "Encrypted == true", "volume"),
    "instance_type": ("AWS::EC2::Instance", "InstanceType != /^t1/", "instance"),
    "subnet_private": ("AWS::EC2::Subnet", "MapPublicIpOnLaunch == false", "subnet"),
    "flow_all": ("AWS::EC2::FlowLog", "TrafficType == 'ALL'", "flow"),
    "target_by_address": ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetType == 'ip'", "target"),
    "bucket_encrypted": (
        "AWS::S3::Bucket",
        "BucketEncryption.ServerSideEncryptionConfiguration[*].ServerSideEncryptionByDefault.SSEAlgorithm == 'aws:kms'",
        "bucket",
    ),
    "bucket_versioned": ("AWS::S3::Bucket", "VersioningConfiguration.Status == 'Enabled'", "bucket"),
    "bucket_closed": ("AWS::S3::Bucket", "PublicAccessBlockConfiguration.BlockPublicPolicy == true", "bucket"),
    "bucket_logged": ("AWS::S3::Bucket", "LoggingConfiguration.DestinationBucketName exists", "bucket"),
    "bucket_acl": ("AWS::S3::Bucket", "AccessControl != /^Public/", "bucket"),
    "bucket_policy": ("AWS::S3::BucketPolicy", "PolicyDocument.Statement[*] { Principal !is_string }", "bucket:?policy"),
    "user_inline": ("AWS::IAM::User", "Policies not exists", "user"),
    "key_inactive": ("AWS::IAM::AccessKey", "Status == 'Inactive'", "key"),
    "role_little": ("AWS::IAM::Role", "Policies[*].PolicyDocument.Statement[*].Action != '*'", "role"),
    "policy_little": ("AWS::IAM::ManagedPolicy", "PolicyDocument.Statement[*].Action != '*'", "policy"),
    "function_runtime": ("AWS::Lambda::Function", "Runtime != /^python2/", "function"),
    "permission_principal": ("AWS::Lambda::Permission", "Principal != '*'", "permission"),
    "url_signed": ("AWS::Lambda::Url", "AuthType == 'AWS_IAM'", "url"),
    "trail_validated": ("AWS::CloudTrail::Trail", "EnableLogFileValidation == true", "trail"),
    "trail_logging": ("AWS::CloudTrail::Trail", "IsLogging == true", "trail"),
    "kms_rotation": ("AWS::KMS::Key", "EnableKeyRotation == true", "kms"),
    "db_encrypted": ("AWS::RDS::DBInstance", "StorageEncrypted == true\n    PubliclyAccessible == false", "db"),
    "db_backup": ("AWS::RDS::DBInstance", "BackupRetentionPeriod >= 7", "db"),
    "cluster_encrypted": ("AWS::RDS::DBCluster", "StorageEncrypted == true", "cluster"),
    "detector_enabled": ("AWS::GuardDuty::Detector", "Enable == true", "detector"),
    "balancer_internal": ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Scheme == 'internal'", "balancer"),
    "balancer_protected": (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "LoadBalancerAttributes[ Key == 'deletion_protection.enabled' ] { Value == 'true' }",
        "balancer",
    ),
    "listener_encrypted": ("AWS::ElasticLoadBalancingV2::Listener", "Protocol == 'HTTPS'", "listener"),
    "acl_blocks": ("AWS::WAFv2::WebACL", "DefaultAction.Block exists", "acl"),
    "acl_metrics": ("AWS::WAFv2::WebACL", "VisibilityConfig.CloudWatchMetricsEnabled == true", "acl"),
}
# Types of which there is but one: a rule that it keeps, a rule that it breaks.
SINGLE = {
    "password": ("AWS::IAM::AccountPasswordPolicy", "MinimumPasswordLength >= 8", "RequireSymbols == true"),
    "root": ("AWS::IAM::AccountSummary", "AccountAccessKeysPresent == 0", "AccountMFAEnabled == 1"),
    "recorder": (
        "AWS::Config::ConfigurationRecorder", "RecordingGroup.ResourceTypes exists", "RecordingGroup.AllSupported == true",
    ),
    "certificate": ("AWS::CertificateManager::Certificate", "DomainName == 'example.com'", "Status == 'EXPIRED'"),
    "zone": ("AWS::Route53::HostedZone", "Name == 'example.com.'", "HostedZoneConfig.PrivateZone == true"),
    "vpc": ("AWS::EC2::VPC", "CidrBlock exists", "CidrBlock == '192.168.0.0/24'"),
}


def rule(name, kind, clause):
    return (
        f"let {name}_all = Resources.*[ Type == '{kind}' ]\nrule {name} when %{name}_all !empty {{\n"
        f"  %{name}_all.Properties {{\n    {clause}\n  }}\n}}\n"
    )


@unittest.skipIf(live_account.MISSING, live_account.MISSING)
class GovernScan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kabuto-scan-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.moto = live_account.Moto()
        cls.addClassCleanup(cls.moto.end)
        cls.arns = live_account.fill(cls.moto)
        cls.gate = live_account.Gate(cls.moto.port)
        cls.addClassCleanup(cls.gate.end)
        cls.rules = os.path.join(cls.folder, "all.guard")
        with open(cls.rules, "w", encoding="utf-8") as out:
            for name, (kind, clause, _) in RULES.items():
                out.write(rule(name, kind, clause))
            for name, (kind, kept, broken) in SINGLE.items():
                out.write(rule(f"{name}_kept", kind, kept) + rule(f"{name}_broken", kind, broken))
        cls.detector = os.path.join(cls.folder, "detector.guard")
        with open(cls.detector, "w", encoding="utf-8") as out:
            out.write(
                "let detectors = Resources.*[ Type == 'AWS::GuardDuty::Detector' ]\n"
                "rule has_detector when Region != 'global' { %detectors !empty }\n"
                "let volumes = Resources.*[ Type == 'AWS::EC2::Volume' ]\n"
                "rule volumes_encrypted when %volumes !empty { %volumes.Properties.Encrypted == true }\n"
            )
        cls.quick = ["--attempts", "3", "--timeout", "30"]

    def setUp(self):
        self.gate.rule = lambda service, region, action: None
        self.gate.seen = []

    def scan(self, *options, rules=None, environment=None, regions="us-east-1,eu-west-1", form="json", own=True):
        empty = {name: "" for name in os.environ if name.startswith("AWS_")}
        keys = {
            "AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET,
            "AWS_SESSION_TOKEN": live_account.TOKEN, "AWS_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true",
        }
        found = kabuto.run(
            "govern", "scan", "--rules", rules or self.rules, "--endpoint", self.gate.url, "--regions", regions,
            "--format", form, *self.quick, *(["--own-only"] if own else []), *options, environment={**empty, **keys, **(environment or {})},
        )
        for secret in (live_account.SECRET, live_account.TOKEN, "Signature="):
            self.assertNotIn(secret, found.stdout + found.stderr)
        return found

    def report(self, *options, status=1, **others):
        found = self.scan(*options, **others)
        self.assertEqual(found.returncode, status, found.stderr + found.stdout[:4000])
        return json.loads(found.stdout)

    def named(self, name, kind):
        """`bucket:?policy`, good → the ARN of the good bucket's policy."""
        base, _, end = name.partition(":")
        return self.arns[f"{base}_{kind}"] + end

    def test_good_keeps_and_bad_breaks_for_every_service(self):
        report = self.report()
        self.assertEqual(report["status"], "FAIL")
        broken = {(each["rule"], each["resource"]) for each in report["findings"] if each["status"] == "FAIL"}
        unknown = [each for each in report["findings"] if each["status"] == "UNKNOWN"]
        self.assertEqual([], [(each["rule"], each["resource"], each["found"]) for each in unknown])
        for name, (_, _, resource) in RULES.items():
            with self.subTest(rule=name):
                self.assertIn((name, self.named(resource, "bad")), broken)
                self.assertNotIn((name, self.named(resource, "good")), broken)
        for name in SINGLE:
            with self.subTest(rule=name):
                self.assertIn((f"{name}_broken", self.arns[name]), broken)
                self.assertNotIn((f"{name}_kept", self.arns[name]), broken)
        self.assertEqual(report["regions"], 3)
        self.assertGreater(report["resources"], 40)

    def test_one_rule_serves_for_template_plan_and_live_resource(self):
        names = ["volume_encrypted", "bucket_versioned", "trail_validated", "kms_rotation", "db_backup", "group_ssh"]
        rules = os.path.join(self.folder, "shared.guard")
        with open(rules, "w", encoding="utf-8") as out:
            for name in names:
                out.write(rule(name, *RULES[name][:2]))
        # The same good and bad resources as a template and as a plan have them.
        template, changes = {}, []
        for kind in ("good", "bad"):
            good = kind == "good"
            block = "10.0.0.0/8" if good else "0.0.0.0/0"
            for name, of, properties in [
                ("volume", "AWS::EC2::Volume", {"Encrypted": good}),
                ("bucket", "AWS::S3::Bucket", {"VersioningConfiguration": {"Status": "Enabled"}} if good else {}),
                ("trail", "AWS::CloudTrail::Trail", {"EnableLogFileValidation": good}),
                ("kms", "AWS::KMS::Key", {"EnableKeyRotation": good}),
                ("db", "AWS::RDS::DBInstance", {"BackupRetentionPeriod": 7 if good else 0}),
                (
                    "group", "AWS::EC2::SecurityGroup",
                    {"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": block}]},
                ),
            ]:
                template[f"{name}{kind}"] = {"Type": of, "Properties": properties}
            ingress = [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": [block]}]
            for name, of, after in [
                ("volume", "aws_ebs_volume", {"encrypted": good}),
                ("bucket", "aws_s3_bucket", {"bucket": kind, "versioning": [{"enabled": good}]}),
                ("trail", "aws_cloudtrail", {"enable_log_file_validation": good}),
                ("kms", "aws_kms_key", {"enable_key_rotation": good}),
                ("db", "aws_db_instance", {"backup_retention_period": 7 if good else 0}),
                ("group", "aws_security_group", {"ingress": ingress}),
            ]:
                changes.append(
                    {
                        "address": f"{of}.{name}{kind}", "mode": "managed", "type": of, "name": f"{name}{kind}",
                        "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": {}},
                    }
                )
        live = self.report(rules=rules)
        expected = {name: self.named(RULES[name][2], "bad") for name in names}
        broken = {(each["rule"], each["resource"]) for each in live["findings"] if each["status"] == "FAIL"}
        for name, resource in expected.items():
            self.assertIn((name, resource), broken)
            self.assertNotIn((name, self.named(RULES[name][2], "good")), broken)
        for form, document in [
            ("template", {"AWSTemplateFormatVersion": "2010-09-09", "Resources": template}),
            ("plan", {"format_version": "1.2", "resource_changes": changes}),
        ]:
            path = os.path.join(self.folder, form + ".json")
            with open(path, "w", encoding="utf-8") as out:
                json.dump(document, out)
            found = kabuto.run("govern", "check", "--rules", rules, "--input", path, "--json")
            self.assertEqual(1, found.returncode, found.stderr)
            wrong = {(each["rule"], each["status"]) for each in json.loads(found.stdout)["findings"]}
            self.assertEqual({(name, "FAIL") for name in names}, wrong, form)
            for each in json.loads(found.stdout)["findings"]:
                self.assertTrue(each["resource"].endswith("bad"), each)

    def test_denied_call_makes_unknown_what_it_covers_and_no_more(self):
        self.gate.rule = lambda service, region, action: (
            (403, "AccessDenied") if action == "DescribeVolumes" and region == "eu-west-1" else None
        )
        report = self.report()
        told = [each for each in report["findings"] if each["rule"] == "kabuto_call"]
        self.assertEqual(1, len(told), told)
        self.assertIn("ec2 DescribeVolumes in eu-west-1", told[0]["found"])
        self.assertIn("AccessDenied", told[0]["found"])
        self.assertEqual("UNKNOWN", told[0]["status"])
        volumes = {each["status"] for each in report["findings"] if each["rule"] == "volume_encrypted"}
        self.assertEqual({"UNKNOWN"}, volumes)
        broken = {(each["rule"], each["resource"]) for each in report["findings"] if each["status"] == "FAIL"}
        self.assertIn(("group_ssh", self.arns["group_bad"]), broken)
        self.assertIn(("bucket_acl", self.arns["bucket_bad"]), broken)

    def test_denied_call_for_one_item_makes_that_property_unknown(self):
        self.gate.rule = lambda service, region, action: (
            (403, "AccessDenied") if "kabuto-good?encryption" in action else None
        )
        # Of this one bucket only: of a rule that another one breaks, just that is told.
        only = os.path.join(self.folder, "one.guard")
        clauses = [(name, clause) for name, (kind, clause, _) in RULES.items() if kind == "AWS::S3::Bucket"]
        with open(only, "w", encoding="utf-8") as out:
            for name, clause in clauses:
                out.write(
                    f"rule {name} {{\n  Resources.*[\n    Type == 'AWS::S3::Bucket'\n"
                    f"    Properties.BucketName == 'kabuto-good'\n  ].Properties "
                    f"{{\n    {clause}\n  }}\n}}\n"
                )
        report = self.report(rules=only, regions="eu-west-1")
        of_good = {
            each["rule"]: each["status"] for each in report["findings"] if each["input"].endswith("/global")
        }
        self.assertEqual({"bucket_encrypted": "UNKNOWN", "kabuto_call": "UNKNOWN"}, of_good)

    def test_absence_is_not_concluded_from_a_denied_call(self):
        self.gate.rule = lambda service, region, action: (
            (403, "AccessDeniedException") if service == "guardduty" else None
        )
        report = self.report(rules=self.detector)
        found = {(each["rule"], each["status"]) for each in report["findings"] if each["rule"] == "has_detector"}
        self.assertEqual({("has_detector", "UNKNOWN")}, found)
        self.assertEqual(0, sum(each["rule"] == "has_detector" and each["status"] == "FAIL" for each in report["findings"]))

    def test_region_that_does_not_answer_is_unknown_and_hides_nothing(self):
        self.gate.rule = lambda service, region, action: (
            "drop" if region == "us-east-1" and service in ("ec2", "guardduty") else None
        )
        report = self.report(rules=self.detector)
        told = [each for each in report["findings"] if each["rule"] == "kabuto_call"]
        self.assertTrue(told)
        for each in told:
            self.assertTrue(each["input"].endswith("/us-east-1"), each)
            self.assertIn("Unreachable", each["found"])
            self.assertIn("us-east-1", each["found"])
        broken = {each["resource"] for each in report["findings"] if each["status"] == "FAIL"}
        self.assertIn(self.arns["volume_bad"], broken)
        by_input = {each["input"]: each["status"] for each in report["findings"] if each["rule"] == "has_detector"}
        self.assertEqual(["UNKNOWN"], list(by_input.values()))

    def test_only_unknown_is_not_compliant_unless_allowed(self):
        only = os.path.join(self.folder, "only.guard")
        with open(only, "w", encoding="utf-8") as out:
            out.write(rule("group_any", "AWS::EC2::SecurityGroup", "GroupName exists"))
        self.gate.rule = lambda service, region, action: (
            (403, "AccessDenied") if action == "DescribeSecurityGroups" else None
        )
        report = self.report(rules=only)
        self.assertEqual("UNKNOWN", report["status"])
        self.report("--allow-unknown", rules=only, status=0)

    def test_throttled_calls_are_made_again(self):
        count = {}

        def rule_of(service, region, action):
            count[(service, region, action)] = count.get((service, region, action), 0) + 1
            first = count[(service, region, action)] == 1
            named = action == "DescribeVolumes" or action.startswith("GET /detector?")
            return (400, "Throttling") if first and named else None

        self.gate.rule = rule_of
        report = self.report(rules=self.detector)
        self.assertEqual(4, report["throttled"])
        self.assertFalse([each for each in report["findings"] if each["rule"] == "kabuto_call"])

    def test_only_calls_that_rules_need_are_made(self):
        report = self.report(rules=self.detector)
        asked = {(service, action.split("?")[0]) for service, _, action in self.gate.seen}
        self.assertEqual(
            {("sts", "GetCallerIdentity"), ("ec2", "DescribeVolumes"), ("guardduty", "GET /detector")}, asked
        )
        self.assertGreater(report["saved"], 30)
        buckets = os.path.join(self.folder, "buckets.guard")
        with open(buckets, "w", encoding="utf-8") as out:
            out.write(rule("bucket_encrypted", *RULES["bucket_encrypted"][:2]))
        self.gate.seen.clear()
        narrow = self.report(rules=buckets)
        asked = {
            action.split("?")[-1].rstrip("=")
            for service, _, action in self.gate.seen
            if service == "s3" and "?" in action and "{" not in action
        }
        # The list of buckets is asked for by pages, as of accounts with many AWS wants it.
        self.assertEqual({"max-buckets=1000", "location", "encryption"}, asked)
        # A rule that looks at anything makes every call, and says the same of buckets.
        anything = os.path.join(self.folder, "anything.guard")
        with open(anything, "w", encoding="utf-8") as out:
            out.write(rule("bucket_encrypted", *RULES["bucket_encrypted"][:2]))
            out.write("rule typed { Resources.* { Type exists } }\n")
        whole = self.report(rules=anything)
        self.assertEqual(0, whole["saved"])
        self.assertGreater(whole["calls"], narrow["calls"] + narrow["saved"] - 1)
        told = [
            {(each["rule"], each["resource"], each["status"]) for each in report["findings"] if each["rule"] == "bucket_encrypted"}
            for report in (narrow, whole)
        ]
        self.assertEqual(told[0], told[1])
        self.assertTrue(told[0])

    def test_findings_of_config_and_guardduty_are_in_the_same_list(self):
        group = self.arns["group_bad"].split("/")[-1]

        def answer(service, region, action):
            if region != "eu-west-1":
                return (403, "AccessDenied") if service == "config" else b'{"detectorIds":[]}' if service == "guardduty" else None
            if action == "DescribeComplianceByConfigRule":
                return b'{"ComplianceByConfigRules":[{"ConfigRuleName":"ssh","Compliance":{"ComplianceType":"NON_COMPLIANT"}}]}'
            if action == "GetComplianceDetailsByConfigRule":
                return json.dumps(
                    {
                        "EvaluationResults": [
                            {
                                "ComplianceType": "NON_COMPLIANT",
                                "EvaluationResultIdentifier": {
                                    "EvaluationResultQualifier": {
                                        "ConfigRuleName": "ssh", "ResourceType": "AWS::EC2::SecurityGroup",
                                        "ResourceId": group,
                                    }
                                },
                            }
                        ]
                    }
                ).encode()
            if action.endswith("/findings"):
                return b'{"findingIds":["f1"]}'
            if action.endswith("/findings/get"):
                return json.dumps(
                    {
                        "findings": [
                            {
                                "id": "f1", "type": "UnauthorizedAccess:EC2/SSHBruteForce", "severity": 8, "title": "SSH",
                                "description": "somebody tries", "service": {"archived": False, "count": 2},
                                "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-7"}},
                            }
                        ]
                    }
                ).encode()
            return None

        self.gate.rule = answer
        report = self.report(rules=self.detector, own=False)
        found = {(each["rule"], each["resource"], each["status"], each["severity"]) for each in report["findings"]}
        account = self.arns["account"]
        self.assertIn(("config:ssh", self.arns["group_bad"], "FAIL", "medium"), found)
        self.assertIn(
            (
                "guardduty:UnauthorizedAccess:EC2/SSHBruteForce", f"arn:aws:ec2:eu-west-1:{account}:instance/i-7", "FAIL",
                "high",
            ),
            found,
        )
        told = [each for each in report["findings"] if each["rule"] == "kabuto_call"]
        self.assertEqual(["aws:%s/us-east-1" % account], [each["input"] for each in told], told)
        self.assertIn("config DescribeComplianceByConfigRule", told[0]["found"])
        self.assertIn(("volumes_encrypted", self.arns["volume_bad"], "FAIL", "medium"), found)
        self.gate.seen.clear()
        self.report(rules=self.detector)
        self.assertNotIn("config", {service for service, _, _ in self.gate.seen})

    def test_all_regions_are_those_of_the_account(self):
        report = self.report(rules=self.detector, regions="all")
        self.assertGreater(report["regions"], 10)

    def test_role_in_another_account(self):
        other = "111122223333"
        report = self.report("--account", other, rules=self.detector, regions="eu-west-1")
        self.assertIn(("sts", "eu-west-1", "AssumeRole"), self.gate.seen)
        self.assertTrue(all(f"aws:{other}/" in each["input"] for each in report["findings"]), report["findings"])

    def test_own_account_by_its_number_needs_no_role(self):
        self.report("--account", self.arns["account"], rules=self.detector, regions="eu-west-1")
        self.assertNotIn("AssumeRole", [action for _, _, action in self.gate.seen])

    def test_account_that_can_not_be_entered_is_unknown_beside_the_others(self):
        self.gate.rule = lambda service, region, action: (403, "AccessDenied") if action == "AssumeRole" else None
        profiles = os.path.join(self.folder, "credentials")
        with open(profiles, "w", encoding="utf-8") as out:
            out.write(
                f"[here]\naws_access_key_id = {live_account.KEY}\naws_secret_access_key = {live_account.SECRET}\n"
            )
        report = self.report(
            "--profile", "here", "--account", "111122223333", rules=self.detector, regions="eu-west-1",
            environment={"AWS_SHARED_CREDENTIALS_FILE": profiles},
        )
        told = [each for each in report["findings"] if each["rule"] == "kabuto_call"]
        self.assertEqual(1, len(told), told)
        self.assertIn("arn:aws:iam::111122223333:role/OrganizationAccountAccessRole can't be assumed", told[0]["found"])
        broken = {each["resource"] for each in report["findings"] if each["status"] == "FAIL"}
        self.assertIn(self.arns["volume_bad"], broken)

    def test_without_a_key_it_can_not_be_done(self):
        found = self.scan(environment={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
        self.assertEqual(2, found.returncode, found.stderr)
        self.assertIn("no key of AWS", found.stderr)

    def test_wrong_options_are_refused_and_no_password_is_shown(self):
        for options, regions in [
            ([], "global"), ([], "global,eu-west-1"), (["--account", "\u0661" * 12], "eu-west-1"),
            (["--endpoint", "http://someone:swordfish@127.0.0.1:1"], "eu-west-1"),
            (["--endpoint", "ftp://someone:swordfish@127.0.0.1:1"], "eu-west-1"),
        ]:
            with self.subTest(options=options, regions=regions):
                found = self.scan(*options, regions=regions)
                self.assertEqual(64, found.returncode, found.stderr)
                self.assertNotIn("swordfish", found.stdout + found.stderr)
        self.assertEqual([], self.gate.seen)

    def test_line_end_behind_a_key_is_none_of_it(self):
        keys = {
            "AWS_ACCESS_KEY_ID": live_account.KEY + "\r", "AWS_SECRET_ACCESS_KEY": live_account.SECRET + "\r",
            "AWS_SESSION_TOKEN": live_account.TOKEN + "\r\n", "AWS_REGION": "eu-west-1\r",
        }
        report = self.report(rules=self.detector, regions="eu-west-1", environment=keys)
        self.assertEqual([], [each["found"] for each in report["findings"] if each["rule"] == "kabuto_call"])

    def test_key_from_where_it_is_not_supported_is_refused(self):
        empty = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": ""}
        for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
            found = self.scan(environment={**empty, name: "/x"})
            self.assertEqual(2, found.returncode, found.stderr)
            self.assertIn(f"{name} is set", found.stderr)

    def test_reports_name_the_arn(self):
        for form in ("text", "sarif", "junit"):
            with self.subTest(format=form):
                found = self.scan(form=form)
                self.assertEqual(1, found.returncode, found.stderr)
                self.assertIn(self.arns["group_bad"], found.stdout)


if __name__ == "__main__":
    unittest.main()
