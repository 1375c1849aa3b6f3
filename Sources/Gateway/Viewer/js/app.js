// The page: wires stream, model, settings and elements; owns selection, place in the URL and keys.

import "./elements/board.js";
import "./elements/chart.js";
import "./elements/dialogs.js";
import "./elements/figures.js";
import "./elements/headline.js";
import "./elements/market-list.js";
import "./elements/splitter.js";
import "./elements/status.js";
import "./elements/tape.js";
import { setText } from "./dom.js";
import * as format from "./format.js";
import { FrameLoop } from "./frame-loop.js";
import { currentLanguage, t, translate } from "./i18n.js";
import { KabutoStream } from "./kabuto-stream.js";
import { VIEWS } from "./list-views.js";
import { MarketModel, QUOTE } from "./market-model.js";
import { askAt, getEndpoints, getInstruments, getQuotes } from "./rest.js";
import { Settings } from "./settings.js";
import { VisibleSet } from "./visible-set.js";

const FAST_MS = 50;
const SLOW_MS = 2000; // Keeps order and breadth; what is on the screen comes at FAST_MS.
const BOARD_LEVELS = 10;
const AUCTION_LEVELS = 50; // Before an auction the sides overlap; the board is drawn around the indicated price.
const STRANGERS_AFTER_MS = 500;
const STRANGERS_AGAIN_MS = 30000; // The list didn't name them the last time.
const SPEAK_EVERY_MS = 5000;
const PAUSE_HIDDEN_MS = 20000;
const REST_EVERY_MS = 5000;
const STREAM_WITHIN_MS = 1500;
const ENDPOINTS_WITHIN_MS = 500;
const TABS = ["chart", "board", "tape"];

export class App extends EventTarget {
  constructor() {
    super();
    this.settings = new Settings();
    this.model = new MarketModel();
    this.loop = new FrameLoop();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const address = `${scheme}://${location.host}/v1/stream`;
    const query = new URLSearchParams(location.search);
    // Two servers at once with ?merge=1, or a warm connection to a second one with ?standby=1.
    const parts = { binary: query.get("encoding") === "binary", merge: query.get("merge") === "1", standby: query.get("standby") === "1" };
    this.stream = new KabutoStream(address, parts);
    // The whole market has a connection of its own, so that its bursts never stand in the way of the board,
    // and so that its slow interval is not that of what is on the screen.
    this.marketStream = new KabutoStream(address, parts);
    this.visible = new VisibleSet(this.stream, FAST_MS);
    /** @type {import("./market-model.js").InstrumentRecord|null} */
    this.selected = null;
    /** @type {import("./kabuto-stream.js").Subscription[]} */
    this.followed = [];
    /** @type {import("./kabuto-stream.js").Subscription|null} */
    this.bookFollowed = null;
    this.bookLevels = BOARD_LEVELS;
    this.selectedEpoch = "";
    /** @type {number|null} */
    this.lostAt = null;
    /** @type {{why: string, retryAt: number}|null} */
    this.loadFailure = null;
    /** @type {string|null} */
    this.fault = null;
    this.loadAttempt = 0;
    this.spokenAt = 0;
    this.isLoaded = false;
  }

  start() {
    const element = (/** @type {string} */ name) => /** @type {any} */ (document.querySelector(name));
    this.list = element("kabuto-market-list");
    this.chart = element("kabuto-chart");
    this.dialogs = element("kabuto-dialogs");
    this.banner = element("#simulated");
    this.speaker = element("#speaker");
    for (const part of document.querySelectorAll("[data-part]")) /** @type {any} */ (part).start(this);
    this.loop.add({ paint: () => this.#finishFrame() });
    this.#listen();
    this.#showWords();
    const view = new URLSearchParams(location.search).get("view");
    if (view && view in VIEWS) this.list.setView(view);
    this.showTab("chart");
    this.#showPage(this.#wantedKey() ? "instrument" : "list");
    void this.#connect();
    void this.#load();
    setInterval(() => !document.hidden && this.dispatchEvent(new Event("second")), 1000);
  }

  /** Where else the same is served is asked first, so that the first connection has the beats of several already. */
  async #connect() {
    const streams = [this.stream, this.marketStream];
    const known = getEndpoints().then((list) => streams.forEach((stream) => stream.setEndpoints(list))).catch(() => {});
    await Promise.race([known, new Promise((done) => setTimeout(done, ENDPOINTS_WITHIN_MS))]);
    for (const stream of streams) stream.connect();
  }

  // Loading

  async #load() {
    clearTimeout(this.loadTimer);
    try {
      await getInstruments((part) => {
        this.model.addInstruments(part);
        this.list.refresh();
      });
      this.loadFailure = null;
      this.loadAttempt = 0;
      this.model.hasStrangers = false;
      this.isLoaded = true;
      this.list.refresh();
      this.banner.hidden = !this.model.simulated;
      document.body.toggleAttribute("data-single", this.model.records.length === 1);
      // Only now, since a snapshot of an instrument that isn't known yet would be lost.
      this.everything ??= this.marketStream.subscribe({ channel: "quotes", instruments: ["*"], interval: SLOW_MS });
      if (this.#wantedKey()) this.#chooseFirst();
      setTimeout(() => !this.selected && this.isLoaded && this.#loadQuotes().catch(() => {}), STREAM_WITHIN_MS);
    } catch (error) {
      const delay = Math.min(5000, 500 * 2 ** this.loadAttempt);
      this.loadAttempt += 1;
      this.loadFailure = { why: /** @type {Error} */ (error).message, retryAt: Date.now() + delay };
      this.loadTimer = setTimeout(() => this.#load(), delay);
    }
    this.dispatchEvent(new Event("load"));
  }

  /** Quotes by REST, where the stream is late or doesn't send them. A server of its clients' interest alone refuses that
   * too: then the list has names, and what is opened has prices. */
  async #loadQuotes() {
    try {
      await getQuotes((part) => {
        for (const quote of part) this.model.applyRestQuote(quote);
        this.list.refresh();
      });
    } finally {
      this.#chooseFirst();
    }
  }

  /** Instruments that appeared after the page: their names and their quotes so far, by REST. */
  #meetStrangers() {
    if (this.strangersTimer) return;
    const known = this.model.records.length;
    const wait = known === this.knownBefore ? STRANGERS_AGAIN_MS : STRANGERS_AFTER_MS;
    this.knownBefore = known;
    this.strangersTimer = setTimeout(async () => {
      await this.#load();
      await this.#loadQuotes().catch(() => {});
      this.strangersTimer = 0;
    }, wait);
  }

  #wantedKey() {
    return new URLSearchParams(location.search).get("i");
  }

  /** The instrument of the URL, else the most traded one. */
  #chooseFirst() {
    if (this.selected) return;
    const wanted = this.#wantedKey();
    const record = (wanted && this.model.find(wanted)) || this.model.mostTraded();
    if (record) this.#select(record);
  }

  // Selection and place

  /** @param {import("./market-model.js").InstrumentRecord} record @param {boolean} show whether to go to its page on a phone */
  open(record, show) {
    const url = new URL(location.href);
    url.searchParams.set("i", record.key);
    const isNarrow = matchMedia("(max-width: 719px)").matches;
    const isNewPage = show && isNarrow && document.body.dataset.page === "list";
    history[isNewPage ? "pushState" : "replaceState"]({ fromList: isNewPage || history.state?.fromList }, "", url);
    this.#select(record);
    if (!show) return;
    this.#showPage("instrument");
    if (isNarrow) document.getElementById("instrument-name")?.focus({ preventScroll: true });
  }

  back() {
    if (history.state?.fromList) history.back();
    else this.#showPage("list");
  }

  /** @param {import("./market-model.js").InstrumentRecord} record */
  #select(record) {
    if (record === this.selected) return;
    for (const subscription of this.followed) subscription.close();
    this.bookFollowed?.close();
    this.bookFollowed = null;
    this.selected = record;
    this.selectedEpoch = record.quote?.epoch ?? "";
    const instruments = [record.key];
    this.followed = [
      this.stream.subscribe({ channel: "quotes", instruments, interval: FAST_MS }),
      this.stream.subscribe({ channel: "trades", instruments, interval: FAST_MS }),
      this.stream.subscribe({ channel: "bars", instruments, interval: 200 }),
    ];
    this.#followBook();
    this.list.refresh();
    this.dispatchEvent(new Event("select"));
    this.loop.request();
  }

  /** Ten levels, and more while an auction is being indicated. */
  #followBook() {
    const record = this.selected;
    if (!record) return;
    const levels = record.quote?.auction ? AUCTION_LEVELS : BOARD_LEVELS;
    if (this.bookFollowed && levels === this.bookLevels) return;
    this.bookFollowed?.close();
    this.bookLevels = levels;
    this.bookFollowed = this.stream.subscribe({ channel: "books", instruments: [record.key], interval: FAST_MS, levels });
  }

  /** @param {Set<string>} keys */
  wantVisible(keys) {
    this.visible.want(keys);
  }

  /** @param {string} view */
  noteView(view) {
    const url = new URL(location.href);
    url.searchParams.set("view", view);
    history.replaceState(history.state, "", url);
  }

  /** @param {"list"|"instrument"} page */
  #showPage(page) {
    document.body.dataset.page = page;
  }

  /** @param {string} tab */
  showTab(tab) {
    document.body.dataset.tab = tab;
    for (const button of document.querySelectorAll("#tabs [data-tab]")) {
      const isOn = button.getAttribute("data-tab") === tab;
      if (isOn) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
  }

  toggleWatch() {
    if (this.selected) this.settings.toggleWatch(this.selected.key);
  }

  retryNow() {
    if (this.loadFailure) void this.#load();
    this.stream.retryNow();
    this.marketStream.retryNow();
  }

  // Events

  #listen() {
    for (const stream of [this.stream, this.marketStream]) {
      stream.addEventListener("frame", (e) => this.#receive(/** @type {CustomEvent} */ (e).detail));
      stream.addEventListener("fault", (e) => this.#refused(stream, /** @type {CustomEvent} */ (e).detail));
    }
    this.stream.addEventListener("state", (e) => this.#stateChanged(/** @type {CustomEvent} */ (e).detail));
    this.settings.addEventListener("change", () => this.#showWords());
    addEventListener("popstate", () => {
      const record = this.model.find(this.#wantedKey() ?? "");
      if (record) this.#select(record);
      this.#showPage(this.#wantedKey() ? "instrument" : "list");
    });
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
    document.addEventListener("keydown", (e) => this.#key(e));
    /** @type {Record<string, () => void>} */
    const actions = {
      "open-settings": () => this.dialogs.open("settings"),
      "open-keys": () => this.dialogs.open("keys"),
      "switch-language": () => this.settings.set("language", currentLanguage() === "ja" ? "en" : "ja"),
      "switch-theme": () => this.#switchTheme(),
      "show-list": () => this.back(),
    };
    for (const [id, action] of Object.entries(actions)) document.getElementById(id)?.addEventListener("click", action);
    for (const button of document.querySelectorAll("#tabs [data-tab]")) {
      button.addEventListener("click", () => this.showTab(button.getAttribute("data-tab") ?? TABS[0]));
    }
  }

  /** @param {any[]} events */
  #receive(events) {
    this.model.apply(events);
    // What was missed may be in the chart: its bars are loaded again.
    if (events.some((event) => event.type === "resumed" && event.mode === "snapshot" && this.followed.some((one) => one.id === event.id))) {
      this.dispatchEvent(new Event("epoch"));
    }
    if (this.model.hasStrangers && this.everything)  this.#meetStrangers();
    if (!this.selected && this.model.records.length > 0 && this.model.records.every((record) => record.quote)) this.#chooseFirst();
    if (this.model.dirty.size > 0) this.loop.request();
  }

  #finishFrame() {
    const record = this.selected;
    const epoch = record?.quote?.epoch ?? "";
    if (epoch !== this.selectedEpoch) {
      const isNew = this.selectedEpoch !== "";
      this.selectedEpoch = epoch;
      if (isNew) this.dispatchEvent(new Event("epoch"));
    }
    if (record && record.changed & QUOTE) this.#followBook();
    if (record && record.moved !== 0) this.#speakPrice(record);
    this.model.drain(() => {});
  }

  /** @param {import("./kabuto-uses.js").StreamStatus} status */
  #stateChanged(status) {
    if (status.state === "waiting" && this.lostAt === null) {
      this.lostAt = Date.now();
      this.#speak(t("saidLost"));
    } else if (status.state === "live") {
      askAt(this.stream.origin); // REST goes where the stream is.
      if (this.lostAt !== null) {
        this.#speak(t("saidLive"));
        this.dispatchEvent(new Event("epoch")); // Bars may have a hole: load them again.
        for (const known of this.model.records) known.sparkLoaded = false;
        if (this.model.records.length > 0) void this.#load();
      }
      this.lostAt = null;
    } else if (status.state === "paused") this.lostAt = null;
  }

  /** Without leave for all instruments, the list is kept in order by REST.
   * @param {KabutoStream} stream @param {any} fault */
  #refused(stream, fault) {
    if (stream === this.marketStream && fault.id === this.everything?.id) {
      this.restTimer ??= setInterval(() => !document.hidden && this.#loadQuotes().catch(() => {}), REST_EVERY_MS);
      return;
    }
    this.fault = fault.detail ?? fault.code ?? "";
    this.dispatchEvent(new Event("load"));
    setTimeout(() => {
      this.fault = null;
      this.dispatchEvent(new Event("load"));
    }, 10000);
  }

  #visibilityChanged() {
    clearTimeout(this.hiddenTimer);
    const streams = [this.stream, this.marketStream];
    if (document.hidden) this.hiddenTimer = setTimeout(() => streams.forEach((stream) => stream.pause()), PAUSE_HIDDEN_MS);
    else for (const stream of streams) if (stream.status.state === "paused") stream.connect();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const isTyping = target instanceof HTMLInputElement && target.type !== "radio";
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      if (isTyping) {
        this.list.clearSearch();
        target.blur();
      } else if (document.body.dataset.page === "instrument") this.back();
      return;
    }
    if (isTyping) return;
    const views = Object.keys(VIEWS);
    /** @type {Record<string, () => void>} */
    const keys = {
      "/": () => {
        this.#showPage("list");
        this.list.focusSearch();
      },
      "?": () => this.dialogs.open("keys"),
      w: () => this.toggleWatch(),
      d: () => this.chart.toggleInterval(),
      t: () => this.#switchTheme(),
      j: () => this.list.step(1),
      k: () => this.list.step(-1),
    };
    views.forEach((view, i) => (keys[String(i + 1)] = () => this.list.setView(view)));
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #switchTheme() {
    this.settings.set("theme", this.settings.isDark ? "light" : "dark");
  }

  // Words

  #showWords() {
    translate(document);
    document.title = t("title");
  }

  /** @param {import("./market-model.js").InstrumentRecord} record */
  #speakPrice(record) {
    const quote = record.quote;
    if (!quote || quote.last === null) return;
    this.#speak(t("said", { name: record.name(currentLanguage()), price: format.price(quote.last, record.decimals), change: format.percent(quote.change_percent) }), true);
  }

  /** At most one price in a few seconds; the connection always. @param {string} text @param {boolean} [canWait] */
  #speak(text, canWait = false) {
    const now = Date.now();
    if (canWait && now - this.spokenAt < SPEAK_EVERY_MS) return;
    this.spokenAt = now;
    setText(this.speaker, text);
  }
}

const app = new App();
/** For the browser tests and the curious: the page's parts. */
/** @type {any} */ (window).kabuto = app;
app.start();
