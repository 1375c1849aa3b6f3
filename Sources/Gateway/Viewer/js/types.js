// The shapes of docs/STREAM.md, for editors and type checkers. No code.

/**
 * @typedef {object} Instrument
 * @property {string} code
 * @property {string} market
 * @property {string} instrument CODE.MARKET
 * @property {{ja: string|null, en: string|null}|null} name
 * @property {string} currency
 * @property {number|null} lot
 * @property {number|null} reference
 * @property {string|null} reference_date
 * @property {number|null} limit_up
 * @property {number|null} limit_down
 * @property {string|null} tick_table
 * @property {boolean} simulated
 * @property {string} time_zone
 */

/** @typedef {{since: string, reason: "gap"|"silent"|"recovering"|"ended"}} Stale */

/**
 * @typedef {object} Auction
 * @property {number|null} price
 * @property {number} paired
 * @property {number} imbalance
 * @property {"buy"|"sell"|"none"|"insufficient"} side
 * @property {number|null} far
 * @property {number|null} near
 * @property {number|null} reference
 * @property {"open"|"close"|"halt"|"ipo"|"extended"} type
 */

/** @typedef {"pre_open"|"auction"|"trading"|"break"|"halted"|"paused"|"quotation"|"closed"|"unknown"} TradingState */

/**
 * @typedef {object} Quote
 * @property {string} market
 * @property {string} epoch
 * @property {number} seq
 * @property {string} time
 * @property {TradingState} state
 * @property {"special_bid"|"special_ask"|"sequential_bid"|"sequential_ask"|null} special
 * @property {number|null} bid
 * @property {number|null} bid_size
 * @property {number|null} ask
 * @property {number|null} ask_size
 * @property {number|null} last
 * @property {number|null} last_size
 * @property {string|null} last_time
 * @property {"up"|"down"|"same"|null} direction
 * @property {number|null} open
 * @property {string|null} open_time
 * @property {number|null} high
 * @property {string|null} high_time
 * @property {number|null} low
 * @property {string|null} low_time
 * @property {number|null} close
 * @property {number} volume
 * @property {number} turnover
 * @property {number|null} vwap
 * @property {number} trades
 * @property {number|null} previous_close
 * @property {string|null} previous_date
 * @property {number|null} change
 * @property {number|null} change_percent
 * @property {number|null} reference
 * @property {string|null} reference_date
 * @property {number|null} limit_up
 * @property {number|null} limit_down
 * @property {"up"|"down"|null} at_limit
 * @property {Auction|null} auction
 * @property {number|null} collar_upper
 * @property {number|null} collar_lower
 * @property {boolean} short_restricted
 * @property {boolean} suspect
 * @property {Stale|null} stale
 */

/** @typedef {{price: number, size: number, orders: number}} Level */

/**
 * @typedef {object} Book
 * @property {number} seq
 * @property {string} time
 * @property {TradingState} state
 * @property {Level[]} bids
 * @property {Level[]} asks
 * @property {number} bid_total
 * @property {number} ask_total
 * @property {number} under
 * @property {number} over
 * @property {Stale|null} stale
 */

/**
 * @typedef {object} Trade
 * @property {number} seq
 * @property {string} time
 * @property {number} price
 * @property {number} size
 * @property {number} match
 * @property {"buy"|"sell"|null} side
 * @property {"trade"|"hidden"|"open"|"close"|"halt_cross"|"ipo_cross"|"intraday_cross"} kind
 * @property {"up"|"down"|"same"|null} direction
 * @property {boolean} broken
 */

/**
 * @typedef {object} Bar
 * @property {string} start
 * @property {number} open
 * @property {number} high
 * @property {number} low
 * @property {number} close
 * @property {number} volume
 * @property {number} turnover
 * @property {number} trades
 * @property {boolean} closed
 */

export {};
