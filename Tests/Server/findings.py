"""A history of findings made by real checks and scans: rules with notes in both languages, templates that get better and
worse from day to day, and an account of moto's in which a call is denied.

Every run is now; `age` moves what is in the history into the past, so that there is a course to look at."""

import datetime
import json
import os
import shutil
import sqlite3
import tempfile

import kabuto

RULES = """
let buckets = Resources.*[ Type == 'AWS::S3::Bucket' ]
let groups = Resources.*[ Type == 'AWS::EC2::SecurityGroup' ]
let volumes = Resources.*[ Type == 'AWS::EC2::Volume' ]
let functions = Resources.*[ Type == 'AWS::Lambda::Function' ]
let keys = Resources.*[ Type == 'AWS::KMS::Key' ]

# @severity critical
# @title Nobody may reach port 22 from everywhere
# @title.ja ポート22を全開放しない
# @mend Allow port 22 from your own networks only, or use Session Manager instead of SSH.
# @mend.ja 接続元を自社ネットワークに限定するか、SSHの代わりにSession Managerを使用してください。
# @control CIS 5.2
rule ssh_closed when %groups !empty {
  %groups.Properties.SecurityGroupIngress[ FromPort == 22 ] { CidrIp != '0.0.0.0/0' <<Port 22 is open to the world>> }
}

# @severity high
# @title Buckets block public access
# @title.ja バケットのパブリックアクセスを遮断する
# @mend Set all four settings of PublicAccessBlockConfiguration to true.
# @mend.ja PublicAccessBlockConfiguration の4項目をすべて true にしてください。
# @control CIS 2.1.4
rule bucket_closed when %buckets !empty {
  %buckets.Properties.PublicAccessBlockConfiguration.BlockPublicPolicy == true
}

# @severity medium
# @title Volumes are encrypted
# @title.ja ボリュームを暗号化する
# @mend Set Encrypted to true; a volume that exists is copied through an encrypted snapshot.
# @mend.ja Encrypted を true にしてください。既存のボリュームは暗号化スナップショット経由で作り直します。
# @control CIS 2.2.1
rule volume_encrypted when %volumes !empty { %volumes.Properties.Encrypted == true }

# @severity low
# @title Functions run on a supported runtime
# @title.ja 関数のランタイムをサポート対象に保つ
# @mend Move the function to a current runtime.
# @mend.ja 最新のランタイムへ移行してください。
rule function_runtime when %functions !empty { %functions.Properties.Runtime != /^python2/ }

# @severity info
# @title Keys are rotated
# @title.ja 鍵を定期的に更新する
rule key_rotation when %keys !empty { %keys.Properties.EnableKeyRotation == true }
"""


class History:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="kabuto-findings-")
        self.data = os.path.join(self.folder, "data")
        self.rules = os.path.join(self.folder, "rules", "company.guard")
        self.templates = os.path.join(self.folder, "templates")
        os.makedirs(os.path.dirname(self.rules))
        os.makedirs(self.templates)
        with open(self.rules, "w", encoding="utf-8") as out:
            out.write(RULES)

    @property
    def database(self):
        return os.path.join(self.data, "governance.sqlite")

    def write(self, name, open_groups=0, open_buckets=0, plain_volumes=0, old_functions=0, unknown_buckets=0, plain_keys=0, good=2):
        """A template with so many bad resources of each kind, and some good ones."""
        resources = {}

        def add(kind, count, of, properties):
            for number in range(count):
                resources[f"{kind}{number + 1}"] = {"Type": of, "Properties": properties}

        block = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
        ingress = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
        add("OpenGroup", open_groups, "AWS::EC2::SecurityGroup", {"SecurityGroupIngress": [{**ingress, "CidrIp": "0.0.0.0/0"}]})
        add("Group", good, "AWS::EC2::SecurityGroup", {"SecurityGroupIngress": [{**ingress, "CidrIp": "10.0.0.0/8"}]})
        add("OpenBucket", open_buckets, "AWS::S3::Bucket", {"PublicAccessBlockConfiguration": {**block, "BlockPublicPolicy": False}})
        add("Bucket", good, "AWS::S3::Bucket", {"PublicAccessBlockConfiguration": block})
        add("LaterBucket", unknown_buckets, "AWS::S3::Bucket", {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": {"Ref": "Strict"}}})
        add("PlainVolume", plain_volumes, "AWS::EC2::Volume", {"Size": 8, "Encrypted": False})
        add("OldFunction", old_functions, "AWS::Lambda::Function", {"Runtime": "python2.7", "Handler": "main.handler"})
        add("PlainKey", plain_keys, "AWS::KMS::Key", {"EnableKeyRotation": False})
        document = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        if unknown_buckets:
            document["Parameters"] = {"Strict": {"Type": "String"}}
        with open(os.path.join(self.templates, name), "w", encoding="utf-8") as out:
            json.dump(document, out, indent=2)

    def check(self, *options, form="json", data=True):
        keep = ["--data", self.data] if data else []
        return kabuto.run(
            "govern", "check", "--rules", self.rules, "--input", self.templates, "--format", form, *keep, *options
        )

    def told(self, *arguments):
        """What `kabuto govern history … --json` says."""
        found = kabuto.run("govern", "history", *arguments, "--data", self.data, "--json")
        if found.returncode > 1:
            raise AssertionError(found.stderr)
        return json.loads(found.stdout)

    def sql(self, *statements):
        with sqlite3.connect(self.database) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    def age(self, days):
        """Moves all that is there so many days into the past."""
        seconds = int(days * 86_400)
        self.sql(
            f"UPDATE run SET at = at - {seconds}", f"UPDATE event SET at = at - {seconds}",
            f"UPDATE finding SET first_seen = first_seen - {seconds}, last_seen = last_seen - {seconds}, "
            f"since = since - {seconds}, fixed_at = fixed_at - {seconds}, unseen = unseen - {seconds}",
            "UPDATE version SET number = number + 1",
        )

    def end(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def lived_in():
    """A history with a course: five weeks of checks in which things are mended, come back and can't be told."""
    history = History()
    for step in [
        {"open_groups": 1, "open_buckets": 6, "plain_volumes": 9, "old_functions": 4},
        {"open_groups": 2, "open_buckets": 5, "plain_volumes": 9, "old_functions": 4},
        {"open_groups": 0, "open_buckets": 5, "plain_volumes": 7, "old_functions": 4},
        {"open_groups": 0, "open_buckets": 3, "plain_volumes": 8, "old_functions": 3, "unknown_buckets": 2},
        {"open_groups": 1, "open_buckets": 3, "plain_volumes": 4, "old_functions": 3},
        {"open_groups": 1, "open_buckets": 2, "plain_volumes": 4, "old_functions": 2},
    ]:
        unknown = step.pop("unknown_buckets", 0)
        history.write("web.json", **step)
        history.write("batch.json", plain_volumes=2, unknown_buckets=unknown + 1)
        found = history.check()
        if found.returncode != 1:
            raise AssertionError(found.stderr)
        history.age(7)
    history.check()
    return history


def excepted(history):
    """Adds a check in which an exception, asked for and approved, covers a bucket of which nothing can be told; another stays."""
    path = os.path.join(history.folder, "exceptions.yaml")
    ends = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=9)).date().isoformat()
    for arguments in (
        ("request", path, "--id", "EX-2026-014", "--rule", "bucket_closed", "--resource", "LaterBucket1", "--unknown", "--owner",
         "platform@example.com", "--by", "tanaka", "--reason", "Public downloads of price lists", "--expires", ends),
        ("approve", path, "EX-2026-014", "--by", "suzuki"),
    ):
        found = kabuto.run("govern", "exception", *arguments)
        if found.returncode != 0:
            raise AssertionError(found.stderr)
    history.write("batch.json", plain_volumes=2, unknown_buckets=2)
    found = history.check("--exceptions", path)
    if found.returncode != 1:
        raise AssertionError(found.stderr)


def scan(history, gate, *options):
    """A scan of moto's accounts into the history."""
    import live_account

    empty = {name: "" for name in os.environ if name.startswith("AWS_")}
    keys = {
        "AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET, "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true",
    }
    return kabuto.run(
        "govern", "scan", "--own-only", "--rules", history.rules, "--endpoint", gate.url, "--attempts", "1", "--data", history.data, *options,
        environment={**empty, **keys})


def scanned(history):
    """Adds scans of two accounts: some volumes are plain, and one of the calls is denied."""
    import live_account

    moto = live_account.Moto()
    gate = live_account.Gate(moto.port)
    try:
        for region, count in (("ap-northeast-1", 3), ("ap-northeast-3", 1)):
            for _ in range(count):
                moto.client("ec2", region).create_volume(AvailabilityZone=region + "a", Size=8, Encrypted=False)
        gate.rule = lambda service, region, action: (
            (403, "AccessDenied") if (region, action) == ("ap-northeast-3", "DescribeSecurityGroups") else None
        )
        account = moto.client("sts", "ap-northeast-1").get_caller_identity()["Account"]
        found = scan(history, gate, "--regions", "ap-northeast-1,ap-northeast-3", "--account", account, "--account", "111122223333")
        if found.returncode != 1:
            raise AssertionError(found.stderr)
        with open(history.database, "rb") as kept:
            if live_account.SECRET.encode() in kept.read() + (found.stdout + found.stderr).encode():
                raise AssertionError("the secret key is shown")
    finally:
        gate.end()
        moto.end()
