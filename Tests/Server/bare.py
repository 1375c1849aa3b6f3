"""A WebSocket over a bare socket: sends what libraries refuse to, and shows what comes as it is."""

import struct


class Bare:
    """A WebSocket over a bare socket, to send what libraries refuse to."""

    def __init__(self, server, handshake=True, extra=b"", first=b""):
        self.line = server.raw()
        self.rest = b""
        if handshake:
            self.line.sendall(
                b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + extra + b"\r\n" + first)
            self.head = self.until(b"\r\n\r\n")

    def until(self, mark):
        while mark not in self.rest:
            part = self.line.recv(65536)
            if not part:
                raise EOFError(self.rest)
            self.rest += part
        head, _, self.rest = self.rest.partition(mark)
        return head

    def exactly(self, count):
        while len(self.rest) < count:
            part = self.line.recv(65536)
            if not part:
                raise EOFError
            self.rest += part
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    @staticmethod
    def frame(opcode, data=b"", fin=True, mask=b"\x11\x22\x33\x44", rsv=0):
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        flag = 0x80 if mask else 0
        if len(data) < 126:
            head += bytes([flag | len(data)])
        elif len(data) < 65536:
            head += bytes([flag | 126]) + struct.pack("!H", len(data))
        else:
            head += bytes([flag | 127]) + struct.pack("!Q", len(data))
        if mask:
            data = mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        return head + data

    def send(self, *arguments, **options):
        self.line.sendall(self.frame(*arguments, **options))
        return self

    def receive(self):
        first, second = self.exactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.exactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.exactly(8))
        assert not second & 0x80, "a server does not mask"
        return first & 0x0F, self.exactly(size)

    def close_code(self):
        """Reads on to the close frame, and to the end of the connection behind it."""
        while True:
            opcode, data = self.receive()
            if opcode == 8:
                self.send(8, data[:2])
                try:
                    while self.line.recv(65536):
                        pass
                except ConnectionError:
                    pass
                self.line.close()
                return struct.unpack("!H", data[:2])[0]
