/* Two stages: a line for each retrieved document from its first rank to its final one. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, svg, say, fixed, signed, count } = kit;
  const FAR = 5;               // places from which a movement is worth counting in the title
  const RELEVANT = 2;          // the grade from which people call a document relevant
  const NARROW = 620;

  const moved = (item) => item.first_rank - item.final_rank;
  const direction = (item) => (moved(item) > 0 ? "up" : moved(item) < 0 ? "down" : "same");
  const badge = (item) => ({ up: `▲ ${moved(item)}`, down: `▼ ${-moved(item)}`, same: "=" })[direction(item)];
  const relevant = (item) => !kit.missing(item.grade) && item.grade >= RELEVANT;
  const star = (item, words) => (relevant(item) ? h("span", { class: "bc-star", title: judged(item, words) }, "★ ") : null);
  const judged = (item, words) => say(words, kit.missing(item.grade) ? "grade_none" : `grade_${item.grade}`);
  const stepOf = (total) => (total <= 24 ? 28 : total <= 50 ? 20 : 14);

  function sentence(item, words) {
    const way = say(words, { up: "rose", down: "fell", same: "stayed" }[direction(item)],
      { n: Math.abs(moved(item)), first: item.first_rank, final: item.final_rank });
    const numbers = say(words, "numbers", { cosine: fixed(item.cosine, 3), log_odds: signed(item.log_odds), probability: fixed(item.probability, 2) });
    return [way, numbers, kit.missing(item.grade) ? "" : judged(item, words)].filter(Boolean).join(" ");
  }

  function finding(data, words) {
    const top = data.items.find((item) => item.final_rank === 1), total = data.items.length;
    const far = data.items.filter((item) => Math.abs(moved(item)) > FAR).length;
    const first = moved(top) ? say(words, "finding_top", { from: top.first_rank }) : say(words, "finding_kept");
    return `${first}${say(words, "finding_far", { far, total, limit: FAR })}`;
  }

  function lines(data, words) {
    const found = [say(words, "searched", { total: count(data.items.length), searched: count(data.searched) })];
    found.push(say(words, "said_yes", { yes: data.items.filter((item) => item.log_odds > 0).length, total: data.items.length }));
    if (data.quality) {
      const [ranks, before, after] = data.quality, rise = after - before;
      const name = Math.abs(rise) < 0.005 ? "quality_same" : rise > 0 ? "quality_rise" : "quality_fall";
      found.push(say(words, name, { ranks, before: fixed(before, 2), after: fixed(after, 2) }));
    }
    return h("p", { class: "xp-caption" }, found.join(" "));
  }

  function key(words, graded) {
    const entries = [["up", "▲", "key_up"], ["down", "▼", "key_down"], ["same", "=", "key_same"]];
    return h("div", { class: "bc-key" }, entries.map(([way, sign, name]) =>
      h("span", { class: `bc-${way}` }, `${sign} ${say(words, name)}`)),
    graded ? h("span", { class: "bc-star" }, `★ ${say(words, "key_relevant")}`) : null);
  }

  function leftRow(item, view) {
    return h("div", { class: "bc-row bc-left", "data-row": item.row },
      h("b", null, item.first_rank), h("span", { class: "bc-text" }, star(item, view.words), kit.cut(item.text, 120)),
      h("span", { class: "bc-cosine xp-number" }, fixed(item.cosine, 3)));
  }

  function rightRow(item, view) {
    return h("div", { class: `bc-row bc-right bc-edge-${direction(item)}`, id: `${view.id}-${item.row}`, role: "option", "aria-selected": "false",
      "aria-label": `${sentence(item, view.words)} ${kit.cut(item.text, 200)}`, "data-row": item.row },
    h("b", null, item.final_rank), h("span", { class: `bc-move bc-${direction(item)}` }, badge(item)),
    h("span", { class: "bc-odds xp-number" }, signed(item.log_odds)),
    h("span", { class: "bc-text" }, star(item, view.words), kit.cut(item.text, 160)));
  }

  /** Curves, each with a wide invisible twin that is easy to hit; the strongest movements are the strongest lines. */
  function curves(view) {
    const { canvas, items, step } = view, wide = canvas.clientWidth, tall = step * items.length;
    const reach = Math.max(1, ...items.map((item) => Math.abs(moved(item))));
    const at = (rank) => (rank - 0.5) * step, bend = wide * 0.45;
    canvas.setAttribute("viewBox", `0 0 ${wide || 1} ${tall}`);
    canvas.style.height = `${tall}px`;
    canvas.replaceChildren(...[...items].sort((a, b) => Math.abs(moved(a)) - Math.abs(moved(b))).map((item) => {
      const from = at(item.first_rank), to = at(item.final_rank), end = wide - 9, share = Math.abs(moved(item)) / reach;
      const d = `M2 ${from} C${bend} ${from} ${wide - bend} ${to} ${end} ${to}`;
      const line = svg("path", { d, class: `bc-line bc-stroke-${direction(item)}` });
      line.style.strokeWidth = 1.4 + 2.6 * share;
      return svg("g", { class: "bc-curve", "data-row": item.row }, svg("path", { d, class: "bc-hit" }), line,
        svg("path", { d: `M${end} ${to - 4} L${end + 7} ${to} L${end} ${to + 4} Z`, class: `bc-fill-${direction(item)}` }),
        relevant(item) ? svg("circle", { cx: 4, cy: from, r: 3.5, class: "bc-dot" }) : null);
    }));
    emphasise(view, view.chosen);
  }

  function emphasise(view, row) {
    for (const node of view.board.querySelectorAll("[data-row]")) node.classList.toggle("bc-lit", node.dataset.row === String(row));
    const lit = view.canvas.querySelector(".bc-curve.bc-lit");
    if (lit) lit.parentNode.append(lit);
  }

  function choose(view, item) {
    const { words } = view;
    view.chosen = item.row;
    for (const node of view.list.children) node.setAttribute("aria-selected", String(Number(node.dataset.row) === item.row));
    view.list.setAttribute("aria-activedescendant", `${view.id}-${item.row}`);
    emphasise(view, item.row);
    const facts = [["first_rank", item.first_rank], ["final_rank", item.final_rank], ["moved", badge(item)], ["cosine", fixed(item.cosine, 4)],
      ["log_odds", signed(item.log_odds, 3)], ["probability", fixed(item.probability, 4)], ["tokens", count(item.tokens)]];
    if (item.cut_tokens) facts.push(["cut_tokens", count(item.cut_tokens)]);
    facts.push(["row", count(item.row + 1)], ["grade", judged(item, words)]);
    view.reading.replaceChildren(...kit.pairReading({ query: say(words, "query"), document: say(words, "document") }, view.query, item.text,
      facts.map(([name, value]) => [say(words, name), String(value)])));
  }

  function wire(view) {
    const itemOf = (event) => view.byRow.get(Number(event.target.closest?.("[data-row]")?.dataset.row));
    view.board.addEventListener("click", (event) => { const item = itemOf(event); if (item) choose(view, item); });
    view.board.addEventListener("pointermove", (event) => {
      const item = itemOf(event), box = view.root.getBoundingClientRect();
      view.board.classList.toggle("bc-hover", Boolean(item));
      emphasise(view, item?.row ?? view.chosen);
      if (item) view.tip.show(event.clientX - box.left, event.clientY - box.top, sentence(item, view.words), kit.cut(item.text, 220));
      else view.tip.hide();
    });
    view.board.addEventListener("pointerleave", () => { view.tip.hide(); view.board.classList.remove("bc-hover"); emphasise(view, view.chosen); });
    view.list.addEventListener("keydown", (event) => {
      const at = view.items.findIndex((item) => item.row === view.chosen), last = view.items.length - 1;
      const to = { ArrowDown: Math.min(last, at + 1), ArrowUp: Math.max(0, at - 1), Home: 0, End: last, Enter: Math.max(0, at), " ": Math.max(0, at) }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(view, view.items[to]);
      if (event.key === "Enter") view.reading.scrollIntoView({ block: "nearest", behavior: kit.still() ? "auto" : "smooth" });
    });
  }

  function missedList(data, words) {
    if (!data.missed.length) return null;
    return h("div", { class: "bc-missed" }, h("h4", null, say(words, "missed", { n: data.missed.length, total: data.items.length })),
      h("ul", null, data.missed.map((one) => h("li", null,
        h("b", { class: "xp-number" }, say(words, "missed_rank", { rank: count(one.rank), cosine: fixed(one.cosine, 3) })), ` ${kit.cut(one.text, 240)}`))));
  }

  function asTable(view) {
    const names = ["final_rank", "first_rank", "moved", "log_odds", "probability", "cosine", "grade", "document"];
    return kit.table(say(view.words, "table"), names.map((name) => say(view.words, name)), view.items.map((item) => [item.final_rank, item.first_rank,
      badge(item), signed(item.log_odds), fixed(item.probability, 2), fixed(item.cosine, 3), judged(item, view.words), kit.cut(item.text, 200)]));
  }

  kit.register("BumpChart", (root, props, trigger, watch) => {
    let view = null;
    const id = `bc-${Math.random().toString(36).slice(2, 8)}`;

    function draw() {
      const data = kit.parse(props.data, null), words = props.words;
      if (!data?.items.length) { view = null; root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      const items = [...data.items].sort((a, b) => a.final_rank - b.final_rank), step = stepOf(items.length);
      view = { root, id, words, items, step, query: data.query, byRow: new Map(items.map((item) => [item.row, item])), chosen: null,
        board: h("div", { class: "bc-board" }), canvas: svg("svg", { class: "bc-canvas", "aria-hidden": "true" }),
        list: h("div", { class: "bc-list", role: "listbox", tabindex: 0, "aria-label": say(words, "list") }),
        reading: h("div", { class: "pr-reading bc-reading" }) };
      view.board.style.setProperty("--bc-step", `${step}px`);
      view.board.classList.toggle("bc-dense", step < 20);
      const left = [...items].sort((a, b) => a.first_rank - b.first_rank).map((item) => leftRow(item, view));
      view.list.append(...items.map((item) => rightRow(item, view)));
      view.board.append(h("div", { class: "bc-before", "aria-hidden": "true" }, left), view.canvas, view.list);
      const head = h("div", { class: "bc-head" }, h("span", null, say(words, "before")), h("span"), h("span", null, say(words, "after")));
      root.replaceChildren(h("h3", { class: "xp-title" }, finding(data, words)), lines(data, words),
        key(words, items.some(relevant) || data.missed.length), head, view.board, view.reading, missedList(data, words) ?? "", asTable(view));
      view.tip = kit.tooltip(root);
      wire(view);
      choose(view, items[0]);
      if (root.clientWidth) curves(view);
      root.dataset.drawn = Number(root.dataset.drawn || 0) + 1;
    }

    watch(["data", "words"], draw);
    draw();
    kit.sized(root, () => { root.classList.toggle("bc-narrow", root.clientWidth < NARROW); if (view) curves(view); });
  });
})();
