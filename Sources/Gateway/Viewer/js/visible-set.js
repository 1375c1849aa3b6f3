// Fast quotes for what is on the screen: keeps subscriptions in step with a set that moves as the
// reader scrolls. Only additions are subscribed; a batch is given back when none of it is wanted.

const SETTLE_MS = 150;
const BATCHES_KEPT = 6;

export class VisibleSet {
  /** @param {import("./kabuto-stream.js").KabutoStream} stream @param {number} interval ms between flushes */
  constructor(stream, interval) {
    this.stream = stream;
    this.interval = interval;
    /** @type {Set<string>} */
    this.wanted = new Set();
    /** @type {{keys: Set<string>, subscription: import("./kabuto-stream.js").Subscription}[]} */
    this.batches = [];
    this.timer = 0;
  }

  /** @param {Set<string>} keys */
  want(keys) {
    if (keys.size === this.wanted.size && [...keys].every((key) => this.wanted.has(key))) return;
    this.wanted = keys;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#settle(), SETTLE_MS);
  }

  #settle() {
    const missing = new Set(this.wanted);
    const kept = [];
    const given = [];
    for (const batch of this.batches) {
      const useful = [...batch.keys].some((key) => this.wanted.has(key));
      (useful ? kept : given).push(batch);
    }
    if (kept.length >= BATCHES_KEPT) given.push(...kept.splice(0)); // Start over as one batch.
    for (const batch of kept) for (const key of batch.keys) missing.delete(key);
    this.batches = kept;
    if (missing.size > 0) {
      const subscription = this.stream.subscribe({ channel: "quotes", instruments: [...missing], interval: this.interval });
      this.batches.push({ keys: missing, subscription });
    }
    for (const batch of given) batch.subscription.close();
  }
}
