"""hftbacktest's L3 market depth (Rust, the hash map one) from an ITCH file: hftbacktest_books.py FILE BOOKS.csv

The timed part is one call an instrument that lets its backtest run over the whole event array, so no Python call a
change. It keeps two depths, the exchange's and the local one, and works on each event twice; that can't be turned off.
One instrument after the other, because a backtest of thousands of assets looks for the next event among all of them;
that suits the caches. Reading, decoding and making the arrays are not timed. It has no number of orders at a level: 0.
"""
import json
import os
import resource
import sys
import time

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import itchorders
from hftbacktest import (ADD_ORDER_EVENT, BUY_EVENT, CANCEL_ORDER_EVENT, EXCH_EVENT, LOCAL_EVENT, MODIFY_ORDER_EVENT, SELL_EVENT,
                         BacktestAsset, binding, build_hashmap_backtest, event_dtype)


def main():
    path, out = sys.argv[1:3]
    orders = itchorders.Orders(open(path, "rb").read())
    both = EXCH_EVENT | LOCAL_EVENT
    kinds = [both | ADD_ORDER_EVENT, both | MODIFY_ORDER_EVENT, both | CANCEL_ORDER_EVENT]
    events = {}
    for locate, action, is_sell, price, shares, number, stamp in orders.changes():
        events.setdefault(locate, []).append(
            (kinds[action] | (SELL_EVENT if is_sell else BUY_EVENT), stamp, stamp, float(price), float(shares), number, 0, 0.0))
    spent, found, changes = 0.0, {}, 0
    for locate in list(events):
        array = numpy.array(events.pop(locate), dtype=event_dtype)
        changes += len(array)
        # Its search for the next best price goes tick by tick: the grid that the prices are really on.
        tick = max(1, int(numpy.gcd.reduce(array["px"].astype(numpy.int64))))
        asset = (BacktestAsset().data([array]).linear_asset(1.0).constant_order_latency(0, 0).l3_fifo_queue_model()
                 .no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0).tick_size(float(tick)).lot_size(1.0))
        run = build_hashmap_backtest([asset])
        begin = time.process_time()
        binding.hashmapbt_elapse_bt(run, 1 << 62)
        spent += time.process_time() - begin
        depth = binding.hashmapbt_depth(run, 0)
        # Each price that ever was, because its snapshot begins at its best prices, and those it moves apart where a book
        # is crossed, as before auctions.
        sides = []
        for flag, quantity in ((BUY_EVENT, binding.hashmapdepth_bid_qty_at_tick), (SELL_EVENT, binding.hashmapdepth_ask_qty_at_tick)):
            prices = numpy.unique(array["px"][array["ev"] & flag != 0]).astype(numpy.int64)
            levels = [(int(price), round(quantity(depth, int(price) // tick)), 0) for price in prices]
            sides.append([level for level in levels if level[1] > 0])
        found[orders.names[locate]] = (sides[0][::-1], sides[1])
        binding.hashmapbt_close(run)
    itchorders.write_books(out, found)
    print(json.dumps({
        "design": "L3 hash map, two depths", "messages": orders.messages, "live_orders": len(orders.live), "changes": changes,
        "cpu_seconds": spent, "ns_per_message": spent * 1e9 / max(1, orders.messages),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


main()
