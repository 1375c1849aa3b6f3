"""Three hundred clients, of whom some are slow, some never read and some mean harm: what the others get is right and
complete, memory stays bounded, and afterwards nothing is left of the bad ones.

KABUTO_SEED repeats the hostile bytes. The same with 5,000 clients and figures: Benchmarks/hostile.py.
"""

import asyncio
import json
import logging
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hostile_clients import ATTACKS, Client
from kabuto import PATIENCE_SECONDS, Server, until
from test_stream import Fold

CLIENTS, SLOW, STUCK, HOSTILE = 300, 30, 15, 15
FOLDING = 40  # watchers whose every value is looked at
MEMORY = 256 << 20  # what 300 clients may add; 45 of them fill their buffers


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


class Quick(Fold):
    """Fold without a look at each event's schema, which other tests take."""

    def take(self, text):
        for event in json.loads(text):
            self.events += 1
            self.one(event)


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
