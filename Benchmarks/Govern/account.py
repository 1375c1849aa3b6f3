"""An account of many resources on moto's server: filled within the server's process, past its HTTP, so that ten thousand take
seconds. Every request is counted by what it asks; `GET /bench/calls` tells and forgets the counts, and tells the CPU time;
`GET /bench/groups` names the groups; `GET /bench/flip?groups=A,B` opens those that are closed to the world, closes those
that are open, and tells which are open then.

    python account.py PORT RESOURCES SEED
"""
import json
import random
import re
import sys
import threading
import time

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

REGION = "eu-west-1"


def fill(count, seed):
    """6 in 10 volumes, 3 groups, 0.5 buckets, 0.5 users; a fifth of them bad. What must be found: {rule: count}."""
    dice = random.Random(seed)
    ec2 = ec2_backends[DEFAULT_ACCOUNT_ID][REGION]
    s3 = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    vpc = ec2.create_vpc("10.0.0.0/16")
    found = {"VOLUME_ENCRYPTED": 0, "GROUP_CLOSED": 0, "BUCKET_VERSIONED": 0, "USER_WITHOUT_POLICIES": 0}
    for number in range(count):
        bad = dice.random() < 0.2
        kind = number % 20
        if kind < 12:
            ec2.create_volume(size=8, zone_name=REGION + "a", encrypted=not bad)
            found["VOLUME_ENCRYPTED"] += bad
        elif kind < 18:
            group = ec2.create_security_group(f"group-{number}", "made", vpc_id=vpc.id)
            ec2.authorize_security_group_ingress(
                group.id, "tcp", "443", "443", [{"CidrIp": "0.0.0.0/0" if bad else "10.0.0.0/8"}])
            found["GROUP_CLOSED"] += bad
        elif kind == 18:
            s3.create_bucket(f"bench-{number}", REGION)
            if not bad:
                s3.put_bucket_versioning(f"bench-{number}", "Enabled")
            found["BUCKET_VERSIONED"] += bad
        else:
            iam.create_user(REGION, f"user-{number}", "/", None)
            if bad:
                iam.put_user_policy(f"user-{number}", "own", json.dumps(
                    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}))
            found["USER_WITHOUT_POLICIES"] += bad
    return found


def flip(names):
    """{group: whether it is open to the world now}"""
    ec2 = ec2_backends[DEFAULT_ACCOUNT_ID][REGION]
    opened = {}
    for name in names:
        group = ec2.get_security_group_from_id(name)
        was = any((rule.ip_range or {}).get("CidrIp") == "0.0.0.0/0" for rule in group.ingress_rules)
        old, new = ("0.0.0.0/0", "10.0.0.0/8") if was else ("10.0.0.0/8", "0.0.0.0/0")
        ec2.revoke_security_group_ingress(name, "tcp", "443", "443", [{"CidrIp": old}])
        ec2.authorize_security_group_ingress(name, "tcp", "443", "443", [{"CidrIp": new}])
        opened[name] = not was
    return opened


class Counter:
    def __init__(self, application, expected):
        self.application, self.expected = application, expected
        self.calls, self.lock = {}, threading.Lock()

    def __call__(self, environ, start):
        if environ["PATH_INFO"].startswith("/bench/"):
            if environ["PATH_INFO"] == "/bench/groups":
                groups = ec2_backends[DEFAULT_ACCOUNT_ID][REGION].groups.values()
                body = json.dumps(sorted(identifier for one in groups for identifier, group in one.items() if group.description == "made")).encode()
                start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
                return [body]
            if environ["PATH_INFO"] == "/bench/flip":
                with self.lock:
                    body = json.dumps(flip(environ["QUERY_STRING"].removeprefix("groups=").split(","))).encode()
                start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
                return [body]
            with self.lock:
                body = json.dumps({"calls": self.calls, "cpu_seconds": time.process_time(), "expected": self.expected}).encode()
                self.calls = {}
            start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        with self.lock:
            name = scope.group(2) if scope else "?"
            self.calls[name] = self.calls.get(name, 0) + 1
        return self.application(environ, start)


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


def main():
    port, count, seed = map(int, sys.argv[1:])
    expected = fill(count, seed)
    application = Counter(DomainDispatcherApplication(create_backend_app), expected)
    make_server("127.0.0.1", port, application, threaded=True, request_handler=Quiet).serve_forever()


if __name__ == "__main__":
    main()
