// Decodes kabuto.binary.1 (docs/STREAM.md, Binary frames) into the events that JSON frames hold.
// Needs nothing else; one decoder a connection, since it keeps what instruments' numbers stand for:
//
//   const socket = new WebSocket(url, ["kabuto.binary.1"]);
//   socket.binaryType = "arraybuffer";
//   const decoder = new BinaryDecoder();
//   socket.onmessage = (message) => { for (const event of decoder.frame(message.data)) … };
//
// Integers above 2^53 (never a price or a size that is traded) lose their last digits, as with JSON.parse.

export const SUBPROTOCOL = "kabuto.binary.1";

const STATES = ["unknown", "pre_open", "auction", "trading", "break", "halted", "paused", "quotation", "closed"];
const SPECIALS = [null, "special_bid", "special_ask", "sequential_bid", "sequential_ask"];
const DIRECTIONS = [null, "up", "down", "same"];
const LIMITS = [null, "up", "down"];
const REASONS = [null, "gap", "silent", "recovering"];
const CHANNELS = ["quotes", "books", "trades", "bars"];
const TYPES = [null, "snapshot", "update", "stale", "fresh", "state"];
const KINDS = ["trade", "hidden", "open", "close", "halt_cross", "ipo_cross", "intraday_cross"];
const AUCTIONS = [null, "open", "close", "extended", "halt"];
const SIDES = ["buy", "sell", "none", "insufficient"];
const DAY_SECONDS = 86400;

/** @typedef {{name: string, market: string, epoch: string, days: number, offset: number, dateText: string, offsetText: string}} Known */

/** Reads one event's bytes. */
class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.place = 0;
    this.end = bytes.length;
    /** @type {Known} */
    this.known = { name: "", market: "", epoch: "", days: 0, offset: 0, dateText: "", offsetText: "" };
  }

  byte() {
    if (this.place >= this.end) throw new RangeError("an event is shorter than its fields");
    return this.bytes[this.place++];
  }

  number() {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** For what may pass 2^53: exact. */
  big() {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      shift += 7n;
    }
  }

  signed() {
    const value = this.number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** @returns {number|null} */
  count() {
    const value = this.number();
    return value === 0 ? null : value - 1;
  }

  /** @returns {number|null} */
  optionalSigned() {
    const value = this.count();
    if (value === null) return null;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  price(scale = 10000) {
    const units = this.optionalSigned();
    return units === null ? null : units / scale;
  }

  money() {
    const units = this.big();
    if (units <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(units) / 10000;
    // Through text: rounded once, as JSON.parse does.
    return Number(`${units / 10000n}.${String(units % 10000n).padStart(4, "0")}`);
  }

  text() {
    const size = this.number();
    if (this.place + size > this.end) throw new RangeError("a text is longer than its event");
    const text = new TextDecoder().decode(this.bytes.subarray(this.place, this.place + size));
    this.place += size;
    return text;
  }

  time() {
    const value = this.count();
    return value === null ? null : this.stamp(value);
  }

  /** @param {number} nanoseconds since the exchange's midnight */
  stamp(nanoseconds) {
    const part = nanoseconds % 1e9;
    let seconds = (nanoseconds - part) / 1e9;
    let date = this.known.dateText;
    if (seconds >= DAY_SECONDS) {
      date = dateText(this.known.days + Math.floor(seconds / DAY_SECONDS));
      seconds %= DAY_SECONDS;
    }
    const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    return `${date}T${clock}.${String(part).padStart(9, "0")}${this.known.offsetText}`;
  }

  date() {
    const days = this.optionalSigned();
    return days === null ? null : dateText(days);
  }

  stale() {
    const reason = REASONS[this.byte()];
    return reason ? { since: this.stamp(this.number()), reason } : null;
  }

  auction() {
    const type = AUCTIONS[this.byte()];
    if (!type) return null;
    const paired = this.number();
    const imbalance = this.number();
    const side = SIDES[this.byte()];
    const far = this.price();
    const near = this.price();
    const reference = this.price();
    return { price: near ?? reference, paired, imbalance, side, far, near, reference, type };
  }
}

/** @param {number} value */
const two = (value) => String(value).padStart(2, "0");

/** @param {number} days since 1970 */
const dateText = (days) => new Date(days * DAY_SECONDS * 1000).toISOString().slice(0, 10);

/** @type {[string, (r: Reader) => any][]} a bit each */
const QUOTE_FIELDS = [
  ["time", (r) => r.time()], ["state", (r) => STATES[r.byte()]], ["special", (r) => SPECIALS[r.byte()]],
  ["bid", (r) => r.price()], ["bid_size", (r) => r.count()], ["bid_orders", (r) => r.count()],
  ["ask", (r) => r.price()], ["ask_size", (r) => r.count()], ["ask_orders", (r) => r.count()],
  ["last", (r) => r.price()], ["last_size", (r) => r.count()], ["last_time", (r) => r.time()],
  ["direction", (r) => DIRECTIONS[r.byte()]],
  ["open", (r) => r.price()], ["open_time", (r) => r.time()], ["high", (r) => r.price()], ["high_time", (r) => r.time()],
  ["low", (r) => r.price()], ["low_time", (r) => r.time()], ["close", (r) => r.price()],
  ["volume", (r) => r.number()], ["turnover", (r) => r.money()], ["vwap", (r) => r.price()], ["trades", (r) => r.number()],
  ["previous_close", (r) => r.price()], ["previous_date", (r) => r.date()],
  ["change", (r) => r.price()], ["change_percent", (r) => r.price(100)],
  ["reference", (r) => r.price()], ["reference_date", (r) => r.date()],
  ["limit_up", (r) => r.price()], ["limit_down", (r) => r.price()], ["at_limit", (r) => LIMITS[r.byte()]],
  ["auction", (r) => r.auction()], ["collar_upper", (r) => r.price()], ["collar_lower", (r) => r.price()],
  ["short_restricted", (r) => r.byte() === 1], ["suspect", (r) => r.byte() === 1], ["stale", (r) => r.stale()],
];

/** Of one connection. */
export class BinaryDecoder {
  constructor() {
    /** @type {Map<number, Known>} */
    this.known = new Map();
  }

  /** @param {ArrayBuffer} data @returns {any[]} the frame's events */
  frame(data) {
    const outer = new Reader(new Uint8Array(data));
    /** @type {any[]} */
    const events = [];
    while (outer.place < outer.end) {
      const size = outer.number();
      if (outer.place + size > outer.end) throw new RangeError("the last event is cut");
      const event = this.#event(new Reader(outer.bytes.subarray(outer.place, outer.place + size)));
      if (event) events.push(event);
      outer.place += size;
    }
    return events;
  }

  /** @param {Reader} r */
  #event(r) {
    const head = r.byte();
    const kind = head & 15;
    const channel = CHANNELS[head >> 4];
    if (kind === 0) return JSON.parse(new TextDecoder().decode(r.bytes.subarray(1)));
    if (kind === 6) {
      for (let left = r.number(); left > 0; left -= 1) this.#name(r, r.number());
      return null;
    }
    if (kind > 6 || channel === undefined) return null; // Of a later version.
    const number = r.number();
    /** @type {any} */
    const event = { type: TYPES[kind], channel, instrument: "", seq: r.number() };
    if (kind === 1) this.#name(r, number);
    const known = this.known.get(number);
    if (!known) throw new RangeError(`instrument ${number} was never named`);
    r.known = known;
    event.instrument = known.name;
    if (kind === 1) this.#snapshot(r, event, known);
    else if (kind === 2) this.#update(r, event);
    else if (kind === 3) event.stale = r.stale();
    else if (kind === 5) this.#standing(r, event);
    while (r.place < r.end) {
      const tag = r.byte();
      const value = tag === 1 ? String(r.big()) : r.number();
      if (tag === 1) event.rx = value;
      else if (tag === 2) event.conflated = value;
      else if (tag === 3) event.dropped = value;
    }
    return event;
  }

  /** @param {Reader} r @param {number} number */
  #name(r, number) {
    const [name, market, epoch] = [r.text(), r.text(), r.text()];
    const [days, offset] = [r.signed(), r.signed()];
    const minutes = Math.floor(Math.abs(offset) / 60);
    const offsetText = `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
    this.known.set(number, { name, market, epoch, days, offset, dateText: dateText(days), offsetText });
  }

  /** @param {Reader} r @param {any} event @param {Known} known */
  #snapshot(r, event, known) {
    event.market = known.market;
    event.epoch = known.epoch;
    if (event.channel === "quotes") return this.#quote(r, event);
    if (event.channel === "books") {
      this.#book(r, event);
      event.stale = r.stale();
      return;
    }
    this.#standing(r, event);
    event.stale = r.stale();
    if (event.channel === "bars") return this.#bar(r, event);
    event.trades = [];
    for (let left = r.number(); left > 0; left -= 1) {
      const trade = { instrument: known.name, market: known.market, epoch: known.epoch, seq: r.number() };
      this.#trade(r, trade);
      event.trades.push(trade);
    }
  }

  /** @param {Reader} r @param {any} event */
  #update(r, event) {
    if (event.channel === "quotes") this.#quote(r, event);
    else if (event.channel === "books") this.#book(r, event);
    else if (event.channel === "trades") this.#trade(r, event);
    else this.#bar(r, event);
  }

  /** @param {Reader} r @param {any} event */
  #standing(r, event) {
    event.time = r.time();
    event.state = STATES[r.byte()];
    event.reference = r.price();
    event.reference_date = r.date();
  }

  /** @param {Reader} r @param {any} event */
  #quote(r, event) {
    let mask = r.number(); // 39 bits: beyond what bit operations take.
    for (let bit = 0; mask > 0; bit += 1) {
      const isSet = mask % 2 === 1;
      mask = (mask - (isSet ? 1 : 0)) / 2;
      if (!isSet) continue;
      const field = QUOTE_FIELDS[bit];
      if (!field) throw new RangeError(`quote field ${bit} is not known`);
      event[field[0]] = field[1](r);
    }
  }

  /** @param {Reader} r @param {any} event */
  #book(r, event) {
    const mask = r.number();
    event.time = r.time();
    if (mask & 16) event.state = STATES[r.byte()];
    if (mask & 32) {
      event.reference = r.price();
      event.reference_date = r.date();
    }
    if (mask & 1) event.bids = this.#side(r);
    if (mask & 4) event.asks = this.#side(r);
    if (mask & 2) {
      event.bid_total = r.number();
      event.under = r.number();
    }
    if (mask & 8) {
      event.ask_total = r.number();
      event.over = r.number();
    }
  }

  /** @param {Reader} r */
  #side(r) {
    const levels = [];
    let units = 0;
    for (let left = r.number(); left > 0; left -= 1) {
      units += r.signed();
      levels.push({ price: units / 10000, size: r.number(), orders: r.number() });
    }
    return levels;
  }

  /** @param {Reader} r @param {any} trade */
  #trade(r, trade) {
    trade.time = r.stamp(r.number());
    trade.price = r.price();
    trade.size = r.number();
    trade.match = r.number();
    const flags = r.byte();
    trade.side = [null, "buy", "sell"][flags & 3];
    trade.direction = DIRECTIONS[(flags >> 2) & 3];
    trade.broken = (flags & 16) !== 0;
    trade.kind = KINDS[r.byte()];
    if (flags & 32) trade.broke = r.number();
  }

  /** @param {Reader} r @param {any} bar */
  #bar(r, bar) {
    const start = r.count();
    bar.interval = "1m";
    bar.start = start === null ? null : r.stamp(start * 1e9);
    bar.open = r.price();
    bar.high = r.price();
    bar.low = r.price();
    bar.close = r.price();
    bar.volume = r.number();
    bar.turnover = r.money();
    bar.trades = r.number();
    bar.closed = r.byte() === 1;
  }
}
