#!/usr/bin/env python3
"""From the start of the process to what a client can use, and the memory then. Five times; the median.

    startup.py [KABUTO]                       the simulator of 400 instruments, nothing kept: to the first quote
    startup.py [KABUTO] --instruments 10000   from a kept snapshot (--orders 500000 --trades 200000): to ready, and to
                                              a page with all quotes; and how long the feed stood still for a snapshot
"""
import json
import os
import shutil
import signal
import statistics
import subprocess
import time
import urllib.error
import urllib.request

import bench
import manyorders
from bench import folder, free_port, resident_bytes

parser = bench.parser(__doc__)
parser.add_argument("--kabuto", default=".build/release/kabuto")
parser.add_argument("--quick", action="store_true", help="once")
parser.add_argument("--instruments", type=int, default=0)
parser.add_argument("--orders", type=int, default=500_000)
parser.add_argument("--trades", type=int, default=200_000)
parser.add_argument("--runs", type=int, default=5)
options = parser.parse_args()
if options.quick:
    options.runs = 1


class Server:
    """Without the firewall: what is measured is the way from the files to the first price."""

    def __init__(self, *arguments):
        self.port = free_port()
        self.begin = time.time()
        self.process = subprocess.Popen(
            [options.kabuto, "serve", "--listen", f"127.0.0.1:{self.port}", "--log-level", "error", "--firewall", "off",
             *arguments])

    def get(self, path):
        """The answer; None where there is none yet, or another status than 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.read()
        except OSError:
            return None

    def until(self, what, name, patience=60):
        """Milliseconds from the start of the process."""
        while not what():
            if time.time() - self.begin > patience:
                raise SystemExit(f"no {name} within {patience} s")
            time.sleep(0.002)
        return (time.time() - self.begin) * 1000

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def median(values, digits=0):
    return round(statistics.median(values), digits) if digits else round(statistics.median(values))


def fresh():
    listen, quote, memory = [], [], []
    for _ in range(options.runs):
        server = Server("--feed", "sim:seed=1&speed=20")
        try:
            listen.append(server.until(lambda: server.get("/health/live"), "answer"))

            def priced():
                quotes = json.loads(server.get("/v1/quotes?limit=1") or b'{"quotes":[]}')["quotes"]
                return quotes and quotes[0]["bid"] is not None

            quote.append(server.until(priced, "quote"))
            memory.append(resident_bytes(server.process.pid) / 1e6)
        finally:
            server.end()
    return {"listening_ms": median(listen), "first_quote_ms": median(quote), "resident_mb": median(memory, 1)}


def kept():
    place = os.path.join(folder(), "startup")
    os.makedirs(place)
    file, data = os.path.join(place, "day.itch"), os.path.join(place, "data")
    manyorders.write(file, options.instruments, options.orders, options.trades)
    arguments = ("--data", data, "--feed", f"itch:{file}?speed=max&date=2026-11-24")

    def source(server):
        status = json.loads(server.get("/v1/status") or b'{"sources":[{"state":"","digest":null}]}')
        return status["sources"][0]

    server = Server(*arguments)
    server.until(lambda: source(server)["digest"], "end of the feed")
    digest = source(server)["digest"]
    server.end()
    figures = {name: [] for name in ("listening_ms", "ready_ms", "all_quotes_ms", "resident_mb")}
    for _ in range(options.runs):
        server = Server(*arguments)
        try:
            figures["listening_ms"].append(server.until(lambda: server.get("/health/live"), "answer"))
            figures["ready_ms"].append(server.until(lambda: server.get("/health/ready"), "readiness"))
            quotes = json.loads(server.get("/v1/quotes?limit=10000"))["quotes"]
            figures["all_quotes_ms"].append((time.time() - server.begin) * 1000)
            whole = min(options.instruments, 10_000)
            if sum(1 for quote in quotes if quote["bid"] is not None and quote["ask"] is not None) != whole:
                raise SystemExit("ready, and not all quotes are there")
            server.until(lambda: source(server)["digest"], "digest")
            if source(server)["digest"] != digest:
                raise SystemExit(f"digest {source(server)['digest']} found, {digest} wanted")
            figures["resident_mb"].append(resident_bytes(server.process.pid) / 1e6)
        finally:
            server.end()
    # The same state with messages still to come: snapshots while the market is quiet.
    tail = os.path.join(place, "tail", "day.itch")
    os.makedirs(os.path.dirname(tail))
    manyorders.write(tail, options.instruments, options.orders, options.trades, tail=600)
    os.environ["KABUTO_SNAPSHOT_SECONDS"] = "1"
    server = Server("--data", data, "--feed", f"itch:{tail}?speed=1&date=2026-11-24")
    still, seen = [], 0
    try:
        while len(still) < 5:
            now = source(server)
            if now["digest"] and now["digest_seq"] != seen:
                seen = now["digest_seq"]
                still.append(now["snapshot_ns"] / 1e6)
            if time.time() - server.begin > 60:
                raise SystemExit("no snapshots within a minute")
            time.sleep(0.05)
    finally:
        server.end()
    figures["snapshot_stands_still_ms"] = still
    shutil.rmtree(place)
    return {"instruments": options.instruments, "orders": options.orders, "trades": options.trades, "digest": digest,
            **{name: median(values) for name, values in figures.items()}}


bench.emit({"benchmark": "startup", **bench.machine()})
bench.emit({**(kept() if options.instruments else fresh()), "runs": options.runs})
