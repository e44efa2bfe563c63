/* A corpus as a map: the data, the legend, keys and events around an exchangeable drawer of points. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, svg, say, count } = kit;
  const MOVE_UP_TO = 5000, TABLE_ROWS = 200, GREY = "#8f99aa";
  const SHAPES = ["M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0", "M-4.5-4.5h9v9h-9z", "M0-6 6 0 0 6-6 0z", "M0-5.5 5.5 4.5h-11z", "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
    "M0-6.5 1.8-2.2 6.4-1.9 2.9 1 4 5.6 0 3.1-4 5.6-2.9 1-6.4-1.9-1.8-2.2z", "M-3-6 0-3 3-6 6-3 3 0 6 3 3 6 0 3-3 6-6 3-3 0-6-3z", "M0 5.5 5.5-4.5h-11z"];

  function categoryGroups(categories, n) {
    const { labels, codes, other } = categories, members = labels.map(() => []), values = kit.shorts(codes);
    for (let row = 0; row < n; row++) members[values[row]]?.push(row);
    return labels.map((name, code) => ({ name, rows: Int32Array.from(members[code]), other: code === other, symbol: code === other ? 0 : code,
      color: code === other ? GREY : kit.OKABE_ITO[code % kit.OKABE_ITO.length] }));
  }

  function valueGroups(spec, n) {
    const values = kit.floats(spec.values), known = [], unknown = [];
    for (let row = 0; row < n; row++) (Number.isFinite(values[row]) ? known : unknown).push(row);
    const group = { rows: Int32Array.from(known), symbol: 0, scale: kit.cut(spec.name, 14).replace(/[<&]/g, (c) => ({ "<": "&lt;", "&": "&amp;" })[c]),
      values: Float32Array.from(known, (row) => values[row]) };
    return unknown.length ? [group, { rows: Int32Array.from(unknown), symbol: 0, color: GREY, other: true }] : [group];
  }

  function modelOf(props) {
    const flat = kit.floats(props.points), n = flat.length >> 1, categories = kit.parse(props.categories, null), values = kit.parse(props.values, null);
    const groups = categories ? categoryGroups(categories, n) : values ? valueGroups(values, n)
      : [{ rows: Int32Array.from({ length: n }, (_, row) => row), symbol: 0, color: kit.OKABE_ITO[0] }];
    return { n, x: flat.subarray(0, n), y: flat.subarray(n), groups, name: (categories ?? values)?.name ?? "", named: Boolean(categories) };
  }

  function legend(view) {
    if (!view.model.named) return [];
    return view.model.groups.map((group, place) => h("button", { type: "button", class: "sm-key", "aria-pressed": String(!group.hidden), "data-group": place },
      svg("svg", { viewBox: "-7 -7 14 14", width: 13, height: 13, "aria-hidden": "true" }, svg("path", { d: SHAPES[group.symbol % SHAPES.length], fill: group.color })),
      h("span", null, group.name), h("small", null, count(group.rows.length))));
  }

  const groupOf = (view, row) => view.model.groups.find((group) => group.rows.includes(row))?.name;

  function overlay(view) {
    view.overlay.draw(view.points?.frame() ?? null, { x: view.model.x, y: view.model.y, highlight: view.highlight, cursor: view.cursor, query: view.query,
      labels: view.labels });
  }

  function hover(view, row) {
    const frame = view.points.frame();
    if (row === undefined || !frame) return;
    view.tip.show(frame.left + frame.x(view.model.x[row]), frame.top + frame.y(view.model.y[row]), view.model.named ? groupOf(view, row) : null, view.texts[row] ?? "");
  }

  /** Nearest point in the direction of an arrow key, within 45 degrees of it. */
  function beside(view, key) {
    const { x, y, n } = view.model, frame = view.points.frame(), turn = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (view.cursor < 0) return 0;
    let best = view.cursor, nearest = Infinity;
    for (let row = 0; row < n; row++) {
      const dx = frame.x(x[row]) - frame.x(x[view.cursor]), dy = frame.y(y[row]) - frame.y(y[view.cursor]);
      const along = dx * turn[0] + dy * turn[1], across = Math.abs(dx * turn[1]) + Math.abs(dy * turn[0]), far = along * along + across * across;
      if (along > 0.5 && across <= along && far < nearest) { nearest = far; best = row; }
    }
    return best;
  }

  function status(view, words) {
    const { n, name } = view.model;
    view.title.textContent = say(words, name ? "colored" : "count", { n: count(n), name });
    view.status.textContent = view.selected ? say(words, "selected", { n: count(view.selected) }) : view.query ? say(words, "query_note") : say(words, "hint");
  }

  function asTable(view, words) {
    const shown = Math.min(TABLE_ROWS, view.model.n), rows = Array.from({ length: shown }, (_, row) => [row + 1, groupOf(view, row) ?? "", view.texts[row] ?? ""]);
    const table = kit.table(say(words, "table"), [say(words, "row"), view.model.name || say(words, "category"), say(words, "text")], rows);
    if (shown < view.model.n) table.append(h("p", { class: "xp-caption" }, say(words, "table_cut", { n: count(shown), total: count(view.model.n) })));
    return table;
  }

  function skeleton(view, props) {
    const words = props.words;
    view.title = h("h3", { class: "xp-title" });
    view.status = h("p", { class: "xp-caption", "aria-live": "polite" });
    view.keys = h("div", { class: "sm-keys" });
    view.plot = h("div", { class: "sm-plot" });
    view.overlay = new kit.MapOverlay();
    view.stage = h("div", { class: "sm-stage", tabindex: 0, role: "application", "aria-label": say(words, "label") }, view.plot, view.overlay.node);
    view.stage.style.height = `${kit.heightOf(view.root, props)}px`;
    view.tip = kit.tooltip(view.stage);
    view.said = h("p", { class: "xp-hidden", "aria-live": "polite" });
    view.below = h("div");
    view.root.replaceChildren(view.title, view.status, view.keys, view.stage, view.said, view.below);
  }

  async function clear(view, words, trigger) {
    view.tip.hide();
    view.cursor = -1;
    if (view.selected) {
      view.selected = 0;
      await view.points.clear();
      trigger("lasso", { b64: "" });
    }
    overlay(view);
    status(view, words);
  }

  function wire(view, props, trigger) {
    view.keys.addEventListener("click", async (event) => {
      const key = event.target.closest(".sm-key");
      if (!key || !view.points) return;
      const shown = key.getAttribute("aria-pressed") !== "true";
      key.setAttribute("aria-pressed", String(shown));
      await view.points.show(Number(key.dataset.group), shown);
      overlay(view);
    });
    view.stage.addEventListener("keydown", (event) => {
      if (!view.points || !view.model.n) return;
      if (event.key === "Escape") clear(view, props.words, trigger);
      else if (event.key === "Enter" && view.cursor >= 0) trigger("pick", { index: view.cursor });
      else if (event.key.startsWith("Arrow")) {
        view.cursor = beside(view, event.key);
        view.said.textContent = view.texts[view.cursor] ?? "";
        overlay(view);
        hover(view, view.cursor);
      } else return;
      event.preventDefault();
    });
  }

  function listeners(view, props, trigger) {
    return {
      pick: (row) => row !== undefined && trigger("pick", { index: row }),
      hover: (row) => hover(view, row), leave: () => view.tip.hide(), moved: () => overlay(view),
      lasso: (rows) => {
        view.selected = rows?.length ?? 0;
        status(view, props.words);
        trigger("lasso", { b64: rows?.length ? kit.encode(rows) : "" });
      },
    };
  }

  /** Bring the drawing to what the props say: move the points when only they changed, else draw anew. */
  async function paint(view, props, trigger) {
    const library = await kit.plotly(view.root.dataset.plotly), width = view.stage.clientWidth, model = modelOf(props), last = view.model;
    const sameCorpus = view.points && view.drawnTexts === props.texts && last.n === model.n, samePoints = view.drawnPoints === props.points;
    view.points ??= new kit.PlotlyPoints(view.plot, library, listeners(view, props, trigger), props.words);
    const moving = sameCorpus && !samePoints && model.n <= MOVE_UP_TO && !kit.still() && view.width === width;
    if (sameCorpus) model.groups.forEach((group, place) => { if (last.groups[place]?.name === group.name) group.hidden = last.groups[place].hidden; });
    view.texts = kit.parse(props.texts, []);
    view.labels = [];
    if (moving) await view.points.move(model.x, model.y);
    view.model = model;
    view.labels = model.named ? kit.groupLabels(model.x, model.y, model.groups) : [];
    if (!sameCorpus) Object.assign(view, { cursor: -1, selected: 0 });
    await view.points.draw(model, width, kit.heightOf(view.root, props), sameCorpus && view.width === width && (samePoints || moving));
    Object.assign(view, { drawnTexts: props.texts, drawnPoints: props.points, width });
    view.keys.replaceChildren(...legend(view));
    view.below.replaceChildren(asTable(view, props.words));
    status(view, props.words);
    overlay(view);
    view.root.dataset.drawn = Number(view.root.dataset.drawn || 0) + 1;
  }

  kit.register("ScatterMap", (root, props, trigger, watch) => {
    const view = { root, points: null, model: { n: 0, x: [], y: [], groups: [] }, texts: [], labels: [], highlight: [], query: null, cursor: -1, selected: 0 };
    let busy = false, again = false;

    function marks() {
      view.highlight = kit.parse(props.highlight, []) ?? [];
      view.query = kit.parse(props.query, null);
      if (view.points) { overlay(view); status(view, props.words); }
    }

    async function draw() {
      if (busy) { again = true; return; }
      marks();
      if (!props.points) {
        view.points?.destroy();
        Object.assign(view, { points: null, stage: null, state: null });
        root.replaceChildren(kit.empty(say(props.words, "empty")));
        return;
      }
      if (!view.stage) { skeleton(view, props); wire(view, props, trigger); }
      const state = [props.points, props.texts, props.categories, props.values, props.words, props.height, view.stage.clientWidth];
      if (!view.stage.clientWidth || state.every((value, i) => value === view.state?.[i])) return;
      view.state = state;
      busy = true;
      try { await paint(view, props, trigger); } catch (error) {
        view.stage.replaceChildren(kit.empty(say(props.words, "failed")));
        view.state = null;
        console.warn(error);
      }
      busy = false;
      if (again) { again = false; await draw(); }
    }

    watch(["points", "texts", "categories", "values", "words", "height"], draw);
    watch(["highlight", "query"], marks);
    draw();
    kit.sized(root, draw);
    kit.theme(root, () => view.points?.theme());
  });
})();
