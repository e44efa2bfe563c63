/* The scale of a heatmap: its colours on an axis, and above them where the cosines of unrelated texts lie. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { svg, say, fixed, signed } = kit;
  const WIDE = 520, STRIP = 34, BAR = 12, SIDE = 14, BINS = 60;

  /** How many of the rising `values` are smaller than `value`. */
  function below(values, value) {
    let low = 0, high = values.length;
    while (low < high) { const middle = (low + high) >> 1; if (values[middle] < value) low = middle + 1; else high = middle; }
    return low;
  }

  /** A percentage that never rounds up to 100 while some random pair is closer. */
  function percentBelow(values, value) {
    const share = (100 * below(values, value)) / values.length;
    return share > 99 || share < 1 ? (Math.floor(share * 10) / 10).toFixed(1) : String(Math.floor(share));
  }

  /** The sentence that places a cosine among random pairs. */
  function standing(words, values, value) {
    const smaller = below(values, value);
    if (smaller === values.length) return say(words, "above_all", { count: kit.count(values.length) });
    if (smaller === 0) return say(words, "below_all", { count: kit.count(values.length) });
    return say(words, "above", { percent: percentBelow(values, value) });
  }

  const quantile = (values, share) => values[Math.min(values.length - 1, Math.floor(share * values.length))];

  function strip(random, x, top) {
    const [from, to] = [x.domain[0], x.domain[1]], counts = new Array(BINS).fill(0);
    for (const value of random) counts[Math.max(0, Math.min(BINS - 1, Math.floor(((value - from) / (to - from)) * BINS)))] += 1;
    const most = Math.max(...counts), width = (x(to) - x(from)) / BINS;
    return counts.map((count, bin) => {
      const tall = count ? Math.max(1, (count / most) * (STRIP - 4)) : 0;
      return svg("rect", { class: "ch-random", x: x(from) + bin * width, y: top + STRIP - tall, width: Math.max(0.5, width - 0.6), height: tall });
    });
  }

  function gradient(picture, x, top, id) {
    const stops = picture.stops.map((colour, place) => svg("stop", { offset: place / (picture.stops.length - 1), "stop-color": colour }));
    const from = x(picture.low), to = x(picture.high);
    return [svg("defs", null, svg("linearGradient", { id }, stops)),
      svg("rect", { x: from, y: top, width: Math.max(1, to - from), height: BAR, fill: `url(#${id})`, rx: 2 })];
  }

  let drawings = 0;

  class HeatmapScale {
    constructor() { this.node = kit.h("div", { class: "ch-scale" }); }

    /** `picture` as for the canvas; `random` rising cosines of unrelated texts, or null. */
    draw(picture, random, words) {
      const width = Math.max(220, Math.min(WIDE, this.node.clientWidth)), top = random ? STRIP + 22 : 4;
      const from = random ? Math.min(picture.low, random[0]) : picture.low, to = random ? Math.max(picture.high, random[random.length - 1]) : picture.high;
      const x = kit.chart.scale(from, to, SIDE, width - SIDE);
      x.domain = [from, to];
      this.x = x;
      const write = picture.signed ? (value) => signed(value, 2) : (value) => fixed(value, 2), ticks = kit.chart.ticks(from, to, width < 360 ? 4 : 7);
      this.marker = svg("path", { class: "ch-marker", visibility: "hidden", d: `M0 ${top - 1} l-5 -7 h10 z M0 ${top} v${BAR}` });
      const mark = random && quantile(random, 0.99), right = random && x(mark) > width * 0.55;
      const drawing = svg("svg", { width, height: top + BAR + 20, viewBox: `0 0 ${width} ${top + BAR + 20}`, role: "img", "aria-label": this.#said(picture, random, words, mark) },
        random ? strip(random, x, 20) : [], gradient(picture, x, top, `ch-gradient-${drawings++}`),
        random ? [svg("line", { class: "ch-limit", x1: x(mark), x2: x(mark), y1: 4, y2: top + BAR }),
          svg("text", { class: "ch-note", x: x(mark) + (right ? -5 : 5), y: 12, "text-anchor": right ? "end" : "start" }, say(words, "limit", { cosine: fixed(mark, 2) }))] : [],
        ticks.map((value) => svg("text", { class: "ch-tick", x: x(value), y: top + BAR + 14, "text-anchor": "middle" }, write(value))), this.marker);
      this.node.replaceChildren(drawing);
    }

    #said(picture, random, words, mark) {
      if (picture.signed) return say(words, "scale_change", { reach: fixed(picture.high, 2) });
      const ends = { low: fixed(picture.low, 2), high: fixed(picture.high, 2) };
      return random ? say(words, "scale_random", { ...ends, count: kit.count(random.length), median: fixed(quantile(random, 0.5), 2), limit: fixed(mark, 2) }) : say(words, "scale_only", ends);
    }

    /** Point at a value, or at none. */
    point(value) {
      if (!this.marker) return;
      this.marker.setAttribute("visibility", kit.missing(value) ? "hidden" : "visible");
      if (!kit.missing(value)) this.marker.setAttribute("transform", `translate(${this.x(Math.max(this.x.domain[0], Math.min(this.x.domain[1], value)))} 0)`);
    }
  }

  kit.HeatmapScale = HeatmapScale;
  kit.randomPairs = { below, standing, quantile };
})();
