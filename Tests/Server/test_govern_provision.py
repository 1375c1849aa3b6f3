"""`kabuto govern provision`, `drift` and `account` against moto's real server: a plan, its steps, nothing left; killed
anywhere and gone on with; throttled, refused and silent calls; several accounts; and no key in anything that is written.

    python -m unittest -v Tests/Server/test_govern_provision.py

A run is repeated with KABUTO_SEED=… (hexadecimal) as printed.
"""

import datetime
import fcntl
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

import kabuto
import live_account

try:
    import boto3
except ImportError:
    boto3 = None

SEED = int(os.environ["KABUTO_SEED"], 16) if "KABUTO_SEED" in os.environ else random.SystemRandom().getrandbits(32)
REGIONS = ["eu-west-1", "us-east-1", "ap-northeast-1"]
HOME = REGIONS[0]
BASELINE = """
baseline: tested
version: 3
logs: {bucket: "kabuto-logs-{account}", versioning: true}
trail: {name: kabuto-trail}
config:
  delivery: Six_Hours
  rules:
    - {name: kabuto-root-mfa, identifier: ROOT_ACCOUNT_MFA_ENABLED, only: home}
    - {name: kabuto-old-keys, identifier: ACCESS_KEYS_ROTATED, parameters: {maxAccessKeyAge: 90}, only: home}
    - {name: kabuto-open-ssh, identifier: INCOMING_SSH_DISABLED}
guardduty: {frequency: FIFTEEN_MINUTES}
ebs-encryption: true
account-public-access-block: true
default-security-groups: closed
password-policy: {minimum-length: 14, reuse-prevention: 24, maximum-age-days: 365, symbols: true, users-may-change: true}
regions: {used: [eu-west-1, us-east-1, ap-northeast-1]}
hygiene: {no-root-access-keys: true, user-mfa: true, access-key-days: 90}
"""


class Account:
    """One account of moto's, seen with its own key."""

    def __init__(self, moto, number):
        self.moto = moto
        self.number = number
        key = moto.client("sts", HOME).assume_role(
            RoleArn=f"arn:aws:iam::{number}:role/OrganizationAccountAccessRole", RoleSessionName="test"
        )["Credentials"]
        self.key = {
            "aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"],
            "aws_session_token": key["SessionToken"],
        }

    def client(self, service, region=HOME):
        return boto3.client(service, region_name=region, endpoint_url=self.moto.url, **self.key)

    def everything(self):
        """All that a baseline could touch, without what is made by chance or by the clock."""
        out = {}
        iam, s3 = self.client("iam"), self.client("s3")
        try:
            out["passwords"] = iam.get_account_password_policy()["PasswordPolicy"]
        except iam.exceptions.NoSuchEntityException:
            out["passwords"] = None
        out["roles"] = sorted(role["Arn"] for role in iam.list_roles()["Roles"])
        # The mark of a run that has ended is gone.
        out["profiles"] = sorted(each["Arn"] for each in iam.list_instance_profiles()["InstanceProfiles"])
        out["users"] = sorted(user["UserName"] for user in iam.list_users()["Users"])
        control = self.client("s3control")
        control.meta.events.register("before-sign.s3-control", self.plain_host)
        try:
            out["block"] = control.get_public_access_block(AccountId=self.number)["PublicAccessBlockConfiguration"]
        except Exception as error:
            self.assert_absent(error)
            out["block"] = None
        out["buckets"] = {}
        for bucket in sorted(each["Name"] for each in s3.list_buckets()["Buckets"]):
            told = out["buckets"][bucket] = {}
            for name, call in [
                ("location", s3.get_bucket_location), ("versioning", s3.get_bucket_versioning),
                ("encryption", s3.get_bucket_encryption), ("block", s3.get_public_access_block),
                ("policy", s3.get_bucket_policy),
            ]:
                try:
                    found = call(Bucket=bucket)
                    found.pop("ResponseMetadata", None)
                    told[name] = json.loads(found["Policy"]) if name == "policy" else found
                except s3.exceptions.ClientError as error:
                    self.assert_absent(error)
                    told[name] = None
        for region in REGIONS:
            told = out[region] = {}
            trails, config = self.client("cloudtrail", region), self.client("config", region)
            guard, ec2 = self.client("guardduty", region), self.client("ec2", region)
            told["trails"] = trails.describe_trails(includeShadowTrails=False)["trailList"]
            told["logging"] = [trails.get_trail_status(Name=each["TrailARN"])["IsLogging"] for each in told["trails"]]
            told["recorders"] = [
                {name: each[name] for name in ("name", "roleARN", "recordingGroup")}
                for each in config.describe_configuration_recorders()["ConfigurationRecorders"]
            ]
            told["recording"] = [
                each["recording"]
                for each in config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
            ]
            told["channels"] = config.describe_delivery_channels()["DeliveryChannels"]
            told["rules"] = sorted(
                (each["ConfigRuleName"], each["Source"]["SourceIdentifier"], each.get("InputParameters", ""))
                for each in config.describe_config_rules()["ConfigRules"]
            )
            told["detectors"] = [
                {name: guard.get_detector(DetectorId=each).get(name) for name in ("Status", "FindingPublishingFrequency")}
                for each in guard.list_detectors()["DetectorIds"]
            ]
            told["ebs"] = ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
            told["groups"] = sorted(
                (each["GroupName"], len(each["IpPermissions"]), len(each["IpPermissionsEgress"]))
                for each in ec2.describe_security_groups()["SecurityGroups"]
            )
        return json.loads(json.dumps(out, default=str).replace(self.number, "ACCOUNT"))

    def plain_host(self, request, **_):
        # One address for all services: without the account's number before the host.
        request.url = re.sub(r"//\d{12}\.", "//", request.url)

    @staticmethod
    def assert_absent(error):
        code = error.response["Error"]["Code"]
        assert code.startswith("NoSuch") or "NotFound" in code, code


@unittest.skipIf(live_account.MISSING, live_account.MISSING)
class GovernProvision(unittest.TestCase):
    number = 100000000000

    @classmethod
    def setUpClass(cls):
        print(f"GovernProvision: KABUTO_SEED={SEED:x}")
        cls.folder = tempfile.mkdtemp(prefix="kabuto-provision-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.moto = live_account.Moto()
        cls.addClassCleanup(cls.moto.end)
        cls.gate = live_account.Gate(cls.moto.port)
        cls.addClassCleanup(cls.gate.end)
        cls.baseline = os.path.join(cls.folder, "baseline.yaml")
        with open(cls.baseline, "w", encoding="utf-8") as out:
            out.write(BASELINE)
        cls.undisturbed = None

    def setUp(self):
        self.gate.rule = lambda service, region, action: None
        self.gate.seen = []
        self.account = self.fresh()
        self.journal = os.path.join(self.folder, f"{self.account.number}.jsonl")

    def fresh(self):
        """An account that nobody was in yet."""
        GovernProvision.number += 1
        return Account(self.moto, str(GovernProvision.number))

    @property
    def environment(self):
        empty = {name: "" for name in os.environ if name.startswith("AWS_")}
        return {
            **empty, "AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": HOME, "HOME": self.folder,
        }

    def command(self, *options, accounts=None, regions=",".join(REGIONS), baseline=None, verb="provision", journal=None):
        if "--apply" in options and "--requests" not in options:
            options += ("--without-requests",)
        return [
            "govern", verb, "--accounts", accounts or self.account.number, "--regions", regions, "--baseline",
            baseline or self.baseline, "--endpoint", self.gate.url, "--journal", journal or self.journal, "--attempts", "3",
            *options,
        ]

    def checked(self, *texts):
        """Nobody sees a key."""
        written = [*texts]
        for name in os.listdir(self.folder):
            if name.endswith(".jsonl"):
                with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                    written.append(file.read())
        for text in written:
            for secret in (live_account.SECRET, self.account.key["aws_secret_access_key"]):
                self.assertNotIn(secret, text)
            # Temporary keys of the run's own are unknown here, but moto's have a form.
            self.assertNotRegex(text, r"FQoGZXIvYXdz|SecretAccessKey|SessionToken|aws4_request")

    def run_it(self, *options, status=0, **more):
        found = kabuto.run(*self.command(*options, **more), environment=self.environment, seconds=600)
        self.checked(found.stdout, found.stderr)
        self.assertEqual(status, found.returncode, found.stdout[-4000:] + found.stderr[-4000:])
        return found

    def report(self, *options, **more):
        return json.loads(self.run_it("--json", *options, **more).stdout)

    def entries(self, event=None):
        with open(self.journal, encoding="utf-8") as file:
            return [each for each in map(json.loads, file) if event is None or each["event"] == event]

    def writes(self):
        """Calls that changed something, but for those that only make sure; the run's mark is looked at elsewhere."""
        return [
            each for each in self.gate.seen
            if re.match(r"(Create|Put|Update|Start|Enable|Revoke|PUT|POST)", each[2]) and each[0] != "sts"
            and each[2] != "CreateInstanceProfile"
        ]

    def outcomes(self, report, number=None):
        (account,) = [each for each in report["accounts"] if each["account"] == (number or self.account.number)]
        return {step["step"]: step["outcome"]["kind"] for step in account["steps"]}

    def assert_done(self, report, number=None):
        outcomes = self.outcomes(report, number)
        # A trail that is made anew keeps all calls.
        self.assertEqual("already", outcomes.pop("global/trail-selectors", "already"))
        self.assertEqual({"done"}, set(outcomes.values()))

    def wanted_state(self):
        """What an account is like that was provisioned without any trouble."""
        if GovernProvision.undisturbed is None:
            other = self.fresh()
            self.run_it("--apply", accounts=other.number)
            GovernProvision.undisturbed = other.everything()
        return GovernProvision.undisturbed

    # -- Plan and deeds

    def test_plan_then_deeds_then_nothing_left(self):
        before = self.account.everything()
        plan = self.report(status=1)
        self.assertEqual(before, self.account.everything(), "a plan changes nothing")
        self.assertEqual([], self.writes())
        self.assertFalse(os.path.exists(self.journal))
        (account,) = plan["accounts"]
        self.assertEqual([], account["unknown"] + account["notices"])
        steps = [step["step"] for step in account["steps"]]
        for wanted in ("global/log-bucket", "global/trail", "eu-west-1/detector", "us-east-1/config-recorder"):
            self.assertIn(wanted, steps)
        # What only the home region has.
        self.assertIn("eu-west-1/config-rule/kabuto-root-mfa", steps)
        self.assertNotIn("us-east-1/config-rule/kabuto-root-mfa", steps)

        done = self.report("--apply")
        self.assert_done(done)
        self.assertEqual(steps, [step["step"] for step in done["accounts"][0]["steps"]])
        # Before each deed it was written down.
        intents = [each["step"] for each in self.entries("intent")]
        results = {each["step"]: each["outcome"] for each in self.entries("result")}
        self.assertEqual(set(steps), set(results))
        self.assertEqual(sorted(step for step in steps if results[step] == "done"), sorted(intents))
        self.assertEqual(["mark", "begin"], [each["event"] for each in self.entries()[:2]])
        self.assertEqual("none asked for (--without-requests)", self.entries("begin")[0]["approval"])

        found = self.account.everything()
        trail = found[HOME]["trails"][0]
        self.assertTrue(trail["IsMultiRegionTrail"] and trail["LogFileValidationEnabled"])
        self.assertEqual([True], found[HOME]["logging"])
        self.assertEqual(14, found["passwords"]["MinimumPasswordLength"])
        bucket = found["buckets"]["kabuto-logs-ACCOUNT"]
        self.assertEqual({"Status": "Enabled"}, bucket["versioning"])
        self.assertEqual(
            ["KabutoConfigAcl", "KabutoConfigWrite", "KabutoOnlyTLS", "KabutoTrailAcl", "KabutoTrailWrite"],
            sorted(each["Sid"] for each in bucket["policy"]["Statement"]),
        )
        for region in REGIONS:
            self.assertEqual([{"Status": "ENABLED", "FindingPublishingFrequency": "FIFTEEN_MINUTES"}], found[region]["detectors"])
            self.assertEqual([True], found[region]["recording"])
            self.assertTrue(found[region]["ebs"])
            self.assertEqual([("default", 0, 0)], [tuple(each) for each in found[region]["groups"]])
            self.assertEqual(region == HOME, found[region]["recorders"][0]["recordingGroup"]["includeGlobalResourceTypes"])

        self.gate.seen = []
        again = self.report("--apply")
        self.assertEqual([], again["accounts"][0]["steps"])
        self.assertEqual([], self.writes())
        self.assertEqual(found, self.account.everything())

    def test_plan_for_people_says_what_and_why(self):
        found = self.run_it(status=1)
        self.assertIn("make  global/log-bucket\n", found.stdout)
        self.assertIn("MinimumPasswordLength: not there → 14", found.stdout)
        self.assertIn("why: Threats are noticed in each region", found.stdout)
        self.assertIn("after: global/log-bucket-policy", found.stdout)
        self.assertIn("nothing was changed", found.stderr)

    def test_plan_and_report_in_japanese(self):
        found = self.run_it("--language", "ja", status=1)
        self.assertIn("作成  global/log-bucket\n", found.stdout)
        self.assertIn("MinimumPasswordLength: なし → 14", found.stdout)
        self.assertIn("理由: 使用していないリージョンも含め", found.stdout)
        self.assertIn("前提: global/log-bucket-policy", found.stdout)
        self.assertIn("変更はしていません", found.stderr)
        self.assertIn("リージョンを確認しています", found.stderr)
        for word in ("why:", "after:", "looking at", " to mend"):
            self.assertNotIn(word, found.stdout + found.stderr)
        self.gate.rule = lambda service, region, action: (400, "AccessDeniedException") if action == "CreateTrail" else None
        found = self.run_it("--apply", "--language", "ja", regions=HOME, status=1)
        self.assertIn("失敗  global/trail\n", found.stdout)
        self.assertIn("原因: 前提となる global/trail が完了していません", found.stdout)
        # The journal is a record: always in one language.
        reasons = [each["reason"] for each in self.entries("result") if each.get("reason")]
        self.assertIn("it needs global/trail, which isn't done", reasons)
        self.gate.rule = lambda service, region, action: None
        report = self.report("--language", "ja", regions=HOME, status=1)
        self.assertIn("記録", report["accounts"][0]["steps"][0]["why"])

    def test_what_is_there_stays(self):
        client = self.account.client
        s3, bucket = client("s3"), f"kabuto-logs-{self.account.number}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HOME})
        theirs = {
            "Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account.number}:root"},
            "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/*"],
        }
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
        client("iam").update_account_password_policy(MinimumPasswordLength=30, RequireNumbers=True, MaxPasswordAge=20)
        detector = client("guardduty").create_detector(Enable=False)["DetectorId"]
        config = client("config", "us-east-1")
        role = f"arn:aws:iam::{self.account.number}:role/theirs"
        config.put_configuration_recorder(
            ConfigurationRecorder={
                "name": "theirs", "roleARN": role,
                "recordingGroup": {"allSupported": False, "resourceTypes": ["AWS::EC2::Instance"]},
            }
        )
        config.put_config_rule(
            ConfigRule={
                "ConfigRuleName": "their-ssh", "Description": "ours",
                "Source": {"Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"},
            }
        )
        trails = client("cloudtrail")
        trails.create_trail(Name="theirs", S3BucketName=bucket)
        ec2 = client("ec2")
        group = ec2.create_security_group(GroupName="theirs", Description="t")["GroupId"]

        done = self.report("--apply")
        self.assertNotIn("us-east-1/config-rule/kabuto-open-ssh", self.outcomes(done))
        found = self.account.everything()
        policy = found["buckets"]["kabuto-logs-ACCOUNT"]["policy"]["Statement"]
        self.assertIn(json.loads(json.dumps(theirs).replace(self.account.number, "ACCOUNT")), policy)
        self.assertEqual(6, len(policy))
        passwords = found["passwords"]
        self.assertEqual(
            (30, True, 20, True, 24),
            tuple(
                passwords[name]
                for name in (
                    "MinimumPasswordLength", "RequireNumbers", "MaxPasswordAge", "RequireSymbols", "PasswordReusePrevention",
                )
            ),
        )
        self.assertEqual([detector], client("guardduty").list_detectors()["DetectorIds"])
        self.assertEqual("ENABLED", found[HOME]["detectors"][0]["Status"])
        # A region has one recorder, whatever its name.
        self.assertEqual(["theirs"], [each["name"] for each in found["us-east-1"]["recorders"]])
        self.assertTrue(found["us-east-1"]["recorders"][0]["recordingGroup"]["allSupported"])
        self.assertIn(["their-ssh", "INCOMING_SSH_DISABLED", ""], found["us-east-1"]["rules"])
        self.assertEqual(1, len(found["us-east-1"]["rules"]))
        self.assertEqual(["kabuto-trail", "theirs"], sorted(each["Name"] for each in found[HOME]["trails"]))
        self.assertEqual(
            1, len(ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]))
        self.assertEqual([], self.report()["accounts"][0]["steps"])

    def test_what_is_not_named_or_stricter_stays(self):
        quiet = os.path.join(self.folder, "quiet.yaml")
        with open(quiet, "w", encoding="utf-8") as out:
            out.write(
                "baseline: quiet\nlogs: {bucket: 'kabuto-logs-{account}'}\nconfig: {name: default}\nguardduty: {}\n"
                "password-policy: {minimum-length: 14, symbols: false, numbers: false, users-may-change: true}\n")
        client = self.account.client
        client("iam").update_account_password_policy(
            MinimumPasswordLength=8, RequireSymbols=True, RequireNumbers=True, AllowUsersToChangePassword=False)
        client("guardduty").create_detector(Enable=False, FindingPublishingFrequency="FIFTEEN_MINUTES")
        config = client("config")
        config.put_configuration_recorder(
            ConfigurationRecorder={"name": "theirs", "roleARN": f"arn:aws:iam::{self.account.number}:role/theirs"})
        config.put_delivery_channel(
            DeliveryChannel={
                "name": "theirs", "s3BucketName": "elsewhere",
                "configSnapshotDeliveryProperties": {"deliveryFrequency": "One_Hour"},
            }
        )
        more = {"baseline": quiet, "regions": "eu-west-1,us-east-1"}
        changes = {step["step"]: step["changes"] for step in self.report(**more, status=1)["accounts"][0]["steps"]}
        names = {step: [each["name"] for each in changed] for step, changed in changes.items()}
        self.assertEqual(["MinimumPasswordLength"], names["global/password-policy"])
        self.assertEqual(["Status"], names[f"{HOME}/detector"])
        self.assertEqual(["S3BucketName"], names[f"{HOME}/config-delivery-channel"])
        self.report("--apply", **more)
        found = self.account.everything()
        passwords = found["passwords"]
        self.assertEqual(
            (14, True, True, False),
            tuple(
                passwords[name]
                for name in ("MinimumPasswordLength", "RequireSymbols", "RequireNumbers", "AllowUsersToChangePassword")
            ),
        )
        for region, published, delivered in [
            (HOME, "FIFTEEN_MINUTES", "One_Hour"), ("us-east-1", "SIX_HOURS", "TwentyFour_Hours"),
        ]:
            self.assertEqual([{"Status": "ENABLED", "FindingPublishingFrequency": published}], found[region]["detectors"])
            (channel,) = found[region]["channels"]
            self.assertEqual({"deliveryFrequency": delivered}, channel["configSnapshotDeliveryProperties"])
            self.assertTrue(channel["s3BucketName"].startswith("kabuto-logs-"))
        # Nor has any of it drifted, then or when it is changed afterwards.
        self.assertEqual([], self.report(verb="drift", **more)["accounts"][0]["drift"])
        detector = client("guardduty", "us-east-1").list_detectors()["DetectorIds"][0]
        client("guardduty", "us-east-1").update_detector(DetectorId=detector, FindingPublishingFrequency="ONE_HOUR")
        self.assertEqual([], self.report(verb="drift", **more)["accounts"][0]["drift"])

    def test_trail_that_picks_out_calls_keeps_them_and_all_others(self):
        bucket = f"kabuto-logs-{self.account.number}"
        self.account.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HOME})
        trails = self.account.client("cloudtrail")
        trails.create_trail(Name="kabuto-trail", S3BucketName=bucket)
        data = {
            "ReadWriteType": "WriteOnly", "IncludeManagementEvents": False,
            "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
        }
        trails.put_event_selectors(TrailName="kabuto-trail", EventSelectors=[data])
        planned = {step["step"]: step for step in self.report(status=1)["accounts"][0]["steps"]}
        self.assertEqual(
            [{"name": "ManagementEvents", "from": "some", "to": "all"}], planned["global/trail-selectors"]["changes"])
        self.assertEqual("done", self.outcomes(self.report("--apply"))["global/trail-selectors"])
        first, second = trails.get_event_selectors(TrailName="kabuto-trail")["EventSelectors"]
        self.assertEqual(data, {name: first[name] for name in data})
        self.assertEqual((True, "All"), (second["IncludeManagementEvents"], second["ReadWriteType"]))
        self.assertEqual([], self.report()["accounts"][0]["steps"])

    def test_group_that_is_used_is_told_not_closed(self):
        ec2 = self.account.client("ec2")
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        ec2.create_network_interface(SubnetId=subnet)
        report = self.report("--apply", status=1)
        (notice,) = report["accounts"][0]["notices"]
        self.assertTrue(notice["step"].startswith("eu-west-1/default-security-group/sg-"), notice)
        self.assertIn("1 network interfaces use it", notice["reason"])
        self.assertEqual([["default", 0, 1]], [[*each[:1], 0, each[2]] for each in self.account.everything()[HOME]["groups"]])

    # -- Ended in the middle

    def test_killed_anywhere_and_gone_on_with(self):
        wanted = self.wanted_state()
        chance = random.Random(SEED)
        lines = 2 * len([step for step in self.report(status=1)["accounts"][0]["steps"]])
        ended, begun_at_all = 0, 0
        for trial in range(4):
            with self.subTest(trial=trial, seed=f"{SEED:x}"):
                self.account = self.fresh()
                self.journal = os.path.join(self.folder, f"{self.account.number}.jsonl")
                self.gate.seen = []
                kills = []
                for _ in range(chance.randint(1, 3)):
                    kills.append(self.kill_after(chance.randint(1, max(1, lines // 2))))
                before = self.entries()
                ended += sum(status == -signal.SIGKILL for status, _ in kills)
                rest = self.run_it("--apply", "--json")
                after = json.loads(rest.stdout)
                self.assertEqual(wanted, self.account.everything(), kills)
                # What was done before isn't done again.
                done_before = {each["step"] for each in before if each["event"] == "result" and each["outcome"] == "done"}
                self.assertFalse(done_before & set(self.outcomes(after)), kills)
                begun = {each["step"] for each in before if each["event"] == "intent"} - {
                    each["step"] for each in before if each["event"] == "result"
                }
                begun_at_all += len(begun)
                for step in begun:
                    self.assertIn(f"{step} was begun in an earlier run", rest.stderr)
                for made in ("CreateTrail", "POST /detector"):
                    counted = {}
                    for _, region, action in self.writes():
                        if action == made:
                            counted[region] = counted.get(region, 0) + 1
                    self.assertTrue(all(count == 1 for count in counted.values()), (made, counted, kills))
                self.assertEqual([], self.report()["accounts"][0]["steps"])
        # They were ended in the middle, and some in the middle of a step.
        self.assertGreater(ended, 0)
        self.assertGreater(begun_at_all, 0)

    def kill_after(self, count):
        """Begins, and kills at the moment when the journal has so many lines more."""
        lines = 0
        if os.path.exists(self.journal):
            lines = len(self.entries())
        process = subprocess.Popen(
            [kabuto.BINARY, *self.command("--apply")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**kabuto.ENVIRONMENT, **self.environment},
        )

        def enough():
            if process.poll() is not None:
                return True
            if not os.path.exists(self.journal):
                return False
            with open(self.journal, "rb") as file:
                return file.read().count(b"\n") >= lines + count

        try:
            kabuto.until(enough, f"{count} lines of the journal", seconds=300, pause=0.002)
        finally:
            process.send_signal(signal.SIGKILL)
            _, told = process.communicate()
        self.checked(told.decode())
        # What is on its way is carried out before anybody looks again: a service does so, too, or forgets it.
        kabuto.until(lambda: self.gate.busy == 0, "the gate is idle")
        return process.returncode, count

    def test_torn_line_is_taken_off_and_told(self):
        with open(self.journal, "w", encoding="utf-8") as out:
            out.write('{"account":"1","at":"2026-01-01T00:00:00Z","ev')
        found = self.run_it("--apply", regions=HOME)
        self.assertIn("cut off in the middle", found.stderr)
        self.assertEqual(["mark", "begin"], [each["event"] for each in self.entries()[:2]])

    def test_two_at_a_time_do_not_fight(self):
        with open(self.journal, "w", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            found = self.run_it("--apply", status=2)
        self.assertIn("another process writes to this journal", found.stderr)
        self.assertEqual([], self.gate.seen)

    # -- Two runs at one account

    def begun(self, *options, journal):
        return subprocess.Popen(
            [kabuto.BINARY, *self.command("--apply", "--json", *options, journal=journal)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**kabuto.ENVIRONMENT, **self.environment},
        )

    def ended(self, process):
        out, told = (text.decode() for text in process.communicate(timeout=600))
        self.checked(out, told)
        return process.returncode, json.loads(out) if out else None, told

    def other_journal(self, name):
        return os.path.join(self.folder, f"{self.account.number}-{name}.jsonl")

    def mark(self):
        profiles = self.account.client("iam").list_instance_profiles()["InstanceProfiles"]
        return profiles[0]["Path"].split("/")[3] if profiles else None

    def refusal(self, report):
        self.assertEqual([], report["accounts"])
        (refused,) = report["refused"]
        self.assertEqual(self.account.number, refused["account"])
        return refused["reason"]

    def test_second_run_with_a_journal_of_its_own_waits_outside(self):
        held, reached = threading.Event(), threading.Event()

        def rule(service, region, action):
            if action == "CreateTrail":
                reached.set()
                held.wait(300)
            return None

        self.gate.rule = rule
        first = self.begun("--timeout", "300", journal=self.journal)
        self.addCleanup(first.kill)
        self.addCleanup(held.set)
        self.assertTrue(reached.wait(300))
        # In the middle of the first: the second changes nothing, and says who is at it.
        run = self.entries("mark")[0]["run"]
        self.assertEqual(run, self.mark())
        second = self.report("--apply", journal=self.other_journal("second"), status=1)
        reason = self.refusal(second)
        self.assertIn(f"another run has it: {run}, since 20", reason)
        self.assertIn(f"--take-over {run}", reason)
        with open(self.other_journal("second"), encoding="utf-8") as file:
            self.assertEqual(["mark"], [json.loads(line)["event"] for line in file])
        # A plan only looks, and may.
        self.report(journal=self.other_journal("third"), status=1)
        held.set()
        status, report, told = self.ended(first)
        self.assertEqual(0, status, told)
        self.assert_done(report)
        self.assertIsNone(self.mark())
        # Now it is the second's turn, and nothing is left to do.
        again = self.report("--apply", journal=self.other_journal("second"))
        self.assertEqual([], again["accounts"][0]["steps"])
        self.assertEqual(self.wanted_state(), self.account.everything())

    def test_many_at_once_make_everything_once(self):
        processes = [self.begun(journal=self.other_journal(f"n{number}")) for number in range(4)]
        came = [self.ended(process) for process in processes]
        done = [report for status, report, _ in came if report["accounts"]]
        self.assertGreaterEqual(len(done), 1)
        for status, report, told in came:
            if report["accounts"]:
                self.assertEqual(0, status, told)
            else:
                self.assertEqual(1, status, told)
                self.assertIn("another run has it", self.refusal(report))
        for made in ("CreateTrail", "POST /detector"):
            counted = {}
            for _, region, action in self.writes():
                if action == made:
                    counted[region] = counted.get(region, 0) + 1
            self.assertEqual({1}, set(counted.values()), (made, counted))
        self.assertIsNone(self.mark())
        self.assertEqual(self.wanted_state(), self.account.everything())

    def test_mark_of_a_killed_run_is_known_again_by_its_journal_only(self):
        self.kill_after(12)
        run = self.entries("mark")[0]["run"]
        self.assertEqual(run, self.mark())
        other = self.other_journal("other")
        self.assertIn(f"another run has it: {run}", self.refusal(self.report("--apply", journal=other, status=1)))
        self.kill_after(8)
        self.assertEqual(run, self.mark())
        self.run_it("--apply")
        self.assertIsNone(self.mark())
        self.assertEqual(self.wanted_state(), self.account.everything())
        self.report("--apply", journal=other)

    def test_lost_journal_is_said_by_the_runs_name(self):
        self.kill_after(6)
        run = self.mark()
        os.unlink(self.journal)
        wrong = self.report("--apply", "--take-over", "1-2-3", status=1)
        self.assertIn(f"another run has it: {run}", self.refusal(wrong))
        found = self.run_it("--apply", "--take-over", run)
        self.assertIn(f"run {run} is taken over", found.stderr)
        self.assertIn(run, [each.get("takenOver") for each in self.entries("mark")])
        self.assertEqual([], self.account.client("iam").list_instance_profiles()["InstanceProfiles"])
        self.assertEqual(self.wanted_state(), self.account.everything())

    def test_of_many_who_take_a_run_over_one_does(self):
        self.kill_after(6)
        run = self.mark()
        processes = [
            self.begun("--take-over", run, journal=self.other_journal(f"n{number}")) for number in range(4)
        ]
        came = [self.ended(process) for process in processes]
        self.assertGreaterEqual(sum(1 for _, report, _ in came if report["accounts"]), 1)
        for status, report, told in came:
            if report["accounts"]:
                self.assertEqual(0, status, told)
            else:
                self.assertEqual(1, status, told)
                self.assertRegex(self.refusal(report), "another run has it|is being taken over by another")
        # What the killed run had sent may be made twice by nobody; what others sent isn't.
        for made in ("CreateTrail", "POST /detector"):
            counted = {}
            for _, region, action in self.writes():
                if action == made:
                    counted[region] = counted.get(region, 0) + 1
            self.assertLessEqual(set(counted.values()), {1}, (made, counted))
        self.assertEqual([], self.account.client("iam").list_instance_profiles()["InstanceProfiles"])
        self.assertEqual(self.wanted_state(), self.account.everything())

    def test_account_that_can_not_be_marked_is_left_alone(self):
        self.gate.rule = lambda service, region, action: (403, "AccessDenied") if action == "CreateInstanceProfile" else None
        reason = self.refusal(self.report("--apply", status=1))
        self.assertIn("couldn't be marked", reason)
        self.assertIn("iam CreateInstanceProfile", reason)
        self.assertEqual([], self.writes())

    # -- What fails

    def test_refused_call_stops_only_what_needs_it(self):
        self.gate.rule = lambda service, region, action: (
            (400, "AccessDeniedException") if action == "CreateTrail"
            or (region == "us-east-1" and action == "PutConfigurationRecorder") else None
        )
        report = self.report("--apply", status=1)
        outcomes = self.outcomes(report)
        wrong = {step: kind for step, kind in outcomes.items() if kind != "done"}
        self.assertEqual(
            {
                "global/trail": "failed", "global/trail-logging": "not-done", "global/trail-selectors": "not-done",
                "us-east-1/config-recorder": "failed", "us-east-1/config-delivery-channel": "not-done",
                "us-east-1/config-recording": "not-done", "us-east-1/config-rule/kabuto-open-ssh": "not-done",
            },
            wrong,
        )
        reasons = {step["step"]: step["outcome"].get("reason") for step in report["accounts"][0]["steps"]}
        self.assertIn("AccessDeniedException", reasons["global/trail"])
        self.assertEqual("it needs global/trail, which isn't done", reasons["global/trail-logging"])
        self.gate.rule = lambda service, region, action: None
        again = self.report("--apply")
        self.assertEqual(set(wrong), set(self.outcomes(again)))
        self.assertEqual(self.wanted_state(), self.account.everything())

    def test_throttled_calls_are_made_again(self):
        count = {}

        def rule(service, region, action):
            key = (service, region, re.sub(r"[0-9a-f]{32}", "id", action))
            count[key] = count.get(key, 0) + 1
            return (400, "Throttling") if service != "sts" and count[key] == 1 else None

        self.gate.rule = rule
        report = self.report("--apply")
        self.assertGreater(report["throttled"], 30)
        self.assert_done(report)
        self.gate.rule = lambda service, region, action: None
        self.assertEqual(self.wanted_state(), self.account.everything())

    def test_answer_that_is_lost_makes_nothing_twice(self):
        lost = set()

        def rule(service, region, action):
            write = action in ("CreateTrail", "POST /detector", "PutConfigRule", "CreateServiceLinkedRole")
            if write and (region, action) not in lost:
                lost.add((region, action))
                return "drop-after"
            return None

        self.gate.rule = rule
        report = self.report("--apply")
        self.assert_done(report)
        self.assertGreaterEqual(len(lost), 7)
        self.gate.rule = lambda service, region, action: None
        self.assertEqual(self.wanted_state(), self.account.everything())

    def test_region_that_does_not_answer_is_told_and_others_are_done(self):
        self.gate.rule = lambda service, region, action: "drop" if region == "ap-northeast-1" else None
        report = self.report("--apply", status=1)
        (account,) = report["accounts"]
        self.assert_done(report)
        self.assertTrue(account["unknown"])
        for gap in account["unknown"]:
            self.assertTrue(gap["step"].startswith("ap-northeast-1/"), gap)
            self.assertIn("Unreachable", gap["reason"])
        self.assertFalse([step for step in self.outcomes(report) if step.startswith("ap-northeast-1/")])
        self.gate.rule = lambda service, region, action: None
        self.report("--apply")
        self.assertEqual(self.wanted_state(), self.account.everything())

    def test_denied_read_is_unknown_and_holds_what_needs_it(self):
        self.gate.rule = lambda service, region, action: (403, "AccessDenied") if "?policy" in action else None
        report = self.report("--apply", status=1)
        unknown = {gap["step"]: gap["reason"] for gap in report["accounts"][0]["unknown"]}
        self.assertIn("AccessDenied", unknown["global/log-bucket-policy"])
        self.assertEqual("it needs global/log-bucket-policy, which isn't known", unknown["global/trail"])
        self.assertEqual([], self.account.everything()[HOME]["trails"])
        self.assertNotIn("PUT /" + f"kabuto-logs-{self.account.number}?policy", [each[2] for each in self.writes()])
        self.report("--allow-unknown", regions=HOME, status=0)

    # -- Accounts

    def test_several_accounts_beside_each_other(self):
        others = [self.fresh(), self.fresh()]
        untouched = others[1].everything()
        numbers = [self.account.number, others[0].number]
        report = self.report("--apply", accounts=",".join(numbers), regions="eu-west-1,us-east-1")
        self.assertEqual(sorted(numbers), sorted(each["account"] for each in report["accounts"]))
        for number in numbers:
            self.assert_done(report, number)
        self.assertEqual(self.account.everything(), others[0].everything())
        self.assertEqual(untouched, others[1].everything())
        self.assertEqual([], self.report(accounts=numbers[1], regions="eu-west-1,us-east-1")["accounts"][0]["steps"])

    def test_account_that_can_not_be_entered_is_told(self):
        self.gate.rule = lambda service, region, action: (403, "AccessDenied") if action == "AssumeRole" else None
        found = self.run_it("--json", status=2)
        self.assertIn("can't be assumed", json.loads(found.stdout)["unreached"][0]["reason"])
        self.assertIn(f"account {self.account.number} can't be entered", found.stderr)

    def test_all_regions_are_those_of_the_account(self):
        report = self.report(regions="all", status=1)
        self.assertGreater(len(report["accounts"][0]["regions"]), 10)
        self.gate.rule = lambda service, region, action: (403, "UnauthorizedOperation") if action == "DescribeRegions" else None
        report = self.report(regions="all", status=1)
        self.assertEqual("global/regions", report["accounts"][0]["unknown"][0]["step"])

    # -- The shipped baseline

    def test_shipped_baseline_tells_what_people_have_to_mend(self):
        iam = self.account.client("iam")
        iam.create_user(UserName="signs-in")
        iam.create_login_profile(UserName="signs-in", Password="N0body-sees-this-1!")
        iam.create_user(UserName="has-key")
        iam.create_access_key(UserName="has-key")
        standard = os.path.join(os.path.dirname(__file__), "../../Baselines/standard.yaml")
        report = self.report("--apply", regions=HOME, baseline=standard, status=1)
        (account,) = report["accounts"]
        self.assert_done(report)
        notices = {notice["step"]: notice for notice in account["notices"]}
        self.assertEqual({"global/root-mfa", "global/user/signs-in"}, set(notices))
        self.assertIn("sign in as root", notices["global/root-mfa"]["reason"])
        # moto has no Access Analyzer: unknown, and no step is tried.
        self.assertEqual([f"{HOME}/access-analyzer"], [gap["step"] for gap in account["unknown"]])
        # Where there is one, all that is left is for people.
        self.gate.rule = lambda service, region, action: (
            b'{"analyzers":[{"name":"x","type":"ACCOUNT","status":"ACTIVE"}]}' if service == "access-analyzer" else None
        )
        report = self.report(regions=HOME, baseline=standard, status=1)
        self.assertEqual([], report["accounts"][0]["unknown"] + report["accounts"][0]["steps"])

    def test_region_that_is_not_meant_to_be_used(self):
        only = os.path.join(self.folder, "used.yaml")
        with open(only, "w", encoding="utf-8") as out:
            out.write("baseline: used\nregions: {used: [eu-west-1]}\n")
        self.report(baseline=only)
        self.account.client("ec2", "us-east-1").create_volume(AvailabilityZone="us-east-1a", Size=1)
        (notice,) = self.report(baseline=only, status=1)["accounts"][0]["notices"]
        self.assertEqual("us-east-1/region-use", notice["step"])
        self.assertEqual([{"name": "Volumes", "from": "1", "to": "0"}], notice["changes"])

    def test_policy_for_unused_regions_is_one_that_an_organization_takes(self):
        found = kabuto.run("govern", "baseline", "--region-policy", "--baseline", self.baseline)
        self.assertEqual(0, found.returncode, found.stderr)
        statement, spared = json.loads(found.stdout)["Statement"]
        self.assertEqual(sorted(REGIONS), statement["Condition"]["StringNotEquals"]["aws:RequestedRegion"])
        self.assertIn("iam:*", statement["NotAction"])
        # Whom it spares nobody else makes or changes.
        self.assertEqual(statement["Condition"]["ArnNotLike"], spared["Condition"]["ArnNotLike"])
        self.assertEqual(statement["Condition"]["ArnNotLike"]["aws:PrincipalARN"], spared["Resource"])
        self.assertIn("iam:CreateRole", spared["Action"])
        # The organization's limit of a policy.
        self.assertLess(len(found.stdout.encode()), 5_120)
        organizations = self.account.client("organizations", "us-east-1")
        organizations.create_organization(FeatureSet="ALL")
        made = organizations.create_policy(
            Content=found.stdout, Description="d", Name="regions", Type="SERVICE_CONTROL_POLICY"
        )["Policy"]
        self.assertEqual(found.stdout, made["Content"])
        # The shipped one says of no region that it is meant to be used.
        none = kabuto.run("govern", "baseline", "--region-policy")
        self.assertEqual(2, none.returncode)
        self.assertIn("no regions.used", none.stderr)

    def test_bad_baseline_is_told_with_its_places(self):
        bad = os.path.join(self.folder, "bad.yaml")
        with open(bad, "w", encoding="utf-8") as out:
            out.write("baseline: b\ntrial: {}\nlogs: {}\n")
        found = self.run_it(baseline=bad, status=2)
        self.assertRegex(found.stderr, r"bad\.yaml:2:8: found trial; wanted one of baseline")
        self.assertIn("logs without bucket", found.stderr)
        with open(bad, "w", encoding="utf-8") as out:
            out.write("baseline: b\nhome: eu-north-1\n")
        self.assertIn("isn't among --regions", self.run_it(baseline=bad, status=2).stderr)

    # -- Drift

    def test_drift_names_step_and_who(self):
        self.run_it("--apply")
        self.assertEqual([], self.report(verb="drift")["accounts"][0]["drift"])
        self.account.client("cloudtrail").stop_logging(Name="kabuto-trail")
        detector = self.account.client("guardduty", "us-east-1").list_detectors()["DetectorIds"][0]
        self.account.client("guardduty", "us-east-1").update_detector(DetectorId=detector, Enable=False)
        when = datetime.datetime.now(datetime.timezone.utc).timestamp() + 5
        told = {
            "EventName": "StopLogging", "EventTime": when, "Username": "mallory", "Resources": [],
            "CloudTrailEvent": json.dumps(
                {"userIdentity": {"arn": "arn:aws:iam::1:user/mallory"}, "requestParameters": {"name": "kabuto-trail"}}
            ),
        }
        self.gate.rule = lambda service, region, action: (
            json.dumps({"Events": [told] if region == HOME else []}).encode() if action == "LookupEvents" else None
        )
        report = self.report(verb="drift", status=1)
        drifted = {each["step"]: each for each in report["accounts"][0]["drift"]}
        self.assertEqual({"global/trail-logging", "us-east-1/detector"}, set(drifted))
        self.assertEqual([{"name": "IsLogging", "from": "false", "to": "true"}], drifted["global/trail-logging"]["changes"])
        who = drifted["global/trail-logging"]["changedBy"]
        self.assertEqual("arn:aws:iam::1:user/mallory", who[0]["by"])
        self.assertIn("no UpdateDetector or DeleteDetector since", drifted["us-east-1/detector"]["unknownBecause"])
        text = self.run_it(verb="drift", status=1).stdout
        self.assertIn("drifted  global/trail-logging", text)
        # moto itself has no LookupEvents: what drifted is told all the same.
        self.gate.rule = lambda service, region, action: None
        report = self.report("--drift", status=1)
        self.assertEqual(2, len(report["accounts"][0]["drift"]))
        self.assertIn("cloudtrail LookupEvents", report["accounts"][0]["drift"][0]["unknownBecause"])
        self.assertEqual([], self.writes_after_drift())
        # And the same command mends it.
        self.assertEqual(
            {"global/trail-logging", "us-east-1/detector"}, set(self.outcomes(self.report("--apply"))))

    def writes_after_drift(self):
        last = max(place for place, each in enumerate(self.gate.seen) if each[2] == "LookupEvents")
        return [each for each in self.gate.seen[last:] if each[2].startswith(("Create", "Put", "Start", "PUT", "POST"))]

    def test_drift_without_a_journal_can_not_be_done(self):
        self.assertIn("can't be read", self.run_it(verb="drift", status=2).stderr)

    # -- Requests

    def test_account_needs_an_approved_request(self):
        requests = os.path.join(self.folder, f"requests-{self.account.number}")
        form = os.path.join(self.folder, "form.yaml")
        until = (datetime.date.today() + datetime.timedelta(days=400)).isoformat()
        text = f"""
id: shop
account: "{self.account.number}"
name: shop
environment: guardrail
purpose: The shop's card payments, production.
data-class: confidential
requester: {{name: T. Ito, mail: ito@example.co.jp}}
owner: {{name: A. Sato, mail: sato@example.co.jp, certificate: {{name: cloud-owner, valid-until: {until}}}}}
billing-contact: {{name: B, mail: b@example.co.jp}}
budget-contact: {{name: C, mail: c@example.co.jp}}
root-custody: {{place: safe 3, keeper: {{name: M. Ono, mail: ono@example.co.jp}}, mfa: hardware}}
"""

        def account(verb, *options, status=0):
            found = kabuto.run("govern", "account", verb, *options, "--requests", requests, "--json")
            self.assertEqual(status, found.returncode, found.stdout + found.stderr)
            return json.loads(found.stdout) if found.stdout else found.stderr

        def write(content):
            with open(form, "w", encoding="utf-8") as out:
                out.write(content)

        # One that ran out is filed, and not approved; every condition that isn't met is named.
        write(text.replace(until, "2020-01-31").replace("budget-contact", "# budget-contact").replace("id: shop", "id: old"))
        told = account("request", form, status=1)
        self.assertEqual("open", told["state"])
        refused = account("approve", "old", "--by", "T. Ito <ito@example.co.jp>", status=1)
        self.assertEqual(
            ["owner-certificate", "budget-contact", "approver"], [each["condition"] for each in refused["unmet"]])
        self.assertIn("ran out on 2020-01-31", refused["unmet"][0]["found"])
        gated = self.run_it("--apply", "--requests", requests, regions=HOME, status=1)
        self.assertIn("its request old isn't approved", gated.stderr)
        gated = self.run_it("--requests", requests, "--language", "ja", regions=HOME, status=1)
        self.assertIn("申請 old は未承認です", gated.stderr)
        self.assertEqual([], self.writes())

        # The account has one request; the old one makes place.
        write(text)
        self.assertIn("asked for already, by old", account("request", form, status=2))
        os.unlink(os.path.join(requests, "old.yaml"))
        account("request", form)
        account("approve", "shop", "--by", "R. Mori <mori@example.co.jp>")
        self.assertEqual("approved", account("show", "shop")["state"])
        self.assertEqual(["approved"], [each["state"] for each in account("list")])
        self.report("--requests", requests, "--apply", regions=HOME)
        with open(os.path.join(requests, "shop.yaml"), encoding="utf-8") as file:
            hashed = re.search(r"sha256:[0-9a-f]{64}", file.read()).group()
        self.assertEqual([f"request shop, {hashed}"], [each["approval"] for each in self.entries("begin")])

        # What is left out is a condition that isn't met; nobody's terminal obeys a name.
        aside = os.path.join(self.folder, f"aside-{self.account.number}")
        write(text.replace("purpose:", "# purpose:").replace("data-class:", "# data-class:").replace("name: A. Sato", 'name: "A.\\e[2J Sato"'))
        found = kabuto.run("govern", "account", "request", form, "--requests", aside)
        self.assertEqual(1, found.returncode, found.stderr)
        self.assertIn("data-classes: found nothing", found.stdout)
        found = kabuto.run("govern", "account", "list", "--requests", aside)
        self.assertIn("A.\\u{1B}[2J Sato", found.stdout)
        self.assertNotIn("\x1b", found.stdout)

        # Whoever changes it afterwards has no approval.
        path = os.path.join(requests, "shop.yaml")
        with open(path, encoding="utf-8") as file:
            approved = file.read()
        for old, new in (("accounts/1", "strict/99"), ("sato@example.co.jp", "eve@example.co.jp")):
            with open(path, "w", encoding="utf-8") as out:
                out.write(approved.replace(old, new))
            self.assertEqual("changed", account("show", "shop", status=1)["state"])
        refused = self.report("--requests", requests, regions=HOME, status=1)
        self.assertEqual([], refused["accounts"])
        self.assertIn("changed after its approval", refused["refused"][0]["reason"])

    # -- Usage

    def test_wrong_usage(self):
        for options in (
            ["--accounts", "12"], ["--regions", "../x"], ["--apply", "--drift"], ["--conditions", "x"], ["--regions", ""],
            ["--regions", ","], ["--accounts", ""], ["--take-over", "x"], ["--requests", "x", "--without-requests"],
            ["--language", "fr"],
        ):
            with self.subTest(options=options):
                self.assertEqual(64, kabuto.run("govern", "provision", *options).returncode)

    def test_no_region_by_mistake_is_not_all_regions(self):
        for verb, *options in (["scan", "--rules", self.folder], ["watch", "--rules", self.folder, "--events", "events.jsonl"], ["drift"]):
            for regions in ("", ",", "eu-west-1,,us-east-1", "../x"):
                if verb == "drift" and regions.startswith("eu"):
                    continue
                with self.subTest(verb=verb, regions=regions):
                    found = kabuto.run("govern", verb, *options, "--regions", regions, environment=self.environment)
                    self.assertEqual(64, found.returncode, found.stderr)
                    self.assertIn("--regions", found.stderr)
                    self.assertIn("wanted", found.stderr)

    def test_deeds_need_requests_or_a_word_that_they_are_kept_elsewhere(self):
        plain = [each for each in self.command("--apply") if each != "--without-requests"]
        found = kabuto.run(*plain, environment=self.environment)
        self.assertEqual(64, found.returncode)
        self.assertIn("wanted --requests DIR", found.stderr)
        self.assertIn("--without-requests", found.stderr)
        self.assertEqual([], self.gate.seen)
        self.assertFalse(os.path.exists(self.journal))
        # A plan needs none.
        self.run_it(regions=HOME, status=1)


if __name__ == "__main__":
    unittest.main()
