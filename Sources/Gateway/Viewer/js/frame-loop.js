// One paint for everything that changed, on the browser's next animation frame.
// Nothing runs while nothing changed; hidden tabs get no frames at all.

/** @typedef {{paint(now: number): void}} Painter */

export class FrameLoop {
  constructor() {
    /** @type {Painter[]} */
    this.painters = [];
    this.asked = false;
    /** Milliseconds spent in the latest paints, for the tests and the curious. */
    this.costs = new Float64Array(256);
    this.frames = 0;
    this.run = this.run.bind(this);
  }

  /** @param {Painter} painter */
  add(painter) {
    this.painters.push(painter);
  }

  request() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(this.run);
  }

  /** @param {number} now */
  run(now) {
    this.asked = false;
    const begun = performance.now();
    for (const painter of this.painters) painter.paint(now);
    this.costs[this.frames % this.costs.length] = performance.now() - begun;
    this.frames += 1;
  }
}
