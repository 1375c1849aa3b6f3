#!/usr/bin/env python3
"""The opening: a million messages a second for ten seconds into 4,000 instruments, every one a new best quote, while one
connection wants all of them and a thousand ordinary ones want 20 each (interval 50 ms). Told are connections that were
closed, the ordinary ones' delay before and during, what the server took, and whether the last quotes of all
instruments at the greedy connection and of ten ordinary ones are those of the file."""
import json
import os
import time

import bench


def last_quotes(folder, final):
    """Folds what was recorded: instruments compared, wrong ones, steps back in sequence."""
    compared = wrong = back = 0
    for name in sorted(os.listdir(folder)):
        state = {}
        for line in open(os.path.join(folder, name)):
            for event in json.loads(line):
                key = event.get("instrument", "").split(".")[0]
                if event["type"] == "snapshot":
                    state[key] = event
                elif event["type"] == "update":
                    back += event["seq"] <= state[key]["seq"]
                    state[key].update(event)
        for key, value in state.items():
            bid, bid_size, bid_orders, ask, ask_size, ask_orders = final[key]
            compared += 1
            wrong += [value[f] for f in ("bid", "bid_size", "bid_orders", "ask", "ask_size", "ask_orders")] != [
                bid / 1e4, bid_size, bid_orders, ask / 1e4, ask_size, ask_orders]
    return {"compared": compared, "wrong": wrong, "back": back}


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--rate", type=int, default=1_000_000)
    p.add_argument("--clients", type=int, default=1000)
    p.add_argument("--instruments", type=int, default=4000)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--before", type=int, default=20_000, help="messages a second before the opening")
    p.add_argument("--quick", action="store_true", help="two seconds")
    a = p.parse_args()
    if a.quick:
        a.seconds = 2
    bench.emit({"benchmark": "opening", "messages_per_s": a.rate, **bench.machine()})
    lead, calm = 1 + a.clients / 1000, 4
    path = bench.market_file(a.instruments, f"100:{lead:g},{a.before}:{calm + 1},{a.rate}:{a.seconds:g}")
    final = json.load(open(path + ".final.json"))
    names = bench.names_file(a.instruments)
    records = {}
    for name in ("greedy", "ordinary"):
        records[name] = os.path.join(bench.folder(), f"opening-{name}")
        os.makedirs(records[name], exist_ok=True)
    server = bench.Kabuto(a.kabuto, f"itch:{path}?speed=1")
    try:
        begin = time.monotonic()
        opening = begin + lead + calm + 1
        memory = bench.resident_bytes(server.pid)
        greedy = bench.load(server.port, 1, "--wanted", 0, "--interval", 50, "--timing", "--warm", 0, "--not-before", opening, "--seconds", 120,
                            "--until-quiet", 3, "--record", records["greedy"] + ":1", background=True)
        ordinary = ["--names", names, "--wanted", 20, "--interval", 50, "--timing", "--warm", 0]
        # Two sets of ordinary clients, so that before and during are measured apart.
        before = bench.load(server.port, a.clients // 2, *ordinary, "--seed", 3, "--not-before", begin + lead + 1, "--seconds", calm - 1,
                            background=True)
        during = bench.load(server.port, a.clients - a.clients // 2, *ordinary, "--seed", 4, "--not-before", opening, "--seconds", a.seconds,
                            "--pid", server.pid, background=True)
        after = bench.load(server.port, a.clients // 2, *ordinary, "--seed", 5, "--not-before", opening, "--seconds", 120, "--until-quiet", 3,
                           "--record", records["ordinary"] + ":10", background=True)
        time.sleep(max(0, opening + a.seconds - time.monotonic()))
        at_end = server.status()["sources"][0]
        found = {"before": bench.loaded(before), "during": bench.loaded(during), "until_the_end": bench.loaded(after), "greedy": bench.loaded(greedy)}
        status = server.status()
        peak = bench.resident_bytes(server.pid)
    finally:
        server.end()
    checks = {name: last_quotes(folder, final) for name, folder in records.items()}
    offered = a.rate * a.seconds
    taken = at_end["messages"] - (2 * a.instruments + 3 + 2 * a.instruments + round(100 * lead) + a.before * (calm + 1))
    result = {
        "clients": a.clients, "offered": offered, "taken_in_time": round(taken / offered, 3), "messages": status["sources"][0]["messages"],
        "closed": sum(f["closed"] for f in found.values()), "errors": sum(f["errors"] for f in found.values()),
        "lost": status["sources"][0]["lost"], "stuck": status["loops"][0]["stuck"], "conflated": status["loops"][0]["conflated"],
        "late_s": found["until_the_end"]["seconds"] - a.seconds - 3, "cpu_share_during": found["during"]["cpu_s"][0] / found["during"]["seconds"],
        "memory_mb": [round(memory / 1e6, 1), round(peak / 1e6, 1)],
        "delay_us": {name: f["delay_us"] for name, f in found.items()}, "last_quotes": checks,
    }
    bench.emit(bench.rounded(result))
    print()
    bench.table(["clients", "updates/s", "p50 ms", "p99 ms", "p99.9 ms", "closed"], [
        [name, f["updates"] / f["seconds"], f["delay_us"]["p50"] / 1e3, f["delay_us"]["p99"] / 1e3, f["delay_us"]["p999"] / 1e3, f["closed"]]
        for name, f in found.items()])
    if any(c["wrong"] or c["back"] or not c["compared"] for c in checks.values()):
        raise SystemExit("last quotes are wrong")


if __name__ == "__main__":
    main()
