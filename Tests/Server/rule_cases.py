"""A good and a bad resource for every shipped rule (Rules/), as a template and as a Terraform plan have them.

`CASES`: rule → (good template, bad template, good plan, bad plan). A template is its Resources; a plan is a list of
(address, after[, unknown[, references]]): `unknown` is `after_unknown`, `references` what an argument refers to. None: the
form has no such thing, and `DIFFERENCES` says why.
"""

import json

ALLOW, DENY = "Allow", "Deny"


def statement(effect, principal, action="s3:GetObject", condition=None):
    out = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}
    return {**out, "Condition": condition} if condition else out


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


EVERYTHING = policy({"Effect": ALLOW, "Action": "*", "Resource": "*"})
LITTLE = policy({"Effect": ALLOW, "Action": "s3:GetObject", "Resource": "*"})
TLS = policy(statement(DENY, "*", "s3:*", {"Bool": {"aws:SecureTransport": "false"}}))
PUBLIC = policy(statement(ALLOW, "*"))
KNOWN = policy(statement(ALLOW, {"AWS": "arn:aws:iam::111122223333:root"}))
UNKNOWN = policy(statement(ALLOW, {"AWS": "arn:aws:iam::999988887777:root"}))
# What rules are given beside the inputs.
COMPANY = {"Company": {"Accounts": ["111122223333"], "WorldPorts": [80, 443]}}
FACTS = {
    "Kabuto": {
        "Estate": {
            "Regions": ["eu-west-1", "us-east-1"], "Zones": ["eu-west-1a", "eu-west-1b", "us-east-1a", "us-east-1b"],
            "PublicPorts": [443], "Ports": [443, 4222], "NetworkServices": ["feed"], "Firewalls": ["gate"],
            "InstanceTypes": ["t3", "m7i.large"],
        }
    }
}
ZONE_FACTS = ["eu-west-1a", "eu-west-1b"]


def of(kind, properties=None, name="R"):
    return {name: {"Type": kind, "Properties": properties or {}}}


def group(**rule):
    return of("AWS::EC2::SecurityGroup", {"GroupDescription": "g", "SecurityGroupIngress": [rule]})


def planned_group(protocol, port, block, **more):
    rule = {"protocol": protocol, "from_port": port, "to_port": port, "cidr_blocks": [block], "description": "d"}
    return [("aws_security_group.r", {"name": "g", "description": "g", "ingress": [rule], "egress": [], **more})]


def tcp(port, block, **more):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": block, **more}


def egress(protocol, *ports):
    ends = {"FromPort": ports[0], "ToPort": ports[0]} if ports else {}
    return of("AWS::EC2::SecurityGroup", {"SecurityGroupEgress": [{"IpProtocol": protocol, "CidrIp": "0.0.0.0/0", **ends}]})


def planned_egress(protocol, port):
    rule = {"protocol": protocol, "from_port": port, "to_port": port, "cidr_blocks": ["0.0.0.0/0"]}
    return [("aws_security_group.r", {"name": "g", "description": "g", "ingress": [], "egress": [rule]})]


def both(kind, terraform, good, bad, planned_good, planned_bad):
    """Cases of one resource that differs in its properties."""
    address = f"{terraform}.r"
    return (of(kind, good), of(kind, bad), [(address, planned_good)], [(address, planned_bad)])


BLOCKED = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
PLANNED_BLOCK = {"block_public_acls": True, "block_public_policy": True, "ignore_public_acls": True, "restrict_public_buckets": True}
ENCRYPTED = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
PLANNED_ENCRYPTION = {"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms"}]}]}
PLANNED_BUCKET = ("aws_s3_bucket.b", {"bucket": "b"})


def bucket(**properties):
    return of("AWS::S3::Bucket", properties, "B")


def planned_bucket(kind, **after):
    return [PLANNED_BUCKET, (f"{kind}.r", {"bucket": "b", **after})]


def bucket_policy(document):
    return (
        {**bucket(), **of("AWS::S3::BucketPolicy", {"Bucket": {"Ref": "B"}, "PolicyDocument": document}, "P")},
        [
            ("aws_s3_bucket.b", {}, {"bucket": True, "id": True}),
            (
                "aws_s3_bucket_policy.p", {"policy": json.dumps(document)}, {"bucket": True},
                {"bucket": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]},
            ),
        ],
    )


def policies(good, bad):
    (a, c), (b, d) = bucket_policy(good), bucket_policy(bad)
    return (a, b, c, d)


def balancer(kind, service, subnets=("s-1", "s-2")):
    return of(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {"Type": kind, "Scheme": "internal", "Subnets": list(subnets), "Tags": [{"Key": "Service", "Value": service}]},
    )


def planned_balancer(kind, service, subnets=("s-1", "s-2")):
    return [
        ("aws_lb.r", {"load_balancer_type": kind, "internal": True, "subnets": list(subnets), "tags": {"Service": service}})
    ]


def facing(covered):
    """A balancer that faces the internet, with a web ACL before it or without."""
    kind = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    out = of(kind, {"Scheme": "internet-facing", "Type": "application"}, "L")
    plan = [("aws_lb.l", {"internal": False, "load_balancer_type": "application"}, {"arn": True})]
    if covered:
        out |= of("AWS::WAFv2::WebACLAssociation", {"ResourceArn": {"Ref": "L"}, "WebACLArn": "a"}, "A")
        plan.append(
            (
                "aws_wafv2_web_acl_association.a", {"web_acl_arn": "a"}, {"resource_arn": True},
                {"resource_arn": ["aws_lb.l.arn", "aws_lb.l"]},
            )
        )
    return out, plan


def in_subnet(public):
    """An instance in a subnet, which has a route to the internet or hasn't."""
    resources = {
        **of("AWS::EC2::InternetGateway", {}, "G"), **of("AWS::EC2::RouteTable", {"VpcId": "v"}, "T"),
        **of("AWS::EC2::Subnet", {"VpcId": "v", "MapPublicIpOnLaunch": False}, "S"),
        **of("AWS::EC2::SubnetRouteTableAssociation", {"SubnetId": {"Ref": "S"}, "RouteTableId": {"Ref": "T"}}, "A"),
        **of("AWS::EC2::Instance", {"SubnetId": {"Ref": "S"}}, "I"),
    }
    plan = [
        ("aws_internet_gateway.g", {}, {"id": True}), ("aws_route_table.t", {"vpc_id": "v"}, {"id": True}),
        ("aws_subnet.s", {"vpc_id": "v", "map_public_ip_on_launch": False}, {"id": True}),
        (
            "aws_route_table_association.a", {}, {"subnet_id": True, "route_table_id": True},
            {"subnet_id": ["aws_subnet.s.id", "aws_subnet.s"], "route_table_id": ["aws_route_table.t.id", "aws_route_table.t"]},
        ),
        (
            "aws_instance.i", {}, {"subnet_id": True, "associate_public_ip_address": True},
            {"subnet_id": ["aws_subnet.s.id", "aws_subnet.s"]},
        ),
    ]
    if public:
        route = {"RouteTableId": {"Ref": "T"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": {"Ref": "G"}}
        resources |= of("AWS::EC2::Route", route, "R")
        plan.append(
            (
                "aws_route.r", {"destination_cidr_block": "0.0.0.0/0"}, {"route_table_id": True, "gateway_id": True},
                {
                    "route_table_id": ["aws_route_table.t.id", "aws_route_table.t"],
                    "gateway_id": ["aws_internet_gateway.g.id", "aws_internet_gateway.g"],
                },
            )
        )
    return resources, plan


def spread(*zones):
    resources, plan = {}, []
    for number, zone in enumerate(zones):
        resources |= of("AWS::EC2::Instance", {"AvailabilityZone": zone}, f"I{number}")
        plan.append((f"aws_instance.i[{number}]", {"availability_zone": zone}))
    return resources, plan


def pair(make, good, bad):
    (a, c), (b, d) = make(*good), make(*bad)
    return (a, b, c, d)


INSTANCE, FUNCTION, PERMISSION = "AWS::EC2::Instance", "AWS::Lambda::Function", "AWS::Lambda::Permission"
TRAIL, RECORDER, USER = "AWS::CloudTrail::Trail", "AWS::Config::ConfigurationRecorder", "AWS::IAM::User"
TARGET, LISTENER = "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::ElasticLoadBalancingV2::Listener"


def service(name):
    return [{"Key": "Service", "Value": name}]


CASES = {
    # Rules/company
    "security_group_world_ports": (
        group(**tcp(443, "0.0.0.0/0")), group(**tcp(8080, "0.0.0.0/0")),
        planned_group("tcp", 443, "0.0.0.0/0"), planned_group("tcp", 8080, "0.0.0.0/0"),
    ),
    "security_group_guarded_ports": (
        group(**tcp(22, "10.0.0.0/8")), group(**tcp(22, "0.0.0.0/0")),
        planned_group("tcp", 22, "10.0.0.0/8"), planned_group("tcp", 22, "0.0.0.0/0"),
    ),
    "security_group_all_protocols": (
        group(**tcp(22, "10.0.0.0/8")), group(IpProtocol="-1", CidrIp="10.0.0.0/8"),
        planned_group("tcp", 22, "10.0.0.0/8"), planned_group("-1", 0, "10.0.0.0/8"),
    ),
    "security_group_egress": (egress("tcp", 443), egress("-1"), planned_egress("tcp", 443), planned_egress("-1", 0)),
    "security_group_descriptions": (
        group(**tcp(22, "10.0.0.0/8"), Description="d"), group(**tcp(22, "10.0.0.0/8")),
        planned_group("tcp", 22, "10.0.0.0/8"), planned_group("tcp", 22, "10.0.0.0/8", description="Managed by Terraform"),
    ),
    "security_group_default_empty": (
        of("AWS::EC2::SecurityGroupIngress", {"GroupId": "sg-1", **tcp(443, "10.0.0.0/8")}),
        of("AWS::EC2::SecurityGroupIngress", {"GroupId": {"Fn::GetAtt": ["V", "DefaultSecurityGroup"]}, **tcp(443, "10.0.0.0/8")}),
        [("aws_default_security_group.r", {"vpc_id": "v", "ingress": [], "egress": []})],
        [("aws_default_security_group.r", {"vpc_id": "v", "ingress": [{"protocol": "-1", "self": True}]})],
    ),
    "bucket_acl": (
        bucket(AccessControl="Private"), bucket(AccessControl="PublicRead"),
        planned_bucket("aws_s3_bucket_acl", acl="private"), planned_bucket("aws_s3_bucket_acl", acl="public-read"),
    ),
    "bucket_public_access_block": (
        bucket(PublicAccessBlockConfiguration=BLOCKED),
        bucket(PublicAccessBlockConfiguration={**BLOCKED, "RestrictPublicBuckets": False}),
        planned_bucket("aws_s3_bucket_public_access_block", **PLANNED_BLOCK),
        planned_bucket("aws_s3_bucket_public_access_block", **{**PLANNED_BLOCK, "restrict_public_buckets": False}),
    ),
    "bucket_policy_anyone": policies(KNOWN, PUBLIC),
    "bucket_policy_other_accounts": policies(KNOWN, UNKNOWN),
    "bucket_tls_only": policies(TLS, KNOWN),
    "bucket_encryption": (
        bucket(BucketEncryption=ENCRYPTED), bucket(),
        planned_bucket("aws_s3_bucket_server_side_encryption_configuration", **PLANNED_ENCRYPTION), [PLANNED_BUCKET],
    ),
    "bucket_versioning": (
        bucket(VersioningConfiguration={"Status": "Enabled"}), bucket(),
        planned_bucket("aws_s3_bucket_versioning", versioning_configuration=[{"status": "Enabled"}]), [PLANNED_BUCKET],
    ),
    "lambda_permission_anyone": both(
        PERMISSION, "aws_lambda_permission", {"Principal": "111122223333"}, {"Principal": "*"},
        {"principal": "111122223333"}, {"principal": "*"},
    ),
    "lambda_permission_source": both(
        PERMISSION, "aws_lambda_permission", {"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b", "SourceAccount": "111122223333"},
        {"Principal": "s3.amazonaws.com"},
        {"principal": "s3.amazonaws.com", "source_arn": "arn:aws:s3:::b", "source_account": "111122223333"},
        {"principal": "s3.amazonaws.com"},
    ),
    "lambda_url_auth": both(
        "AWS::Lambda::Url", "aws_lambda_function_url", {"AuthType": "AWS_IAM"}, {"AuthType": "NONE"},
        {"authorization_type": "AWS_IAM"}, {"authorization_type": "NONE"},
    ),
    "lambda_secrets": both(
        FUNCTION, "aws_lambda_function", {"Environment": {"Variables": {"STAGE": "prod"}}},
        {"Environment": {"Variables": {"DB_PASSWORD": "hunter2-is-secret"}}},
        {"environment": [{"variables": {"STAGE": "prod"}}]},
        {"environment": [{"variables": {"DB_PASSWORD": "hunter2-is-secret"}}]},
    ),
    "lambda_runtime": both(
        FUNCTION, "aws_lambda_function", {"Runtime": "python3.12"}, {"Runtime": "python2.7"},
        {"runtime": "python3.12"}, {"runtime": "python2.7"},
    ),
    # Rules/baseline
    "trail_logging": both(
        TRAIL, "aws_cloudtrail", {"IsLogging": True}, {"IsLogging": False}, {"enable_logging": True}, {"enable_logging": False}
    ),
    "trail_validated": both(
        TRAIL, "aws_cloudtrail", {"EnableLogFileValidation": True}, {"EnableLogFileValidation": False},
        {"enable_log_file_validation": True}, {"enable_log_file_validation": False},
    ),
    "trail_all_regions": both(
        TRAIL, "aws_cloudtrail", {"IsMultiRegionTrail": True}, {"IsMultiRegionTrail": False},
        {"is_multi_region_trail": True}, {"is_multi_region_trail": False},
    ),
    "trail_in_region": None,
    "trail_management_events": both(
        TRAIL, "aws_cloudtrail", {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]},
        {"event_selector": [{"include_management_events": True, "read_write_type": "All"}]},
        {"advanced_event_selector": [{"field_selector": [{"field": "eventCategory", "equals": ["Data"]}]}]},
    ),
    "recorder_records": both(
        RECORDER, "aws_config_configuration_recorder", {"RecordingGroup": {"AllSupported": True}},
        {"RecordingGroup": {"AllSupported": False}}, {"recording_group": [{"all_supported": True}]},
        {"recording_group": [{"all_supported": False}]},
    ),
    "recorder_in_region": None,
    "detector_enabled": both(
        "AWS::GuardDuty::Detector", "aws_guardduty_detector", {"Enable": True}, {"Enable": False}, {"enable": True}, {"enable": False}
    ),
    "detector_in_region": None,
    "region_empty": None,
    "root_without_keys": None,
    "root_with_mfa": None,
    "password_policy_there": None,
    "password_policy_strong": (
        None, None,
        [("aws_iam_account_password_policy.r", {"minimum_password_length": 14, "password_reuse_prevention": 24})],
        [("aws_iam_account_password_policy.r", {"minimum_password_length": 8, "password_reuse_prevention": 24})],
    ),
    "user_mfa": (
        of(USER), of(USER, {"LoginProfile": {"Password": "x"}}), [("aws_iam_user.r", {"name": "u"})], None,
    ),
    "user_key_age": None,
    "user_direct_policies": (
        of(USER), of(USER, {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}),
        [("aws_iam_user.r", {"name": "u"})],
        [("aws_iam_user.r", {"name": "u"}), ("aws_iam_user_policy_attachment.a", {"user": "u", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})],
    ),
    "policy_everything": both(
        "AWS::IAM::ManagedPolicy", "aws_iam_policy", {"PolicyDocument": LITTLE}, {"PolicyDocument": EVERYTHING},
        {"policy": json.dumps(LITTLE)}, {"policy": json.dumps(EVERYTHING)},
    ),
    "policy_administrator": (
        of("AWS::IAM::Role", {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}),
        of("AWS::IAM::Role", {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}),
        [("aws_iam_role_policy_attachment.r", {"role": "r", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})],
        [("aws_iam_role_policy_attachment.r", {"role": "r", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"})],
    ),
    "volume_encryption": both(
        "AWS::EC2::Volume", "aws_ebs_volume", {"Encrypted": True}, {}, {"encrypted": True}, {"encrypted": None}
    ),
    "database_encryption": both(
        "AWS::RDS::DBInstance", "aws_db_instance", {"StorageEncrypted": True}, {}, {"storage_encrypted": True}, {"storage_encrypted": None}
    ),
    "storage_encryption": (
        bucket(BucketEncryption=ENCRYPTED), bucket(),
        planned_bucket("aws_s3_bucket_server_side_encryption_configuration", **PLANNED_ENCRYPTION), [PLANNED_BUCKET],
    ),
    "key_rotation": both(
        "AWS::KMS::Key", "aws_kms_key", {"EnableKeyRotation": True}, {}, {"enable_key_rotation": True}, {"enable_key_rotation": False}
    ),
    "database_public": both(
        "AWS::RDS::DBInstance", "aws_db_instance", {"PubliclyAccessible": False}, {"PubliclyAccessible": True},
        {"publicly_accessible": False}, {"publicly_accessible": True},
    ),
    "balancer_web_acl": pair(facing, (True,), (False,)),
    "certificate_end": both(
        "AWS::CertificateManager::Certificate", "aws_acm_certificate", {"ValidationMethod": "DNS"}, {"ValidationMethod": "EMAIL"},
        {"validation_method": "DNS"}, {"validation_method": "EMAIL"},
    ),
    # Rules/estate
    "internet_instances": (
        of(INSTANCE, {"NetworkInterfaces": [{"AssociatePublicIpAddress": False}]}),
        of(INSTANCE, {"NetworkInterfaces": [{"AssociatePublicIpAddress": True}]}),
        [("aws_instance.r", {"associate_public_ip_address": False})], [("aws_instance.r", {"associate_public_ip_address": True})],
    ),
    "internet_addresses": (
        of("AWS::EC2::EIP", {"Domain": "vpc"}), of("AWS::EC2::EIP", {"InstanceId": {"Ref": "I"}}) | of(INSTANCE, {}, "I"),
        [("aws_eip.r", {"domain": "vpc"}, {"instance": True, "network_interface": True}, {})],
        [("aws_eip.r", {}, {"instance": True}, {"instance": ["aws_instance.i.id", "aws_instance.i"]})],
    ),
    "internet_subnets": pair(in_subnet, (False,), (True,)),
    "estate_public_ports": (
        group(**tcp(443, "0.0.0.0/0")), group(**tcp(80, "0.0.0.0/0")),
        planned_group("tcp", 443, "0.0.0.0/0"), planned_group("tcp", 80, "0.0.0.0/0"),
    ),
    "estate_ports": (
        group(**tcp(4222, "10.0.0.0/8")), group(**tcp(9999, "10.0.0.0/8")),
        planned_group("tcp", 4222, "10.0.0.0/8"), planned_group("tcp", 9999, "10.0.0.0/8"),
    ),
    "estate_listener_ports": both(
        LISTENER, "aws_lb_listener", {"Port": 443, "DefaultActions": [{"Type": "forward"}]},
        {"Port": 8080, "DefaultActions": [{"Type": "forward"}]},
        {"port": 443, "default_action": [{"type": "forward"}]}, {"port": 8080, "default_action": [{"type": "forward"}]},
    ),
    "zones_of_groups": both(
        "AWS::AutoScaling::AutoScalingGroup", "aws_autoscaling_group", {"VPCZoneIdentifier": ["s-1", "s-2"]},
        {"VPCZoneIdentifier": ["s-1"]}, {"vpc_zone_identifier": ["s-1", "s-2"]}, {"vpc_zone_identifier": ["s-1"]},
    ),
    "zones_of_balancers": (
        balancer("application", "x"), balancer("application", "x", ["s-1"]),
        planned_balancer("application", "x"), planned_balancer("application", "x", ["s-1"]),
    ),
    "zones_balanced": pair(spread, ("eu-west-1a", "eu-west-1b", "eu-west-1b"), ("eu-west-1a", "eu-west-1a")),
    "instance_types": both(
        INSTANCE, "aws_instance", {"InstanceType": "t3.micro"}, {"InstanceType": "m4.large"},
        {"instance_type": "t3.micro"}, {"instance_type": "m4.large"},
    ),
    "service_network_balancer": (
        balancer("network", "feed"), balancer("application", "feed"),
        planned_balancer("network", "feed"), planned_balancer("application", "feed"),
    ),
    "firewall_targets_by_address": both(
        TARGET, "aws_lb_target_group", {"TargetType": "ip", "Tags": service("gate")},
        {"TargetType": "instance", "Tags": service("gate")},
        {"target_type": "ip", "tags": {"Service": "gate"}}, {"target_type": "instance", "tags": {"Service": "gate"}},
    ),
}

# Where a form can't be judged as the others are: (rule, form) → why.
DIFFERENCES = {
    **{
        (rule, form): "only live documents say which region they are of"
        for rule in ("trail_in_region", "recorder_in_region", "detector_in_region", "region_empty", "password_policy_there")
        for form in ("template", "plan")
    },
    **{
        (rule, form): "only live accounts tell of root" for rule in ("root_without_keys", "root_with_mfa")
        for form in ("template", "plan")
    },
    **{("user_key_age", form): "only live accounts tell how old a key is" for form in ("template", "plan")},
    ("password_policy_strong", "template"): "CloudFormation has no such type",
    ("user_mfa", "plan bad"): "no plan tells whose device it is: UNKNOWN",
    ("internet_addresses", "live good"): "moto doesn't tell the addresses of NAT gateways; one that belongs to nothing is good",
    ("security_group_default_empty", "template good"): "a template can't describe the default group; another group's rule is good",
}


def template(resources, more=None):
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **(more or {})}


def plan(changes):
    """A plan with its configuration."""
    planned, configured, seen = [], [], set()
    for address, after, *rest in changes:
        unknown = rest[0] if rest else {}
        references = rest[1] if len(rest) > 1 else {}
        plain = address.split("[")[0]
        kind, name = plain.split(".")
        planned.append(
            {
                "address": address, "mode": "managed", "type": kind, "name": name,
                "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": unknown},
            }
        )
        if plain not in seen:
            expressions = {key: {"constant_value": value} for key, value in after.items()}
            expressions |= {key: {"references": value} for key, value in references.items()}
            configured.append({"address": plain, "mode": "managed", "type": kind, "name": name, "expressions": expressions})
            seen.add(plain)
    return {
        "format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": planned,
        "configuration": {"root_module": {"resources": configured}},
    }
