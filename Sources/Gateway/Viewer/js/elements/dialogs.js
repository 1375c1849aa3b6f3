// <kabuto-dialogs>: settings, the list of keys, and about.

import { h, iconButton, setAttribute } from "../dom.js";
import { translate } from "../i18n.js";

/** @type {[string, string, [string, string][]][]} setting, title, choices */
const CHOICES = [
  ["language", "language", [["en", "English"], ["ja", "日本語"]]],
  ["theme", "theme", [["system", "system"], ["light", "light"], ["dark", "dark"]]],
  ["colours", "colours", [["auto", "auto"], ["japan", "japan"], ["international", "international"]]],
  ["down", "downColour", [["blue", "blue"], ["green", "green"]]],
];
/** @type {[string, string][]} */
const KEYS = [
  ["/", "key_search"], ["↑ ↓", "key_move"], ["Enter", "key_open"], ["Esc", "key_back"], ["J K", "key_next"], ["1 … 6", "key_tabs"],
  ["W", "key_watch"], ["D", "key_range"], ["T", "key_theme"], ["?", "key_help"],
];

class Dialogs extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    const { settings } = app;
    const groups = CHOICES.map(([name, title, choices]) => h("fieldset", {}, h("legend", { "data-t": title }),
      ...choices.map(([value, label]) => {
        const input = h("input", { type: "radio", name, value, onchange: () => settings.set(name, value) });
        const words = name === "language" ? h("span", { lang: value }, label) : h("span", { "data-t": label });
        return h("label", {}, input, words);
      })));
    const reset = h("button", { type: "button", class: "plain-button", "data-t": "resetPanes", onclick: () => settings.set("panes", {}) });
    this.settings = this.#dialog("settings", ...groups, reset, this.#about());
    this.keys = this.#dialog("keys", h("dl", { class: "keys" }, ...KEYS.map(([keys, label]) =>
      h("div", {}, h("dt", {}, ...keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", { "data-t": label })))));
    this.append(this.settings, this.keys);
    settings.addEventListener("change", () => this.#show());
    this.#show();
  }

  #about() {
    const link = (/** @type {string} */ href, /** @type {string} */ text, /** @type {string|null} */ key = null) => h("a", { href, rel: "noopener", "data-t": key }, text);
    return h("section", { class: "about" }, h("h3", { "data-t": "about" }), h("p", { "data-t": "aboutText" }),
      h("p", {}, link("/openapi.json", "", "apiLink"), " · ", link("/v1/status", "", "status"), " · ", link("/estate", "", "estateLink")),
      h("p", {}, h("span", { "data-t": "aboutCharts" }), " ", link("https://www.tradingview.com/", "tradingview.com")));
  }

  /** @param {string} name @param {...HTMLElement} content */
  #dialog(name, ...content) {
    const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { id: `${name}-dialog`, "aria-labelledby": `${name}-title` }));
    const close = iconButton("close", "done", { onclick: () => dialog.close() });
    dialog.append(h("div", { class: "dialog-head" }, h("h2", { id: `${name}-title`, "data-t": name }), close), ...content);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    return dialog;
  }

  #show() {
    translate(this);
    const { values, language } = this.app.settings;
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (this.settings.querySelectorAll("input"))) {
      const value = input.name === "language" ? language : /** @type {any} */ (values)[input.name];
      input.checked = input.value === value;
    }
    setAttribute(this.settings, "data-theme-now", document.documentElement.dataset.theme ?? null);
  }

  /** @param {"settings"|"keys"} name */
  open(name) {
    const dialog = name === "settings" ? this.settings : this.keys;
    if (!dialog.open) dialog.showModal();
  }
}

customElements.define("kabuto-dialogs", Dialogs);
