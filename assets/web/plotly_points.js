/* A drawer of points over plotly.js. The map knows only: draw, move, show, select, project, theme, destroy. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const WEBGL_FROM = 2000, MOVE = 400;
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star", "x", "triangle-down", "circle"];

  const subset = (values, rows) => { const out = new Float32Array(rows.length); for (let i = 0; i < rows.length; i++) out[i] = values[rows[i]]; return out; };
  const markerSize = (n) => (n < 500 ? 9 : n < 2000 ? 7 : n < 10000 ? 5 : 4);

  function extent(values) {
    let low = Infinity, high = -Infinity;
    for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
    return [low, high];
  }

  /** Axis ranges that show every point with equal units on both axes. */
  function ranges(x, y, width, height) {
    const [left, right] = extent(x), [bottom, top] = extent(y);
    const unit = Math.max((right - left) / Math.max(1, width - 60), (top - bottom) / Math.max(1, height - 60)) || 1e-3;
    const around = (low, high, pixels) => [(low + high - unit * pixels) / 2, (low + high + unit * pixels) / 2];
    return { x: around(left, right, width), y: around(bottom, top, height) };
  }

  class PlotlyPoints {
    /** `on`: pick(row), hover(row, event), leave(), lasso(rows or null), moved(). */
    constructor(node, library, on, words) {
      Object.assign(this, { node, library, on, words, groups: [], wired: false });
    }

    /** Draw `model`: x, y, groups of rows with colour and symbol (or values), at `width` by `height`. */
    async draw(model, width, height, keepView) {
      const now = keepView && this.#view();
      Object.assign(this, { model, groups: model.groups, size: { width, height } });
      const range = now || ranges(model.x, model.y, width, height);
      const axis = (which) => ({ range: range[which], visible: false, fixedrange: false, autorange: false });
      const bar = model.groups.some((group) => group.values);
      const layout = { width, height, margin: { l: 0, r: bar ? 72 : 0, t: 0, b: 0 }, dragmode: this.node._fullLayout?.dragmode || "pan", hovermode: "closest",
        hoverdistance: 12, showlegend: false, xaxis: axis("x"), yaxis: axis("y"), selections: [], modebar: { orientation: "v" } };
      await this.library.react(this.node, model.groups.map((group) => this.#trace(group)), kit.assignPaths(layout, kit.plotlyColors(layout)),
        kit.plotlyConfig(this.words, { scrollZoom: true, doubleClick: "reset", displayModeBar: true,
          modeBarButtons: [["pan2d", "lasso2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"], ["toImage"]] }));
      this.#wire();
    }

    #trace(group) {
      const { x, y, n } = this.model, place = SYMBOLS[group.symbol % SYMBOLS.length];
      const marker = group.values
        ? { color: group.values, colorscale: kit.CIVIDIS.map((color, i) => [i / (kit.CIVIDIS.length - 1), color]), showscale: true,
          colorbar: { thickness: 10, len: 0.55, y: 0.36, outlinewidth: 0, x: 1, title: { text: group.scale, side: "top" } } }
        : { color: group.color };
      return { type: n < WEBGL_FROM ? "scatter" : "scattergl", mode: "markers", x: subset(x, group.rows), y: subset(y, group.rows), hoverinfo: "none",
        visible: group.hidden ? "legendonly" : true, marker: { ...marker, symbol: place, size: markerSize(n), opacity: group.other ? 0.45 : 0.85, line: { width: 0 } },
        selected: { marker: { opacity: 1 } }, unselected: { marker: { opacity: 0.16, ...(group.values ? {} : { color: "#98a1b3" }) } } };
    }

    #row(point) { return this.groups[point.curveNumber]?.rows[point.pointNumber]; }

    #wire() {
      if (this.wired) return;
      this.wired = true;
      const { node, on } = this;
      node.on("plotly_click", (event) => on.pick(this.#row(event.points[0])));
      node.on("plotly_hover", (event) => on.hover(this.#row(event.points[0])));
      node.on("plotly_unhover", () => on.leave());
      node.on("plotly_selected", (event) => event && on.lasso(Int32Array.from(event.points, (point) => this.#row(point)).sort()));
      node.on("plotly_deselect", () => on.lasso(null));
      node.on("plotly_relayouting", () => on.moved());
      node.on("plotly_afterplot", () => on.moved());
    }

    #view() {
      const layout = this.node._fullLayout;
      return layout?.xaxis ? { x: [...layout.xaxis.range], y: [...layout.yaxis.range] } : null;
    }

    /** Move every point along a straight line to (x, y). */
    async move(x, y) {
      const from = { x: this.model.x, y: this.model.y }, old = this.#view(), next = ranges(x, y, this.size.width, this.size.height);
      const start = performance.now(), traces = this.groups.map((_, i) => i), mixed = { x: new Float32Array(x.length), y: new Float32Array(y.length) };
      for (let done = 0; done < 1;) {
        await new Promise(requestAnimationFrame);
        done = Math.min(1, (performance.now() - start) / MOVE);
        const t = done * done * (3 - 2 * done), mix = (a, b) => a + (b - a) * t;
        for (const axis of ["x", "y"]) for (let i = 0; i < x.length; i++) mixed[axis][i] = mix(from[axis][i], (axis === "x" ? x : y)[i]);
        this.model = { ...this.model, x: mixed.x, y: mixed.y };
        await this.library.update(this.node, { x: this.groups.map((group) => subset(mixed.x, group.rows)), y: this.groups.map((group) => subset(mixed.y, group.rows)) },
          { "xaxis.range": next.x.map((v, i) => mix(old.x[i], v)), "yaxis.range": next.y.map((v, i) => mix(old.y[i], v)) }, traces);
      }
      this.model = { ...this.model, x, y };
    }

    show(group, visible) {
      this.groups[group].hidden = !visible;
      return this.library.restyle(this.node, { visible: visible ? true : "legendonly" }, [group]);
    }

    async clear() {
      await this.library.update(this.node, { selectedpoints: [null] }, { selections: [] });
    }

    /** Rectangle of the plot inside the node, and functions from data to pixels within it. */
    frame() {
      const layout = this.node._fullLayout;
      if (!layout?._size) return null;
      const { l, t, w, h } = layout._size;
      return { left: l, top: t, width: w, height: h, x: (value) => layout.xaxis.d2p(value), y: (value) => layout.yaxis.d2p(value) };
    }

    theme() { return this.library.relayout(this.node, kit.plotlyColors(this.node.layout)); }
    destroy() { this.library.purge(this.node); this.wired = false; }
  }

  kit.PlotlyPoints = PlotlyPoints;
})();
