// One WebSocket to one server: opens, decodes, notices when the server has gone quiet, and keeps the positions from
// which its subscriptions can go on elsewhere. KabutoStream owns it and decides what it is for.
// Invariant: `onEnd` is called once, however it ended, unless it was ended from here with `end`.

import { BinaryDecoder, SUBPROTOCOL as BINARY } from "./kabuto-binary.js";

const JSON_FRAMES = "kabuto.json.1";
const PING_AFTER_MS = 7000; // Without beats at a period of ours the server beats every 5 s.
const SILENT_AFTER_MS = 12000;
const BEATS_MISSED = 3.5;
const SAMPLE_EVERY_MS = 250;
const SAMPLES_KEPT = 120;
const FLUSH_SLACK_MS = 1000;
const LOOK_WITHIN_MS = 900;

/**
 * @typedef {{channel: "quotes"|"books"|"trades"|"bars", instruments: string[], interval?: number,
 *   levels?: number, timing?: boolean}} SubscriptionRequest
 * @typedef {{epoch: string, seq: number}} Position
 * @typedef {{at: number, positions: Map<string, Position>}} Sample
 * @typedef {{now: () => number, after: (ms: number, what: () => void) => unknown, cancel: (timer: any) => void}} Clock
 * @typedef {{WebSocket: typeof WebSocket, binary: boolean, heartbeat: number|null, openWithinMs: number, clock: Clock,
 *   markets: Map<string, string>}} Parts
 * @typedef {{onOpen: (c: Connection) => void, onEvents: (c: Connection, events: any[]) => void,
 *   onEnd: (c: Connection, code: number, reason: string|null) => void}} Listener
 * @typedef {{channel: string, instruments: string[], interval: number, since: number,
 *   from: Map<string, Position>|null, isConfirmed: boolean}} Opening
 */

export class Connection {
  /** @param {import("./kabuto-endpoints.js").Endpoint} endpoint @param {Parts} parts @param {Listener} listener */
  constructor(endpoint, parts, listener) {
    this.endpoint = endpoint;
    this.url = endpoint.url;
    this.parts = parts;
    this.listener = listener;
    this.clock = parts.clock;
    /** @type {"opening"|"open"|"ended"} */
    this.state = "opening";
    /** A warm connection in reserve: nothing is subscribed on it. */
    this.isStandby = false;
    /** Its server said that it ends soon. */
    this.isLeaving = false;
    /** The connection that this one is to replace, once it has all that one has. @type {Connection|null} */
    this.replaces = null;
    /** Markets of which something was kept back when it ended. @type {Set<string>} */
    this.owed = new Set();
    this.begunAt = this.clock.now();
    this.openedAt = 0;
    this.lastFrameAt = this.begunAt;
    /** Milliseconds between beats that the server has confirmed; 0 = it hasn't. */
    this.beatMs = 0;
    this.isSuspect = false;
    /** @type {Map<string, Opening>} by subscription id: what this connection was asked for */
    this.openings = new Map();
    /** @type {Map<string, Position>} by market */
    this.positions = new Map();
    /** Instrument as the servers name it → market; one map for all connections of a stream. */
    this.markets = parts.markets;
    /** @type {Sample[]} */
    this.samples = [];
    this.decoder = new BinaryDecoder();
    /** @type {any} */
    this.watchTimer = null;
    const url = new URL(endpoint.url);
    if (parts.heartbeat) url.searchParams.set("heartbeat", String(parts.heartbeat));
    this.socket = new parts.WebSocket(url.href, parts.binary ? [BINARY, JSON_FRAMES] : []);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.#opened();
    this.socket.onmessage = (message) => this.#receive(message.data);
    this.socket.onclose = (event) => this.#ended(event.code, event.reason || null);
    this.socket.onerror = () => {}; // A close follows, with the code.
    // A connection that neither opens nor fails (a dead host) must not hold up the next try.
    this.openTimer = this.clock.after(parts.openWithinMs, () => this.state === "opening" && this.#giveUp(0, "not answered"));
  }

  get isOpen() {
    return this.state === "open";
  }

  /** Whether everything that was asked of it has been answered. */
  get isReady() {
    return this.isOpen && [...this.openings.values()].every((opening) => opening.isConfirmed);
  }

  /** @param {object} message */
  send(message) {
    if (this.isOpen && this.socket.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  /** Asks for a subscription. @param {string} id @param {any} request @param {Map<string, Position>|null} from */
  open(id, request, from) {
    const { channel, instruments, interval, levels, timing } = request;
    this.openings.set(id, { channel, instruments, interval: interval ?? 50, since: 0, from, isConfirmed: false });
    const message = { op: "subscribe", id, channel, instruments, interval, levels, timing };
    const positions = [...(from ?? [])].map(([market, { epoch, seq }]) => ({ market, epoch, seq }));
    this.send(from ? { ...message, op: "resume", from: positions } : message);
  }

  /** Ends it from here. @param {number} code @param {string} reason */
  end(code, reason) {
    if (this.state === "ended") return;
    this.state = "ended";
    this.#stopTimers();
    this.socket.close(code, reason);
  }

  /** The newest position by which everything of a subscription had arrived over this connection: the subscription's
   * flush interval lies between the newest event of a faster one and its own. @param {string} id @returns {Sample|null} */
  safePosition(id) {
    const opening = this.openings.get(id);
    if (!opening || opening.since === 0) return null;
    const latest = this.lastFrameAt - opening.interval - FLUSH_SLACK_MS;
    for (let i = this.samples.length - 1; i >= 0; i -= 1) {
      const sample = this.samples[i];
      if (sample.at > latest) continue;
      return sample.at < opening.since ? null : sample;
    }
    return null;
  }

  /** What arrived of a subscription until now can't be told: it begins anew next time. */
  forgetPositions() {
    this.samples.length = 0;
    for (const opening of this.openings.values()) opening.since = 0;
  }

  // Life

  #opened() {
    if (this.state !== "opening") return this.socket.close(1000);
    this.clock.cancel(this.openTimer);
    this.state = "open";
    this.openedAt = this.lastFrameAt = this.clock.now();
    this.#watch();
    this.listener.onOpen(this);
  }

  /** @param {number} code @param {string|null} reason */
  #ended(code, reason) {
    if (this.state === "ended") return;
    this.state = "ended";
    this.#stopTimers();
    this.listener.onEnd(this, code, reason);
  }

  /** Ends it for a reason of ours, and says so. @param {number} code @param {string} reason */
  #giveUp(code, reason) {
    if (this.state === "ended") return;
    const socket = this.socket;
    this.#ended(code, reason);
    socket.close(code >= 4000 ? code : 1000, reason);
  }

  #stopTimers() {
    this.clock.cancel(this.openTimer);
    this.clock.cancel(this.watchTimer);
  }

  /** Milliseconds of silence after which nobody is believed to be there. */
  get silenceMs() {
    if (this.beatMs > 0) return this.beatMs * BEATS_MISSED;
    // A server that was asked for beats says at once that it keeps the period; one that can't say that is an older one.
    return SILENT_AFTER_MS;
  }

  #watch() {
    const quick = this.parts.heartbeat ? Math.max(20, this.parts.heartbeat / 2) : 1000;
    this.watchTimer = this.clock.after(this.isSuspect ? Math.min(50, quick) : quick, () => {
      this.#checkSilence();
      if (this.isOpen) this.#watch();
    });
  }

  #checkSilence() {
    const silence = this.clock.now() - this.lastFrameAt;
    if (silence > this.silenceMs) {
      // The page itself may have stood still: what came meanwhile gets its turn before the verdict.
      if (this.isSuspect) return this.#giveUp(4000, "silent");
      this.isSuspect = true;
    } else {
      this.isSuspect = false;
      if (this.beatMs === 0 && silence > PING_AFTER_MS) this.send({ op: "ping", id: "watch" });
    }
  }

  // Events

  /** @param {string|ArrayBuffer} data */
  #receive(data) {
    if (this.state !== "open") return;
    const at = this.clock.now();
    this.lastFrameAt = at;
    this.isSuspect = false;
    /** @type {any[]} */
    let events;
    try {
      events = typeof data === "string" ? JSON.parse(data) : this.decoder.frame(data);
      if (!Array.isArray(events)) throw new TypeError("not an array");
    } catch (error) {
      // What it carried is missed: begin anew, and not from here.
      this.forgetPositions();
      return this.#giveUp(4003, `bad frame: ${error}`);
    }
    for (const event of events) this.#note(event, at);
    const last = this.samples[this.samples.length - 1];
    if (!last || at - last.at >= SAMPLE_EVERY_MS) {
      this.samples.push({ at, positions: new Map(this.positions) });
      if (this.samples.length > SAMPLES_KEPT) this.samples.shift();
    }
    this.listener.onEvents(this, events);
  }

  /** @param {any} event @param {number} at */
  #note(event, at) {
    switch (event.type) {
      case "snapshot": {
        this.markets.set(event.instrument, event.market);
        const known = this.positions.get(event.market);
        if (!known || known.epoch !== event.epoch) {
          this.positions.set(event.market, { epoch: event.epoch, seq: event.seq });
          this.samples.length = 0; // Positions of another epoch say nothing about this one.
        } else if (event.seq > known.seq) {
          this.positions.set(event.market, { epoch: event.epoch, seq: event.seq });
        }
        break;
      }
      case "heartbeat":
        if (typeof event.every === "number") this.beatMs = event.every;
        for (const source of event.sources ?? []) this.positions.set(source.market, { epoch: source.epoch, seq: source.seq });
        break;
      case "subscribed":
      case "resumed": {
        const opening = this.openings.get(event.id);
        if (!opening) break;
        // `subscribed` comes before `resumed` with what a resume is answered by.
        opening.isConfirmed = event.type === "resumed" || opening.from === null;
        opening.since = at;
        if (typeof event.interval === "number") opening.interval = event.interval;
        for (const [market, position] of opening.from ?? []) if (!this.positions.has(market)) this.positions.set(market, position);
        break;
      }
      case "error": {
        const opening = this.openings.get(event.id);
        if (opening) opening.isConfirmed = true; // Refused is answered too.
        break;
      }
      default: {
        // Updates: a new object only when the position rises, since samples hold the old one.
        const market = event.market ?? this.markets.get(event.instrument);
        const known = market === undefined ? undefined : this.positions.get(market);
        if (known && event.seq > known.seq) this.positions.set(/** @type {string} */ (market), { epoch: known.epoch, seq: event.seq });
      }
    }
  }
}

/** One subscription. `close()` ends it. */
export class Subscription {
  /** @param {{unsubscribe: (s: Subscription) => void}} stream @param {string} id @param {SubscriptionRequest} request */
  constructor(stream, id, request) {
    this.stream = stream;
    this.id = id;
    this.request = request;
  }

  close() {
    this.stream.unsubscribe(this);
  }
}

/** Whether a server takes new streams: its /health/ready. @param {string} origin */
export async function lookAtHealth(origin) {
  try {
    return (await fetch(`${origin}/health/ready`, { cache: "no-store", signal: AbortSignal.timeout(LOOK_WITHIN_MS) })).ok;
  } catch {
    return false;
  }
}
