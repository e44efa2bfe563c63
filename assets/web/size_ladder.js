/* The size ladder: what each model took, and what each says about every document, beside one chosen model. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, signed, fixed, size } = kit;

  /** Orange for more, blue for less; the sign says it too. */
  function tint(value, reach) {
    if (!reach || Math.abs(value) < 1e-9) return "";
    const share = Math.min(1, Math.abs(value) / reach) * 34;
    return `color-mix(in srgb, var(${value > 0 ? "--xp-up-mark" : "--xp-down-mark"}) ${share.toFixed(1)}%, transparent)`;
  }

  const time = (ms) => (ms >= 10_000 ? `${fixed(ms / 1000, 1)} s` : `${fixed(ms, ms < 10 ? 1 : 0)} ms`);
  const best = (rung) => rung.ranks.indexOf(1);
  const digits = (view) => (view.data.family === "reranker" ? 2 : 3);

  /** The same model in two formats needs its place in its name. */
  function named(view, n) {
    const { rungs } = view.data, twice = rungs.filter((rung) => rung.model === rungs[n].model).length > 1;
    const short = rungs[n].model.replace(/^Qwen\/Qwen3-/, "");
    return twice ? `${short} · ${rungs[n].place}` : short;
  }

  // ---- the finding --------------------------------------------------------------------------------------------
  function finding(view) {
    const { words, data, against } = view, { rungs } = data;
    if (rungs.length === 0) return say(words, "finding_none");
    if (rungs.length === 1) return say(words, "finding_one", { model: named(view, 0), time: time(rungs[0].milliseconds) });
    const other = rungs.filter((rung) => best(rung) !== best(rungs[against])).length;
    const times = rungs.map((rung) => rung.milliseconds), factor = fixed(Math.max(...times) / Math.min(...times), 1);
    return say(words, other ? "finding_other" : "finding_same", { count: rungs.length, other, model: named(view, against), factor });
  }

  // ---- what each model took -----------------------------------------------------------------------------------
  function bar(share, kind) {
    const track = h("span", { class: `sl-track sl-${kind}`, "aria-hidden": "true" }), filled = h("i");
    filled.style.width = `${Math.max(1.5, 100 * share).toFixed(1)}%`;
    track.append(filled);
    return track;
  }

  function modelRow(view, n) {
    const { words, data, against } = view, rung = data.rungs[n], first = data.rungs[against];
    const most = Math.max(...data.rungs.map((one) => one.milliseconds)), peak = (one) => one.weights + one.working;
    const largest = Math.max(...data.rungs.map(peak)), times = rung.milliseconds / first.milliseconds;
    const choose = h("button", { class: "sl-model", type: "button", "aria-pressed": String(n === against), "data-model": n, onclick: () => compare(view, n) }, named(view, n));
    return h("tr", { class: n === against ? "sl-against" : null },
      h("th", { scope: "row" }, choose, h("span", { class: "xp-quiet sl-place" }, n === against ? say(words, "compared", { place: rung.place }) : rung.place)),
      h("td", { title: say(words, "time_hover", { runs: rung.runs, count: data.documents.length }) },
        h("b", null, time(rung.milliseconds)), n === against ? null : h("small", null, `${fixed(times, times < 10 ? 2 : 0)}×`), bar(rung.milliseconds / most, "time")),
      h("td", { title: say(words, "memory_hover", { weights: size(rung.weights), working: size(rung.working) }) },
        h("b", null, size(peak(rung))), h("small", null, say(words, "weights", { weights: size(rung.weights) })), bar(peak(rung) / largest, "memory")),
      h("td", { class: "sl-number" }, n === against ? "–" : fixed(data.agreement[against][n], 2)),
      h("td", { class: "sl-best" }, kit.cut(data.documents[best(rung)] ?? "", 90)));
  }

  function models(view) {
    const { words, data } = view, names = ["model", "time", "memory", "agreement", "best"];
    return h("div", { class: "sl-scroll sl-models", tabindex: 0, role: "group", "aria-label": say(words, "models_caption") },
      h("table", null, h("caption", { class: "xp-hidden" }, say(words, "models_caption")),
        h("thead", null, h("tr", null, names.map((name) => h("th", { scope: "col", title: say(words, `${name}_meaning`) || null }, say(words, name))))),
        h("tbody", null, data.rungs.map((_, n) => modelRow(view, n)))));
  }

  // ---- documents ----------------------------------------------------------------------------------------------
  function cell(view, n, d) {
    const { words, data, against } = view, rung = data.rungs[n], first = data.rungs[against], places = digits(view);
    const score = signed(rung.scores[d], places), rank = rung.ranks[d];
    const values = { model: named(view, n), document: d + 1, score, rank, count: data.documents.length };
    const node = h("td", { class: "sl-cell" }, h("b", null, score), h("span", { class: "sl-rank" }, say(words, "rank", { rank })));
    if (n === against) { node.title = say(words, `cell_${data.family}`, values); return node; }
    const change = rung.scores[d] - first.scores[d], climbed = first.ranks[d] - rank;
    const way = climbed > 0 ? "up" : climbed < 0 ? "down" : "same", arrow = { up: `▲${climbed}`, down: `▼${-climbed}`, same: "=" }[way];
    node.append(h("span", { class: "sl-change" }, signed(change, places)), h("span", { class: `sl-move sl-${way}` }, arrow));
    node.style.background = tint(change, view.reach);
    const told = { ...values, change: signed(change, places), other: named(view, against), before: first.ranks[d] };
    node.title = say(words, `cell_change_${data.family}`, told);
    return node;
  }

  function sortBy(view, key, keep = false) {
    if (!keep) view.falling = view.key === key ? !view.falling : true;
    view.key = key;
    const value = key === "given" ? (d) => -d : (d) => -view.data.rungs[Math.min(key, view.data.rungs.length - 1)].ranks[d];
    const sign = view.falling ? -1 : 1;
    view.body.append(...view.data.documents.map((_, d) => d).sort((a, b) => sign * (value(a) - value(b)) || a - b).map((d) => view.rows[d]));
    for (const head of view.heads) {
      const used = head.dataset.key === String(key);
      used ? head.setAttribute("aria-sort", view.falling ? "descending" : "ascending") : head.removeAttribute("aria-sort");
      head.querySelector(".sl-arrow").textContent = used ? (view.falling ? "▼" : "▲") : "";
    }
  }

  function documents(view) {
    const { words, data } = view;
    const head = (key, label, spoken) => h("th", { scope: "col", "data-key": key },
      h("button", { class: "sl-sort", type: "button", title: spoken, onclick: () => sortBy(view, key) }, label, h("span", { class: "sl-arrow", "aria-hidden": "true" })));
    view.heads = [head("given", say(words, "document"), say(words, "sort_given")),
      ...data.rungs.map((_, n) => head(n, named(view, n), say(words, "sort_model", { model: named(view, n) })))];
    view.rows = data.documents.map((text, d) => h("tr", null,
      h("th", { scope: "row" }, h("span", { class: "sl-count" }, String(d + 1)), h("span", { class: "sl-text", title: text }, kit.cut(text, 220))),
      data.rungs.map((_, n) => cell(view, n, d))));
    view.body = h("tbody", null, view.rows);
    const node = h("div", { class: "sl-scroll sl-documents", tabindex: 0, role: "group", "aria-label": say(words, `documents_${data.family}`) },
      h("table", null, h("caption", { class: "xp-hidden" }, say(words, `documents_${data.family}`)), h("thead", null, h("tr", null, view.heads)), view.body));
    sortBy(view, view.key, true);
    return node;
  }

  /** Compare all models with another one. */
  function compare(view, n) {
    view.against = n;
    redraw(view);
    view.root.querySelector(`.sl-model[data-model="${n}"]`).focus();
  }

  function redraw(view) {
    const { root, words, data, against } = view;
    root.dataset.against = against;
    const title = h("h3", { class: "xp-title", "aria-live": "polite" }, finding(view));
    if (!data.rungs.length) { root.replaceChildren(title); return; }
    const changes = data.rungs.flatMap((rung) => Array.from(rung.scores, (score, d) => Math.abs(score - data.rungs[against].scores[d])));
    view.reach = Math.max(...changes);
    const scroll = root.querySelector(".sl-documents")?.scrollTop ?? 0, table = documents(view);
    root.replaceChildren(title, h("p", { class: "xp-quiet sl-query" }, say(words, "asked", { query: kit.cut(data.query, 160) })), models(view), table,
      h("p", { class: "xp-caption" }, say(words, `note_${data.family}`)));
    table.scrollTop = scroll;
  }

  kit.register("SizeLadderTable", (root, props, trigger, watch) => {
    function draw() {
      const data = kit.parse(props.data, null);
      root.style.setProperty("--sl-height", `${kit.heightOf(root, props)}px`);
      if (!data) { root.replaceChildren(kit.empty(say(props.words, "empty"))); return; }
      for (const rung of data.rungs) { rung.scores = kit.floats(rung.scores); rung.ranks = kit.shorts(rung.ranks); }
      redraw({ root, data, words: props.words, against: 0, key: 0, falling: true });
      root.dataset.drawn = Number(root.dataset.drawn || 0) + 1;
    }
    watch(["data", "words", "height"], draw);
    draw();
  });
})();
