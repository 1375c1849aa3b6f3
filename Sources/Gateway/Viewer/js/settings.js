// What the reader chose, kept in localStorage; the language and the place also in the URL.
// Emits `change` (detail: the name) after each.

import { setFormatLanguage } from "./format.js";
import { setLanguage } from "./i18n.js";

const KEY = "kabuto.settings";
const WATCH_KEY = "kabuto.watchlist";

export class Settings extends EventTarget {
  constructor() {
    super();
    /** @type {{language?: "en"|"ja", theme: "system"|"light"|"dark", colours: "auto"|"japan"|"international",
     *   down: "blue"|"green", panes: Record<string, number>}} */
    this.values = { theme: "system", colours: "auto", down: "blue", panes: {}, ...read(KEY, {}) };
    /** @type {Set<string>} */
    this.watched = new Set(read(WATCH_KEY, []));
    this.language = /** @type {"en"|"ja"} */ (document.documentElement.lang === "ja" ? "ja" : "en");
    this.systemDark = matchMedia("(prefers-color-scheme: dark)");
    this.systemDark.addEventListener("change", () => this.#apply("theme"));
    this.#apply("start");
  }

  get isDark() {
    return this.values.theme === "dark" || (this.values.theme === "system" && this.systemDark.matches);
  }

  /** @param {string} name @param {any} value */
  set(name, value) {
    if (name === "language") {
      this.language = value;
      const url = new URL(location.href);
      url.searchParams.set("lang", value);
      history.replaceState(history.state, "", url);
    }
    this.values = { ...this.values, [name]: value };
    write(KEY, this.values);
    this.#apply(name);
  }

  /** @param {string} key */
  toggleWatch(key) {
    if (!this.watched.delete(key)) this.watched.add(key);
    write(WATCH_KEY, [...this.watched]);
    this.#emit("watched");
  }

  /** @param {string} name */
  #apply(name) {
    const root = document.documentElement;
    setLanguage(this.language);
    setFormatLanguage(this.language);
    const { colours, down } = this.values;
    root.lang = this.language;
    root.dataset.theme = this.isDark ? "dark" : "light";
    root.dataset.convention = colours === "auto" ? (this.language === "ja" ? "japan" : "international") : colours;
    root.dataset.down = down;
    this.#emit(name);
  }

  /** @param {string} name */
  #emit(name) {
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
  }
}

/** @template T @param {string} key @param {T} otherwise @returns {T} */
function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** @param {string} key @param {unknown} value */
function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is off or full: the choice lasts as long as the page.
  }
}
