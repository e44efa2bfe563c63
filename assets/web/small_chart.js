/* Axes and lines for the small drawings that follow a slider in the browser. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { svg } = kit;

  /** A linear scale from data to pixels. */
  const scale = (low, high, from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

  /** Round numbers inside a range, about `count` of them. */
  function ticks(low, high, count = 5) {
    const raw = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? raw;
    const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }

  /** Grid lines with their numbers at the left, and numbers with a name below. */
  function axes(box, x, y, names) {
    const decimals = (values) => Math.max(0, ...values.map((v) => (String(v).split(".")[1] ?? "").length));
    const across = x.at ?? ticks(x.low, x.high, box.width < 420 ? 4 : 8), up = y.at ?? ticks(y.low, y.high, 4);
    const [xd, yd] = [decimals(across), decimals(up)];
    return svg("g", { class: "sc-axes" },
      up.flatMap((value) => [
        svg("line", { class: "sc-grid", x1: box.left, x2: box.left + box.width, y1: y.to(value), y2: y.to(value) }),
        svg("text", { x: box.left - 6, y: y.to(value) + 4, "text-anchor": "end" }, y.format?.(value) ?? kit.fixed(value, yd)),
      ]),
      across.map((value) => svg("text", { x: x.to(value), y: box.top + box.height + 16, "text-anchor": "middle" }, x.format?.(value) ?? kit.fixed(value, xd))),
      svg("line", { class: "sc-base", x1: box.left, x2: box.left + box.width, y1: box.top + box.height, y2: box.top + box.height }),
      names.x && svg("text", { class: "sc-name", x: box.left + box.width / 2, y: box.top + box.height + 33, "text-anchor": "middle" }, names.x),
      names.y && svg("text", { class: "sc-name", x: 0, y: box.top - 8 }, names.y));
  }

  /** A drawing as wide as its host. */
  function canvas(host, height, left = 44) {
    const width = Math.max(240, Math.round(host.clientWidth));
    const box = { left, top: 22, width: width - left - 12, height: height - 22 - 42 };
    return { box, node: svg("svg", { class: "sc-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" }) };
  }

  /** A slider whose thumb stands exactly under the drawing's x axis. */
  function slider(box, attributes) {
    const thumb = 22, node = kit.h("input", { type: "range", class: "sc-range", ...attributes });
    node.style.marginLeft = `${box.left - thumb / 2}px`;
    node.style.width = `${box.width + thumb}px`;
    return node;
  }

  /** Tell once where a slider came to rest: a message that overtakes its predecessor on the way would be lost. */
  function resting() {
    let timer = 0;
    return (tell) => { clearTimeout(timer); timer = setTimeout(tell, 250); };
  }

  kit.chart = { scale, ticks, axes, canvas, slider, resting };
})();
