/* Quality along the way from one model to another; the slider moves over what was measured. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, svg, say, fixed, chart } = kit, rest = chart.resting();
  const HEIGHT = 260, COLOURS = ["#0072b2", "#e69f00", "#009e73"], DASHES = ["", "7 3", "2 3"];

  const shown = (measure) => measure.values.every((value) => value !== null);

  function follow(view) {
    const { data, words, at } = view, weight = data.weights[at], x = view.toX(weight), percent = Math.round(weight * 100);
    view.line.setAttribute("x1", x); view.line.setAttribute("x2", x);
    view.measures.forEach((measure, i) => {
      measure.dots.setAttribute("cx", x);
      measure.dots.setAttribute("cy", view.toY(measure.values[at]));
      view.figures[i].textContent = fixed(measure.values[at], 3);
      const change = measure.values[at] - measure.values[0];
      view.changes[i].textContent = at ? say(words, "change", { change: kit.signed(change, 3) }) : "";
    });
    view.title.textContent = say(words, at === 0 ? "at_first" : at === data.weights.length - 1 ? "at_second" : "at",
      { percent, rest: 100 - percent, first: data.first, second: data.second });
    view.input.setAttribute("aria-valuetext", view.title.textContent);
    view.root.dataset.weight = weight;
  }

  function drawing(view) {
    const { data, words } = view, { box, node } = chart.canvas(view.stage, HEIGHT);
    const all = view.measures.flatMap((measure) => measure.values);
    const low = Math.min(...all), high = Math.max(...all), pad = Math.max(0.01, (high - low) * 0.15);
    view.toX = chart.scale(0, 1, box.left, box.left + box.width);
    view.toY = chart.scale(low - pad, Math.min(1, high + pad), box.top + box.height, box.top);
    node.append(chart.axes(box, { at: box.width < 420 ? [0, 0.5, 1] : [0, 0.2, 0.4, 0.6, 0.8, 1], to: view.toX, format: (value) => `${Math.round(value * 100)}%` },
      { low: low - pad, high: Math.min(1, high + pad), to: view.toY }, { x: say(words, "axis", { second: data.second }), y: say(words, "quality") }));
    view.line = svg("line", { class: "mp-at", y1: box.top - 4, y2: box.top + box.height });
    node.append(view.line);
    view.measures.forEach((measure, i) => {
      const points = measure.values.map((value, j) => `${view.toX(data.weights[j])},${view.toY(value)}`).join(" ");
      measure.dots = svg("circle", { r: 6, fill: COLOURS[i % 3], class: "mp-dot" });
      node.append(svg("polyline", { points, fill: "none", stroke: COLOURS[i % 3], "stroke-width": 2.5, "stroke-dasharray": DASHES[i % 3] }),
        ...measure.values.map((value, j) => svg("circle", { r: 2.5, cx: view.toX(data.weights[j]), cy: view.toY(value), fill: COLOURS[i % 3] })), measure.dots);
    });
    node.setAttribute("aria-label", say(words, "axis", { second: data.second }));
    view.input = chart.slider(box, { min: 0, max: data.weights.length - 1, step: 1, "aria-label": say(words, "slider") });
    view.input.value = view.at;
    view.stage.replaceChildren(node, view.input);
    view.input.addEventListener("input", () => { view.at = Number(view.input.value); follow(view); });
    view.input.addEventListener("change", () => rest(() => view.trigger("change", { weight: data.weights[view.at] })));
  }

  function readings(view) {
    view.figures = []; view.changes = [];
    return h("div", { class: "mp-figures" }, view.measures.map((measure, i) => {
      const key = svg("svg", { width: 22, height: 8, "aria-hidden": "true" }, svg("line", { x1: 0, x2: 22, y1: 4, y2: 4, stroke: COLOURS[i % 3], "stroke-width": 3, "stroke-dasharray": DASHES[i % 3] }));
      view.figures.push(h("b", { class: "xp-number" }));
      view.changes.push(h("small", { class: "xp-number" }));
      return h("div", { class: "mp-figure" }, h("span", null, key, measure.name), view.figures[i], view.changes[i]);
    }));
  }

  function table(view) {
    const { data, words } = view;
    return kit.table(say(words, "table"), [say(words, "weight"), ...view.measures.map((measure) => measure.name)],
      data.weights.map((weight, j) => [`${Math.round(weight * 100)}%`, ...view.measures.map((measure) => fixed(measure.values[j], 3))]));
  }

  kit.register("MergePath", (root, props, trigger, watch) => {
    let view = null;
    function draw() {
      const data = kit.parse(props.data, null);
      if (!data?.weights?.length) { view = null; root.replaceChildren(kit.empty(say(props.words, "empty"))); return; }
      view = { root, trigger, data, words: props.words, at: data.weights.indexOf(data.chosen), measures: data.measures.filter(shown).map((measure) => ({ ...measure })),
        title: h("h3", { class: "xp-title", "aria-live": "polite" }), stage: h("div", { class: "mp-stage" }) };
      if (view.at < 0) view.at = 0;
      root.replaceChildren(view.title, kit.caption(data.provenance) ?? "", view.stage, readings(view), table(view));
      if (view.stage.clientWidth) { drawing(view); follow(view); }
      root.dataset.drawn = Number(root.dataset.drawn || 0) + 1;
    }
    watch(["data", "words"], draw);
    draw();
    kit.sized(root, () => { if (view) { drawing(view); follow(view); } });
  });
})();
