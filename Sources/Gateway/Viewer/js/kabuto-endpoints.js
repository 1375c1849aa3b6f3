// Which of several servers of the same stream to be with. Pure: no socket, no clock, no chance of its own; times in ms.
// Preference is the order given, or how quickly connections open where that was measured. A server that was lost,
// refused, or is about to leave is passed over for a while, longer each time; a nearer one is gone back to only after
// it was well without a break, and more slowly each time it didn't last.
// Invariant: `choose` names an endpoint whenever there is one that isn't excluded: with nothing better the one whose
// time of penance ends first, and how long that is.

const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 5000;
const LASTED_MS = 60000; // A return that held so long was a good one.
const MOST_FLAPS = 5;
const LOOKS_BEFORE_RETURN = 3;

/**
 * @typedef {{url: string, node?: string|null, zone?: string|null, site?: string|null}} EndpointDescription
 * @typedef {EndpointDescription & {order: number, failures: number, blockedUntil: number, wellSince: number|null,
 *   looks: number, returnedAt: number|null, flaps: number, openMs: number|null}} Endpoint
 */

/** A server's address for WebSockets, without a query; `http:` is taken for `ws:`. @param {string} text */
export function streamAddress(text) {
  const url = new URL(text);
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (url.pathname === "/") url.pathname = "/v1/stream";
  url.search = "";
  url.hash = "";
  return url.href;
}

/** Those of a server's list whose address can be read: a bad one costs nothing but itself.
 * @param {any} list @returns {EndpointDescription[]} */
export function readable(list) {
  const isGood = (/** @type {any} */ one) => {
    try {
      return /^wss?:$/.test(new URL(streamAddress(one.url)).protocol);
    } catch {
      return false;
    }
  };
  return (Array.isArray(list) ? list : []).map((one) => ({ ...one, url: one?.stream ?? one?.url })).filter(isGood);
}

/** The same server's origin for REST. @param {string} text */
export function restOrigin(text) {
  const url = new URL(text);
  return `${url.protocol === "wss:" || url.protocol === "https:" ? "https:" : "http:"}//${url.host}`;
}

export class EndpointChooser {
  /**
   * @param {(string|EndpointDescription)[]} endpoints the nearest first
   * @param {{wellForMs?: number, measured?: boolean, random?: () => number}} [options]
   *   `wellForMs`: how long a nearer server must have been well before it is gone back to (default 10,000);
   *   `measured`: of two servers the one that opens in less than half the time is nearer, whatever the order.
   */
  constructor(endpoints, options = {}) {
    this.wellForMs = options.wellForMs ?? 10000;
    this.measured = options.measured ?? false;
    this.random = options.random ?? (() => 0.5);
    /** @type {Endpoint[]} */
    this.endpoints = [];
    this.learn(endpoints);
  }

  /** Adds servers that aren't known yet, behind those that are; what is told of a known one is kept.
   * @param {(string|EndpointDescription)[]} endpoints */
  learn(endpoints) {
    for (const entry of endpoints) {
      const told = typeof entry === "string" ? { url: entry } : entry;
      const url = streamAddress(told.url);
      const known = this.find(url);
      if (known) {
        for (const name of /** @type {const} */ (["node", "zone", "site"])) known[name] = told[name] ?? known[name];
        continue;
      }
      this.endpoints.push({
        node: null, zone: null, site: null, ...told, url, order: this.endpoints.length, failures: 0, blockedUntil: 0,
        wellSince: null, looks: 0, returnedAt: null, flaps: 0, openMs: null,
      });
    }
  }

  /** Takes the order of a list that a server gave. @param {(string|EndpointDescription)[]} endpoints */
  rank(endpoints) {
    this.learn(endpoints);
    const urls = endpoints.map((entry) => streamAddress(typeof entry === "string" ? entry : entry.url));
    const place = (/** @type {Endpoint} */ { url, order }) => (urls.includes(url) ? urls.indexOf(url) : urls.length + order);
    this.endpoints.sort((a, b) => place(a) - place(b));
    this.endpoints.forEach((endpoint, order) => (endpoint.order = order));
  }

  /** @param {string} url @returns {Endpoint|undefined} */
  find(url) {
    return this.endpoints.find((endpoint) => endpoint.url === url);
  }

  /** All of them, the nearest first. */
  preferred() {
    const pace = (/** @type {Endpoint} */ { openMs }) => (this.measured && openMs !== null ? Math.floor(Math.log2(Math.max(1, openMs))) : 0);
    return this.endpoints.slice().sort((a, b) => pace(a) - pace(b) || a.order - b.order);
  }

  // What happened

  /** A connection opened. @param {string} url @param {number} openMs how long that took */
  opened(url, openMs) {
    const endpoint = this.find(url);
    if (!endpoint) return;
    endpoint.failures = 0;
    endpoint.blockedUntil = 0;
    endpoint.openMs = endpoint.openMs === null ? openMs : (endpoint.openMs * 3 + openMs) / 4;
  }

  /** A connection was lost, or none came about. @param {string} url @param {number} now @param {number} [floorMs] */
  lost(url, now, floorMs = 0) {
    const endpoint = this.find(url);
    if (!endpoint) return;
    const ceiling = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** endpoint.failures);
    endpoint.failures += 1;
    endpoint.blockedUntil = now + Math.max(floorMs, ceiling / 2 + (this.random() * ceiling) / 2);
    endpoint.wellSince = null;
    endpoint.looks = 0;
    if (endpoint.returnedAt !== null) endpoint.flaps = now - endpoint.returnedAt < LASTED_MS ? Math.min(MOST_FLAPS, endpoint.flaps + 1) : 0;
    endpoint.returnedAt = null;
  }

  /** A server said that it is about to leave. @param {string} url @param {number} now @param {number} inMs */
  leaving(url, now, inMs) {
    const endpoint = this.find(url);
    if (!endpoint) return;
    endpoint.blockedUntil = Math.max(endpoint.blockedUntil, now + Math.max(inMs, FIRST_DELAY_MS));
    endpoint.wellSince = null;
    endpoint.looks = 0;
  }

  /** A look at a server that isn't used. @param {string} url @param {number} now @param {boolean} isWell */
  looked(url, now, isWell) {
    const endpoint = this.find(url);
    if (!endpoint) return;
    if (!isWell) {
      endpoint.wellSince = null;
      endpoint.looks = 0;
      return;
    }
    endpoint.wellSince ??= now;
    endpoint.looks += 1;
  }

  /** It was gone back to. @param {string} url @param {number} now */
  returned(url, now) {
    const endpoint = this.find(url);
    if (endpoint) endpoint.returnedAt = now;
  }

  // What to do

  /** The nearest server that isn't excluded, and how long to wait before it is tried.
   * @param {number} now @param {Set<string>} [excluded] @returns {{endpoint: Endpoint, waitMs: number}|null} */
  choose(now, excluded = new Set()) {
    const candidates = this.preferred().filter((endpoint) => !excluded.has(endpoint.url));
    if (candidates.length === 0) return null;
    const free = candidates.find((endpoint) => endpoint.blockedUntil <= now);
    const endpoint = free ?? candidates.reduce((best, other) => (other.blockedUntil < best.blockedUntil ? other : best));
    return { endpoint, waitMs: Math.max(0, endpoint.blockedUntil - now) };
  }

  /** How long a server must have been well before it is gone back to. @param {Endpoint} endpoint */
  patienceMs(endpoint) {
    return this.wellForMs * 2 ** endpoint.flaps;
  }

  /** Servers nearer than one that is used. @param {string} url @returns {Endpoint[]} */
  nearer(url) {
    const order = this.preferred();
    const place = order.findIndex((endpoint) => endpoint.url === url);
    return place < 0 ? order : order.slice(0, place);
  }

  /** A nearer server that has been well for long enough, or null.
   * @param {string} url the one that is used @param {number} now @param {Set<string>} [excluded] */
  better(url, now, excluded = new Set()) {
    return this.nearer(url).find((endpoint) => !excluded.has(endpoint.url) && endpoint.wellSince !== null
      && endpoint.looks >= LOOKS_BEFORE_RETURN && now - endpoint.wellSince >= this.patienceMs(endpoint)) ?? null;
  }
}
