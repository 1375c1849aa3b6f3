"""REST from outside: every answer is what the served document says, and the pages join without gap or double."""

import gzip
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from document import document
from kabuto import Server, simulated_file, trading_server, until, whole_day_server


class Documented(unittest.TestCase):
    def check(self, server, path, schema, status=200, **query):
        answer = server.get(path, **query)
        self.assertEqual(answer.status, status, f"{path} {query}: {answer.body[:300]!r}")
        self.assertEqual(answer.type, "application/problem+json" if schema == "Problem" else "application/json")
        value = answer.json
        document().check(schema, value)
        if schema == "Problem":
            self.assertEqual(value["status"], status)
            self.assertEqual(value["instance"], path)
        return value

    def check_all(self, server):
        for query in ({}, {"limit": 3}, {"limit": 10_000}):
            self.check(server, "/v1/instruments", "Instruments", **query)
            self.check(server, "/v1/quotes", "Quotes", **query)
        names = server.busy(4) + server.codes()[:4]
        self.check(server, "/v1/quotes", "Quotes", instruments=",".join(names))
        for name in names:
            self.check(server, f"/v1/quotes/{name}", "Quote")
            for levels in (None, 1, 1000):
                self.check(server, f"/v1/books/{name}", "Book", levels=levels)
            for limit in (None, 1, 1000):
                self.check(server, f"/v1/trades/{name}", "Trades", limit=limit)
            for interval in (None, "1m", "1d"):
                self.check(server, f"/v1/bars/{name}", "Bars", interval=interval)
        self.check(server, "/v1/status", "Status")
        self.check(server, "/health/live", "Live")


class WhileTrading(Documented):
    @classmethod
    def setUpClass(cls):
        cls.server = trading_server(fresh=True)

    def test_every_answer_is_as_documented(self):
        self.check_all(self.server)
        self.check(self.server, "/health/ready", "Ready")

    def test_every_problem_is_as_documented(self):
        name = self.server.busy()[0]
        bad = [
            ("/v1/quotes/NOSUCH", 404, {}),
            ("/v1/books/NOSUCH", 404, {}),
            ("/v1/trades/NOSUCH", 404, {}),
            ("/v1/bars/NOSUCH", 404, {}),
            ("/v1/quotes", 404, {"instruments": f"{name},NOSUCH,NOTHER"}),
            ("/v1/nothing", 404, {}),
            ("/v1", 404, {}),
            ("/nothing", 404, {}),
            ("/v1/instruments", 400, {"limit": 0}),
            ("/v1/instruments", 400, {"limit": "many"}),
            ("/v1/instruments", 400, {"cursor": "NOSUCH.XTKS"}),
            ("/v1/instruments", 400, {"q": "x" * 201}),
            ("/v1/quotes", 400, {"instruments": ","}),
            ("/v1/quotes", 400, {"instruments": ",".join(["X"] * 1001)}),
            (f"/v1/books/{name}", 400, {"levels": 1001}),
            (f"/v1/trades/{name}", 400, {"limit": 1001}),
            (f"/v1/trades/{name}", 400, {"cursor": "yesterday"}),
            (f"/v1/bars/{name}", 400, {"interval": "5m"}),
            (f"/v1/bars/{name}", 400, {"from_": "yesterday"}),
            (f"/v1/bars/{name}", 400, {"to": "2026-02-30"}),
            ("/v1/events", 400, {"channel": "news", "levels": 51, "interval": -1}),
        ]
        for path, status, query in bad:
            with self.subTest(path=path, query=str(query)[:60]):
                self.check(self.server, path, "Problem", status, **query)
        faults = self.check(self.server, "/v1/events", "Problem", 400, channel="news", levels=51, interval=-1)
        self.assertEqual(len(faults["errors"]), 4, "channel, instruments, interval, levels: all at once")

    def test_other_methods_are_refused(self):
        answer = self.server.request("POST", "/v1/quotes")
        self.assertEqual(answer.status, 405)
        document().check("Problem", answer.json)
        for method in ("PUT", "DELETE", "PATCH", "TRACE"):  # by the firewall, before the gateway sees them
            answer = self.server.request(method, "/v1/quotes")
            self.assertEqual(answer.status, 403, method)
            document().check("Denial", answer.json)

    def test_times_far_away_are_answered(self):
        name = self.server.busy()[0]
        whole = len(self.server.json(f"/v1/bars/{name}", limit=10_000)["bars"])
        for far in ("9999-12-31T23:59:59Z", "2300-01-01", "2262-04-12T00:00:00Z", "2261-12-31T23:59:60.999999999-23:59"):
            self.assertEqual(self.server.json(f"/v1/bars/{name}", from_=far)["bars"], [], far)
            self.assertGreaterEqual(len(self.server.json(f"/v1/bars/{name}", to=far, limit=10_000)["bars"]), whole)
        for early in ("0001-01-01T00:00:00Z", "1677-01-01"):
            self.assertEqual(self.server.json(f"/v1/bars/{name}", to=early)["bars"], [], early)
        self.assertEqual(self.server.get("/health/live").status, 200)

    def test_a_tag_saves_the_answer_until_the_values_change(self):
        # An instrument that nothing happens to while we ask.
        def saved(kind):
            for name in reversed(self.server.busy(120)):
                first = self.server.get(f"/v1/{kind}/{name}")
                tag = first.headers["ETag"]
                for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
                    second = self.server.get(f"/v1/{kind}/{name}", headers={"If-None-Match": given})
                    if second.status != 304 and second.headers["ETag"] != tag:
                        break  # it changed meanwhile: another instrument
                    self.assertEqual(second.status, 304, given)
                    self.assertEqual(second.body, b"")
                    self.assertEqual(second.headers["ETag"], tag if given != "*" else second.headers["ETag"])
                else:
                    third = self.server.get(f"/v1/{kind}/{name}", headers={"If-None-Match": '"other"'})
                    self.assertEqual(third.status, 200)
                    return True
            return False

        self.assertTrue(saved("quotes"))
        self.assertTrue(saved("books"))
        page = self.server.get("/")
        self.assertEqual(self.server.get("/", headers={"If-None-Match": page.headers["ETag"]}).status, 304)

    def test_a_tag_changes_with_the_values(self):
        name = self.server.busy()[0]
        tag = self.server.get(f"/v1/quotes/{name}").headers["ETag"]
        until(
            lambda: self.server.get(f"/v1/quotes/{name}", headers={"If-None-Match": tag}).status == 200, "another quote"
        )

    def test_large_answers_are_compressed_where_wanted(self):
        plain = self.server.get("/v1/instruments", limit=100)
        self.assertIsNone(plain.headers["Content-Encoding"])
        packed = self.server.get("/v1/instruments?limit=100", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertIn("Accept-Encoding", packed.headers["Vary"])
        self.assertLess(len(packed.body), len(plain.body) / 2)
        self.assertEqual(json.loads(gzip.decompress(packed.body)), plain.json)
        small = self.server.get("/health/live", headers={"Accept-Encoding": "gzip"})
        self.assertIsNone(small.headers["Content-Encoding"])
        refused = self.server.get("/v1/instruments?limit=100", headers={"Accept-Encoding": "gzip;q=0"})
        self.assertIsNone(refused.headers["Content-Encoding"])

    def test_head_is_get_without_a_body(self):
        for encoding in ("identity", "gzip"):
            connection = self.server.connection()
            for path in ("/v1/instruments?limit=100", "/health/live", "/", "/v1/nothing", "/openapi.json", "/metrics"):
                # Bytes behind the head would spoil the next answer on this connection.
                connection.request("HEAD", path, headers={"Accept-Encoding": encoding})
                head = connection.getresponse()
                self.assertEqual(head.read(), b"")
                connection.request("GET", path)
                whole = connection.getresponse()
                body = whole.read()
                self.assertEqual(head.status, whole.status, path)
                self.assertEqual(head.headers["Content-Type"], whole.headers["Content-Type"])
                if path != "/metrics":
                    self.assertEqual(int(head.headers["Content-Length"]), len(body), path)
            connection.close()

    def test_browsers_of_other_origins_may_ask(self):
        answer = self.server.get("/v1/quotes?limit=1", headers={"Origin": "https://example.com"})
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
        self.assertIn("ETag", answer.headers["Access-Control-Expose-Headers"])
        for path in ("/v1/quotes", "/v1/events", "/v1/stream"):
            flight = self.server.request(
                "OPTIONS", path, {"Origin": "https://example.com", "Access-Control-Request-Method": "GET"}
            )
            self.assertEqual(flight.status, 204, path)
            self.assertEqual(flight.headers["Access-Control-Allow-Origin"], "*")
            self.assertIn("GET", flight.headers["Access-Control-Allow-Methods"])
            self.assertIn("Last-Event-ID", flight.headers["Access-Control-Allow-Headers"])
            self.assertIsNone(flight.headers["Content-Length"])

    def test_http_1_0_is_answered_in_kind(self):
        with self.server.raw() as line:
            line.sendall(b"GET /v1/instruments?limit=100 HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head.lower())
        json.loads(gzip.decompress(body) if b"gzip" in head else body)

    def test_a_connection_goes_on_or_ends_after_an_upgrade_that_is_not_ours(self):
        with self.server.raw() as line:
            line.sendall(
                b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
            )
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        self.assertIn(b"200 OK", answer)
        self.assertIn(b"connection: close", answer.lower())

    def test_requests_in_a_row_are_answered_in_order(self):
        name = self.server.busy()[0]
        paths = ["/v1/status", f"/v1/trades/{name}?limit=1000", "/health/live", f"/v1/bars/{name}", "/v1/nothing"]
        with self.server.raw() as line:
            text = "".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths[:-1])
            text += f"GET {paths[-1]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            line.sendall(text.encode())
            rest = b"".join(iter(lambda: line.recv(65536), b""))
        seen = []
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            size = next(int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length"))
            seen.append(next(iter(json.loads(rest[:size]))))
            rest = rest[size:]
        self.assertEqual(seen, ["version", "trades", "status", "bars", "type"])

    # MARK: pages

    def test_pages_cover_everything_once(self):
        for path, name in (("/v1/instruments", "instruments"), ("/v1/quotes", "quotes")):
            whole = [line["instrument"] for line in self.server.json(path, limit=10_000)[name]]
            for query in ("", "建"):
                wanted = [line["instrument"] for line in self.server.json(path, limit=10_000, q=query)[name]]
                for limit in (7, len(wanted) or 1, 10_000):
                    found, cursor = [], None
                    while True:
                        page = self.server.json(path, limit=limit, q=query, cursor=cursor)
                        self.assertLessEqual(len(page[name]), limit)
                        found += [line["instrument"] for line in page[name]]
                        cursor = page["next"]
                        if cursor is None:
                            break
                    self.assertEqual(found, wanted)
                    self.assertEqual(len(set(found)), len(found))
            self.assertEqual(len(whole), 120)

    def test_a_search_finds_code_and_both_names(self):
        lines = self.server.json("/v1/instruments", limit=10_000)["instruments"]
        line = next(line for line in lines if line["code"].isdigit())

        def finds(text):
            found = self.server.json("/v1/instruments", q=text, limit=10_000)["instruments"]
            return line["instrument"] in [each["instrument"] for each in found]

        wide = "".join(chr(ord(letter) + 0xFEE0) for letter in line["code"])
        english = line["name"]["en"]
        for text in (line["code"], line["code"][:3], line["instrument"], line["instrument"].lower(), wide,
                     line["name"]["ja"], line["name"]["ja"][:2], english, english.upper(), english.lower().split()[0],
                     "".join(chr(ord(letter) + 0xFEE0) if letter != " " else "\u3000" for letter in english)):
            self.assertTrue(finds(text), text)
        self.assertEqual(self.server.json("/v1/instruments", q="no such company")["instruments"], [])

    def test_quotes_come_in_the_order_asked(self):
        names = list(reversed(self.server.busy(5)))
        found = [line["instrument"] for line in self.server.json("/v1/quotes", instruments=",".join(names))["quotes"]]
        self.assertEqual(found, names)
        full = self.server.json(f"/v1/quotes/{names[0]}.XTKS")
        self.assertEqual(full["instrument"], names[0])

    def test_what_is_beyond_the_levels_shown_is_told(self):
        name = self.server.busy()[0]
        for levels in (1, 5, 1000):
            book = self.server.json(f"/v1/books/{name}", levels=levels)
            self.assertLessEqual(len(book["bids"]), levels)
            self.assertEqual(book["bid_total"], book["under"] + sum(level["size"] for level in book["bids"]))
            self.assertEqual(book["ask_total"], book["over"] + sum(level["size"] for level in book["asks"]))
            bids = [level["price"] for level in book["bids"]]
            asks = [level["price"] for level in book["asks"]]
            self.assertEqual(bids, sorted(set(bids), reverse=True))
            self.assertEqual(asks, sorted(set(asks)))

    def test_pages_of_trades_join_while_trades_happen(self):
        name = until(
            lambda: next((n for n in self.server.busy(1) if self.server.json(f"/v1/quotes/{n}")["trades"] > 20), None),
            "twenty trades")
        found, cursor = [], None
        while True:
            page = self.server.json(f"/v1/trades/{name}", limit=7, cursor=cursor)
            found += [trade["seq"] for trade in page["trades"]]
            cursor = page["next"]
            if cursor is None:
                break
        self.assertEqual(found, sorted(set(found), reverse=True))
        whole, cursor = [], None
        while True:
            page = self.server.json(f"/v1/trades/{name}", limit=1000, cursor=cursor)
            whole += [trade["seq"] for trade in page["trades"]]
            cursor = page["next"]
            if cursor is None:
                break
        self.assertEqual(found, [seq for seq in whole if seq <= found[0]])


class AfterTheDay(Documented):
    @classmethod
    def setUpClass(cls):
        cls.server = whole_day_server()

    @classmethod
    def tearDownClass(cls):
        cls.server.end()

    def test_every_answer_is_as_documented(self):
        self.check_all(self.server)
        for quote in self.server.json("/v1/quotes")["quotes"]:
            self.assertIn(quote["state"], ("closed",))
            self.assertEqual(quote["close"] is None, quote["trades"] == 0)

    def trades(self, name, limit):
        found, cursor = [], None
        while True:
            page = self.server.json(f"/v1/trades/{name}", limit=limit, cursor=cursor)
            found += page["trades"]
            cursor = page["next"]
            if cursor is None:
                return found

    def test_trades_join_from_memory_into_the_store(self):
        for name in self.server.busy(2):
            quote = self.server.json(f"/v1/quotes/{name}")
            self.assertGreater(quote["trades"], 300, "more than the memory holds")
            # The store takes what it is given within moments.
            until(lambda: len(self.trades(name, 1000)) == quote["trades"], "all trades", seconds=20)
            whole = self.trades(name, 1000)
            seqs = [trade["seq"] for trade in whole]
            self.assertEqual(seqs, sorted(set(seqs), reverse=True), "newest first, none twice")
            self.assertEqual(sum(trade["size"] for trade in whole), quote["volume"])
            self.assertEqual(whole[0]["price"], quote["last"])
            self.assertEqual(whole[-1]["price"], quote["open"])
            for limit in (1 if quote["trades"] < 500 else 50, 127, 128, 129, 333):
                self.assertEqual(self.trades(name, limit), whole, f"pages of {limit}")

    def test_bars_join_from_memory_into_the_store(self):
        for name in self.server.busy(2):
            quote = self.server.json(f"/v1/quotes/{name}")
            whole = until(
                lambda: (lambda bars: bars if sum(b["volume"] for b in bars) == quote["volume"] else None)(
                    self.server.json(f"/v1/bars/{name}", limit=10_000)["bars"]), "all bars", seconds=20)
            starts = [bar["start"] for bar in whole]
            self.assertEqual(starts, sorted(set(starts)), "oldest first, none twice")
            self.assertEqual(sum(bar["trades"] for bar in whole), quote["trades"])
            self.assertEqual((whole[0]["open"], whole[-1]["close"]), (quote["open"], quote["last"]))
            self.assertEqual(max(bar["high"] for bar in whole), quote["high"])
            self.assertEqual(min(bar["low"] for bar in whole), quote["low"])
            for limit in (1, 3, 5, 50):
                self.assertEqual(self.server.json(f"/v1/bars/{name}", limit=limit)["bars"], whole[-limit:])
            middle = len(whole) // 2
            for start in (whole[middle]["start"], whole[-2]["start"]):
                later = self.server.json(f"/v1/bars/{name}", from_=start, limit=10_000)["bars"]
                self.assertEqual(later, [bar for bar in whole if bar["start"] >= start])
                earlier = self.server.json(f"/v1/bars/{name}", to=start, limit=10_000)["bars"]
                self.assertEqual(earlier, [bar for bar in whole if bar["start"] < start])
                self.assertEqual(self.server.json(f"/v1/bars/{name}", to=start, limit=2)["bars"], earlier[-2:])
                self.assertEqual(self.server.json(f"/v1/bars/{name}", from_=start, limit=2)["bars"], later[:2])
            self.assertEqual(
                self.server.json(f"/v1/bars/{name}", from_=whole[1]["start"], to=whole[3]["start"])["bars"], whole[1:3])
            date = quote["time"][:10]
            self.assertEqual(self.server.json(f"/v1/bars/{name}", from_=date, limit=10_000)["bars"], whole)
            self.assertEqual(self.server.json(f"/v1/bars/{name}", to=date)["bars"], [])
            (day,) = self.server.json(f"/v1/bars/{name}", interval="1d")["bars"]
            self.assertEqual(
                (day["open"], day["high"], day["low"], day["close"], day["volume"], day["trades"]),
                (quote["open"], quote["high"], quote["low"], quote["last"], quote["volume"], quote["trades"]))


class WithoutFirewall(Documented):
    """What the gateway itself says of requests that the firewall would keep from it."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("sim:seed=3&speed=1&instruments=20", options=["--firewall", "off"]).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.end()

    def test_uris_that_cannot_be_decoded_are_told(self):
        for path in ("/v1/quotes/%zz", "/v1/quotes/%ff", "/v1/quotes/%00", "/v1/quotes?q=%", "/v1/instruments?q=%c3%28"):
            answer = self.server.get(path)
            self.assertEqual(answer.status, 400, path)
            document().check("Problem", answer.json)

    def test_other_methods_are_refused(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
            for path in ("/v1/quotes", "/", "/v1/events", "/nothing"):
                answer = self.server.request(method, path)
                self.assertEqual(answer.status, 405, f"{method} {path}")
                self.assertIn("GET", answer.headers["Allow"])
                document().check("Problem", answer.json)

    def test_a_large_body_is_refused(self):
        answer = self.server.request("POST", "/v1/quotes", body=b"x" * 70_000)
        self.assertEqual(answer.status, 413)
        document().check("Problem", answer.json)


class BeforeTheOpen(Documented):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("sim:seed=3&speed=1&instruments=20").start()

    @classmethod
    def tearDownClass(cls):
        cls.server.end()

    def test_every_answer_is_as_documented(self):
        self.check_all(self.server)
        quote = self.server.json("/v1/quotes", limit=1)["quotes"][0]
        self.assertIn(quote["state"], ("pre_open", "auction", "trading"))
        if quote["trades"] == 0:
            for field in ("last", "last_size", "last_time", "direction", "open", "high", "low", "vwap", "close"):
                self.assertIsNone(quote[field], field)


if __name__ == "__main__":
    unittest.main()
