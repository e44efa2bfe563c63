/* The filter: a histogram of cosines with a cut that is moved in the browser. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, svg, say, fixed, count, chart } = kit, rest = chart.resting();
  const BIN = 0.02, SHOWN = 3, HEIGHT = 230;

  /** Bins whose edges fall on round numbers, from the first with a pair to the last. */
  function binned(cosines) {
    const at = (cosine) => Math.min(49, Math.max(-50, Math.floor(cosine / BIN + 1e-4)));
    let first = 49, last = -50;
    for (const cosine of cosines) { first = Math.min(first, at(cosine)); last = Math.max(last, at(cosine)); }
    const counts = new Int32Array(last - first + 1);
    for (const cosine of cosines) counts[at(cosine) - first] += 1;
    return { first, counts };
  }

  function pairNode(view, pair, kept) {
    const { words } = view;
    return h("li", { class: kept ? "fc-pair fc-kept" : "fc-pair fc-gone" },
      h("b", { class: "xp-number" }, fixed(pair.cosine, 3)),
      h("span", { class: "fc-query" }, kit.cut(pair.query, 160)), h("span", { class: "fc-arrow", "aria-hidden": "true" }, "→"),
      h("span", { class: "fc-document" }, kit.cut(pair.document, 200)), h("span", { class: "xp-hidden" }, say(words, kept ? "stays" : "goes")));
  }

  /** Counts, marks and examples for where the cut stands now. */
  function follow(view) {
    const { words, cut, cosines, graded } = view;
    let kept = 0;
    for (let i = 0; i < cosines.length; i++) if (cosines[i] > cut || graded[i]) kept += 1;
    const share = Math.round((100 * kept) / cosines.length), x = view.toX(cut);
    view.title.textContent = say(words, "finding", { kept: count(kept), total: count(cosines.length), share, cut: fixed(cut, 2) });
    view.line.setAttribute("x1", x); view.line.setAttribute("x2", x);
    view.bars.forEach(({ node, middle }) => node.setAttribute("class", middle > cut ? "fc-bar fc-in" : "fc-bar fc-out"));
    view.input.setAttribute("aria-valuetext", view.title.textContent);
    const above = view.examples.filter((pair) => pair.cosine > cut).slice(0, SHOWN);
    const below = view.examples.filter((pair) => pair.cosine <= cut).slice(-SHOWN).reverse();
    const list = (name, pairs, stays) => h("div", { class: "fc-side" }, h("h4", null, say(words, name)),
      pairs.length ? h("ul", null, pairs.map((pair) => pairNode(view, pair, stays))) : h("p", { class: "xp-quiet" }, say(words, "no_pairs")));
    view.near.replaceChildren(list("above", above, true), list("below", below, false));
    view.root.dataset.kept = kept;
    view.root.dataset.cut = fixed(cut, 2);
  }

  function drawing(view) {
    const { counts, first } = view.bins, { box, node } = chart.canvas(view.stage, HEIGHT, 44);
    const low = Math.min(first * BIN, view.cut - BIN), high = Math.max((first + counts.length) * BIN, view.cut + BIN);
    const most = Math.max(...counts);
    view.toX = chart.scale(low, high, box.left, box.left + box.width);
    const toY = chart.scale(0, most * 1.05, box.top + box.height, box.top);
    view.bars = Array.from(counts, (value, i) => {
      const left = (first + i) * BIN, x = view.toX(left), middle = left + BIN / 2;
      const bar = svg("rect", { x: x + 0.5, y: toY(value), width: Math.max(1, view.toX(left + BIN) - x - 1), height: box.top + box.height - toY(value) },
        svg("title", null, say(view.words, "bin", { count: count(value), low: fixed(left, 2), high: fixed(left + BIN, 2) })));
      return { node: bar, middle };
    });
    view.line = svg("line", { class: "fc-cut", y1: box.top - 6, y2: box.top + box.height });
    const whole = chart.ticks(0, most, 4).filter(Number.isInteger);
    node.append(chart.axes(box, { low, high, to: view.toX }, { low: 0, high: most, to: toY, at: whole, format: count }, { x: say(view.words, "axis"), y: say(view.words, "pairs") }),
      ...view.bars.map((bar) => bar.node), view.line);
    node.setAttribute("aria-label", say(view.words, "axis"));
    view.input = chart.slider(box, { min: Math.ceil(low * 100), max: Math.floor(high * 100), step: 1, "aria-label": say(view.words, "cut") });
    view.input.value = Math.round(view.cut * 100);
    view.stage.replaceChildren(node, view.input);
    view.input.addEventListener("input", () => { view.cut = Number(view.input.value) / 100; follow(view); });
    view.input.addEventListener("change", () => rest(() => view.trigger("change", { threshold: view.cut })));
  }

  function table(view) {
    const { counts, first } = view.bins;
    return kit.table(say(view.words, "table"), [say(view.words, "axis"), say(view.words, "pairs")],
      Array.from(counts, (value, i) => [`${fixed((first + i) * BIN, 2)} – ${fixed((first + i + 1) * BIN, 2)}`, count(value)]));
  }

  kit.register("FilterCut", (root, props, trigger, watch) => {
    let view = null;
    function draw() {
      const data = kit.parse(props.data, null);
      if (!data?.cosines) { view = null; root.replaceChildren(kit.empty(say(props.words, "empty"))); return; }
      const cosines = kit.floats(data.cosines);
      view = { root, trigger, words: props.words, cut: data.cut, cosines, graded: kit.shorts(data.graded), examples: data.examples, bins: binned(cosines),
        title: h("h3", { class: "xp-title", "aria-live": "polite" }), stage: h("div", { class: "fc-stage" }), near: h("div", { class: "fc-near" }) };
      root.replaceChildren(view.title, kit.caption(data.provenance) ?? "", view.stage, view.near, table(view));
      if (view.stage.clientWidth) { drawing(view); follow(view); }
      root.dataset.drawn = Number(root.dataset.drawn || 0) + 1;
    }
    watch(["data", "words"], draw);
    draw();
    kit.sized(root, () => { if (view) { drawing(view); follow(view); } });
  });
})();
