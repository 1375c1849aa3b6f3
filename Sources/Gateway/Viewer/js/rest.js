// The REST side of docs/STREAM.md. Every call may throw a RestFault that says what went wrong.

export class RestFault extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const PAGE_LIMIT = 1000;
const REQUEST_TIMEOUT_MS = 10000;

let origin = location.origin;

/** Which server is asked from now on. @param {string} of */
export function askAt(of) {
  origin = of;
}

/** @param {string} path @param {Record<string, string|number|null|undefined>} [query] */
export async function get(path, query = {}) {
  const url = new URL(path, origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  }
  let response;
  try {
    response = await fetch(url, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  } catch (error) {
    throw new RestFault(error instanceof DOMException ? error.name : "no connection", 0);
  }
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  const body = isJson ? await response.json() : null;
  if (!response.ok) throw new RestFault(body?.detail ?? body?.title ?? `HTTP ${response.status}`, response.status);
  if (body === null) throw new RestFault("not JSON", response.status);
  return body;
}

/** Every page of a list. @param {string} path @param {string} name of the array @param {(part: any[]) => void} each */
async function getAll(path, name, each) {
  let cursor = null;
  do {
    const page = await get(path, { limit: PAGE_LIMIT, cursor });
    each(page[name]);
    cursor = page.next;
  } while (cursor);
}

/** Servers of the same, the nearest first; none where there is this one alone. The one that answers is known by the
 * address that it was reached under, whatever it calls itself.
 * @returns {Promise<import("./kabuto-endpoints.js").EndpointDescription[]>} */
export async function getEndpoints() {
  return (await get("/v1/endpoints")).endpoints.map((/** @type {any} */ one) => ({ ...one, url: one.self ? origin : one.stream }));
}

/** @param {(part: import("./types.js").Instrument[]) => void} each */
export const getInstruments = (each) => getAll("/v1/instruments", "instruments", each);
/** @param {(part: import("./types.js").Quote[]) => void} each */
export const getQuotes = (each) => getAll("/v1/quotes", "quotes", each);

/** @param {string} key @param {{interval: "1m"|"1d", limit?: number, from?: string, to?: string}} query
 * @returns {Promise<import("./types.js").Bar[]>} */
export async function getBars(key, query) {
  return (await get(`/v1/bars/${encodeURIComponent(key)}`, query)).bars;
}

/** Runs few requests at a time; the newest wish comes first, since it is what is on the screen. */
export class RequestQueue {
  /** @param {number} width */
  constructor(width) {
    this.width = width;
    this.running = 0;
    /** @type {(() => Promise<void>)[]} */
    this.waiting = [];
  }

  /** @param {() => Promise<void>} work */
  add(work) {
    this.waiting.push(work);
    this.#next();
  }

  #next() {
    while (this.running < this.width && this.waiting.length > 0) {
      const work = this.waiting.pop();
      if (!work) return;
      this.running += 1;
      work().catch(() => {}).finally(() => {
        this.running -= 1;
        this.#next();
      });
    }
  }
}
