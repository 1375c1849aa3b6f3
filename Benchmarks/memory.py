#!/usr/bin/env python3
"""Memory of the server: what a connection costs that asks nothing, one with 20 and one with 100 instruments, and what
an instrument costs. Resident bytes; the market is nearly still."""
import os
import time

import bench


def main():
    p = bench.parser(__doc__)
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--clients", type=int, default=5000)
    p.add_argument("--quick", action="store_true", help="1,000 clients")
    a = p.parse_args()
    if a.quick:
        a.clients = 1000
    bench.emit({"benchmark": "memory", **bench.machine()})
    texts = os.path.join(bench.folder(), "nothing")
    open(texts, "w").write('{"op":"ping"}\n')
    rows, empty = [], {}
    for instruments in (400, 4000):
        path = bench.market_file(instruments, "50:60")
        server = bench.Kabuto(a.kabuto, f"itch:{path}?speed=1")
        try:
            time.sleep(2)
            empty[instruments] = bench.resident_bytes(server.pid)
        finally:
            server.end()
    for wanted in (0, 20, 100):
        path = bench.market_file(4000, "50:60")
        server = bench.Kabuto(a.kabuto, f"itch:{path}?speed=1")
        try:
            time.sleep(2)
            before = bench.resident_bytes(server.pid)
            what = ["--texts", texts] if wanted == 0 else ["--names", bench.names_file(4000), "--wanted", wanted, "--interval", 50]
            process = bench.load(server.port, a.clients, *what, "--warm", 2, "--seconds", 3, background=True)
            most = before
            while process.poll() is None:
                time.sleep(0.2)
                most = max(most, bench.resident_bytes(server.pid))
            bench.loaded(process)
            time.sleep(2)
            after = bench.resident_bytes(server.pid)
        finally:
            server.end()
        result = {"clients": a.clients, "wanted": wanted, "bytes_per_client": round((most - before) / a.clients),
                  "server_mb": [round(x / 1e6, 1) for x in (before, most)], "after_they_left_mb": round(after / 1e6, 1)}
        rows.append([wanted, result["bytes_per_client"], *result["server_mb"], result["after_they_left_mb"]])
        bench.emit(result)
    each = round((empty[4000] - empty[400]) / 3600)
    bench.emit({"bytes_per_instrument": each, "server_mb": {str(k): round(v / 1e6, 1) for k, v in empty.items()}})
    print()
    bench.table(["instruments a client", "bytes a client", "server before, MB", "with them, MB", "after they left, MB"], rows)


if __name__ == "__main__":
    main()
