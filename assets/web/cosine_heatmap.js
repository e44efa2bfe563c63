/* Cosines of every pair, or their change between two variants: pairs, order, zoom and hover stay in the browser. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, fixed, signed } = kit;
  const MATRIX_CELLS = 1600, LISTED = 500, JUMP = 10, DRAG = 6;
  let drawings = 0;

  // ---- what is shown -----------------------------------------------------------------------------------------
  const kindOf = (view) => view.data.kinds.find((kind) => kind.name === view.chosen.pairs) ?? view.data.kinds[0];
  const identity = (count) => Int32Array.from({ length: count }, (_, i) => i);
  const compared = (view) => view.data.labels.length === 2;

  /** Decode a matrix once: its layers, the change between two of them, orders and random pairs. */
  function decoded(view, kind) {
    if (view.decoded.has(kind.name)) return view.decoded.get(kind.name);
    const layers = kind.layers.map(kit.floats), rows = view.data[kind.rows], columns = view.data.documents, same = kind.rows === "documents";
    const found = { rows, columns, same, layers, change: layers.length === 2 ? layers[1].map((value, at) => value - layers[0][at]) : null,
      given: [identity(rows.length), identity(columns.length)], clustered: [kit.shorts(kind.row_order), kit.shorts(kind.column_order)] };
    found.extremes = {};
    found.range = extent(found, layers);
    found.reach = found.change ? Math.max(0.0005, ...extent(found, [found.change]).map(Math.abs)) : 0;
    view.decoded.set(kind.name, found);
    return found;
  }

  /** Least and greatest number; the diagonal of texts with themselves says nothing. */
  function extent({ columns, same }, layers) {
    let low = Infinity, high = -Infinity;
    for (const values of layers) {
      for (let at = 0; at < values.length; at++) {
        if (same && at % (columns.length + 1) === 0) continue;
        if (values[at] < low) low = values[at];
        if (values[at] > high) high = values[at];
      }
    }
    return low <= high ? [low, high] : [0, 1];
  }

  /** What the canvas draws now. */
  function pictureOf(view) {
    const kind = kindOf(view), found = decoded(view, kind), change = compared(view) && view.chosen.layer === "change";
    const layer = compared(view) && view.chosen.layer === "second" ? 1 : 0, [rowAt, columnAt] = found[view.chosen.order];
    const colours = change ? kit.diverging() : { ramp: kit.ramp, stops: kit.CIVIDIS };
    const [low, high] = change ? [-found.reach, found.reach] : found.range;
    view.found = found;
    view.random = change || !view.random_pairs ? null : view.random_pairs[kind.name][layer];
    view.window ??= [0, found.rows.length, 0, found.columns.length];
    return { rows: found.rows, columns: found.columns, rowAt, columnAt, values: change ? found.change : found.layers[layer], window: view.window,
      low, high, signed: change, ...colours, rowColour: found.same ? "--xp-document" : "--xp-query", columnColour: "--xp-document" };
  }

  /** Call `each(row, column, value)` for the pairs in a window of drawn places; texts are no pair with themselves. */
  function pairsIn(view, picture, [top, bottom, left, right], each) {
    const { values, rowAt, columnAt, columns } = picture, wide = columns.length, { same } = view.found;
    const once = same && bottom - top === wide && right - left === wide;
    for (let i = top; i < bottom; i++) {
      const row = rowAt[i];
      for (let j = left; j < right; j++) {
        const column = columnAt[j];
        if (!(same && row === column) && !(once && row > column)) each(row, column, values[row * wide + column]);
      }
    }
  }

  // ---- sentences ---------------------------------------------------------------------------------------------
  function sentence(view, row, column) {
    const { found, picture, words } = view, at = row * picture.columns.length + column;
    const texts = { row: kit.cut(picture.rows[row], 160), column: kit.cut(picture.columns[column], 160) };
    if (picture.signed) return say(words, "hover_change", { ...texts, first: fixed(found.layers[0][at], 3), second: fixed(found.layers[1][at], 3), change: signed(found.change[at], 3) });
    const value = picture.values[at], said = say(words, "hover", { ...texts, score: fixed(value, 3) });
    return view.random && !(found.same && row === column) ? `${said} ${kit.randomPairs.standing(words, view.random, value)}` : said;
  }

  /** The closest pair or the largest change, and how many pairs stand out; no order or zoom changes them. */
  function extremes(view) {
    const { picture, random } = view, limit = random ? kit.randomPairs.quantile(random, 0.99) : Infinity;
    const found = { best: null, size: -Infinity, total: 0, closer: 0 };
    pairsIn(view, picture, [0, picture.rows.length, 0, picture.columns.length], (row, column, value) => {
      const size = picture.signed ? Math.abs(value) : value;
      found.total += 1;
      if (value > limit) found.closer += 1;
      if (size > found.size) { found.size = size; found.best = [row, column, value]; }
    });
    return found;
  }

  function finding(view) {
    const { picture, random, words } = view, { best, size, total, closer } = (view.found.extremes[view.chosen.layer] ??= extremes(view));
    if (!best) return say(words, "title_one");
    const values = { row: kit.cut(picture.rows[best[0]], 48), column: kit.cut(picture.columns[best[1]], 48), score: fixed(best[2], 3), n: kit.count(closer), total: kit.count(total) };
    if (picture.signed) return size < 0.0005 ? say(words, "title_same") : say(words, "title_change", { ...values, change: signed(best[2], 3) });
    return say(words, random ? "title_random" : "title_best", values);
  }

  // ---- the table twin ----------------------------------------------------------------------------------------
  const column_names = (view) => [say(view.words, view.found.same ? "document" : "query"), say(view.words, "document")];

  function matrixTable(view) {
    const { picture, words } = view, [top, bottom, left, right] = picture.window, write = picture.signed ? signed : fixed;
    const columns = [...picture.columnAt.slice(left, right)], rows = [...picture.rowAt.slice(top, bottom)];
    return kit.table(say(words, "table"), ["", ...columns.map((column) => kit.cut(picture.columns[column], 40))],
      rows.map((row) => [kit.cut(picture.rows[row], 80), ...columns.map((column) => write(picture.values[row * picture.columns.length + column], 3))]));
  }

  function listTable(view) {
    const { picture, found, random, words } = view, size = picture.signed ? Math.abs : (value) => value;
    const pairs = [];
    pairsIn(view, picture, picture.window, (row, column, value) => pairs.push([row, column, value]));
    const best = pairs.sort((a, b) => size(b[2]) - size(a[2])).slice(0, LISTED);
    const names = picture.signed ? [say(words, "first"), say(words, "second"), say(words, "change")] : [say(words, "cosine"), ...(random ? [say(words, "standing")] : [])];
    return kit.table(say(words, picture.signed ? "table_changes" : "table_closest", { shown: kit.count(best.length) }), [...column_names(view), ...names],
      best.map(([row, column, value]) => {
        const at = row * picture.columns.length + column;
        const numbers = picture.signed ? [fixed(found.layers[0][at], 3), fixed(found.layers[1][at], 3), signed(value, 3)]
          : [fixed(value, 3), ...(random ? [kit.randomPairs.standing(words, random, value)] : [])];
        return [kit.cut(picture.rows[row], 120), kit.cut(picture.columns[column], 120), ...numbers];
      }));
  }

  /** A small matrix is written at once; the list of a large one when somebody opens it. */
  function renewTable(view) {
    const [top, bottom, left, right] = view.picture.window, open = view.table.querySelector("details")?.open;
    if ((bottom - top) * (right - left) <= MATRIX_CELLS) view.table.replaceChildren(matrixTable(view));
    else if (open) view.table.replaceChildren(listTable(view));
    else {
      const closed = kit.table(say(view.words, view.picture.signed ? "table_changes" : "table_closest", { shown: kit.count(LISTED) }), [], []);
      closed.addEventListener("toggle", () => { const table = listTable(view); table.open = true; view.table.replaceChildren(table); }, { once: true });
      view.table.replaceChildren(closed);
    }
    if (open) view.table.querySelector("details").open = true;
  }

  // ---- drawing -----------------------------------------------------------------------------------------------
  function draw(view) {
    const start = performance.now(), { canvas, scale } = view;
    view.picture = pictureOf(view);
    canvas.fit(view.picture, view.height);
    canvas.draw(view.picture);
    scale.draw(view.picture, view.random, view.words);
    mark(view);
    const [top, bottom, left, right] = view.window;
    view.all.hidden = bottom - top === view.picture.rows.length && right - left === view.picture.columns.length;
    view.more.disabled = Math.max(bottom - top, right - left) <= 4;
    view.root.dataset.drawMs = (performance.now() - start).toFixed(1);
    view.root.dataset.drawn = Number(view.root.dataset.drawn ?? 0) + 1;
  }

  /** Draw, and renew what depends on what is shown and not on its size. */
  function renew(view) {
    draw(view);
    view.title.textContent = finding(view);
    renewTable(view);
  }

  function mark(view) {
    view.canvas.frame(view.canvas.cursor, view.cursor);
    view.canvas.frame(view.canvas.chosen, view.picked && drawnPlace(view, view.picked));
    view.scale.point(view.cursor ? view.canvas.value(view.cursor.i, view.cursor.j) : null);
  }

  const drawnPlace = ({ picture, chosen }, { pairs, row, column }) =>
    (pairs === chosen.pairs ? { i: picture.rowAt.indexOf(row), j: picture.columnAt.indexOf(column) } : null);

  function hover(view, place, aloud = false) {
    view.cursor = place;
    mark(view);
    if (!place) { view.tip.hide(); return; }
    const said = sentence(view, view.picture.rowAt[place.i], view.picture.columnAt[place.j]), [x, y] = view.canvas.middle(place);
    view.tip.show(x, y, null, said);
    if (aloud) view.aloud.textContent = said;
  }

  function pick(view, place) {
    view.picked = { pairs: view.chosen.pairs, row: view.picture.rowAt[place.i], column: view.picture.columnAt[place.j] };
    mark(view);
    view.trigger("pick", view.picked);
  }

  // ---- moving about ------------------------------------------------------------------------------------------
  function look(view, window) {
    view.window = window;
    draw(view);
    renewTable(view);
  }

  function zoom(view, factor) {
    const [top, bottom, left, right] = view.window, { rows, columns } = view.picture;
    const spot = view.cursor ?? (view.picked && drawnPlace(view, view.picked)) ?? { i: (top + bottom) >> 1, j: (left + right) >> 1 };
    const side = (from, to, at, most) => {
      const wide = Math.max(Math.min(4, most), Math.min(most, Math.round((to - from) * factor))), start = Math.max(0, Math.min(most - wide, at - (wide >> 1)));
      return [start, start + wide];
    };
    look(view, [...side(top, bottom, spot.i, rows.length), ...side(left, right, spot.j, columns.length)]);
  }

  const everything = (view) => look(view, [0, view.picture.rows.length, 0, view.picture.columns.length]);

  /** Move the keyboard's cell; the window follows it. */
  function step(view, down, across) {
    const { rows, columns } = view.picture, from = view.cursor ?? { i: view.window[0], j: view.window[2] }, moved = view.cursor ? 1 : 0;
    const place = { i: Math.max(0, Math.min(rows.length - 1, from.i + moved * down)), j: Math.max(0, Math.min(columns.length - 1, from.j + moved * across)) };
    const [top, bottom, left, right] = view.window;
    const y = Math.min(0, place.i - top) || Math.max(0, place.i - bottom + 1), x = Math.min(0, place.j - left) || Math.max(0, place.j - right + 1);
    if (y || x) look(view, [top + y, bottom + y, left + x, right + x]);
    hover(view, place, true);
  }

  function keys(view, event) {
    const far = event.shiftKey ? JUMP : 1, most = Number.MAX_SAFE_INTEGER;
    const move = { ArrowDown: [far, 0], ArrowUp: [-far, 0], ArrowRight: [0, far], ArrowLeft: [0, -far], Home: [event.ctrlKey ? -most : 0, -most], End: [event.ctrlKey ? most : 0, most] }[event.key];
    if (move) step(view, ...move);
    else if ((event.key === "Enter" || event.key === " ") && view.cursor) pick(view, view.cursor);
    else if (event.key === "+") zoom(view, 0.5);
    else if (event.key === "-") zoom(view, 2);
    else if (event.key === "Escape") { hover(view, null); everything(view); }
    else return;
    event.preventDefault();
  }

  /** Hover reads, a click picks, a drag with the mouse zooms into what it framed. */
  function wire(view) {
    const { canvas } = view, stage = canvas.node;
    let from = null, at = null;
    stage.addEventListener("pointerdown", (event) => { if (event.pointerType === "mouse" && event.button === 0) { from = canvas.at(event); at = [event.clientX, event.clientY]; } });
    stage.addEventListener("pointermove", (event) => {
      if (!(event.buttons & 1)) from = null;
      const dragged = from && Math.hypot(event.clientX - at[0], event.clientY - at[1]) > DRAG;
      if (dragged) { stage.setPointerCapture(event.pointerId); canvas.frame(canvas.band, from, canvas.at(event, true)); }
      hover(view, dragged ? null : canvas.at(event));
    });
    stage.addEventListener("pointerup", (event) => {
      const framed = from && !canvas.band.hidden, to = framed && canvas.at(event, true);
      view.zoomed = Boolean(framed) && (to.i !== from.i || to.j !== from.j);
      if (view.zoomed) look(view, [Math.min(from.i, to.i), Math.max(from.i, to.i) + 1, Math.min(from.j, to.j), Math.max(from.j, to.j) + 1]);
      canvas.band.hidden = true;
      from = null;
    });
    stage.addEventListener("click", (event) => {
      const place = canvas.at(event);
      if (place && !view.zoomed) { hover(view, place); pick(view, place); }
      view.zoomed = false;
    });
    stage.addEventListener("pointerleave", () => hover(view, null));
    stage.addEventListener("blur", () => hover(view, null));
    stage.addEventListener("keydown", (event) => keys(view, event));
  }

  // ---- laying out --------------------------------------------------------------------------------------------
  function choice(view, name, values) {
    const group = `ch-${name}-${drawings++}`;
    return h("div", { class: "ch-choice", role: "radiogroup", "aria-label": say(view.words, name) }, values.map((value) =>
      h("label", null, h("input", { type: "radio", name: group, value, checked: view.chosen[name] === value,
        onchange: () => { view.chosen[name] = value; if (name !== "layer") { view.window = null; view.cursor = null; } renew(view); } }), say(view.words, value))));
  }

  function build(view) {
    const { words, data, root } = view, kind = kindOf(view);
    view.canvas = new kit.HeatmapCanvas(say(words, "label", { rows: data[kind.rows].length, columns: data.documents.length }), say(words, "keys"));
    view.scale = new kit.HeatmapScale();
    view.title = h("h3", { class: "xp-title" });
    view.table = h("div");
    view.aloud = h("p", { class: "xp-hidden", "aria-live": "polite" });
    view.more = h("button", { type: "button", class: "xp-button", onclick: () => zoom(view, 0.5) }, say(words, "zoom"));
    view.all = h("button", { type: "button", class: "xp-button", onclick: () => everything(view) }, say(words, "everything"));
    const variants = compared(view) && h("ul", { class: "ch-variants" }, data.labels.map((label, at) => h("li", null, h("b", null, say(words, at ? "second" : "first")), ` ${label}`)));
    const tools = h("div", { class: "ch-tools" }, compared(view) && choice(view, "layer", ["change", "first", "second"]),
      choice(view, "pairs", data.kinds.map((each) => each.name)), choice(view, "order", ["given", "clustered"]), h("span", { class: "ch-zoom" }, view.more, view.all));
    root.replaceChildren(view.title, ...[variants].filter(Boolean), tools, view.scale.node, view.canvas.node, h("p", { class: "xp-caption" }, say(words, "hint")),
      ...[kit.caption(data.provenance)].filter(Boolean), view.aloud, view.table);
    view.tip = kit.tooltip(view.canvas.node);
    wire(view);
    renew(view);
  }

  kit.register("CosineHeatmap", (root, props, trigger, watch) => {
    const chosen = { pairs: "query_document", order: "given", layer: "change" };
    let view = null;

    function redraw() {
      const data = kit.parse(props.data, null), random = kit.parse(props.random, null);
      if (!data) { view = null; root.replaceChildren(kit.empty(say(props.words, "empty"))); return; }
      const same = view?.source === props.data;
      view = { root, trigger, chosen, data, words: props.words, source: props.data, height: kit.heightOf(root, props), decoded: new Map(),
        random_pairs: random && Object.fromEntries(Object.entries(random).map(([name, layers]) => [name, layers.map(kit.floats)])),
        window: same ? view.window : null, picked: same ? view.picked : null, cursor: null };
      build(view);
    }

    watch(["data", "random", "words", "height"], redraw);
    redraw();
    kit.sized(root, () => view && draw(view));
    kit.theme(root, () => view && draw(view));
  });
})();
