// <kabuto-splitter for="list" axis="x">: drags or keys the size of a pane; the size is a token on the
// root (`--pane-list`) and is remembered.

const STEP = 16;

class Splitter extends HTMLElement {
  /** @param {import("../app.js").App} app */
  start(app) {
    this.app = app;
    this.pane = this.getAttribute("for") ?? "";
    this.isX = this.getAttribute("axis") !== "y";
    this.least = Number(this.getAttribute("min"));
    this.most = Number(this.getAttribute("max"));
    this.usual = Number(this.getAttribute("value"));
    this.turn = this.hasAttribute("reverse") ? -1 : 1;
    this.role = "separator";
    this.tabIndex = 0;
    this.setAttribute("aria-orientation", this.isX ? "vertical" : "horizontal");
    this.setAttribute("aria-valuemin", String(this.least));
    this.setAttribute("aria-valuemax", String(this.most));
    this.addEventListener("pointerdown", (event) => this.#drag(event));
    this.addEventListener("dblclick", () => this.#set(this.usual, true));
    this.addEventListener("keydown", (event) => this.#key(event));
    app.settings.addEventListener("change", (event) => {
      if (/** @type {CustomEvent} */ (event).detail === "panes") this.#set(this.#kept(), false);
    });
    this.#set(this.#kept(), false);
  }

  #kept() {
    return this.app.settings.values.panes[this.pane] ?? this.usual;
  }

  /** @param {number} size @param {boolean} keep */
  #set(size, keep) {
    this.size = Math.round(Math.min(Math.max(size, this.least), this.most));
    document.documentElement.style.setProperty(`--pane-${this.pane}`, `${this.size}px`);
    this.setAttribute("aria-valuenow", String(this.size));
    if (keep) this.app.settings.set("panes", { ...this.app.settings.values.panes, [this.pane]: this.size });
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const from = this.isX ? event.clientX : event.clientY;
    const size = this.size;
    this.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ e) => this.#set(size + this.turn * ((this.isX ? e.clientX : e.clientY) - from), false);
    const end = () => {
      this.removeEventListener("pointermove", move);
      this.#set(this.size, true);
    };
    this.addEventListener("pointermove", move);
    this.addEventListener("lostpointercapture", end, { once: true });
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const forward = this.isX ? "ArrowRight" : "ArrowDown", back = this.isX ? "ArrowLeft" : "ArrowUp";
    if (event.key === forward) this.#set(this.size + this.turn * STEP, true);
    else if (event.key === back) this.#set(this.size - this.turn * STEP, true);
    else if (event.key === "Home") this.#set(this.least, true);
    else if (event.key === "End") this.#set(this.most, true);
    else return;
    event.preventDefault();
  }
}

customElements.define("kabuto-splitter", Splitter);
