"""A server's life: getting ready, ending, starting again; several markets, TLS, settings, figures, `kabuto top`."""

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import websockets
from prometheus_client.parser import text_string_to_metric_families

from document import document
from kabuto import PATIENCE_SECONDS, Server, run, simulated_file, trading_server, until
from test_stream import BIG, Fold, connect, subscribe


class Quiet(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it would tell of each slow step of ours


class Ending(Quiet):
    async def test_clients_are_told_to_move_then_closed_and_the_status_is_0(self):
        server = Server("sim:seed=7&speed=20&instruments=20", environment={"KABUTO_DRAIN_MS": "500"}).start()
        self.addCleanup(server.end)
        silent, busy = Fold(), Fold()
        async with connect(server) as line, connect(server) as other:
            await other.send(subscribe("quotes", ["*"], interval=0))
            busy.take(await other.recv())
            answer = server.raw()
            answer.sendall(b"GET /v1/events?channel=quotes&instruments=* HTTP/1.1\r\nHost: x\r\n\r\n")
            answer.recv(10)
            idle = server.raw()
            ended = asyncio.create_task(asyncio.to_thread(server.terminate))
            for fold, each in ((silent, line), (busy, other)):
                with self.assertRaises(websockets.ConnectionClosed) as closed:
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        while True:
                            fold.take(await each.recv())
                self.assertEqual(closed.exception.rcvd.code, 1001)
                (move,) = fold.of("move")
                self.assertEqual(move["in_ms"], 500)
            self.assertEqual(await ended, 0)
            rest = b"".join(iter(lambda: answer.recv(65536), b""))
            self.assertIn(b'"type":"move"', rest)
            self.assertTrue(rest.endswith(b"0\r\n\r\n"), "the event stream is ended, not cut")
            answer.close()
            idle.close()

    async def test_no_new_work_while_ending(self):
        server = Server("sim:seed=7&speed=20&instruments=5", environment={"KABUTO_DRAIN_MS": "3000"}).start()
        self.addCleanup(server.end)
        kept = server.connection()
        kept.request("GET", "/health/ready")
        self.assertEqual(kept.getresponse().read()[:17], b'{"status":"ready"')
        async with connect(server) as line:
            ended = asyncio.create_task(asyncio.to_thread(server.terminate))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not any(event["type"] == "move" for event in json.loads(await line.recv())):
                    pass

            def ask():
                kept.request("GET", "/health/ready")
                answer = kept.getresponse()
                return answer.status, json.loads(answer.read()), answer.headers["Connection"]

            status, body, connection = await asyncio.to_thread(ask)
            self.assertEqual((status, connection), (503, "close"))
            document().check("Ready", body)
            self.assertIn("ending", " ".join(body["reasons"]))
        self.assertEqual(await ended, 0)
        kept.close()


class StartingAgain(unittest.TestCase):
    def stand(self, server):
        (source,) = server.json("/v1/status")["sources"]
        return source["epoch"], source["seq"]

    def trades(self, server, name):
        found, cursor = [], None
        while True:
            page = server.json(f"/v1/trades/{name}", limit=1000, cursor=cursor)
            found += page["trades"]
            cursor = page["next"]
            if cursor is None:
                return found

    def check(self, feed, end):
        server = Server(feed, data=True, environment={"KABUTO_SNAPSHOT_SECONDS": "0.5"}).start()
        self.addCleanup(server.end)
        until(lambda: sum(q["trades"] for q in server.json("/v1/quotes")["quotes"]) > 150, "trades")
        name = server.busy()[0]
        before = {trade["seq"]: trade for trade in self.trades(server, name)}
        epoch, sequence = self.stand(server)
        # A snapshot at least as new as what we have seen.
        if end == "kill":
            until(lambda: self.stand(server)[1] > sequence + 2000, "more than a snapshot's time", pause=0.6)
            server.kill()
        else:
            self.assertEqual(server.terminate(), 0)
        server.start(ready=False)
        began = until(lambda: self.stand(server)[1] > 0 and self.stand(server), "a state")
        self.assertEqual(began[0], epoch)
        self.assertGreaterEqual(began[1], sequence)
        until(lambda: server.answers("/health/ready"), "readiness")
        after = self.trades(server, name)
        seqs = [trade["seq"] for trade in after]
        self.assertEqual(seqs, sorted(set(seqs), reverse=True), "rows are not doubled")
        for trade in after:
            if trade["seq"] in before:
                self.assertEqual(trade, before[trade["seq"]], "nothing got another number")
        self.assertLessEqual(set(before), set(seqs), "nothing is missing")
        until(lambda: self.stand(server)[1] > began[1], "the feed to go on")
        quote = until(lambda: self.settled(server, name), "trades and figures of one moment")
        self.assertEqual(quote[0], quote[1])
        return server

    def settled(self, server, name):
        """The number of trades by the quote and by the list, at one sequence number."""
        first = server.json(f"/v1/quotes/{name}")
        listed = self.trades(server, name)
        second = server.json(f"/v1/quotes/{name}")
        if first["trades"] != second["trades"]:
            return None
        volume = sum(trade["size"] for trade in listed if not trade["broken"])
        return (first["trades"], first["volume"]), (len(listed), volume)

    def test_the_simulator_goes_on_where_it_ended(self):
        self.check("sim:seed=7&speed=20&instruments=40", "term")

    def test_the_simulator_goes_on_after_a_kill(self):
        self.check("sim:seed=7&speed=20&instruments=40", "kill")

    def test_a_file_goes_on_where_it_ended(self):
        self.check(f"itch:{simulated_file()}?speed=600", "term")

    def test_a_file_goes_on_after_a_kill(self):
        self.check(f"itch:{simulated_file()}?speed=600", "kill")


class SeveralMarkets(Quiet):
    async def test_a_code_in_two_markets_needs_its_market(self):
        with open(simulated_file() + ".reference.json", encoding="utf-8") as file:
            other = json.load(file)
        server = Server("sim:seed=7&speed=20&instruments=6", f"itch:{simulated_file()}?speed=600&market=XNAG").start(ready=False)
        self.addCleanup(server.end)
        until(lambda: len(server.json("/v1/instruments")["instruments"]) == 12, "both markets")
        lines = server.json("/v1/instruments")["instruments"]
        self.assertEqual({line["market"] for line in lines}, {"XTKS", "XNAG"})
        code = other["instruments"][0]["code"]
        shown = [line["instrument"] for line in lines if line["code"] == code]
        self.assertEqual(sorted(shown), [f"{code}.XNAG", f"{code}.XTKS"])
        for path in ("quotes", "books", "trades", "bars"):
            answer = server.get(f"/v1/{path}/{code}")
            self.assertEqual((answer.status, answer.json["type"]), (400, "/problems/ambiguous-instrument"))
            document().check("Problem", answer.json)
        self.assertEqual(server.get("/v1/quotes", instruments=f"{code},{code}.XTKS").status, 404)
        for market in ("XNAG", "XTKS"):
            quote = server.json(f"/v1/quotes/{code}.{market}")
            document().check("Quote", quote)
            self.assertEqual((quote["market"], quote["instrument"]), (market, f"{code}.{market}"))
            for path, schema in (("trades", "Trades"), ("bars", "Bars"), ("books", "Book")):
                document().check(schema, server.json(f"/v1/{path}/{code}.{market}"))
        fold = Fold()
        async with connect(server) as line:
            await line.send(subscribe("quotes", [code, f"{code}.XNAG"]))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not fold.values:
                    fold.take(await line.recv())
        self.assertEqual(list(fold.values), [("quotes", f"{code}.XNAG")])
        self.assertIn(f"{code} (in several markets", fold.of("error")[0]["detail"])

    def test_a_market_can_be_read_once_only(self):
        ended = run("serve", "--listen", "127.0.0.1:0", "--feed", "sim:", "--feed", f"itch:{simulated_file()}?market=XTKS")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("XTKS", ended.stderr)
        self.assertIn("?market=", ended.stderr)


class Encrypted(Quiet):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kabuto-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.certificate, cls.key = cls.folder + "/certificate.pem", cls.folder + "/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", cls.key, "-out", cls.certificate],
            check=True, capture_output=True)

    async def test_https_and_wss(self):
        server = Server("sim:seed=7&speed=20&instruments=5", tls=self.certificate,
                        options=["--tls-certificate", self.certificate, "--tls-key", self.key]).start()
        self.addCleanup(server.end)
        document().check("Quotes", server.json("/v1/quotes"))
        context = ssl.create_default_context(cafile=self.certificate)
        fold = Fold()
        async with connect(server, ssl=context) as line:
            await line.send(subscribe("quotes", ["*"], interval=0))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while fold.updates < 10:
                    fold.take(await line.recv())
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        async with connect(server, ssl=context) as line:
            await line.send('{"op":"ping"}')
            self.assertEqual(json.loads(await line.recv())[0]["type"], "pong")
        self.assertEqual(server.terminate(), 0)

    def test_what_is_missing_is_told(self):
        for options in (["--tls-certificate", self.certificate], ["--tls-key", self.key],
                        ["--tls-certificate", "/nowhere", "--tls-key", self.key],
                        ["--tls-certificate", self.certificate, "--tls-key", self.certificate]):
            ended = run("serve", "--listen", "127.0.0.1:0", "--feed", "sim:instruments=5", *options)
            self.assertEqual(ended.returncode, 2, options)
            self.assertIn("tls", ended.stderr)


class Figures(unittest.TestCase):
    def test_metrics_are_prometheus_text(self):
        server = trading_server()
        answer = server.get("/metrics")
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
        for name in ("kabuto_build_info", "kabuto_uptime_seconds", "kabuto_feed_messages", "kabuto_feed_malformed",
                     "kabuto_feed_lost", "kabuto_feed_sequence", "kabuto_feed_live", "kabuto_feed_lag_seconds",
                     "kabuto_instruments", "kabuto_live_orders", "kabuto_clients", "kabuto_events_encoded",
                     "kabuto_events_delivered", "kabuto_events_conflated", "kabuto_frames", "kabuto_connections",
                     "kabuto_connections_refused", "kabuto_http_responses", "kabuto_store_ok",
                     "kabuto_store_rows_written", "kabuto_store_rows_lost"):
            self.assertIn(name, families)
            self.assertTrue(families[name].samples, name)
            self.assertTrue(families[name].documentation, name)
        for family in families.values():
            for sample in family.samples:
                self.assertGreaterEqual(sample.value, 0, sample)
        self.assertEqual(families["kabuto_feed_messages"].samples[0].labels, {"market": "XTKS"})
        self.assertEqual(families["kabuto_feed_live"].samples[0].value, 1)
        statuses = {sample.labels["status"] for sample in families["kabuto_http_responses"].samples}
        self.assertIn("200", statuses)

    def test_not_ready_before_values_are_current(self):
        server = Server("sim:seed=7&speed=1&instruments=1000").start(ready=False)
        self.addCleanup(server.end)
        answer = server.get("/health/ready")
        if answer.status != 200:  # a quick machine may be through already
            self.assertEqual(answer.status, 503)
            document().check("Ready", answer.json)
            self.assertTrue(answer.json["reasons"])
        until(lambda: server.get("/health/ready").status == 200, "readiness")

    def test_top_shows_the_server(self):
        server = trading_server()
        shown = run("top", server.url, "--once", "--interval", "0.3")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for word in ("MARKET", "XTKS", "live", "LOOP", "connections", "store"):
            self.assertIn(word, shown.stdout)
        self.assertNotIn("\x1b", shown.stdout)
        shown = run("top", server.url + "/", "--json")
        self.assertEqual(shown.returncode, 0)
        document().check("Status", json.loads(shown.stdout))

    def test_top_tells_where_nothing_answers(self):
        for arguments, status in (((f"http://127.0.0.1:9",), 2), (("nonsense",), 64), (("--interval", "0"), 64)):
            self.assertEqual(run("top", *arguments, "--once").returncode, status, arguments)


class Settings(unittest.TestCase):
    def fails(self, status, *arguments, says=(), environment=None):
        ended = run("serve", "--listen", "127.0.0.1:0", *arguments, environment=environment)
        self.assertEqual(ended.returncode, status, ended.stderr)
        self.assertEqual(ended.stdout, "")
        for text in says:
            self.assertIn(text, ended.stderr)

    def test_wrong_usage_is_64(self):
        self.fails(64, "--no-such-flag")
        self.fails(64, "surplus")
        self.assertEqual(run("no-such-command").returncode, 64)

    def test_every_fault_of_the_environment_is_told_with_its_place(self):
        self.fails(2, environment={"KABUTO_LOOPS": "many", "KABUTO_LOG_LEVEL": "loud", "KABUTO_DRAIN_MSS": "5"}, says=(
            "KABUTO_LOOPS", "many", "1 to 64", "KABUTO_LOG_LEVEL", "loud", "KABUTO_DRAIN_MSS", "did you mean KABUTO_DRAIN_MS"))

    def test_every_fault_of_a_file_is_told_with_its_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("listen: nowhere\nloops: 0\n# a remark\nlog_levell: info\nfeeds: {a: b}\nkeep_quotes: perhaps\n")
            file.flush()
            ended = run("serve", "--config", file.name)
            self.assertEqual(ended.returncode, 2)
            for line, word in ((1, "nowhere"), (2, '"0"'), (4, "log_level"), (5, "list of sources"), (6, "perhaps")):
                self.assertTrue(
                    any(f"{file.name}:{line}" in row and word in row for row in ended.stderr.splitlines()),
                    f"line {line} {word}\n{ended.stderr}")

    def test_files_that_cannot_be_read_are_told(self):
        self.fails(2, "--config", "/no/such/file.yaml", says=("/no/such/file.yaml",))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            for text in ("listen: [", "just words", "listen: 127.0.0.1:0\nlisten: 127.0.0.1:1\n"):
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()
                self.fails(2, "--config", file.name, says=(file.name,))

    def test_every_fault_of_the_feeds_is_told(self):
        self.fails(2, "--feed", "itch:/no/such/file", "--feed", "sim:seeds=1", "--feed", "soup:localhost:0",
                   says=("/no/such/file", "seed", "soup:localhost:0"))

    def test_flags_win_over_environment_over_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("feeds:\n  - sim:seed=7&speed=20&instruments=5\nmessage_bytes: 300\nsubscriptions: 3\nloops: 2\n")
            file.flush()
            server = Server(options=["--config", file.name, "--loops", "1"],
                            environment={"KABUTO_SUBSCRIPTIONS": "4", "KABUTO_LOOPS": "3"}).start()
            self.addCleanup(server.end)
            status = server.json("/v1/status")
            self.assertEqual(len(status["loops"]), 1)
            self.assertEqual(status["sources"][0]["source"], "sim:seed=7&speed=20&instruments=5")
            self.assertEqual(server.terminate(), 0)

    def test_an_address_in_use_is_told(self):
        taken = trading_server().port
        ended = run("serve", "--listen", f"127.0.0.1:{taken}", "--feed", "sim:instruments=5")
        self.assertEqual(ended.returncode, 2)
        self.assertIn(f"127.0.0.1:{taken}", ended.stderr)

    def test_several_loops_tell_the_same(self):
        server = Server("sim:seed=7&speed=20&instruments=10", options=["--loops", "2"]).start()
        self.addCleanup(server.end)
        self.assertEqual(len(server.json("/v1/status")["loops"]), 2)
        name = server.codes()[0]
        # Each connection may be another loop's: at one sequence number they say the same.
        seen, equal = {}, 0
        for _ in range(200):
            quote = server.json(f"/v1/quotes/{name}")
            if quote["seq"] in seen:
                equal += 1
                self.assertEqual(quote, seen[quote["seq"]])
            seen[quote["seq"]] = quote
        self.assertGreater(equal, 0)


if __name__ == "__main__":
    unittest.main()
