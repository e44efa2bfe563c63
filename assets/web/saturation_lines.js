/* The same scores as log-odds, as P(yes), and as a bfloat16 softmax shows them: threads that run together are ties. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, svg, say, fixed, signed, chart } = kit;
  const LANES = ["log_odds", "probability", "softmax"], TOP = 40, GAP = 104, EDGE = 16, NUMBERED = 20, PILL = 74;

  /** As many digits as tell something: near 0 in powers of ten. */
  const share = (value, digits) => (value !== 0 && value < 0.001 ? value.toExponential(1).replace("-", "−") : fixed(value, digits));

  function read(data) {
    const n = data.documents.length, logOdds = kit.floats(data.logOdds), best = Math.max(...logOdds);
    return { ...data, n, logOdds, ranks: kit.shorts(data.ranks), probability: kit.floats(data.probability), softmax: kit.floats(data.softmax),
      card: kit.floats(data.card), sizes: kit.shorts(data.sizes), different: new Set(logOdds).size,
      best: logOdds.filter((value) => value === best).length };
  }

  function finding({ words, data }) {
    if (data.first > data.best) return say(words, "finding_first", data);
    if (data.tied) return say(words, "finding_tied", data);
    return say(words, "finding_all", { n: data.different });
  }

  const detail = ({ words, data }) => say(words, "detail", { ...data, n_log_odds: data.different, card: data.cardDistinct });

  function sentence({ words, data }, d) {
    const whole = say(words, "tooltip", { document: d + 1, rank: data.ranks[d], log_odds: signed(data.logOdds[d], 3),
      probability: share(data.probability[d], 6), softmax: share(data.softmax[d], 4) });
    return data.sizes[d] > 1 ? `${whole} ${say(words, "tooltip_tied", { others: data.sizes[d] - 1 })}` : whole;
  }

  // ---- the three lines ----------------------------------------------------------------------------------------
  function scales(view, width) {
    const reach = Math.max(2, ...view.data.logOdds.map(Math.abs)) * 1.05, to = (low, high) => chart.scale(low, high, EDGE, width - EDGE);
    const unit = { to: to(0, 1), at: [0, 0.25, 0.5, 0.75, 1], digits: 2 };
    const steps = chart.ticks(-reach, reach, width < 420 ? 4 : 8);
    return [{ to: to(-reach, reach), at: steps, digits: steps.some((value) => value % 1) ? 1 : 0 }, unit, unit];
  }

  function lane(view, scale, place, width) {
    const y = TOP + place * GAP;
    return svg("g", { class: "sl-lane" },
      svg("line", { class: "sl-line", x1: EDGE, x2: width - EDGE, y1: y, y2: y }),
      scale.at.map((value) => [svg("line", { class: "sl-tick", x1: scale.to(value), x2: scale.to(value), y1: y, y2: y + 5 }),
        svg("text", { class: "sl-value", x: scale.to(value), y: y + 25, "text-anchor": "middle" }, place ? fixed(value, 2) : signed(value, scale.digits))]).flat(),
      svg("text", { class: "sl-name", x: EDGE - 12, y: y - 20 }, say(view.words, `${LANES[place]}_line`)));
  }

  function thread(view, d, xs) {
    const points = xs.map((x, place) => [x, TOP + place * GAP]), [a, b, c] = points, bend = GAP * 0.45;
    const curve = ([x, y], [u, v]) => `C${x} ${y + bend} ${u} ${v - bend} ${u} ${v}`;
    return svg("path", { class: view.data.sizes[d] > 1 ? "sl-thread sl-tied" : "sl-thread", "data-d": d, d: `M${a[0]} ${a[1]}${curve(a, b)}${curve(b, c)}` });
  }

  function dot(view, d, x, place) {
    const y = TOP + place * GAP, numbered = view.data.n <= NUMBERED, tied = place === 2 && view.data.sizes[d] > 1;
    return svg("g", { class: tied ? "sl-dot sl-tied" : "sl-dot", "data-d": d },
      svg("circle", { cx: x, cy: y, r: numbered ? 9 : 5 }),
      numbered && svg("text", { x, y: y + 3.6, "text-anchor": "middle" }, String(view.data.ranks[d])));
  }

  /** Middles of labels that stand in one row, near where they belong and without covering each other. */
  function spread(wanted, width) {
    const half = PILL / 2 + 2, places = [...wanted];
    places.forEach((x, i) => { places[i] = Math.max(x, half, i ? places[i - 1] + 2 * half : 0); });
    for (let i = places.length - 1, end = width - half; i >= 0; i--, end -= 2 * half) places[i] = Math.min(places[i], end);
    return places;
  }

  /** A pill for each value that several documents share, below the last line, in as many rows as they need. */
  function pills(view, scale, width) {
    const groups = new Map();
    view.data.softmax.forEach((value, d) => { if (view.data.sizes[d] > 1) groups.set(value, d); });
    const tied = [...groups].sort(([a], [b]) => a - b), rows = Math.ceil((tied.length * (PILL + 4)) / (width - 8));
    const lines = Array.from({ length: rows }, (_, row) => spread(tied.filter((_, i) => i % rows === row).map(([value]) => scale.to(value)), width));
    const nodes = tied.map(([value, d], i) => {
      const x = scale.to(value), row = i % rows, middle = lines[row][Math.floor(i / rows)], y = TOP + 2 * GAP + 52 + row * 26;
      return svg("g", { class: "sl-pill", "data-d": d }, svg("line", { x1: x, y1: TOP + 2 * GAP + 10, x2: middle, y2: y - 10 }),
        svg("rect", { x: middle - PILL / 2, y: y - 10, width: PILL, height: 20, rx: 10 }),
        svg("text", { x: middle, y: y + 4, "text-anchor": "middle" }, `${share(value, 4)} ×${view.data.sizes[d]}`));
    });
    return { nodes, rows };
  }

  function drawing(view) {
    const width = Math.max(260, Math.round(view.stage.clientWidth)), scale = scales(view, width), { data } = view;
    const places = (d) => [data.logOdds[d], data.probability[d], data.softmax[d]].map((value, place) => scale[place].to(value));
    const all = Array.from({ length: data.n }, (_, d) => d).sort((a, b) => data.ranks[b] - data.ranks[a]);
    const low = pills(view, scale[2], width), height = TOP + 2 * GAP + 34 + low.rows * 26 + (low.rows ? 12 : 0);
    const node = svg("svg", { class: "sl-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${finding(view)}. ${detail(view)}` },
      all.map((d) => thread(view, d, places(d))), LANES.map((_, place) => lane(view, scale[place], place, width)), low.nodes,
      LANES.flatMap((_, place) => all.map((d) => dot(view, d, places(d)[place], place))));
    view.stage.replaceChildren(node);
    view.tip = kit.tooltip(view.stage);
  }

  // ---- the table ----------------------------------------------------------------------------------------------
  function table(view) {
    const { words, data } = view, order = Array.from({ length: data.n }, (_, d) => d).sort((a, b) => data.ranks[a] - data.ranks[b]);
    const names = ["rank", "log_odds", "probability", "softmax", "tie_column", "card", "document"];
    const rows = order.map((d) => {
      const tied = data.sizes[d] > 1;
      const cells = [data.ranks[d], signed(data.logOdds[d], 3), share(data.probability[d], 6),
        tied ? h("s", null, share(data.softmax[d], 4)) : share(data.softmax[d], 4),
        tied ? h("span", { class: "sl-mark" }, "= ", say(words, "tie", { n: data.sizes[d] })) : "", share(data.card[d], 4), h("div", { class: "sl-text" }, data.documents[d])];
      return h("tr", { "data-d": d, class: tied ? "sl-tied" : null }, cells.map((cell) => h("td", null, typeof cell === "number" ? String(cell) : cell)));
    });
    return h("div", { class: "sl-scroll", tabindex: 0, role: "group", "aria-label": say(words, "table") },
      h("table", { class: "sl-table" }, h("caption", { class: "xp-hidden" }, say(words, "table")),
        h("thead", null, h("tr", null, names.map((name) => h("th", { scope: "col" }, say(words, name))))), h("tbody", null, rows)));
  }

  function light(view, d) {
    view.root.classList.toggle("sl-focus", d !== null);
    for (const node of view.root.querySelectorAll("[data-d]")) {
      const same = d !== null && view.data.softmax[node.dataset.d] === view.data.softmax[d];
      node.classList.toggle("sl-lit", d !== null && (node.dataset.d === String(d) || (same && node.classList.contains("sl-pill"))));
    }
  }

  function wire(view) {
    view.root.onpointerover = (event) => {
      const node = event.target.closest?.("[data-d]"), d = node ? Number(node.dataset.d) : null;
      light(view, d);
      if (node === null || node.tagName === "TR") { view.tip?.hide(); return; }
      const box = view.stage.getBoundingClientRect();
      view.tip.show(event.clientX - box.left, event.clientY - box.top, kit.cut(view.data.documents[d], 90), sentence(view, d));
    };
    view.root.onpointerleave = () => { light(view, null); view.tip?.hide(); };
  }

  kit.register("SaturationLines", (root, props, trigger, watch) => {
    let view = null;
    function draw() {
      const data = kit.parse(props.data, null), words = props.words;
      if (!data) { view = null; root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      view = { root, words, data: read(data), stage: h("div", { class: "sl-stage" }) };
      root.replaceChildren(h("h3", { class: "xp-title" }, finding(view)), h("p", { class: "xp-quiet" }, detail(view)), view.stage, table(view));
      if (view.stage.clientWidth) drawing(view);
      wire(view);
      root.dataset.drawn = Number(root.dataset.drawn || 0) + 1;
    }
    watch(["data", "words", "height"], draw);
    draw();
    kit.sized(root, () => { if (view) drawing(view); });
  });
})();
