"""An ITCH file as what happens to orders, for peers that don't read ITCH: never part of a timed stretch."""
import struct

ADD, MODIFY, DELETE = 0, 1, 2


def frames(data):
    """(offset of the message, type) of each message."""
    at, end = 0, len(data)
    while at + 2 < end:
        length = data[at] << 8 | data[at + 1]
        if length == 0:
            return
        yield at + 2, data[at + 2]
        at += 2 + length


class Orders:
    """`changes` turns messages into (instrument, what, is sell, price, shares left, order number, time)."""

    def __init__(self, data):
        self.data, self.names, self.live, self.messages = data, {}, {}, 0

    def changes(self):
        data, live = self.data, self.live
        u64, u32, u16 = struct.Struct(">Q").unpack_from, struct.Struct(">I").unpack_from, struct.Struct(">H").unpack_from
        for at, kind in frames(data):
            self.messages += 1
            locate = u16(data, at + 1)[0]
            time = int.from_bytes(data[at + 5:at + 11], "big")
            if kind == 0x41 or kind == 0x46:  # A, F
                number, shares, price = u64(data, at + 11)[0], u32(data, at + 20)[0], u32(data, at + 32)[0]
                if locate not in self.names:
                    self.names[locate] = data[at + 24:at + 32].decode().strip()
                order = live[number] = [locate, data[at + 19] == 0x53, price, shares]
                yield locate, ADD, order[1], price, shares, number, time
            elif kind in (0x44, 0x45, 0x43, 0x58):  # D, E, C, X
                number = u64(data, at + 11)[0]
                order = live.get(number)
                if order is None:
                    continue
                left = 0 if kind == 0x44 else order[3] - u32(data, at + 19)[0]
                if left > 0:
                    order[3] = left
                    yield order[0], MODIFY, order[1], order[2], left, number, time
                else:
                    del live[number]
                    yield order[0], DELETE, order[1], order[2], order[3], number, time
            elif kind == 0x55:  # U
                number, new = u64(data, at + 11)[0], u64(data, at + 19)[0]
                order = live.pop(number, None)
                if order is None:
                    continue
                yield order[0], DELETE, order[1], order[2], order[3], number, time
                order = live[new] = [order[0], order[1], u32(data, at + 31)[0], u32(data, at + 27)[0]]
                yield order[0], ADD, order[1], order[2], order[3], new, time
            elif kind == 0x52:  # R
                self.names[locate] = data[at + 11:at + 19].decode().strip()


def write_books(path, books):
    """`books`: name -> (bids, asks), each a list of (price, shares, orders), best first; as `kabuto digest --books`."""
    with open(path, "w") as out:
        for name in sorted(books):
            for letter, levels in zip("BS", books[name]):
                for price, shares, orders in levels:
                    out.write(f"{name},{letter},{price},{shares},{orders}\n")
