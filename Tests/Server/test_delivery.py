"""What a client chooses, and what it is told of what it doesn't get: bytes a second, conflation; and who is dropped: not
who reads slowly, only who doesn't read at all. Over real sockets with small windows."""

import asyncio
import json
import os
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import websockets

from bare import Bare
from kabuto import PATIENCE_SECONDS, Server, until
from test_stream import BIG, Fold, subscribe

STUCK_SECONDS = 3
WINDOW = 2048  # bytes that a slow reader's kernel takes ahead of it; the kernel doubles them
PIECE, PAUSE = 128, 0.125  # 1 KiB/s


class Narrow:
    """A connection with a small receive window."""

    def __init__(self, server):
        self.port = server.port

    def raw(self):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        line.settimeout(PATIENCE_SECONDS)
        line.connect(("127.0.0.1", self.port))
        return line


class Drip(threading.Thread):
    """Reads 1 KiB a second, in small pieces, and keeps it."""

    def __init__(self, line):
        super().__init__(daemon=True)
        self.line = line
        self.bytes = bytearray()
        self.ended = False
        self.enough = threading.Event()

    def run(self):
        while not self.enough.wait(PAUSE):
            try:
                part = self.line.recv(PIECE)
            except OSError:
                part = b""
            if not part:
                self.ended = True
                return
            self.bytes += part


def wish(line):
    for channel in ("quotes", "books"):
        line.send(1, subscribe(channel, ["*"], interval=0).encode())


class Readers(unittest.TestCase):
    def setUp(self):
        self.server = Server("sim:seed=7&speed=60&instruments=40",
                             environment={"KABUTO_STUCK_SECONDS": str(STUCK_SECONDS), "KABUTO_PING_SECONDS": "1"}).start()
        self.addCleanup(self.server.end)
        until(lambda: sum(q["trades"] for q in self.server.json("/v1/quotes", limit=1000)["quotes"]) > 100, "some trades")

    def figure(self, name):
        return sum(loop[name] for loop in self.server.json("/v1/status")["loops"])

    def test_who_reads_slowly_stays_and_who_does_not_read_is_dropped(self):
        narrow = Narrow(self.server)
        slow, stuck = Bare(narrow), Bare(narrow)
        events = narrow.raw()
        for line in (slow.line, stuck.line, events):
            self.addCleanup(line.close)
        wish(slow)
        events.sendall(b"GET /v1/events?channel=books&instruments=*&interval=0 HTTP/1.1\r\nHost: x\r\n\r\n")
        drips = [Drip(slow.line), Drip(events)]
        drips[0].bytes += slow.rest
        for drip in drips:
            drip.start()
        until(lambda: self.figure("clients") == 3, "three clients")
        wish(stuck)
        # Both kinds wait: none of them takes what comes for it. One is dropped for it.
        until(lambda: self.figure("stuck") == 1, "the stuck one to be dropped")
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 4 * STUCK_SECONDS, "some time")
        self.assertEqual(self.figure("stuck"), 1, self.server.log_text())
        self.assertEqual(self.figure("clients"), 2)
        self.assertIn('kabuto_websocket_closed_total{code="4001"} 1', self.server.get("/metrics").body.decode())
        for drip in drips:
            self.assertFalse(drip.ended)
            drip.enough.set()
            drip.join(PATIENCE_SECONDS)
        # What the slow one has read is the beginning of a stream that goes on, and tells what was left out.
        slow.rest = bytes(drips[0].bytes)
        slow.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        fold = Fold()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while fold.conflated < 10 or fold.updates < 100:
            self.assertLess(time.monotonic(), deadline, (fold.conflated, fold.updates))
            opcode, data = slow.receive()
            if opcode == 1:
                fold.take(data)
            else:
                self.assertEqual(opcode, 9)
                slow.send(10, data)
        # The stuck one had its bytes up to the end, and then the end.
        with self.assertRaises(EOFError):
            while True:
                stuck.exactly(1)


class Budgets(unittest.IsolatedAsyncioTestCase):
    async def test_bytes_a_second_are_kept_and_what_is_left_out_is_told(self):
        asyncio.get_running_loop().set_debug(False)
        server = Server("sim:seed=7&speed=60&instruments=40").start()
        self.addCleanup(server.end)
        folds, sizes = [Fold(), Fold()], [0, 0]
        lines = [await websockets.connect(server.stream_url, max_size=BIG) for _ in folds]

        async def listen(number):
            async for frame in lines[number]:
                folds[number].take(frame)
                if folds[number].updates:
                    sizes[number] += len(frame)

        await lines[0].send(subscribe("quotes", ["*"], interval=0))
        await lines[1].send(subscribe("quotes", ["*"], interval=0, bytes_per_second=4000))
        tasks = [asyncio.create_task(listen(number)) for number in range(2)]
        async with asyncio.timeout(PATIENCE_SECONDS * 2):
            while folds[1].updates < 300 or sizes[0] < 200_000:
                for task in tasks:
                    if task.done():
                        task.result()
                        self.fail("a line ended")
                await asyncio.sleep(0.05)
        self.assertGreater(folds[1].conflated, 0)
        self.assertLess(sizes[1], sizes[0] / 2)
        self.assertEqual(folds[1].of("subscribed")[0]["bytes_per_second"], 4000)
        self.assertIsNone(folds[0].of("subscribed")[0]["bytes_per_second"])
        for task, line in zip(tasks, lines):
            task.cancel()
            await line.close()


if __name__ == "__main__":
    unittest.main()
