// Makes one stream of the events of several connections ("sides") to servers of the same feed. Pure: no socket, no clock.
//
// An update of a quote, a book or a bar covers what changed since that side's event before it: (through, seq]. It is
// handed on where that joins what was handed on already (through ≤ shown < seq), and passed over otherwise: so whichever
// side is first wins, nothing comes twice, and nothing between two events is ever left out, also where the sides send
// at other moments. A trade is one by itself and is known by (seq, match).
// A side whose feed has a gap may be wrong: it is not heard while another is whole. What was kept back of a side is owed:
// when that side is left alone, `leave` says that it must be subscribed to anew.
// Invariant: the numbers handed on rise per instrument and channel within an epoch; a left epoch never comes back.

const TRADES_KNOWN = 512; // A server holds the newest 128.

/** @typedef {{epoch: string|null, through: number, isStale: boolean, isWrong: boolean, owes: boolean, told: any}} Side */

/** What is known of one (channel, instrument). */
class Entry {
  constructor() {
    /** @type {string|null} */
    this.market = null;
    /** @type {string|null} */
    this.epoch = null;
    /** @type {Set<string>} epochs that were left */
    this.past = new Set();
    /** Number of the newest event handed on. */
    this.shown = -1;
    /** The highest there was: above `shown` after a server that was behind was left alone. */
    this.highest = -1;
    /** The page has subscribed anew: the next snapshot is its. */
    this.wanted = false;
    this.isStale = false;
    /** What was handed on last came of a side with a gap: nothing joins it. */
    this.isWrong = false;
    this.standing = "";
    this.standingSeq = -1;
    /** Of the newest number alone: bars that were handed on with it. @type {Set<string>} */
    this.bars = new Set();
    /** Trades that were handed on, the oldest first. @type {Map<string, number>} */
    this.trades = new Map();
    /** Number up to which all trades are known. */
    this.tradesBefore = -1;
    /** @type {Map<unknown, Side>} */
    this.sides = new Map();
  }

  /** @param {number} seq @param {string} key whether a trade is new; it is known from then on */
  takeTrade(seq, key) {
    if (seq <= this.tradesBefore || this.trades.has(key)) return false;
    this.trades.set(key, seq);
    if (this.trades.size > TRADES_KNOWN) {
      const [oldest] = this.trades;
      this.trades.delete(oldest[0]);
      this.tradesBefore = Math.max(this.tradesBefore, oldest[1]);
    }
    return true;
  }
}

const tradeKey = (/** @type {any} */ trade) => `${trade.seq} ${trade.match}`;
const isWrong = (/** @type {any} */ stale) => !!stale && stale.reason !== "silent";

export class StreamMerger {
  constructor() {
    /** @type {Map<string, Map<string, Entry>>} channel → instrument as servers name it, and CODE.MARKET → entry */
    this.channels = new Map();
    /** @type {Set<unknown>} */
    this.sides = new Set();
    /** By market and side: the newest source of a heartbeat. @type {Map<string, Map<unknown, any>>} */
    this.sources = new Map();
    this.passedOver = 0;
    /** Sides to subscribe to anew: what they go on with doesn't join what was shown. @type {Set<unknown>} */
    this.anew = new Set();
    /** A server that was behind was left alone: positions from before say nothing any more. */
    this.wentBack = false;
  }

  /** A connection whose events will come. @param {unknown} side */
  join(side) {
    this.sides.add(side);
  }

  /** The page subscribed: it gets the next snapshots of these although they may be known.
   * @param {string} channel @param {string[]} instruments */
  expect(channel, instruments) {
    for (const entry of this.#entries(channel, instruments)) entry.wanted = true;
  }

  /** Markets of which something of a side was kept back, or of which what is shown may be wrong: its position says
   * nothing of these. @param {unknown} side */
  owed(side) {
    /** @type {Set<string>} */
    const markets = new Set();
    for (const [channel] of this.channels) {
      for (const entry of this.#entries(channel, ["*"])) {
        const known = entry.sides.get(side);
        if ((entry.isWrong || known?.owes || known?.isWrong) && entry.market !== null) markets.add(entry.market);
      }
    }
    return markets;
  }

  /** A connection ended. @param {unknown} side @returns {any[]} what the page must hear; `anew` may name sides then */
  leave(side) {
    this.sides.delete(side);
    this.anew.delete(side);
    for (const [, bySide] of this.sources) bySide.delete(side);
    /** @type {any[]} */
    const events = [];
    for (const [channel] of this.channels) {
      for (const entry of this.#entries(channel, ["*"])) {
        if (!entry.sides.delete(side)) continue;
        const rest = [...entry.sides];
        if (rest.some(([, known]) => !known.isStale)) continue;
        for (const [other, known] of rest) {
          if (known.owes) this.anew.add(other);
          if (known.isStale && !entry.isStale && known.told) {
            entry.isStale = true;
            events.push(known.told);
          }
        }
      }
      for (const entry of this.#entries(channel, ["*"])) for (const [other, known] of entry.sides) if (known.owes && entry.sides.size === 1) this.anew.add(other);
    }
    return events;
  }

  /** Takes a frame of a side. @param {unknown} side @param {any[]} events
   * @param {(id: string) => {channel: string, instruments: string[], from: Map<string, {epoch: string, seq: number}>|null}|null} opening
   *   what a subscription asked this side for
   * @param {boolean} speaks whether answers and heartbeats of this side are handed on
   * @returns {any[]} what the page is to have */
  take(side, events, opening, speaks = true) {
    this.sides.add(side);
    /** @type {any[]} */
    const out = [];
    /** @type {Set<Entry>|null} */
    let joined = null;
    for (const event of events) {
      switch (event.type) {
        case "snapshot": this.#snapshot(side, event, out); break;
        case "update": this.#update(side, event, out); break;
        case "state": this.#standing(side, event, out); break;
        case "stale":
        case "fresh": this.#staleness(side, event, out); break;
        case "heartbeat": if (event.sources) out.push(this.#heartbeat(side, event)); else if (speaks) out.push(event); break;
        case "resumed": {
          const asked = opening(event.id);
          if (asked?.from) {
            joined ??= new Set();
            for (const entry of this.#resume(side, asked.channel, asked.instruments, asked.from)) joined.add(entry);
          }
          if (speaks) out.push(event);
          break;
        }
        default: if (speaks || event.channel) out.push(event);
      }
    }
    if (joined) this.#refresh(side, joined, out);
    this.passedOver += events.length - out.length;
    return out;
  }

  // Entries

  /** @param {string} channel @param {string} instrument @returns {Entry|undefined} */
  #find(channel, instrument) {
    return this.channels.get(channel)?.get(instrument);
  }

  /** @param {any} event @returns {Entry} */
  #entry(event) {
    let names = this.channels.get(event.channel);
    if (!names) this.channels.set(event.channel, (names = new Map()));
    let entry = names.get(event.instrument);
    if (!entry || (event.market && entry.market && entry.market !== event.market)) names.set(event.instrument, (entry = new Entry()));
    if (event.market && !entry.market) {
      entry.market = event.market;
      const code = String(event.instrument).endsWith(`.${event.market}`) ? event.instrument : `${event.instrument}.${event.market}`;
      const known = names.get(code);
      if (known && known !== entry) names.set(event.instrument, (entry = known)); // Named with its market before.
      else names.set(code, entry);
    }
    return entry;
  }

  /** @param {string} channel @param {string[]} instruments @returns {Iterable<Entry>} */
  #entries(channel, instruments) {
    const names = this.channels.get(channel);
    if (!names) return [];
    if (instruments.includes("*")) return new Set(names.values());
    return new Set(/** @type {Entry[]} */ (instruments.map((name) => names.get(name)).filter(Boolean)));
  }

  /** @param {Entry} entry @param {unknown} side @returns {Side} */
  #side(entry, side) {
    let known = entry.sides.get(side);
    if (!known) entry.sides.set(side, (known = { epoch: entry.epoch, through: Infinity, isStale: false, isWrong: false, owes: false, told: null }));
    return known;
  }

  /** Whether another side than this one is whole and has the entry. @param {Entry} entry @param {unknown} side */
  #hasOther(entry, side) {
    for (const [other, known] of entry.sides) if (other !== side && !known.isWrong && known.through !== Infinity) return true;
    return false;
  }

  // Events

  /** @param {unknown} side @param {any} event @param {any[]} out */
  #snapshot(side, event, out) {
    const entry = this.#entry(event);
    const known = this.#side(entry, side);
    known.epoch = event.epoch;
    known.through = event.seq;
    known.isStale = !!event.stale;
    known.isWrong = isWrong(event.stale);
    known.owes = false;
    known.told = event.stale ? { type: "stale", channel: event.channel, instrument: event.instrument, seq: event.seq, stale: event.stale } : null;
    if (entry.past.has(event.epoch)) return;
    const isNew = entry.epoch !== event.epoch;
    const hasOther = !isNew && this.#hasOther(entry, side);
    if (hasOther) {
      const isLate = entry.wanted ? event.seq < entry.shown : event.seq <= entry.shown;
      if (known.isWrong || isLate) {
        known.owes = known.isWrong;
        return this.#soundAgain(entry, known, event, out);
      }
      if (event.channel === "trades" && !entry.wanted && this.#asUpdates(entry, event, out)) return this.#soundAgain(entry, known, event, out);
    }
    if (isNew && entry.epoch !== null) {
      entry.past.add(entry.epoch);
      entry.trades.clear();
      entry.tradesBefore = -1;
    }
    if (!isNew && event.seq < entry.shown) {
      this.wentBack = true;
      entry.trades.clear();
      entry.tradesBefore = -1;
    }
    entry.epoch = event.epoch;
    entry.shown = event.seq;
    entry.highest = isNew ? event.seq : Math.max(entry.highest, event.seq);
    entry.wanted = false;
    entry.isStale = known.isStale;
    entry.isWrong = known.isWrong;
    entry.standing = standingOf(event);
    entry.standingSeq = event.seq;
    entry.bars.clear();
    // Of older trades than a list holds none come after it.
    const trades = event.channel === "trades" ? event.trades : []; // Of quotes it is a number.
    for (const trade of trades.slice().reverse()) entry.takeTrade(trade.seq, tradeKey(trade));
    out.push(event);
  }

  /** The trades of a list that aren't known, one by one; false where the list doesn't reach back to those that are.
   * @param {Entry} entry @param {any} event @param {any[]} out */
  #asUpdates(entry, event, out) {
    const trades = event.trades ?? [];
    const oldest = trades[trades.length - 1];
    if (oldest && oldest.seq > entry.shown) return false;
    for (const trade of trades.slice().reverse()) {
      if (entry.takeTrade(trade.seq, tradeKey(trade))) out.push({ ...trade, type: "update", channel: "trades", instrument: event.instrument });
    }
    entry.shown = event.seq;
    return true;
  }

  /** @param {Entry} entry @param {Side} known @param {any} event @param {any[]} out */
  #soundAgain(entry, known, event, out) {
    if (!entry.isStale || known.isStale) return;
    entry.isStale = false;
    out.push({ type: "fresh", channel: event.channel, instrument: event.instrument, seq: Math.max(event.seq, entry.shown) });
  }

  /** @param {unknown} side @param {any} event @param {any[]} out */
  #update(side, event, out) {
    const entry = this.#entry(event);
    const known = this.#side(entry, side);
    // Of what nothing was ever seen there is nothing to join.
    if (entry.shown < 0 && entry.epoch === null) known.through = Math.min(known.through, -1);
    const from = known.through;
    if (from === Infinity) return; // What it is to join hasn't come.
    known.through = event.seq;
    if (known.epoch !== entry.epoch) return;
    if (event.channel === "trades") {
      if (known.isWrong && this.#hasOther(entry, side)) return void (known.owes = true);
      if (!entry.takeTrade(event.seq, tradeKey(event))) return;
      entry.shown = Math.max(entry.shown, event.seq);
      entry.highest = Math.max(entry.highest, event.seq);
      out.push(event);
      return;
    }
    if (from > entry.shown || (known.isWrong && this.#hasOther(entry, side))) {
      known.owes = true;
      if (!this.#hasOther(entry, side)) this.anew.add(side);
      return;
    }
    if (event.channel === "bars") {
      const bar = `${event.start} ${event.closed}`;
      if (event.seq > entry.shown) entry.bars.clear();
      else if (event.seq < entry.shown || entry.bars.has(bar)) return;
      entry.bars.add(bar);
    } else if (event.seq <= entry.shown) return;
    entry.shown = event.seq;
    entry.highest = Math.max(entry.highest, event.seq);
    entry.isWrong ||= known.isWrong;
    known.owes = false;
    out.push(event);
  }

  /** @param {unknown} side @param {any} event @param {any[]} out */
  #standing(side, event, out) {
    const entry = this.#entry(event);
    const known = this.#side(entry, side);
    if (known.epoch !== entry.epoch || event.seq < entry.standingSeq) return;
    const standing = standingOf(event);
    if (standing === entry.standing) return;
    entry.standing = standing;
    entry.standingSeq = event.seq;
    out.push(event);
  }

  /** @param {unknown} side @param {any} event @param {any[]} out */
  #staleness(side, event, out) {
    const entry = this.#entry(event);
    const known = this.#side(entry, side);
    known.isStale = event.type === "stale";
    known.isWrong = known.isStale && isWrong(event.stale ?? { reason: "gap" });
    known.told = known.isStale ? event : null;
    if (known.isStale) {
      for (const [, other] of entry.sides) if (!other.isStale && other.through !== Infinity) return;
      entry.isStale = true;
    } else {
      // Told already when the first side was whole again.
      if (known.through >= entry.shown) entry.isWrong = false;
      if (!entry.isStale && entry.sides.size > 1) return;
      entry.isStale = false;
    }
    out.push(event);
  }

  /** A side goes on from a position: what it sends covers what came after it.
   * @param {unknown} side @param {string} channel @param {string[]} instruments @param {Map<string, {epoch: string, seq: number}>} from */
  *#resume(side, channel, instruments, from) {
    for (const entry of this.#entries(channel, instruments)) {
      const position = entry.market === null ? undefined : from.get(entry.market);
      if (!position || position.epoch !== entry.epoch) continue; // A snapshot comes.
      const known = this.#side(entry, side);
      known.epoch = entry.epoch;
      if (entry.isWrong || (position.seq > entry.shown && entry.shown < entry.highest)) {
        this.anew.add(side);
        continue;
      }
      // All up to the position was handed on, of most of them in an event long before it.
      known.through = Math.min(position.seq, entry.shown);
      known.isStale = known.isWrong = known.owes = false;
      known.told = null;
      yield entry;
    }
  }

  /** Who resumes is told what is stale; the rest is whole. @param {unknown} side @param {Set<Entry>} joined @param {any[]} out */
  #refresh(side, joined, out) {
    for (const [channel, names] of this.channels) {
      for (const [instrument, entry] of names) {
        if (!joined.has(entry) || !entry.isStale || entry.sides.get(side)?.isStale !== false) continue;
        entry.isStale = false;
        out.push({ type: "fresh", channel, instrument, seq: Math.max(1, entry.shown) });
      }
    }
  }

  /** A heartbeat with each source as the best of the sides has it. @param {unknown} side @param {any} event */
  #heartbeat(side, event) {
    const rank = (/** @type {any} */ source) => ["live", "ended", "stale"].indexOf(source.state);
    const sources = event.sources.map((/** @type {any} */ source) => {
      let bySide = this.sources.get(source.market);
      if (!bySide) this.sources.set(source.market, (bySide = new Map()));
      bySide.set(side, source);
      return [...bySide.values()].reduce((best, other) => (rank(other) < rank(best) ? other : best), source);
    });
    return { ...event, sources };
  }
}

/** @param {any} event */
function standingOf(event) {
  return `${event.state} ${event.reference} ${event.reference_date}`;
}
