/* What quadrant_plot.js draws: pairs as points, the two lists of disagreements, and the pair that is read. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, fixed, signed, count, chart } = kit;
  const HEIGHT = 400, LISTED = 60, IN_TABLE = 500, NEAR = 14;
  const CUTS = { cosine: { step: 0.01, digits: 3 }, log_odds: { step: 0.1, digits: 2 } };
  const KINDS = ["no_far", "friend", "gem", "yes_close"];   // index: 1 for close, plus 2 for yes
  const SIGNS = { friend: "▼", gem: "▲", yes_close: "●", no_far: "○" };

  const kindOf = (view, i) => KINDS[(view.cosines[i] > view.cuts.cosine ? 1 : 0) + (view.logOdds[i] > view.cuts.log_odds ? 2 : 0)];
  const queryOf = (view, i) => view.queries[Math.floor(i / view.documents.length)];
  const documentOf = (view, i) => view.documents[i % view.documents.length];
  const judged = (view, i) => say(view.words, view.grades[i] < 0 ? "grade_none" : `grade_${view.grades[i]}`);
  const shown = (name, value) => (name === "cosine" ? fixed(value, CUTS.cosine.digits) : signed(value, CUTS.log_odds.digits));
  const sentence = (view, i) => say(view.words, `pair_${kindOf(view, i)}`, { cosine: fixed(view.cosines[i], 3), log_odds: signed(view.logOdds[i]),
    probability: fixed(1 / (1 + Math.exp(-view.logOdds[i])), 2) });

  /** Pairs of each kind; false friends the closest first, hidden gems the surest yes first. */
  function sorted(view) {
    const found = { friend: [], gem: [], yes_close: 0, no_far: 0 };
    for (const i of view.byCosine) {
      const kind = kindOf(view, i);
      if (kind === "friend" || kind === "gem") found[kind].push(i);
      else found[kind] += 1;
    }
    found.gem.sort((a, b) => view.logOdds[b] - view.logOdds[a] || a - b);
    return found;
  }

  function mark(context, kind, x, y, size) {
    context.beginPath();
    if (kind === "friend" || kind === "gem") {
      const up = kind === "gem" ? -1 : 1;
      context.moveTo(x - size, y - up * size * 0.7); context.lineTo(x + size, y - up * size * 0.7); context.lineTo(x, y + up * size); context.closePath();
    } else context.arc(x, y, size * 0.75, 0, 2 * Math.PI);
  }

  function paint(view) {
    const { canvas, box } = view, ratio = window.devicePixelRatio || 1, context = canvas.getContext("2d");
    const colours = { friend: kit.css("--xp-down-mark"), gem: kit.css("--xp-up-mark"), yes_close: kit.css("--xp-same"), no_far: kit.css("--xp-same") };
    const size = view.cosines.length > 800 ? 3.5 : 5;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.lineWidth = 1.2;
    for (let i = 0; i < view.cosines.length; i++) {
      const kind = kindOf(view, i);
      mark(context, kind, view.toX(view.cosines[i]), view.toY(view.logOdds[i]), size);
      context.globalAlpha = kind === "no_far" ? 0.7 : 0.85;
      context.fillStyle = context.strokeStyle = colours[kind];
      kind === "no_far" ? context.stroke() : context.fill();
    }
    context.globalAlpha = 1;
    if (view.chosen !== null) {
      context.strokeStyle = kit.css("--xp-text"); context.lineWidth = 2;
      context.beginPath(); context.arc(view.toX(view.cosines[view.chosen]), view.toY(view.logOdds[view.chosen]), size + 5, 0, 2 * Math.PI); context.stroke();
    }
    place(view, box);
  }

  /** Put the cut lines, their handles and the names of the quadrants where the cuts stand. */
  function place(view, box) {
    const x = view.toX(view.cuts.cosine), y = view.toY(view.cuts.log_odds), { cosine, log_odds } = view.handles;
    Object.assign(cosine.style, { left: `${x}px`, top: `${box.top}px`, height: `${box.height}px` });
    Object.assign(log_odds.style, { left: `${box.left}px`, top: `${y}px`, width: `${box.width}px` });
    for (const [name, node] of Object.entries(view.handles)) {
      node.setAttribute("aria-valuenow", view.cuts[name]);
      const text = say(view.words, `cut_${name}_at`, { value: shown(name, view.cuts[name]) });
      node.setAttribute("aria-valuetext", text);
      node.firstChild.textContent = text;
    }
  }

  function pairButton(view, i) {
    return h("li", null, h("button", { type: "button", class: "qp-pair", "data-pair": i, "aria-pressed": String(view.chosen === i) },
      h("span", { class: "qp-numbers xp-number" }, `${fixed(view.cosines[i], 3)} · ${signed(view.logOdds[i])}`,
        view.grades[i] < 0 ? null : h("span", { class: "qp-grade" }, ` · ${say(view.words, "graded", { grade: view.grades[i] })}`)),
      h("span", { class: "qp-query" }, kit.cut(queryOf(view, i), 90)), h("span", { class: "qp-arrow", "aria-hidden": "true" }, " → "),
      h("span", { class: "qp-document" }, kit.cut(documentOf(view, i), 120))));
  }

  function list(view, kind, pairs) {
    const shownPairs = pairs.slice(0, LISTED);
    return h("section", { class: `qp-side qp-${kind}`, "aria-label": say(view.words, kind) },
      h("h4", null, h("span", { "aria-hidden": "true" }, `${SIGNS[kind]} `), say(view.words, `${kind}_count`, { n: count(pairs.length) })),
      h("p", { class: "xp-quiet" }, say(view.words, `${kind}_order`)),
      pairs.length ? h("ul", null, shownPairs.map((i) => pairButton(view, i))) : h("p", { class: "qp-none" }, say(view.words, `${kind}_none`)),
      pairs.length > LISTED ? h("p", { class: "xp-quiet" }, say(view.words, "listed", { shown: LISTED, n: count(pairs.length) })) : null);
  }

  /** Everything that depends on where the cuts stand. */
  function follow(view) {
    const start = performance.now(), found = sorted(view), { words } = view;
    view.title.textContent = say(words, "finding", { friends: count(found.friend.length), gems: count(found.gem.length), total: count(view.cosines.length) });
    for (const kind of KINDS) {
      const n = Array.isArray(found[kind]) ? found[kind].length : found[kind];
      view.corners[kind].replaceChildren(h("b", null, `${SIGNS[kind]} ${count(n)} `), say(words, `corner_${kind}`));
    }
    view.lists.replaceChildren(list(view, "friend", found.friend), list(view, "gem", found.gem));
    view.reset.disabled = view.cuts.cosine === view.first.cosine && view.cuts.log_odds === view.first.log_odds;
    if (view.chosen !== null) read(view);
    if (view.canvas) paint(view);
    Object.assign(view.root.dataset, { friends: found.friend.length, gems: found.gem.length, stepMs: (performance.now() - start).toFixed(1) });
    return found;
  }

  function read(view) {
    const { words, chosen: i } = view, probability = 1 / (1 + Math.exp(-view.logOdds[i]));
    const facts = [["cosine", fixed(view.cosines[i], 4)], ["log_odds", signed(view.logOdds[i], 3)], ["probability", fixed(probability, 4)],
      ["kind", say(words, `corner_${kindOf(view, i)}`)], ["grade", judged(view, i)]];
    view.reading.replaceChildren(...kit.pairReading({ query: say(words, "query"), document: say(words, "document") }, queryOf(view, i), documentOf(view, i),
      facts.map(([name, value]) => [say(words, name), value])));
  }

  function choose(view, i) {
    view.chosen = i;
    for (const node of view.lists.querySelectorAll(".qp-pair")) node.setAttribute("aria-pressed", String(Number(node.dataset.pair) === i));
    read(view);
    if (view.canvas) paint(view);
  }

  function drawing(view) {
    const made = chart.canvas(view.stage, HEIGHT, 48), { box, node } = made, ratio = window.devicePixelRatio || 1;
    const padded = (values, extra) => { let low = extra[0], high = extra[0]; for (const v of [...values, ...extra]) { low = Math.min(low, v); high = Math.max(high, v); }
      const room = (high - low) * 0.04 || 0.1; return { low: low - room, high: high + room }; };
    const x = padded(view.cosines, [view.cuts.cosine]), y = padded(view.logOdds, [view.cuts.log_odds, 0]);
    x.to = view.toX = chart.scale(x.low, x.high, box.left, box.left + box.width);
    y.to = view.toY = chart.scale(y.low, y.high, box.top + box.height, box.top);
    Object.assign(view, { box, ranges: { cosine: x, log_odds: y } });
    node.setAttribute("aria-label", say(view.words, "plot"));
    y.format = (value) => signed(value, Math.max(...chart.ticks(y.low, y.high, 4).map((v) => (String(v).split(".")[1] ?? "").length)));
    node.append(chart.axes(box, x, y, { x: say(view.words, "axis_cosine") }));
    const width = Number(node.getAttribute("width"));
    view.canvas = h("canvas", { class: "qp-canvas", width: width * ratio, height: HEIGHT * ratio, "aria-hidden": "true" });
    Object.assign(view.canvas.style, { width: `${width}px`, height: `${HEIGHT}px` });
    for (const [name, handle] of Object.entries(view.handles)) {
      handle.setAttribute("aria-valuemin", view.ranges[name].low); handle.setAttribute("aria-valuemax", view.ranges[name].high);
    }
    view.stage.replaceChildren(node, view.canvas, ...Object.values(view.corners), view.handles.log_odds, view.handles.cosine);
    const corner = (kind, right, bottom) => { view.corners[kind].className = `qp-corner qp-${kind}${right ? " qp-right" : ""}${bottom ? " qp-bottom" : ""}`; };
    corner("gem", false, false); corner("yes_close", true, false); corner("no_far", false, true); corner("friend", true, true);
    view.tip = kit.tooltip(view.stage);
  }

  kit.quadrants = { CUTS, IN_TABLE, NEAR, SIGNS, kindOf, queryOf, documentOf, judged, sentence, follow, choose, drawing, paint };
})();
