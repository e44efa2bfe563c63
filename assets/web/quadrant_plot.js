/* Cosine against log-odds for all pairs, with two cuts to drag, and the pairs on which both models disagree. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, fixed, signed, count } = kit;
  const { CUTS, IN_TABLE, NEAR, follow, choose, drawing, paint, queryOf, documentOf, judged, sentence } = kit.quadrants;

  function cutAt(view, name, value) {
    const { low, high } = view.ranges[name];
    view.cuts[name] = Math.min(high, Math.max(low, value));
    follow(view);
  }

  function valueAt(view, name, event) {
    const from = view.stage.getBoundingClientRect(), { box } = view, { low, high } = view.ranges[name];
    const share = name === "cosine" ? (event.clientX - from.left - box.left) / box.width : 1 - (event.clientY - from.top - box.top) / box.height;
    return low + share * (high - low);
  }

  /** A cut as a slider that lies in the plot: dragged by pointer, moved by the arrow keys. */
  function handle(view, name) {
    const across = name === "cosine", { step } = CUTS[name];
    const node = h("div", { class: `qp-cut qp-cut-${name}`, role: "slider", tabindex: 0, "aria-label": say(view.words, `cut_${name}`),
      "aria-orientation": across ? "horizontal" : "vertical" }, h("span", { class: "qp-cut-label xp-number" }));
    node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); node.focus(); event.preventDefault(); });
    node.addEventListener("pointermove", (event) => { if (node.hasPointerCapture(event.pointerId)) cutAt(view, name, valueAt(view, name, event)); });
    node.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -1e6, End: 1e6 }[event.key];
      if (steps === undefined) return;
      event.preventDefault();
      cutAt(view, name, view.cuts[name] + steps * step);
    });
    return node;
  }

  function nearest(view, event) {
    const from = view.canvas.getBoundingClientRect(), x = event.clientX - from.left, y = event.clientY - from.top;
    let best = -1, least = NEAR * NEAR;
    for (let i = 0; i < view.cosines.length; i++) {
      const far = (view.toX(view.cosines[i]) - x) ** 2 + (view.toY(view.logOdds[i]) - y) ** 2;
      if (far < least) { least = far; best = i; }
    }
    return { best, x, y };
  }

  function wire(view) {
    view.stage.addEventListener("pointermove", (event) => {
      if (event.target !== view.canvas) return view.tip.hide();
      const { best, x, y } = nearest(view, event);
      view.canvas.classList.toggle("qp-over", best >= 0);
      if (best < 0) return view.tip.hide();
      view.tip.show(x, y, sentence(view, best), `${kit.cut(queryOf(view, best), 120)} → ${kit.cut(documentOf(view, best), 200)}`);
    });
    view.stage.addEventListener("pointerleave", () => view.tip.hide());
    view.stage.addEventListener("click", (event) => {
      if (event.target !== view.canvas) return;
      const { best } = nearest(view, event);
      if (best >= 0) choose(view, best);
    });
    view.lists.addEventListener("click", (event) => {
      const button = event.target.closest?.(".qp-pair");
      if (button) choose(view, Number(button.dataset.pair));
    });
    view.reset.addEventListener("click", () => { Object.assign(view.cuts, view.first); follow(view); });
  }

  function asTable(view) {
    const names = ["cosine", "log_odds", "grade", "query", "document"], pairs = [...view.byCosine].slice(0, IN_TABLE);
    const summary = pairs.length < view.cosines.length ? say(view.words, "table_part", { shown: count(pairs.length), total: count(view.cosines.length) }) : say(view.words, "table");
    return kit.table(summary, names.map((name) => say(view.words, name)), pairs.map((i) => [fixed(view.cosines[i], 3), signed(view.logOdds[i]),
      judged(view, i), kit.cut(queryOf(view, i), 120), kit.cut(documentOf(view, i), 160)]));
  }

  function viewOf(root, data, words) {
    const cosines = kit.floats(data.cosines), first = { cosine: data.cosine_cut, log_odds: 0 };
    const byCosine = Uint32Array.from(cosines.keys()).sort((a, b) => cosines[b] - cosines[a] || a - b);
    const view = { root, words, queries: data.queries, documents: data.documents, cosines, logOdds: kit.floats(data.log_odds), grades: kit.shorts(data.grades),
      first, cuts: { ...first }, byCosine, chosen: null, canvas: null,
      title: h("h3", { class: "xp-title", "aria-live": "polite" }), stage: h("div", { class: "qp-stage" }), lists: h("div", { class: "qp-lists" }),
      reading: h("div", { class: "pr-reading qp-reading" }), reset: h("button", { type: "button", class: "xp-button" }, say(words, "reset")),
      corners: Object.fromEntries(["gem", "yes_close", "no_far", "friend"].map((kind) => [kind, h("div", {})])) };
    view.handles = { cosine: handle(view, "cosine"), log_odds: handle(view, "log_odds") };
    return view;
  }

  kit.register("QuadrantPlot", (root, props, trigger, watch) => {
    let view = null;

    function draw() {
      const data = kit.parse(props.data, null), words = props.words;
      if (!data?.cosines) { view = null; root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      view = viewOf(root, data, words);
      const bar = h("div", { class: "qp-bar" }, h("span", { class: "xp-quiet" }, say(words, "drag")), view.reset);
      const axis = h("div", { class: "qp-axis", "aria-hidden": "true" }, `↑ ${say(words, "axis_log_odds")}`);
      root.replaceChildren(view.title, bar, axis, view.stage, view.reading, view.lists, asTable(view));
      if (view.stage.clientWidth) drawing(view);
      const found = follow(view);
      choose(view, found.gem[0] ?? found.friend[0] ?? view.byCosine[0]);
      wire(view);
      root.dataset.drawn = Number(root.dataset.drawn || 0) + 1;
    }

    watch(["data", "words"], draw);
    draw();
    kit.sized(root, () => { if (view) { drawing(view); paint(view); } });
    kit.theme(root, () => { if (view?.canvas) paint(view); });
  });
})();
