/* Edits of a pair: the words that changed, a signed bar for the change in log-odds, and every number. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, fixed, signed } = kit;
  const SMALLEST_REACH = 1;    // a bar that fills half its track stands for at least this many log-odds
  const SORTS = {
    effect: (a, b) => Math.abs(b.change) - Math.abs(a.change),
    up: (a, b) => b.change - a.change,
    down: (a, b) => a.change - b.change,
    given: (a, b) => a.index - b.index,
  };

  const name = (row, words) => say(words, `origin_${row.origin}`);

  /** What changed, in one line of text. */
  const spoken = (row, words) => row.words.map(([place, before, after]) =>
    say(words, before && after ? "replaced" : after ? "inserted" : "left_out",
      { place: say(words, `place_${place}`), before: kit.cut(before, 80), after: kit.cut(after, 80) })).join("; ");

  function sentence(row, words) {
    if (row.change === null) return say(words, "start_sentence", { log_odds: signed(row.log_odds), probability: fixed(row.probability, 2), cosine: fixed(row.cosine, 3) });
    return say(words, "sentence", { name: name(row, words), what: spoken(row, words), change: signed(row.change), log_odds: signed(row.log_odds),
      probability: fixed(row.probability, 2), cosine: fixed(row.cosine, 3), cosine_change: signed(row.cosine_change, 3) });
  }

  function wordsOf(row, words) {
    return row.words.map(([place, before, after]) => h("span", { class: "ee-words" },
      h("span", { class: `ee-place ee-${place}` }, say(words, `place_${place}`)),
      before ? h("del", null, kit.cut(before, 160)) : null, before && after ? " → " : null, after ? h("ins", null, kit.cut(after, 160)) : null));
  }

  function bar(row, reach) {
    const share = Math.min(1, Math.abs(row.change ?? 0) / reach) * 50, mark = h("i", { class: row.change >= 0 ? "ee-up" : "ee-down" });
    mark.style.width = `${share}%`;
    mark.style.left = row.change >= 0 ? "50%" : `${50 - share}%`;
    return h("span", { class: "ee-track" }, row.change === null ? null : mark);
  }

  function number(label, value, beside) {
    return h("span", { class: "ee-number" }, h("small", null, label), h("b", null, value), beside ? h("em", null, beside) : null);
  }

  function rowOf(row, view) {
    const { words, reach, data } = view;
    const now = row.index === data.current, away = row.parent !== null && row.parent !== row.index - 1;
    return h("li", { class: now ? "ee-row ee-now" : "ee-row", "data-index": row.index },
      h("button", { type: "button", class: "ee-pick", "aria-label": sentence(row, words), "aria-current": now ? "step" : null,
        title: say(words, data.mode === "history" ? "restore" : "adopt"), onclick: () => view.trigger("pick", { index: row.index }) },
      h("span", { class: "ee-name" }, data.mode === "history" ? h("span", { class: "ee-step" }, String(row.index)) : null,
        h("strong", null, name(row, words)), now ? h("span", { class: "ee-here" }, say(words, "here")) : null,
        away ? h("span", { class: "xp-quiet" }, say(words, "from", { step: row.parent })) : null, wordsOf(row, words),
        row.computed ? h("span", { class: "xp-quiet ee-computed" }, row.computed) : null),
      h("span", { class: "ee-change" }, h("small", null, say(words, "change")), bar(row, reach),
        h("b", null, row.change === null ? "–" : `${row.change > 0 ? "▲" : row.change < 0 ? "▼" : "="} ${signed(row.change)}`)),
      h("span", { class: "ee-numbers" },
        number(say(words, "log_odds"), signed(row.log_odds), ""),
        number(say(words, "probability"), fixed(row.probability, 2), ""),
        number(say(words, "cosine"), fixed(row.cosine, 3), row.cosine_change === null ? "" : signed(row.cosine_change, 3)))));
  }

  function finding(data, words) {
    const edits = data.rows.filter((row) => row.change !== null);
    if (!edits.length) {
      const start = data.rows[0];
      return say(words, "finding_start", { log_odds: signed(start.log_odds), probability: fixed(start.probability, 2) });
    }
    const most = [...edits].sort(SORTS.effect)[0], before = most.log_odds - most.change;
    const values = { n: edits.length, name: name(most, words), change: signed(most.change), before: signed(before), after: signed(most.log_odds),
      step: most.index };
    const flips = edits.filter((row) => (row.log_odds > 0) !== (row.log_odds - row.change > 0)).length;
    const first = say(words, edits.length === 1 && data.mode === "history" ? "finding_one" : `finding_${data.mode}`, values);
    return flips ? `${first}${first.endsWith(".") ? " " : ""}${say(words, data.mode === "history" ? "flips_history" : "flips_tried", { n: flips })}` : first;
  }

  function asTable(rows, words) {
    const columns = ["edit", "what", "change", "since_start", "log_odds", "probability", "cosine", "cosine_change"];
    return kit.table(say(words, "table"), columns.map((column) => say(words, column)), rows.map((row) => [name(row, words), spoken(row, words),
      signed(row.change), signed(row.since_start), signed(row.log_odds), fixed(row.probability, 3), fixed(row.cosine, 3), signed(row.cosine_change, 3)]));
  }

  /** Buttons that put the tried changes in another order. */
  function sorter(view, list) {
    const buttons = Object.keys(SORTS).map((key) => h("button", { type: "button", class: "xp-button", "data-sort": key,
      "aria-pressed": String(key === view.sort), onclick: () => sort(key) }, say(view.words, `sort_${key}`)));
    function sort(key) {
      view.sort = key;
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.sort === key));
      list.replaceChildren(...rowsOf(view));
    }
    return h("div", { class: "ee-sorts", role: "group", "aria-label": say(view.words, "sort") }, buttons);
  }

  const rowsOf = (view) => [...view.data.rows].sort(SORTS[view.sort]).map((row) => rowOf(row, view));

  kit.register("EditEffects", (root, props, trigger, watch) => {
    let sort = "effect";

    function draw() {
      const data = kit.parse(props.data, null), words = props.words;
      root.style.setProperty("--ee-height", `${kit.heightOf(root, props)}px`);
      root.dataset.drawn = String(Number(root.dataset.drawn || 0) + 1);
      if (!data?.rows.length) { root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      const focused = root.contains(document.activeElement) ? document.activeElement.closest("[data-index]")?.dataset.index : null;
      const reach = Math.max(SMALLEST_REACH, ...data.rows.map((row) => Math.abs(row.change ?? 0)));
      const view = { data, words, reach, trigger, get sort() { return data.mode === "history" ? "given" : sort; }, set sort(key) { sort = key; } };
      const list = h("ol", { class: "ee-rows" }, rowsOf(view));
      root.replaceChildren(h("h3", { class: "xp-title" }, finding(data, words)),
        data.mode === "tried" ? sorter(view, list) : "", h("div", { class: "ee-scroll" }, list),
        kit.caption(data.provenance) ?? "", asTable(data.rows, words));
      const here = list.querySelector(".ee-now");
      if (here) list.parentElement.scrollTop = Math.max(0, here.offsetTop - list.parentElement.clientHeight + here.offsetHeight + 8);
      if (focused) list.querySelector(`[data-index="${focused}"] button`)?.focus({ preventScroll: true });
    }

    watch(["data", "words", "height"], draw);
    draw();
  });
})();
