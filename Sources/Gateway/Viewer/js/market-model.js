// What the page knows of the market: one record an instrument, and the set of those that changed
// since the last paint. Pure: no DOM, no network, no clock.
// Invariant: a record is in `dirty` if and only if its `changed` is not 0.

import { searchKey } from "./format.js";

export const QUOTE = 1, BOOK = 2, TRADES = 4, BARS = 8, SPARK = 16;
const TRADES_KEPT = 300;
const SPARK_KEPT = 120;
// Prices of orders only: a trade at the midpoint lies between two ticks.
const PRICE_FIELDS = ["bid", "ask", "reference", "previous_close", "limit_up", "limit_down"];
const NO_LEVELS = /** @type {import("./types.js").Level[]} */ ([]);
const NOT_FIELDS = new Set(["type", "channel", "instrument", "rx", "conflated"]);

/** An instrument and all that is known of it. */
export class InstrumentRecord {
  /** @param {import("./types.js").Instrument} info @param {number} index */
  constructor(info, index) {
    this.index = index;
    this.key = info.instrument;
    this.code = info.code;
    this.market = info.market;
    this.info = info;
    this.nameJa = info.name?.ja ?? null;
    this.nameEn = info.name?.en ?? null;
    this.hasName = this.nameJa !== null || this.nameEn !== null;
    this.searchJa = searchKey(this.nameJa ?? "");
    this.searchEn = searchKey(this.nameEn ?? "");
    this.searchCode = searchKey(info.code);
    /** @type {import("./types.js").Quote|null} */
    this.quote = null;
    /** @type {import("./types.js").Book|null} */
    this.book = null;
    /** @type {import("./types.js").Trade[]} newest first */
    this.trades = [];
    this.tradesDropped = 0;
    /** @type {import("./types.js").Bar|null} the newest one-minute bar */
    this.bar = null;
    this.barEpoch = "";
    this.decimals = info.currency === "JPY" ? 0 : 2;
    /** More decimals than before: whatever shows a price must be painted again. */
    this.isFiner = false;
    /** Closes of the last minutes, oldest first. @type {number[]} */
    this.spark = [];
    this.sparkMinute = "";
    /** Asked for, and there. */
    this.sparkLoaded = false;
    this.sparkReady = false;
    this.changed = 0;
    /** The last price's movement since the last paint: 1, -1, 0. */
    this.moved = 0;
    this.learnDecimals(info.reference);
    this.learnDecimals(info.limit_up);
    this.learnDecimals(info.limit_down);
  }

  /** @param {string} language */
  name(language) {
    return (language === "ja" ? this.nameJa ?? this.nameEn : this.nameEn ?? this.nameJa) ?? this.code;
  }

  /** A price with more decimals than any before shows how finely this instrument is quoted.
   * @param {number|null|undefined} price */
  learnDecimals(price) {
    if (price === null || price === undefined || Number.isInteger(price * 10 ** this.decimals)) return;
    while (this.decimals < 4 && Math.abs(price * 10 ** this.decimals - Math.round(price * 10 ** this.decimals)) > 1e-6) {
      this.decimals += 1;
      this.isFiner = true;
    }
  }
}

export class MarketModel {
  constructor() {
    /** @type {InstrumentRecord[]} */
    this.records = [];
    /** @type {Map<string, InstrumentRecord>} by CODE.MARKET, and by code where that is unique */
    this.byName = new Map();
    /** @type {Set<InstrumentRecord>} */
    this.dirty = new Set();
    this.updates = 0;
    this.newestTime = "";
    this.simulated = false;
    /** What the last heartbeat said of the server's feeds. @type {"live"|"stale"|"ended"} */
    this.feeds = "live";
    /** Whether events came of an instrument that isn't known yet. */
    this.hasStrangers = false;
    /** Rises when instruments are added: lists rebuild. */
    this.generation = 0;
  }

  /** @param {import("./types.js").Instrument[]} instruments */
  addInstruments(instruments) {
    for (const info of instruments) {
      const known = this.byName.get(info.instrument);
      if (known) {
        known.info = info; // A new day has new limits.
        continue;
      }
      const record = new InstrumentRecord(info, this.records.length);
      this.records.push(record);
      this.byName.set(info.instrument, record);
      const namesake = this.byName.get(info.code);
      if (!namesake) this.byName.set(info.code, record);
      else if (namesake.market !== info.market) this.byName.delete(info.code);
      if (info.simulated) this.simulated = true;
    }
    this.generation += 1;
  }

  /** @param {string} name */
  find(name) {
    return this.byName.get(name) ?? null;
  }

  /** @param {InstrumentRecord} record @param {number} what */
  mark(record, what) {
    record.changed |= record.isFiner ? what | QUOTE | BOOK | TRADES | BARS : what;
    record.isFiner = false;
    this.dirty.add(record);
  }

  /** Hands the changed records to a painter, once. @param {(record: InstrumentRecord) => void} each */
  drain(each) {
    for (const record of this.dirty) each(record);
    for (const record of this.dirty) {
      record.changed = 0;
      record.moved = 0;
    }
    this.dirty.clear();
  }

  /** @param {any[]} events of one frame */
  apply(events) {
    for (const event of events) {
      if (event.type === "heartbeat") {
        if (event.time > this.newestTime) this.newestTime = event.time;
        const states = (event.sources ?? []).map((/** @type {any} */ source) => source.state);
        if (states.length > 0) this.feeds = states.includes("live") ? "live" : states.includes("stale") ? "stale" : "ended";
        continue;
      }
      const record = event.instrument === undefined ? undefined : this.byName.get(event.instrument);
      if (!record) {
        if (event.instrument !== undefined) this.hasStrangers = true;
        continue;
      }
      this.updates += 1;
      if (event.type === "update") this.feeds = "live";
      if (event.type === "stale" || event.type === "fresh") {
        this.#applyStale(record, event);
        continue;
      }
      if (event.type === "state") continue; // Told of trades and bars; the quote has it too.
      switch (event.channel) {
        case "quotes": this.#applyQuote(record, event); break;
        case "books": this.#applyBook(record, event); break;
        case "trades": this.#applyTrades(record, event); break;
        case "bars": this.#applyBar(record, event); break;
        default:
      }
    }
  }

  /** A quote from REST, for those the stream doesn't send. @param {any} quote */
  applyRestQuote(quote) {
    const record = this.byName.get(quote.instrument) ?? this.byName.get(`${quote.instrument}.${quote.market}`);
    if (!record || (record.quote && record.quote.epoch === quote.epoch && record.quote.seq >= quote.seq)) return;
    this.#applyQuote(record, { ...quote, type: "snapshot" });
  }

  /** @param {InstrumentRecord} record @param {any} event */
  #applyStale(record, event) {
    const stale = event.type === "stale" ? event.stale ?? { since: this.newestTime, reason: "gap" } : null;
    const target = event.channel === "books" ? record.book : record.quote;
    if (target) target.stale = stale;
    this.mark(record, event.channel === "books" ? BOOK : QUOTE);
  }

  /** @param {InstrumentRecord} record @param {any} event */
  #applyQuote(record, event) {
    const before = record.quote?.last ?? null;
    if (event.type === "snapshot") {
      if (record.quote && record.quote.epoch !== event.epoch) this.#newEpoch(record);
      record.quote = fieldsOf(event, /** @type {any} */ ({}));
    } else {
      if (!record.quote || event.seq < record.quote.seq) return; // Conflated earlier on a slower subscription.
      fieldsOf(event, record.quote);
    }
    const quote = /** @type {import("./types.js").Quote} */ (record.quote);
    for (const name of PRICE_FIELDS) if (event[name] !== undefined) record.learnDecimals(event[name]);
    record.learnDecimals(event.auction?.price);
    if (quote.time > this.newestTime) this.newestTime = quote.time;
    if (before !== null && quote.last !== null && quote.last !== before) record.moved = quote.last > before ? 1 : -1;
    if (event.last !== undefined) this.#extendSpark(record, quote.last, quote.last_time);
    this.mark(record, QUOTE);
  }

  /** @param {InstrumentRecord} record @param {any} event */
  #applyBook(record, event) {
    if (event.type === "snapshot") record.book = fieldsOf(event, /** @type {any} */ ({}));
    else if (record.book && event.seq >= record.book.seq) fieldsOf(event, record.book);
    else return;
    for (const side of [event.asks, event.bids]) for (const level of side ?? NO_LEVELS) record.learnDecimals(level.price);
    this.mark(record, BOOK);
  }

  /** @param {InstrumentRecord} record @param {any} event */
  #applyTrades(record, event) {
    if (event.type === "snapshot") {
      record.trades = event.trades.slice();
      record.tradesDropped = 0;
    } else if (event.broke !== undefined) {
      const broken = record.trades.find((trade) => trade.seq === event.broke || trade.match === event.match);
      if (broken) broken.broken = true;
    } else {
      const known = record.trades.some((trade) => trade.seq === event.seq && trade.match === event.match);
      if (known) return;
      record.trades.unshift(fieldsOf(event, /** @type {any} */ ({})));
      record.tradesDropped += event.dropped ?? 0;
      if (record.trades.length > TRADES_KEPT) record.trades.length = TRADES_KEPT;
    }
    this.mark(record, TRADES);
  }

  /** @param {InstrumentRecord} record @param {any} event */
  #applyBar(record, event) {
    if (!event.start) return; // A snapshot before the day's first bar.
    record.bar = fieldsOf(event, /** @type {any} */ ({}));
    this.mark(record, BARS);
  }

  /** @param {InstrumentRecord} record */
  #newEpoch(record) {
    record.trades = [];
    record.book = null;
    record.bar = null;
    record.sparkLoaded = false;
    this.mark(record, QUOTE | BOOK | TRADES | BARS | SPARK);
  }

  // Sparklines

  /** @param {InstrumentRecord} record @param {import("./types.js").Bar[]} bars */
  loadSpark(record, bars) {
    record.sparkReady = true;
    record.spark = bars.slice(-SPARK_KEPT).map((bar) => bar.close);
    record.sparkMinute = bars.length > 0 ? bars[bars.length - 1].start.slice(0, 16) : "";
    this.mark(record, SPARK);
  }

  /** @param {InstrumentRecord} record @param {number|null} price @param {string|null} time */
  #extendSpark(record, price, time) {
    if (price === null || time === null) return;
    const minute = time.slice(0, 16);
    if (minute === record.sparkMinute) record.spark[record.spark.length - 1] = price;
    else if (minute > record.sparkMinute) {
      record.spark.push(price);
      record.sparkMinute = minute;
      if (record.spark.length > SPARK_KEPT) record.spark.shift();
    } else return;
    record.changed |= SPARK;
  }

  // Search and order

  /** Best first: code begins so, name begins so, anywhere. @param {string} text @returns {InstrumentRecord[]} */
  search(text) {
    const wanted = searchKey(text);
    if (wanted === "") return this.records.slice();
    /** @type {InstrumentRecord[][]} */
    const ranks = [[], [], [], []];
    for (const record of this.records) {
      if (record.searchCode === wanted) ranks[0].push(record);
      else if (record.searchCode.startsWith(wanted)) ranks[1].push(record);
      else if (record.searchJa.startsWith(wanted) || record.searchEn.startsWith(wanted)) ranks[2].push(record);
      else if (record.searchJa.includes(wanted) || record.searchEn.includes(wanted) || record.searchCode.includes(wanted)) {
        ranks[3].push(record);
      }
    }
    return ranks.flat();
  }

  /** By turnover; before the first trades, by what the auction would match. */
  mostTraded() {
    const value = (/** @type {InstrumentRecord} */ { quote }) =>
      quote?.turnover || (quote?.auction?.price ?? 0) * (quote?.auction?.paired ?? 0);
    let best = this.records[0] ?? null;
    for (const record of this.records) if (value(record) > value(best)) best = record;
    return best;
  }

  /** Advancers, decliners, unchanged and turnover of the whole market. */
  breadth() {
    let up = 0, down = 0, same = 0, turnover = 0;
    for (const { quote } of this.records) {
      if (!quote) continue;
      turnover += quote.turnover ?? 0;
      if (quote.change === null || quote.change === undefined) continue;
      if (quote.change > 0) up += 1;
      else if (quote.change < 0) down += 1;
      else same += 1;
    }
    return { up, down, same, turnover };
  }
}

/** Copies the channel's fields of an event onto `target`. @template {object} T
 * @param {any} event @param {T} target @returns {T} */
function fieldsOf(event, target) {
  for (const name in event) {
    if (!NOT_FIELDS.has(name)) /** @type {any} */ (target)[name] = event[name];
  }
  return target;
}
