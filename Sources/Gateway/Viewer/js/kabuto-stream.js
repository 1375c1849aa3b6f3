// The stream of a Kabuto server (docs/STREAM.md) over WebSocket: subscribes, reconnects, resumes.
// Needs nothing else of the viewer but kabuto-binary.js; a page of yours can import these two alone:
//
//   import { KabutoStream } from "./kabuto-stream.js";
//   const stream = new KabutoStream("wss://prices.example/v1/stream");
//   stream.addEventListener("frame", (e) => { for (const event of e.detail) … });
//   stream.addEventListener("state", (e) => console.log(e.detail.state));
//   stream.subscribe({ channel: "quotes", instruments: ["7203"], interval: 50 });
//   stream.connect();
//
// Guarantees: a subscription outlives connections. After a cut it is resumed from a position up to
// which everything had arrived, so events may come twice but none is missed unless the server says
// so (`resumed` with mode `snapshot`). Each update replaces fields, so twice does no harm; trades
// are told apart by (epoch, seq, match).

import { BinaryDecoder, SUBPROTOCOL as BINARY } from "./kabuto-binary.js";

const JSON_FRAMES = "kabuto.json.1";
const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 5000;
const PING_AFTER_MS = 7000; // The server beats every 5 s.
const SILENT_AFTER_MS = 12000;
const OPEN_WITHIN_MS = 8000;
const SAMPLE_EVERY_MS = 250;
const SAMPLES_KEPT = 120;
const FLUSH_SLACK_MS = 1000;

/**
 * @typedef {"idle"|"connecting"|"live"|"waiting"|"paused"|"closed"} StreamState
 * @typedef {{state: StreamState, since: number, attempt: number, retryAt: number|null, endpoint: string,
 *   reason: string|null, code: number|null}} StreamStatus
 * @typedef {{channel: "quotes"|"books"|"trades"|"bars", instruments: string[], interval?: number,
 *   levels?: number, timing?: boolean}} SubscriptionRequest
 * @typedef {{epoch: string, seq: number}} Position
 * @typedef {{at: number, positions: Map<string, Position>}} Sample
 */

/** One subscription. `close()` ends it. */
export class Subscription {
  /** @param {KabutoStream} stream @param {string} id @param {SubscriptionRequest} request */
  constructor(stream, id, request) {
    this.stream = stream;
    this.id = id;
    this.request = request;
    /** When its snapshots began to arrive, ms; 0 before. */
    this.liveSince = 0;
    /** Interval the server granted. */
    this.interval = request.interval ?? 50;
  }

  close() {
    this.stream.unsubscribe(this);
  }
}

/**
 * Events: `state` (detail: StreamStatus), `frame` (detail: the server's array of events),
 * `fault` (detail: the server's `error` event).
 */
export class KabutoStream extends EventTarget {
  /**
   * @param {string|string[]} endpoints WebSocket addresses, tried in turn after a failure.
   * @param {{WebSocket?: typeof WebSocket, random?: () => number, now?: () => number, binary?: boolean}} [parts]
   *   `binary`: asks for binary frames; the events are the same.
   */
  constructor(endpoints, parts = {}) {
    super();
    this.endpoints = Array.isArray(endpoints) ? endpoints.slice() : [endpoints];
    this.makeSocket = parts.WebSocket ?? WebSocket;
    this.random = parts.random ?? Math.random;
    this.now = parts.now ?? (() => Date.now());
    this.protocols = parts.binary ? [BINARY, JSON_FRAMES] : [];
    /** @type {Map<string, Subscription>} */
    this.subscriptions = new Map();
    /** @type {Map<string, Position>} by market */
    this.positions = new Map();
    /** @type {Map<string, string>} instrument as the server names it → market */
    this.markets = new Map();
    /** @type {Sample[]} */
    this.samples = [];
    /** @type {WebSocket|null} */
    this.socket = null;
    /** @type {WebSocket|null} the next connection, while the old one still runs (after `move`) */
    this.successor = null;
    this.endpointIndex = 0;
    this.nextId = 1;
    this.lastFrameAt = 0;
    this.timer = 0;
    this.watch = 0;
    this.moveTimer = 0;
    this.openTimer = 0;
    /** @type {StreamStatus} */
    this.status = {
      state: "idle", since: this.now(), attempt: 0, retryAt: null, endpoint: this.endpoints[0], reason: null, code: null,
    };
  }

  connect() {
    const state = this.status.state;
    if (state === "connecting" || state === "live") return;
    clearTimeout(this.timer);
    this.#open(false);
  }

  /** Tries at once instead of at the end of the wait. */
  retryNow() {
    if (this.status.state === "waiting") this.connect();
  }

  /** Ends the connection but keeps subscriptions and positions; `connect()` resumes. */
  pause() {
    this.#drop(1000, "paused");
    this.#enter("paused", { retryAt: null, reason: null });
  }

  /** Ends for good. */
  close() {
    this.#drop(1000, "closed");
    this.subscriptions.clear();
    this.#enter("closed", { retryAt: null });
  }

  /** @param {SubscriptionRequest} request @returns {Subscription} */
  subscribe(request) {
    const subscription = new Subscription(this, String(this.nextId++), request);
    this.subscriptions.set(subscription.id, subscription);
    if (this.#isOpen()) this.#send(this.#opening(subscription));
    return subscription;
  }

  /** @param {Subscription} subscription */
  unsubscribe(subscription) {
    if (!this.subscriptions.delete(subscription.id)) return;
    if (this.#isOpen()) this.#send({ op: "unsubscribe", id: subscription.id });
  }

  // Connection

  #isOpen() {
    return this.socket !== null && this.socket.readyState === 1;
  }

  /** @param {boolean} moving whether a live connection stays until this one is open */
  #open(moving) {
    const endpoint = this.endpoints[this.endpointIndex % this.endpoints.length];
    if (!moving) this.#enter("connecting", { endpoint, retryAt: null });
    /** @type {WebSocket} */
    let socket;
    try {
      socket = new this.makeSocket(endpoint, this.protocols);
    } catch (error) {
      this.#lost(0, String(error));
      return;
    }
    if (moving) this.successor = socket;
    else this.socket = socket;
    // A connection that neither opens nor fails (a dead host) must not hold up the next try.
    clearTimeout(this.openTimer);
    this.openTimer = setTimeout(() => socket.readyState === 0 && socket.close(), OPEN_WITHIN_MS);
    socket.onopen = () => this.#opened(socket);
    socket.binaryType = "arraybuffer";
    const decoder = new BinaryDecoder();
    socket.onmessage = (message) => this.#receive(socket, message.data, decoder);
    socket.onclose = (event) => this.#closed(socket, event.code, event.reason);
    socket.onerror = () => {}; // A close follows, with the code.
  }

  /** @param {WebSocket} socket */
  #opened(socket) {
    clearTimeout(this.openTimer);
    if (socket === this.successor) {
      const old = this.socket;
      this.socket = socket;
      this.successor = null;
      if (old) old.close(1000, "moved");
    }
    if (socket !== this.socket) return socket.close(1000);
    this.lastFrameAt = this.now();
    for (const subscription of this.subscriptions.values()) this.#send(this.#opening(subscription));
    this.#enter("live", { attempt: 0, retryAt: null, reason: null, code: null });
    clearInterval(this.watch);
    this.watch = setInterval(() => this.#checkSilence(), 1000);
  }

  /** @param {WebSocket} socket @param {number} code @param {string} reason */
  #closed(socket, code, reason) {
    if (socket === this.successor) {
      this.successor = null; // The old connection still runs; its own end brings the retry.
      return;
    }
    if (socket !== this.socket) return;
    this.socket = null;
    this.#lost(code, reason || null);
  }

  /** @param {number} code @param {string|null} reason */
  #lost(code, reason) {
    clearInterval(this.watch);
    if (this.successor) {
      // The successor is on its way: it becomes the connection.
      this.socket = this.successor;
      this.successor = null;
      this.#enter("connecting", { reason, code });
      return;
    }
    clearTimeout(this.openTimer);
    if (code === 4001) this.samples.length = Math.min(this.samples.length, 1);
    const attempt = this.status.state === "live" ? 0 : this.status.attempt;
    if (attempt > 0) this.endpointIndex += 1;
    const ceiling = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
    const floor = code === 1008 ? LAST_DELAY_MS : 0;
    const delay = Math.max(floor, ceiling / 2 + (this.random() * ceiling) / 2);
    this.#enter("waiting", { attempt: attempt + 1, retryAt: this.now() + delay, reason, code });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#open(false), delay);
  }

  /** @param {number} code @param {string} reason */
  #drop(code, reason) {
    clearTimeout(this.timer);
    clearTimeout(this.moveTimer);
    clearTimeout(this.openTimer);
    clearInterval(this.watch);
    const sockets = [this.socket, this.successor];
    this.socket = null;
    this.successor = null;
    for (const socket of sockets) socket?.close(code, reason);
  }

  #checkSilence() {
    const silence = this.now() - this.lastFrameAt;
    if (silence > SILENT_AFTER_MS && this.socket) {
      const socket = this.socket;
      this.socket = null;
      socket.close(4000, "silent");
      this.#lost(4000, "silent");
    } else if (silence > PING_AFTER_MS) {
      this.#send({ op: "ping", id: "watch" });
    }
  }

  /** @param {StreamState} state @param {Partial<StreamStatus>} change */
  #enter(state, change) {
    const was = this.status.state;
    const since = was === state ? this.status.since : this.now();
    this.status = { ...this.status, ...change, state, since };
    this.dispatchEvent(new CustomEvent("state", { detail: this.status }));
  }

  /** @param {object} message */
  #send(message) {
    if (this.#isOpen()) this.socket?.send(JSON.stringify(message));
  }

  // Positions

  /** What opens a subscription on a new connection: `resume` where a position is known.
   * @param {Subscription} subscription */
  #opening(subscription) {
    const { channel, instruments, interval, levels, timing } = subscription.request;
    const message = { op: "subscribe", id: subscription.id, channel, instruments, interval, levels, timing };
    const position = this.#safePosition(subscription);
    subscription.liveSince = 0;
    return position ? { ...message, op: "resume", from: position } : message;
  }

  /** The newest position by which everything of this subscription had arrived: its flush interval
   * lies between the newest event of a faster subscription and its own.
   * @param {Subscription} subscription */
  #safePosition(subscription) {
    if (subscription.liveSince === 0) return null;
    const latest = this.lastFrameAt - subscription.interval - FLUSH_SLACK_MS;
    for (let i = this.samples.length - 1; i >= 0; i -= 1) {
      const sample = this.samples[i];
      if (sample.at > latest) continue;
      if (sample.at < subscription.liveSince) return null;
      return [...sample.positions].map(([market, { epoch, seq }]) => ({ market, epoch, seq }));
    }
    return null;
  }

  #sample(/** @type {number} */ at) {
    const last = this.samples[this.samples.length - 1];
    if (last && at - last.at < SAMPLE_EVERY_MS) return;
    this.samples.push({ at, positions: new Map(this.positions) });
    if (this.samples.length > SAMPLES_KEPT) this.samples.shift();
  }

  // Events

  /** @param {WebSocket} socket @param {string|ArrayBuffer} data @param {BinaryDecoder} decoder the socket's */
  #receive(socket, data, decoder) {
    if (socket !== this.socket) return;
    const at = this.now();
    this.lastFrameAt = at;
    /** @type {any[]} */
    let events;
    try {
      events = typeof data === "string" ? JSON.parse(data) : decoder.frame(data);
      if (!Array.isArray(events)) throw new TypeError("not an array");
    } catch (error) {
      this.dispatchEvent(new CustomEvent("fault", { detail: { code: "bad_frame", detail: String(error) } }));
      // What it carried is missed: begin anew, and not from here.
      for (const subscription of this.subscriptions.values()) subscription.liveSince = 0;
      socket.close();
      return;
    }
    for (const event of events) this.#note(event, at);
    this.#sample(at);
    this.dispatchEvent(new CustomEvent("frame", { detail: events }));
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
        for (const source of event.sources ?? []) {
          this.positions.set(source.market, { epoch: source.epoch, seq: source.seq });
        }
        break;
      case "subscribed":
      case "resumed": {
        const subscription = this.subscriptions.get(event.id);
        if (!subscription) break;
        subscription.liveSince = at;
        if (typeof event.interval === "number") subscription.interval = event.interval;
        break;
      }
      case "move":
        this.#move(event.in_ms ?? 0);
        break;
      case "error":
        this.dispatchEvent(new CustomEvent("fault", { detail: event }));
        break;
      default: {
        // Updates: a new object only when the position rises, since samples hold the old one.
        const market = event.market ?? this.markets.get(event.instrument);
        const known = market === undefined ? undefined : this.positions.get(market);
        if (known && event.seq > known.seq) this.positions.set(market, { epoch: known.epoch, seq: event.seq });
      }
    }
  }

  /** This server ends soon: open the next connection while the old one runs, spread over time so
   * that the clients of a server don't all arrive at once.
   * @param {number} withinMs */
  #move(withinMs) {
    clearTimeout(this.moveTimer);
    const delay = this.random() * Math.min(withinMs / 2, LAST_DELAY_MS);
    this.moveTimer = setTimeout(() => {
      if (!this.#isOpen()) return;
      this.endpointIndex += 1;
      this.#open(true);
    }, delay);
  }
}
