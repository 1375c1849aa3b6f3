"""RFC 6455 from outside, case by case, numbered as the Autobahn test suite numbers them, and RFC 7692 where
compression is offered. Ours is no echo server: a ping of the stream (`{"op":"ping","id":"…"}`) is what comes back.

A case is sent over a socket of its own and followed by a WebSocket ping; what has come when its answer (or the close)
comes is the result. So nothing here waits by the clock. Cases of one test run side by side.

KNOWN lists cases in which the server departs from the RFC or from what a strict server does: they are tried, and
counted as skipped while they fail. Take a line away when its case passes.
"""

import asyncio
import concurrent.futures
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import aiohttp
import websockets

from bare import Bare
from kabuto import Server, trading_server, until

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LIMIT = 64 << 10  # bytes of a message
WAITS = "the frame is judged when it is whole"
UTF8_WAITS = "UTF-8 is judged when the message is whole"
KEY = "the key is not decoded"
KNOWN = {
    "1.6.1 length of 16 bits below 126": "a length in more bytes than needed is taken",
    "1.6.2 length of 64 bits below 126": "a length in more bytes than needed is taken",
    "1.6.3 length of 64 bits below 65536": "a length in more bytes than needed is taken",
    "1.6.4 highest bit of a length": "closed with 1009 in place of 1002",
    "3.8 before the payload": WAITS,
    "4.3.1 before the payload": WAITS,
    "6.4.1": UTF8_WAITS,
    "6.4.2": UTF8_WAITS,
    "6.4.3 within a frame": UTF8_WAITS,
    "6.4.4 within a frame, a byte at a time": UTF8_WAITS,
    "6.valid.19": "an id of U+FEFF alone comes back empty",
    "6.valid.19 in fragments": "an id of U+FEFF alone comes back empty",
    "handshake: a short key": KEY,
    "handshake: a key of 15 bytes": KEY,
    "handshake: a key of 17 bytes": KEY,
    "handshake: a key that isn't base64": KEY,
    "handshake: HTTP/1.0": "the version of HTTP is not looked at",
    "handshake: no host": "Host is not asked for",
}


def ping_text(id="x", size=0):
    """A message of ours, padded to `size` bytes with the blanks that JSON allows."""
    text = ('{"op":"ping","id":' + json.dumps(id, ensure_ascii=False)).encode()
    return text + b" " * max(0, size - len(text) - 1) + b"}"


def code_of(number, reason=b""):
    return struct.pack("!H", number) + reason


frame = Bare.frame


class Result:
    """What came back on a line: events of the stream, pongs, and the close code (None: the line is open)."""

    def __init__(self):
        self.events, self.pongs, self.code, self.reason, self.ended = [], [], None, b"", False

    @property
    def ids(self):
        return [event["id"] for event in self.events if event["type"] == "pong"]

    @property
    def errors(self):
        return [event["code"] for event in self.events if event["type"] == "error"]

    def __repr__(self):
        return f"events {self.events} pongs {self.pongs} close {self.code} ended {self.ended}"


class Line(Bare):
    """Bare, and strict about the server's frames."""

    compressed = False

    def strict(self):
        first, second = self.exactly(2)
        assert not second & 0x80, "the server masks"
        assert not first & 0x30, f"reserved bits {first:08b}"
        assert not first & 0x40 or self.compressed, "RSV1 without compression"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.exactly(2))
            assert size > 125, "a length that would fit into fewer bytes"
        elif size == 127:
            (size,) = struct.unpack("!Q", self.exactly(8))
            assert size > 65535, "a length that would fit into fewer bytes"
        opcode = first & 0x0F
        assert opcode in (0, TEXT, CLOSE, PING, PONG), f"opcode {opcode}"
        assert opcode < 8 or first & 0x80 and size <= 125, "a control frame is whole and short"
        return opcode, first, self.exactly(size)

    def take(self, result, last=b"the end"):
        """Reads until the answer to the last ping, a close, or the end of the connection."""
        try:
            while True:
                opcode, first, data = self.strict()
                if opcode == TEXT:
                    assert first & 0x80, "our messages are one frame each"
                    result.events += [event for event in json.loads(data) if event["type"] != "heartbeat"]
                elif opcode == PONG:
                    if data == last:
                        return result
                    result.pongs.append(data)
                elif opcode == CLOSE:
                    assert len(data) != 1, "a close has no body or two bytes at least"
                    result.code = struct.unpack("!H", data[:2])[0] if data else 1005
                    result.reason = data[2:]
                    result.reason.decode()
                    return result
        except (EOFError, ConnectionError):
            result.ended = True
            return result


class Conformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = trading_server(fresh=True)

    def exchange(self, data, chunk=0, hangs_up=False):
        """Sends bytes in pieces of `chunk`, then a ping (or hangs up); what came."""
        line = Line(self.server)
        try:
            if not hangs_up:
                data = data + frame(PING, b"the end")
            try:
                if chunk:
                    for place in range(0, len(data), chunk):
                        line.line.sendall(data[place:place + chunk])
                else:
                    line.line.sendall(data)
                if hangs_up:
                    line.line.shutdown(1)
            except ConnectionError:
                pass  # closed meanwhile: what was said before is there to be read
            return line.take(Result())
        finally:
            line.line.close()

    def each(self, cases):
        """Runs (name, function) side by side; a function raises where its case fails."""
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            futures = [(name, pool.submit(function)) for name, function in cases]
            for name, future in futures:
                with self.subTest(case=name):
                    try:
                        future.result()
                    except AssertionError as error:
                        known = KNOWN.get(name)
                        if known:
                            self.skipTest(f"{name}: {known} ({str(error)[:80]})")
                        raise

    def answered(self, name, data, ids=(), pongs=(), errors=0, **options):
        """The line stays, and these answers come in this order."""
        def run():
            result = self.exchange(data, **options)
            self.assertIsNone(result.code, f"closed: {result}")
            self.assertFalse(result.ended, f"ended: {result}")
            self.assertEqual(result.ids, list(ids))
            self.assertEqual(result.pongs, list(pongs))
            self.assertEqual(len(result.errors), errors, result)
        return name, run

    def closed(self, name, data, *codes, ids=(), **options):
        """The line is closed with one of these codes."""
        def run():
            result = self.exchange(data, **options)
            self.assertIn(result.code, codes, result)
            self.assertEqual(result.ids, list(ids))
        return name, run

    # MARK: 1 framing

    def test_01_framing(self):
        cases = [self.answered("1.1.1", frame(TEXT, b""), errors=1)]
        for number, size in enumerate((125, 126, 127, 128, 65535, 65536), 2):
            cases.append(self.answered(f"1.1.{number}", frame(TEXT, ping_text("n", size)), ids=["n"]))
        for chunk in (1, 7, 997):
            cases.append(self.answered(f"1.1.8 by {chunk}", frame(TEXT, ping_text("n", 3000)), ids=["n"], chunk=chunk))
        # Binary messages are not of this protocol, of whatever size.
        for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
            cases.append(self.closed(f"1.2.{number}", frame(BINARY, b"\xfe" * size), 1003))
        # Text that is no message of ours is told, and the line stays.
        for number, text in enumerate((b"hello", b"[]", b"null", b"1", b'"x"', b"{}", b'{"op":7}', b"{" * 2000, b"[" * 60000)):
            cases.append(self.answered(f"1.3.{number}", frame(TEXT, text) + frame(TEXT, ping_text("on")), ids=["on"], errors=1))
        # Masks of every kind, also none at all (four zeros).
        for number, mask in enumerate((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x80\x00\x7f\x01", b"{\"op")):
            cases.append(self.answered(f"1.4.{number}", frame(TEXT, ping_text("m"), mask=mask), ids=["m"]))
        cases.append(self.closed("1.5.1 unmasked", frame(TEXT, ping_text(), mask=None), 1002))
        cases.append(self.closed("1.5.2 unmasked ping", frame(PING, b"x", mask=None), 1002))
        cases.append(self.closed("1.5.3 unmasked close", frame(CLOSE, code_of(1000), mask=None), 1002))
        cases.append(self.closed("1.5.4 second unmasked", frame(TEXT, ping_text("a")) + frame(TEXT, ping_text("b"), mask=None),
                                 1002, ids=["a"]))
        # Lengths in more bytes than needed (5.2: the least number of bytes MUST be used).
        head, mask, short = b"\x81", b"\0\0\0\0", ping_text("s")
        cases.append(self.closed("1.6.1 length of 16 bits below 126", head + b"\xfe" + struct.pack("!H", len(short)) + mask + short, 1002))
        cases.append(self.closed("1.6.2 length of 64 bits below 126", head + b"\xff" + struct.pack("!Q", len(short)) + mask + short, 1002))
        cases.append(self.closed("1.6.3 length of 64 bits below 65536", head + b"\xff" + struct.pack("!Q", 300) + mask + ping_text("s", 300), 1002))
        cases.append(self.closed("1.6.4 highest bit of a length", head + b"\xff" + b"\x80" + b"\0" * 7 + mask, 1002))
        self.each(cases)

    def test_01_frames_out_are_as_short_as_they_can_be(self):
        """Snapshots and updates of the whole market: frames of all three kinds of length, whole and unmasked."""
        line = Line(self.server)
        self.addCleanup(line.line.close)
        line.send(TEXT, b'{"op":"subscribe","id":"1","channel":"quotes","instruments":["*"],"interval":0}')
        sizes = set()
        for _ in range(200):
            opcode, first, data = line.strict()
            self.assertEqual((opcode, first & 0x80), (TEXT, 0x80))
            self.assertIsInstance(json.loads(data), list)
            sizes.add(len(data) > 65535)
        self.assertEqual(sizes, {True, False})

    # MARK: 2 pings and pongs

    def test_02_pings(self):
        cases = [
            self.answered("2.1", frame(PING), pongs=[b""]),
            self.answered("2.2", frame(PING, b"Hello, world!"), pongs=[b"Hello, world!"]),
            self.answered("2.3", frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), pongs=[b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"]),
            self.answered("2.4", frame(PING, b"\xfe" * 125), pongs=[b"\xfe" * 125]),
            self.closed("2.5", frame(PING, b"\xfe" * 126), 1002),
            self.answered("2.6", frame(PING, b"\xfe" * 125), pongs=[b"\xfe" * 125], chunk=1),
            self.answered("2.7", frame(PONG)),
            self.answered("2.8", frame(PONG, b"unasked")),
            self.answered("2.9", frame(PONG, b"unasked") + frame(PING, b"x"), pongs=[b"x"]),
            self.answered("2.10", b"".join(frame(PING, b"%d" % n) for n in range(10)), pongs=[b"%d" % n for n in range(10)]),
            self.answered("2.11", b"".join(frame(PING, b"%d" % n) for n in range(10)), pongs=[b"%d" % n for n in range(10)], chunk=1),
            self.closed("2.12 pong of 126 bytes", frame(PONG, b"x" * 126), 1002),
            self.answered("2.13 ping within a message", frame(TEXT, ping_text("cut")[:9], fin=False) + frame(PING, b"in") +
                          frame(0, ping_text("cut")[9:]), ids=["cut"], pongs=[b"in"]),
        ]
        self.each(cases)

    # MARK: 3 reserved bits

    def test_03_reserved_bits(self):
        hello = ping_text("rsv")
        cases = []
        for rsv in range(1, 8):
            # RSV1 alone is compression's, and tried with that.
            if rsv != 4:
                cases.append(self.closed(f"3.{rsv} text", frame(TEXT, ping_text("a")) + frame(TEXT, hello, rsv=rsv), 1002, ids=["a"]))
                cases.append(self.closed(f"3.{rsv} by bytes", frame(TEXT, hello, rsv=rsv), 1002, chunk=1))
            cases.append(self.closed(f"3.{rsv} ping", frame(PING, b"x", rsv=rsv), 1002))
            cases.append(self.closed(f"3.{rsv} close", frame(CLOSE, code_of(1000), rsv=rsv), 1002))
            cases.append(self.closed(f"3.{rsv} continuation", frame(TEXT, hello[:5], fin=False) + frame(0, hello[5:], rsv=rsv), 1002))
        # The first byte says it all: nothing behind it has to be waited for.
        cases.append(self.closed("3.8 before the payload", frame(TEXT, b"x" * 1000, rsv=2)[:20], 1002, hangs_up=True))
        self.each(cases)

    # MARK: 4 opcodes

    def test_04_opcodes(self):
        cases = []
        for section, opcodes in ((1, range(3, 8)), (2, range(11, 16))):
            for number, opcode in enumerate(opcodes, 1):
                for body, name in ((b"", "empty"), (b"data", "with data")):
                    cases.append(self.closed(f"4.{section}.{number} {name}",
                                             frame(TEXT, ping_text("a")) + frame(opcode, body) + frame(PING, b"x"), 1002, ids=["a"]))
                cases.append(self.closed(f"4.{section}.{number} by bytes", frame(opcode, b"data"), 1002, chunk=1))
        cases.append(self.closed("4.3.1 before the payload", frame(3, b"x" * 1000)[:20], 1002, hangs_up=True))
        self.each(cases)

    # MARK: 5 fragmentation

    def test_05_fragmentation(self):
        whole = ping_text("fragments")
        a, b, c = whole[:7], whole[7:15], whole[15:]
        two = frame(TEXT, whole[:7], fin=False) + frame(0, whole[7:])
        self.each([
            self.closed("5.1 ping in fragments", frame(PING, b"a", fin=False) + frame(0, b"b"), 1002),
            self.closed("5.2 pong in fragments", frame(PONG, b"a", fin=False) + frame(0, b"b"), 1002),
            self.answered("5.3", two, ids=["fragments"]),
            self.answered("5.4", frame(TEXT, a, fin=False) + frame(0, b, fin=False) + frame(0, c), ids=["fragments"]),
            self.answered("5.5", two, ids=["fragments"], chunk=1),
            self.answered("5.6", frame(TEXT, a, fin=False) + frame(PING, b"p") + frame(0, b + c), ids=["fragments"], pongs=[b"p"]),
            self.answered("5.7", frame(TEXT, a, fin=False) + frame(PONG, b"p") + frame(0, b + c), ids=["fragments"]),
            self.answered("5.8", frame(TEXT, a, fin=False) + frame(PING, b"p") + frame(0, b + c), ids=["fragments"], pongs=[b"p"], chunk=1),
            self.closed("5.9", frame(0, b"no beginning") + frame(TEXT, whole), 1002),
            self.closed("5.10", frame(0, b"no beginning", fin=True), 1002),
            self.closed("5.11", frame(0, b"no beginning"), 1002, chunk=1),
            self.closed("5.12", frame(0, b"no beginning", fin=False) + frame(TEXT, whole), 1002),
            self.closed("5.13", frame(0, b"no beginning", fin=False), 1002),
            self.closed("5.14", frame(0, b"no beginning", fin=False), 1002, chunk=1),
            self.closed("5.15", two + frame(0, b"one too many", fin=False), 1002, ids=["fragments"]),
            self.closed("5.16", frame(0, b"", fin=False) + frame(TEXT, whole), 1002),
            self.closed("5.17", frame(0, b"", fin=True) + frame(TEXT, whole), 1002),
            self.closed("5.18", frame(TEXT, a, fin=False) + frame(TEXT, b), 1002),
            self.answered("5.19", frame(TEXT, a, fin=False) + frame(0, b[:3], fin=False) + frame(PING, b"1") + frame(0, b[3:], fin=False) +
                          frame(PING, b"2") + frame(0, c), ids=["fragments"], pongs=[b"1", b"2"]),
            self.answered("5.20", frame(TEXT, a, fin=False) + frame(0, b, fin=False) + frame(PING, b"1") + frame(0, c),
                          ids=["fragments"], pongs=[b"1"], chunk=3),
            self.answered("5.21 empty fragments", frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) * 20 + frame(0, whole, fin=False) +
                          frame(0, b""), ids=["fragments"]),
            self.answered("5.22 a byte each", frame(TEXT, b"", fin=False) + b"".join(frame(0, whole[n:n + 1], fin=False) for n in range(len(whole))) +
                          frame(0, b""), ids=["fragments"]),
            self.closed("5.23 binary in fragments", frame(BINARY, b"a", fin=False) + frame(0, b"b"), 1003),
            self.closed("5.24 binary within text", frame(TEXT, a, fin=False) + frame(BINARY, b), 1002),
            self.closed("5.25 close in fragments", frame(CLOSE, code_of(1000), fin=False), 1002),
            self.closed("5.26 close within a message", frame(TEXT, a, fin=False) + frame(CLOSE, code_of(1000)), 1000),
        ])

    # MARK: 6 UTF-8

    VALID = [
        "", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "値動き", "\U00010000", "\u0080", "\u0800", "\u007f", "\u07ff", "\uffff",
        "\ud7ff", "\ue000", "\ufffd", "\U0010ffff", "\ufdd0", "\ufdef", "\U0001fffe", "\U0008ffff", "\U000ffffe", "\ufeff",
        "e\u0301", "\u200f\u202e", "🇯🇵 👩‍👩‍👧", "\u2028\u2029",
    ]
    INVALID = [
        # beyond the last code point, sequences of five and six bytes
        b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80", b"\xfb\xbf\xbf\xbf\xbf", b"\xfc\x84\x80\x80\x80\x80",
        b"\xfd\xbf\xbf\xbf\xbf\xbf",
        # continuation bytes alone, every length
        b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf\x80\xbf", bytes(range(0x80, 0xc0)),
        # beginnings alone
        b"\xc0 \xc1 ", b"\xc2 ", b"\xdf ", b"\xe0 ", b"\xef ", b"\xf0 ", b"\xf4 ", b"\xf8 ", b"\xfc ",
        # the last byte missing
        b"\xc2", b"\xe0\xa0", b"\xef\xbf", b"\xf0\x90\x80", b"\xf4\x8f\xbf", b"\xdf", b"\xe0\xa0 ", b"\xf0\x90\x80 ",
        # bytes that are never there
        b"\xfe", b"\xff", b"\xfe\xfe\xff\xff",
        # longer than needed
        b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf",
        b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80",
        # surrogates, alone and in pairs
        b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf",
    ]

    @staticmethod
    def around(content):
        return b'{"op":"ping","id":"' + content + b'"}'

    def test_06_utf8_that_is_valid(self):
        cases = []
        for number, text in enumerate(self.VALID):
            message = self.around(text.encode())
            cases.append(self.answered(f"6.valid.{number}", frame(TEXT, message), ids=[text]))
            # A byte a fragment, and a byte a packet.
            pieces = frame(TEXT, message[:1], fin=False) + b"".join(frame(0, message[n:n + 1], fin=False) for n in range(1, len(message))) + frame(0)
            cases.append(self.answered(f"6.valid.{number} in fragments", pieces, ids=[text]))
        self.each(cases)

    def test_06_utf8_that_is_not(self):
        cases = []
        for number, bad in enumerate(self.INVALID):
            with self.assertRaises(UnicodeDecodeError):
                bad.decode()
            cases.append(self.closed(f"6.invalid.{number}", frame(TEXT, self.around(bad)), 1007))
            cases.append(self.closed(f"6.invalid.{number} at the end", frame(TEXT, b"x" + bad.rstrip(b" ")), 1007))
            message = self.around(bad)
            for cut in range(20, 20 + len(bad)):
                cases.append(self.closed(f"6.invalid.{number} cut at {cut}", frame(TEXT, message[:cut], fin=False) + frame(0, message[cut:]), 1007))
        self.each(cases)

    def test_06_every_prefix_of_a_text(self):
        whole = "κόσμε\U0001f600".encode()
        cases = []
        for size in range(len(whole) + 1):
            part = whole[:size]
            try:
                text = part.decode()
                cases.append(self.answered(f"6.6.{size}", frame(TEXT, self.around(part)), ids=[text]))
            except UnicodeDecodeError:
                cases.append(self.closed(f"6.6.{size}", frame(TEXT, self.around(part)), 1007))
        self.each(cases)

    def test_06_random_bytes_are_judged_as_python_judges_them(self):
        chance = random.Random(6455)
        cases = []
        for number in range(150):
            size = chance.randrange(1, 9)
            content = bytes(chance.choice((0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xe3, 0xed, 0xa0, 0x9f, 0xf0, 0x90, 0xf4, 0x8f, 0xfe)) for _ in range(size))
            cut = chance.randrange(1, 19 + size)
            message = self.around(content)
            data = frame(TEXT, message[:cut], fin=False) + frame(0, message[cut:])
            try:
                cases.append(self.answered(f"6.random.{number} {content.hex()}", data, ids=[content.decode()]))
            except UnicodeDecodeError:
                cases.append(self.closed(f"6.random.{number} {content.hex()}", data, 1007))
        self.each(cases)

    def test_06_a_fault_is_told_before_the_message_is_whole(self):
        """6.4: what can't become valid any more closes the line at once. The ping behind the fragment is answered only
        by a server that waits."""
        good, bad = "κόσμε".encode(), b"\xf4\x90\x80\x80"
        self.each([
            self.closed("6.4.1", frame(TEXT, good + bad + b"edited", fin=False), 1007),
            self.closed("6.4.2", frame(TEXT, good, fin=False) + frame(0, b"\xf4\x90", fin=False), 1007),
            self.closed("6.4.3 within a frame", frame(TEXT, good + bad + b"edited" * 20)[:-40], 1007, hangs_up=True),
            self.closed("6.4.4 within a frame, a byte at a time", frame(TEXT, good + bad + b"edited" * 20)[:-40], 1007, hangs_up=True, chunk=1),
        ])

    # MARK: 7 closing

    def test_07_closing(self):
        after = frame(TEXT, ping_text("after"))
        cases = [
            self.closed("7.1.1", frame(TEXT, ping_text("before")) + frame(CLOSE, code_of(1000)), 1000, ids=["before"]),
            self.closed("7.1.2", frame(CLOSE, code_of(1000)) * 2, 1000),
            self.closed("7.1.3", frame(CLOSE, code_of(1000)) + frame(PING, b"x"), 1000),
            self.closed("7.1.4", frame(CLOSE, code_of(1000)) + after, 1000),
            self.closed("7.1.5", frame(TEXT, ping_text()[:5], fin=False) + frame(CLOSE, code_of(1000)) + frame(0, ping_text()[5:]), 1000),
            self.closed("7.1.6", frame(TEXT, ping_text("big", LIMIT)) + frame(CLOSE, code_of(1000)) + frame(PING, b"x"), 1000, ids=["big"]),
            self.closed("7.3.1", frame(CLOSE), 1000, 1005),
            self.closed("7.3.2", frame(CLOSE, b"a"), 1002),
            self.closed("7.3.3", frame(CLOSE, code_of(1000)), 1000),
            self.closed("7.3.4", frame(CLOSE, code_of(1000, b"Hello World!")), 1000),
            self.closed("7.3.5", frame(CLOSE, code_of(1000, b"*" * 123)), 1000),
            self.closed("7.3.6", frame(CLOSE, code_of(1000, b"*" * 124)), 1002),
            self.closed("7.5.1", frame(CLOSE, code_of(1000, self.INVALID[0])), 1007),
            self.closed("7.5.2", frame(CLOSE, code_of(1000, "κόσμε".encode())), 1000),
            self.closed("7.5.3", frame(CLOSE, code_of(1000, "κόσμε".encode()[:-1])), 1007),
        ]
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4001, 4999):
            cases.append(self.closed(f"7.7 {code}", frame(CLOSE, code_of(code)), code, 1000))
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
            cases.append(self.closed(f"7.9 {code}", frame(CLOSE, code_of(code)), 1002))
            cases.append(self.closed(f"7.9 {code} with a reason", frame(CLOSE, code_of(code, b"why")), 1002))
        self.each(cases)

    def test_07_the_server_ends_the_connection(self):
        """Behind the close frame nothing comes but the end (7.1.1: the server closes first)."""
        for data in (frame(CLOSE, code_of(1000)), frame(TEXT, b"\xff"), frame(3, b"")):
            line = Line(self.server)
            self.addCleanup(line.line.close)
            line.line.sendall(data)
            self.assertIsNotNone(line.take(Result()).code)
            with self.assertRaises((EOFError, ConnectionError)):
                line.exactly(1)

    def test_07_a_connection_cut_without_a_word_is_no_fault(self):
        for data in (b"", b"\x81", b"\x81\xfe\x01", frame(TEXT, ping_text("x"))[:-3], frame(TEXT, b"{", fin=False)):
            line = Line(self.server)
            line.line.sendall(data)
            line.line.close()
        self.each([self.answered("7.2 others go on", frame(TEXT, ping_text("on")), ids=["on"])])

    # MARK: 9 limits, 10 auto-fragmentation

    def test_09_limits(self):
        cases = [
            self.answered("9.1 as long as it may be", frame(TEXT, ping_text("n", LIMIT)), ids=["n"]),
            self.closed("9.1 a byte more", frame(TEXT, ping_text("n", LIMIT + 1)), 1009),
            self.closed("9.1 a megabyte", frame(TEXT, ping_text("n", 1 << 20)), 1009),
            self.closed("9.2 sixteen megabytes told by the length", b"\x81\xff" + struct.pack("!Q", 16 << 20) + b"\0\0\0\0", 1009),
            self.closed("9.2 the greatest length", b"\x81\xff" + struct.pack("!Q", (1 << 63) - 1) + b"\0\0\0\0", 1009),
        ]
        for size in (64, 256, 1024, 4096, 16384):
            text = ping_text("n", LIMIT)
            pieces = [text[place:place + size] for place in range(0, LIMIT, size)]
            data = frame(TEXT, pieces[0], fin=False) + b"".join(frame(0, piece, fin=False) for piece in pieces[1:]) + frame(0)
            cases.append(self.answered(f"9.3 in fragments of {size}", data, ids=["n"]))
            cases.append(self.closed(f"9.3 in fragments of {size}, one too many",
                                     frame(TEXT, pieces[0], fin=False) + b"".join(frame(0, piece, fin=False) for piece in pieces[1:]) + frame(0, b" "), 1009))
        for size in (64, 128, 512, 1024, 2048):
            cases.append(self.answered(f"9.5 in packets of {size}", frame(TEXT, ping_text("n", LIMIT)), ids=["n"], chunk=size))
        numbers = [str(number) for number in range(200)]
        cases.append(self.answered("9.7 two hundred messages", b"".join(frame(TEXT, ping_text(n)) for n in numbers), ids=numbers))
        cases.append(self.closed("9.8 endless fragments", frame(TEXT, b" ", fin=False) + frame(0, b" " * 1000, fin=False) * 66, 1009))
        cases.append(self.answered("10.1.1", self.fragmented(ping_text("n", LIMIT), 1300), ids=["n"]))
        self.each(cases)

    @staticmethod
    def fragmented(text, size):
        pieces = [text[place:place + size] for place in range(0, len(text), size)]
        return frame(TEXT, pieces[0], fin=False) + b"".join(frame(0, piece, fin=number == len(pieces) - 1)
                                                           for number, piece in enumerate(pieces[1:], 1))

    # MARK: 12 and 13 compression

    def offered(self, offer):
        """The line, and the answer to an offer of extensions (None: declined)."""
        line = Line(self.server, extra=b"Sec-WebSocket-Extensions: " + offer.encode() + b"\r\n")
        self.assertIn(b" 101 ", line.head.split(b"\r\n")[0])
        for row in line.head.split(b"\r\n"):
            name, _, value = row.partition(b": ")
            if name.lower() == b"sec-websocket-extensions":
                return line, value.decode()
        return line, None

    @staticmethod
    def parameters(answer):
        found = {}
        name, *rest = [part.strip() for part in answer.split(";")]
        assert name == "permessage-deflate", answer
        for part in rest:
            key, _, value = part.partition("=")
            assert key not in found, f"{key} twice: {answer}"
            found[key.strip()] = value.strip().strip('"') or None
        return found

    def test_12_offers(self):
        """What may be agreed to is in the offer; what breaks RFC 7692 is declined, and the connection goes on."""
        def check(offer, may_be_agreed):
            def run():
                line, answer = self.offered(offer)
                try:
                    if not may_be_agreed:
                        self.assertIsNone(answer, "an offer that is invalid was agreed to")
                    if answer is not None:
                        agreed = self.parameters(answer)
                        self.assertLessEqual(agreed.keys(), {"server_no_context_takeover", "client_no_context_takeover",
                                                            "server_max_window_bits", "client_max_window_bits"})
                        if "client_max_window_bits" not in offer:
                            self.assertNotIn("client_max_window_bits", agreed, "not offered")
                        for name in ("server_no_context_takeover", "client_no_context_takeover"):
                            self.assertIsNone(agreed.get(name), f"{name} has no value")
                        if "server_no_context_takeover" in offer:
                            self.assertIn("server_no_context_takeover", agreed)
                        for name in ("server_max_window_bits", "client_max_window_bits"):
                            if name in agreed:
                                self.assertIn(agreed[name], [str(bits) for bits in range(8, 16)])
                    line.send(TEXT, ping_text("uncompressed"))
                    line.compressed = answer is not None
                    opcode, first, data = line.strict()
                    if first & 0x40:
                        data = zlib.decompressobj(-15).decompress(data + b"\0\0\xff\xff")
                    self.assertEqual(json.loads(data)[0]["id"], "uncompressed")
                finally:
                    line.line.close()
            return f"12 {offer}", run

        self.each([
            check("permessage-deflate", True),
            check("permessage-deflate; client_max_window_bits", True),
            check("permessage-deflate; client_max_window_bits=10", True),
            check('permessage-deflate; client_max_window_bits="10"', True),
            check("permessage-deflate; server_no_context_takeover; client_no_context_takeover", True),
            check("permessage-deflate; server_max_window_bits=10", True),
            check("permessage-deflate; server_max_window_bits=8", True),
            check("permessage-deflate; unknown, permessage-deflate", True),
            check("x-other, permessage-deflate", True),
            check("permessage-deflate; server_max_window_bits=7", False),
            check("permessage-deflate; server_max_window_bits=16", False),
            check("permessage-deflate; server_max_window_bits=08", False),
            check("permessage-deflate; server_max_window_bits=1x", False),
            check("permessage-deflate; server_max_window_bits", False),
            check("permessage-deflate; server_max_window_bits=", False),
            check("permessage-deflate; client_max_window_bits=7", False),
            check("permessage-deflate; client_max_window_bits=16", False),
            check("permessage-deflate; server_no_context_takeover=1", False),
            check("permessage-deflate; client_no_context_takeover=true", False),
            check("permessage-deflate; server_no_context_takeover; server_no_context_takeover", False),
            check("permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", False),
            check("permessage-deflate; unknown", False),
            check("permessage-deflate; unknown=1", False),
            check("x-webkit-deflate-frame", False),
            check("permessage-bzip2", False),
            check("permessage-deflate-2", False),
        ])

    def test_12_messages(self):
        """RFC 7692, section 7; where nothing was agreed to, RSV1 breaks the protocol."""
        line, answer = self.offered("permessage-deflate")
        line.line.close()
        if answer is None:
            self.each([
                self.closed("12.1 RSV1 not agreed to", frame(TEXT, ping_text("a")) + frame(TEXT, b"\xaaV*", rsv=4), 1002, ids=["a"]),
                self.closed("12.1 by bytes", frame(TEXT, b"\xaaV*", rsv=4), 1002, chunk=1),
            ])
            return

        def press(*texts, bits=15, level=9, keep=True):
            packer = zlib.compressobj(level, zlib.DEFLATED, -bits)
            parts = []
            for text in texts:
                if not keep:
                    packer = zlib.compressobj(level, zlib.DEFLATED, -bits)
                data = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
                assert data.endswith(b"\0\0\xff\xff")
                parts.append(data[:-4] or b"\0")
            return parts

        def talk(data, offer="permessage-deflate"):
            line, answer = self.offered(offer)
            line.compressed = True
            agreed = self.parameters(answer)
            bits = int(agreed.get("server_max_window_bits") or 15)
            fresh = "server_no_context_takeover" in agreed
            opener = zlib.decompressobj(-bits)
            events, code = [], None
            try:
                try:
                    line.line.sendall(data + frame(PING, b"the end"))
                except ConnectionError:
                    pass
                while True:
                    opcode, first, body = line.strict()
                    self.assertFalse(first & 0x40 and opcode >= 8, "RSV1 on a control frame")
                    if opcode == PONG and body == b"the end":
                        break
                    if opcode == CLOSE:
                        code = struct.unpack("!H", body[:2])[0]
                        break
                    if opcode == TEXT:
                        if first & 0x40:
                            if fresh:
                                opener = zlib.decompressobj(-bits)
                            body = opener.decompress(body + b"\0\0\xff\xff")
                        events += json.loads(body)
            except (EOFError, ConnectionError):
                code = "ended"
            finally:
                line.line.close()
            return [event.get("id") for event in events if event["type"] == "pong"], [e["code"] for e in events if e["type"] == "error"], code

        def case(name, data, ids=(), codes=(None,), offer="permessage-deflate"):
            def run():
                found, _, code = talk(data, offer)
                self.assertIn(code, codes)
                self.assertEqual(found, list(ids))
            return f"12 {name}", run

        one, two, three = (ping_text(name) for name in ("one", "two", "three"))
        kept, apart = press(one, two, three), press(one, two, three, keep=False)
        whole = press(ping_text("big", LIMIT))[0]
        final = zlib.compressobj(9, zlib.DEFLATED, -15)
        final = final.compress(one) + final.flush(zlib.Z_FINISH)
        bomb = press(b" " * (64 << 20))[0]
        self.each([
            case("compressed", frame(TEXT, kept[0], rsv=4), ["one"]),
            case("context kept", b"".join(frame(TEXT, part, rsv=4) for part in kept), ["one", "two", "three"]),
            case("each by itself", b"".join(frame(TEXT, part, rsv=4) for part in apart), ["one", "two", "three"]),
            case("no context taken over", b"".join(frame(TEXT, part, rsv=4) for part in apart), ["one", "two", "three"],
                 offer="permessage-deflate; client_no_context_takeover; server_no_context_takeover"),
            case("small windows", b"".join(frame(TEXT, part, rsv=4) for part in press(one, two, three, bits=9)), ["one", "two", "three"],
                 offer="permessage-deflate; server_max_window_bits=9; client_max_window_bits=9"),
            case("mixed with plain", frame(TEXT, kept[0], rsv=4) + frame(TEXT, two) + frame(TEXT, kept[1], rsv=4), ["one", "two", "two"]),
            case("not compressed at all", frame(TEXT, press(one, level=0)[0], rsv=4), ["one"]),
            case("final block", frame(TEXT, final + b"\0", rsv=4), ["one"]),
            case("in fragments", frame(TEXT, kept[0][:4], fin=False, rsv=4) + frame(PING, b"x") + frame(0, kept[0][4:]), ["one"]),
            case("a byte each", frame(TEXT, b"", fin=False, rsv=4) + b"".join(frame(0, bytes([byte]), fin=False) for byte in kept[0]) + frame(0), ["one"]),
            case("as long as it may be", frame(TEXT, whole, rsv=4), ["big"]),
            case("longer than it may be", frame(TEXT, press(ping_text("big", LIMIT + 1))[0], rsv=4), (), (1009,)),
            case("a bomb", frame(TEXT, bomb, rsv=4), (), (1009,)),
            case("a bomb in fragments", self.compressed_fragments(bomb), (), (1009,)),
            case("no deflate", frame(TEXT, b"\xff" * 20, rsv=4), (), (1002, 1003, 1007)),
            case("cut off", frame(TEXT, whole[:-3], rsv=4), (), (None, 1002, 1003, 1007)),
            case("no UTF-8 within", frame(TEXT, press(b'{"op":"\xff"}')[0], rsv=4), (), (1007,)),
            case("RSV1 on a continuation", frame(TEXT, kept[0][:4], fin=False, rsv=4) + frame(0, kept[0][4:], rsv=4), (), (1002,)),
            case("RSV1 on a ping", frame(PING, b"x", rsv=4), (), (1002,)),
            case("RSV2", frame(TEXT, kept[0], rsv=6), (), (1002,)),
        ])

    @staticmethod
    def compressed_fragments(data, size=1000):
        pieces = [data[place:place + size] for place in range(0, len(data), size)]
        return (frame(TEXT, pieces[0], fin=False, rsv=4) +
                b"".join(frame(0, piece, fin=number == len(pieces) - 1) for number, piece in enumerate(pieces[1:], 1)))

    # MARK: the handshake

    GOOD = [("Host", "x"), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13")]

    def ask(self, change=(), first=b"GET /v1/stream HTTP/1.1", chunk=0, more=()):
        """The status of a handshake with headers changed (None: left out) or added, and what came."""
        change = dict(change)
        rows = [(name, change.get(name, value)) for name, value in self.GOOD] + list(more)
        text = first + b"\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in rows if value is not None) + b"\r\n"
        line = Line(self.server, handshake=False)
        try:
            for place in range(0, len(text), chunk or len(text)):
                line.line.sendall(text[place:place + (chunk or len(text))])
            head = line.until(b"\r\n\r\n").decode("latin-1")
            return int(head.split(" ")[1]), head.lower()
        except (EOFError, ConnectionError):
            return 0, ""
        finally:
            line.line.close()

    def test_handshakes(self):
        def case(name, statuses, wanted="", **options):
            def run():
                status, head = self.ask(**options)
                self.assertIn(status, statuses)
                self.assertIn(wanted, head)
                if status == 101:
                    self.assertNotIn("sec-websocket-protocol", head)
            return f"handshake: {name}", run

        key = "Sec-WebSocket-Key"
        self.each([
            case("good", (101,), "s3pplmbitxaq9kygzzhzrbk+xoo="),
            case("by bytes", (101,), chunk=1),
            case("in packets of 20", (101,), chunk=20),
            case("names in capitals", (101,), change={"Upgrade": None}, more=[("UPGRADE", "WebSocket")]),
            case("upgrade among others", (101,), change={"Connection": "keep-alive , Upgrade"}),
            case("upgrade in two headers", (101,), change={"Connection": "keep-alive"}, more=[("Connection", "upgrade")]),
            case("upgrade to a choice", (101,), change={"Upgrade": "h2c, websocket"}),
            case("subprotocols are declined", (101,), more=[("Sec-WebSocket-Protocol", "chat, superchat")]),
            case("other headers and cookies", (101,), more=[("Cookie", "a=b"), ("Origin", "https://example.com"), ("X-" + "y" * 200, "z" * 2000)]),
            case("a query", (101,), first=b"GET /v1/stream?x=1 HTTP/1.1"),
            case("no key", (400,), change={key: None}),
            case("an empty key", (400,), change={key: ""}),
            case("a short key", (400,), change={key: "abc"}),
            case("a key of 15 bytes", (400,), change={key: "dGhlIHNhbXBsZSBub25j"}),
            case("a key of 17 bytes", (400,), change={key: "dGhlIHNhbXBsZSBub25jZWE="}),
            case("a key that isn't base64", (400,), change={key: "!!!!!!!!!!!!!!!!!!!!!!=="}),
            case("two keys", (400,), more=[(key, "dGhlIHNhbXBsZSBub25jZQ==")]),
            case("no version", (426,), "sec-websocket-version: 13", change={"Sec-WebSocket-Version": None}),
            case("version 8", (426,), "sec-websocket-version: 13", change={"Sec-WebSocket-Version": "8"}),
            case("version 013", (426,), "sec-websocket-version: 13", change={"Sec-WebSocket-Version": "013"}),
            case("version 14", (426,), "sec-websocket-version: 13", change={"Sec-WebSocket-Version": "14"}),
            case("no upgrade", (426,), change={"Upgrade": None}),
            case("another upgrade", (426,), change={"Upgrade": "h2c"}),
            case("no connection", (426,), change={"Connection": None}),
            case("connection that closes", (426,), change={"Connection": "close"}),
            case("POST", (405, 426), first=b"POST /v1/stream HTTP/1.1"),
            case("HEAD", (405, 426), first=b"HEAD /v1/stream HTTP/1.1"),
            case("HTTP/1.0", (400, 426, 505), first=b"GET /v1/stream HTTP/1.0"),
            case("no host", (400,), change={"Host": None}),
            case("another path", (404,), first=b"GET /v1/nothing HTTP/1.1"),
            case("not HTTP", (0, 400), first=b"HELLO"),
        ])

    def test_frames_before_the_answer_are_kept(self):
        """A client need not wait: frames in the same packet as the handshake, also cut in two."""
        text = b"".join([b"GET /v1/stream HTTP/1.1\r\n"] + [f"{name}: {value}\r\n".encode() for name, value in self.GOOD] + [b"\r\n"])
        data = text + frame(TEXT, ping_text("early")) + frame(PING, b"the end")
        for cut in (len(text) - 2, len(text), len(text) + 1, len(text) + 9, len(data)):
            line = Line(self.server, handshake=False)
            self.addCleanup(line.line.close)
            line.line.sendall(data[:cut])
            line.line.sendall(data[cut:])
            self.assertIn(b"101", line.until(b"\r\n\r\n"))
            self.assertEqual(line.take(Result()).ids, ["early"])


class RealClients(unittest.IsolatedAsyncioTestCase):
    """What people use: each makes a subscription and gets its snapshot, an update, and a clean close."""

    @classmethod
    def setUpClass(cls):
        cls.server = trading_server(fresh=True)
        (cls.name,) = cls.server.busy(1)
        cls.wish = json.dumps({"op": "subscribe", "id": "1", "channel": "quotes", "instruments": ["*"], "interval": 0})

    def follow(self, kinds, text):
        kinds.update(event["type"] for event in json.loads(text))
        return {"subscribed", "snapshot", "update"} <= kinds

    async def test_websockets(self):
        for compression in ("deflate", None):
            async with websockets.connect(self.server.stream_url, max_size=16 << 20, compression=compression) as line:
                kinds = set()
                await line.send(self.wish)
                while not self.follow(kinds, await line.recv()):
                    pass
                await (await line.ping(b"now"))
            self.assertEqual(line.close_code, 1000)

    async def test_aiohttp(self):
        for compress in (0, 15):
            async with aiohttp.ClientSession() as session:
                async with session.ws_connect(self.server.stream_url, max_msg_size=16 << 20, compress=compress) as line:
                    kinds = set()
                    await line.send_str(self.wish)
                    while not self.follow(kinds, await line.receive_str()):
                        pass
                    await line.close(code=1001)
                self.assertEqual(line.close_code, 1001)

    async def test_wsproto(self):
        from wsproto import ConnectionType, WSConnection
        from wsproto.events import AcceptConnection, CloseConnection, Message, Ping, Pong, Request, TextMessage
        from wsproto.extensions import PerMessageDeflate

        for extensions in ([], [PerMessageDeflate()]):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            line = WSConnection(ConnectionType.CLIENT)
            writer.write(line.send(Request(host="localhost", target="/v1/stream", extensions=extensions)))
            kinds, parts, seen = set(), [], set()
            while "close" not in seen:
                data = await reader.read(65536)
                line.receive_data(data or None)
                for event in line.events():
                    if isinstance(event, AcceptConnection):
                        writer.write(line.send(Message(data=self.wish)))
                        writer.write(line.send(Ping(payload=b"now")))
                    elif isinstance(event, Pong):
                        self.assertEqual(bytes(event.payload), b"now")
                        seen.add("pong")
                    elif isinstance(event, TextMessage):
                        parts.append(event.data)
                        if event.message_finished:
                            text, parts = "".join(parts), []
                            if self.follow(kinds, text) and "closing" not in seen:
                                seen.add("closing")
                                writer.write(line.send(CloseConnection(code=1000)))
                    elif isinstance(event, CloseConnection):
                        self.assertEqual(event.code, 1000)
                        seen.add("close")
            self.assertIn("pong", seen)
            writer.close()
            await writer.wait_closed()

    @unittest.skipUnless(shutil.which("curl"), "needs curl")
    def test_curl_reads_server_sent_events(self):
        answer = subprocess.Popen(
            ["curl", "--silent", "--show-error", "--no-buffer", "--include", "--max-time", "60",
             f"{self.server.url}/v1/events?channel=quotes&instruments=*&interval=0"], stdout=subprocess.PIPE)
        kinds, head = set(), []
        try:
            for row in answer.stdout:
                text = row.decode().rstrip("\r\n")
                if text.startswith("data: ") and self.follow(kinds, text[6:]):
                    break
                head.append(text.lower())
        finally:
            answer.kill()
            answer.communicate()
        self.assertIn("http/1.1 200 ok", head[0])
        self.assertIn("content-type: text/event-stream", head)
        self.assertLessEqual({"subscribed", "snapshot", "update"}, kinds)


class Rate(unittest.TestCase):
    def test_a_client_that_talks_too_much_is_told_and_closed(self):
        server = Server("sim:seed=7&speed=1&instruments=2").start()
        self.addCleanup(server.end)
        line = Line(server)
        self.addCleanup(line.line.close)
        try:
            line.line.sendall(frame(TEXT, ping_text("n")) * 3000)
        except ConnectionError:
            pass
        result = line.take(Result(), last=None)
        self.assertEqual(result.code, 1008)
        self.assertTrue(result.errors)
        until(lambda: sum(loop["clients"] for loop in server.json("/v1/status")["loops"]) == 0, "the client to be forgotten")


if __name__ == "__main__":
    unittest.main()
