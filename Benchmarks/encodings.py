#!/usr/bin/env python3
"""JSON, binary frames and permessage-deflate: bytes a delivered event, and what they cost the server.

Each configuration runs with JSON and with kabuto.binary.1, interleaved, the same market and the same clients; CPU is that
of the whole server, deliveries are the server's own count. Then frames of both encodings, as one client gets them, are
compressed each by itself (no context takeover: the only form that clients could share) with zlib in C, and the CPU time
of that is set beside the server's CPU time a frame. One JSON line each.
"""
import base64
import json
import os
import socket
import struct
import subprocess
import time

import bench

PROTOCOL = {"json": [], "binary": ["--protocol", "kabuto.binary.1"]}


class Server(bench.Kabuto):
    def __init__(self, a, instruments):
        path = bench.market_file(instruments, f"100:2,{a.rate}:{a.seconds + 30}")
        super().__init__(a.kabuto, f"itch:{path}?speed=1")

    def sample(self):
        loop = self.status()["loops"][0]
        return bench.cpu_seconds(self.pid), loop["delivered"], loop["frames"], time.monotonic()


def run(a, clients, wanted, instruments, interval, encoding):
    server = Server(a, instruments)
    try:
        process = bench.load(
            server.port, clients, "--names", bench.names_file(instruments), "--wanted", wanted, "--interval", interval,
            "--warm", 3, "--seconds", a.seconds, "--pid", server.pid, *PROTOCOL[encoding], background=True)
        time.sleep(4 + clients / 1000)
        before = server.sample()
        time.sleep(a.seconds - 2)
        after = server.sample()
        found = bench.loaded(process)
        cpu, delivered, frames, seconds = (new - old for new, old in zip(after, before))
        byte_rate = found["bytes"] / found["seconds"]
        return {
            "encoding": encoding, "clients": clients, "wanted": wanted or "*", "instruments": instruments, "interval_ms": interval,
            "events_a_frame": delivered / frames, "bytes_an_event": byte_rate * seconds / delivered,
            "cpu_ns_an_event": cpu / delivered * 1e9, "cpu_us_a_frame": cpu / frames * 1e6, "cpu_share": cpu / seconds,
            "events_per_cpu_s": delivered / cpu, "events_per_s": delivered / seconds}
    finally:
        server.end()


def capture(a, wanted, instruments, interval, encoding, path):
    """Frames of updates as one client gets them."""
    server = Server(a, instruments)
    try:
        line = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        key = base64.b64encode(bytes(16)).decode()
        extra = "Sec-WebSocket-Protocol: kabuto.binary.1\r\n" if encoding == "binary" else ""
        line.sendall((f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{extra}"
                      f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        names = ["*"] if not wanted else [str(1000 + number * (instruments // wanted)) for number in range(wanted)]
        text = json.dumps({"op": "subscribe", "id": "1", "channel": "quotes", "instruments": names, "interval": interval}).encode()
        line.sendall(b"\x81" + (bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + struct.pack("!H", len(text))) + bytes(4) + text)
        stream = line.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        end, began, sizes = time.monotonic() + a.seconds, None, 0
        snapshots = None
        with open(path, "wb") as out, open(path + ".snapshots", "wb") as first:
            while time.monotonic() < end:
                stream.read(1)
                size = stream.read(1)[0]
                size = size if size < 126 else int.from_bytes(stream.read(2 if size == 126 else 8), "big")
                data = stream.read(size)
                began = began or time.monotonic()
                # What comes in the first two seconds are snapshots, and a quiet market.
                target = first if time.monotonic() - began < 3 else out
                target.write(struct.pack("<I", size) + data)
        return path
    finally:
        server.end()


def main():
    parser = bench.parser(__doc__)
    parser.add_argument("--kabuto", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.build/release/kabuto"))
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    for clients, wanted, instruments, interval in (
            (1000, 20, 4000, 50), (1000, 20, 4000, 0), (500, 100, 400, 50), (50, 0, 400, 50)):
        found = {"json": [], "binary": []}
        for _ in range(a.rounds):
            for encoding in found:
                found[encoding].append(run(a, clients, wanted, instruments, interval, encoding))
        for encoding, runs in found.items():
            runs.sort(key=lambda one: one["cpu_ns_an_event"])
            bench.emit(runs[len(runs) // 2])
    tool = bench.tool("deflate.c", "-lz")
    for wanted, instruments, interval in ((20, 4000, 50), (100, 400, 50), (0, 400, 50)):
        for encoding in PROTOCOL:
            path = capture(a, wanted, instruments, interval, encoding, os.path.join(bench.folder(), "frames"))
            for kind, file in (("updates", path), ("snapshots", path + ".snapshots")):
                for level in (1, 6):
                    one = json.loads(subprocess.run([tool, file, str(level), "20"], check=True, capture_output=True, text=True).stdout)
                    if one["frames"]:
                        bench.emit({
                            "encoding": encoding, "wanted": wanted or "*", "instruments": instruments, "interval_ms": interval, "frames_of": kind,
                            "level": level, "bytes_a_frame": one["bytes_before"] / one["frames"],
                            "compressed_to": one["bytes_after"] / one["bytes_before"], "us_a_frame": one["us_a_frame"]})


if __name__ == "__main__":
    main()
