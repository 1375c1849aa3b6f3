#!/usr/bin/env python3
"""Five thousand clients (20 of 4,000 instruments, 50 ms) lose their connections at once and come back with `resume`:
the time until each of them has its answer, and the delay of a hundred others before and meanwhile."""
import time

import bench


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--clients", type=int, default=5000)
    p.add_argument("--others", type=int, default=100)
    p.add_argument("--rate", type=int, default=5000, help="messages a second")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--quick", action="store_true", help="1,000 clients, once")
    a = p.parse_args()
    if a.quick:
        a.clients, a.rounds = 1000, 1
    bench.emit({"benchmark": "storm", **bench.machine()})
    lead, calm, wild = 1.5 + a.clients / 1000, 4, 6
    path = bench.market_file(4000, f"100:{lead:g},{a.rate}:{calm + wild + 10:g}")
    names = bench.names_file(4000)
    runs = []
    for _ in range(a.rounds):
        server = bench.Kabuto(a.kabuto, f"itch:{path}?speed=1")
        try:
            begin = time.monotonic()
            start = begin + lead + 1
            common = ["--names", names, "--wanted", 20, "--interval", 50, "--timing", "--warm", 0]
            many = bench.load(server.port, a.clients, *common, "--seed", 5, "--not-before", start, "--seconds", calm, "--storm", background=True)
            before = bench.load(server.port, a.others, *common, "--seed", 6, "--sample", 1, "--not-before", start, "--seconds", calm - 0.2, background=True)
            during = bench.load(server.port, a.others, *common, "--seed", 7, "--sample", 1, "--not-before", start + calm, "--seconds", wild,
                                "--pid", server.pid, background=True)
            many, before, during = bench.loaded(many), bench.loaded(before), bench.loaded(during)
        finally:
            server.end()
        runs.append({**many["storm"], "clients": a.clients, "others_before_us": before["delay_us"], "others_during_us": during["delay_us"],
                     "others_closed": before["closed"] + during["closed"], "cpu_share_during": during["cpu_s"][0] / during["seconds"]})
        bench.emit(bench.rounded(runs[-1]))
    print()
    bench.table(["clients", "served", "exact", "median s", "p99 s", "last s", "others' p99 before, ms", "during, ms", "during max, ms"], [
        [r["clients"], r["served"], r["exact"], r["median_s"], r["p99_s"], r["last_s"], r["others_before_us"]["p99"] / 1e3,
         r["others_during_us"]["p99"] / 1e3, r["others_during_us"]["max"] / 1e3] for r in runs])


if __name__ == "__main__":
    main()
