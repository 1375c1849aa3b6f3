"""An account to look at: moto's real server with good and bad resources of each service, and a gate before it that denies,
throttles or drops calls by service, action and region, and keeps what it was sent."""

import http.client
import http.server
import json
import io
import os
import re
import subprocess
import sys
import threading
import urllib.parse
import zipfile

import kabuto

try:
    import boto3
    import moto.server  # noqa: F401

    MISSING = None
except ImportError as error:
    MISSING = f"moto's server is not there ({error}); see Tests/Server/requirements.txt"

KEY = "AKIAKABUTOTESTKEY001"
SECRET = "s3cr3tOfTheTests/ThatNobodyMaySee+0123456789"
TOKEN = "t0kenOfTheTestsThatNobodyMaySee0123456789"
REGIONS = ["us-east-1", "eu-west-1"]


class Moto:
    """moto's server as a process of its own."""

    def __init__(self):
        self.port = kabuto.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # The environment's real keys are none of its business.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from moto.server import main; main(['-p', '{self.port}'])"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
        )
        kabuto.until(self.answers, "moto's server")

    def answers(self):
        try:
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            link.request("GET", "/moto-api/data.json")
            return link.getresponse().status == 200
        except OSError:
            return False

    def client(self, service, region):
        return boto3.client(
            service, region_name=region, endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )

    def end(self):
        self.process.terminate()
        self.process.wait(30)


class Gate:
    """Between kabuto and moto. `rule(service, region, action)` → None (goes through), a status with a code (that is
    answered), bytes (answered with 200), "drop" (the connection is closed), or "drop-after" (it is carried out, and the
    connection is closed instead of an answer). `seen` and `sent` keep what was asked."""

    def __init__(self, target_port):
        self.rule = lambda service, region, action: None
        self.seen = []
        self.busy = 0
        self.lock = threading.Lock()
        self.sent = []
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                with gate.lock:
                    gate.busy += 1
                try:
                    self.go_on()
                finally:
                    with gate.lock:
                        gate.busy -= 1

            def go_on(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:
                    # Who asked is gone in the middle of asking: nobody carries that out.
                    self.close_connection = True
                    return
                scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", self.headers.get("Authorization", ""))
                region, service = scope.groups() if scope else ("", "")
                form = urllib.parse.parse_qs(body.decode("utf-8", "replace"))
                action = (
                    self.headers.get("X-Amz-Target", "").split(".")[-1]
                    or form.get("Action", [""])[0]
                    or f"{self.command} {self.path}"
                )
                gate.seen.append((service, region, action))
                gate.sent.append((service, region, action, body.decode("utf-8", "replace")))
                verdict = gate.rule(service, region, action)
                if verdict == "drop":
                    self.close_connection = True
                    self.connection.close()
                    return
                if isinstance(verdict, bytes):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(verdict)))
                    self.end_headers()
                    self.wfile.write(verdict)
                    return
                if verdict and verdict != "drop-after":
                    status, code = verdict
                    content = json.dumps({"__type": code, "message": f"{code} for {KEY}"}).encode()
                    if "X-Amz-Target" not in self.headers and service not in ("lambda", "guardduty"):
                        content = f"<ErrorResponse><Error><Code>{code}</Code><Message>no {SECRET}</Message></Error></ErrorResponse>".encode()
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                    return
                link = http.client.HTTPConnection("127.0.0.1", target_port, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                link.request(self.command, self.path, body, headers)
                found = link.getresponse()
                content = found.read()
                if verdict == "drop-after":
                    link.close()
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(found.status)
                for name, value in found.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "server", "date"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                link.close()

            do_GET = do_POST = do_PUT = answer

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("main.py", "def handler(event, context): return 1\n")
    return out.getvalue()


def fill(moto):
    """Makes resources; returns their ARNs by name."""
    region = "eu-west-1"
    account = moto.client("sts", region).get_caller_identity()["Account"]
    arns = {"account": account}

    ec2 = moto.client("ec2", region)

    def named(kind, identifier):
        return f"arn:aws:ec2:{region}:{account}:{kind}/{identifier}"

    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    arns["vpc"] = named("vpc", vpc)
    for name, traffic in [("good", "ALL"), ("bad", "ACCEPT")]:
        moto.client("s3", "us-east-1").create_bucket(Bucket=f"kabuto-flows-{name}")
        flow = ec2.create_flow_logs(
            ResourceIds=[vpc], ResourceType="VPC", TrafficType=traffic, LogDestinationType="s3",
            LogDestination=f"arn:aws:s3:::kabuto-flows-{name}",
        )["FlowLogIds"][0]
        arns[f"flow_{name}"] = named("vpc-flow-log", flow)
    subnets = []
    for name, block, zone in [("good", "10.9.1.0/24", "a"), ("bad", "10.9.2.0/24", "b")]:
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=region + zone)["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": name == "bad"})
        arns[f"subnet_{name}"] = named("subnet", subnet)
        subnets.append(subnet)
    groups = {}
    for name, block in [("good", "10.0.0.0/8"), ("bad", "0.0.0.0/0")]:
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": block}]}],
        )
        groups[name] = group
        arns[f"group_{name}"] = named("security-group", group)
        volume = ec2.create_volume(AvailabilityZone=region + "a", Size=8, Encrypted=name == "good")["VolumeId"]
        arns[f"volume_{name}"] = named("volume", volume)
        instance = ec2.run_instances(
            ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t3.micro" if name == "good" else "t1.micro",
            SubnetId=subnets[0], SecurityGroupIds=[group],
        )["Instances"][0]["InstanceId"]
        arns[f"instance_{name}"] = named("instance", instance)

    s3 = moto.client("s3", region)
    place = {"LocationConstraint": region}
    for name in ["good", "bad"]:
        bucket = f"kabuto-{name}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        arns[f"bucket_{name}"] = f"arn:aws:s3:::{bucket}"
        public = name == "bad"
        s3.put_bucket_policy(
            Bucket=bucket,
            Policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow", "Principal": "*" if public else {"AWS": f"arn:aws:iam::{account}:root"},
                            "Action": "s3:*" if public else "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*",
                        }
                    ],
                }
            ),
        )
    s3.put_bucket_encryption(
        Bucket="kabuto-good",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]
        },
    )
    s3.put_bucket_versioning(Bucket="kabuto-good", VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(
        Bucket="kabuto-good",
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
        },
    )
    s3.create_bucket(Bucket="kabuto-logs", CreateBucketConfiguration=place, ACL="log-delivery-write")
    s3.put_bucket_logging(
        Bucket="kabuto-good",
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "kabuto-logs", "TargetPrefix": "good/"}},
    )
    s3.put_bucket_acl(Bucket="kabuto-bad", ACL="public-read")

    iam = moto.client("iam", region)
    everything = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    little = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    )
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    )
    for name, document in [("good", little), ("bad", everything)]:
        arns[f"user_{name}"] = iam.create_user(UserName=name)["User"]["Arn"]
        arns[f"role_{name}"] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
        arns[f"policy_{name}"] = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        arns[f"key_{name}"] = f"{arns[f'user_{name}']}#{key}"
        if name == "good":
            iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    iam.put_user_policy(UserName="bad", PolicyName="inline", PolicyDocument=everything)
    iam.create_group(GroupName="people")
    iam.update_account_password_policy(MinimumPasswordLength=8, RequireSymbols=False)
    arns["root"] = f"arn:aws:iam::{account}:root"
    arns["password"] = f"arn:aws:iam::{account}:account-password-policy"

    lambdas = moto.client("lambda", region)
    for name in ["good", "bad"]:
        function = lambdas.create_function(
            FunctionName=name, Runtime="python3.12" if name == "good" else "python2.7", Role=arns["role_good"],
            Handler="main.handler", Code={"ZipFile": archive()}, Timeout=9, Tags={"owner": name},
        )["FunctionArn"]
        arns[f"function_{name}"] = function
        if name == "good":
            lambdas.add_permission(
                FunctionName=name, StatementId="one", Action="lambda:InvokeFunction",
                Principal="s3.amazonaws.com", SourceAccount=account, SourceArn="arn:aws:s3:::kabuto-good",
            )
        else:
            lambdas.add_permission(FunctionName=name, StatementId="one", Action="lambda:*", Principal="*")
        arns[f"permission_{name}"] = f"{function}#one"
        lambdas.create_function_url_config(FunctionName=name, AuthType="AWS_IAM" if name == "good" else "NONE")
        arns[f"url_{name}"] = f"{function}#url"

    trails = moto.client("cloudtrail", region)
    for name in ["good", "bad"]:
        arns[f"trail_{name}"] = trails.create_trail(
            Name=name, S3BucketName="kabuto-logs", EnableLogFileValidation=name == "good",
            IsMultiRegionTrail=name == "good",
        )["TrailARN"]
    trails.start_logging(Name="good")

    kms = moto.client("kms", region)
    for name in ["good", "bad"]:
        made = kms.create_key(Description=name)["KeyMetadata"]
        arns[f"kms_{name}"] = made["Arn"]
        if name == "good":
            kms.enable_key_rotation(KeyId=made["KeyId"])

    rds = moto.client("rds", region)
    for name in ["good", "bad"]:
        is_good = name == "good"
        arns[f"db_{name}"] = rds.create_db_instance(
            DBInstanceIdentifier=f"db-{name}", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
            MasterUsername="admin1", MasterUserPassword="nobody-sees-this-1", StorageEncrypted=is_good,
            PubliclyAccessible=not is_good, BackupRetentionPeriod=7 if is_good else 0,
        )["DBInstance"]["DBInstanceArn"]
        arns[f"cluster_{name}"] = rds.create_db_cluster(
            DBClusterIdentifier=f"cluster-{name}", Engine="aurora-postgresql", MasterUsername="admin1",
            MasterUserPassword="nobody-sees-this-1", StorageEncrypted=is_good, DeletionProtection=is_good,
        )["DBCluster"]["DBClusterArn"]

    config = moto.client("config", region)
    config.put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default", "roleARN": arns["role_good"],
            "recordingGroup": {"allSupported": False, "resourceTypes": ["AWS::EC2::Instance"]},
        }
    )
    arns["recorder"] = f"arn:aws:config:{region}:{account}:configuration-recorder/default"

    for each, name in [("eu-west-1", "good"), ("us-east-1", "bad")]:
        detector = moto.client("guardduty", each).create_detector(Enable=name == "good")["DetectorId"]
        arns[f"detector_{name}"] = f"arn:aws:guardduty:{each}:{account}:detector/{detector}"

    acm = moto.client("acm", region)
    arns["certificate"] = acm.request_certificate(DomainName="example.com")["CertificateArn"]

    balancers = moto.client("elbv2", region)
    for name in ["good", "bad"]:
        balancer = balancers.create_load_balancer(
            Name=name, Subnets=subnets, SecurityGroups=[groups[name]],
            Scheme="internal" if name == "good" else "internet-facing",
        )["LoadBalancers"][0]["LoadBalancerArn"]
        arns[f"balancer_{name}"] = balancer
        target = balancers.create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip" if name == "good" else "instance"
        )["TargetGroups"][0]
        arns[f"target_{name}"] = target["TargetGroupArn"]
        more = (
            {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": arns["certificate"]}],
             "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"}
            if name == "good" else {"Protocol": "HTTP", "Port": 80}
        )
        arns[f"listener_{name}"] = balancers.create_listener(
            LoadBalancerArn=balancer,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target["TargetGroupArn"]}], **more,
        )["Listeners"][0]["ListenerArn"]
        if name == "good":
            balancers.modify_load_balancer_attributes(
                LoadBalancerArn=balancer, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
            )

    zones = moto.client("route53", region)
    zone = zones.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    arns["zone"] = "arn:aws:route53:::" + zone.lstrip("/")

    waf = moto.client("wafv2", region)
    for name, action in [("good", {"Block": {}}), ("bad", {"Allow": {}})]:
        arns[f"acl_{name}"] = waf.create_web_acl(
            Name=name, Scope="REGIONAL", DefaultAction=action,
            VisibilityConfig={
                "SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": name == "good", "MetricName": name,
            },
        )["Summary"]["ARN"]
    return arns
