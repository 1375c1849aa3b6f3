"""The shipped rules (Rules/) on a good and a bad resource of each: as a template, as a Terraform plan, and live in two
accounts of moto's real server. The verdict is the same in all three, but for what `rule_cases.DIFFERENCES` explains.

    python -m unittest -v Tests/Server/test_govern_rules.py
"""

import datetime
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = str(ROOT / "Rules")
REGION, UNUSED = "eu-west-1", "us-west-2"
ACCOUNT = "123456789012"
SECRET = "hunter2-is-secret"
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
    "trail_in_region": None, "recorder_records": "recorder", "recorder_in_region": None, "detector_enabled": "detector",
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


def fill(moto, kind):
    """Makes an account in which all is good, or bad; returns names → ARNs."""
    good = kind == "good"
    arns = {"root": f"arn:aws:iam::{ACCOUNT}:root", "password": f"arn:aws:iam::{ACCOUNT}:account-password-policy"}

    def client(service, region=REGION):
        return moto.client(service, region)

    ec2 = client("ec2")

    def named(what, identifier):
        return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{what}/{identifier}"

    # A network of its own; the bad one's first subnet leads to the internet.
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    if not good:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    everything_out = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    group = ec2.create_security_group(GroupName="web", Description="quotes for brokers", VpcId=vpc)["GroupId"]
    arns["group"] = named("security-group", group)

    def opened(protocol, port, block, description):
        ends = {"FromPort": port, "ToPort": port} if port else {}
        return {"IpProtocol": protocol, **ends, "IpRanges": [{"CidrIp": block, **({"Description": description} if description else {})}]}

    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[opened("tcp", 443, "0.0.0.0/0", "clients"), opened("tcp", 4222, "10.0.0.0/8", "nodes")]
        if good else [opened("tcp", 22, "0.0.0.0/0", ""), opened("-1", None, "10.0.0.0/8", "")],
    )
    others = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}])
    default = others["SecurityGroups"][0]["GroupId"]
    arns["default_group"] = named("security-group", default)
    if good:
        for each in (group, default):
            ec2.revoke_security_group_egress(GroupId=each, IpPermissions=everything_out)
        found = ec2.describe_security_groups(GroupIds=[default])["SecurityGroups"][0]["IpPermissions"]
        if found:
            ec2.revoke_security_group_ingress(GroupId=default, IpPermissions=found)

    volume = ec2.create_volume(AvailabilityZone=REGION + "a", Size=8, Encrypted=good)["VolumeId"]
    arns["volume"] = named("volume", volume)
    instances = [
        ec2.run_instances(
            ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t3.micro" if good else "m4.large",
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": not good}],
        )["Instances"][0]["InstanceId"]
        for subnet in (subnets if good else [subnets[0]] * 2)
    ]
    arns["instance"] = named("instance", instances[0])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    arns["address"] = named("elastic-ip", address)
    if not good:
        ec2.associate_address(AllocationId=address, InstanceId=instances[0])
        client("ec2", UNUSED).run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)

    s3 = client("s3")
    s3.create_bucket(Bucket="kabuto", CreateBucketConfiguration={"LocationConstraint": REGION})
    arns["bucket"] = "arn:aws:s3:::kabuto"
    arns["bucket_policy"] = "arn:aws:s3:::kabuto?policy"
    documents = [rule_cases.TLS, rule_cases.KNOWN] if good else [rule_cases.PUBLIC, rule_cases.UNKNOWN]
    s3.put_bucket_policy(Bucket="kabuto", Policy=json.dumps(rule_cases.policy(*[d["Statement"][0] for d in documents])))
    if good:
        s3.put_bucket_versioning(Bucket="kabuto", VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_encryption(
            Bucket="kabuto",
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]},
        )
        s3.put_public_access_block(Bucket="kabuto", PublicAccessBlockConfiguration=rule_cases.BLOCKED)
    else:
        s3.put_bucket_acl(Bucket="kabuto", ACL="public-read")

    iam = client("iam")
    trust = rule_cases.policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
    arns["role"] = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    document = rule_cases.LITTLE if good else rule_cases.EVERYTHING
    arns["policy"] = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    arns["user"] = iam.create_user(UserName="u")["User"]["Arn"]
    iam.create_login_profile(UserName="u", Password="Nobody-sees-this-1")
    iam.create_access_key(UserName="u")
    if good:
        iam.enable_mfa_device(
            UserName="u", SerialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/u", AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
        iam.update_account_password_policy(MinimumPasswordLength=14, PasswordReusePrevention=24)
    else:
        iam.put_user_policy(UserName="u", PolicyName="own", PolicyDocument=json.dumps(rule_cases.LITTLE))
        iam.put_role_policy(RoleName="r", PolicyName="own", PolicyDocument=json.dumps(rule_cases.LITTLE))
        iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    functions = client("lambda")
    function = functions.create_function(
        FunctionName="f", Runtime="python3.12" if good else "python2.7", Role=arns["role"], Handler="main.handler",
        Code={"ZipFile": live_account.archive()},
        Environment={"Variables": {"STAGE": "prod"} if good else {"DB_PASSWORD": SECRET}},
    )["FunctionArn"]
    arns["function"] = function
    functions.add_permission(
        FunctionName="f", StatementId="account", Action="lambda:InvokeFunction", Principal=ACCOUNT if good else "*"
    )
    functions.add_permission(
        FunctionName="f", StatementId="service", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        **({"SourceArn": "arn:aws:s3:::kabuto"} if good else {}),
    )
    functions.create_function_url_config(FunctionName="f", AuthType="AWS_IAM" if good else "NONE")
    arns |= {"permission_account": f"{function}#account", "permission_service": f"{function}#service", "url": f"{function}#url"}

    trails = client("cloudtrail")
    arns["trail"] = trails.create_trail(
        Name="trail", S3BucketName="kabuto", EnableLogFileValidation=good, IsMultiRegionTrail=good, IncludeGlobalServiceEvents=good
    )["TrailARN"]
    config = client("config")
    config.put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default", "roleARN": arns["role"],
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}
            if good else {"allSupported": False, "resourceTypes": ["AWS::EC2::Instance"]},
        }
    )
    arns["recorder"] = f"arn:aws:config:{REGION}:{ACCOUNT}:configuration-recorder/default"
    if good:
        trails.start_logging(Name="trail")
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "kabuto"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")
    detector = client("guardduty").create_detector(Enable=good)["DetectorId"]
    arns["detector"] = f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/{detector}"

    key = client("kms").create_key()["KeyMetadata"]
    arns["key"] = key["Arn"]
    if good:
        client("kms").enable_key_rotation(KeyId=key["KeyId"])
    arns["database"] = client("rds").create_db_instance(
        DBInstanceIdentifier="d", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20, MasterUsername="admin1",
        MasterUserPassword="nobody-sees-this-1", StorageEncrypted=good, PubliclyAccessible=not good,
    )["DBInstance"]["DBInstanceArn"]
    arns["certificate"] = certificate(client("acm"), good)

    balancers = client("elbv2")
    arns["balancer"] = balancers.create_load_balancer(
        Name="app", Subnets=subnets if good else subnets[:1], SecurityGroups=[group], Scheme="internet-facing"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    feed = balancers.create_target_group(
        Name="feed", Protocol="TCP" if good else "HTTP", Port=443, VpcId=vpc, Tags=rule_cases.service("feed")
    )["TargetGroups"][0]["TargetGroupArn"]
    gate = balancers.create_target_group(
        Name="gate", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip" if good else "instance", Tags=rule_cases.service("gate")
    )["TargetGroups"][0]["TargetGroupArn"]
    arns |= {"feed_target": feed, "gate_target": gate}
    arns["listener"] = balancers.create_listener(
        LoadBalancerArn=arns["balancer"], Protocol="HTTP", Port=443 if good else 8080,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": gate}],
    )["Listeners"][0]["ListenerArn"]
    waf = client("wafv2")
    acl = waf.create_web_acl(
        Name="acl", Scope="REGIONAL", DefaultAction={"Allow": {}},
        VisibilityConfig={"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "acl"},
    )["Summary"]["ARN"]
    if good:
        waf.associate_web_acl(WebACLArn=acl, ResourceArn=arns["balancer"])
    scaling = client("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName="c", ImageId="ami-12c6146b", InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="g", LaunchConfigurationName="c", MinSize=0, MaxSize=2, DesiredCapacity=0,
        VPCZoneIdentifier=",".join(subnets if good else subnets[:1]),
    )
    arns["scaling"] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["AutoScalingGroupARN"]
    return arns


def certificate(acm, good):
    """One that AWS renews, or an imported one that ends in ten days."""
    if good:
        return acm.request_certificate(DomainName="example.com", ValidationMethod="DNS")["CertificateArn"]
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.com")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=10)).sign(key, hashes.SHA256())
    )
    return acm.import_certificate(
        Certificate=made.public_bytes(serialization.Encoding.PEM),
        PrivateKey=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ),
    )["CertificateArn"]


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
        }
        for rule, resources in cases.items():
            pathlib.Path(self.folder, f"{rule}.json").write_text(json.dumps(rule_cases.template(resources, parameter)))
        found = kabuto.run("govern", "check", "--rules", RULES, "--input", self.folder, "--format", "junit")
        told = statuses(found.stdout)
        for rule in cases:
            with self.subTest(rule):
                self.assertEqual(told[os.path.join(self.folder, f"{rule}.json"), rule], "UNKNOWN")


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
            "govern", "scan", "--rules", rules, "--endpoint", self.motos[kind].url, "--regions", f"{REGION},{UNUSED}", "--format", form,
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
