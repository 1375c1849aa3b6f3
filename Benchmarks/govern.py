#!/usr/bin/env python3
"""What rules over AWS resources cost, in processor time, and who says the same.

templates  templates × rules a second of CPU, beside checkov (the same checks) and cfn-lint (its own), on real templates;
           each verdict of checkov's on a resource beside Kabuto's
growth     rules × 10, resources × 10, of a snapshot and of templates
plan       a large Terraform plan: time and memory; peers within a time and a memory
snapshot   a snapshot of AWS Config of a million items
live       a scan of ten thousand resources on moto's server, beside Cloud Custodian and prowler: calls made, time
watch      one change looked at again, beside looking at everything, in the same process: a hundredth, a tenth and all of
           the resources, and rules × 10; what the watch then knows is what a scan finds

What must be found is known from how inputs are made; anything else found voids the figures and ends the run with status 1.
Real templates and published rules are looked for in $KABUTO_TESTDATA/governance or ../shared/governance."""
import collections
import hashlib
import json
import os
import random
import re
import shutil
import sys
import time

import bench

sys.path.insert(0, os.path.join(bench.HERE, "Govern"))

import inputs
import measure

# The rule of the live account, prowler's check of the same matter. Its check of users also fails managed policies, of which
# there are none here; that of groups passes an open one that no network interface has, and says so in these words.
UNATTACHED = "has at least one port open to the Internet but it is not attached"
PROWLER = {
    "VOLUME_ENCRYPTED": "ec2_ebs_volume_encryption",
    "GROUP_CLOSED": "ec2_securitygroup_allow_ingress_from_internet_to_any_port",
    "BUCKET_VERSIONED": "s3_bucket_object_versioning",
    "USER_WITHOUT_POLICIES": "iam_policy_attached_only_to_group_or_roles",
}
# checkov's check, the published rule of the same matter.
CHECKS = {
    "CKV_AWS_3": "ENCRYPTED_VOLUMES",
    "CKV_AWS_16": "RDS_STORAGE_ENCRYPTED",
    "CKV_AWS_18": "S3_BUCKET_LOGGING_ENABLED",
    "CKV_AWS_21": "S3_BUCKET_VERSIONING_ENABLED",
    "CKV_AWS_23": "SECURITY_GROUP_DESCRIPTION_RULE",
    "CKV_AWS_26": "SNS_ENCRYPTED_KMS",
    "CKV_AWS_28": "DYNAMODB_PITR_ENABLED",
    "CKV_AWS_42": "EFS_ENCRYPTED_CHECK",
    "CKV_AWS_66": "CW_LOGGROUP_RETENTION_PERIOD_CHECK",
    "CKV_AWS_88": "EC2_INSTANCE_NO_PUBLIC_IP",
    "CKV_AWS_91": "ELBV2_ACCESS_LOGGING_RULE",
    "CKV_AWS_116": "LAMBDA_DLQ_CHECK",
    "CKV_AWS_119": "DYNAMODB_TABLE_MUST_BE_ENCRYPTED",
    "CKV_AWS_130": "SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED",
    "CKV_AWS_131": "ALB_HTTP_DROP_INVALID_HEADER_ENABLED",
    "CKV_AWS_149": "SECRETSMANAGER_USING_CMK",
    "CKV_AWS_158": "CLOUDWATCH_LOG_GROUP_ENCRYPTED",
}
QUIET = {**os.environ, "BC_SKIP_MAPPING": "TRUE", "LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false"}


def data():
    places = [os.path.join(bench.ROOT, "..", "shared", "governance")]
    if os.environ.get("KABUTO_TESTDATA"):
        places.insert(0, os.path.join(os.environ["KABUTO_TESTDATA"], "governance"))
    return next((os.path.abspath(place) for place in places if os.path.exists(os.path.join(place, "GUARD.md"))), None)


def peer(name, given):
    """The path of a peer; None = it isn't there, which is said."""
    places = [given] if given else [os.path.join(bench.ROOT, venv, "bin", name) for venv in (".venv-bench-govern", ".venv-bench-custodian", ".venv-bench-prowler", ".venv")]
    found = next((place for place in places if os.path.exists(place)), None)
    if not found:
        bench.say(f"{name} is left out: it is not installed (Benchmarks/Govern/requirements*.txt)")
    return found


class Wrong(Exception):
    pass


class Run:
    def __init__(self, arguments):
        self.a, self.wrong, self.rows = arguments, [], []

    def kabuto(self, rules, given, *options, **more):
        done = measure.run([self.a.kabuto, "govern", "check", "--rules", *rules, "--input", *given, *options], **more)
        if done.status not in (0, 1):
            raise Wrong(f"kabuto ended with status {done.status}: {done.err[-2000:]}")
        return done

    def rules_file(self, text, name="rules.guard"):
        path = os.path.join(bench.folder(), name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def rounds(self, body):
        """The middle of some runs by CPU time, and how far they are apart."""
        all = sorted((body() for _ in range(self.a.rounds)), key=lambda done: done.cpu)
        return all[len(all) // 2], [all[0].cpu, all[-1].cpu]

    # Templates

    def templates(self):
        folder = data()
        if not folder:
            bench.say("templates are left out: there are no published rules at $KABUTO_TESTDATA or ../shared")
            return
        every = sorted(
            os.path.join(place, name) for place, _, names in os.walk(os.path.join(folder, "aws-cloudformation-templates")) for name in names
            if name.rsplit(".", 1)[-1] in ("yaml", "yml", "json", "template"))
        files = [path for path in every if not any(path.endswith(skipped) for skipped in self.a.skip)]
        if len(files) < len(every):
            bench.say(f"left out for all: {', '.join(sorted(os.path.basename(path) for path in set(every) - set(files)))}")
        if self.a.quick:
            files = files[::10]
        registry = os.path.join(folder, "aws-guard-rules-registry", "rules")
        by_rule = {}
        for place, _, names in os.walk(registry):
            for name in names:
                if name.endswith(".guard"):
                    for rule in re.findall(r"^rule\s+(\w+)", open(os.path.join(place, name)).read(), re.MULTILINE):
                        by_rule[rule] = os.path.join(place, name)
        checks = {check: rule for check, rule in CHECKS.items() if rule in by_rule}
        some = sorted({by_rule[rule] for rule in checks.values()})
        own, spread = self.rounds(lambda: self.kabuto(some, files, "--json"))
        whole, whole_spread = self.rounds(lambda: self.kabuto([registry], files, "--json"))
        report = json.loads(own.out)
        digest = hashlib.sha256(json.dumps(report["findings"], sort_keys=True).encode()).hexdigest()[:16]
        if report["inputs"] != len(files):
            self.wrong.append(f"{report['inputs']} of {len(files)} templates were looked at")
        line = lambda name, rules, done, spread: self.add("templates", name, templates=len(files), rules=rules, spread=spread, **done.figures(),
                                                          per_cpu_s=len(files) * rules / done.cpu)
        ours = line("Kabuto, the same checks", len(checks), own, spread)
        every_rule = line("Kabuto, all published rules", len(by_rule), whole, whole_spread)
        bench.emit({"part": "templates", "digest": digest, "findings": len(report["findings"])})
        checkov = peer("checkov", self.a.checkov)
        if checkov:
            # Copied, so that paths are short and nothing else is there.
            flat = os.path.join(bench.folder(), "templates")
            names = self.flatten(files, flat)
            command = [checkov, "--directory", flat, "--framework", "cloudformation", "--output", "json", "--skip-download", "--quiet", "--compact"]
            done = measure.run([*command, "--check", ",".join(checks)], seconds=self.a.patience, environment=QUIET)
            if self.ended("checkov, the same checks", done, "templates"):
                theirs = line("checkov, the same checks", len(checks), done, [done.cpu, done.cpu])
                bench.emit({"part": "templates", "ratio": bench.rounded(ours["per_cpu_s"] / theirs["per_cpu_s"]), "of": "checkov"})
                self.compare(json.loads(done.out), report, checks, names)
            if not self.a.quick:
                done = measure.run(command, seconds=self.a.patience, environment=QUIET)
                if self.ended("checkov, all its checks", done, "templates"):
                    found = json.loads(done.out)
                    found = found if isinstance(found, list) else [found]
                    ids = {one["check_id"] for each in found for kind in ("passed_checks", "failed_checks") for one in each["results"].get(kind, [])}
                    line("checkov, all its checks", len(ids), done, [done.cpu, done.cpu])
        lint = peer("cfn-lint", self.a.cfn_lint)
        if lint:
            done = measure.run([lint, "--format", "json", *files], seconds=self.a.patience, environment=QUIET)
            if self.ended("cfn-lint", done, "templates"):
                listed = measure.run([lint, "--list-rules"], environment=QUIET).out
                rules = len(set(re.findall(r"^([EWI]\d{4})", listed, re.MULTILINE))) or 1
                theirs = line("cfn-lint, its own rules", rules, done, [done.cpu, done.cpu])
                bench.emit({"part": "templates", "ratio": bench.rounded(every_rule["per_cpu_s"] / theirs["per_cpu_s"]), "of": "cfn-lint",
                            "templates_per_cpu_s_ratio": bench.rounded(done.cpu / whole.cpu)})

    def flatten(self, files, folder):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        names = {}
        for number, path in enumerate(files):
            name = f"{number:03}.{'json' if path.endswith('.json') else 'yaml'}"
            shutil.copyfile(path, os.path.join(folder, name))
            names[name] = path
        return names

    def ended(self, name, done, part):
        """Whether a peer came to its end; where not, that is its result."""
        if done.ended == "itself" and done.status in (0, 1, 2, 4, 6, 8, 10, 12, 14) and done.out.strip():
            return True
        why = f"not within {self.a.patience} s" if done.ended == "time" else f"ended with status {done.status}: {(done.err.strip().splitlines() or [''])[-1][:160]}"
        self.add(part, name, outcome=why, **done.figures())
        return False

    def compare(self, theirs, ours, checks, names):
        """Each verdict of theirs on a resource beside ours."""
        found = collections.defaultdict(set)
        for finding in ours["findings"]:
            found[finding["input"], finding["resource"], finding["rule"]].add(finding["status"])
        counts, differences = collections.Counter(), collections.Counter()
        for each in theirs if isinstance(theirs, list) else [theirs]:
            for kind in ("passed_checks", "failed_checks"):
                for one in each["results"].get(kind, []):
                    path = names[os.path.basename(one["file_path"])]
                    resource = one["resource"].split(".", 1)[1]
                    rule = checks[one["check_id"]]
                    said = found.get((path, resource, rule), set())
                    own = "FAIL" if "FAIL" in said else "UNKNOWN" if said else "PASS"
                    other = "PASS" if kind == "passed_checks" else "FAIL"
                    counts["same" if own == other else "different"] += 1
                    if own != other:
                        # The published rules keep to the template's own word (Metadata: guard: SuppressedRules); checkov has another one.
                        kind = one["resource"].split(".")[0]
                        why = "suppressed by the template" if own == "PASS" and rule in open(path).read() \
                            else "a type that the rule isn't about" if kind.startswith("AWS::Serverless::") \
                            else "the template doesn't say that it is an application load balancer" if kind.endswith("::LoadBalancer") else "?"
                        differences[one["check_id"], rule, other, own, why] += 1
                        if self.a.verbose:
                            bench.say(f"{one['check_id']} {rule}: checkov {other}, Kabuto {own}: {path} {resource}")
        bench.emit({"part": "templates", "verdicts": dict(counts), "differences": [
            {"check": check, "rule": rule, "checkov": other, "kabuto": own, "why": why, "count": count}
            for (check, rule, other, own, why), count in sorted(differences.items())]})

    # Cost as rules and resources grow

    def growth(self):
        expected = {}
        for kind, sizes in (("snapshot", (self.a.items // 50, self.a.items // 5)), ("templates", (20, 200))):
            base = None
            for copies in (1, 10):
                for size in sizes:
                    if kind == "snapshot":
                        path = os.path.join(bench.folder(), f"growth-{size}.json")
                        if not os.path.exists(path):
                            expected[path] = inputs.snapshot(path, self.a.seed, size)
                    else:
                        path = os.path.join(bench.folder(), f"growth-{size}")
                        if not os.path.exists(path):
                            os.makedirs(path)
                            expected[path] = inputs.templates(path, self.a.seed, 20, size)
                    rules = self.rules_file(inputs.copied(inputs.RULES, copies))
                    done, spread = self.rounds(lambda: self.kabuto([rules], [path], "--format", "lines"))
                    base = base or done.cpu
                    counts, _ = self.found(done)
                    counts.pop("kabuto_shape", None)
                    wanted = inputs.expected(expected[path], copies)
                    if counts != wanted:
                        self.wrong.append(f"growth: {kind}, {size} resources, rules × {copies}: found {counts}, wanted {wanted}")
                    self.add("growth", f"{kind}, {size} resources{' each' if kind == 'templates' else ''}, rules × {copies}", spread=spread, times=done.cpu / base, **done.figures())

    # Large inputs

    def found(self, done):
        *lines, last = [json.loads(line) for line in done.out.splitlines()]
        counts = collections.Counter(line["rule"] for line in lines)
        # Of a rule about all together there is one finding.
        return dict(counts), last

    def plan(self):
        path = os.path.join(bench.folder(), "plan.json")
        expected, resources = inputs.plan(path, self.a.seed, self.a.megabytes)
        self.large("plan", path, expected, resources)
        checkov = peer("checkov", self.a.checkov)
        if checkov:
            done = measure.run([checkov, "--file", path, "--framework", "terraform_plan", "--output", "json", "--skip-download", "--quiet", "--compact",
                                "--check", "CKV_AWS_3,CKV_AWS_21,CKV_AWS_24"], seconds=self.a.patience, mebibytes=self.a.peer_memory, environment=QUIET)
            if self.ended("checkov, three checks", done, "plan"):
                self.add("plan", "checkov, three checks", megabytes=os.path.getsize(path) / 1e6, **done.figures())
        os.unlink(path)

    def snapshot(self):
        path = os.path.join(bench.folder(), "snapshot.json")
        expected = inputs.snapshot(path, self.a.seed, self.a.items)
        self.large("snapshot", path, expected, self.a.items)
        os.unlink(path)

    def large(self, part, path, expected, resources):
        done, spread = self.rounds(lambda: self.kabuto([self.rules_file(inputs.RULES)], [path], "--format", "lines"))
        counts, last = self.found(done)
        counts.pop("kabuto_shape", None)
        if counts != expected:
            self.wrong.append(f"{part}: found {counts}, wanted {expected}")
        self.add(part, "Kabuto", megabytes=os.path.getsize(path) / 1e6, resources=resources, findings=last["findings"], spread=spread, **done.figures())
        if not self.a.quick and done.resident_bytes > 300 << 20:
            self.wrong.append(f"{part}: {done.resident_bytes >> 20} MiB, wanted less than 300")

    # A live account

    def account(self, resources):
        """A filled account on a server of its own: (server, port, what must be found, environment); None where moto isn't there."""
        python = next((place for place in (self.a.moto, os.path.join(bench.ROOT, ".venv", "bin", "python"), sys.executable) if place and os.path.exists(place)), None)
        if measure.run([python, "-c", "import moto.server"]).status:
            bench.say("live accounts are left out: moto's server is not installed (Tests/Server/requirements.txt)")
            return None
        port = bench.free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        server = bench.start([python, os.path.join(bench.HERE, "Govern", "account.py"), str(port), str(resources), str(self.a.seed)], env=environment)
        told = self.wait(port, server)
        expected = told["expected"]
        environment.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench", AWS_DEFAULT_REGION="eu-west-1", AWS_EC2_METADATA_DISABLED="true",
                           AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}", AWS_CONFIG_FILE="/nonexistent", AWS_SHARED_CREDENTIALS_FILE="/nonexistent")
        return server, port, expected, environment

    def live(self):
        made = self.account(self.a.resources)
        if not made:
            return
        server, port, expected, environment = made
        rules = os.path.join(bench.HERE, "Govern", "live.guard")
        for name, options in (("Kabuto", ["--own-only"]),):
            before = bench.get(port, "/bench/calls")
            done = measure.run([self.a.kabuto, "govern", "scan", "--rules", rules, "--regions", "eu-west-1", "--endpoint", f"http://127.0.0.1:{port}",
                                "--format", "json", *options], environment=environment, seconds=self.a.patience * 5)
            after = bench.get(port, "/bench/calls")
            counts = collections.Counter()
            if done.status in (0, 1):
                # A resource that fails in two clauses is one.
                counts = collections.Counter(rule for rule, _ in {
                    (finding["rule"], finding["resource"]) for finding in json.loads(done.out)["findings"] if finding["status"] == "FAIL"})
            counts = {rule: counts.get(rule, 0) for rule in expected}
            if counts != expected:
                self.wrong.append(f"live: {name} (status {done.status}) found {counts}, wanted {expected}: {done.err[-500:]}")
            self.add("live", name, resources=self.a.resources, calls=sum(after["calls"].values()), by_service=after["calls"],
                     server_cpu_s=after["cpu_seconds"] - before["cpu_seconds"], **done.figures())
        custodian = peer("custodian", self.a.custodian)
        if custodian:
            policies = os.path.join(bench.HERE, "Govern", "custodian.yml")
            out = os.path.join(bench.folder(), "custodian")
            before = bench.get(port, "/bench/calls")
            done = measure.run([custodian, "run", "--output-dir", out, "--region", "eu-west-1", "--cache-period", "0", "--cache", "", policies], environment=environment,
                               seconds=self.a.patience * 5)
            after = bench.get(port, "/bench/calls")
            counts = {}
            for rule in expected:
                place = os.path.join(out, rule.lower().replace("_", "-"), "resources.json")
                if os.path.exists(place):
                    with open(place) as text:
                        counts[rule] = len(json.load(text))
            self.add("live", "Cloud Custodian, four types", resources=self.a.resources, calls=sum(after["calls"].values()), by_service=after["calls"],
                     server_cpu_s=after["cpu_seconds"] - before["cpu_seconds"], outcome="the same" if counts == expected else f"found {counts}, wanted {expected}"
                     + f" (status {done.status}: {(done.err.strip().splitlines() or [''])[-1][:200]})" * (done.status != 0), **done.figures())
        prowler = peer("prowler", self.a.prowler)
        if prowler:
            self.prowler(prowler, port, expected, environment)
        bench.end(server)

    def prowler(self, prowler, port, expected, environment):
        """prowler's own checks of the same matters; it reads all that its services know, whatever the checks ask."""
        out = os.path.join(bench.folder(), "prowler")
        # Where it would keep settings and look for newer versions.
        home = os.path.join(bench.folder(), "prowler-home")
        os.makedirs(home, exist_ok=True)
        before = bench.get(port, "/bench/calls")
        done = measure.run(
            [prowler, "aws", "--checks", *PROWLER.values(), "--region", "eu-west-1", "--scan-unused-services", "--output-formats", "json-ocsf",
             "--output-directory", out, "--output-filename", "found", "--no-banner", "--no-color", "--ignore-exit-code-3"],
            environment={**environment, "HOME": home}, seconds=self.a.patience * 5, folder=home)
        after = bench.get(port, "/bench/calls")
        failed, passed, unattached = collections.defaultdict(set), collections.defaultdict(set), 0
        path = os.path.join(out, "found.ocsf.json")
        if os.path.exists(path):
            with open(path) as text:
                for one in json.load(text):
                    is_unattached = one["status_code"] == "PASS" and UNATTACHED in one.get("status_detail", "")
                    unattached += is_unattached
                    of = failed if one["status_code"] == "FAIL" or is_unattached else passed
                    # A user with two policies is named twice.
                    of[one["metadata"]["event_code"]].update(resource["uid"] for resource in one["resources"])
        counts = {rule: len(failed[check]) for rule, check in PROWLER.items()}
        if done.ended == "time":
            outcome = f"not within {self.a.patience * 5} s"
        elif not failed and not passed:
            outcome = f"ended with status {done.status}: {((done.err + done.out).strip().splitlines() or [''])[-1][:200]}"
        else:
            outcome = "the same" if counts == expected else f"found {counts}, wanted {expected}"
            outcome += f"; {unattached} open groups pass there, since nothing is attached to them" * (unattached > 0)
        if self.a.verbose:
            bench.say(done.out[-3000:] + done.err[-3000:])
        self.add("live", "prowler, four checks", resources=self.a.resources, calls=sum(after["calls"].values()), by_service=after["calls"],
                 looked_at={check: len(failed[check]) + len(passed[check]) for check in PROWLER.values()},
                 server_cpu_s=after["cpu_seconds"] - before["cpu_seconds"], outcome=outcome, **done.figures())

    # A watched account

    def watch(self):
        if measure.run([self.a.kabuto, "govern", "watch", "--help"]).status:
            bench.say("watch is left out: this kabuto has no govern watch")
            return
        sizes = sorted({max(20, self.a.resources // part) for part in (100, 10, 1)})
        for size in sizes:
            made = self.account(size)
            if not made:
                return
            for copies in (1, 10) if size == sizes[len(sizes) // 2] else (1,):
                self.watched(made, size, copies)
            bench.end(made[0])

    def watched(self, made, size, copies):
        """Groups that are opened and closed while they are watched, each change looked at by itself (`--coalesce 0`): what it costs beside the
        look at everything that the same process began with, and whether the watch and a scan of its own say the same in the end."""
        _, port, _, environment = made
        with open(os.path.join(bench.HERE, "Govern", "live.guard")) as text:
            rules = self.rules_file(inputs.copied(text.read(), copies), f"watch-{copies}.guard")
        common = ["--rules", rules, "--regions", "eu-west-1", "--endpoint", f"http://127.0.0.1:{port}", "--own-only"]
        groups = bench.get(port, "/bench/groups")[: self.a.events]
        reports, name = [], f"{size} resources, rules × {copies}"
        for _ in range(self.a.rounds):
            flipped = {}

            def feed(lines, said):
                begin = time.monotonic()
                while "kabuto: watching" not in said():
                    if time.monotonic() - begin > self.a.patience * 5:
                        raise TimeoutError("the first look takes too long")
                    time.sleep(0.01)
                flipped.update(self.flip(port, groups))
                for number, group in enumerate(groups):
                    lines.write(self.event(number, group))

            done = measure.run([self.a.kabuto, "govern", "watch", *common, "--events", "-", "--coalesce", "0", "--json"], environment=environment,
                               seconds=self.a.patience * 5, feed=feed)
            if done.status not in (0, 1) or done.ended == "time":
                raise Wrong(f"watch ended with status {done.status}: {done.err[-1000:]}")
            report = json.loads(done.out)
            wanted = {(group, "new" if is_open else "fixed"): copies for group, is_open in flipped.items()}
            told = collections.Counter((change["resource"].split("/")[-1], change["change"]) for change in report["changes"] if change["event"] != "scan")
            if told != wanted or report["looks"] != len(groups) or report["changes_omitted"]:
                few = [f"{key}: {told.get(key, 0)}, wanted {wanted.get(key, 0)}" for key in sorted({*told, *wanted}) if told.get(key, 0) != wanted.get(key, 0)][:5]
                self.wrong.append(f"watch: {name}: {report['looks']} looks for {len(groups)} changes; told otherwise: {few}")
            if not done.cpu >= report["scan_cpu_seconds"] + report["cpu_seconds"] > 0:
                self.wrong.append(f"watch: {name}: tells {report['scan_cpu_seconds']} + {report['cpu_seconds']} s of CPU, the kernel counts {done.cpu}")
            reports.append(report)
        scan = measure.run([self.a.kabuto, "govern", "scan", *common, "--format", "json"], environment=environment, seconds=self.a.patience * 5)
        if scan.status not in (0, 1):
            raise Wrong(f"scan ended with status {scan.status}: {scan.err[-1000:]}")
        known = {}
        for change in reports[-1]["changes"]:
            known.pop(change["id"], None) if change["change"] == "fixed" else known.update({change["id"]: self.verdict(change)})
        digests = [self.digest(known.values()), self.digest(map(self.verdict, json.loads(scan.out)["findings"]))]
        if digests[0] != digests[1]:
            self.wrong.append(f"watch: {name}: what the watch knows in the end ({digests[0]}) isn't what a scan finds ({digests[1]})")
        each = [report["cpu_seconds"] / len(groups) for report in reports]
        all = bench.middle([report["scan_cpu_seconds"] for report in reports])
        last = reports[-1]
        self.add("watch", name, resources=size, cpu_s=all, calls=last["scan_calls"], changes=len(groups), change_ms=bench.middle(each) * 1e3,
                 spread_ms=[one * 1e3 for one in bench.spread(each)], change_calls=(last["calls"] - last["scan_calls"]) / len(groups),
                 change_evaluations=last["evaluations"] / len(groups), times_less=all / bench.middle(each), scan_cpu_s=scan.cpu, digest=digests[0],
                 equal=digests[0] == digests[1])

    @staticmethod
    def verdict(finding):
        return finding["rule"], finding["resource"], finding["status"]

    @staticmethod
    def digest(verdicts):
        # Where a resource fails twice in one rule, a change is told of it once.
        return hashlib.sha256(json.dumps(sorted(set(verdicts))).encode()).hexdigest()[:16]

    @staticmethod
    def flip(port, groups):
        """{group: whether it is open to the world from now on}"""
        return bench.get(port, "/bench/flip?groups=" + ",".join(groups))

    @staticmethod
    def event(number, group):
        """A line as EventBridge would send it."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return (json.dumps({
            "version": "0", "id": str(number), "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "account": "123456789012", "time": now,
            "region": "eu-west-1", "resources": [], "detail": {
                "eventVersion": "1.09", "eventTime": now, "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
                "awsRegion": "eu-west-1", "readOnly": False, "requestParameters": {"groupId": group}, "responseElements": None,
                "eventCategory": "Management", "managementEvent": True, "recipientAccountId": "123456789012"}}) + "\n").encode()

    def wait(self, port, server):
        begin = time.monotonic()
        while True:
            try:
                return bench.get(port, "/bench/calls")
            except OSError:
                if server.poll() is not None or time.monotonic() - begin > 600:
                    raise Wrong("moto's server did not start")
                time.sleep(0.1)

    # Tables

    def add(self, part, name, **figures):
        line = {"part": part, "who": name, **bench.rounded(figures)}
        bench.emit(line)
        self.rows.append(line)
        return {"part": part, **figures}

    def tables(self):
        heads = {
            "templates": ["templates", "rules", "cpu_s", "per_cpu_s", "resident_mib", "outcome"],
            "growth": ["cpu_s", "times"],
            "plan": ["megabytes", "resources", "findings", "cpu_s", "wall_s", "resident_mib", "outcome"],
            "snapshot": ["megabytes", "resources", "findings", "cpu_s", "wall_s", "resident_mib", "outcome"],
            "live": ["resources", "calls", "cpu_s", "wall_s", "server_cpu_s", "resident_mib", "outcome"],
            "watch": ["resources", "calls", "cpu_s", "change_ms", "change_calls", "change_evaluations", "times_less", "equal", "digest"],
        }
        for part, names in heads.items():
            rows = [row for row in self.rows if row["part"] == part]
            if rows:
                print()
                bench.table([part, *names], [[row["who"], *(row.get(name) for name in names)] for row in rows])


PARTS = ["templates", "growth", "plan", "snapshot", "live", "watch"]


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--parts", default=",".join(PARTS))
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--megabytes", type=float, default=100, help="of the plan")
    p.add_argument("--items", type=int, default=1_000_000, help="of the snapshot")
    p.add_argument("--resources", type=int, default=10_000, help="of the live account")
    p.add_argument("--events", type=int, default=100, help="changes that are watched")
    p.add_argument("--patience", type=int, default=120, help="seconds that a peer may take; a scan five times as long")
    p.add_argument("--peer-memory", type=int, default=2_048, help="MiB that a peer may take with the plan")
    # checkov ends with a TypeError on these (3.3.30), and tells nothing of the others then.
    p.add_argument("--skip", nargs="*", default=[f"{name}.{ending}" for name in ("StackSets/common-resources", "GitLab/GitLabServer", "VSCode/VSCodeServer") for ending in ("json", "yaml")],
                   help="ends of templates' paths that are left out for all")
    p.add_argument("--checkov")
    p.add_argument("--cfn-lint")
    p.add_argument("--custodian")
    p.add_argument("--prowler")
    p.add_argument("--moto", help="a Python that has moto[server]")
    p.add_argument("--verbose", action="store_true", help="every difference of verdicts")
    p.add_argument("--quick", action="store_true")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.megabytes, a.items, a.resources, a.events = 1, min(a.megabytes, 1), min(a.items, 2_000), min(a.resources, 100), min(a.events, 5)
    wanted = a.parts.split(",")
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        p.error(f"--parts: {', '.join(unknown)} found, wanted some of {', '.join(PARTS)}")
    bench.emit({"benchmark": "govern", "rounds": a.rounds, "seed": a.seed, **bench.machine()})
    run = Run(a)
    for part in wanted:
        bench.say(f"-- {part}")
        try:
            getattr(run, part)()
        except (Wrong, RuntimeError) as error:
            run.wrong.append(f"{part}: {error}")
    run.tables()
    for text in run.wrong:
        bench.say(f"wrong: {text}")
    sys.exit(1 if run.wrong else 0)


if __name__ == "__main__":
    main()
