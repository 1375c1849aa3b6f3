// What a stream's connections are good for at a moment: from where another one may go on, and which are used for what.
// Of kabuto-stream.js; nothing here keeps or changes anything.

/**
 * @typedef {import("./kabuto-connection.js").Connection} Connection
 * @typedef {import("./kabuto-connection.js").Position} Position
 * @typedef {"idle"|"connecting"|"live"|"waiting"|"paused"|"closed"} StreamState
 * @typedef {{url: string, node: string|null, use: "used"|"standby"|"opening"|"leaving"}} EndpointUse
 * @typedef {{state: StreamState, since: number, attempt: number, retryAt: number|null, endpoint: string,
 *   node: string|null, isNearest: boolean, merged: boolean, endpoints: EndpointUse[],
 *   reason: string|null, code: number|null}} StreamStatus
 */

/** The newest position by which everything of a subscription had been handed on, by market.
 * @param {Connection[]} connections those that there are, and those that were lost not long ago
 * @param {import("./kabuto-merge.js").StreamMerger} merger @param {string} id the subscription's */
export function newestPosition(connections, merger, id) {
  /** @type {Map<string, Position & {at: number}>} */
  const best = new Map();
  const wrong = merger.owed(null);
  for (const connection of connections) {
    const sample = connection.safePosition(id);
    const owed = connection.state === "ended" ? connection.owed : merger.owed(connection);
    for (const [market, position] of sample?.positions ?? []) {
      if (owed.has(market) || wrong.has(market)) continue;
      const known = best.get(market);
      const at = /** @type {import("./kabuto-connection.js").Sample} */ (sample).at;
      const isBetter = !known || (known.epoch === position.epoch ? position.seq > known.seq : at > known.at);
      if (isBetter) best.set(market, { ...position, at });
    }
  }
  return best.size > 0 ? best : null;
}

/** Who speaks, and what each connection is used for: a part of the stream's status.
 * @param {Connection[]} connections @param {import("./kabuto-endpoints.js").EndpointChooser} chooser
 * @param {StreamStatus} status */
export function usesOf(connections, chooser, status) {
  const open = connections.filter((connection) => connection.isOpen && !connection.isStandby);
  const used = open.filter((connection) => !connection.isLeaving);
  const endpoint = (used[0] ?? open[0] ?? connections[0])?.url ?? status.endpoint;
  return {
    endpoint,
    node: chooser.find(endpoint)?.node ?? null,
    isNearest: chooser.preferred()[0]?.url === endpoint,
    merged: used.length > 1 && !used.some((connection) => connection.replaces),
    endpoints: connections.map((connection) => ({
      url: connection.url, node: connection.endpoint.node ?? null,
      use: /** @type {EndpointUse["use"]} */ (connection.isLeaving ? "leaving" : !connection.isOpen ? "opening" : connection.isStandby ? "standby" : "used"),
    })),
  };
}
