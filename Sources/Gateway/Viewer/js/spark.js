// A sparkline: the last minutes as a line over the previous close. Lines of SVG rather than a canvas a row:
// a canvas is a layer of its own to the browser, and dozens of them cost more than all the scripts.

const WIDTH = 56, HEIGHT = 20;
const BASE_REACH = 0.6;
const SVG = "http://www.w3.org/2000/svg";

export function makeSpark() {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "spark");
  picture.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute("aria-hidden", "true");
  const base = document.createElementNS(SVG, "path");
  base.setAttribute("class", "spark-base");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("class", "spark-line");
  picture.append(base, line);
  return { picture, base, line, baseShape: "", lineShape: "", sign: "" };
}

/** @param {ReturnType<typeof makeSpark>} spark @param {number[]} closes @param {number|null} base */
export function drawSpark(spark, closes, base) {
  let baseShape = "", lineShape = "", sign = "same";
  if (closes.length > 1) {
    let low = closes[0], high = low;
    for (const close of closes) {
      if (close < low) low = close;
      if (close > high) high = close;
    }
    // A previous close far away would press the line flat: it is drawn only where it is near.
    const reach = (high - low) * BASE_REACH;
    const isNear = base !== null && base >= low - reach && base <= high + reach;
    if (isNear) {
      low = Math.min(low, base);
      high = Math.max(high, base);
    }
    const scale = high > low ? (HEIGHT - 4) / (high - low) : 0;
    const y = (/** @type {number} */ price) => (scale === 0 ? HEIGHT / 2 : HEIGHT - 2 - (price - low) * scale).toFixed(1);
    if (isNear) baseShape = `M0 ${y(base)}H${WIDTH}`;
    const step = (WIDTH - 2) / (closes.length - 1);
    for (let i = 0; i < closes.length; i += 1) lineShape += `${i === 0 ? "M" : "L"}${(1 + i * step).toFixed(1)} ${y(closes[i])}`;
    const from = base ?? closes[0], end = closes[closes.length - 1];
    sign = end > from ? "up" : end < from ? "down" : "same";
  }
  if (baseShape !== spark.baseShape) spark.base.setAttribute("d", (spark.baseShape = baseShape));
  if (lineShape !== spark.lineShape) spark.line.setAttribute("d", (spark.lineShape = lineShape));
  if (sign !== spark.sign) spark.picture.setAttribute("data-sign", (spark.sign = sign));
}
