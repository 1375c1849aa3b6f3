"""Live lines to the running server: what is lost on one line, on both, and everywhere; lines that fall silent; a
restart in the midst of a day. What the server then says is what one says that read the same messages from a file."""

import asyncio
import contextlib
import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kabuto import PATIENCE_SECONDS, Server, simulated_file, until
from lines import Exchange, messages_of
from test_stream import Fold, connect, receive_until, subscribe


def source(server, number=0):
    return server.json("/v1/status")["sources"][number]


def state_of(server):
    """All that REST says of prices, but for the epoch's name and what a source that has ended says otherwise."""
    state = {}
    for quote in server.json("/v1/quotes", limit=1000)["quotes"]:
        name = quote["instrument"]
        book = server.json(f"/v1/books/{name}", levels=50)
        trades = server.json(f"/v1/trades/{name}", limit=1000)
        state[name] = [quote, book, trades["trades"]]
    for parts in state.values():
        for part in parts[:2] + parts[2]:
            part.pop("epoch", None)
    return state


def unnamed(state):
    """The same without the names of quotes and books."""
    return {
        name: [{k: v for k, v in quote.items() if k not in ("seq", "time")},
               {k: v for k, v in book.items() if k not in ("seq", "time")}, trades]
        for name, (quote, book, trades) in state.items()
    }


def has_all_trades(state):
    return all(len(trades) == min(1000, quote["trades"]) for quote, _, trades in state.values())


def snapshots(server):
    files = [os.path.join(server.data, name) for name in os.listdir(server.data) if name.endswith(".sqlite")]
    if not files:
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM snapshot").fetchone()[0]


class Lines(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.messages = messages_of(simulated_file())[:40_000]
        folder = os.path.dirname(simulated_file())
        path = os.path.join(folder, "part.itch")
        with open(path, "wb") as file:
            for message in cls.messages:
                file.write(len(message).to_bytes(2, "big") + message)
        whole = Server(f"itch:{path}?speed=max&date=2026-11-25&market=XTKS").start(ready=False)
        try:
            until(lambda: source(whole)["state"] == "ended", "the end of the file")
            until(lambda: whole.json("/v1/status")["loops"][0]["ring_fill"] == 0, "an empty ring")
            # The store follows by a batch; the oldest trades come from it.
            until(lambda: has_all_trades(state_of(whole)), "all trades")
            cls.expected = state_of(whole)
        finally:
            whole.end()

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it would tell of each slow step of ours

    def exchange(self, **options):
        exchange = Exchange(self.messages, **options)
        self.addCleanup(exchange.close)
        return exchange

    def server(self, *feeds, **options):
        server = Server(*feeds, **options).start(ready=False)
        self.addCleanup(server.end)
        return server

    def reached(self, server, number):
        until(lambda: source(server)["seq"] >= number, f"message {number}")
        until(lambda: server.json("/v1/status")["loops"][0]["ring_fill"] == 0, "an empty ring")

    def test_both_lines_lose_a_fifth_and_nothing_is_missing(self):
        exchange = self.exchange(multicast=True, seed=5)
        exchange.loss = [0.2, 0.2]
        server = self.server(exchange.source())
        exchange.publish()
        self.reached(server, len(self.messages))
        until(lambda: source(server)["state"] == "live", "a live source")
        # The lines' figures are published by and by, a moment behind the source's.
        def counted(found):
            return sum(line["first"] for line in found["lines"]) + found["requests"]["recovered"]

        until(lambda: counted(source(server)) >= len(self.messages), "the figures of the lines")
        found = source(server)
        self.assertEqual((found["lost"], found["repeated"], found["messages"]), (0, 0, len(self.messages)))
        self.assertEqual(found["requests"]["gaps"], 0)
        self.assertGreater(found["requests"]["recovered"], 0)
        exchange.loss = [0, 0]  # beats are lost like the rest
        until(lambda: [line["state"] for line in source(server)["lines"]] == ["live", "live"], "both lines")
        self.assertTrue(all(line["missing"] > 0 for line in found["lines"]))
        self.assertEqual(counted(found), len(self.messages))
        until(lambda: has_all_trades(state_of(server)), "all trades")
        self.assertEqual(state_of(server), self.expected)
        text = server.get("/metrics").body.decode()
        self.assertIn('kabuto_line_missing_total{line="A",market="XTKS"}', text)
        self.assertIn('kabuto_recovery_sent_total{market="XTKS"}', text)

    async def test_what_nobody_has_is_one_gap_told_to_clients_and_healed_later(self):
        exchange = self.exchange()
        server = self.server(exchange.source(wait=150))
        await asyncio.to_thread(exchange.publish, 10_000)
        await asyncio.to_thread(self.reached, server, 10_000)
        name = server.busy()[0]
        fold = Fold()
        async with connect(server) as line:
            await line.send(subscribe("quotes", ["*"], interval=0))
            await receive_until(line, fold, lambda: len(fold.values) > 0, "snapshots")
            exchange.nobody = set(range(10_500, 10_600))
            await asyncio.to_thread(exchange.publish, 20_000)

            def stale():
                return all((value["stale"] or {}).get("reason") == "gap" for value in fold.values.values())

            await receive_until(line, fold, stale, "stale quotes")
            await asyncio.to_thread(self.reached, server, 20_000)
            found = source(server)
            self.assertEqual(found["state"], "gap")
            self.assertEqual(found["requests"]["gaps"], 1)
            self.assertEqual(found["lost"], found["requests"]["lost"])
            self.assertEqual(server.json(f"/v1/quotes/{name}")["stale"]["reason"], "gap")
            self.assertEqual(server.get("/health/ready").status, 503)
            exchange.nobody = set()
            await asyncio.to_thread(exchange.publish)
            await receive_until(line, fold, lambda: all(value["stale"] is None for value in fold.values.values()), "live quotes")
        await asyncio.to_thread(self.reached, server, len(self.messages))
        found = source(server)
        self.assertEqual((found["state"], found["requests"]["healed"]), ("live", 1))
        # The store has what was learned late as well.
        # Values that came with the healed state are named by its message, not by that of their last change.
        expected = unnamed(self.expected)
        await asyncio.to_thread(until, lambda: unnamed(state_of(server)) == expected, "the state of a whole day")

    async def test_silent_lines_make_stale_only_what_they_carry(self):
        quiet, beating = self.exchange(), Exchange(self.messages[:5_000], session="OTHER", seed=3)
        self.addCleanup(beating.close)
        server = self.server(quiet.source(), beating.source(market="XJPX"))
        for exchange in (quiet, beating):
            await asyncio.to_thread(exchange.publish, 5_000)
        await asyncio.to_thread(until, lambda: all(s["seq"] == 5_000 and s["state"] == "live" for s in server.json("/v1/status")["sources"]), "both sources")
        fold = Fold()
        async with connect(server) as line:
            await line.send(subscribe("quotes", ["*"], interval=0))
            await receive_until(line, fold, lambda: len(fold.values) == 12, "snapshots")
            quiet.silent = [True, True]

            def reasons(market):
                return {(v["stale"] or {}).get("reason") for (_, name), v in fold.values.items() if v["market"] == market}

            await receive_until(line, fold, lambda: reasons("XTKS") == {"silent"}, "silence")
            self.assertEqual(reasons("XJPX"), {None})
            quiet.silent = [False, True]
            await receive_until(line, fold, lambda: reasons("XTKS") == {None}, "life")
        (found,) = [s for s in server.json("/v1/status")["sources"] if s["market"] == "XTKS"]
        self.assertEqual([line["state"] for line in found["lines"]], ["live", "silent"])

    def test_a_restart_goes_on_from_its_snapshot_and_asks_for_the_rest(self):
        exchange = self.exchange()
        server = self.server(exchange.source(), data=True, environment={"KABUTO_SNAPSHOT_SECONDS": "1"})
        exchange.publish(15_000)
        self.reached(server, 15_000)
        until(lambda: snapshots(server) > 0, "a snapshot")
        server.kill()
        exchange.publish(30_000)
        server.start(ready=False)
        exchange.publish()
        self.reached(server, len(self.messages))
        until(lambda: source(server)["state"] == "live", "a live source")
        self.assertEqual(source(server)["lost"], 0)
        self.assertIn("restored", server.log_text())
        until(lambda: state_of(server) == self.expected, "the state of a whole day")

    def test_the_end_of_a_session_and_the_next_one(self):
        exchange = self.exchange()
        server = self.server(exchange.source())
        exchange.publish(3_000)
        self.reached(server, 3_000)
        exchange.end_session()
        until(lambda: source(server)["state"] == "ended", "the end")
        self.assertEqual(source(server)["epoch"], "DAY1.2026-11-25")
        with exchange.lock:
            exchange.session = b"DAY2".ljust(10)
            exchange.next = 1
        exchange.publish(2_000)
        until(lambda: source(server)["epoch"] == "DAY2.2026-11-26" and source(server)["seq"] == 2_000, "the next session")
        self.assertEqual(source(server)["state"], "live")


if __name__ == "__main__":
    unittest.main()
