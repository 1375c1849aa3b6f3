#!/usr/bin/env python3
"""From the start of the process to the first answered quote, and the memory then. Five times; the median."""
import json
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

from bench import resident_bytes

kabuto = sys.argv[1] if len(sys.argv) > 1 else ".build/release/kabuto"
listen, quote, memory = [], [], []
for number in range(5):
    port = 18450 + number
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
        memory.append(resident_bytes(server.pid) / 1e6)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)
print(json.dumps({
    "listening_ms": round(statistics.median(listen)), "first_quote_ms": round(statistics.median(quote)),
    "resident_mb": round(statistics.median(memory), 1), "runs": 5}))
