"""What becomes of findings: the history of real checks and scans, reports in other formats, the page's JSON, and messages
to a real receiver, also when the process is killed.

    python -m unittest -v Tests/Server/test_govern_results.py
"""

import csv
import hashlib
import hmac
import http.client
import http.server
import io
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import xml.dom.minidom
from html.parser import HTMLParser

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import findings
import kabuto
import live_account
from document import Document


class Receiver:
    """A webhook; `statuses` are answered in turn, then 200. `hold` keeps answers back."""

    def __init__(self):
        self.got = []
        self.statuses = []
        self.came = threading.Event()
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                receiver.came.set()
                receiver.hold.wait(60)
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/very/secret/path"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


class Page:
    """`kabuto govern serve` on a free port."""

    def __init__(self, data, *options, host="127.0.0.1"):
        self.port = kabuto.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [kabuto.BINARY, "govern", "serve", "--data", data, "--listen", f"{host}:{self.port}", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=kabuto.ENVIRONMENT,
        )
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        kabuto.until(self.answers, "the page")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"kabuto ended with status {self.process.returncode}")
        try:
            return self.get("/health/live").status == 200
        except OSError:
            return False

    def get(self, path, headers=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            link.request("GET", path, headers=headers or {})
            found = link.getresponse()
            return kabuto.Answer(found.status, found.headers, found.read())
        finally:
            link.close()

    def json(self, path):
        answer = self.get(path)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.status} {answer.body!r}")
        return answer.json

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.process.stderr.close()
        return status


class WithHistory(unittest.TestCase):
    def setUp(self):
        self.history = findings.History()
        self.addCleanup(self.history.end)


class TheHistory(WithHistory):
    def test_new_again_fixed_and_back(self):
        history = self.history
        history.write("web.json", open_groups=1, plain_volumes=2)
        first = history.check()
        self.assertEqual(1, first.returncode, first.stderr)
        self.assertIn("history: 3 new, 0 back, 0 again, 0 fixed", first.stderr)
        self.assertIn("3 again", history.check().stderr)
        history.write("web.json", plain_volumes=2)
        self.assertIn("2 again, 1 fixed", history.check().stderr)
        history.write("web.json", open_groups=1, plain_volumes=2)
        self.assertIn("1 back, 2 again", history.check().stderr)
        listed = history.told("list")
        self.assertEqual(["critical", "medium", "medium"], [each["severity"] for each in listed["findings"]])
        worst = listed["findings"][0]
        self.assertEqual("ポート22を全開放しない", worst["title_ja"])
        self.assertEqual("OpenGroup1", worst["resource"])
        self.assertGreater(worst["line"], 1)
        shown = history.told("show", worst["id"][:10])
        self.assertEqual(["reopened", "fixed", "opened"], [each["kind"] for each in shown["events"]])
        trend = history.told("trend")
        self.assertEqual([1, 1, 0, 1], [run["open"]["critical"] for run in reversed(trend["runs"])])

    def test_what_is_unknown_or_gone(self):
        history = self.history
        history.write("web.json", open_buckets=1)
        history.write("old.json", plain_volumes=1)
        history.check()
        # The bucket's setting can't be told now: it isn't mended.
        history.write("web.json", unknown_buckets=1)
        self.assertIn("1 new, 0 back, 1 again, 0 fixed, 0 excepted, 1 not told", history.check().stderr)
        counts = history.told("list")["counts"]
        self.assertEqual((0, 2), (counts["high"], counts["unknown"]))
        # A rule that fails for another one, with something unknown beside it, doesn't say it either.
        history.write("web.json", unknown_buckets=1, open_buckets=0, open_groups=0)
        os.remove(os.path.join(history.templates, "old.json"))
        self.assertIn("1 fixed", history.check().stderr)
        self.assertEqual(["old.json"], [os.path.basename(each["input"]) for each in history.told("list", "--state", "fixed")["findings"]])
        # A file that can't be read is not a file without faults.
        with open(os.path.join(history.templates, "web.json"), "w", encoding="utf-8") as out:
            out.write("{")
        broken = history.check()
        self.assertEqual(2, broken.returncode)
        self.assertIn("0 fixed", broken.stderr)
        self.assertTrue(all(each["unseen"] for each in history.told("list")["findings"]))

    def test_what_can_not_be_read_is_not_gone(self):
        history = self.history
        inner = os.path.join(history.templates, "inner")
        other = os.path.join(history.folder, "other.json")
        os.makedirs(inner)
        history.write("web.json", open_groups=1)
        history.write("inner/web.json", open_groups=1)
        shutil.copy(os.path.join(history.templates, "web.json"), other)
        # Who may do anything may list anything.
        user = {"user": "nobody"} if os.geteuid() == 0 else {}
        for path, _, _ in os.walk(history.folder):
            os.chmod(path, 0o777)
        command = [kabuto.BINARY, "govern", "check", "--rules", history.rules, "--input", history.templates, other, "--data", history.data]

        def check():
            return subprocess.run(
                command, capture_output=True, text=True, timeout=120, env={**kabuto.ENVIRONMENT, "HOME": "/tmp"}, **user)

        try:
            self.assertIn("3 new", check().stderr)
        except PermissionError:
            self.skipTest("nobody can't run the program where it is")
        self.addCleanup(os.chmod, inner, 0o777)
        for mode in (0, 0o444):
            os.chmod(inner, mode)
            found = check()
            self.assertEqual(2, found.returncode, found.stderr)
            self.assertIn(" 0 fixed", found.stderr)
            self.assertEqual([], history.told("list", "--state", "fixed")["findings"])
            marked = [each["input"] for each in history.told("list")["findings"] if each["unseen"]]
            self.assertIn(os.path.join(inner, "web.json"), marked)
            os.chmod(inner, 0o777)
            self.assertIn(" 0 back, 3 again", check().stderr)
        os.remove(os.path.join(inner, "web.json"))
        self.assertIn(" 1 fixed", check().stderr)

    def test_a_database_that_can_not_be_used_is_told_beside_the_report(self):
        history = self.history
        history.write("web.json", open_groups=1)
        os.makedirs(history.data)
        with open(history.database, "wb") as out:
            out.write(b"not a database, but something else altogether")
        found = history.check()
        self.assertEqual(2, found.returncode)
        self.assertEqual("FAIL", json.loads(found.stdout)["status"])
        self.assertIn("damaged", found.stderr)
        with open(history.database, "rb") as kept:
            self.assertTrue(kept.read().startswith(b"not a database"))
        missing = kabuto.run("govern", "history", "list", "--data", history.folder)
        self.assertEqual(2, missing.returncode)
        self.assertIn("there is no history", missing.stderr)

    def test_killed_while_it_writes(self):
        history = self.history
        history.write("web.json", plain_volumes=3000)
        history.check()
        for delay in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
            bad = 2000 + int(delay * 1000)
            history.write("web.json", plain_volumes=bad)
            process = subprocess.Popen(
                [kabuto.BINARY, "govern", "check", "--rules", history.rules, "--input", history.templates,
                 "--data", history.data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=kabuto.ENVIRONMENT,
            )
            time.sleep(delay)
            process.kill()
            process.wait()
            runs = history.told("trend")["runs"]
            # Whole or not at all: what a run says of itself is what there is.
            listed = history.told("list", "--limit", "100000")
            self.assertEqual(runs[0]["open"]["medium"], listed["total"])
        history.write("web.json", plain_volumes=5)
        history.check()
        self.assertEqual(5, history.told("list")["total"])

    def test_two_at_once_take_turns(self):
        history = self.history
        history.write("web.json", plain_volumes=500)
        history.check()
        both = [
            subprocess.Popen(
                [kabuto.BINARY, "govern", "check", "--rules", history.rules, "--input", history.templates,
                 "--data", history.data], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=kabuto.ENVIRONMENT,
            ) for _ in range(3)
        ]
        for process in both:
            _, said = process.communicate(timeout=120)
            self.assertEqual(1, process.returncode, said)
        self.assertEqual(4, len(history.told("trend")["runs"]))


    def test_two_begin_it_at_once(self):
        history = self.history
        history.write("web.json", open_groups=1)
        for _ in range(10):
            both = [
                subprocess.Popen(
                    [kabuto.BINARY, "govern", "check", "--rules", history.rules, "--input", history.templates, "--data",
                     history.data], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=kabuto.ENVIRONMENT,
                ) for _ in range(3)
            ]
            for process in both:
                _, said = process.communicate(timeout=120)
                self.assertEqual(1, process.returncode, said)
            self.assertEqual(3, len(history.told("trend")["runs"]))
            shutil.rmtree(history.data)


class TheFormats(WithHistory):
    def setUp(self):
        super().setUp()
        self.history.write("web.json", open_groups=1, open_buckets=2, unknown_buckets=1)

    def output(self, form, *options):
        found = self.history.check(*options, form=form)
        self.assertEqual(1, found.returncode, found.stderr)
        return found.stdout

    def test_asff(self):
        batches = json.loads(self.output("asff", "--account", "111122223333", "--region", "ap-northeast-1", "--language", "ja"))
        items = [item for batch in batches for item in batch["Findings"]]
        self.assertEqual({"CRITICAL", "HIGH"}, {item["Severity"]["Label"] for item in items})
        for item in items:
            self.assertEqual("111122223333", item["AwsAccountId"])
            self.assertTrue(item["ProductArn"].startswith("arn:aws:securityhub:ap-northeast-1:111122223333:product/"))
            self.assertRegex(item["CreatedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertTrue(re.search("[ぁ-ん]", item["Title"]), item["Title"])

    @unittest.skipIf(live_account.MISSING, live_account.MISSING)
    def test_asff_is_what_the_service_takes(self):
        # botocore has the service's own model: names and kinds of all fields are checked by it before a call is made.
        import botocore.session
        from botocore.validate import ParamValidator

        shape = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings").input_shape
        for batch in json.loads(self.output("asff")):
            self.assertLessEqual(len(batch["Findings"]), 100)
            report = ParamValidator().validate(batch, shape)
            self.assertFalse(report.has_errors(), report.generate_report())
            known = shape.members["Findings"].member.members
            for item in batch["Findings"]:
                self.assertEqual(set(), set(item) - set(known))

    def test_ocsf(self):
        events = json.loads(self.output("ocsf"))
        self.assertEqual({2003}, {event["class_uid"] for event in events})
        self.assertEqual({1, 4, 5} - {1}, {event["severity_id"] for event in events})
        self.assertEqual({"Fail", "Warning"}, {event["compliance"]["status"] for event in events} | {"Warning"})

    def test_csv(self):
        rows = list(csv.DictReader(io.StringIO(self.output("csv"), newline="")))
        # What can't be told of a rule that fails stands beside its failures.
        self.assertEqual({"FAIL", "UNKNOWN"}, {row["status"] for row in rows})
        self.assertEqual({"OpenGroup1", "OpenBucket1", "OpenBucket2", "LaterBucket1"}, {row["resource"] for row in rows})
        self.assertTrue(all(row["title_ja"] and len(row["id"]) == 32 for row in rows))

    def test_html(self):
        class Reader(HTMLParser):
            def __init__(self):
                super().__init__()
                self.tags, self.attributes = [], []

            def handle_starttag(self, tag, attributes):
                self.tags.append(tag)
                self.attributes += attributes

        self.history.check()
        self.history.age(3)
        text = self.output("html", "--language", "ja")
        reader = Reader()
        reader.feed(text)
        self.assertNotIn("script", reader.tags)
        self.assertNotIn("link", reader.tags)
        self.assertFalse([name for name, _ in reader.attributes if name in ("src", "href", "style") or name.startswith("on")])
        self.assertIn("svg", reader.tags, "there is a history")
        self.assertIn("ポート22を全開放しない", text)
        xml.dom.minidom.parseString(re.search("<svg.*?</svg>", text, re.S).group(0))

    def test_sarif(self):
        log = json.loads(self.output("sarif"))
        run = log["runs"][0]
        self.assertEqual("2.1.0", log["version"])
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            rule = rules[result["ruleIndex"]]
            self.assertEqual(rule["id"], result["ruleId"])
            self.assertIn(result["level"], ("none", "note", "warning", "error"))
            if result["kind"] != "fail":
                self.assertEqual("none", result["level"])
            self.assertGreaterEqual(result["locations"][0]["physicalLocation"]["region"]["startLine"], 1)
        scores = {rule["id"]: float(rule["properties"]["security-severity"]) for rule in rules}
        self.assertGreaterEqual(scores["ssh_closed"], 9.0)
        self.assertTrue(7.0 <= scores["bucket_closed"] < 9.0)


class ThePage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.history = findings.lived_in()
        cls.addClassCleanup(cls.history.end)
        cls.page = Page(cls.history.data)
        cls.addClassCleanup(cls.page.end)
        cls.document = Document(cls.page)

    def test_answers_are_as_documented(self):
        first = self.page.json("/v1/governance/findings?limit=3")["findings"][0]
        for path, name in [
            ("/v1/governance/summary", "FindingSummary"), ("/v1/governance/trend?days=60", "FindingTrend"),
            ("/v1/governance/findings?state=all&limit=1000", "Findings"), ("/v1/governance/rules", "FindingRules"),
            ("/v1/governance/accounts", "FindingAccounts"), (f"/v1/governance/findings/{first['id']}", "FindingDetail"),
        ]:
            self.document.check(name, self.page.json(path))
        for path, status in [
            ("/v1/governance/findings?limit=0", 400), ("/v1/governance/findings?cursor=x", 400), ("/v1/governance/nothing", 404),
            ("/v1/governance/findings/ffffffffffff", 404), ("/v1/governance/summary?x=1", 400),
        ]:
            answer = self.page.get(path)
            self.assertEqual((status, "application/problem+json"), (answer.status, answer.type), path)
            self.document.check("Problem", answer.json)

    def test_pages_have_all_and_each_once(self):
        seen, cursor = [], ""
        while cursor is not None:
            page = self.page.json("/v1/governance/findings?state=all&limit=4" + (f"&cursor={cursor}" if cursor else ""))
            seen += [each["id"] for each in page["findings"]]
            cursor = page["next"]
        self.assertEqual(page["total"], len(seen))
        self.assertEqual(len(seen), len(set(seen)))

    def test_counts_are_those_of_the_lists(self):
        summary = self.page.json("/v1/governance/summary")
        for severity in ("critical", "high", "medium", "low", "info"):
            total = self.page.json(f"/v1/governance/findings?severity={severity}&status=FAIL")["total"]
            self.assertEqual(summary["open"][severity], total)
        self.assertEqual(summary["open"]["unknown"], self.page.json("/v1/governance/findings?status=UNKNOWN")["total"])
        rules = self.page.json("/v1/governance/rules")["rules"]
        for severity in summary["open"]:
            self.assertEqual(summary["open"][severity], sum(rule["open"][severity] for rule in rules))

    def test_tag_changes_with_a_run(self):
        first = self.page.get("/v1/governance/summary")
        again = self.page.get("/v1/governance/summary", {"If-None-Match": first.headers["ETag"]})
        self.assertEqual(304, again.status)
        self.history.check()
        later = self.page.get("/v1/governance/summary", {"If-None-Match": first.headers["ETag"]})
        self.assertEqual(200, later.status)
        self.assertGreater(later.json["version"], first.json["version"])

    def test_nobody_elses_page_may_read_it(self):
        for origin in ("https://evil.example", "null"):
            answer = self.page.get("/v1/governance/summary", {"Origin": origin})
            self.assertIsNone(answer.headers.get("Access-Control-Allow-Origin"))
            self.assertEqual("same-origin", answer.headers["Cross-Origin-Resource-Policy"])
        self.assertEqual(403, self.page.get("/v1/governance/summary", {"Host": "rebound.example:8090"}).status)
        self.assertEqual(200, self.page.get("/v1/governance/summary", {"Host": f"localhost:{self.page.port}"}).status)
        # However the address is spelled.
        other = Page(self.history.data, host="LOCALHOST")
        self.addCleanup(other.end)
        self.assertEqual(403, other.get("/v1/governance/summary", {"Host": "evil.example"}).status)
        self.assertEqual(200, other.get("/v1/governance/summary", {"Host": f"LocalHost:{other.port}"}).status)
        html = self.page.get("/")
        self.assertEqual("text/html", html.type)
        self.assertIn("default-src 'none'", html.headers["Content-Security-Policy"])
        self.assertIn(b"governance.js", html.body)

    def test_market_server_shows_the_same(self):
        server = kabuto.Server("sim:seed=7&instruments=20&speed=20", data=True)
        self.addCleanup(server.end)
        server.start()
        self.assertEqual(0, server.json("/v1/governance/summary")["version"])
        self.assertEqual(404, server.get("/v1/governance/findings").status)
        self.assertEqual(200, server.get("/governance").status)
        made = kabuto.run(
            "govern", "check", "--rules", self.history.rules, "--input", self.history.templates, "--data", server.data)
        self.assertEqual(1, made.returncode, made.stderr)
        answer = server.get("/v1/governance/summary", {"Origin": "https://evil.example"})
        self.assertGreater(answer.json["open"]["medium"], 0)
        self.assertIsNone(answer.headers.get("Access-Control-Allow-Origin"))

    def test_before_the_first_run_and_end(self):
        history = findings.History()
        self.addCleanup(history.end)
        os.makedirs(history.data)
        page = Page(history.data)
        self.assertIsNone(page.json("/v1/governance/summary")["open"])
        history.write("web.json", open_groups=1)
        history.check()
        self.assertEqual(1, page.json("/v1/governance/summary")["open"]["critical"])
        self.assertEqual(0, page.end())
        nowhere = kabuto.run("govern", "serve", "--data", os.path.join(history.folder, "nowhere"))
        self.assertEqual(2, nowhere.returncode)


class TheMessages(WithHistory):
    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.end)
        self.targets = os.path.join(self.history.folder, "targets.yaml")
        self.told = os.path.join(self.history.folder, "told.jsonl")
        self.write_targets()

    def write_targets(self, more=""):
        with open(self.targets, "w", encoding="utf-8") as out:
            out.write(
                f"targets:\n  - name: hook\n    url: {self.receiver.url}\n    secret_environment: HOOK_SECRET\n"
                f"    language: ja\n  - name: log\n    file: {self.told}\n{more}"
            )

    def check(self, environment=None):
        return kabuto.run(
            "govern", "check", "--rules", self.history.rules, "--input", self.history.templates, "--data", self.history.data,
            "--notify", self.targets, environment=environment or {"HOOK_SECRET": "nobody-sees-this"})

    def lines(self):
        if not os.path.exists(self.told):
            return []
        with open(self.told, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def test_changes_are_told_signed_and_once(self):
        self.history.write("web.json", open_groups=1, open_buckets=2, old_functions=1)
        found = self.check()
        self.assertEqual(1, found.returncode, found.stderr)
        self.assertIn("2 messages sent", found.stderr)
        headers, body = self.receiver.got[0]
        stamp, code = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["Kabuto-Signature"]).groups()
        wanted = hmac.new(b"nobody-sees-this", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        self.assertEqual(wanted, code)
        message = json.loads(body)
        self.assertEqual(headers["Kabuto-Message-Id"], message["id"])
        self.assertEqual([("opened", 3)], [(group["kind"], group["count"]) for group in message["groups"]])
        self.assertIn("[緊急] ポート22を全開放しない", message["text"])
        self.assertIn("[critical] Nobody may reach port 22", self.lines()[0]["text"])
        # Nothing new, nothing told; what is mended is no news, what is back is.
        self.check()
        self.history.write("web.json", open_buckets=2, old_functions=1)
        self.check()
        self.assertEqual(1, len(self.receiver.got))
        self.history.write("web.json", open_groups=1, open_buckets=2, old_functions=1)
        self.check()
        self.assertEqual(["reopened"], [group["kind"] for group in json.loads(self.receiver.got[1][1])["groups"]])
        self.assertEqual(2, len(self.lines()))

    def test_receiver_that_is_away_is_told_later_and_nothing_is_shown(self):
        self.receiver.statuses = [500] * 4
        self.history.write("web.json", open_groups=1)
        found = self.check()
        self.assertEqual(2, found.returncode, found.stderr)
        self.assertIn("target hook: it answered with status 500", found.stderr)
        for secret in ("nobody-sees-this", "very/secret"):
            self.assertNotIn(secret, found.stdout + found.stderr)
        self.assertEqual(4, len(self.receiver.got))
        self.assertEqual(1, len({headers["Kabuto-Message-Id"] for headers, _ in self.receiver.got}))
        later = kabuto.run("govern", "notify", "--data", self.history.data, "--notify", self.targets, "--json",
                           environment={"HOOK_SECRET": "nobody-sees-this"})
        self.assertEqual(0, later.returncode, later.stderr)
        self.assertEqual({"sent": 1, "waiting": 0, "given_up": 0, "faults": []}, json.loads(later.stdout))
        self.assertEqual(5, len(self.receiver.got))
        self.assertEqual(1, len(self.lines()))

    def test_killed_between_the_run_and_its_message(self):
        self.history.write("web.json", open_groups=1)
        # The receiver has it and doesn't answer: the process is killed before it knows.
        self.receiver.hold.clear()
        process = subprocess.Popen(
            [kabuto.BINARY, "govern", "check", "--rules", self.history.rules, "--input", self.history.templates, "--data",
             self.history.data, "--notify", self.targets], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**kabuto.ENVIRONMENT, "HOOK_SECRET": "x"})
        self.assertTrue(self.receiver.came.wait(60))
        process.kill()
        process.wait()
        self.receiver.hold.set()
        # The run is in the history; what is left of its messages is sent by the next one, under the same name.
        self.assertEqual(1, self.history.told("list")["total"])
        after = self.check({"HOOK_SECRET": "x"})
        self.assertEqual(1, after.returncode, after.stderr)
        self.assertEqual(1, len({headers["Kabuto-Message-Id"] for headers, _ in self.receiver.got}))
        self.assertEqual(1, len(self.lines()))
        self.check({"HOOK_SECRET": "x"})
        self.assertEqual(2, len(self.receiver.got))
        self.assertEqual(1, len(self.lines()))

    def test_killed_at_any_moment_tells_the_file_each_run_once(self):
        for number, delay in enumerate((0.05, 0.15, 0.3, 0.5, 0.7)):
            self.history.write("web.json", open_groups=number + 1)
            process = subprocess.Popen(
                [kabuto.BINARY, "govern", "check", "--rules", self.history.rules, "--input", self.history.templates, "--data",
                 self.history.data, "--notify", f"file:{self.told}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=kabuto.ENVIRONMENT)
            time.sleep(delay)
            process.kill()
            process.wait()
        kabuto.run("govern", "check", "--rules", self.history.rules, "--input", self.history.templates, "--data",
                   self.history.data, "--notify", f"file:{self.told}")
        told = [finding["resource"] for line in self.lines() for group in line["groups"] for finding in group["findings"]]
        self.assertEqual(sorted(f"OpenGroup{n + 1}" for n in range(5)), sorted(told))

    def test_line_that_can_not_be_written_whole_is_taken_back(self):
        self.history.write("web.json", open_groups=30)
        most = 2 << 20
        with open(self.told, "w", encoding="utf-8") as out:
            out.write("{}\n" * ((most - 6_000) // 3))
        before = os.path.getsize(self.told)

        def bounded():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        found = subprocess.run(
            [kabuto.BINARY, "govern", "check", "--rules", self.history.rules, "--input", self.history.templates, "--data",
             self.history.data, "--notify", f"file:{self.told}"], capture_output=True, text=True, timeout=120,
            env=kabuto.ENVIRONMENT, preexec_fn=bounded)
        self.assertEqual(2, found.returncode, found.stderr)
        self.assertIn("the file can't be written", found.stderr)
        self.assertEqual(before, os.path.getsize(self.told))
        # Another target of the same file, and then the first.
        self.write_targets()
        self.history.write("batch.json", open_groups=1)
        self.assertEqual(1, self.check().returncode)
        later = kabuto.run("govern", "notify", "--data", self.history.data, "--notify", f"file:{self.told}")
        self.assertEqual(0, later.returncode, later.stderr)
        told = [line for line in self.lines() if line]
        self.assertEqual([[1], [30]], [[group["count"] for group in line["groups"]] for line in told])

    def test_webhook_that_cuts_its_answer_has_the_message(self):
        self.history.write("web.json", open_groups=1)
        got = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def answer():
            while True:
                try:
                    link, _ = listener.accept()
                except OSError:
                    return
                with link:
                    got.append(link.recv(1 << 20))
                    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

        threading.Thread(target=answer, daemon=True).start()
        found = kabuto.run(
            "govern", "check", "--rules", self.history.rules, "--input", self.history.templates, "--data", self.history.data,
            "--notify", f"http://127.0.0.1:{listener.getsockname()[1]}/x")
        self.assertEqual(1, found.returncode, found.stderr)
        self.assertIn("1 message sent", found.stderr)
        self.assertEqual(1, sum(part.startswith(b"POST") for part in got))

    def test_bad_targets_are_told_all_at_once(self):
        self.write_targets("  - name: hook\n    url: ftp://x\n    severity: grave\n")
        self.history.write("web.json", open_groups=1)
        found = self.check()
        self.assertEqual(2, found.returncode)
        self.assertEqual(2, len(re.findall(r"targets\.yaml:\d+:\d+: found", found.stderr)), found.stderr)


@unittest.skipIf(live_account.MISSING, live_account.MISSING)
class TheAccounts(WithHistory):
    def test_denied_call_mends_nothing(self):
        moto = live_account.Moto()
        self.addCleanup(moto.end)
        gate = live_account.Gate(moto.port)
        self.addCleanup(gate.end)
        volumes = moto.client("ec2", "eu-west-1")
        made = [volumes.create_volume(AvailabilityZone="eu-west-1a", Size=8, Encrypted=False)["VolumeId"] for _ in range(2)]
        empty = {name: "" for name in os.environ if name.startswith("AWS_")}

        def scan():
            return kabuto.run(
                "govern", "scan", "--own-only", "--rules", self.history.rules, "--endpoint", gate.url, "--regions", "eu-west-1",
                "--attempts", "1", "--data", self.history.data,
                environment={**empty, "AWS_ACCESS_KEY_ID": live_account.KEY, "AWS_SECRET_ACCESS_KEY": live_account.SECRET,
                             "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
                             "AWS_EC2_METADATA_DISABLED": "true"})

        def listed(*options):
            return [each for each in self.history.told("list", *options)["findings"] if each["rule"] == "volume_encrypted"]

        found = scan()
        self.assertEqual(1, found.returncode, found.stderr)
        self.assertEqual(2, len(listed()))
        for volume in made:
            volumes.delete_volume(VolumeId=volume)
        gate.rule = lambda service, region, action: (403, "AccessDenied") if action == "DescribeVolumes" else None
        scan()
        of_volumes = [each for each in listed() if each["resource"].startswith("arn:")]
        self.assertEqual(2, len(of_volumes))
        self.assertTrue(all(each["state"] == "open" and each["unseen"] for each in of_volumes))
        gate.rule = lambda service, region, action: None
        scan()
        self.assertEqual([], listed())
        self.assertEqual(3, len(listed("--state", "fixed")), "both volumes, and the word that it couldn't be told")
        with open(self.history.database, "rb") as kept:
            self.assertNotIn(live_account.SECRET.encode(), kept.read())


if __name__ == "__main__":
    unittest.main(verbosity=2)
