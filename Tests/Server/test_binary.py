"""kabuto.binary.1 from outside: the same events as JSON, field by field; REST's values; resuming; and the viewer's decoder
against the one here."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import websockets

from binary_stream import Decoder
from document import document
from kabuto import PATIENCE_SECONDS, trading_server
from test_stream import BIG, Fold, subscribe

BINARY = "kabuto.binary.1"
CHANNELS = ("quotes", "books", "trades", "bars")
DECODER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Sources", "Gateway", "Viewer", "js", "kabuto-binary.js")
SCRIPT = """
const {{ BinaryDecoder }} = await import({module});
const {{ createInterface }} = await import("node:readline");
const decoder = new BinaryDecoder();
for await (const line of createInterface({{ input: process.stdin }})) {{
  const bytes = Buffer.from(line, "hex");
  console.log(JSON.stringify(decoder.frame(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))));
}}
"""


class BinaryFold(Fold):
    def __init__(self):
        super().__init__()
        self.decoder = Decoder()

    def take(self, data):
        for event in self.decoder.frame(data):
            self.events += 1
            document().check_event(event)
            self.one(event)


class Binary(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = trading_server()
        cls.names = cls.server.busy(8)

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    def connect(self, *protocols):
        return websockets.connect(self.server.stream_url, max_size=BIG, subprotocols=list(protocols) or None)

    async def gather(self, line, decode, wanted, seconds=PATIENCE_SECONDS, events=None):
        """Events by what they are, and the frames, until `wanted(events)`."""
        events, frames = {} if events is None else events, []
        async with asyncio.timeout(seconds):
            while not wanted(events):
                frame = await line.recv()
                frames.append(frame)
                for event in decode(frame):
                    key = (event["type"], event.get("channel"), event.get("instrument"), event.get("seq"), event.get("start"))
                    events[key] = event
        return events, frames

    async def test_every_event_is_that_of_json(self):
        async with self.connect() as text, self.connect(BINARY) as binary:
            self.assertEqual(binary.subprotocol, BINARY)
            self.assertIsNone(text.subprotocol)
            for line in (text, binary):
                for channel in CHANNELS:
                    await line.send(subscribe(channel, ["*"], interval=0, timing=True))
                await line.send('{"op":"nothing","id":"値"}')

            # One of the two may be behind by much: both are read until enough of what came is common to both.
            left, right = {}, {}

            def enough(_):
                common = [key for key in left.keys() & right.keys() if key[0] == "update"]
                return len(common) > 400 and {key[1] for key in common} == set(CHANNELS) and ("error", None, None, None, None) in left.keys() & right.keys()

            (_, _), (_, frames) = await asyncio.gather(
                self.gather(text, json.loads, enough, events=left),
                self.gather(binary, Decoder().frame, enough, events=right))
            common, whole = left.keys() & right.keys(), 0
            for event in right.values():
                document().check_event(event)
            for key in common:
                if "conflated" in left[key] or "conflated" in right[key]:
                    continue  # one of the two was slow: the event holds more fields there
                for event in (left[key], right[key]):
                    if key[0] == "update":
                        event["rx"] = event["rx"].isdecimal()  # of the newest packet: a client that is late has a later one
                if key[1] in ("trades", "bars") and key[0] in ("snapshot", "state"):
                    for event in (left[key], right[key]):
                        event.pop("time")  # how far the source was when it was written
                if key[:2] == ("update", "books"):
                    # A client that was behind for a moment has the whole book where another has what changed of it
                    # (docs/STREAM.md, Delivery): what both tell is the same.
                    both = left[key].keys() & right[key].keys()
                    whole += left[key].keys() != right[key].keys()
                    self.assertEqual({name: left[key][name] for name in both}, {name: right[key][name] for name in both}, key)
                    self.assertGreaterEqual(both, {"type", "channel", "instrument", "seq", "time"})
                    continue
                self.assertEqual(left[key], right[key], key)
            updates = [key for key in common if key[0] == "update"]
            self.assertGreater(len(updates), 100)
            self.assertEqual({key[1] for key in updates}, set(CHANNELS))
            self.assertLess(whole, sum(key[1] == "books" for key in updates))
            self.assertTrue(all(isinstance(frame, bytes) for frame in frames))
            self.assertIn(("error", None, None, None, None), common)
            self.assertLess(sum(map(len, frames)), 10_000_000)

    async def test_folded_updates_are_rest(self):
        fold, equal = BinaryFold(), {"quotes": 0, "books": 0}
        async with self.connect(BINARY, "kabuto.json.1") as line:
            for channel in CHANNELS:
                await line.send(subscribe(channel, self.names, interval=0, **({"levels": 5} if channel == "books" else {})))

            async def listen():
                async for frame in line:
                    fold.take(frame)

            listening = asyncio.create_task(listen())
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(PATIENCE_SECONDS * 2):
                while min(equal.values()) < 40 or fold.updates < 40:
                    for name in self.names:
                        for channel, path in (("quotes", f"/v1/quotes/{name}"), ("books", f"/v1/books/{name}?levels=5")):
                            if listening.done():
                                listening.result()
                            state = await loop.run_in_executor(None, self.server.json, path)
                            mine = fold.values.get((channel, name))
                            if mine is None or mine["seq"] != state["seq"]:
                                continue
                            state.pop("name", None)
                            self.assertEqual(mine, state)
                            equal[channel] += 1
            listening.cancel()
        self.assertFalse(fold.of("error"))

    async def test_a_resume_names_its_instruments(self):
        for channel in ("quotes", "trades"):
            fold = BinaryFold()
            for turn in range(3):
                fold.decoder = Decoder()  # numbers are those of a connection
                async with self.connect(BINARY) as line, asyncio.timeout(PATIENCE_SECONDS):
                    resume = {"op": "resume", "from": fold.position()} if turn else {}
                    await line.send(json.dumps({**json.loads(subscribe(channel, ["*"], interval=0)), **resume}))
                    start = fold.updates
                    while fold.updates < start + 20:
                        fold.take(await line.recv())
            self.assertEqual([event["mode"] for event in fold.of("resumed")], ["exact", "exact"])

    async def test_the_subprotocol_is_the_first_that_is_known(self):
        for asked, given in ((["other"], None), (["other", "kabuto.json.1", BINARY], "kabuto.json.1"), ([BINARY], BINARY)):
            async with self.connect(*asked) as line:
                self.assertEqual(line.subprotocol, given)
                await line.send('{"op":"ping","id":"x"}')
                frame = await line.recv()
                self.assertIsInstance(frame, bytes if given == BINARY else str)
                events = Decoder().frame(frame) if given == BINARY else json.loads(frame)
                self.assertEqual(events, [{"type": "pong", "id": "x"}])

    @unittest.skipUnless(shutil.which("node"), "node runs the viewer's decoder; Tests/Browser does it in a browser")
    async def test_the_viewers_decoder_reads_the_same(self):
        async with self.connect(BINARY) as line:
            for channel in CHANNELS:
                await line.send(subscribe(channel, ["*"], interval=50, timing=True))
            _, frames = await self.gather(
                line, Decoder().frame, lambda events: sum(key[0] == "update" for key in events) > 300)
        decoder = Decoder()
        wanted = [decoder.frame(frame) for frame in frames]
        script = SCRIPT.format(module=json.dumps("file://" + os.path.abspath(DECODER)))
        ran = subprocess.run(["node", "--input-type=module", "-e", script], input="\n".join(frame.hex() for frame in frames),
                             capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        found = [json.loads(line) for line in ran.stdout.splitlines()]
        self.assertEqual(found, wanted)


if __name__ == "__main__":
    unittest.main()
