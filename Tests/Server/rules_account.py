"""Two accounts of moto's real server for the shipped rules: in one all is good, in the other all is bad."""

import datetime
import json

import live_account
import rule_cases

REGION, UNUSED = "eu-west-1", "us-west-2"
ACCOUNT = "123456789012"
SECRET = "hunter2-is-secret"


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
        **({"SourceArn": "arn:aws:s3:::kabuto", "SourceAccount": ACCOUNT} if good else {}),
    )
    functions.create_function_url_config(FunctionName="f", AuthType="AWS_IAM" if good else "NONE")
    arns |= {"permission_account": f"{function}#account", "permission_service": f"{function}#service", "url": f"{function}#url"}

    trails = client("cloudtrail")
    arns["trail"] = trails.create_trail(
        Name="trail", S3BucketName="kabuto", EnableLogFileValidation=good, IsMultiRegionTrail=good, IncludeGlobalServiceEvents=good
    )["TrailARN"]
    if not good:
        data = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::kabuto/"]}
        trails.put_event_selectors(
            TrailName="trail",
            EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": [data]}],
        )
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
