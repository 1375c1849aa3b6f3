#!/usr/bin/env python3
"""Five thousand clients of which a tenth are slow, a twentieth never read and a twentieth mean harm
(Tests/Server/test_hostile.py): the staleness of what the others get, with and without them, and the server's memory."""
import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time

import bench

sys.path.insert(0, os.path.join(bench.ROOT, "Tests", "Server"))


class Place:
    def __init__(self, port):
        self.port = port


async def harm(port, count, seconds, only):
    """Hostile clients for a while; how many rounds each kind of attack made."""
    import logging

    import hostile_clients

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    attacks = [attack for attack in hostile_clients.ATTACKS if not only or attack.__name__ in only]
    rounds = {attack.__name__: 0 for attack in attacks}

    async def one(number):
        attack = attacks[number % len(attacks)]
        chance = random.Random(number)
        while True:
            client = hostile_clients.Client(Place(port))
            try:
                await attack(client, chance)
            except (OSError, EOFError, AssertionError, asyncio.LimitOverrunError):
                pass
            finally:
                rounds[attack.__name__] += 1
                if hasattr(client, "writer"):
                    client.end()
            await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(one(number)) for number in range(count)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return rounds


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--clients", type=int, default=5000)
    p.add_argument("--rate", type=int, default=5000, help="messages a second")
    p.add_argument("--seconds", type=float, default=15)
    p.add_argument("--only-with", action="store_true", help="not without them")
    p.add_argument("--quick", action="store_true", help="1,000 clients, five seconds")
    p.add_argument("--attacks", default="", help="only these, with commas; none = only slow and stuck ones")
    p.add_argument("--harm", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.harm:
        port, count, seconds, *only = a.harm.split(",")
        print(json.dumps(asyncio.run(harm(int(port), int(count), float(seconds), only))))
        return
    if a.quick:
        a.clients, a.seconds = 1000, 5
    bench.emit({"benchmark": "hostile", **bench.machine()})
    slow, stuck, bad = a.clients // 10, a.clients // 20, a.clients // 20
    good = a.clients - slow - stuck - bad
    lead = 2.5 + a.clients / 1000
    path = bench.market_file(4000, f"100:{lead:g},{a.rate}:{a.seconds + 8:g}")
    names = bench.names_file(4000)
    rows = []
    for with_them in ((True,) if a.only_with else (False, True)):
        server = bench.Kabuto(a.kabuto, f"itch:{path}?speed=1")
        others, attack = [], None
        try:
            begin = time.monotonic()
            window = ["--warm", 0, "--not-before", begin + lead + 2, "--seconds", a.seconds]
            before = bench.resident_bytes(server.pid)
            watch = bench.load(server.port, good, "--names", names, "--wanted", 20, "--interval", 50, "--timing", *window, "--pid", server.pid,
                               background=True)
            if with_them:
                others.append(bench.load(server.port, slow + stuck, "--wanted", 0, "--interval", 0, "--slow", f"{slow}:4000", "--stuck", stuck,
                                         *window, background=True))
                time.sleep(max(0, begin + lead - time.monotonic()))
                if a.attacks == "none":
                    bad = 0
                attack = None if not bad else bench.start([sys.executable, os.path.abspath(__file__), "--harm", f"{server.port},{bad},{a.seconds + 2}" + (a.attacks and "," + a.attacks)],
                                     stdout=subprocess.PIPE, text=True)
            most = before
            while watch.poll() is None:
                time.sleep(0.2)
                most = max(most, bench.resident_bytes(server.pid))
            found = bench.loaded(watch)
            rounds = {}
            if attack:
                text, _ = attack.communicate()
                rounds = json.loads(text)
            for process in others:
                bench.end(process)
            status = server.status()
        finally:
            server.end()
        result = {"with_hostile": with_them, "good": good, "slow": slow if with_them else 0, "stuck": stuck if with_them else 0,
                  "hostile": bad if with_them else 0, "closed_good": found["closed"], "updates_per_s": found["updates"] / found["seconds"],
                  "delay_us": found["delay_us"], "cpu_share": found["cpu_s"][0] / found["seconds"], "memory_mb": [before / 1e6, most / 1e6],
                  "lost": status["sources"][0]["lost"], "hostile_rounds": rounds}
        bench.emit(bench.rounded(result))
        rows.append(["with hostile" if with_them else "without", good, found["delay_us"]["p50"] / 1e3, found["delay_us"]["p99"] / 1e3,
                     found["delay_us"]["p999"] / 1e3, found["closed"], result["cpu_share"], most / 1e6])
    print()
    bench.table(["", "good clients", "p50 ms", "p99 ms", "p99.9 ms", "good ones closed", "CPU share", "memory MB"], rows)


if __name__ == "__main__":
    main()
