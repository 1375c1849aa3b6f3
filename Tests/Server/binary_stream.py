"""Reads kabuto.binary.1 as docs/STREAM.md describes it (Binary frames), into the events that JSON frames hold. Written from
the description, not from the server's code."""

import datetime
import json

STATES = ("unknown", "pre_open", "auction", "trading", "break", "halted", "paused", "quotation", "closed")
SPECIAL = (None, "special_bid", "special_ask", "sequential_bid", "sequential_ask")
DIRECTION = (None, "up", "down", "same")
LIMIT = (None, "up", "down")
REASON = (None, "gap", "silent", "recovering")
CHANNELS = ("quotes", "books", "trades", "bars")
KINDS = ("trade", "hidden", "open", "close", "halt_cross", "ipo_cross", "intraday_cross")
QUOTE = (
    ("time", "time"), ("state", STATES), ("special", SPECIAL), ("bid", "price"), ("bid_size", "count"), ("bid_orders", "count"),
    ("ask", "price"), ("ask_size", "count"), ("ask_orders", "count"), ("last", "price"), ("last_size", "count"),
    ("last_time", "time"), ("direction", DIRECTION), ("open", "price"), ("open_time", "time"), ("high", "price"),
    ("high_time", "time"), ("low", "price"), ("low_time", "time"), ("close", "price"), ("volume", "number"),
    ("turnover", "money"), ("vwap", "price"), ("trades", "number"), ("previous_close", "price"), ("previous_date", "date"),
    ("change", "price"), ("change_percent", "percent"), ("reference", "price"), ("reference_date", "date"),
    ("limit_up", "price"), ("limit_down", "price"), ("at_limit", LIMIT), ("auction", "auction"), ("collar_upper", "price"),
    ("collar_lower", "price"), ("short_restricted", (False, True)), ("suspect", (False, True)), ("stale", "stale"),
)


class Reader:
    def __init__(self, data):
        self.data = data
        self.place = 0
        self.day = None

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def byte(self):
        value = self.data[self.place]
        self.place += 1
        return value

    def signed(self):
        value = self.number()
        return value >> 1 ^ -(value & 1)

    def optional_signed(self):
        value = self.number()
        return None if value == 0 else (value - 1) >> 1 ^ -((value - 1) & 1)

    def count(self):
        value = self.number()
        return None if value == 0 else value - 1

    def price(self, scale=10_000):
        units = self.optional_signed()
        return None if units is None else units / scale

    def percent(self):
        return self.price(100)

    def money(self):
        return self.number() / 10_000

    def text(self):
        size = self.number()
        value = self.data[self.place:self.place + size].decode()
        self.place += size
        return value

    def time(self):
        value = self.count()
        return None if value is None else self.stamp(value)

    def stamp(self, nanoseconds):
        date, offset = self.day
        days, rest = divmod(nanoseconds, 86_400 * 10**9)
        seconds, part = divmod(rest, 10**9)
        sign = "-" if offset < 0 else "+"
        offset = abs(offset) // 60
        return (f"{date + datetime.timedelta(days)}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{part:09}"
                f"{sign}{offset // 60:02}:{offset % 60:02}")

    def date(self):
        days = self.optional_signed()
        return None if days is None else str(datetime.date(1970, 1, 1) + datetime.timedelta(days))

    def stale(self):
        reason = REASON[self.byte()]
        return None if reason is None else {"since": self.stamp(self.number()), "reason": reason}

    def auction(self):
        kind = self.byte()
        if kind == 0:
            return None
        found = {"paired": self.number(), "imbalance": self.number(), "side": ("buy", "sell", "none", "insufficient")[self.byte()],
                 "far": self.price(), "near": self.price(), "reference": self.price(),
                 "type": (None, "open", "close", "extended", "halt")[kind]}
        found["price"] = found["near"] if found["near"] is not None else found["reference"]
        return found

    def field(self, kind):
        return kind[self.byte()] if isinstance(kind, tuple) else getattr(self, kind)()


class Decoder:
    """Of one connection: it keeps what instruments' numbers stand for."""

    def __init__(self):
        self.names = {}

    def frame(self, data):
        outer = Reader(data)
        events = []
        while outer.place < len(data):
            size = outer.number()
            events += self.event(Reader(data[outer.place:outer.place + size]))
            outer.place += size
        assert outer.place == len(data), "the last event is cut"
        return events

    def event(self, r):
        head = r.byte()
        kind, channel = head & 15, head >> 4
        if kind == 0:
            return [json.loads(r.data[1:])]
        if kind == 6:
            for _ in range(r.number()):
                self.name(r, r.number())
            return []
        if kind > 6:
            return []
        number, seq = r.number(), r.number()
        event = {"type": (None, "snapshot", "update", "stale", "fresh", "state")[kind], "channel": CHANNELS[channel], "seq": seq}
        if kind == 1:
            self.name(r, number)
        name, market, epoch, r.day = self.names[number]
        event["instrument"] = name
        if kind == 1:
            event |= {"market": market, "epoch": epoch}
            self.snapshot(r, event, channel)
        elif kind == 2:
            self.update(r, event, channel)
        elif kind == 3:
            event["stale"] = r.stale()
        elif kind == 5:
            self.standing(r, event)
        while r.place < len(r.data):
            tag, value = r.byte(), r.number()
            if tag in (1, 2, 3):
                event[(None, "rx", "conflated", "dropped")[tag]] = str(value) if tag == 1 else value
        return [event]

    def name(self, r, number):
        name, market, epoch, days, offset = r.text(), r.text(), r.text(), r.signed(), r.signed()
        self.names[number] = (name, market, epoch, (datetime.date(1970, 1, 1) + datetime.timedelta(days), offset))

    def standing(self, r, event):
        event |= {"time": r.time(), "state": STATES[r.byte()], "reference": r.price(), "reference_date": r.date()}

    def quote(self, r, event):
        mask = r.number()
        for bit, (name, kind) in enumerate(QUOTE):
            if mask >> bit & 1:
                event[name] = r.field(kind)

    def book(self, r, event):
        mask = r.number()
        event["time"] = r.time()
        if mask & 16:
            event["state"] = STATES[r.byte()]
        if mask & 32:
            event |= {"reference": r.price(), "reference_date": r.date()}
        for bit, name in ((1, "bids"), (4, "asks")):
            if mask & bit:
                price, event[name] = 0, []
                for _ in range(r.number()):
                    price += r.signed()
                    event[name].append({"price": price / 10_000, "size": r.number(), "orders": r.number()})
        if mask & 2:
            event |= {"bid_total": r.number(), "under": r.number()}
        if mask & 8:
            event |= {"ask_total": r.number(), "over": r.number()}

    def trade(self, r):
        found = {"time": r.stamp(r.number()), "price": r.price(), "size": r.number(), "match": r.number()}
        flags = r.byte()
        found |= {"side": (None, "buy", "sell")[flags & 3], "direction": DIRECTION[flags >> 2 & 3], "broken": bool(flags & 16),
                  "kind": KINDS[r.byte()]}
        if flags & 32:
            found["broke"] = r.number()
        return found

    def bar(self, r):
        start = r.count()
        return {"interval": "1m", "start": None if start is None else r.stamp(start * 10**9), "open": r.price(), "high": r.price(),
                "low": r.price(), "close": r.price(), "volume": r.number(), "turnover": r.money(), "trades": r.number(),
                "closed": bool(r.byte())}

    def snapshot(self, r, event, channel):
        if channel == 0:
            self.quote(r, event)
        elif channel == 1:
            self.book(r, event)
            event["stale"] = r.stale()
        else:
            self.standing(r, event)
            event["stale"] = r.stale()
            if channel == 2:
                same = {field: event[field] for field in ("instrument", "market", "epoch")}
                event["trades"] = [{**same, "seq": r.number(), **self.trade(r)} for _ in range(r.number())]
            else:
                event |= self.bar(r)

    def update(self, r, event, channel):
        if channel == 0:
            self.quote(r, event)
        elif channel == 1:
            self.book(r, event)
        else:
            event |= self.trade(r) if channel == 2 else self.bar(r)
