// A long list of which only the visible rows exist. Rows are of one height and are reused.
// The scroller's height is known from a ResizeObserver and its offset from scroll events, so that no
// paint ever reads the layout.

const SPARE_ROWS = 4;

/**
 * @template Row
 * @typedef {{make: (slot: number) => Row, element: (row: Row) => HTMLElement, fill: (row: Row, index: number) => void}} RowKind
 */

/** @template Row */
export class VirtualRows {
  /** @param {HTMLElement} scroller @param {HTMLElement} body @param {RowKind<Row>} kind @param {() => void} changed */
  constructor(scroller, body, kind, changed) {
    this.scroller = scroller;
    this.body = body;
    this.kind = kind;
    this.changed = changed;
    /** @type {Row[]} */
    this.rows = [];
    /** Index each slot shows, -1 for none. @type {number[]} */
    this.shown = [];
    this.count = 0;
    this.height = 0;
    this.rowHeight = 28;
    /** Of the head that stays on top, inside the scroller. */
    this.headHeight = 0;
    this.top = 0;
    this.first = 0;
    this.last = -1;
    scroller.addEventListener("scroll", () => {
      this.top = scroller.scrollTop;
      this.changed();
    }, { passive: true });
    new ResizeObserver((entries) => {
      this.height = entries[0].contentRect.height;
      const style = getComputedStyle(scroller);
      this.headHeight = parseFloat(style.getPropertyValue("--head-height")) || 0;
      const wanted = parseFloat(style.getPropertyValue("--row-height"));
      if (wanted > 0 && wanted !== this.rowHeight) {
        this.rowHeight = wanted;
        this.shown.fill(-1);
        for (const row of this.rows) this.kind.element(row).hidden = true;
        this.#resize();
      }
      this.changed();
    }).observe(scroller);
  }

  /** @param {number} count */
  setCount(count) {
    if (count === this.count) return;
    this.count = count;
    this.#resize();
  }

  #resize() {
    this.body.style.height = `${this.count * this.rowHeight}px`;
  }

  /** Places rows for the present offset. `refill`: their content may have changed too.
   * @param {boolean} refill */
  layout(refill) {
    const first = Math.max(0, Math.floor(this.top / this.rowHeight) - SPARE_ROWS);
    const last = Math.min(this.count - 1, Math.ceil((this.top + this.height) / this.rowHeight) + SPARE_ROWS);
    const slots = Math.max(last - first + 1, 0);
    while (this.rows.length < slots) {
      const row = this.kind.make(this.rows.length);
      this.rows.push(row);
      this.shown.push(-1);
      this.body.append(this.kind.element(row));
    }
    this.first = first;
    this.last = last;
    // An index keeps its slot while it is visible: slot = index mod slots.
    const total = this.rows.length;
    for (let slot = 0; slot < total; slot += 1) {
      const index = total === 0 ? -1 : first + ((((slot - first) % total) + total) % total);
      const element = this.kind.element(this.rows[slot]);
      if (index > last || index < first) {
        if (this.shown[slot] !== -1) element.hidden = true;
        this.shown[slot] = -1;
        continue;
      }
      const moved = this.shown[slot] !== index;
      if (moved) {
        element.style.transform = `translateY(${index * this.rowHeight}px)`;
        if (this.shown[slot] === -1) element.hidden = false;
        this.shown[slot] = index;
      }
      if (moved || refill) this.kind.fill(this.rows[slot], index);
    }
  }

  /** @param {number} index */
  reveal(index) {
    const top = index * this.rowHeight;
    if (top < this.top) this.scroller.scrollTop = top;
    else if (top + this.rowHeight > this.top + this.height - this.headHeight) {
      this.scroller.scrollTop = top + this.rowHeight - this.height + this.headHeight;
    }
  }
}
