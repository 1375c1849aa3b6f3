"""Inputs of any size, made from a seed: a Terraform plan and a snapshot of AWS Config, with what the rules must say of them."""
import json
import random
import re

# The rules that go with them, in the rule language. Each is about one resource at a time, but for the last.
RULES = """
let groups = Resources.*[ Type == 'AWS::EC2::SecurityGroup' ]
let volumes = Resources.*[ Type == 'AWS::EC2::Volume' ]
let buckets = Resources.*[ Type == 'AWS::S3::Bucket' ]
let databases = Resources.*[ Type == 'AWS::RDS::DBInstance' ]
rule GROUP_CLOSED when %groups !empty {
  let open = %groups[ some Properties.SecurityGroupIngress[*].CidrIp == '0.0.0.0/0' ]
  %open empty
}
rule VOLUME_ENCRYPTED when %volumes !empty { %volumes.Properties.Encrypted == true }
rule BUCKET_VERSIONED when %buckets !empty { %buckets.Properties.VersioningConfiguration.Status == 'Enabled' }
rule DATABASE_PRIVATE when %databases !empty { %databases.Properties.PubliclyAccessible == false }
rule FEW_DATABASES when %databases !empty { let count = count(%databases) %count < 1 }
"""


def _tags(dice):
    return {"owner": f"team-{dice.randrange(400)}", "env": dice.choice(["prod", "test"]), "cost-centre": str(dice.randrange(10_000))}


def _planned(number, dice):
    """Changes of one turn: (address, type, after, after_unknown), the rule that the last one breaks or None."""
    bad = dice.random() < 0.2
    kind = dice.choice(["group", "volume", "volume", "bucket", "other", "other", "other"])
    if kind == "group":
        cidr = "0.0.0.0/0" if bad else f"10.{dice.randrange(256)}.0.0/16"
        after = {"name": f"group-{number}", "description": "made", "tags": _tags(dice), "ingress": [
            {"from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": [cidr if port == 443 else "10.0.0.0/8"], "description": "d",
             "ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": [], "self": False} for port in (22, 443, 8080)], "egress": []}
        return [(f"aws_security_group.g{number}", "aws_security_group", after, {"id": True, "arn": True})], bad and "GROUP_CLOSED"
    if kind == "volume":
        after = {"availability_zone": "eu-west-1a", "encrypted": not bad, "size": dice.randrange(1, 1_000), "type": "gp3", "tags": _tags(dice)}
        return [(f"aws_ebs_volume.v{number}", "aws_ebs_volume", after, {"id": True, "arn": True, "kms_key_id": True})], bad and "VOLUME_ENCRYPTED"
    if kind == "bucket":
        name = f"bucket-{number}-{dice.randrange(10**9)}"
        status = "Suspended" if bad else "Enabled"
        return [
            (f"aws_s3_bucket.b{number}", "aws_s3_bucket", {"bucket": name, "tags": _tags(dice)}, {"id": True, "arn": True}),
            (f"aws_s3_bucket_versioning.b{number}", "aws_s3_bucket_versioning", {"bucket": name, "versioning_configuration": [{"status": status}]}, {}),
        ], bad and "BUCKET_VERSIONED"
    after = {"name": f"parameter-{number}", "value": "v" * dice.randrange(200, 900), "type": "String", "tags": _tags(dice)}
    return [(f"aws_sqs_queue.q{number}", "aws_sqs_queue", after, {"id": True, "url": True})], None


def _flat(seed, megabytes):
    """The changes of a plan of about this size, the same each time it is asked; yields (change, rule broken or None)."""
    dice, size, number = random.Random(seed), 0, 0
    while size < megabytes * 1_000_000:
        changes, broken = _planned(number, dice)
        for change in changes:
            # As it stands in planned_values, resource_changes and configuration.
            size += 2 * len(json.dumps(change[2])) + 420
            yield change, broken if change is changes[0] else None
        number += 1


def plan(path, seed, megabytes):
    """Writes a plan as `terraform show -json` does, in one line; what must be found: {rule: count}, and resources."""
    found, count = {}, 0
    with open(path, "w") as out:
        out.write('{"format_version":"1.2","terraform_version":"1.9.0","planned_values":{"root_module":{"resources":[')
        for number, ((address, kind, after, _), _broken) in enumerate(_flat(seed, megabytes)):
            out.write("," * (number > 0) + json.dumps({"address": address, "mode": "managed", "type": kind, "name": address.split(".")[1], "values": after}))
        out.write(']}},"resource_changes":[')
        for number, ((address, kind, after, later), broken) in enumerate(_flat(seed, megabytes)):
            out.write("," * (number > 0) + json.dumps({
                "address": address, "mode": "managed", "type": kind, "name": address.split(".")[1], "provider_name": "hashicorp/aws",
                "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": later, "before_sensitive": False, "after_sensitive": {}}}))
            count += 1
            if broken:
                found[broken] = found.get(broken, 0) + 1
        out.write('],"configuration":{"root_module":{"resources":[')
        for number, ((address, kind, _after, _), _broken) in enumerate(_flat(seed, megabytes)):
            out.write("," * (number > 0) + json.dumps({"address": address, "mode": "managed", "type": kind, "name": address.split(".")[1], "expressions": {}}))
        out.write("]}}}\n")
    return found, count


def _item(number, dice):
    bad = dice.random() < 0.2
    kind = dice.choices(["group", "volume", "bucket", "database", "role"], [3, 5, 2, 0.02, 8])[0]
    head = {"configurationItemVersion": "1.3", "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z", "configurationStateId": number,
            "awsAccountId": "111122223333", "configurationItemStatus": "OK", "awsRegion": "eu-west-1", "tags": _tags(dice), "relationships": []}
    arn = "arn:aws:ec2:eu-west-1:111122223333"
    if kind == "group":
        cidr = "0.0.0.0/0" if bad else "10.0.0.0/8"
        return {**head, "resourceType": "AWS::EC2::SecurityGroup", "resourceId": f"sg-{number}", "arn": f"{arn}:security-group/sg-{number}", "configuration": {
            "description": "made", "groupName": f"group-{number}", "groupId": f"sg-{number}", "ownerId": "111122223333", "vpcId": "vpc-1", "ipPermissionsEgress": [],
            "ipPermissions": [{"fromPort": 443, "toPort": 443, "ipProtocol": "tcp", "ipv6Ranges": [], "prefixListIds": [], "userIdGroupPairs": [],
                               "ipv4Ranges": [{"cidrIp": cidr}], "ipRanges": [cidr]}]}}, bad and "GROUP_CLOSED"
    if kind == "volume":
        return {**head, "resourceType": "AWS::EC2::Volume", "resourceId": f"vol-{number}", "arn": f"{arn}:volume/vol-{number}", "configuration": {
            "volumeId": f"vol-{number}", "size": dice.randrange(1, 1_000), "volumeType": "gp3", "encrypted": not bad, "state": "in-use", "iops": 3000,
            "availabilityZone": "eu-west-1a", "attachments": [{"device": "/dev/xvda", "instanceId": f"i-{number}", "state": "attached", "deleteOnTermination": True}]}}, \
            bad and "VOLUME_ENCRYPTED"
    if kind == "bucket":
        status = "Suspended" if bad else "Enabled"
        return {**head, "resourceType": "AWS::S3::Bucket", "resourceId": f"b-{number}", "arn": f"arn:aws:s3:::b-{number}",
                "configuration": {"name": f"b-{number}", "creationDate": "2026-01-01T00:00:00.000Z", "owner": {"id": "0" * 64}},
                "supplementaryConfiguration": {"BucketVersioningConfiguration": json.dumps({"status": status, "isMfaDeleteEnabled": None})}}, bad and "BUCKET_VERSIONED"
    if kind == "database":
        return {**head, "resourceType": "AWS::RDS::DBInstance", "resourceId": f"db-{number}", "arn": f"arn:aws:rds:eu-west-1:111122223333:db:db-{number}", "configuration": {
            "dBInstanceIdentifier": f"db-{number}", "engine": "postgres", "publiclyAccessible": bad, "storageEncrypted": True}}, bad and "DATABASE_PRIVATE"
    return {**head, "resourceType": "AWS::IAM::Role", "resourceId": f"AROA{number}", "arn": f"arn:aws:iam::111122223333:role/r-{number}", "configuration": {
        "roleName": f"r-{number}", "path": "/", "assumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D",
        "rolePolicyList": [], "attachedManagedPolicies": [], "instanceProfileList": []}}, None


def snapshot(path, seed, items):
    """Writes a snapshot as AWS Config delivers it; what must be found: {rule: count}."""
    dice, found, databases = random.Random(seed), {}, 0
    with open(path, "w") as out:
        out.write('{"fileVersion":"1.0","configSnapshotId":"1","configurationItems":[')
        for number in range(items):
            item, broken = _item(number, dice)
            out.write(",\n" * (number > 0) + json.dumps(item, separators=(",", ":")))
            databases += item["resourceType"] == "AWS::RDS::DBInstance"
            if broken:
                found[broken] = found.get(broken, 0) + 1
        out.write("]}\n")
    if databases:
        found["FEW_DATABASES"] = 1
    return found


def templates(folder, seed, count, resources):
    """Writes templates of some resources each; what must be found: {rule: count}."""
    dice, found = random.Random(seed), 0
    for number in range(count):
        lines = ["Resources:"]
        for each in range(resources):
            bad = dice.random() < 0.2
            found += bad
            lines += [f"  V{each}:", "    Type: AWS::EC2::Volume", "    Properties:", f"      Size: {dice.randrange(1, 99)}", f"      Encrypted: {'false' if bad else 'true'}",
                      "      AvailabilityZone: !Sub '${AWS::Region}a'"]
        with open(f"{folder}/t{number}.yaml", "w") as out:
            out.write("\n".join(lines) + "\n")
    return {"VOLUME_ENCRYPTED": found} if found else {}


def copied(rules, copies):
    """The same rules so many times under other names; as they are where it is once."""
    if copies == 1:
        return rules
    return "\n".join(
        re.sub(r"\b(groups|volumes|buckets|databases|users|open)\b", rf"\1_{copy}", re.sub(r"\brule (\w+)", rf"rule \1_{copy}", rules))
        for copy in range(copies))


def expected(found, copies):
    """What copied rules must find."""
    return found if copies == 1 else {f"{rule}_{copy}": count for rule, count in found.items() for copy in range(copies)}
