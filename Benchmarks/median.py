"""Reads the JSON documents of several `kabuto digest --json`; one line: median, spread, and the digest they agree on."""
import json
import statistics
import sys

decoder, text, runs = json.JSONDecoder(), sys.stdin.read().strip(), []
while text:
    run, end = decoder.raw_decode(text)
    runs.append(run)
    text = text[end:].strip()
digests = {r["digest"] for r in runs}
assert len(digests) == 1, f"digests differ: {digests}"
ns = sorted(r["ns_per_message"] for r in runs)
print(json.dumps({
    "messages": runs[0]["messages"], "instruments": runs[0]["instruments"], "live_orders": runs[0]["live_orders"],
    "digest": digests.pop(), "ns_per_message": round(statistics.median(ns), 1),
    "messages_per_cpu_s": round(1e9 / statistics.median(ns)), "spread_ns": [round(ns[0], 1), round(ns[-1], 1)],
    "peak_mb": round(max(r["peak_memory_bytes"] for r in runs) / 1e6, 1), "runs": len(runs)}))
