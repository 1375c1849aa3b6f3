// <kabuto-status> (the lamp in the top bar), <kabuto-notice> (the strip when something is wrong) and
// <kabuto-market-bar> (exchange time and breadth below).

import { h, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";
import { currentLanguage, t, translate } from "../i18n.js";

/** @param {import("../kabuto-uses.js").StreamStatus} status */
const secondsLeft = (status) => Math.max(0, Math.ceil(((status.retryAt ?? 0) - Date.now()) / 1000));

class Status extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    this.words = h("span", { class: "status-words" });
    this.append(h("span", { class: "lamp", "aria-hidden": "true" }), this.words);
    const show = () => this.#show();
    app.stream.addEventListener("state", show);
    app.addEventListener("second", show);
    app.settings.addEventListener("change", show);
    show();
  }

  #show() {
    const { stream, model } = this.app;
    const { state } = stream.status;
    const feeds = state === "live" && model.feeds !== "live" ? `feeds_${model.feeds}` : null;
    const shown = feeds ?? (state === "idle" ? "connecting" : state);
    setAttribute(this, "data-state", shown);
    const { endpoints, merged, isNearest } = stream.status;
    // Where there are several servers, which one; two names while both are heard.
    const names = stream.chooser.endpoints.length > 1
      ? endpoints.filter((one) => one.use === "used").map((one) => one.node ?? new URL(one.url).host).join(merged ? " + " : " → ") : "";
    const words = t(shown, { n: secondsLeft(stream.status) });
    setText(this.words, state === "live" && names ? `${words} · ${names}` : words);
    setAttribute(this, "data-path", names && !isNearest ? "far" : null);
    setAttribute(this, "title", names ? endpoints.map((one) => `${one.node ?? new URL(one.url).host}: ${t(`server_${one.use}`)}`).join("\n") : null);
  }
}

class Notice extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    this.text = h("span", { class: "notice-text" });
    this.next = h("span", { class: "notice-next" });
    this.button = h("button", { type: "button", "data-t": "retryNow", onclick: () => app.retryNow() });
    // An <img> is loaded while it is hidden; a mask would be asked for when the server is gone.
    const sign = h("img", { src: "icons/offline.svg", alt: "", width: "16", height: "16" });
    this.append(sign, this.text, this.next, this.button);
    const show = () => this.#show();
    app.stream.addEventListener("state", show);
    app.addEventListener("second", show);
    app.addEventListener("load", show);
    app.settings.addEventListener("change", show);
    show();
  }

  #show() {
    const { stream, loadFailure, lostAt, fault } = this.app;
    const { state } = stream.status;
    const isLost = lostAt !== null && (state === "waiting" || state === "connecting");
    this.hidden = !loadFailure && !isLost && !fault;
    document.documentElement.dataset.connection = isLost || loadFailure ? "down" : "up";
    if (this.hidden) return;
    translate(this);
    if (loadFailure) {
      setText(this.text, t("loadFailed", { why: loadFailure.why }));
      setText(this.next, t("retrying", { n: Math.max(0, Math.ceil((loadFailure.retryAt - Date.now()) / 1000)) }));
    } else if (isLost) {
      const locale = currentLanguage() === "ja" ? "ja-JP" : "en-GB";
      setText(this.text, t("lostSince", { time: new Date(lostAt).toLocaleTimeString(locale) }));
      setText(this.next, state === "waiting" ? t("retrying", { n: secondsLeft(stream.status) }) : t("retryingNow"));
    } else {
      setText(this.text, t("fault", { why: fault ?? "" }));
      setText(this.next, "");
    }
    this.button.hidden = !loadFailure && !isLost;
  }
}

class MarketBar extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    this.parts = ["clock", "advancing", "declining", "unchanged", "marketTurnover", "updates"].map((name) => {
      const value = h("span", { class: `m-value m-${name}` });
      const isPlain = name === "clock" || name === "updates";
      this.append(h("span", { class: `m-item m-item-${name}`, "data-t-title": name === "updates" ? "updatesTitle" : null },
        isPlain ? null : h("span", { class: "m-label", "data-t": name }), value));
      return value;
    });
    this.counted = 0;
    app.addEventListener("second", () => this.#show());
    app.settings.addEventListener("change", () => this.#show());
  }

  #show() {
    const { model, selected } = this.app;
    translate(this);
    const [clock, up, down, same, turnover, rate] = this.parts;
    if (model.newestTime) {
      const zone = format.zoneName(model.newestTime, selected?.info.time_zone);
      setText(clock, `${format.day(model.newestTime)} ${format.clock(model.newestTime)} ${zone}`);
    }
    const breadth = model.breadth();
    setText(up, `▲ ${format.size(breadth.up)}`);
    setText(down, `▼ ${format.size(breadth.down)}`);
    setText(same, format.size(breadth.same));
    setText(turnover, format.compact(breadth.turnover));
    setText(rate, t("updates", { n: format.size(model.updates - this.counted) }));
    this.counted = model.updates;
  }
}

customElements.define("kabuto-status", Status);
customElements.define("kabuto-notice", Notice);
customElements.define("kabuto-market-bar", MarketBar);
