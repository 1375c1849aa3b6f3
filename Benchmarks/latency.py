#!/usr/bin/env python3
"""From a packet's arrival to the frame in the client's hands: 100 clients that want every update of 20 of 400
instruments, at 1,000, 10,000 and 100,000 messages a second, beside uWebSockets at the same rate. `kabuto replay` sends
the file as two MoldUDP64 lines over loopback. The delay is measured from `rx`, the kernel's time stamp of the packet,
to the return of the client's read, on one clock. uWebSockets has no lines to read: its delay begins where its market is
made, in the server itself."""
import os
import time

import bench


def measure(a, peer, rate, size):
    clients, instruments, lead, lost = a.clients, 400, 1.5, None
    names = bench.names_file(instruments)
    if peer == "kabuto":
        path = bench.market_file(instruments, f"100:{lead},{rate}:{a.seconds + 3:g}")
        lines = ",".join(f"239.255.72.{line}:{bench.free_port()}" for line in (1, 2))
        request = f"request=127.0.0.1:{bench.free_port()}&interface=127.0.0.1"
        begin = time.monotonic()
        replay = bench.start([a.kabuto, "replay", path, "--to", f"mold:{lines}?{request}", "--speed", "1"], stdout=-3, stderr=-3)
        server = bench.Kabuto(a.kabuto, f"mold:{lines}?{request}&date=2026-11-25&requests=100000")
        port, pid = server.port, server.pid

        def stop():
            nonlocal lost
            lost = server.status()["sources"][0]["lost"]
            server.end()
            bench.end(replay)
    else:
        library = bench.socketify_library()
        if not library:
            return None
        port = bench.free_port()
        process = bench.start([bench.tool("peers/uws.c", "-ldl"), library, str(port), str(instruments), str(rate), str(size), str(lead)],
                              stdout=-3)
        time.sleep(0.3)
        pid, stop = process.pid, lambda: bench.end(process)
        begin = time.monotonic()
    try:
        found = bench.load(port, clients, "--names", names, "--wanted", 20, "--interval", 0, "--timing", "--sample", 1, "--warm", 0,
                           "--not-before", begin + lead + 1, "--seconds", a.seconds, "--pid", pid)
    finally:
        stop()
    expected = rate * 20 / instruments * clients * found["seconds"]
    return {"peer": peer, "messages_per_s": rate, "clients": clients, "delay_us": found["delay_us"], "cpu_share": found["cpu_s"][0] / found["seconds"],
            "delivered": found["updates"] / expected, "bytes_per_update": found["bytes"] / max(1, found["updates"]),
            "updates_per_frame": found["updates"] / max(1, found["frames"]), "samples": found["samples"], "lost": lost, "load": round(os.getloadavg()[0], 2)}


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--clients", type=int, default=100)
    p.add_argument("--rates", default="1000,10000,100000")
    p.add_argument("--peers", default="kabuto,uws")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=5)
    p.add_argument("--quick", action="store_true")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.seconds = 1, 2
    bench.emit({"benchmark": "latency", **bench.machine()})
    runs, size = {}, 183
    for _ in range(a.rounds):
        for rate in map(int, a.rates.split(",")):
            for peer in a.peers.split(","):
                found = measure(a, peer, rate, size)
                if found is None:
                    continue
                if peer == "kabuto":
                    size = round(found["bytes_per_update"])
                runs.setdefault((rate, peer), []).append(found)
    rows = []
    for (rate, peer), found in runs.items():
        one = dict(found[0])
        one["delay_us"] = {k: bench.middle([f["delay_us"][k] for f in found]) for k in found[0]["delay_us"]}
        for field in ("cpu_share", "delivered", "updates_per_frame"):
            one[field] = bench.middle([f[field] for f in found])
        one["rounds"], one["spread_p99_us"] = len(found), bench.spread([f["delay_us"]["p99"] for f in found])
        bench.emit(bench.rounded(one))
        delay = one["delay_us"]
        rows.append([rate, peer, delay["p50"] / 1000, delay["p99"] / 1000, delay["p999"] / 1000, delay["max"] / 1000, one["cpu_share"],
                     one["delivered"], one["updates_per_frame"], " – ".join(bench.short(x / 1000) for x in one["spread_p99_us"])])
    print()
    bench.table(["messages/s", "server", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "CPU share", "delivered", "updates/frame", "spread p99"], rows)


if __name__ == "__main__":
    main()
