// The stream of Kabuto servers (docs/STREAM.md) over WebSocket: subscribes, reconnects, resumes, here or elsewhere.
// Needs nothing else of the viewer but kabuto-connection.js, -endpoints.js, -merge.js, -uses.js and -binary.js:
//
//   import { KabutoStream } from "./kabuto-stream.js";
//   const stream = new KabutoStream(["wss://near.example/v1/stream", "wss://far.example/v1/stream"], { merge: true });
//   stream.addEventListener("frame", (e) => { for (const event of e.detail) … });
//   stream.addEventListener("state", (e) => console.log(e.detail.state, e.detail.endpoint, e.detail.merged));
//   stream.subscribe({ channel: "quotes", instruments: ["7203"], interval: 50 });
//   stream.connect();
//
// Guarantees: a subscription outlives connections and servers. After a cut it is resumed, on the nearest server that is
// well, from a position up to which everything had arrived; what comes twice is handed on once, and nothing is missed
// unless a server says so (`resumed` with mode `snapshot`). A server that stops beating is left within about four of
// its beats; one that says that it ends (`move`) only when another one has answered for everything. With `merge` two
// servers are heard at once, and the loss of either is not noticed.

import { Connection, Subscription, lookAtHealth } from "./kabuto-connection.js";
import { EndpointChooser, readable, restOrigin, streamAddress } from "./kabuto-endpoints.js";
import { StreamMerger } from "./kabuto-merge.js";
import { newestPosition, usesOf } from "./kabuto-uses.js";

const HEARTBEAT_MS = 100; // With several servers: a frozen one is left after about 400 ms.
const OPEN_WITHIN_MS = 8000;
const ELSEWHERE_AFTER_MS = 300; // A server that hasn't answered by then races another one.
const LOOK_EVERY_MS = 1000;
const LAST_DELAY_MS = 5000;
const LOST_KEPT = 4;

/**
 * @typedef {import("./kabuto-uses.js").StreamState} StreamState
 * @typedef {import("./kabuto-uses.js").StreamStatus} StreamStatus
 * @typedef {import("./kabuto-connection.js").SubscriptionRequest} SubscriptionRequest
 * @typedef {import("./kabuto-endpoints.js").EndpointDescription} EndpointDescription
 * @typedef {{WebSocket?: typeof WebSocket, random?: () => number, now?: () => number, binary?: boolean,
 *   heartbeat?: number|null, merge?: boolean, standby?: boolean, wellForMs?: number, measured?: boolean,
 *   look?: (origin: string) => Promise<boolean>}} StreamParts
 */

/**
 * Events: `state` (detail: StreamStatus), `frame` (detail: an array of the server's events),
 * `fault` (detail: the server's `error` event).
 */
export class KabutoStream extends EventTarget {
  /**
   * @param {string|(string|EndpointDescription)[]} endpoints addresses of servers, the nearest first
   * @param {StreamParts} [parts]
   *   `binary`: asks for binary frames, the events are the same; `heartbeat`: ms between beats that servers are asked
   *   for (50 to 60,000; null = none; default 100 with several servers, else none); `merge`: hears two servers at once;
   *   `standby`: keeps a connection to a second one warm; `wellForMs`: how long a nearer server must have been well
   *   before it is gone back to; `measured`: prefers servers that answer much sooner, whatever the order.
   */
  constructor(endpoints, parts = {}) {
    super();
    this.parts = parts;
    this.random = parts.random ?? Math.random;
    const now = parts.now ?? (() => Date.now());
    this.clock = {
      now,
      after: (/** @type {number} */ ms, /** @type {() => void} */ what) => setTimeout(what, ms),
      cancel: (/** @type {any} */ timer) => clearTimeout(timer),
    };
    this.chooser = new EndpointChooser(Array.isArray(endpoints) ? endpoints : [endpoints], {
      wellForMs: parts.wellForMs, measured: parts.measured, random: this.random,
    });
    this.merger = new StreamMerger();
    /** @type {Map<string, Subscription>} */
    this.subscriptions = new Map();
    /** Open or opening, the one that speaks first. @type {Connection[]} */
    this.connections = [];
    /** Whose positions a subscription may go on from. @type {Connection[]} */
    this.lost = [];
    /** @type {Map<string, string>} */
    this.markets = new Map();
    this.nextId = 1;
    this.isWanted = false;
    this.retryTimer = /** @type {any} */ (null);
    this.raceTimer = /** @type {any} */ (null);
    this.lookTimer = /** @type {any} */ (null);
    /** One for each connection whose server ends: in merge mode two may end within seconds. @type {Map<Connection, any>} */
    this.moveTimers = new Map();
    const first = this.chooser.preferred()[0];
    /** @type {StreamStatus} */
    this.status = {
      state: "idle", since: now(), attempt: 0, retryAt: null, endpoint: first.url, node: first.node ?? null,
      isNearest: true, merged: false, endpoints: [], reason: null, code: null,
    };
  }

  /** The connection that speaks: its socket. @returns {WebSocket|null} */
  get socket() {
    return this.#used()[0]?.socket ?? null;
  }

  /** Where REST is asked: the server that is used. */
  get origin() {
    return restOrigin(this.status.endpoint);
  }

  connect() {
    if (this.isWanted && this.connections.length > 0) return;
    this.isWanted = true;
    this.clock.cancel(this.retryTimer);
    this.#tend();
    this.#lookSoon();
  }

  /** Tries at once instead of at the end of the wait. */
  retryNow() {
    if (this.status.state !== "waiting") return;
    for (const endpoint of this.chooser.endpoints) endpoint.blockedUntil = 0;
    this.connect();
  }

  /** Ends the connections but keeps subscriptions and positions; `connect()` resumes. */
  pause() {
    this.#stop(1000, "paused");
    this.#enter("paused", { retryAt: null, reason: null });
  }

  /** Ends for good. */
  close() {
    this.#stop(1000, "closed");
    this.subscriptions.clear();
    this.#enter("closed", { retryAt: null });
  }

  /** Takes the order of a list of servers, as `/v1/endpoints` gives it. @param {(string|EndpointDescription)[]} endpoints */
  setEndpoints(endpoints) {
    if (endpoints.length === 0) return;
    this.chooser.rank(endpoints);
    if (this.isWanted) this.#tend();
  }

  /** @param {SubscriptionRequest} request @returns {Subscription} */
  subscribe(request) {
    const subscription = new Subscription(this, String(this.nextId++), request);
    this.subscriptions.set(subscription.id, subscription);
    this.merger.expect(request.channel, request.instruments);
    for (const connection of this.#used()) connection.open(subscription.id, request, null);
    return subscription;
  }

  /** @param {Subscription} subscription */
  unsubscribe(subscription) {
    if (!this.subscriptions.delete(subscription.id)) return;
    for (const connection of this.connections) {
      if (connection.openings.delete(subscription.id)) connection.send({ op: "unsubscribe", id: subscription.id });
    }
  }

  // Connections

  /** Open ones that carry the subscriptions. */
  #used() {
    return this.connections.filter((connection) => connection.isOpen && !connection.isStandby);
  }

  /** How many servers are to be heard at once. */
  get #width() {
    return Math.min(this.parts.merge ? 2 : 1, this.chooser.endpoints.length);
  }

  /** Sees to it that there are as many connections as there should be; the one place where they are begun. */
  #tend() {
    if (!this.isWanted) return;
    const now = this.clock.now();
    const staying = this.connections.filter((connection) => !connection.isLeaving && !connection.isStandby);
    const open = staying.filter((connection) => connection.isOpen && !connection.replaces);
    const opening = staying.filter((connection) => !connection.isOpen && !connection.replaces);
    // One that hasn't answered soon isn't counted on any more; the first to answer is taken.
    const promising = opening.filter((connection) => now - connection.begunAt < ELSEWHERE_AFTER_MS || this.chooser.endpoints.length === 1);
    if (open.length + promising.length < this.#width) this.#begin(now, open.length + opening.length === 0);
    else if (this.parts.standby && !this.parts.merge && open.length > 0 && !this.connections.some((one) => one.isStandby || one.isLeaving)) this.#begin(now, false, true);
    this.#show();
  }

  /** @param {number} now @param {boolean} isUrgent nothing else is open or on its way @param {boolean} [isStandby] */
  #begin(now, isUrgent, isStandby = false) {
    const inReserve = isStandby ? undefined : this.connections.find((connection) => connection.isStandby && connection.isOpen && !connection.isSuspect);
    if (inReserve) return this.#carry(inReserve);
    const excluded = new Set(this.connections.filter((connection) => !connection.isLeaving || this.chooser.endpoints.length > 1).map((connection) => connection.url));
    const choice = this.chooser.choose(now, excluded);
    if (!choice) return;
    if (choice.waitMs === 0) return this.#open(choice.endpoint, { isStandby });
    this.clock.cancel(this.retryTimer);
    this.retryTimer = this.clock.after(choice.waitMs, () => this.#tend());
    if (isUrgent && this.connections.length === 0) this.#enter("waiting", { retryAt: now + choice.waitMs });
  }

  /** @param {import("./kabuto-endpoints.js").Endpoint} endpoint @param {{isStandby?: boolean, replaces?: Connection|null}} [purpose] */
  #open(endpoint, purpose = {}) {
    const several = this.chooser.endpoints.length > 1;
    /** @type {Connection} */
    let connection;
    try {
      connection = new Connection(endpoint, {
        WebSocket: this.parts.WebSocket ?? WebSocket, binary: this.parts.binary ?? false, clock: this.clock, markets: this.markets,
        heartbeat: this.parts.heartbeat === undefined ? (several ? HEARTBEAT_MS : null) : this.parts.heartbeat,
        openWithinMs: several ? OPEN_WITHIN_MS / 4 : OPEN_WITHIN_MS,
      }, { onOpen: (c) => this.#opened(c), onEvents: (c, events) => this.#receive(c, events), onEnd: (c, code, reason) => this.#ended(c, code, reason) });
    } catch (error) {
      this.chooser.lost(endpoint.url, this.clock.now(), LAST_DELAY_MS);
      this.#enter(this.connections.length > 0 ? this.status.state : "waiting", { reason: String(error), code: 0, attempt: this.status.attempt + 1 });
      this.clock.cancel(this.retryTimer);
      this.retryTimer = this.clock.after(LAST_DELAY_MS / 10, () => this.#tend());
      return;
    }
    connection.isStandby = purpose.isStandby ?? false;
    connection.replaces = purpose.replaces ?? null;
    this.connections.push(connection);
    if (this.#used().length === 0) this.#enter("connecting", { retryAt: null });
    if (several) {
      this.clock.cancel(this.raceTimer);
      this.raceTimer = this.clock.after(ELSEWHERE_AFTER_MS + 10, () => this.#tend());
    }
  }

  /** @param {Connection} connection */
  #opened(connection) {
    this.chooser.opened(connection.url, this.clock.now() - connection.begunAt);
    if (connection.isStandby) return this.#show();
    // Of several that raced the first is enough.
    const others = this.#used().filter((other) => other !== connection && !other.isLeaving && !other.replaces);
    if (!connection.replaces && others.length >= this.#width) return this.#discard(connection, 1000, "another was first");
    this.#carry(connection);
  }

  /** Puts the subscriptions on an open connection. @param {Connection} connection */
  #carry(connection) {
    connection.isStandby = false;
    this.merger.join(connection);
    for (const subscription of this.subscriptions.values()) {
      connection.open(subscription.id, subscription.request, newestPosition([...this.connections, ...this.lost], this.merger, subscription.id));
    }
    this.#settle(connection);
    this.#enter("live", { attempt: 0, retryAt: null, reason: null, code: null });
    const surplus = this.connections.filter((other) => !other.isOpen && !other.replaces && !other.isStandby);
    if (this.#used().length >= this.#width) for (const other of surplus) this.#discard(other, 1000, "another was first");
    this.#tend();
  }

  /** Whom a connection came for can go once it has answered for everything. @param {Connection} connection */
  #settle(connection) {
    if (!connection.isReady || connection.isLeaving) return;
    const replaced = connection.replaces;
    connection.replaces = null;
    if (replaced && this.connections.includes(replaced)) {
      if (!replaced.isLeaving) this.chooser.returned(connection.url, this.clock.now());
      this.#discard(replaced, 1000, "moved");
    }
    const staying = this.#used().filter((other) => !other.isLeaving && other.isReady);
    const leaving = this.connections.filter((other) => other.isLeaving);
    const possible = Math.max(1, this.chooser.endpoints.length - leaving.length); // Of two that were merged the other one may do.
    if (staying.length < Math.min(this.#width, possible)) return;
    for (const other of this.#used()) if (other.isLeaving) this.#discard(other, 1000, "moved");
  }

  /** Ends a connection that isn't needed any more. @param {Connection} connection @param {number} code @param {string} reason */
  #discard(connection, code, reason) {
    this.connections = this.connections.filter((other) => other !== connection);
    connection.end(code, reason);
    this.#left(connection);
    this.#show();
  }

  /** What the page must know of now that a connection is gone. @param {Connection} connection */
  #left(connection) {
    this.clock.cancel(this.moveTimers.get(connection));
    this.moveTimers.delete(connection);
    connection.owed = this.merger.owed(connection);
    if (connection.openings.size > 0) this.lost = [connection, ...this.lost].slice(0, LOST_KEPT);
    const events = this.merger.leave(connection);
    if (events.length > 0) this.dispatchEvent(new CustomEvent("frame", { detail: events }));
    this.#askAnew();
  }

  /** Subscribes anew where the merger says that what comes doesn't join what was shown. */
  #askAnew() {
    if (this.merger.wentBack) {
      this.merger.wentBack = false;
      this.lost = [];
    }
    if (this.merger.anew.size === 0) return;
    for (const connection of this.#used()) {
      if (!this.merger.anew.delete(connection)) continue;
      for (const subscription of this.subscriptions.values()) connection.open(subscription.id, subscription.request, null);
    }
    this.merger.anew.clear();
  }

  /** @param {Connection} connection @param {number} code @param {string|null} reason */
  #ended(connection, code, reason) {
    const now = this.clock.now();
    const wasUsed = connection.openedAt > 0 && !connection.isStandby;
    this.connections = this.connections.filter((other) => other !== connection);
    if (code === 4001) connection.samples.length = Math.min(connection.samples.length, 1);
    if (code === 4003) this.dispatchEvent(new CustomEvent("fault", { detail: { code: "bad_frame", detail: reason } }));
    this.chooser.lost(connection.url, now, code === 1008 ? LAST_DELAY_MS : 0);
    for (const other of this.connections) if (other.replaces === connection) other.replaces = null;
    this.#left(connection);
    const attempt = wasUsed ? 1 : this.status.attempt + 1;
    if (this.#used().length === 0) this.status = { ...this.status, attempt, reason, code };
    this.#tend();
    if (this.connections.length > 0 && this.#used().length === 0) this.#enter("connecting", { retryAt: null });
  }

  /** @param {number} code @param {string} reason */
  #stop(code, reason) {
    this.isWanted = false;
    for (const timer of [this.retryTimer, this.raceTimer, this.lookTimer, ...this.moveTimers.values()]) this.clock.cancel(timer);
    this.moveTimers.clear();
    const connections = this.connections;
    this.connections = [];
    for (const connection of connections) connection.end(code, reason);
    for (const connection of connections) this.#left(connection);
  }

  // The nearer server

  #lookSoon() {
    this.clock.cancel(this.lookTimer);
    this.lookTimer = this.clock.after(LOOK_EVERY_MS, () => void this.#look().finally(() => this.isWanted && this.#lookSoon()));
  }

  /** Looks at servers nearer than the farthest that is used, and goes back to one that has been well for a while. */
  async #look() {
    const used = this.#used().filter((connection) => !connection.isLeaving);
    if (used.length < this.#width || this.connections.some((connection) => connection.replaces || connection.isLeaving)) return;
    const order = this.chooser.preferred().map((endpoint) => endpoint.url);
    const farthest = used.reduce((far, other) => (order.indexOf(other.url) > order.indexOf(far.url) ? other : far));
    const taken = new Set(used.map((connection) => connection.url));
    const candidates = this.chooser.nearer(farthest.url).filter((endpoint) => !taken.has(endpoint.url) && endpoint.blockedUntil <= this.clock.now());
    await Promise.all(candidates.map(async (endpoint) => {
      const isWell = await (this.parts.look ?? lookAtHealth)(restOrigin(endpoint.url));
      this.chooser.looked(endpoint.url, this.clock.now(), isWell);
      if (!isWell) this.chooser.lost(endpoint.url, this.clock.now()); // Looked at less often.
    }));
    const better = this.chooser.better(farthest.url, this.clock.now(), taken);
    if (!better || !this.isWanted || !this.connections.includes(farthest) || farthest.isLeaving) return;
    const warm = this.connections.find((connection) => connection.isStandby && connection.url === better.url && connection.isOpen);
    if (warm) {
      warm.replaces = farthest;
      this.#carry(warm);
    } else {
      for (const other of this.connections) if (other.url === better.url) this.#discard(other, 1000, "opened anew");
      this.#open(better, { replaces: farthest });
    }
  }

  /** A server ends soon: another one takes over while it still runs; spread over time, so that the clients of a server
   * don't all arrive at once. @param {Connection} connection @param {any} event */
  #move(connection, event) {
    const inMs = event.in_ms ?? 0;
    this.chooser.learn(readable(event.endpoints));
    this.chooser.leaving(connection.url, this.clock.now(), inMs);
    if (connection.isStandby) return this.#discard(connection, 1000, "moved");
    this.clock.cancel(this.moveTimers.get(connection));
    this.moveTimers.set(connection, this.clock.after(this.random() * Math.min(inMs / 2, LAST_DELAY_MS), () => {
      this.moveTimers.delete(connection);
      if (!connection.isOpen) return;
      connection.isLeaving = true;
      if (this.chooser.endpoints.length === 1) this.chooser.endpoints[0].blockedUntil = 0;
      this.#tend();
      for (const other of this.#used()) this.#settle(other);
    }));
  }

  // Events

  /** @param {Connection} connection @param {any[]} events */
  #receive(connection, events) {
    if (!connection.isStandby && this.connections.includes(connection)) this.#hand(connection, events);
    for (const event of events) if (event.type === "move" && this.connections.includes(connection)) this.#move(connection, event);
  }

  /** @param {Connection} connection @param {any[]} events */
  #hand(connection, events) {
    const speaks = this.#used()[0] === connection;
    const handed = this.merger.take(connection, events, (id) => connection.openings.get(id) ?? null, speaks);
    if (handed.length > 0) this.dispatchEvent(new CustomEvent("frame", { detail: handed }));
    this.#askAnew();
    for (const event of events) {
      if (event.type === "error" && speaks) this.dispatchEvent(new CustomEvent("fault", { detail: event }));
    }
    if (events.some((event) => event.type === "subscribed" || event.type === "resumed" || event.type === "error")) this.#settle(connection);
  }

  // State

  /** @param {StreamState} state @param {Partial<StreamStatus>} change */
  #enter(state, change) {
    const was = this.status.state;
    const since = was === state ? this.status.since : this.clock.now();
    this.status = { ...this.status, ...usesOf(this.connections, this.chooser, this.status), ...change, state, since };
    this.dispatchEvent(new CustomEvent("state", { detail: this.status }));
  }

  /** Tells the page where the parts stand, where that has changed. */
  #show() {
    const uses = usesOf(this.connections, this.chooser, this.status);
    if (JSON.stringify(uses.endpoints) !== JSON.stringify(this.status.endpoints) || uses.merged !== this.status.merged) this.#enter(this.status.state, {});
  }
}

export { Subscription, restOrigin, streamAddress };
