"""Writes an ITCH file that leaves an exact state: so many instruments, live orders and trades. For startup.py.

Orders lie on ten prices a side, so a level holds two or three; each trade is an execution of one share of an order
chosen at random. The same arguments give the same bytes.
"""
import random
import struct

OPEN = 9 * 3600 * 10**9


def _frame(kind, locate, time, body):
    head = struct.pack(">cHHHI", kind, locate, 0, time >> 32, time & 0xFFFFFFFF)
    return struct.pack(">H", len(head) + len(body)) + head + body


def code(number):
    """Code of an instrument, as the viewer's Tokyo codes: four characters or more."""
    return str(1000 + number)


def write(path, instruments, orders, trades, seed=1, tail=0):
    """The number of messages written. `tail`: so many more orders, one a second."""
    chance = random.Random(seed)
    names = [code(number).encode().ljust(8) for number in range(instruments)]
    count, time = 0, OPEN - 3600 * 10**9
    with open(path, "wb", buffering=1 << 20) as file:
        def put(kind, locate, body):
            nonlocal count
            file.write(_frame(kind, locate, time, body))
            count += 1

        put(b"S", 0, b"O")
        for number, name in enumerate(names):
            put(b"R", number + 1, name + b"Q" + b"N" + struct.pack(">I", 100) + b"N" + b"C" + b"Z " + b"P" + b"N" + b"N" + b"1" + b"N" + struct.pack(">I", 0) + b"N")
        put(b"S", 0, b"S")
        time = OPEN
        put(b"S", 0, b"Q")
        step = 6 * 3600 * 10**9 // max(1, orders + trades)
        for reference in range(1, orders + 1):
            time += step
            number = (reference * 7919) % instruments
            side = reference // instruments % 2
            distance = 1 + chance.randrange(10)
            price = 1_000_0000 + (distance if side else -distance) * 1_0000
            put(b"A", number + 1, struct.pack(">QcI", reference, b"S" if side else b"B", 1_000) + names[number] + struct.pack(">I", price))
        for match in range(1, trades + 1):
            time += step
            reference = chance.randrange(1, orders + 1)
            put(b"E", (reference * 7919) % instruments + 1, struct.pack(">QIQ", reference, 1, match))
        for number in range(tail):
            time += 10**9
            put(b"A", 1, struct.pack(">QcI", orders + 1 + number, b"B", 100) + names[0] + struct.pack(">I", 990_0000))
    return count
