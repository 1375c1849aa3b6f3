"""nautilus_trader's OrderBook (Rust), one L3 book an instrument, from an ITCH file: nautilus_books.py batch|single FILE BOOKS.csv

  batch    the timed part is OrderBook.apply_deltas, a call for all of an instrument's changes among 50,000 (so less
           than a Python call a change); an instrument's changes come together, which suits the caches
  single   OrderBook.apply_delta, a Python call for each change, in the file's order
Reading and decoding the file, and making the delta objects, are not timed.
"""
import gc
import itertools
import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import itchorders
from nautilus_trader.core import nautilus_pyo3
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.enums import BookAction, BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price

CHUNK = 50_000


def main():
    mode, path, out = sys.argv[1:4]
    orders = itchorders.Orders(open(path, "rb").read())
    one = Price(1, 0).raw  # 1.0 as the library counts
    tick, share = one // 10_000, one
    actions = [BookAction.ADD, BookAction.UPDATE, BookAction.DELETE]
    books, ids = {}, {}
    spent, changes, sequence = 0.0, orders.changes(), 0
    gc.disable()
    while True:
        chunk = list(itertools.islice(changes, CHUNK))
        if not chunk:
            break
        made, groups = [], {}
        for locate, action, is_sell, price, shares, number, stamp in chunk:
            book = books.get(locate)
            if book is None:
                ids[locate] = InstrumentId.from_str(f"{orders.names[locate]}.X")
                book = books[locate] = OrderBook(ids[locate], BookType.L3_MBO)
            sequence += 1
            delta = OrderBookDelta.from_raw(
                ids[locate], actions[action], OrderSide.SELL if is_sell else OrderSide.BUY, price * tick, 4, shares * share, 0, number, 0,
                sequence, stamp, stamp)
            if mode == "single":
                made.append((book.apply_delta, delta))
            else:
                groups.setdefault(locate, []).append(delta)
        if mode == "single":
            begin = time.process_time()
            for apply, delta in made:
                apply(delta)
            spent += time.process_time() - begin
        else:
            made = [(books[locate].apply_deltas, OrderBookDeltas(ids[locate], some)) for locate, some in groups.items()]
            begin = time.process_time()
            for apply, deltas in made:
                apply(deltas)
            spent += time.process_time() - begin
        del made, groups, chunk
    found = {}
    for locate, book in books.items():
        found[orders.names[locate]] = tuple(
            [(level.price.raw // tick, int(level.size()), len(level.orders())) for level in levels] for levels in (book.bids(), book.asks()))
    itchorders.write_books(out, found)
    print(json.dumps({
        "design": mode, "messages": orders.messages, "live_orders": len(orders.live), "changes": sequence, "cpu_seconds": spent,
        "ns_per_message": spent * 1e9 / max(1, orders.messages), "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


main()
