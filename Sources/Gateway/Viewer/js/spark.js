// A sparkline: the last minutes as a line over the previous close, drawn on a canvas of its own.

const BASE_REACH = 0.6;

/** @type {{up: string, down: string, same: string, line: string}} */
let colours = { up: "", down: "", same: "", line: "" };

/** Reads the tokens again: at start and when theme or convention change. */
export function readSparkColours() {
  const style = getComputedStyle(document.documentElement);
  const token = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  colours = { up: token("--up"), down: token("--down"), same: token("--muted"), line: token("--hairline-strong") };
}

/** @param {HTMLCanvasElement} canvas @param {number[]} closes @param {number|null} base */
export function drawSpark(canvas, closes, base) {
  const ratio = Math.min(devicePixelRatio || 1, 3);
  const width = 56, height = 20;
  if (canvas.width !== width * ratio) {
    canvas.width = width * ratio;
    canvas.height = height * ratio;
  }
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  if (closes.length < 2) return;
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
  const span = high - low || 1;
  const y = (/** @type {number} */ price) => 2 + (height - 4) * (1 - (price - low) / span);
  if (isNear) {
    pen.strokeStyle = colours.line;
    pen.lineWidth = 1;
    pen.setLineDash([2, 2]);
    pen.beginPath();
    pen.moveTo(0, y(base));
    pen.lineTo(width, y(base));
    pen.stroke();
    pen.setLineDash([]);
  }
  const end = closes[closes.length - 1];
  const from = base ?? closes[0];
  pen.strokeStyle = end > from ? colours.up : end < from ? colours.down : colours.same;
  pen.lineWidth = 1.25;
  pen.lineJoin = "round";
  pen.beginPath();
  for (let i = 0; i < closes.length; i += 1) {
    const x = 1 + ((width - 2) * i) / (closes.length - 1);
    if (i === 0) pen.moveTo(x, y(closes[i]));
    else pen.lineTo(x, y(closes[i]));
  }
  pen.stroke();
}
