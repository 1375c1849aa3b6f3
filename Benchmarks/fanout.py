#!/usr/bin/env python3
"""Updates delivered per CPU-second of the server to many WebSocket clients.

Starts the server, connects clients over loopback, counts what arrives for a while, and reads the server's CPU time
from /proc. The clients only count (`"type":"update"` in each block of bytes), so that one core of theirs keeps up.
Everything ends by itself; traffic goes to 127.0.0.1 alone.
"""
import argparse
import base64
import json
import os
import random
import select
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def masked(payload):
    mask = b"\x12\x34\x56\x78"
    body = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
    size = len(body)
    head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + size.to_bytes(2, "big")
    return head + mask + body


def connect(port):
    s = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(random.randbytes(16)).decode()
    s.sendall(
        f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += s.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101"), answer[:100]
    return s


def wait_ready(port, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if get(port, "/health/ready")["status"] == "ready":
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the server did not become ready")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--kabuto", default=".build/release/kabuto")
    p.add_argument("--clients", type=int, default=100)
    p.add_argument("--wanted", type=int, default=20, help="instruments a client")
    p.add_argument("--interval", type=int, default=50)
    p.add_argument("--feed", default="sim:seed=1&instruments=400&speed=60")
    p.add_argument("--warm", type=float, default=8, help="seconds before connecting, so that the market is open")
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--port", type=int, default=18431)
    a = p.parse_args()
    random.seed(1)
    server = subprocess.Popen(
        [a.kabuto, "serve", "--listen", f"127.0.0.1:{a.port}", "--feed", a.feed, "--log-level", "warning"])
    try:
        wait_ready(a.port)
        time.sleep(a.warm)
        codes = [i["code"] for i in get(a.port, "/v1/instruments?limit=10000")["instruments"]]
        before_memory = resident_bytes(server.pid)
        sockets = []
        poll = select.epoll()
        byfd = {}
        for _ in range(a.clients):
            s = connect(a.port)
            wish = random.sample(codes, min(a.wanted, len(codes)))
            s.sendall(masked(json.dumps(
                {"op": "subscribe", "id": "1", "channel": "quotes", "instruments": wish, "interval": a.interval}).encode()))
            s.setblocking(False)
            poll.register(s.fileno(), select.EPOLLIN)
            byfd[s.fileno()] = s
            sockets.append(s)

        def drain(until):
            updates = size = 0
            while (left := until - time.time()) > 0:
                for fd, _ in poll.poll(min(left, 0.2)):
                    try:
                        data = byfd[fd].recv(1 << 18)
                    except BlockingIOError:
                        continue
                    if not data:
                        raise SystemExit("the server closed a connection")
                    updates += data.count(b'"type":"update"')
                    size += len(data)
            return updates, size

        drain(time.time() + 2)
        idle_memory = resident_bytes(server.pid)
        one = get(a.port, "/v1/status")
        cpu = cpu_seconds(server.pid)
        begin = time.time()
        updates, size = drain(begin + a.seconds)
        took = time.time() - begin
        used = cpu_seconds(server.pid) - cpu
        two = get(a.port, "/v1/status")
        messages = two["sources"][0]["messages"] - one["sources"][0]["messages"]
        frames = two["loops"][0]["frames"] - one["loops"][0]["frames"]
        print(json.dumps({
            "clients": a.clients, "wanted": a.wanted, "interval_ms": a.interval, "seconds": round(took, 2),
            "feed_messages_per_s": round(messages / took), "updates_per_s": round(updates / took),
            "frames_per_s": round(frames / took), "megabytes_per_s": round(size / took / 1e6, 2),
            "cpu_share": round(used / took, 3), "updates_per_cpu_s": round(updates / used),
            "frames_per_cpu_s": round(frames / used),
            "bytes_per_client": round((idle_memory - before_memory) / a.clients),
            "resident_mb": round(resident_bytes(server.pid) / 1e6, 1),
        }))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)


if __name__ == "__main__":
    main()
