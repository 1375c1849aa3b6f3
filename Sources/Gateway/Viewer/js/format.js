// Numbers, times and search keys as people read them. One Intl formatter per shape, kept.
// Times keep the exchange's own digits: the string is cut, never moved to the browser's zone.

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();
let locale = "en";

/** @param {string} language */
export function setFormatLanguage(language) {
  locale = language === "ja" ? "ja-JP" : "en-GB";
  formats.clear();
}

/** @param {string} key @param {Intl.NumberFormatOptions} options @param {string} [where] */
function format(key, options, where = locale) {
  let found = formats.get(key);
  if (!found) {
    found = new Intl.NumberFormat(where, options);
    formats.set(key, found);
  }
  return found;
}

export const NONE = "–";
/** @typedef {number|null|undefined} Maybe */
const absent = (/** @type {Maybe} */ value) => value === null || value === undefined || Number.isNaN(value);

/** Exactly: a price between two ticks (a midpoint) shows its further digits. @param {Maybe} value @param {number} decimals */
export function price(value, decimals) {
  return fixed(value, decimals, 4);
}

/** To the tick: places on a scale. @param {Maybe} value @param {number} decimals */
export const rounded = (value, decimals) => fixed(value, decimals, decimals);

/** @param {Maybe} value @param {number} least decimals @param {number} most */
function fixed(value, least, most) {
  if (absent(value)) return NONE;
  const options = { minimumFractionDigits: least, maximumFractionDigits: Math.max(least, most) };
  return format(`p${least} ${most}`, options).format(/** @type {number} */ (value));
}

/** @param {Maybe} value @param {number} decimals @param {number} [most] */
export function signed(value, decimals, most = 4) {
  if (absent(value)) return NONE;
  const text = fixed(Math.abs(/** @type {number} */ (value)), decimals, most);
  const number = /** @type {number} */ (value);
  return number > 0 ? `+${text}` : number < 0 ? `−${text}` : `±${text}`;
}

/** @param {Maybe} value */
export function percent(value) {
  return absent(value) ? NONE : `${signed(value, 2, 2)}%`;
}

/** @param {Maybe} value */
export function size(value) {
  return absent(value) ? NONE : format("n", { maximumFractionDigits: 0 }).format(/** @type {number} */ (value));
}

/** Four digits or so: 12.3M, 1,230万. @param {Maybe} value */
export function compact(value) {
  if (absent(value)) return NONE;
  const number = /** @type {number} */ (value);
  if (number < 100000) return size(number);
  const shape = /** @type {const} */ ({ notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 4 });
  return format("c", shape, locale === "ja-JP" ? locale : "en-US").format(number); // 12.3M; Britain's "m" reads as milli.
}

/** +1, -1, 0 @param {Maybe} value */
export function sign(value) {
  return absent(value) ? 0 : Math.sign(/** @type {number} */ (value));
}

/** Against the trade before; nothing where the price is the same. @param {"up"|"down"|"same"|null} direction */
export const arrow = (direction) => (direction === "up" ? "↑" : direction === "down" ? "↓" : "");
/** @param {Maybe} value */
export function triangle(value) {
  const direction = sign(value);
  return direction > 0 ? "▲" : direction < 0 ? "▼" : "";
}

// Times, out of "2026-11-24T09:00:00.012345678+09:00"

/** @param {string|null|undefined} time */
export const clock = (time) => (time ? time.slice(11, 19) : NONE);
/** @param {string|null|undefined} time */
export const minute = (time) => (time ? time.slice(11, 16) : NONE);
/** @param {string|null|undefined} time */
export const millis = (time) => (time ? time.slice(11, 23) : NONE);
/** @param {string|null|undefined} time */
export const day = (time) => (time ? time.slice(0, 10) : NONE);

/** 11/20 or 20 Nov @param {string|null|undefined} date */
export function shortDate(date) {
  if (!date) return NONE;
  const at = new Date(`${date.slice(0, 10)}T00:00:00Z`);
  const options = locale === "ja-JP" ? { month: "numeric", day: "numeric" } : { month: "short", day: "numeric" };
  return at.toLocaleDateString(locale, { ...(/** @type {any} */ (options)), timeZone: "UTC" });
}

/** Seconds since 1970 of the exchange's wall clock, as if it were UTC: what the chart draws.
 * @param {string} time */
export function wallSeconds(time) {
  const digits = time.length > 10 ? time.slice(0, 19) : `${time}T00:00:00`;
  return Date.parse(`${digits}Z`) / 1000;
}

/** The offset as people know it: JST, EST or +09:00. @param {string} time @param {string|null|undefined} zone */
export function zoneName(time, zone) {
  if (zone === "Asia/Tokyo") return "JST";
  try {
    const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone ?? "UTC", timeZoneName: "short" })
      .formatToParts(new Date(time));
    return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  } catch {
    return time.slice(-6);
  }
}

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const unit = seconds < 60 ? "second" : seconds < 3600 ? "minute" : "hour";
  const count = unit === "second" ? seconds : unit === "minute" ? Math.floor(seconds / 60) : Math.floor(seconds / 3600);
  return format(`u${unit}`, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

/** One spelling for full and half width, case, hiragana and katakana. @param {string} text */
export function searchKey(text) {
  return text.normalize("NFKC").toLowerCase().trim()
    .replace(/[\u30a1-\u30f6]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60));
}
