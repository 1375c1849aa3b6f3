"""An exchange's lines for tests, written without a line of the product's: MoldUDP64 1.00 on two UDP addresses and a
request server, with losses of the test's choice. Sends to loopback alone."""

import random
import socket
import struct
import threading
import time

END_OF_SESSION = 0xFFFF


def messages_of(path):
    """The messages of a file of framed messages, without the end mark of the day."""
    with open(path, "rb") as file:
        data = file.read()
    found, place = [], 0
    while place + 2 <= len(data):
        (length,) = struct.unpack_from(">H", data, place)
        found.append(data[place + 2 : place + 2 + length])
        place += 2 + length
    if found and found[-1][:1] == b"S" and found[-1][-1:] == b"C":
        found.pop()
    return found


class Exchange:
    """Two lines and a request server. `publish` sends; heartbeats go out by themselves until `close`."""

    def __init__(self, messages, session="DAY1", multicast=False, seed=1):
        self.messages = messages
        self.session = session.encode().ljust(10)
        self.random = random.Random(seed)
        self.next = 1
        self.loss = [0.0, 0.0]
        self.silent = [False, False]
        self.nobody = set()  # numbers that neither line nor request server has
        self.requests = 0
        self.lock = threading.Lock()
        self.closing = False
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 0))
        self.server.settimeout(0.05)
        self.groups = []
        for line in range(2):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self.groups.append((f"239.255.71.{line + 1}" if multicast else "127.0.0.1", port))
        if multicast:
            self.sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            self.sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        self.multicast = multicast
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self.beat, self.answer)]
        for thread in self.threads:
            thread.start()

    def source(self, **options):
        options = {"request": "127.0.0.1:%d" % self.server.getsockname()[1], "date": "2026-11-25", "market": "XTKS",
                   **({"interface": "127.0.0.1"} if self.multicast else {}), **options}
        return "mold:" + ",".join("%s:%d" % group for group in self.groups) + "?" + "&".join(
            f"{name}={value}" for name, value in options.items() if value is not None)

    def packet(self, first, messages, count=None):
        head = self.session + struct.pack(">QH", first, len(messages) if count is None else count)
        return head + b"".join(struct.pack(">H", len(message)) + message for message in messages)

    def send(self, packet, first, count):
        for line, group in enumerate(self.groups):
            if self.silent[line] or self.random.random() < self.loss[line]:
                continue
            if any(number in self.nobody for number in range(first, first + count)):
                continue
            self.sender.sendto(packet, group)

    def publish(self, through=None, pause=0.0005):
        """Sends on up to that message number, a few messages a packet."""
        end = len(self.messages) if through is None else through
        while self.next <= end:
            count = min(self.random.randint(1, 20), end - self.next + 1)
            with self.lock:
                first = self.next
                self.send(self.packet(first, self.messages[first - 1 : first - 1 + count]), first, count)
                self.next += count
            time.sleep(pause)

    def beat(self):
        while not self.closing:
            with self.lock:
                self.send(self.packet(self.next, []), self.next, 0)
            time.sleep(0.1)

    def end_session(self):
        with self.lock:
            for _ in range(3):
                self.send(self.packet(self.next, [], END_OF_SESSION), self.next, 0)

    def answer(self):
        while not self.closing:
            try:
                request, peer = self.server.recvfrom(100)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(request) != 20 or request[:10] != self.session:
                continue
            first, wanted = struct.unpack(">QH", request[10:])
            self.requests += 1
            found = []
            while len(found) < min(wanted, 30) and first + len(found) < self.next and first + len(found) not in self.nobody:
                found.append(self.messages[first + len(found) - 1])
            if found:
                self.server.sendto(self.packet(first, found), peer)

    def close(self):
        self.closing = True
        for thread in self.threads:
            thread.join()
        self.sender.close()
        self.server.close()
