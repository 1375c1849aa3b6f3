"""The firewall inside `kabuto serve`: what it denies, what it lets through, what it says of both, and how its rules are
exchanged. With the Core Rule Set of this system, and with small rules of our own where that is clearer."""

import asyncio
import json
import os
import re
import signal
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import websockets

from kabuto import Server, run, until

FEED = "sim:seed=7&speed=20&instruments=20"
INSTALLED = os.path.exists("/usr/share/modsecurity-crs/rules")
FIELDS = {"time", "request_id", "client", "method", "uri", "status", "action", "score", "matches", "mode", "duration_us"}
MATCH = {"id", "phase", "message", "severity", "variable", "value", "tags"}

# One rule a phase, so that each can be seen at work.
RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType application/json text/html
SecRule ARGS:phase "@streq one" "id:101,phase:1,deny,status:403,log,msg:'one',severity:CRITICAL,tag:'test'"
SecRule REQUEST_BODY "@contains evil" "id:102,phase:2,deny,status:418,log,msg:'two'"
SecRule RESPONSE_STATUS "@streq 404" "id:103,phase:3,deny,status:410,log,msg:'three'"
SecRule RESPONSE_BODY "@contains openapi" "id:104,phase:4,deny,status:451,log,msg:'four'"
SecRule ARGS:go "@streq away" "id:105,phase:1,redirect:'https://kabuto.example/',status:302,log,msg:'away'"
SecRule ARGS:go "@streq nowhere" "id:106,phase:1,drop,log,msg:'nowhere'"
"""


class WithServer(unittest.TestCase):
    options = ()
    rules = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(FEED, data=True, options=cls.options)
        cls.addClassCleanup(cls.server.end)
        if cls.rules:
            cls.rule_file = os.path.join(cls.server.folder, "own.conf")
            cls.write_rules(cls.rules)
            cls.server.options += ["--firewall-rules", cls.rule_file]
        cls.server.start()

    @classmethod
    def write_rules(cls, text):
        with open(cls.rule_file, "w") as file:
            file.write(text)

    @classmethod
    def line(cls, request_id):
        """What the log says of a request."""
        found = []

        def look():
            with open(os.path.join(cls.server.data, "firewall.jsonl")) as log:
                found[:] = [line for line in map(json.loads, log) if line["request_id"] == request_id]
            return found

        until(look, f"a line about {request_id}")
        assert len(found) == 1, found
        return found[0]

    def asked(self, path, status, action, method="GET", headers=None, body=None):
        """Asks, and gives the answer with its line of the log."""
        answer = self.server.request(method, path, headers, body)
        self.assertEqual(answer.status, status, answer.body)
        self.assertRegex(answer.headers["X-Request-ID"], "^[0-9a-f]{32}$")
        line = self.line(answer.headers["X-Request-ID"])
        self.assertLessEqual(FIELDS, set(line))
        for match in line["matches"]:
            self.assertLessEqual(MATCH, set(match))
        self.assertEqual((line["status"], line["action"], line["method"], line["uri"]), (status, action, method, path))
        self.assertEqual(line["client"], "127.0.0.1")
        return answer, line


@unittest.skipUnless(INSTALLED, "modsecurity-crs is not installed")
class CoreRuleSet(WithServer):
    """The default: no option about the firewall at all."""

    def test_attacks_are_denied_with_a_support_id(self):
        for attack, rule in [
            ("/v1/quotes?instruments=1%27%20OR%201%3D1%20--%20", 942100),
            ("/v1/instruments?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E", 941100),
            ("/?file=../../../../etc/passwd", 930120),
            ("/v1/instruments?q=%3Bcat%20/etc/passwd", 932160),
        ]:
            with self.subTest(attack):
                answer, line = self.asked(attack, 403, "block")
                self.assertEqual(answer.type, "application/problem+json")
                self.assertEqual(answer.json["support_id"], answer.headers["X-Request-ID"])
                self.assertEqual(line["mode"], "block")
                self.assertGreaterEqual(line["score"], 5)
                self.assertIn(rule, [match["id"] for match in line["matches"]])

    def test_block_page_is_for_people(self):
        page, _ = self.asked("/?q=%3Cscript%3E", 403, "block", headers={"Accept": "text/html", "Accept-Language": "ja,en"})
        self.assertEqual(page.type, "text/html")
        text = page.body.decode()
        self.assertIn("サポートID", text)
        self.assertEqual(re.search("<code>(.*?)</code>", text)[1], page.headers["X-Request-ID"])
        self.assertNotIn("script-src", page.headers["Content-Security-Policy"])

    def test_a_page_of_another_origin_can_read_the_support_id(self):
        answer, _ = self.asked("/?q=%3Cscript%3E", 403, "block", headers={"Origin": "https://broker.example"})
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
        self.assertIn("X-Request-ID", answer.headers["Access-Control-Expose-Headers"])

    def test_what_the_viewer_and_programs_ask_passes(self):
        codes = self.server.codes()
        viewer = [
            os.path.relpath(os.path.join(folder, name), "Sources/Gateway/Viewer")
            for folder, _, names in os.walk("Sources/Gateway/Viewer") for name in names
        ] if os.path.isdir("Sources/Gateway/Viewer") else []
        self.assertTrue(viewer, "run from the project's folder")
        paths = ["/", "/?lang=ja&theme=dark&encoding=binary", "/openapi.json", "/health/live", "/health/ready", "/metrics"]
        paths += ["/" + path for path in viewer if not path.startswith(".")]
        paths += [
            "/v1/status", f"/v1/quotes?instruments={','.join(codes)}", f"/v1/quotes/{codes[0]}", "/v1/instruments?q=%E6%A0%AA",
            f"/v1/books/{codes[0]}.XTKS?levels=10", f"/v1/trades/{codes[0]}?limit=5",
            f"/v1/bars/{codes[0]}?interval=1m&from=2026-01-05T09:00:00%2B09:00&to=2026-01-05T15:30:00%2B09:00",
            f"/v1/bars/{codes[0]}?interval=1m&from=2026-01-05T09:00:00.123456789Z",
            f"/v1/bars/{codes[0]}?interval=1d&from=2026-01-05",
        ]
        for path in ["/v1/instruments", f"/v1/trades/{codes[0]}"]:
            answer = until(lambda: (a := self.server.get(path, limit=1)).json["next"] and a, "a cursor")
            paths.append(f"{path}?limit=1&cursor={answer.json['next']}")
        browser = {
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language": "ja,en-US;q=0.9",
            "Referer": self.server.url + "/", "If-None-Match": '"0123456789abcdef"', "Cookie": "a=1; theme=dark",
        }
        for path in paths:
            for headers in ({}, browser):
                with self.subTest(path, browser=bool(headers)):
                    answer = self.server.request("GET", path, headers)
                    self.assertIn(answer.status, (200, 304), answer.body[:300])
                    self.assertLess(self.line(answer.headers["X-Request-ID"])["score"], 5)

    def test_other_methods_are_answered_as_before(self):
        self.asked("/v1/quotes", 200, "pass", method="HEAD")
        answer = self.server.request("OPTIONS", "/v1/quotes", {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"})
        self.assertIn(answer.status, (200, 204))
        answer, line = self.asked("/v1/quotes", 403, "block", method="DELETE")
        self.assertIn(911100, [match["id"] for match in line["matches"]])

    def test_a_body_that_is_not_what_it_says_is_denied(self):
        _, line = self.asked("/v1/quotes", 400, "block", method="POST", headers={"Content-Type": "application/json"}, body='{"a":')
        self.assertEqual([match["id"] for match in line["matches"]], [10003])
        self.asked("/v1/quotes", 405, "pass", method="POST", headers={"Content-Type": "application/json"}, body='{"a":1}')

    def test_host_may_be_the_address_that_was_asked(self):
        _, line = self.asked("/health/live", 200, "pass")
        self.assertEqual((line["score"], line["matches"]), (0, []))
        _, line = self.asked("/health/live", 200, "pass", headers={"Host": "192.0.2.7"})
        self.assertEqual([match["id"] for match in line["matches"]], [920350])

    def test_websocket_works_through(self):
        async def talk():
            async with websockets.connect(self.server.stream_url) as socket:
                await socket.send(json.dumps({"op": "subscribe", "id": "1", "channel": "quotes", "instruments": ["*"], "interval": 0}))
                events = []
                while len(events) < 60:
                    events += json.loads(await socket.recv())
                return socket.response.headers["X-Request-ID"], events

        request_id, events = asyncio.run(asyncio.wait_for(talk(), 60))
        self.assertIn("update", {event["type"] for event in events})
        line = self.line(request_id)
        self.assertEqual((line["status"], line["action"], line["uri"]), (101, "pass", "/v1/stream"))

    def test_server_sent_events_work_through(self):
        connection = self.server.connection()
        self.addCleanup(connection.close)
        connection.request("GET", "/v1/events?channel=quotes&instruments=*", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        until(lambda: answer.readline().startswith(b"data: ["), "an event")
        # Logged at the start: the stream has no end yet.
        self.assertEqual(self.line(answer.headers["X-Request-ID"])["action"], "pass")

    def test_attacks_in_handshakes_are_denied(self):
        handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                     "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        self.asked("/v1/stream?a=%3Cscript%3E", 403, "block", headers=handshake)
        self.asked("/v1/events?channel=quotes&instruments=%3Cscript%3E", 403, "block")

    def test_metrics_count(self):
        def figure(name):
            return int(re.search(rf"^kabuto_firewall_{name} (\d+)$", self.server.get("/metrics").body.decode(), re.M)[1])

        requests, blocked = figure("requests_total"), figure("blocked_total")
        self.asked("/?q=%3Cscript%3E", 403, "block")
        self.assertEqual(figure("blocked_total"), blocked + 1)
        self.assertEqual(figure("requests_total"), requests + 4)

    def test_start_is_announced(self):
        said = [json.loads(line) for line in self.server.log_text(100_000).splitlines()]
        line = next(line for line in said if line["message"] == "firewall")
        self.assertEqual(line["mode"], "block")
        self.assertGreater(int(line["count"]), 100)


class OwnRules(WithServer):
    """Each phase by a rule of its own."""

    rules = RULES

    def test_phases(self):
        self.asked("/health/live", 200, "pass")
        _, line = self.asked("/health/live?phase=one", 403, "block")
        (match,) = line["matches"]
        self.assertEqual(
            [match[name] for name in ("id", "phase", "message", "severity", "variable", "value", "tags")],
            [101, 1, "one", "CRITICAL", "ARGS:phase", "one", ["test"]])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.asked("/v1/quotes", 418, "block", method="POST", body="a=evil", headers=form)
        self.asked("/v1/quotes", 405, "pass", method="POST", body="a=good", headers=form)
        self.asked("/nothing-here", 410, "block")
        answer, _ = self.asked("/openapi.json", 451, "block")
        self.assertNotIn(b"paths", answer.body)
        answer, line = self.asked("/openapi.json", 200, "pass", method="HEAD")
        self.assertEqual(line["matches"], [])

    def test_redirect_and_drop(self):
        answer, _ = self.asked("/?go=away", 302, "block")
        self.assertEqual(answer.headers["Location"], "https://kabuto.example/")
        with self.assertRaises(OSError):
            self.server.request("GET", "/?go=nowhere")

    def test_a_body_beyond_the_gateways_bound_is_logged(self):
        answer, line = self.asked("/v1/quotes", 413, "pass", method="POST", body=b"x" * 70_000)
        self.assertEqual(len(line["notes"]) > 0, True)
        self.asked("/v1/quotes?phase=one", 403, "block", method="POST", body=b"x" * 70_000)

    def test_connection_stays_after_a_denial(self):
        connection = self.server.connection()
        self.addCleanup(connection.close)
        seen = []
        for path in ["/health/live?phase=one", "/health/live", "/health/live?phase=one"]:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            seen.append((answer.status, connection.sock is not None))
        self.assertEqual(seen, [(403, True), (200, True), (403, True)])


class Reloading(WithServer):
    rules = RULES

    def denied(self, path):
        return self.server.get(path).status == 403

    def test_rules_are_exchanged_and_bad_ones_are_not(self):
        self.assertTrue(self.denied("/health/live?phase=one"))
        self.write_rules(RULES + 'SecRule ARGS:x "@rx (" "id:200,phase:1,deny"\nSecNonsense 1\n')
        self.server.process.send_signal(signal.SIGHUP)
        until(lambda: "the old one stays" in self.server.log_text(), "a complaint")
        said = self.server.log_text()
        self.assertIn("own.conf:", said)
        self.assertIn("SecNonsense", said)
        self.assertTrue(self.denied("/health/live?phase=one"))
        self.write_rules(RULES.replace("@streq one", "@streq other"))
        self.server.process.send_signal(signal.SIGHUP)
        until(lambda: self.denied("/health/live?phase=other"), "the new rules")
        self.assertFalse(self.denied("/health/live?phase=one"))
        # The log is opened anew, too.
        log = os.path.join(self.server.data, "firewall.jsonl")
        os.rename(log, log + ".1")
        self.server.process.send_signal(signal.SIGHUP)
        until(lambda: os.path.exists(log), "a new log")
        self.asked("/health/live", 200, "pass")
        self.assertEqual(self.server.terminate(), 0, self.server.log_text())


class Observing(WithServer):
    options = ("--firewall", "observe")
    rules = RULES

    def test_all_passes_and_is_told(self):
        _, line = self.asked("/health/live?phase=one", 200, "alarm")
        self.assertEqual((line["mode"], [match["id"] for match in line["matches"]]), ("observe", [101]))
        self.asked("/openapi.json", 200, "alarm")
        self.asked("/health/live", 200, "pass")


class Staging(WithServer):
    options = ("--firewall", "stage")
    rules = RULES

    def test_stage_has_its_own_mark(self):
        _, line = self.asked("/health/live?phase=one", 200, "alarm")
        self.assertEqual(line["mode"], "stage")


class Off(WithServer):
    options = ("--firewall", "off")

    def test_nothing_is_asked(self):
        answer = self.server.get("/health/live?q=%3Cscript%3E")
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.headers["X-Request-ID"])
        self.assertNotIn("kabuto_firewall", self.server.get("/metrics").body.decode())
        self.assertFalse(os.path.exists(os.path.join(self.server.data, "firewall.jsonl")))
        self.assertIn("firewall off", self.server.log_text())


class WrongSettings(unittest.TestCase):
    def serve(self, *options, environment=None):
        ended = run("serve", "--listen", "127.0.0.1:0", "--feed", "sim:instruments=5", *options, environment=environment)
        self.assertEqual(ended.returncode, 2, ended.stderr)
        return ended.stderr

    def test_faults_are_named(self):
        self.assertIn("observe, stage, block or off", self.serve("--firewall", "maybe"))
        self.assertIn("observe, stage, block or off", self.serve(environment={"KABUTO_FIREWALL": "maybe"}))
        missing = self.serve("--firewall-rules", "/nowhere/rules.conf")
        self.assertIn("/nowhere/rules.conf", missing)
        self.assertIn("--firewall off", missing)
        with open("/dev/null") as nothing:
            self.assertIn("/nowhere/log", self.serve("--firewall-rules", nothing.name, "--firewall-log", "/nowhere/log"))


if __name__ == "__main__":
    unittest.main()
