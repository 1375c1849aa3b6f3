"""`kabuto govern watch` against moto's real server: changes are made with boto3, the events that CloudTrail would tell of
them are put into a queue of SQS, and what the watch tells is compared with what is there.

    python -m unittest -v Tests/Server/test_govern_watch.py
"""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

import kabuto
import live_account
from test_govern_results import Receiver

REGION = "eu-west-1"
RULES = """
let groups = Resources.*[ Type == 'AWS::EC2::SecurityGroup' ]
# @severity critical
# @title SSH is closed to the world
rule group_ssh when %groups !empty {
  %groups.Properties {
    when SecurityGroupIngress exists { SecurityGroupIngress[ FromPort == 22 ] { CidrIp != '0.0.0.0/0' } }
  }
}
rule bucket_policy { AWS::S3::BucketPolicy { Properties.PolicyDocument.Statement[*] { Principal != '*' } } }
rule bucket_versioned { AWS::S3::Bucket { Properties.VersioningConfiguration.Status == 'Enabled' } }
rule key_inactive { AWS::IAM::AccessKey { Properties.Status == 'Inactive' } }
rule user_inline { AWS::IAM::User { Properties.Policies not exists } }
rule permission_principal { AWS::Lambda::Permission { Properties.Principal != '*' } }
let trails = Resources.*[ Type == 'AWS::CloudTrail::Trail' ]
rule trail_validated when %trails !empty { %trails.Properties.EnableLogFileValidation == true }
"""


class Watch:
    """`kabuto govern watch` as a process."""

    def __init__(self, url, rules, *options, regions=REGION):
        self.folder = tempfile.mkdtemp(prefix="kabuto-watch-")
        empty = {name: "" for name in os.environ if name.startswith("AWS_")}
        keys = {
            "AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET,
            "AWS_SESSION_TOKEN": live_account.TOKEN, "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        }
        self.errors = open(os.path.join(self.folder, "stderr"), "w+b")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [
                kabuto.BINARY, "govern", "watch", "--rules", rules, "--endpoint", url, "--regions", regions,
                "--own-only", "--attempts", "3", *options,
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, env={**kabuto.ENVIRONMENT, **empty, **keys},
        )
        self.changes = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            # A line that is cut by a kill is none.
            if line.endswith(b"\n"):
                self.changes.append(json.loads(line))

    def said(self):
        with open(self.errors.name, "rb") as text:
            return text.read().decode("utf-8", "replace")

    def ready(self):
        kabuto.until(lambda: "kabuto: watching" in self.said() or self.process.poll() is not None, "the first look")
        if self.process.poll() is not None:
            raise AssertionError(self.said())
        return self

    def told(self, kind, rule, resource=""):
        return [
            each for each in list(self.changes)
            if each["change"] == kind and each["rule"] == rule and each["resource"].endswith(resource)
        ]

    def until(self, kind, rule, resource="", count=1):
        try:
            kabuto.until(lambda: len(self.told(kind, rule, resource)) >= count, f"{kind} {rule} {resource}")
        except AssertionError as fault:
            raise AssertionError(f"{fault}\n{self.changes}\n{self.said()[-3000:]}") from None

    def open_now(self):
        """Findings that are there, by what was told."""
        found = {}
        for each in self.changes:
            if each["change"] == "fixed":
                found.pop(each["id"], None)
            else:
                found[each["id"]] = (each["rule"], each["input"], each["resource"], each["status"])
        return set(found.values())

    def clean(self):
        """After a test that failed."""
        if not self.errors.closed:
            self.process.kill()
            self.process.wait(60)
            for stream in (self.errors, self.process.stdout, self.process.stdin):
                stream.close()
            shutil.rmtree(self.folder, True)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(60)
        self.reader.join(10)
        said = self.said()
        for secret in (live_account.SECRET, live_account.TOKEN, "Signature="):
            if secret in said or secret in json.dumps(self.changes):
                raise AssertionError("a secret was shown")
        shutil.rmtree(self.folder, True)
        self.errors.close()
        self.process.stdout.close()
        self.process.stdin.close()
        return said


@unittest.skipIf(live_account.MISSING, live_account.MISSING)
class GovernWatch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kabuto-watch-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.rules = os.path.join(cls.folder, "rules.guard")
        with open(cls.rules, "w", encoding="utf-8") as out:
            out.write(RULES)

    def setUp(self):
        self.moto = live_account.Moto()
        self.addCleanup(self.moto.end)
        self.gate = live_account.Gate(self.moto.port)
        self.addCleanup(self.gate.end)
        self.sqs = self.moto.client("sqs", REGION)
        self.queue = self.sqs.create_queue(QueueName="changes")["QueueUrl"]
        self.account = self.moto.client("sts", REGION).get_caller_identity()["Account"]
        self.ec2 = self.moto.client("ec2", REGION)

    def watch(self, *options, source=None, rules=None, regions=REGION):
        source = source or ["--queue", self.queue]
        watch = Watch(self.gate.url, rules or self.rules, *source, *options, regions=regions)
        self.addCleanup(watch.clean)
        return watch

    def event(self, service, name, request=None, response=None, **more):
        """What CloudTrail and EventBridge would send."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return {
            "version": "0", "id": f"{name}-{time.monotonic_ns()}", "detail-type": "AWS API Call via CloudTrail",
            "source": f"aws.{service}", "account": self.account, "time": now, "region": REGION, "resources": [],
            "detail": {
                "eventVersion": "1.09", "userIdentity": {"type": "IAMUser", "userName": "somebody"}, "eventTime": now,
                "eventSource": f"{service}.amazonaws.com", "eventName": name, "awsRegion": REGION, "readOnly": False,
                "requestParameters": request, "responseElements": response, "eventCategory": "Management",
                "managementEvent": True, "recipientAccountId": self.account, **more,
            },
        }

    def send(self, *arguments, **more):
        self.put(self.event(*arguments, **more))

    def put(self, body):
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def in_queue(self, queue=None):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=queue or self.queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def group(self, name):
        return self.ec2.create_security_group(GroupName=name, Description=name)["GroupId"]

    def ssh(self, group, close=False):
        permissions = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        call = self.ec2.revoke_security_group_ingress if close else self.ec2.authorize_security_group_ingress
        call(GroupId=group, IpPermissions=permissions)

    def scanned(self, rules=None, regions=REGION):
        """What a whole scan says."""
        found = kabuto.run(
            "govern", "scan", "--rules", rules or self.rules, "--endpoint", self.moto.url, "--regions", regions, "--own-only",
            "--format", "json",
            environment={
                "AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": REGION,
            },
        )
        return {
            (each["rule"], each["input"], each["resource"], each["status"])
            for each in json.loads(found.stdout)["findings"]
        }

    def test_changes_are_told_as_they_happen_and_only_what_changed_is_asked_for(self):
        group = self.group("web")
        s3 = self.moto.client("s3", REGION)
        s3.create_bucket(Bucket="kabuto-watched", CreateBucketConfiguration={"LocationConstraint": REGION})
        iam = self.moto.client("iam", REGION)
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        little = json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
        )
        role = iam.create_role(RoleName="runner", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        functions = self.moto.client("lambda", REGION)
        functions.create_function(
            FunctionName="worker", Runtime="python3.12", Role=role, Handler="main.handler",
            Code={"ZipFile": live_account.archive()},
        )
        watch = self.watch("--coalesce", "0").ready()
        kabuto.until(lambda: watch.told("new", "bucket_versioned"), "what was there")
        self.gate.seen.clear()
        self.gate.sent.clear()

        self.ssh(group)
        self.send("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group})
        watch.until("new", "group_ssh", group)
        self.assertEqual("critical", watch.told("new", "group_ssh")[0]["severity"])
        self.assertEqual("ec2 AuthorizeSecurityGroupIngress", watch.told("new", "group_ssh")[0]["event"])
        self.assertGreaterEqual(watch.told("new", "group_ssh")[0]["latency_ms"], 0)
        self.ssh(group, close=True)
        self.send("ec2", "RevokeSecurityGroupIngress", {"groupId": group})
        watch.until("fixed", "group_ssh", group)

        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::kabuto-watched/*"}
            ],
        }
        s3.put_bucket_policy(Bucket="kabuto-watched", Policy=json.dumps(policy))
        self.send("s3", "PutBucketPolicy", {"bucketName": "kabuto-watched"})
        watch.until("new", "bucket_policy", "kabuto-watched?policy")
        s3.delete_bucket_policy(Bucket="kabuto-watched")
        self.send("s3", "DeleteBucketPolicy", {"bucketName": "kabuto-watched"})
        watch.until("fixed", "bucket_policy", "kabuto-watched?policy")
        s3.put_bucket_versioning(Bucket="kabuto-watched", VersioningConfiguration={"Status": "Enabled"})
        self.send("s3", "PutBucketVersioning", {"bucketName": "kabuto-watched"})
        watch.until("fixed", "bucket_versioned", "kabuto-watched")

        iam.create_user(UserName="ann")
        self.send("iam", "CreateUser", {"userName": "ann"}, awsRegion="us-east-1")
        key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
        self.send("iam", "CreateAccessKey", {"userName": "ann"}, {"accessKey": {"userName": "ann", "accessKeyId": key}})
        watch.until("new", "key_inactive", key)
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=little)
        self.send("iam", "PutUserPolicy", {"userName": "ann", "policyName": "p"})
        watch.until("new", "user_inline", "user/ann")
        iam.delete_user_policy(UserName="ann", PolicyName="p")
        iam.delete_access_key(UserName="ann", AccessKeyId=key)
        iam.delete_user(UserName="ann")
        self.send("iam", "DeleteUser", {"userName": "ann"})
        watch.until("fixed", "key_inactive", key)
        watch.until("fixed", "user_inline", "user/ann")

        functions.add_permission(FunctionName="worker", StatementId="all", Action="lambda:InvokeFunction", Principal="*")
        self.send("lambda", "AddPermission20150331v2", {"functionName": "worker"})
        watch.until("new", "permission_principal", "worker#all")
        functions.remove_permission(FunctionName="worker", StatementId="all")
        self.send("lambda", "RemovePermission20150331v2", {"functionName": "worker"})
        watch.until("fixed", "permission_principal", "worker#all")

        # Deleted with what was wrong.
        self.ssh(group)
        self.send("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group})
        watch.until("again", "group_ssh", group)
        self.ec2.delete_security_group(GroupId=group)
        self.send("ec2", "DeleteSecurityGroup", {"groupId": group})
        watch.until("fixed", "group_ssh", group, 2)

        # A trail: its list is asked, since there is no call for one.
        s3.create_bucket(Bucket="kabuto-trails", CreateBucketConfiguration={"LocationConstraint": REGION})
        trail = self.moto.client("cloudtrail", REGION).create_trail(Name="main-trail", S3BucketName="kabuto-trails")["TrailARN"]
        self.send("cloudtrail", "CreateTrail", {"name": "main-trail"}, {"trailARN": trail})
        watch.until("new", "trail_validated", "trail/main-trail")
        self.send("s3", "CreateBucket", {"bucketName": "kabuto-trails"})
        watch.until("new", "bucket_versioned", "kabuto-trails")

        kabuto.until(lambda: self.in_queue() == 0, "an empty queue")
        # Only calls for what changed.
        asked = [each for each in self.gate.sent if each[0] != "sqs"]
        for service, _, action, body in asked:
            self.assertNotIn(action, ["GetAccountAuthorizationDetails", "GET /?max-buckets=1000", "ListKeys", "DescribeVolumes"], asked)
            self.assertFalse(action.startswith("GET /2015-03-31/functions/?") or action == "GET /2015-03-31/functions", action)
            if action == "DescribeSecurityGroups":
                self.assertIn("GroupId.1=", body)
            if service == "s3":
                self.assertNotIn("?encryption", action, "no rule asks for it")
        self.assertEqual(self.scanned(), watch.open_now())
        said = watch.end()
        self.assertEqual(0, watch.process.returncode, said)

    def test_stopped_trail_is_told_in_all_regions_that_it_covers(self):
        home, regions = "us-east-1", f"us-east-1,{REGION}"
        rules = str(pathlib.Path(__file__).resolve().parents[2] / "Rules" / "baseline" / "trail.guard")
        self.moto.client("s3", home).create_bucket(Bucket="kabuto-trails")
        main = self.moto.client("cloudtrail", home)
        arn = main.create_trail(
            Name="main", S3BucketName="kabuto-trails", IsMultiRegionTrail=True, EnableLogFileValidation=True
        )["TrailARN"]
        main.start_logging(Name="main")
        # Another of the same name, elsewhere, for that region alone.
        other = self.moto.client("cloudtrail", REGION)
        own = other.create_trail(Name="main", S3BucketName="kabuto-trails", EnableLogFileValidation=True)["TrailARN"]
        watch = self.watch("--coalesce", "0", rules=rules, regions=regions).ready()
        watch.until("new", "trail_logging", own)
        self.assertEqual([], watch.told("new", "trail_in_region"))
        main.stop_logging(Name="main")
        self.send("cloudtrail", "StopLogging", {"name": "main"}, awsRegion=home)
        watch.until("new", "trail_in_region", count=2)
        watch.until("new", "trail_logging", arn)
        inputs = {each["input"].split("/")[-1] for each in watch.told("new", "trail_in_region")}
        self.assertEqual({home, REGION}, inputs)
        self.assertEqual(self.scanned(rules, regions), watch.open_now())
        # The other one of that name: neither is taken for the other, and none is lost.
        other.start_logging(Name="main")
        self.send("cloudtrail", "StartLogging", {"name": own})
        watch.until("fixed", "trail_logging", own)
        watch.until("fixed", "trail_in_region")
        self.assertEqual(self.scanned(rules, regions), watch.open_now())
        main.start_logging(Name="main")
        self.send("cloudtrail", "StartLogging", {"name": "main"}, awsRegion=home)
        watch.until("fixed", "trail_in_region", count=2)
        other.stop_logging(Name="main")
        self.send("cloudtrail", "StopLogging", {"name": "main"})
        watch.until("again", "trail_logging", own)
        main.put_event_selectors(TrailName="main", EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": False}])
        self.send("cloudtrail", "PutEventSelectors", {"trailName": "main"}, awsRegion=home)
        watch.until("new", "trail_management_events", arn)
        watch.until("again", "trail_in_region", count=2)
        main.delete_trail(Name="main")
        self.send("cloudtrail", "DeleteTrail", {"name": "main"}, awsRegion=home)
        watch.until("fixed", "trail_management_events", arn)
        kabuto.until(lambda: self.in_queue() == 0, "an empty queue")
        self.assertEqual(self.scanned(rules, regions), watch.open_now())
        watch.end()

    def test_aliases_and_versions_of_functions_are_seen(self):
        role = self.moto.client("iam", REGION).create_role(RoleName="runner", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        functions = self.moto.client("lambda", REGION)
        functions.create_function(
            FunctionName="worker", Runtime="python3.12", Role=role, Handler="main.handler",
            Code={"ZipFile": live_account.archive()},
        )
        version = functions.publish_version(FunctionName="worker")["Version"]
        functions.create_alias(FunctionName="worker", Name="live", FunctionVersion=version)
        rules = os.path.join(self.folder, "functions.guard")
        with open(rules, "w", encoding="utf-8") as out:
            out.write("rule principal { AWS::Lambda::Permission { Properties.Principal != '*' } }\n")
            out.write("rule url { AWS::Lambda::Url { Properties.AuthType == 'AWS_IAM' } }\n")
        auth = ["AWS_IAM"]

        def rule(_service, _region, action):
            # moto has one URL for all aliases.
            if "/url?Qualifier=live" in action:
                return json.dumps({"AuthType": auth[0], "FunctionArn": "x"}).encode()
            return None

        self.gate.rule = rule
        watch = self.watch("--coalesce", "0", "--retry-every", "1", rules=rules).ready()
        self.assertEqual([], watch.changes)
        functions.add_permission(
            FunctionName="worker", Qualifier="live", StatementId="all", Action="lambda:InvokeFunction", Principal="*"
        )
        self.send("lambda", "AddPermission20150331v2", {"functionName": "worker", "qualifier": "live"})
        # moto keeps one policy for a function, its versions and its aliases.
        watch.until("new", "principal", "worker:live#all")
        watch.until("new", "principal", f"worker:{version}#all")
        auth[0] = "NONE"
        self.send("lambda", "UpdateFunctionUrlConfig", {"functionName": "worker", "qualifier": "live"})
        watch.until("new", "url", "worker:live#url")
        # What isn't told isn't good.
        self.gate.rule = lambda service, region, action: (
            (403, "AccessDeniedException") if action.endswith("/aliases") else rule(service, region, action)
        )
        self.send("lambda", "UpdateAlias20150331", {"functionName": "worker", "name": "live"})
        kabuto.until(lambda: [each for each in watch.told("new", "kabuto_call") if "lambda ListAliases" in each["found"]], "the call")
        self.assertEqual([], watch.told("fixed", "principal", "worker:live#all"))
        self.gate.rule = rule
        watch.until("fixed", "kabuto_call")
        functions.delete_alias(FunctionName="worker", Name="live")
        self.send("lambda", "DeleteAlias20150331", {"functionName": "worker", "name": "live"})
        watch.until("fixed", "principal", "worker:live#all")
        watch.until("fixed", "url", "worker:live#url")
        watch.end()

    def test_what_was_there_before_is_told_once_over_a_restart(self):
        group = self.group("web")
        self.ssh(group)
        data = os.path.join(self.folder, "restart")
        first = self.watch("--data", data).ready()
        first.until("new", "group_ssh", group)
        first.end()
        # Meanwhile, without a watch.
        self.ssh(group, close=True)
        other = self.group("other")
        self.ssh(other)
        second = self.watch("--data", data).ready()
        second.until("fixed", "group_ssh", group)
        second.until("new", "group_ssh", other)
        self.assertEqual([], second.told("new", "group_ssh", group))
        second.end()

    def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_new_twice(self):
        groups = [self.group(f"g{number}") for number in range(24)]
        data = os.path.join(self.folder, "killed")
        watches = [self.watch("--data", data, "--coalesce", "0", "--visibility", "2").ready()]
        for number, group in enumerate(groups):
            self.ssh(group)
            self.send("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group})
            if number % 8 == 5:
                # Somewhere between receiving, keeping and deleting.
                kabuto.until(lambda: len(watches[-1].told("new", "group_ssh")) > 0, "a change")
                watches[-1].end(signal.SIGKILL)
                watches.append(self.watch("--data", data, "--coalesce", "0", "--visibility", "2"))
        watches[-1].ready()
        kabuto.until(lambda: self.in_queue() == 0, "an empty queue")
        last = self.group("last")
        self.ssh(last)
        self.send("ec2", "AuthorizeSecurityGroupIngress", {"groupId": last})
        watches[-1].until("new", "group_ssh", last)
        watches[-1].end()
        told = [each["id"] for watch in watches for each in watch.told("new", "group_ssh")]
        self.assertEqual(len(told), len(set(told)), "told twice as new")
        with sqlite3.connect(os.path.join(data, "governance.sqlite")) as base:
            kept = base.execute(
                "SELECT f.resource, count(*) FROM finding f JOIN event e ON e.finding = f.id"
                " WHERE f.rule = 'group_ssh' AND f.state = 'open' AND e.kind = 'opened' GROUP BY f.id"
            ).fetchall()
        base.close()
        self.assertEqual({resource.split("/")[-1] for resource, _ in kept}, {*groups, last})
        self.assertEqual({1}, {count for _, count in kept})

    def sql(self, data, text):
        with sqlite3.connect(os.path.join(data, "governance.sqlite")) as base:
            found = base.execute(text).fetchall()
        base.close()
        return found

    def test_ended_in_the_middle_of_calls_nothing_is_said_of_them(self):
        groups = [self.group("one"), self.group("two")]
        self.ssh(groups[0])
        data = os.path.join(self.folder, "ended")
        told = os.path.join(self.folder, "ended.jsonl")
        # What a watch that ended still asked the queue for may get the message first, for that long.
        options = ["--data", data, "--notify", f"file:{told}", "--coalesce", "0", "--visibility", "2"]
        self.watch(*options).ready().end()
        before = self.sql(data, "SELECT key, status, state, unseen, times FROM finding ORDER BY key")
        with open(told, encoding="utf-8") as lines:
            messages = lines.read()
        is_slow = threading.Event()
        held = threading.Event()

        def slow(service, _region, action):
            if is_slow.is_set() and service == "ec2" and action != "DescribeRegions":
                held.set()
                time.sleep(3)

        self.gate.rule = slow
        for first in (True, False):
            with self.subTest(first=first):
                held.clear()
                if first:
                    is_slow.set()
                else:
                    is_slow.clear()
                watch = self.watch(*options)
                if not first:
                    watch.ready()
                    # What was a whole look is kept; an event's look isn't.
                    before = self.sql(data, "SELECT key, status, state, unseen, times FROM finding ORDER BY key")
                    is_slow.set()
                    self.ssh(groups[1])
                    self.send("ec2", "AuthorizeSecurityGroupIngress", {"groupId": groups[1]})
                self.assertTrue(held.wait(60), watch.said())
                process = watch.process
                said = watch.end()
                self.assertEqual(0, process.returncode, said)
                self.assertEqual(before, self.sql(data, "SELECT key, status, state, unseen, times FROM finding ORDER BY key"))
                with open(told, encoding="utf-8") as lines:
                    self.assertEqual(messages, lines.read())
                self.assertEqual([], watch.told("new", "kabuto_call"))
        self.assertEqual(1, self.in_queue(), "what wasn't looked at comes again")
        self.gate.rule = lambda service, region, action: None
        last = self.watch(*options).ready()
        last.until("new", "group_ssh", groups[1])
        last.end()

    def test_webhook_gets_the_last_message_and_is_left_alone_where_it_has_trouble(self):
        self.ssh(self.group("web"))
        empty = os.path.join(self.folder, "empty.jsonl")
        with open(empty, "w", encoding="utf-8"):
            pass
        hook = Receiver()
        self.addCleanup(hook.end)
        data = os.path.join(self.folder, "hook")
        found = self.watch("--data", data, "--notify", hook.url, source=["--events", empty])
        self.assertEqual(0, found.process.wait(60), found.said())
        found.end()
        self.assertEqual(1, len(hook.got))
        self.assertEqual([(1, 1)], self.sql(data, "SELECT attempts, sent IS NOT NULL FROM message"))
        hook.statuses = [503] * 100
        other = os.path.join(self.folder, "trouble")
        watch = self.watch("--data", other, "--notify", hook.url, source=["--events", "-"]).ready()
        kabuto.until(lambda: len(hook.got) >= 5, "four attempts")
        time.sleep(6)
        # It ends though more lines may come.
        said = watch.end()
        self.assertEqual(5, len(hook.got), said)
        self.assertEqual(1, said.count("it answered with status 503; tried again in 60 s"), said)

    def test_history_that_is_gone_under_a_watch(self):
        group = self.group("web")
        data = os.path.join(self.folder, "gone")
        watch = self.watch("--data", data, "--coalesce", "0", source=["--events", "-"]).ready()
        shutil.rmtree(data)
        self.ssh(group)
        watch.process.stdin.write(
            (json.dumps(self.event("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group})) + "\n").encode())
        watch.process.stdin.close()
        self.assertEqual(2, watch.process.wait(60), watch.said())
        said = watch.end()
        self.assertIn("the file is gone", said)
        self.assertIn("what lines told of it is lost", said)
        self.assertNotIn("queue", said)

    def test_malformed_doubled_and_disordered_messages(self):
        dead = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sqs.set_queue_attributes(
            QueueUrl=self.queue,
            Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})},
        )
        group = self.group("web")
        self.ssh(group)
        watch = self.watch("--visibility", "1", "--coalesce", "0").ready()
        watch.until("new", "group_ssh", group)
        self.put("this is no event")
        self.put({"detail-type": "\x1b[31mAWS API Call via CloudTrail", "detail": {"eventSource": "ec2.amazonaws.com", "\x1b[2J": 1}})
        opened = self.event("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group})
        closed = self.event("ec2", "RevokeSecurityGroupIngress", {"groupId": group})
        self.ssh(group, close=True)
        # The older one comes last, and twice; as SNS wraps it, and in a list.
        self.put(closed)
        watch.until("fixed", "group_ssh", group)
        self.put({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": json.dumps(opened)})
        self.put([opened, opened])
        # What reads, what failed, and what is of others.
        self.put(self.event("ec2", "DescribeInstances", {}, readOnly=True))
        self.put(self.event("ec2", "DeleteSecurityGroup", {"groupId": group}, errorCode="Client.UnauthorizedOperation"))
        self.put({**opened, "account": "999999999999", "detail": {**opened["detail"], "recipientAccountId": "999999999999"}})
        kabuto.until(lambda: self.in_queue(dead) == 2, "two dead letters")
        kabuto.until(lambda: self.in_queue() == 0, "an empty queue")
        self.assertEqual([], watch.told("again", "group_ssh"))
        said = watch.end()
        self.assertEqual(2, said.count("left to the dead-letter queue"), said)
        self.assertIn("wanted eventSource and eventName", said)
        self.assertNotIn("\x1b", said)

    def test_what_can_not_be_fetched_is_unknown_until_it_can(self):
        group = self.group("web")
        watch = self.watch("--retry-every", "1", "--coalesce", "0").ready()
        self.gate.rule = lambda service, region, action: (
            (403, "UnauthorizedOperation") if action == "DescribeSecurityGroups" else None
        )
        self.ssh(group)
        self.send("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group})
        watch.until("new", "kabuto_call", group)
        self.assertEqual("UNKNOWN", watch.told("new", "kabuto_call", group)[0]["status"])
        watch.until("new", "group_ssh")
        self.assertEqual({"UNKNOWN"}, {each["status"] for each in watch.told("new", "group_ssh")})
        self.gate.rule = lambda service, region, action: None
        watch.until("fixed", "kabuto_call", group)
        kabuto.until(
            lambda: [each for each in watch.changes if each["resource"].endswith(group) and each["status"] == "FAIL"],
            "the failure",
        )
        self.assertEqual(self.scanned(), watch.open_now())
        watch.end()

    def test_event_that_was_lost_is_found_by_a_whole_look(self):
        group = self.group("web")
        watch = self.watch("--full-every", "10s", "--retry-every", "1").ready()
        self.ssh(group)
        watch.until("new", "group_ssh", group)
        self.assertEqual("scan", watch.told("new", "group_ssh", group)[0]["event"])
        watch.end()

    def test_write_that_nobody_knows_makes_its_service_be_looked_at(self):
        group = self.group("web")
        watch = self.watch("--coalesce", "0").ready()
        self.ssh(group)
        self.send("ec2", "SomethingInventedTomorrow", {"what": "ever"})
        watch.until("new", "group_ssh", group)
        watch.end()

    def test_one_document_at_the_end(self):
        group = self.group("web")
        self.ssh(group)
        text = json.dumps(self.event("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group})) + "\n"
        lines = os.path.join(self.folder, "events.jsonl")
        with open(lines, "w", encoding="utf-8") as out:
            out.write(text * 3 + "nonsense\n\n")
        for source in (lines, "-"):
            with self.subTest(source=source):
                self.one_document(source, text * 3 + "nonsense\n\n", group)

    def one_document(self, source, text, group):
        found = subprocess.run(
            [
                kabuto.BINARY, "govern", "watch", "--rules", self.rules, "--endpoint", self.gate.url, "--regions", REGION,
                "--own-only", "--events", source, "--json", "--coalesce", "0",
            ],
            input=text, capture_output=True, text=True, timeout=120,
            env={
                **kabuto.ENVIRONMENT, "AWS_ACCESS_KEY_ID": live_account.KEY,
                "AWS_SECRET_ACCESS_KEY": live_account.SECRET, "AWS_REGION": REGION,
            },
        )
        self.assertEqual(0, found.returncode, found.stderr)
        self.assertIn("line 4: not JSON", found.stderr)
        report = json.loads(found.stdout)
        self.assertEqual((3, 1, 3), (report["events"], report["malformed"], report["looks"]))
        self.assertEqual({"new": 1}, report["changed"])
        self.assertEqual(3, report["calls"] - report["scan_calls"])
        self.assertEqual(3, report["evaluations"])
        self.assertGreater(report["cpu_seconds_per_change"], 0)
        self.assertTrue(report["changes"][0]["resource"].endswith(group))

    def test_exceptions_are_read_again_and_input_parameters_are_there(self):
        path = os.path.join(self.folder, "exceptions.yaml")
        facts = os.path.join(self.folder, "facts.yaml")
        rules = os.path.join(self.folder, "facts.guard")
        with open(facts, "w", encoding="utf-8") as out:
            out.write("facts: {port: 23}\n")
        with open(rules, "w", encoding="utf-8") as out:
            out.write("rule port_of_facts when facts exists { facts.port == 22 }\n")
        ends = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86_400))
        for arguments in (
            ["request", path, "--id", "EX-1", "--rule", "group_ssh", "--owner", "net", "--reason", "A trial", "--by",
             "tanaka", "--expires", ends],
            ["approve", path, "EX-1", "--by", "suzuki"],
        ):
            found = kabuto.run("govern", "exception", *arguments)
            self.assertEqual(0, found.returncode, found.stderr)
        group = self.group("web")
        self.ssh(group)
        data = os.path.join(self.folder, "excepted")
        watch = self.watch(
            "--exceptions", path, "-i", facts, "--full-every", "10s", "--data", data, "--rules", rules).ready()
        watch.until("new", "group_ssh", group)
        self.assertEqual("EXCEPTED", watch.told("new", "group_ssh", group)[0]["status"])
        self.assertEqual([("EX-1", "net", "A trial")], self.sql(data, "SELECT id, owner, reason FROM exception"))
        self.assertEqual([(1, 2)], self.sql(data, "SELECT min(id), inputs FROM run"))
        watch.until("new", "port_of_facts")
        with open(path, "r+", encoding="utf-8") as text:
            changed = text.read().replace("tanaka", "suzuki")
            text.seek(0)
            text.truncate()
            text.write(changed)
        watch.until("changed", "group_ssh", group)
        self.assertEqual("FAIL", watch.told("changed", "group_ssh", group)[0]["status"])
        watch.end()

    def test_wrong_usage(self):
        for options in (
            [], ["--queue", self.queue, "--events", "x"], ["--queue", "nonsense"], ["--events", "-", "--full-every", "1"],
            ["--events", "-", "--notify", "file:x"],
        ):
            found = kabuto.run("govern", "watch", "--rules", self.rules, *options)
            self.assertEqual(64, found.returncode, found.stderr)
        found = kabuto.run(
            "govern", "watch", "--rules", self.rules, "--events", "/nowhere/x", "--endpoint", self.gate.url
        )
        self.assertEqual(2, found.returncode, found.stderr)
        found = kabuto.run(
            "govern", "watch", "--rules", self.rules, "--events", self.folder, "--endpoint", self.gate.url
        )
        self.assertEqual(2, found.returncode, found.stderr)
        self.assertIn("neither a file nor a pipe", found.stderr)


if __name__ == "__main__":
    unittest.main()
