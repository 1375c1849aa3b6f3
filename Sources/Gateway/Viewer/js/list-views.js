// Which instruments a list shows and in which order. Pure.

/** @typedef {import("./market-model.js").InstrumentRecord} InstrumentRecord */
/** @typedef {"code"|"name"|"last"|"change"|"changePercent"|"volume"|"turnover"} Column */

/** @type {Record<string, {column: Column, descending: boolean, ranked: boolean}>} */
export const VIEWS = {
  all: { column: "code", descending: false, ranked: false },
  watch: { column: "code", descending: false, ranked: false },
  gainers: { column: "changePercent", descending: true, ranked: true },
  losers: { column: "changePercent", descending: false, ranked: true },
  byVolume: { column: "volume", descending: true, ranked: true },
  byTurnover: { column: "turnover", descending: true, ranked: true },
};

/** @type {Record<Column, (record: InstrumentRecord) => number|null|undefined>} */
const VALUES = {
  code: () => 0,
  name: () => 0,
  last: (record) => record.quote?.last,
  change: (record) => record.quote?.change,
  changePercent: (record) => record.quote?.change_percent,
  volume: (record) => record.quote?.volume,
  turnover: (record) => record.quote?.turnover,
};

/** Sorts in place; who has no value comes last either way, equals by code.
 * @param {InstrumentRecord[]} records @param {Column} column @param {boolean} descending @param {string} language */
export function sortRecords(records, column, descending, language) {
  const turn = descending ? -1 : 1;
  const byCode = (/** @type {InstrumentRecord} */ a, /** @type {InstrumentRecord} */ b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
  if (column === "code") return records.sort((a, b) => turn * byCode(a, b));
  if (column === "name") {
    const collator = new Intl.Collator(language);
    return records.sort((a, b) => turn * collator.compare(a.name(language), b.name(language)) || byCode(a, b));
  }
  const value = VALUES[column];
  return records.sort((a, b) => {
    const x = value(a) ?? null, y = value(b) ?? null;
    if (x === y) return byCode(a, b);
    if (x === null) return 1;
    if (y === null) return -1;
    return turn * (x - y);
  });
}

/** @param {string} view @param {import("./market-model.js").MarketModel} model @param {Set<string>} watched */
export function recordsOf(view, model, watched) {
  switch (view) {
    case "watch": return model.records.filter((record) => watched.has(record.key));
    case "gainers": return model.records.filter((record) => (record.quote?.change ?? 0) > 0);
    case "losers": return model.records.filter((record) => (record.quote?.change ?? 0) < 0);
    default: return model.records.slice();
  }
}
