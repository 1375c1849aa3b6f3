"""A NATS client of a few lines: subscribes, publishes, asks. Without a library, so that what is counted is known."""
import json
import os
import selectors
import socket
import time


class Client:
    """One connection; the caller's thread reads."""

    def __init__(self, address, port):
        self.socket = socket.create_connection((address, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.messages = []
        self.subscriptions = 0
        self.inbox = f"_INBOX.bench{os.getpid()}x{id(self)}"
        self._until(lambda: b"\r\n" in self.buffer)
        self.socket.sendall(b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\nPING\r\n')
        self.ponged = False
        self._until(lambda: self._cut() or self.ponged)

    def _until(self, done, seconds=10):
        end = time.monotonic() + seconds
        while not done():
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the message server closed the connection")
            self.buffer += data
            if time.monotonic() > end:
                raise TimeoutError("no answer of the message server")

    def subscribe(self, subject):
        self.subscriptions += 1
        self.socket.sendall(f"SUB {subject} {self.subscriptions}\r\nPING\r\n".encode())
        self.ponged = False
        self._until(lambda: self._cut() or self.ponged)

    def publish(self, subject, payload=b"", reply=""):
        self.socket.sendall(f"PUB {subject} {reply + ' ' if reply else ''}{len(payload)}\r\n".encode() + payload + b"\r\n")

    def request(self, subject, document=None, seconds=10):
        """The JSON answer to a JSON question."""
        reply = f"{self.inbox}.{time.monotonic_ns()}"
        self.subscribe(reply)
        self.publish(subject, json.dumps(document).encode() if document is not None else b"", reply)
        found = []

        def answered():
            self._cut()
            found.extend(payload for subject, payload, _ in self.messages if subject == reply)
            self.messages = [one for one in self.messages if one[0] != reply]
            return bool(found)
        self._until(answered, seconds)
        return json.loads(found[0]) if found[0] else None

    def _cut(self):
        """Messages out of the buffer: (subject, payload, when they were read)."""
        now = time.time_ns()
        place = 0
        while True:
            end = self.buffer.find(b"\r\n", place)
            if end < 0:
                break
            line = bytes(self.buffer[place:end])
            if line.startswith((b"MSG ", b"HMSG ")):
                words = line.split()
                size = int(words[-1])
                if len(self.buffer) < end + 4 + size:
                    break
                payload = bytes(self.buffer[end + 2:end + 2 + size])
                if words[0] == b"HMSG":
                    payload = payload[int(words[-2]):]
                self.messages.append((words[1].decode(), payload, now))
                place = end + 4 + size
                continue
            if line == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif line == b"PONG":
                self.ponged = True
            elif line.startswith(b"-ERR"):
                raise ConnectionError(line.decode())
            place = end + 2
        del self.buffer[:place]
        return False

    def close(self):
        self.socket.close()


def hear(clients, seconds):
    """Reads from all of them for so long."""
    chooser = selectors.DefaultSelector()
    for client in clients:
        client.socket.settimeout(None)
        chooser.register(client.socket, selectors.EVENT_READ, client)
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        for key, _ in chooser.select(rest):
            data = key.data.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the message server closed the connection")
            key.data.buffer += data
            key.data._cut()
    chooser.close()
