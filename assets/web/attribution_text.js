/* Why a pair scored as it did: words coloured by what they add, and a test of how far to believe that. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, svg, say, signed, chart } = kit;
  const HEIGHT = 230, MARKED = 0.25;

  /** Values of a method by word; a sentence lends its words its own. */
  function valuesOf(data, method) {
    if (method !== "sentences") return data.methods[method].values;
    const values = new Array(data.words.length).fill(null);
    for (const one of data.sentences) for (let at = one.start; at < one.stop; at++) values[at] = one.effect;
    return values;
  }

  const shown = (text) => text.replace(/\s+/g, " ").trim() || "␣";
  const quoted = (data, at) => shown(data.words[at].text);

  /** The sentence above the text: what moved the score most. */
  function finding(view) {
    const { data, words, method, values } = view;
    const order = values.map((value, at) => [value ?? 0, at]).sort((a, b) => b[0] - a[0]);
    const [best, worst] = [order[0], order[order.length - 1]];
    if (method === "sentences") {
      const one = data.sentences.reduce((a, b) => (Math.abs(b.effect ?? 0) > Math.abs(a.effect ?? 0) ? b : a));
      return say(words, "finding_sentence", { text: kit.cut(textOf(data, one), 80), value: signed(one.effect) });
    }
    if (best[0] <= 0) return say(words, "finding_no", { worst: quoted(data, worst[1]), down: signed(worst[0]) });
    return say(words, worst[0] < 0 ? "finding" : "finding_yes", { best: quoted(data, best[1]), up: signed(best[0]), worst: quoted(data, worst[1]), down: signed(worst[0]) });
  }

  const textOf = (data, one) => data.words.slice(one.start, one.stop).map((word) => word.text).join("").trim();

  function meaning(view, at) {
    const { data, words, method, values } = view, word = data.words[at], value = values[at];
    const field = say(words, word.field);
    if (kit.missing(value)) return say(words, "no_value", { text: shown(word.text), field });
    if (method === "sentences") {
      const one = data.sentences.find((s) => s.start <= at && at < s.stop);
      return say(words, "sentence_means", { field, value: signed(value), without: signed(data.logOdds - value), text: kit.cut(textOf(data, one), 200) });
    }
    return say(words, value >= 0 ? "means_yes" : "means_no", { text: shown(word.text), field, value: signed(value, 3), rank: view.ranks[at], n: data.words.length });
  }

  // ---- the text ----------------------------------------------------------------------------------------------
  function paint(node, value, most) {
    const share = kit.missing(value) || !most ? 0 : Math.min(1, Math.abs(value) / most);
    node.className = `at-word ${share < 0.03 ? "at-none" : value > 0 ? "at-yes" : "at-no"}`;
    node.style.setProperty("--at-share", `${Math.round(share * 62)}%`);
    node.dataset.sign = share >= MARKED ? (value > 0 ? "+" : "−") : "";
  }

  function wordNode(view, at) {
    const { data } = view;
    const show = () => {
      const box = node.getBoundingClientRect(), host = view.root.getBoundingClientRect();
      view.tip.show(box.left - host.left, box.bottom - host.top - 8, "", meaning(view, at));
    };
    const node = h("button", { type: "button", tabindex: at === view.focus ? 0 : -1, onmouseenter: show, onfocus: () => { view.focus = at; show(); },
      onmouseleave: () => view.tip.hide(), onblur: () => view.tip.hide(), onkeydown: (event) => walk(view, at, event) }, shown(data.words[at].text));
    return node;
  }

  /** Arrow keys go from word to word; one word is in the tab order. */
  function walk(view, at, event) {
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: view.nodes.length - 1 }[event.key];
    if (event.key === "Escape") view.tip.hide();
    if (to === undefined || !view.nodes[to]) return;
    event.preventDefault();
    view.nodes[at].tabIndex = -1;
    view.nodes[to].tabIndex = 0;
    view.nodes[to].focus();
  }

  function fieldNode(view, name) {
    const { data, words } = view, effect = data.fields.find((one) => one.name === name);
    // The space before a word stands outside its colour.
    const nodes = view.nodes.flatMap((node, at) => (data.words[at].field !== name ? [] : /^\s/.test(data.words[at].text) ? [" ", node] : [node]));
    if (!nodes.length) return "";
    const whole = effect ? h("span", { class: "xp-quiet" }, say(words, "field_effect", { value: signed(effect.difference) })) : "";
    return h("div", { class: `at-field at-${name}` }, h("h4", null, say(words, name), " ", whole),
      h("div", { class: "at-words", role: "group", "aria-label": say(words, name) }, nodes));
  }

  function legend(words) {
    return h("div", { class: "at-legend", "aria-hidden": "true" }, h("span", null, say(words, "legend_no")), h("i", { class: "at-ramp" }), h("span", null, say(words, "legend_yes")));
  }

  // ---- the deletion test -------------------------------------------------------------------------------------
  function verdictNode(view) {
    const { words, data, method } = view;
    if (method === "sentences") return h("p", { class: "at-verdict at-truth" }, say(words, "verdict_sentences"));
    const { test, completeness } = data.methods[method];
    if (!test) return h("p", { class: "at-verdict at-truth", role: "status" }, say(words, "verdict_waiting"));
    const mark = { believe: "✓", partly: "≈", doubt: "✕" }[test.verdict];
    const sentence = say(words, `verdict_${test.verdict}`, { beaten: Math.round(test.beaten * test.draws), draws: test.draws, area: kit.fixed(Math.abs(test.area), 2) });
    const exact = kit.missing(completeness) ? say(words, "adds_to_nothing") : say(words, "completeness", { error: kit.fixed(100 * completeness, 1), n: data.gradients });
    return h("p", { class: `at-verdict at-${test.verdict}` }, h("b", { "aria-hidden": "true" }, `${mark} `), sentence, " ", h("span", { class: "xp-quiet" }, exact));
  }

  function curves(view) {
    const { data, words, method } = view;
    if (method === "sentences") { view.stage.replaceChildren(bars(view)); return; }
    if (!data.methods[method].test) { view.stage.replaceChildren(); return; }
    const { test } = data.methods[method], { box, node } = chart.canvas(view.stage, HEIGHT, 48);
    const counts = [0, ...test.counts], all = [data.logOdds, ...test.named, ...test.random.flat()];
    const low = Math.min(...all), high = Math.max(...all), room = (high - low || 1) * 0.08;
    const x = chart.scale(0, counts[counts.length - 1] * 1.22, box.left, box.left + box.width);
    const y = chart.scale(low - room, high + room, box.top + box.height, box.top);
    const line = (values) => [data.logOdds, ...values].map((value, i) => `${i ? "L" : "M"}${x(counts[i])},${y(value)}`).join("");
    const mean = test.counts.map((_, i) => test.random.reduce((sum, row) => sum + row[i], 0) / test.random.length);
    const last = counts.length - 1, [first, second] = [y(test.named[last - 1]), y(mean[last - 1])];
    const apart = Math.abs(first - second) < 14 ? (first >= second ? 8 : -8) : 0;
    node.setAttribute("aria-label", say(words, "chart_label"));
    node.append(chart.axes(box, { low: 0, high: counts[last], to: x, at: counts }, { low: low - room, high: high + room, to: y }, { x: say(words, "axis_deleted"), y: say(words, "axis_log_odds") }),
      ...test.random.map((row) => svg("path", { class: "at-draw", d: line(row) })),
      svg("path", { class: "at-mean", d: line(mean) }), svg("path", { class: "at-named", d: line(test.named) }),
      ...test.named.map((value, i) => svg("circle", { class: "at-dot", cx: x(counts[i + 1]), cy: y(value), r: 4 },
        svg("title", null, say(words, "point", { n: counts[i + 1], value: signed(value), random: signed(mean[i]) })))),
      svg("text", { class: "at-direct at-direct-named", x: x(counts[last]) + 8, y: first + 4 + apart }, say(words, "line_named")),
      svg("text", { class: "at-direct", x: x(counts[last]) + 8, y: second + 4 - apart }, say(words, "line_random")));
    view.stage.replaceChildren(h("h4", null, say(words, "chart_title")), node);
  }

  /** Sentences beside each other: the slow truth, and what both methods say of them. */
  function bars(view) {
    const { data, words } = view;
    const added = (method, one) => data.methods[method].values.slice(one.start, one.stop).reduce((a, b) => a + b, 0);
    const rows = data.sentences.map((one) => [kit.cut(textOf(data, one), 120), one.effect, ...view.methods.map((method) => added(method, one))]);
    const most = Math.max(...rows.flatMap((row) => row.slice(1).map((value) => Math.abs(value ?? 0))), 1e-6);
    const cell = (value) => h("td", { class: "at-bar" }, h("span", { class: value > 0 ? "at-plus" : "at-minus", style: `width:${Math.round((64 * Math.abs(value ?? 0)) / most)}px` }), h("b", { class: "xp-number" }, signed(value)));
    return h("div", { class: "at-scroll", tabindex: 0, role: "group", "aria-label": say(words, "sentence_table") }, h("table", { class: "at-sentences" },
      h("thead", null, h("tr", null, ["column_sentence", "sentences", ...view.methods].map((name) => h("th", { scope: "col" }, say(words, name))))),
      h("tbody", null, rows.map(([text, ...values]) => h("tr", null, h("th", { scope: "row" }, text), values.map(cell))))));
  }

  function tables(view) {
    const { data, words, methods } = view, truth = valuesOf(data, "sentences");
    const columns = ["column_word", "column_field", ...methods, "sentences"].map((name) => say(words, name));
    const rows = data.words.map((word, at) => [shown(word.text), say(words, word.field), ...methods.map((method) => signed(data.methods[method].values[at], 3)), signed(truth[at])]);
    const table = kit.table(say(words, "word_table"), columns, rows);
    if (!data.methods[methods[0]].test) return [table];
    const steps = data.methods[methods[0]].test.counts.map((count, i) => [count,
      ...methods.map((method) => signed(data.methods[method].test.named[i])),
      signed(data.methods[methods[0]].test.random.reduce((sum, row) => sum + row[i], 0) / data.methods[methods[0]].test.random.length)]);
    return [table, kit.table(say(words, "deletion_table"), [say(words, "axis_deleted"), ...methods.map((name) => say(words, name)), say(words, "line_random")], steps)];
  }

  // ---- the part ----------------------------------------------------------------------------------------------
  function follow(view) {
    const { data } = view;
    view.values = valuesOf(data, view.method);
    const most = Math.max(...view.values.map((value) => Math.abs(value ?? 0)));
    const order = view.values.map((value, at) => [Math.abs(value ?? 0), at]).sort((a, b) => b[0] - a[0]);
    view.ranks = new Array(order.length);
    order.forEach(([, at], place) => { view.ranks[at] = place + 1; });
    view.nodes.forEach((node, at) => { paint(node, view.values[at], most); node.setAttribute("aria-label", meaning(view, at)); });
    view.title.textContent = finding(view);
    view.verdict.replaceChildren(verdictNode(view));
    for (const button of view.buttons) button.setAttribute("aria-pressed", String(button.dataset.method === view.method));
    view.root.dataset.method = view.method;
    if (view.stage.clientWidth) curves(view);
  }

  kit.register("AttributionText", (root, props, trigger, watch) => {
    const view = { root, wanted: "integrated_gradients" };

    function draw() {
      const data = kit.parse(props.data, null), words = props.words ?? {};
      if (!data?.words.length) { root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      Object.assign(view, { data, words, methods: Object.keys(data.methods).sort().reverse(), focus: 0, title: h("h3", { class: "xp-title" }), verdict: h("div"), stage: h("div", { class: "at-stage" }) });
      view.method = view.wanted in data.methods || view.wanted === "sentences" ? view.wanted : view.methods[0];
      view.nodes = data.words.map((_, at) => wordNode(view, at));
      view.buttons = [...view.methods, "sentences"].map((method) => h("button", { class: "xp-button", type: "button", "data-method": method, title: say(words, `${method}_title`), onclick: () => { view.wanted = view.method = method; follow(view); } }, say(words, method)));
      root.replaceChildren(view.title, h("div", { class: "at-methods", role: "group", "aria-label": say(words, "methods") }, view.buttons), view.verdict,
        ...["instruction", "query", "document"].map((name) => fieldNode(view, name)), legend(words), view.stage, ...tables(view), kit.caption(data.provenance) ?? "");
      view.tip = kit.tooltip(root);
      follow(view);
    }

    watch(["data", "words"], draw);
    kit.sized(root, () => view.data && view.stage.isConnected && curves(view));
    draw();
  });
})();
