/* Which words met in a cosine: one coloured cell for each pair. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, signed } = kit;
  const MEASURES = ["pairs", "states"], NUMBERS = 12, LISTED = 30;

  const at = (view, row, column) => view.values[row * view.data.columns.length + column];

  /** All pairs, those that add most first. */
  function ordered(view) {
    const columns = view.data.columns.length;
    return Array.from(view.values, (value, place) => [value, Math.floor(place / columns), place % columns]).sort((a, b) => b[0] - a[0]);
  }

  function meaning(view, row, column) {
    const { data, words, measure } = view, value = at(view, row, column);
    const share = Math.round((100 * value) / data.expected);
    return say(words, `${measure}_means`, { row: data.rows[row], column: data.columns[column], value: signed(value, 3), share });
  }

  function cell(view, row, column) {
    const value = at(view, row, column), share = Math.round(70 * Math.min(1, Math.abs(value) / view.most));
    const show = () => {
      const box = node.getBoundingClientRect(), host = view.root.getBoundingClientRect();
      view.tip.show(box.left - host.left, box.bottom - host.top - 8, "", meaning(view, row, column));
    };
    const node = h("button", { type: "button", class: `wp-cell ${value > 0 ? "wp-plus" : "wp-minus"}`, style: `--wp-share:${share}%`, tabindex: row || column ? -1 : 0, "aria-label": meaning(view, row, column),
      onmouseenter: show, onfocus: show, onmouseleave: () => view.tip.hide(), onblur: () => view.tip.hide(), onkeydown: (event) => walk(view, row, column, event) },
    view.numbers ? signed(value, 2) : share > 18 ? (value > 0 ? "+" : "−") : "");
    return node;
  }

  function walk(view, row, column, event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (event.key === "Escape") view.tip.hide();
    const to = step && view.cells[row + step[0]]?.[column + step[1]];
    if (!to) return;
    event.preventDefault();
    view.cells[row][column].tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }

  function grid(view) {
    const { data, words } = view;
    view.cells = data.rows.map((_, row) => data.columns.map((_, column) => cell(view, row, column)));
    return h("div", { class: "wp-scroll" }, h("table", { class: "wp-grid", "aria-label": say(words, "label") },
      h("thead", null, h("tr", null, h("td"), data.columns.map((word) => h("th", { scope: "col", class: "wp-column" }, h("span", null, word))))),
      h("tbody", null, data.rows.map((word, row) => h("tr", null, h("th", { scope: "row", class: "wp-row" }, word), view.cells[row].map((node) => h("td", null, node)))))));
  }

  function follow(view) {
    const { data, words, measure } = view;
    view.values = view[measure];
    view.most = measure === "states" ? 1 : Math.max(...view.values.map(Math.abs), 1e-9);
    const order = ordered(view), [value, row, column] = order[0];
    const values = { row: data.rows[row], column: data.columns[column], value: signed(value, 3), share: Math.round((100 * value) / data.expected) };
    view.title.textContent = say(words, `${measure}_finding`, values);
    const numbers = { cosine: kit.fixed(data.cosine, 3), expected: kit.fixed(data.expected, 3), rest: signed(data.cosine - data.expected, 3), error: kit.fixed(100 * data.error, 1) };
    view.note.textContent = say(words, `${measure}_note`, numbers);
    view.stage.replaceChildren(grid(view));
    view.rows.replaceChildren(kit.table(say(words, "table", { n: Math.min(LISTED, order.length) }), ["column_row", "column_column", `${measure}_value`].map((name) => say(words, name)),
      order.slice(0, LISTED).map(([number, r, c]) => [data.rows[r], data.columns[c], signed(number, 3)])));
    for (const button of view.buttons) button.setAttribute("aria-pressed", String(button.dataset.measure === measure));
    view.root.dataset.measure = measure;
  }

  kit.register("WordPairs", (root, props, trigger, watch) => {
    const view = { root, measure: "pairs" };

    function draw() {
      const data = kit.parse(props.data, null), words = props.words ?? {};
      if (!data) { root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      Object.assign(view, { data, words, pairs: kit.floats(data.pairs), states: kit.floats(data.states), numbers: data.columns.length <= NUMBERS,
        title: h("h3", { class: "xp-title" }), note: h("p", { class: "wp-note" }), stage: h("div"), rows: h("div") });
      view.buttons = MEASURES.map((measure) => h("button", { class: "xp-button", type: "button", "data-measure": measure, onclick: () => { view.measure = measure; follow(view); } }, say(words, measure)));
      root.replaceChildren(view.title, h("div", { class: "wp-measures", role: "group", "aria-label": say(words, "measures") }, view.buttons), view.note, view.stage, view.rows, kit.caption(data.provenance) ?? "");
      view.tip = kit.tooltip(root);
      follow(view);
    }

    watch(["data", "words"], draw);
    draw();
  });
})();
