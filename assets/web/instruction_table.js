/* The same documents under several instructions: scores, ranks and what each instruction changed. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, signed, fixed } = kit;
  const SIDES = ["reranker", "embedding"], DIGITS = { reranker: 2, embedding: 3 };
  const written = (view, score) => (view.name === "reranker" ? signed(score, 2) : fixed(score, 3));

  /** Orange for more, blue for less; the sign says it too. */
  function tint(value, reach) {
    const share = Math.min(1, Math.abs(value) / (reach || 1)) * 30;
    return Math.abs(value) < 1e-9 ? "" : `color-mix(in srgb, var(${value > 0 ? "--xp-up-mark" : "--xp-down-mark"}) ${share.toFixed(1)}%, transparent)`;
  }

  const badge = (n) => h("span", { class: "it-badge", "aria-hidden": "true" }, String(n + 1));
  const named = (view, n) => view.data.instructions[n] || say(view.words, "none");

  /** An instruction without the words that it begins with like another, so that narrow columns can be told apart. */
  function told(view, n) {
    const words = named(view, n).split(" ");
    const alike = view.data.instructions.map((other, i) => {
      const theirs = other.split(" "), differs = words.findIndex((word, k) => word !== theirs[k]);
      return i === n || differs < 0 ? 0 : differs;
    });
    const shared = Math.max(...alike);
    return shared > 2 ? `… ${words.slice(shared).join(" ")}` : words.join(" ");
  }

  /** Numbers of one model, read once. */
  function sideOf(data, name) {
    const side = data.sides[name], I = data.instructions.length, Q = data.queries.length, D = data.documents.length;
    const scores = kit.floats(side.scores), ranks = kit.shorts(side.ranks), at = (i, q, d) => (i * Q + q) * D + d;
    let reach = 0;
    for (let i = 1; i < I; i++) for (let k = 0; k < Q * D; k++) reach = Math.max(reach, Math.abs(scores[i * Q * D + k] - scores[k]));
    return { ...side, reach, score: (i, q, d) => scores[at(i, q, d)], rank: (i, q, d) => ranks[at(i, q, d)] };
  }

  // ---- what happened ------------------------------------------------------------------------------------------
  function finding(view) {
    const { words, side, data } = view, others = side.changes.slice(1), total = data.documents.length * data.queries.length;
    if (others.every((change) => change.kind === "same_scores")) return say(words, "finding_nothing");
    if (!others.some((change) => change.moved)) return say(words, "finding_order");
    const most = others.reduce((best, change, i) => (change.moved > others[best].moved ? i : best), 0);
    return say(words, "finding_most", { n: most + 2, moved: others[most].moved, total, tau: fixed(side.agreement[0][most + 1], 2) });
  }

  function changeWords(view, n) {
    const { words, side, data } = view, change = side.changes[n];
    if (n === 0) return say(words, "first");
    const numbers = { n: n + 1, moved: change.moved, total: data.documents.length * data.queries.length,
      largest: fixed(change.largest, DIGITS[view.name]), tau: fixed(side.agreement[0][n], 2) };
    return say(words, change.kind, numbers);
  }

  function legend(view) {
    return h("ol", { class: "it-legend" }, view.data.instructions.map((text, n) => {
      const kind = n ? view.side.changes[n].kind : "first";
      const mark = { same_scores: "⚠ ", same_order: "= " }[kind];
      return h("li", { class: `it-line it-${kind}` }, badge(n),
        h("span", { class: text ? "it-text" : "it-text it-none" }, h("span", { class: "xp-hidden" }, `${n + 1}. `), named(view, n)),
        h("span", { class: "it-change" }, mark, changeWords(view, n)));
    }));
  }

  // ---- the table ----------------------------------------------------------------------------------------------
  function cellSentence(view, n, d) {
    const { side, query, words } = view, digits = DIGITS[view.name];
    const values = { n: n + 1, document: d + 1, score: written(view, side.score(n, query, d)), rank: side.rank(n, query, d),
      first: written(view, side.score(0, query, d)), first_rank: side.rank(0, query, d) };
    if (n === 0) return say(words, "cell_first", values);
    return say(words, "cell", { ...values, change: signed(side.score(n, query, d) - side.score(0, query, d), digits) });
  }

  function cell(view, n, d) {
    const { side, query, words } = view, digits = DIGITS[view.name], score = side.score(n, query, d), rank = side.rank(n, query, d);
    const node = h("td", { class: "it-cell", "data-n": n, "data-d": d },
      h("b", { class: "it-score" }, written(view, score)), h("span", { class: "it-rank" }, say(words, "rank", { rank })));
    if (n === 0) return node;
    const change = score - side.score(0, query, d), climbed = side.rank(0, query, d) - rank;
    const arrow = climbed > 0 ? `▲${climbed}` : climbed < 0 ? `▼${-climbed}` : "=";
    node.append(h("span", { class: "it-delta" }, signed(change, digits)), h("span", { class: "it-move" }, arrow));
    node.style.background = tint(change, side.reach);
    return node;
  }

  function rowOf(view, d) {
    const text = h("button", { class: "it-open", type: "button", "aria-expanded": "false" }, view.data.documents[d]);
    text.addEventListener("click", () => text.setAttribute("aria-expanded", String(text.getAttribute("aria-expanded") !== "true")));
    return h("tr", { "data-d": d }, h("th", { scope: "row" }, h("div", { class: "it-document" }, h("span", { class: "it-number" }, String(d + 1)), text)),
      view.data.instructions.map((_, n) => cell(view, n, d)));
  }

  function sorter(view, key, label, spoken) {
    const button = h("button", { class: "it-sort", type: "button", "data-sort": key, "aria-label": spoken, onclick: () => sortBy(view, key) },
      label, h("span", { class: "it-arrow", "aria-hidden": "true" }));
    return button;
  }

  function headOf(view) {
    const { words, data } = view;
    return h("tr", null,
      h("th", { scope: "col", "data-head": "given" }, sorter(view, "given", say(words, "document"), say(words, "sort_given"))),
      data.instructions.map((_, n) => h("th", { scope: "col", "data-head": n, title: named(view, n) },
        h("span", { class: "it-name" }, badge(n), h("span", { class: "it-short" }, kit.cut(told(view, n), 90))),
        h("span", { class: "it-sorts" },
          sorter(view, `score:${n}`, say(words, "score"), say(words, "sort_score", { n: n + 1 })),
          n ? sorter(view, `change:${n}`, say(words, "change"), say(words, "sort_change", { n: n + 1 })) : null))));
  }

  function valueOf(view, key) {
    const [kind, n] = key.split(":"), { side, query } = view;
    if (kind === "given") return (d) => -d;
    if (kind === "score") return (d) => -side.rank(+n, query, d);
    return (d) => side.score(+n, query, d) - side.score(0, query, d);
  }

  /** Best first; pressed again, worst first. */
  function sortBy(view, key, keep = false) {
    const begun = performance.now();
    if (!keep) view.falling = view.key === key ? !view.falling : true;
    view.key = key;
    const value = valueOf(view, key), sign = view.falling ? -1 : 1;
    const order = view.data.documents.map((_, d) => d).sort((a, b) => sign * (value(a) - value(b)) || a - b);
    view.body.append(...order.map((d) => view.rows[d]));
    for (const head of view.table.querySelectorAll("thead th")) {
      const used = head.querySelector(`[data-sort="${key}"]`);
      used ? head.setAttribute("aria-sort", view.falling ? "descending" : "ascending") : head.removeAttribute("aria-sort");
      for (const arrow of head.querySelectorAll(".it-arrow"))
        arrow.textContent = arrow.parentNode === used ? (view.falling ? "▼" : "▲") : "";
    }
    view.root.dataset.sortMs = (performance.now() - begun).toFixed(1);
  }

  function drawTable(view) {
    view.rows = view.data.documents.map((_, d) => rowOf(view, d));
    view.body = h("tbody", null, view.rows);
    view.table = h("table", { class: "it-table" }, h("caption", { class: "xp-hidden" }, say(view.words, "caption")), h("thead", null, headOf(view)), view.body);
    view.scroll.replaceChildren(view.table);
    sortBy(view, view.key, true);
  }

  // ---- agreement ----------------------------------------------------------------------------------------------
  function agreementTable(view) {
    const { words, data, side } = view, all = data.instructions.map((_, n) => n);
    const mean = data.queries.length > 1 ? say(words, "agreement_mean", { n: data.queries.length }) : "";
    const rows = all.map((a) => h("tr", null, h("th", { scope: "row" }, badge(a), h("span", { class: "xp-hidden" }, String(a + 1))),
      all.map((b) => {
        const tau = side.agreement[a][b], node = h("td", { title: a === b ? null : say(words, "agreement_cell", { a: a + 1, b: b + 1, tau: fixed(tau, 2) }) }, a === b ? "–" : fixed(tau, 2));
        if (a !== b) node.style.background = tint(tau, 1);
        return node;
      })));
    const head = h("tr", null, h("td"), all.map((n) => h("th", { scope: "col" }, badge(n), h("span", { class: "xp-hidden" }, String(n + 1)))));
    return h("div", { class: "it-agreement" }, h("h4", null, say(words, "agreement")), h("p", { class: "xp-quiet" }, say(words, "agreement_note"), " ", mean),
      h("table", { class: "it-tau" }, h("caption", { class: "xp-hidden" }, say(words, "agreement")), h("thead", null, head), h("tbody", null, rows)));
  }

  function sentAs(view) {
    const { words, data, side } = view;
    return h("details", { class: "it-sent" }, h("summary", null, say(words, "sent")), h("p", { class: "xp-quiet" }, say(words, `sent_${view.name}`)),
      side.sent.map((text, n) => h("div", { class: "it-exact" }, badge(n),
        h("pre", { tabindex: 0, "aria-label": say(words, "sent_of", { n: n + 1 }) }, text), data.instructions[n] ? null : h("span", { class: "xp-quiet" }, say(words, "none")))));
  }

  // ---- controls -----------------------------------------------------------------------------------------------
  function switches(view) {
    const { words, data } = view;
    const buttons = SIDES.map((name) => h("button", { class: "xp-button it-side", type: "button", "aria-pressed": String(name === view.name), "data-side": name,
      onclick: () => { view.name = name; redraw(view); view.root.querySelector(`[data-side="${name}"]`).focus(); } }, say(words, name)));
    const bar = h("div", { class: "it-bar" }, h("div", { class: "it-sides", role: "group", "aria-label": say(words, "model") }, buttons));
    if (data.queries.length > 1) {
      const choice = h("select", { class: "it-query", onchange: () => { view.query = Number(choice.value); drawTable(view); } },
        data.queries.map((text, q) => h("option", { value: q, selected: q === view.query }, kit.cut(text, 90))));
      bar.append(h("label", { class: "it-choose" }, h("span", null, say(words, "query")), choice));
    }
    return bar;
  }

  function redraw(view) {
    view.side = sideOf(view.data, view.name);
    view.root.dataset.side = view.name;
    view.scroll = h("div", { class: "it-scroll", tabindex: 0, role: "group", "aria-label": say(view.words, "caption") });
    const host = h("div", { class: "it-host" }, view.scroll), tip = kit.tooltip(host);
    view.scroll.addEventListener("pointerover", (event) => {
      const node = event.target.closest?.(".it-cell");
      if (!node) { tip.hide(); return; }
      const box = host.getBoundingClientRect(), at = node.getBoundingClientRect();
      tip.show(at.left - box.left, at.bottom - box.top - 12, "", cellSentence(view, Number(node.dataset.n), Number(node.dataset.d)));
    });
    view.scroll.addEventListener("pointerleave", () => tip.hide());
    view.root.replaceChildren(h("h3", { class: "xp-title", "aria-live": "polite" }, finding(view)), switches(view), legend(view), host,
      h("p", { class: "xp-caption" }, say(view.words, `note_${view.name}`)), agreementTable(view), sentAs(view));
    drawTable(view);
  }

  kit.register("InstructionTable", (root, props, trigger, watch) => {
    let view = null;
    function draw() {
      const data = kit.parse(props.data, null);
      root.style.setProperty("--it-height", `${kit.heightOf(root, props)}px`);
      if (!data) { root.replaceChildren(kit.empty(say(props.words, "empty"))); return; }
      view = { root, data, words: props.words, name: view?.name ?? "reranker", query: 0, key: "score:0", falling: true };
      redraw(view);
      root.dataset.drawn = Number(root.dataset.drawn || 0) + 1;
    }
    watch(["data", "words", "height"], draw);
    draw();
  });
})();
