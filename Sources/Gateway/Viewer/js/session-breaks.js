// Vertical lines on the chart where trading stopped: lunch dashed, a new day (or month) solid.
// A series primitive of lightweight-charts 4.1: it is drawn with the chart, below the candles.

const LUNCH_SECONDS = 30 * 60;

/** @typedef {{time: number, kind: "lunch"|"day"}} Break */

/** @param {import("./types.js").Bar[]} bars @param {number[]} times @param {string} interval @returns {Break[]} */
export function findBreaks(bars, times, interval) {
  /** @type {Break[]} */
  const breaks = [];
  const period = interval === "1d" ? 7 : 10; // Months for daily bars, days for minutes.
  for (let i = 1; i < bars.length; i += 1) {
    if (bars[i].start.slice(0, period) !== bars[i - 1].start.slice(0, period)) breaks.push({ time: times[i], kind: "day" });
    else if (interval === "1m" && times[i] - times[i - 1] >= LUNCH_SECONDS) breaks.push({ time: times[i], kind: "lunch" });
  }
  return breaks;
}

export class SessionBreaks {
  constructor() {
    /** @type {Break[]} */
    this.breaks = [];
    this.colour = "#888";
    /** @type {any} */
    this.chart = null;
    this.ask = () => {};
    const view = { zOrder: () => "bottom", renderer: () => ({ draw: (/** @type {any} */ target) => this.#draw(target) }) };
    this.views = [view];
  }

  /** @param {{chart: any, requestUpdate: () => void}} parts */
  attached(parts) {
    this.chart = parts.chart;
    this.ask = parts.requestUpdate;
  }

  updateAllViews() {}

  paneViews() {
    return this.views;
  }

  /** @param {Break[]} breaks @param {string} colour */
  set(breaks, colour) {
    this.breaks = breaks;
    this.colour = colour;
    this.ask();
  }

  /** @param {any} target */
  #draw(target) {
    const scale = this.chart.timeScale();
    const half = scale.options().barSpacing / 2;
    target.useBitmapCoordinateSpace((/** @type {any} */ scope) => {
      const pen = scope.context;
      const ratio = scope.horizontalPixelRatio;
      pen.strokeStyle = this.colour;
      pen.lineWidth = Math.max(1, Math.floor(ratio));
      for (const { time, kind } of this.breaks) {
        const x = scale.timeToCoordinate(time);
        if (x === null) continue;
        const at = Math.round((x - half) * ratio) + 0.5;
        pen.setLineDash(kind === "lunch" ? [3 * ratio, 4 * ratio] : []);
        pen.beginPath();
        pen.moveTo(at, 0);
        pen.lineTo(at, scope.bitmapSize.height);
        pen.stroke();
      }
      pen.setLineDash([]);
    });
  }
}
