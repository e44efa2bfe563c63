/* Any plotly figure from Python, drawn once it is visible, in the page's theme. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say } = kit;
  const NARROW = 560;

  function frame(view, figure, props) {
    const meta = figure.layout.meta ?? {}, title = meta.title ?? "";
    view.plot = h("div", { class: "fv-plot", role: "figure", "aria-label": title }, h("p", { class: "xp-quiet fv-wait" }, say(props.words, "drawing")));
    view.plot.style.height = `${kit.heightOf(view.root, props)}px`;
    view.title = h("h3", { class: "xp-title" }, title);
    view.caption = h("div", null, kit.caption(meta.caption));
    view.table = tableOf(meta, props);
    view.root.replaceChildren(view.title, view.caption, view.plot, view.table);
  }

  const tableOf = (meta, props) => (meta.table ? kit.table(say(props.words, "table"), meta.table.columns, meta.table.rows) : h("div"));

  const plain = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  /** On a phone: short ticks. */
  function narrow(figure) {
    for (const [name, axis] of Object.entries(figure.layout)) {
      if (!/^[xy]axis\d*$/.test(name) || !Array.isArray(axis.ticktext)) continue;
      axis.ticktext = axis.ticktext.map((text) => escaped(kit.cut(plain(text), 10)));
      axis.tickfont = { ...axis.tickfont, size: 10 };
    }
  }

  async function paint(view, props) {
    const plot = view.plot, figure = kit.parse(props.figure, null);
    if (!plot || !plot.clientWidth) return;
    view.stale = view.painting;
    if (view.painting) return;
    view.painting = true;
    try {
      const library = await kit.plotly(view.root.dataset.plotly);
      if (plot.clientWidth < NARROW) narrow(figure);
      figure.layout.margin = { ...figure.layout.margin, t: Math.min(14, figure.layout.margin?.t ?? 14) };
      const layout = kit.assignPaths({ ...figure.layout, width: plot.clientWidth, height: kit.heightOf(view.root, props) }, kit.plotlyColors(figure.layout));
      delete layout.title;
      const fresh = !plot._fullLayout;
      if (fresh) plot.replaceChildren();
      await library.react(plot, figure.data, layout, kit.plotlyConfig(props.words));
      view.root.dataset.drawn = Number(view.root.dataset.drawn || 0) + 1;
    } catch (error) {
      plot.replaceChildren(kit.empty(say(props.words, "failed")));
      console.warn(error);
    } finally {
      view.painting = false;
    }
    if (plot !== view.plot || view.stale) await paint(view, props);
  }

  const kinds = (traces) => traces.map((trace) => trace.type ?? "scatter").join();

  /** Whether a figure is the drawn one with other numbers, as in a curve that grows: it is then changed in place. */
  const goesOn = (view, figure) => view.plot?._fullLayout && kinds(view.plot.data) === kinds(figure.data) && kinds(figure.data).split(",").every((kind) => kind === "scatter");

  function renew(view, figure, props) {
    const meta = figure.layout.meta ?? {}, open = view.table?.open;
    view.title.textContent = meta.title ?? "";
    view.plot.setAttribute("aria-label", meta.title ?? "");
    const caption = kit.caption(meta.caption) ?? "", table = tableOf(meta, props);
    view.caption.replaceChildren(caption);
    view.table.replaceWith(table);
    view.table = table;
    table.open = Boolean(open);
  }

  async function discard(view) {
    if (view.plot?._fullLayout) (await kit.plotly(view.root.dataset.plotly)).purge(view.plot);
    view.plot = null;
  }

  kit.register("FigureView", (root, props, _trigger, watch) => {
    const view = { root, plot: null, painting: false };

    async function draw() {
      const figure = kit.parse(props.figure, null);
      if (figure && goesOn(view, figure)) { renew(view, figure, props); await paint(view, props); return; }
      discard(view);
      if (!figure) { root.replaceChildren(kit.empty(say(props.words, "empty"))); return; }
      frame(view, figure, props);
      await paint(view, props);
    }

    watch(["figure", "words", "height"], draw);
    draw();
    kit.sized(root, () => paint(view, props));
    kit.theme(root, () => paint(view, props));
  });
})();
