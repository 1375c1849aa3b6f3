"""Three hundred clients, of whom some are slow, some never read and some mean harm: what the others get is right and
complete, memory stays bounded, and afterwards nothing is left of the bad ones.

KABUTO_SEED repeats the hostile bytes. The same with 5,000 clients and figures: Benchmarks/hostile.py.
"""

import asyncio
import json
import logging
import os
import random
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bare import Bare
from kabuto import PATIENCE_SECONDS, Server, until
from test_stream import Fold, subscribe

CLIENTS, SLOW, STUCK, HOSTILE = 300, 30, 15, 15
FOLDING = 40  # watchers whose every value is looked at
MEMORY = 256 << 20  # what 300 clients may add; 45 of them fill their buffers

frame = Bare.frame


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


class Quick(Fold):
    """Fold without a look at each event's schema, which other tests take."""

    def take(self, text):
        for event in json.loads(text):
            self.events += 1
            self.one(event)


class Client:
    """A WebSocket on asyncio's streams."""

    everyone = set()

    def __init__(self, server):
        self.server = server

    async def open(self, upgrade=True, limit=1 << 16):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.server.port, limit=limit)
        self.everyone.add(self)
        if upgrade:
            self.writer.write(
                b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
            head = await self.reader.readuntil(b"\r\n\r\n")
            assert b" 101 " in head, head
        return self

    def send(self, opcode, data=b"", **options):
        self.writer.write(frame(opcode, data, **options))

    def wish(self, *arguments, **options):
        self.send(1, subscribe(*arguments, **options).encode())

    async def receive(self):
        while True:
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
            data = await self.reader.readexactly(size)
            if first & 15 == 1:
                return data
            assert first & 15 != 8, f"a client that did nothing wrong was closed: {data}"

    def end(self):
        self.writer.transport.abort()
        self.everyone.discard(self)


# What hostile clients do; each is done again and again until the end.

async def random_bytes(client, chance):
    await client.open()
    for _ in range(50):
        client.writer.write(chance.randbytes(chance.randrange(1, 4000)))
        await client.writer.drain()


async def random_bytes_in_place_of_http(client, chance):
    await client.open(upgrade=False)
    client.writer.write(chance.randbytes(5000))
    await client.reader.read()


async def random_frames(client, chance):
    await client.open()
    for _ in range(200):
        client.send(chance.randrange(16), chance.randbytes(chance.randrange(300)), fin=chance.random() < 0.7, rsv=chance.choice((0, 0, 0, 4)))
        await client.writer.drain()


async def handshake_without_end(client, chance):
    await client.open(upgrade=False)
    client.writer.write(b"GET /v1/stream HTTP/1.1\r\n")
    for number in range(10_000):
        client.writer.write(f"X-{number}: {'y' * 50}\r\n".encode())
        await client.writer.drain()
        await asyncio.sleep(0.01)


async def slow_handshake(client, chance):
    await client.open(upgrade=False)
    for byte in b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" * 100:
        client.writer.write(bytes([byte]))
        await asyncio.sleep(0.02)


async def nothing_at_all(client, chance):
    await client.open(upgrade=False)
    await asyncio.sleep(2)


async def giant_message(client, chance):
    await client.open()
    client.writer.write(b"\x81\xff" + struct.pack("!Q", 1 << 32) + b"\0\0\0\0")
    while True:
        client.writer.write(b"x" * 65536)
        await client.writer.drain()


async def message_without_end(client, chance):
    await client.open()
    client.send(1, b"{", fin=False)
    while True:
        client.send(0, b" " * chance.choice((0, 1, 1000)), fin=False)
        await client.writer.drain()


async def subscription_flood(client, chance):
    await client.open()
    names = [f"{number:04}" for number in range(4001)]
    for number in range(10_000):
        client.wish(chance.choice(("quotes", "books", "trades", "bars")), chance.choice((["*"], names)), id=str(number), interval=0)
        if chance.random() < 0.3:
            client.send(1, json.dumps({"op": "unsubscribe", "id": str(number - 1)}).encode())
        await client.writer.drain()
        await asyncio.sleep(0.005)


async def ping_flood(client, chance):
    """Pings without end, and not one pong is read."""
    await client.open(limit=256)
    while True:
        client.writer.write(frame(9, b"x" * 125) * 200)
        await client.writer.drain()


async def requests_without_reading(client, chance):
    await client.open(upgrade=False, limit=256)
    while True:
        client.writer.write(b"GET /v1/quotes?limit=10000 HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        await client.writer.drain()


async def come_and_go(client, chance):
    for _ in range(20):
        await client.open()
        client.wish("quotes", ["*"], interval=0)
        await asyncio.sleep(0.01)
        client.end()


async def bad_texts(client, chance):
    await client.open()
    for text in (b"[" * 60_000, b"{" * 60_000, b'{"op":"subscribe","id":"' + b"x" * 60_000 + b'"}', b'{"op":"resume","id":"1","channel":"quotes",'
                 b'"instruments":["*"],"from":[{"market":"XTKS","epoch":"no","seq":1e400}]}', b"1e99999", b'"\\ud800"', b"\xef\xbb\xbf{}"):
        client.send(1, text)
        await client.writer.drain()
        await asyncio.sleep(0.02)


ATTACKS = [random_bytes, random_bytes_in_place_of_http, random_frames, handshake_without_end, slow_handshake, nothing_at_all,
           giant_message, message_without_end, subscription_flood, ping_flood, requests_without_reading, come_and_go, bad_texts]


class HostileClients(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it would tell of each write to a closed socket

    def setUp(self):
        self.server = Server("sim:seed=7&speed=60&instruments=40").start()
        self.addCleanup(self.server.end)
        until(lambda: sum(q["trades"] for q in self.server.json("/v1/quotes", limit=1000)["quotes"]) > 200, "some trades")
        self.names = self.server.codes()

    async def watch(self, number, folds):
        """A client that does nothing wrong: every value it gets is checked to follow the one before."""
        client = await Client(self.server).open()
        chance = random.Random(number)
        folding = number < FOLDING
        fold = folds[number] = Quick()
        wanted = chance.sample(self.names, 10)
        client.wish("quotes", wanted, interval=0 if folding else 50)
        if folding:
            client.wish("trades", wanted, interval=0)
        while True:
            fold.take(await client.receive())

    async def slow(self, number):
        client = await Client(self.server).open(limit=1024)
        client.wish("quotes", ["*"], interval=0)
        client.wish("books", ["*"], interval=0, id="2")
        while True:
            await client.reader.read(2048)
            await asyncio.sleep(0.1)

    async def stuck(self, number):
        client = await Client(self.server).open(limit=256)
        for channel in ("quotes", "books", "trades", "bars"):
            client.wish(channel, ["*"], interval=0)
        await asyncio.sleep(PATIENCE_SECONDS * 10)

    async def harm(self, number, done):
        attack = ATTACKS[number % len(ATTACKS)]
        chance = random.Random(f"{os.environ.get('KABUTO_SEED', 7)} {number}")
        while True:
            client = Client(self.server)
            try:
                await attack(client, chance)
            except (OSError, EOFError, AssertionError, asyncio.LimitOverrunError):
                pass  # closed, refused, cut: whatever the server thinks right
            finally:
                done[number] += 1
                if hasattr(client, "writer"):
                    client.end()
            await asyncio.sleep(0.02)

    async def test_the_others_go_on(self):
        folds, done = {}, [0] * HOSTILE
        before = resident_bytes(self.server.process.pid)
        watchers = CLIENTS - SLOW - STUCK - HOSTILE
        good = [asyncio.create_task(self.watch(number, folds)) for number in range(watchers)]
        bad = [asyncio.create_task(self.slow(number)) for number in range(SLOW)]
        bad += [asyncio.create_task(self.stuck(number)) for number in range(STUCK)]

        async def progress(what, name):
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not what():
                for task in good:
                    if task.done():
                        task.result()
                        self.fail("a watcher ended")
                self.assertLess(time.monotonic(), deadline, f"in vain for {name}")
                await asyncio.sleep(0.02)

        await progress(lambda: len(folds) == watchers and all(fold.updates > 3 for fold in folds.values()), "first updates")
        bad += [asyncio.create_task(self.harm(number, done)) for number in range(HOSTILE)]
        start = {number: fold.updates for number, fold in folds.items()}
        most = before
        for step in (25, 50, 75):
            await progress(lambda: all(fold.updates >= start[number] + step for number, fold in folds.items()), f"{step} updates at each watcher")
            most = max(most, resident_bytes(self.server.process.pid))
        await progress(lambda: sum(1 for count in done if count) > 5, "hostile rounds")
        self.assertLess(most - before, MEMORY)
        # What the watchers hold is what REST says at the same number; of trades none is missing.
        equal = 0
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while equal < 60:
            self.assertLess(time.monotonic(), deadline, "in vain for values to compare")
            for quote in (await loop.run_in_executor(None, lambda: self.server.json("/v1/quotes", limit=1000)))["quotes"]:
                quote.pop("name", None)
                for number in range(FOLDING):
                    mine = folds[number].values.get(("quotes", quote["instrument"]))
                    if mine is not None and mine["seq"] == quote["seq"]:
                        self.assertEqual(mine, quote)
                        equal += 1
        for task in good + bad:
            task.cancel()
        for result in await asyncio.gather(*good, *bad, return_exceptions=True):
            if not isinstance(result, (asyncio.CancelledError, type(None))):
                raise result
        for number in range(0, FOLDING, 4):
            for name, mine in folds[number].trades.items():
                if not mine:
                    continue
                listed = self.server.json(f"/v1/trades/{name}", limit=1000)["trades"]
                between = [trade["seq"] for trade in listed if min(mine) <= trade["seq"] <= max(mine)]
                self.assertEqual(sorted(mine, reverse=True)[:len(between)], between, f"trades of {name}")
        for client in list(Client.everyone):
            client.end()
        # Nothing is left of anybody, whoever ended it.
        await loop.run_in_executor(None, lambda: until(self.alone, "all to be forgotten"))

    def alone(self):
        status = self.server.json("/v1/status")
        return sum(loop["clients"] for loop in status["loops"]) == 0 and status["connections"]["open"] <= 1


if __name__ == "__main__":
    unittest.main()
