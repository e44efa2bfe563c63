/* The Matryoshka view: everything follows the slider in the browser, without a request. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, fixed, count } = kit;
  const STEPS = 1000, LINE = 40;

  const percent = (share) => String(Math.floor(share * 100 + 1e-9));
  const million = (dimensions) => kit.size(dimensions * 4 * 1e6);

  function ladder(minimum, full) {
    const steps = [];
    for (let value = minimum; value < full; value *= 2) steps.push(value);
    return [...steps, full];
  }

  /** The slider is logarithmic: the small sizes are where something happens. */
  const toPosition = (view, kept) => view.full === view.minimum ? STEPS : (STEPS * Math.log(kept / view.minimum)) / Math.log(view.full / view.minimum);
  const toDimensions = (view, position) => Math.round(view.minimum * (view.full / view.minimum) ** (position / STEPS));

  function controls(view) {
    const { words } = view;
    view.slider = h("input", { type: "range", class: "dv-range", min: 0, max: STEPS, step: 1, "aria-label": say(words, "slider") });
    view.number = h("input", { type: "number", class: "dv-number", min: view.minimum, max: view.full, step: 1, "aria-label": say(words, "slider") });
    view.raw = h("input", { type: "checkbox" });
    const ticks = view.ladder.map((kept) => {
      const tick = h("button", { type: "button", class: "dv-tick", "data-kept": kept, tabindex: -1 }, count(kept));
      tick.style.setProperty("--at", toPosition(view, kept) / STEPS);
      return tick;
    });
    view.ticks = h("div", { class: "dv-ticks" }, ticks);
    view.note = h("p", { class: "dv-note", hidden: true }, say(words, "raw_note"));
    return h("div", { class: "dv-controls" },
      h("div", { class: "dv-kept" }, view.number, h("span", { class: "xp-quiet" }, say(words, "of", { full: count(view.full) })),
        h("label", { class: "dv-raw" }, view.raw, say(words, "raw"))),
      h("div", { class: "dv-slide" }, view.slider, view.ticks), view.note);
  }

  function figures(view) {
    const { words } = view, cell = (name, label, title) => {
      view[name] = h("b", { class: "xp-number" });
      view[`${name}Note`] = h("small");
      return h("div", { class: "dv-figure", title }, view[name], h("span", null, label), view[`${name}Note`]);
    };
    return h("div", { class: "dv-figures" },
      cell("overlap", say(words, "overlap", { k: view.k }), say(words, "overlap_title", { k: view.k })),
      cell("drift", say(words, "drift"), say(words, "drift_title")),
      cell("storage", say(words, "storage"), ""));
  }

  function rankingOf(view) {
    view.rows = view.data.documents.map((text, j) => {
      const parts = { rank: h("b", { class: "dv-rank xp-number" }), bar: h("i"), score: h("span", { class: "dv-score xp-number" }), move: h("span", { class: "dv-move" }) };
      const node = h("li", { class: "dv-item", "data-column": j, title: kit.cut(text, 300) }, parts.rank, h("span", { class: "dv-text" },
        h("span", { class: "dv-id" }, String(j + 1)), kit.cut(text, 160)), h("span", { class: "dv-bar" }, parts.bar), parts.score, parts.move);
      return { node, ...parts };
    });
    const list = h("ol", { class: "dv-list" }, view.rows.map((row) => row.node));
    list.style.height = `${view.rows.length * LINE}px`;
    view.select = h("select", { class: "dv-select", "aria-label": say(view.words, "query") },
      view.data.queries.map((text, i) => h("option", { value: i }, kit.cut(text, 120))));
    return h("div", { class: "dv-ranking" }, h("label", { class: "dv-for" }, say(view.words, "ranking"), view.select),
      h("div", { class: "dv-scroll", tabindex: 0, role: "group", "aria-label": say(view.words, "ranking") }, list));
  }

  function legend(view) {
    const stops = kit.CIVIDIS.join(", "), bar = h("i");
    bar.style.background = `linear-gradient(to right, ${stops})`;
    return h("div", { class: "dv-legend xp-number" }, fixed(view.low, 2), bar, fixed(view.high, 2), h("span", null, say(view.words, "heatmap")));
  }

  function setText(node, text) { if (node.textContent !== text) node.textContent = text; }

  function drawRanking(view) {
    const { matryoshka, scores, chosen, words } = view, base = chosen * matryoshka.n, before = matryoshka.referenceRanks[chosen];
    matryoshka.order(scores, chosen).forEach((j, place) => {
      const row = view.rows[j], moved = before[j] - (place + 1), way = moved > 0 ? "up" : moved < 0 ? "down" : "none";
      row.node.style.transform = `translateY(${place * LINE}px)`;
      row.bar.style.transform = `scaleX(${Math.max(0, Math.min(1, scores[base + j]))})`;
      setText(row.rank, String(place + 1));
      setText(row.score, fixed(scores[base + j], 3));
      setText(row.move, { up: `▲ ${moved}`, down: `▼ ${-moved}`, none: "" }[way]);
      if (row.move.dataset.way !== way + moved) {
        row.move.dataset.way = way + moved;
        row.move.className = `dv-move dv-${way}`;
        row.move.title = say(words, `moved_${way}`, { n: Math.abs(moved) });
      }
    });
  }

  function drawFigures(view) {
    const { kept, full, words, k } = view, { overlap, drift } = view.matryoshka.agreement(view.scores, k);
    const values = { dimensions: count(kept), full: count(full), k, percent: percent(overlap), drift: fixed(drift, 3), size: million(kept), full_size: million(full) };
    setText(view.title, say(words, kept === full && overlap === 1 ? "finding_full" : overlap === 1 ? "finding_same" : "finding_some", values));
    setText(view.overlap, `${values.percent}%`);
    setText(view.drift, values.drift);
    setText(view.storage, values.size);
    setText(view.storageNote, kept === full ? "" : say(words, "instead", values));
    view.storage.parentNode.title = say(words, "storage_title", values);
    view.summary = say(words, "announce", values);
  }

  /** One step of the slider: scores, heatmap, ranking, figures. */
  function step(view, kept) {
    const start = performance.now();
    view.kept = Math.max(view.minimum, Math.min(view.full, Math.round(kept) || view.full));
    view.scores = view.matryoshka.scores(view.kept, !view.raw.checked);
    view.heatmap.draw(view.scores, view.low, view.high);
    drawRanking(view);
    drawFigures(view);
    view.slider.setAttribute("aria-valuetext", `${view.kept} ${say(view.words, "of", { full: view.full })}`);
    view.slider.style.setProperty("--at", toPosition(view, view.kept) / STEPS);
    for (const tick of view.ticks.children) tick.classList.toggle("dv-on", Number(tick.dataset.kept) === view.kept);
    view.root.dataset.dimensions = view.kept;
    view.root.dataset.stepMs = (performance.now() - start).toFixed(2);
  }

  function show(view, kept) {
    step(view, kept);
    view.slider.value = toPosition(view, view.kept);
    if (document.activeElement !== view.number) view.number.value = view.kept;
  }

  /** After the slider rests: say it once, renew the table, tell the server. */
  function rest(view, trigger) {
    view.number.value = view.kept;
    view.announce.textContent = view.summary;
    drawTable(view);
    if (trigger) trigger("change", { dimensions: view.kept });
  }

  function drawTable(view) {
    const { matryoshka, scores, chosen, words } = view, open = view.table?.open;
    const rows = matryoshka.order(scores, chosen).map((j, place) => [place + 1, matryoshka.referenceRanks[chosen][j],
      fixed(scores[chosen * matryoshka.n + j], 3), view.data.documents[j]]);
    const table = kit.table(`${say(words, "table")}: ${kit.cut(view.data.queries[chosen], 80)}`,
      [say(words, "rank"), say(words, "full_rank"), say(words, "score"), say(words, "document")], rows);
    table.open = Boolean(open);
    view.table?.replaceWith(table);
    view.table = table;
  }

  function chooseQuery(view, row) {
    view.chosen = row;
    view.select.value = row;
    view.heatmap.choose(row);
    drawRanking(view);
    drawTable(view);
  }

  function wireSlider(view, trigger) {
    const { slider, number, raw } = view;
    let pending = false;
    slider.addEventListener("input", () => {
      if (pending) return;
      pending = true;
      requestAnimationFrame(() => { pending = false; step(view, toDimensions(view, Number(slider.value))); number.value = view.kept; });
    });
    slider.addEventListener("change", () => { step(view, toDimensions(view, Number(slider.value))); rest(view, trigger); });
    slider.addEventListener("keydown", (event) => {
      const up = view.ladder.find((value) => value > view.kept) ?? view.full;
      const down = view.ladder.findLast((value) => value < view.kept) ?? view.minimum;
      const next = { ArrowRight: view.kept + 1, ArrowUp: view.kept + 1, ArrowLeft: view.kept - 1, ArrowDown: view.kept - 1,
        PageUp: up, PageDown: down, Home: view.minimum, End: view.full }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      show(view, next);
      clearTimeout(view.timer);
      view.timer = setTimeout(() => rest(view, trigger), 300);
    });
    number.addEventListener("input", () => { if (number.checkValidity() && number.value) show(view, Number(number.value)); });
    number.addEventListener("change", () => { show(view, Number(number.value)); rest(view, trigger); });
    view.ticks.addEventListener("click", (event) => {
      const tick = event.target.closest(".dv-tick");
      if (tick) { show(view, Number(tick.dataset.kept)); rest(view, trigger); }
    });
    raw.addEventListener("change", () => { view.note.hidden = !raw.checked; show(view, view.kept); rest(view, null); });
  }

  function wireHeatmap(view, trigger) {
    const tip = kit.tooltip(view.heatmap.node), { canvas, node } = view.heatmap;
    canvas.addEventListener("pointermove", (event) => {
      const cell = view.heatmap.at(event), box = node.getBoundingClientRect();
      if (!cell) { tip.hide(); return; }
      const place = cell.row * view.matryoshka.n + cell.column;
      tip.show(event.clientX - box.left, event.clientY - box.top, null, say(view.words, "cell", { query: kit.cut(view.data.queries[cell.row], 140),
        document: kit.cut(view.data.documents[cell.column], 140), score: fixed(view.scores[place], 3), dimensions: count(view.kept),
        full_score: fixed(view.matryoshka.reference[place], 3), full: count(view.full) }));
    });
    canvas.addEventListener("pointerleave", () => tip.hide());
    canvas.addEventListener("click", (event) => {
      const cell = view.heatmap.at(event);
      if (cell) { chooseQuery(view, cell.row); trigger("pick", cell); }
    });
    view.heatmap.labels.addEventListener("click", (event) => {
      const label = event.target.closest(".dv-row");
      if (label) chooseQuery(view, Number(label.dataset.row));
    });
    view.select.addEventListener("change", () => chooseQuery(view, Number(view.select.value)));
  }

  function viewOf(root, data, words, trigger, kept) {
    const matryoshka = new kit.Matryoshka(kit.floats(data.query_vectors), kit.floats(data.document_vectors), data.full);
    const n = data.documents.length, view = { root, data, words, matryoshka, full: data.full, minimum: data.minimum, chosen: 0,
      ladder: ladder(data.minimum, data.full), k: Math.max(1, Math.min(5, Math.floor(n / 2))),
      low: matryoshka.reference.reduce((a, b) => Math.min(a, b), 1), high: matryoshka.reference.reduce((a, b) => Math.max(a, b), -1) };
    view.title = h("h3", { class: "xp-title" });
    view.announce = h("p", { class: "xp-hidden", "aria-live": "polite" });
    view.heatmap = new kit.Heatmap(data.queries, data.documents, say(words, "heatmap"));
    const below = h("div");
    root.replaceChildren(view.title, kit.caption(data.provenance) ?? "", controls(view), figures(view),
      h("div", { class: "dv-panes" }, h("div", { class: "dv-pane" }, legend(view), view.heatmap.node, h("p", { class: "xp-caption" }, say(words, "heatmap_hint"))), rankingOf(view)),
      view.announce, below);
    view.table = below;
    wireSlider(view, trigger);
    wireHeatmap(view, trigger);
    view.heatmap.fit();
    show(view, kept ?? view.ladder.findLast((value) => value * 4 <= view.full) ?? view.full);
    chooseQuery(view, 0);
    return view;
  }

  kit.register("DimensionsView", (root, props, trigger, watch) => {
    let view = null, drawn = null;
    function draw() {
      const data = kit.parse(props.data, null), same = drawn === props.data;
      if (!data?.queries.length || !data.documents.length) { view = null; root.replaceChildren(kit.empty(say(props.words, "empty"))); return; }
      view = viewOf(root, data, props.words, trigger, same || view?.full === data.full ? view?.kept : null);
      drawn = props.data;
    }
    watch(["data", "words"], draw);
    draw();
    kit.sized(root, () => { if (!view) return; view.heatmap.fit(); view.heatmap.choose(view.chosen); show(view, view.kept); });
  });
})();
