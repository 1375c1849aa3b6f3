#!/usr/bin/env python3
"""From the start of the process to the first answered quote, and the memory then. Five times; the median."""
import json
import signal
import statistics
import subprocess
import time
import urllib.request

import bench

p = bench.parser(__doc__)
p.add_argument("--kabuto", default=".build/release/kabuto")
p.add_argument("--quick", action="store_true", help="once")
a = p.parse_args()
kabuto, rounds = a.kabuto, 1 if a.quick else 5
listen, quote, memory = [], [], []
for _ in range(rounds):
    port = bench.free_port()
    begin = time.time()
    server = subprocess.Popen(
        [kabuto, "serve", "--listen", f"127.0.0.1:{port}", "--feed", "sim:seed=1&speed=20", "--log-level", "error"])
    first = None
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1).read()
                first = first or time.time() - begin
                body = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/quotes?limit=1", timeout=1))
                if body["quotes"] and body["quotes"][0]["bid"] is not None:
                    break
            except OSError:
                pass
            if time.time() - begin > 60:
                raise SystemExit("no quote within a minute")
            time.sleep(0.005)
        listen.append(first * 1000)
        quote.append((time.time() - begin) * 1000)
        memory.append(bench.resident_bytes(server.pid) / 1e6)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)
bench.emit({"benchmark": "startup", **bench.machine()})
bench.emit({
    "listening_ms": round(statistics.median(listen)), "first_quote_ms": round(statistics.median(quote)),
    "resident_mb": round(statistics.median(memory), 1), "runs": rounds})
