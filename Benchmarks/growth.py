#!/usr/bin/env python3
"""How the cost grows: ten times the clients, the instruments, the messages; each against the same base (500 clients of
20 instruments at 50 ms, 400 instruments, 2,000 messages a second)."""
import time

import bench

BASE = {"clients": 500, "instruments": 400, "messages": 2000}


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=5)
    p.add_argument("--quick", action="store_true", help="once, three seconds")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.seconds = 1, 3
    bench.emit({"benchmark": "growth", **bench.machine()})
    runs = {}
    for _ in range(a.rounds):
        for grown in (None, "clients", "instruments", "messages"):
            one = dict(BASE)
            if grown:
                one[grown] *= 10
            lead = 1.5 + one["clients"] / 1000
            path = bench.market_file(one["instruments"], f"100:{lead:g},{one['messages']}:{a.seconds + 3:g}")
            server = bench.Kabuto(a.kabuto, f"itch:{path}?speed=1")
            try:
                begin = time.monotonic()
                found = bench.load(
                    server.port, one["clients"], "--names", bench.names_file(one["instruments"]), "--wanted", 20, "--interval", 50, "--timing",
                    "--warm", 0, "--not-before", begin + lead + 1, "--seconds", a.seconds, "--pid", server.pid)
                memory = bench.resident_bytes(server.pid)
            finally:
                server.end()
            runs.setdefault(grown or "base", []).append({
                **one, "cpu_share": found["cpu_s"][0] / found["seconds"], "updates_per_s": found["updates"] / found["seconds"],
                "frames_per_s": found["frames"] / found["seconds"], "p99_us": found["delay_us"]["p99"], "memory_mb": memory / 1e6})
    rows, base = [], None
    for name, found in runs.items():
        one = {field: bench.middle([f[field] for f in found]) for field in found[0]}
        one["cpu_us_per_update"] = one["cpu_share"] / one["updates_per_s"] * 1e6
        one["cpu_us_per_frame"] = one["cpu_share"] / one["frames_per_s"] * 1e6
        base = base or one
        one["cpu_times_base"] = one["cpu_share"] / base["cpu_share"]
        bench.emit({"grown": name, **bench.rounded(one)})
        rows.append([name if name == "base" else f"{name} × 10", one["cpu_share"], one["cpu_times_base"], one["updates_per_s"],
                     one["cpu_us_per_update"], one["cpu_us_per_frame"], one["p99_us"] / 1e3, one["memory_mb"]])
    print()
    bench.table(["what grew", "CPU share", "× base", "updates/s", "CPU µs/update", "CPU µs/frame", "p99 ms", "memory MB"], rows)


if __name__ == "__main__":
    main()
