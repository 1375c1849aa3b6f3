// Small hands for building and changing elements. Text only ever enters as text.

/** @typedef {Node|string|null|undefined|false} Child */

/** @param {string} tag @param {Record<string, any>} [props] @param {...Child} children @returns {HTMLElement} */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} element @param {string} name @param {string|null} value */
export function setAttribute(element, name, value) {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Direction as an attribute, so that colour follows the tokens. @param {Element} element @param {number} sign */
export function setSign(element, sign) {
  setAttribute(element, "data-sign", sign > 0 ? "up" : sign < 0 ? "down" : "same");
}

/** @param {string} name @param {string} labelKey @param {Record<string, any>} [props] */
export function iconButton(name, labelKey, props = {}) {
  return h("button", { type: "button", class: "icon-button", "data-t-label": labelKey, "data-t-title": labelKey, ...props }, icon(name));
}

/** @param {string} name */
export function icon(name) {
  return h("span", { class: `icon icon-${name}`, "aria-hidden": "true" });
}

/**
 * A number whose changed digits flash: the common beginning stays calm, the rest lights up.
 * Two animations of the same look take turns, so that none must be restarted by force.
 */
export class FlashingNumber {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.calm = h("span", {});
    this.bright = h("span", { class: "digits" });
    host.append(this.calm, this.bright);
    this.text = "";
    this.turn = 0;
  }

  /** @param {string} text @param {number} moved 1, -1, or 0 for no flash */
  set(text, moved) {
    if (text === this.text) return;
    let same = 0;
    if (moved !== 0) while (same < text.length && text[same] === this.text[same]) same += 1;
    setText(this.calm, text.slice(0, same));
    setText(this.bright, text.slice(same));
    this.text = text;
    if (moved === 0) {
      if (this.bright.className !== "digits") this.bright.className = "digits";
      return;
    }
    this.turn = 1 - this.turn;
    this.bright.className = `digits flash-${moved > 0 ? "up" : "down"}-${this.turn}`;
  }
}
