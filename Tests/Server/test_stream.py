"""The stream from outside: snapshots and updates folded are REST's state at the same sequence number; resuming
misses nothing; what is wrong is told. Two client libraries, server-sent events, and bare sockets."""

import asyncio
import json
import os
import socket
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import aiohttp
import websockets

from bare import Bare
from document import document
from kabuto import PATIENCE_SECONDS, Server, trading_server, until

BIG = 16 << 20  # what a client takes in one message


STANDING = ("state", "reference", "reference_date")  # what clients of trades or bars alone are told besides


class Fold:
    """What a client knows: snapshots, and updates put upon them. Checks each event as it comes."""

    def __init__(self):
        self.values = {}
        self.trades = {}
        self.sources = {}
        self.others = []
        self.events = 0
        self.updates = 0
        self.conflated = 0
        self.standing = {}

    def take(self, text):
        for event in json.loads(text):
            self.events += 1
            document().check_event(event)
            self.one(event)

    def one(self, event):
        kind, channel, name = event["type"], event.get("channel"), event.get("instrument")
        if kind == "heartbeat":
            self.sources = {source["market"]: source for source in event["sources"]}
        if kind == "state":
            assert event["seq"] >= self.values[(channel, name)]["seq"], f"seq fell: {event}"
        if kind in ("state", "snapshot") and channel in ("trades", "bars"):
            self.standing[(channel, name)] = {field: event[field] for field in STANDING}
        if kind not in ("snapshot", "update", "stale", "fresh") or name is None:
            self.others.append(event)
            return
        key = (channel, name)
        content = {field: value for field, value in event.items() if field not in ("type", "channel", "rx", "conflated")}
        self.conflated += event.get("conflated", 0)
        before = self.values.get(key)
        if kind == "snapshot":
            self.values[key] = content
            if channel == "trades":
                self.trades[name] = {trade["seq"]: trade for trade in reversed(event["trades"])}
            return
        assert before is not None, f"{kind} before the snapshot: {event}"
        if kind in ("stale", "fresh"):
            before["stale"] = event.get("stale")
            return
        self.updates += 1
        if channel == "bars":
            assert event["seq"] >= before["seq"], f"seq fell: {event} after {before['seq']}"
        else:
            assert event["seq"] > before["seq"] or channel == "trades" and event["seq"] >= before["seq"], (
                f"seq did not rise: {event} after {before['seq']}")
        if channel == "trades":
            assert "dropped" not in event, f"trades were dropped: {event}"
            if "broke" in event:
                self.trades[name][event["broke"]]["broken"] = True
            else:
                assert event["seq"] not in self.trades[name], f"a trade came twice: {event}"
                self.trades[name][event["seq"]] = event
        before.update(content)

    def position(self):
        """What to resume from: the newest sequence seen of each epoch."""
        seen = {}
        for value in self.values.values():
            key = (value["market"], value["epoch"])
            seen[key] = max(seen.get(key, 0), value["seq"])
        return [{"market": market, "epoch": epoch, "seq": seq} for (market, epoch), seq in seen.items()]

    def of(self, kind):
        return [event for event in self.others if event["type"] == kind]


def subscribe(channel, instruments, id=None, **more):
    return json.dumps({"op": "subscribe", "id": id or channel, "channel": channel, "instruments": instruments, **more})


async def receive_until(line, fold, what, name, seconds=PATIENCE_SECONDS):
    async with asyncio.timeout(seconds):
        while not what():
            fold.take(await line.recv())


def connect(server, **options):
    return websockets.connect(server.stream_url, max_size=BIG, **options)


class Stream(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = trading_server()
        cls.names = cls.server.busy(8)

    async def ask(self, path):
        async with self.session.get(self.server.url + path) as answer:
            self.assertEqual(answer.status, 200)
            return await answer.json()

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it would tell of each slow step of ours
        self.session = aiohttp.ClientSession()

    async def asyncTearDown(self):
        await self.session.close()

    # MARK: values

    async def compare(self, interval, names, wanted, everything=False):
        """Folds, and asks REST again and again: where both stand at one sequence number, they are equal."""
        equal = {"quotes": 0, "books": 0}
        fold = Fold()
        async with connect(self.server) as line:
            target = ["*"] if everything else names
            for channel in ("quotes", "books", "trades", "bars"):
                more = {"levels": 5} if channel == "books" else {}
                await line.send(subscribe(channel, target, interval=interval, **more))

            async def listen():
                async for frame in line:
                    fold.take(frame)

            listening = asyncio.create_task(listen())
            async with asyncio.timeout(PATIENCE_SECONDS):
                while min(equal.values()) < wanted or fold.updates <= 20:  # a quick machine asks faster than prices move
                    for name in names:
                        for channel, path in (("quotes", f"/v1/quotes/{name}"), ("books", f"/v1/books/{name}?levels=5")):
                            if listening.done():
                                listening.result()
                            state = await self.ask(path)
                            mine = fold.values.get((channel, name))
                            if mine is None or mine["seq"] != state["seq"] or mine["epoch"] != state["epoch"]:
                                continue
                            state.pop("name", None)
                            self.assertEqual(mine, state, f"{channel} {name} at {state['seq']}")
                            equal[channel] += 1
            # Trades: what was folded is what REST lists.
            for name in names:
                # What is folded before the question is asked: a trade may come while it is on its way.
                mine = dict(fold.trades.get(name, {}))
                listed = (await self.ask(f"/v1/trades/{name}?limit=1000"))["trades"]
                if not mine:
                    continue
                newest, oldest = max(mine), min(mine)
                between = [trade["seq"] for trade in listed if oldest <= trade["seq"] <= newest]
                self.assertEqual(sorted(mine, reverse=True), between, f"trades of {name}")
                for trade in listed:
                    if trade["seq"] in mine:
                        for field in ("price", "size", "match", "side", "kind", "direction", "time"):
                            self.assertEqual(mine[trade["seq"]][field], trade[field])
            listening.cancel()
        self.assertGreater(fold.updates, 20)
        return fold

    async def test_folded_updates_are_rest_at_each_update(self):
        await self.compare(0, self.names, 60)

    async def test_folded_updates_are_rest_with_an_interval(self):
        await self.compare(50, self.names, 60)

    async def test_folded_updates_are_rest_for_the_whole_market(self):
        fold = await self.compare(100, self.names, 20, everything=True)
        self.assertEqual(len([1 for channel, _ in fold.values if channel == "quotes"]), 120)

    async def test_an_interval_gathers_updates(self):
        """The same values with fewer frames: at the end both subscribers know the same."""
        folds = [Fold(), Fold()]
        async with connect(self.server) as quick, connect(self.server) as slow:
            await quick.send(subscribe("quotes", ["*"], interval=0))
            await slow.send(subscribe("quotes", ["*"], interval=1000))
            frames = [0, 0]

            async def listen(number, line):
                async for frame in line:
                    frames[number] += 1
                    folds[number].take(frame)

            tasks = [asyncio.create_task(listen(0, quick)), asyncio.create_task(listen(1, slow))]
            async with asyncio.timeout(PATIENCE_SECONDS):
                while frames[1] < 4 or frames[0] < 40:
                    await asyncio.sleep(0.05)
                    for task in tasks:
                        if task.done():
                            task.result()
            for task in tasks:
                task.cancel()
        self.assertGreater(folds[0].updates, folds[1].updates)

    async def test_timing_adds_when_the_packet_came(self):
        fold, seen = Fold(), []
        async with connect(self.server) as line:
            await line.send(subscribe("quotes", ["*"], interval=0, timing=True))
            while len(seen) < 20:
                frame = await line.recv()
                fold.take(frame)
                seen += [event["rx"] for event in json.loads(frame) if event["type"] == "update"]
        self.assertTrue(all(int(rx) > 1_600_000_000_000_000_000 for rx in seen))

    async def test_overlapping_subscriptions_give_each_update_once(self):
        fold = Fold()
        async with connect(self.server) as line:
            await line.send(subscribe("quotes", self.names, id="slow", interval=200))
            await line.send(subscribe("quotes", self.names[:4], id="quick", interval=0))
            await line.send(subscribe("quotes", ["*"], id="all", interval=50))
            await receive_until(line, fold, lambda: fold.updates > 300, "updates")
            await line.send(json.dumps({"op": "unsubscribe", "id": "all"}))
            await receive_until(line, fold, lambda: fold.of("unsubscribed"), "unsubscribed")
            fold.values = {key: value for key, value in fold.values.items() if key[1] in self.names}
            await receive_until(line, fold, lambda: fold.updates > 350, "updates of the rest alone")
            for id in ("slow", "quick"):
                await line.send(json.dumps({"op": "unsubscribe", "id": id}))
            await receive_until(line, fold, lambda: len(fold.of("unsubscribed")) == 3, "the end of all")
            fold.values = {}
            await receive_until(line, fold, lambda: fold.of("heartbeat"), "silence, and a heartbeat")
        self.assertEqual([source["market"] for source in fold.of("heartbeat")[0]["sources"]], ["XTKS"])

    # MARK: resuming

    async def test_a_resume_is_exact(self):
        for interval in (0, 100):
            fold = Fold()
            channels = ("quotes", "books", "trades", "bars")
            async with connect(self.server) as line:
                for channel in channels:
                    await line.send(subscribe(channel, self.names, interval=interval))
                await receive_until(line, fold, lambda: fold.updates > 60, "updates")
            for _ in range(3):
                # Positions by channel: each channel has been read to another number.
                async with connect(self.server) as line:
                    for channel in channels:
                        seqs = {}
                        for (known, _), value in fold.values.items():
                            if known == channel:
                                key = (value["market"], value["epoch"])
                                seqs[key] = max(seqs.get(key, 0), value["seq"])
                        positions = [{"market": m, "epoch": e, "seq": s} for (m, e), s in seqs.items()]
                        await line.send(json.dumps({"op": "resume", "id": channel, "channel": channel,
                                                    "instruments": self.names, "interval": interval, "from": positions}))
                    before, answers = fold.updates, len(fold.of("resumed"))
                    await receive_until(
                        line, fold, lambda: fold.updates > before + 30 and len(fold.of("resumed")) == answers + 4, "more")
                await asyncio.sleep(0.5)  # the market goes on meanwhile
            for event in fold.of("resumed"):
                self.assertEqual((event["mode"], event["missed"]), ("exact", None), event)
            # Nothing was lost: the folded trades are those that REST lists.
            for name in self.names:
                listed = (await self.ask(f"/v1/trades/{name}?limit=1000"))["trades"]
                mine = fold.trades[name]
                if mine:
                    between = [trade["seq"] for trade in listed if min(mine) <= trade["seq"] <= max(mine)]
                    self.assertEqual(sorted(mine, reverse=True), between, name)

    async def test_a_resume_from_elsewhere_is_a_snapshot(self):
        fold = Fold()
        async with connect(self.server) as line:
            await line.send(json.dumps({"op": "resume", "id": "1", "channel": "quotes", "instruments": self.names,
                                        "from": [{"market": "XTKS", "epoch": "2001-01-01", "seq": 5}]}))
            await receive_until(line, fold, lambda: len(fold.values) == len(self.names), "snapshots")
        (answer,) = fold.of("resumed")
        self.assertEqual(answer["mode"], "snapshot")
        self.assertEqual(len(answer["missed"]), 2)

    # MARK: commands

    async def test_every_wrong_command_is_told(self):
        wrong = [
            ("", "bad_json"), ("{", "bad_json"), ("[]", "bad_json"), ("7", "bad_json"), ("[" * 5000, "bad_json"),
            ('{"op":"jump"}', "unknown_op"), ("{}", "unknown_op"), ('{"op":7}', "unknown_op"),
            ('{"op":"subscribe"}', "bad_id"), ('{"op":"unsubscribe"}', "bad_id"),
            ('{"op":"unsubscribe","id":"none"}', "unknown_id"),
            ('{"op":"ping","id":"%s"}' % ("x" * 129), "bad_id"),
            ('{"op":"subscribe","id":"1","channel":"news","instruments":["*"]}', "bad_channel"),
            ('{"op":"subscribe","id":"1","channel":"quotes"}', "bad_instruments"),
            ('{"op":"subscribe","id":"1","channel":"quotes","instruments":[]}', "bad_instruments"),
            ('{"op":"subscribe","id":"1","channel":"quotes","instruments":[1]}', "bad_instruments"),
            (subscribe("quotes", ["*"], interval=-1), "bad_interval"),
            (subscribe("quotes", ["*"], interval=10_001), "bad_interval"),
            (subscribe("quotes", ["*"], interval="x"), "bad_interval"),
            (subscribe("books", ["*"], levels=0), "bad_levels"),
            (subscribe("books", ["*"], levels=51), "bad_levels"),
            (subscribe("quotes", ["*"], timing="yes"), "bad_timing"),
            ('{"op":"resume","id":"1","channel":"quotes","instruments":["*"]}', "bad_from"),
            ('{"op":"resume","id":"1","channel":"quotes","instruments":["*"],"from":[{"market":"XTKS"}]}', "bad_from"),
            (subscribe("quotes", ["NOSUCH"]), "unknown_instrument"),
        ]
        async with connect(self.server) as line:
            for text, code in wrong:
                await line.send(text)
                (event,) = json.loads(await line.recv())
                document().check_event(event)
                self.assertEqual((event["type"], event["code"]), ("error", code), text[:80])
                self.assertTrue(event["detail"])
            await line.send('{"op":"ping","id":"still there"}')
            self.assertEqual(json.loads(await line.recv()), [{"type": "pong", "id": "still there"}])
            await line.send('{"op":"ping"}')
            self.assertEqual(json.loads(await line.recv()), [{"type": "pong", "id": None}])

    async def test_known_instruments_are_served_beside_unknown_ones(self):
        fold = Fold()
        async with connect(self.server) as line:
            await line.send(subscribe("quotes", ["NOSUCH", self.names[0], f"{self.names[0]}.XTKS"], id="1"))
            await receive_until(line, fold, lambda: fold.values, "a snapshot")
        (error,) = fold.of("error")
        self.assertEqual((error["code"], error["id"]), ("unknown_instrument", "1"))
        self.assertIn("NOSUCH", error["detail"])
        self.assertEqual(fold.of("subscribed")[0]["instruments"], 1)

    async def test_a_subscription_replaces_the_one_of_its_id(self):
        fold = Fold()
        async with connect(self.server) as line:
            await line.send(subscribe("quotes", ["*"], id="1", interval=0))
            await line.send(subscribe("quotes", [self.names[0]], id="1", interval=0))
            await receive_until(line, fold, lambda: len(fold.of("subscribed")) == 2, "both")
            fold.values = {("quotes", self.names[0]): fold.values[("quotes", self.names[0])]}
            await line.send('{"op":"ping","id":"x"}')
            await receive_until(line, fold, lambda: fold.of("pong"), "the end of what was under way")
            start = fold.updates
            await receive_until(line, fold, lambda: fold.updates > start + 3, "updates of the one")  # others would fail

    async def test_aiohttp_gets_the_same(self):
        fold = Fold()
        async with self.session.ws_connect(self.server.stream_url, max_msg_size=BIG, compress=15) as line:
            await line.send_str(subscribe("books", self.names, interval=0))
            await line.ping()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while fold.updates < 30:
                    fold.take((await line.receive()).data)
            await line.close(code=1000)
            self.assertEqual(line.close_code, 1000)

    async def test_fragments_are_one_message(self):
        fold = Fold()
        async with connect(self.server) as line:
            text = subscribe("quotes", self.names)
            await line.send(iter([text[:10], text[10:30], "", text[30:]]))
            await receive_until(line, fold, lambda: len(fold.values) == len(self.names), "snapshots")

    # MARK: limits

    async def test_a_message_too_big_closes_with_1009(self):
        for text in ("x" * 70_000, iter(["x" * 40_000, "x" * 40_000])):
            async with connect(self.server) as line:
                with self.assertRaises(websockets.ConnectionClosed) as closed:
                    await line.send(text)
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        while True:
                            (event,) = json.loads(await line.recv())
                            self.assertEqual(event["code"], "message_too_big")
                self.assertEqual(closed.exception.rcvd.code, 1009)

    async def test_too_many_messages_close_with_1008(self):
        async with connect(self.server) as line:
            with self.assertRaises(websockets.ConnectionClosed) as closed:
                for _ in range(2_000):
                    await line.send('{"op":"ping"}')
                while True:
                    await line.recv()
            self.assertEqual(closed.exception.rcvd.code, 1008)

    # MARK: server-sent events

    async def events(self, query, headers=None, count=20):
        """Frames and ids of an event stream."""
        found = []
        async with self.session.get(self.server.url + "/v1/events?" + query, headers=headers) as answer:
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
            id = None
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(found) < count:
                    text = (await answer.content.readuntil(b"\n\n")).decode()
                    for row in text.strip().split("\n"):
                        name, _, value = row.partition(": ")
                        if name == "id":
                            id = value
                        elif name == "data":
                            found.append((id, value))
                        else:
                            self.fail(row)
        return found

    async def test_events_carry_the_same_frames_and_resume(self):
        for channel in ("quotes", "trades"):
            fold = Fold()
            query = f"channel={channel}&instruments=*&interval=0"
            found = await self.events(query, count=40)
            for _ in range(3):
                for _, frame in found:
                    fold.take(frame)
                found = await self.events(query, {"Last-Event-ID": found[-1][0]}, count=25)
            self.assertEqual([event["mode"] for event in fold.of("resumed")], ["exact", "exact"])
            self.assertEqual(fold.of("subscribed")[0]["id"], "events")

    async def test_events_of_one_instrument_with_levels(self):
        ((_, first),) = await self.events(f"channel=books&instruments={self.names[0]}&levels=2&interval=100", count=1)
        fold = Fold()
        fold.take(first)
        self.assertLessEqual(len(fold.values[("books", self.names[0])]["bids"]), 2)

    async def test_events_tell_unknown_instruments(self):
        ((_, first),) = await self.events("channel=quotes&instruments=NOSUCH", count=1)
        self.assertEqual(json.loads(first)[0]["code"], "unknown_instrument")


class Frames(unittest.TestCase):
    """RFC 6455 at its edges."""

    @classmethod
    def setUpClass(cls):
        cls.server = trading_server()

    def line(self, **options):
        line = Bare(self.server, **options)
        self.addCleanup(line.line.close)
        return line

    def test_the_handshake_is_that_of_the_rfc(self):
        line = self.line()
        self.assertIn(b"101 Switching Protocols", line.head)
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", line.head)
        self.assertNotIn(b"extensions", line.head.lower())

    def test_what_comes_with_the_handshake_is_read(self):
        line = self.line(first=Bare.frame(1, b'{"op":"ping","id":"early"}') + Bare.frame(9, b"too"))
        self.assertEqual(line.receive(), (1, b'[{"type":"pong","id":"early"}]'))
        self.assertEqual(line.receive(), (10, b"too"))

    def test_close_codes(self):
        cases = [
            (1007, [(1, b"\xff\xfe")]),
            (1007, [(1, b"\xc3", {"fin": False}), (0, b"\x28")]),
            (1002, [(1, b"{}", {"mask": None})]),
            (1002, [(1, b"{}", {"rsv": 4})]),
            (1002, [(3, b"")]),
            (1002, [(11, b"")]),
            (1002, [(0, b"alone")]),
            (1002, [(1, b"{", {"fin": False}), (1, b"}")]),
            (1002, [(9, b"x" * 126)]),
            (1002, [(9, b"x", {"fin": False})]),
            (1003, [(2, b"binary")]),
            (1000, [(8, b"")]),
            (1000, [(8, struct.pack("!H", 1000))]),
            (1001, [(8, struct.pack("!H", 1001) + b"bye")]),
            (4999, [(8, struct.pack("!H", 4999))]),
            (1002, [(8, b"x")]),
            (1002, [(8, struct.pack("!H", 1005))]),
            (1002, [(8, struct.pack("!H", 999))]),
            (1002, [(8, struct.pack("!H", 2999))]),
            (1007, [(8, struct.pack("!H", 1000) + b"\xff")]),
        ]
        for code, frames in cases:
            with self.subTest(code=code, frames=frames):
                line = self.line()
                for opcode, data, *options in frames:
                    line.send(opcode, data, **(options[0] if options else {}))
                self.assertEqual(line.close_code(), code)

    def test_a_character_may_be_cut_between_fragments(self):
        text = '{"op":"ping","id":"値"}'.encode()
        line = self.line().send(1, text[:20], fin=False)
        line.send(9, b"between").send(0, text[20:], fin=True)
        self.assertEqual(line.receive(), (10, b"between"))
        self.assertEqual(json.loads(line.receive()[1])[0]["id"], "値")

    def test_a_length_that_nobody_sends_closes_at_once(self):
        line = self.line()
        line.line.sendall(b"\x81\xff" + struct.pack("!Q", 1 << 40) + b"\x00" * 4)
        self.assertEqual(line.close_code(), 1009)

    def test_a_connection_may_ask_first_and_upgrade_then(self):
        line = Bare(self.server, handshake=False)
        self.addCleanup(line.line.close)
        for _ in range(2):
            line.line.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            line.until(b'{"status":"live"}')
        line.line.sendall(
            b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        self.assertIn(b"101", line.until(b"\r\n\r\n"))
        self.assertEqual(line.send(9, b"x").receive(), (10, b"x"))

    def test_handshakes_that_are_wrong_are_told(self):
        good = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        for status, change in ((426, {"Upgrade": None}), (426, {"Connection": None}), (426, {"Sec-WebSocket-Version": "8"}),
                               (426, {"Sec-WebSocket-Version": None}), (400, {"Sec-WebSocket-Key": None}),
                               (426, {"Upgrade": "h2c"})):
            headers = {name: value for name, value in {**good, **change}.items() if value}
            answer = self.server.get("/v1/stream", headers=headers)
            self.assertEqual(answer.status, status, change)
            document().check("Problem", answer.json)
        answer = self.server.get("/v1/stream", headers={**good, "Sec-WebSocket-Version": "8"})
        self.assertEqual(answer.headers["Sec-WebSocket-Version"], "13")

    def test_a_client_that_is_gone_is_forgotten(self):
        def clients():
            return sum(loop["clients"] for loop in self.server.json("/v1/status")["loops"])

        before = clients()
        lines = [self.line() for _ in range(10)]
        for line in lines:
            line.send(1, b'{"op":"subscribe","id":"1","channel":"quotes","instruments":["*"],"interval":0}')
            line.receive()
        self.assertGreaterEqual(clients(), before + 10)
        for number, line in enumerate(lines):
            if number % 2:
                line.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset
            line.line.close()
        until(lambda: clients() <= before, "the clients to be forgotten")


class Limits(unittest.TestCase):
    def test_connections_beyond_the_limit_are_told(self):
        server = Server("sim:seed=7&speed=1&instruments=5", environment={"KABUTO_CONNECTIONS": "6"}).start()
        self.addCleanup(server.end)
        until(lambda: server.json("/v1/status")["connections"]["open"] == 1, "only this connection")
        lines = [Bare(server) for _ in range(6)]
        for path in ("/v1/quotes", "/v1/stream"):
            answer = server.get(path)
            self.assertEqual((answer.status, answer.type), (503, "application/problem+json"))
            self.assertEqual(answer.json["type"], "/problems/too-many-connections")
            self.assertTrue(answer.headers["Retry-After"])
            document().check("Problem", answer.json)
        for line in lines:
            line.line.close()
        until(lambda: server.get("/v1/quotes").status == 200, "room again")
        self.assertGreaterEqual(server.json("/v1/status")["connections"]["refused"], 2)

    def test_a_client_may_want_only_so_much(self):
        server = Server("sim:seed=7&speed=1&instruments=10",
                        environment={"KABUTO_SUBSCRIPTIONS": "5", "KABUTO_MESSAGE_BYTES": "256"}).start()
        self.addCleanup(server.end)
        names = server.codes()
        line = Bare(server)
        self.addCleanup(line.line.close)
        line.send(1, subscribe("quotes", names[:6]).encode())
        (error,) = json.loads(line.receive()[1])
        self.assertEqual(error["code"], "too_many_subscriptions")
        line.send(1, subscribe("quotes", names[:5]).encode())
        self.assertEqual(json.loads(line.receive()[1])[0]["type"], "subscribed")
        line.send(1, b'{"op":"ping","id":"' + b"x" * 300 + b'"}')
        self.assertEqual(line.close_code(), 1009)


if __name__ == "__main__":
    unittest.main()
