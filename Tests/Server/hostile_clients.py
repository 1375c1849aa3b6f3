"""Clients that mean harm, and the plain client they are built on: for test_hostile.py and Benchmarks/hostile.py. Standard
library alone."""

import asyncio
import json
import struct

from bare import Bare

frame = Bare.frame


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

    def wish(self, channel, instruments, id=None, **more):
        self.send(1, json.dumps({"op": "subscribe", "id": id or channel, "channel": channel, "instruments": instruments, **more}).encode())

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
