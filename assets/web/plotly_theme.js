/* How every plotly drawing looks and behaves here: the page's colours, no upload button, no foreign address. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const BUTTONS = { Pan: "plot_pan", "Lasso Select": "plot_lasso", "Zoom in": "plot_zoom_in", "Zoom out": "plot_zoom_out",
    "Reset axes": "plot_reset", "Download plot as a PNG": "plot_image", "Download plot": "plot_image" };

  /** Plotly's configuration; its own words come from `words` through a locale of ours. */
  kit.plotlyConfig = (words, more = {}) => ({
    displaylogo: false, plotlyServerURL: "", showSendToCloud: false, locale: "page", showTips: false,
    modeBarButtonsToRemove: ["sendChartToCloud", "sendDataToCloud", "editInChartStudio", "select2d", "lasso2d", "autoScale2d"],
    locales: { page: { dictionary: Object.fromEntries(Object.entries(BUTTONS).map(([theirs, ours]) => [theirs, kit.say(words, ours) || theirs])), format: {} } },
    ...more,
  });

  /** Layout attributes that follow light and dark, as paths for `Plotly.relayout`. */
  kit.plotlyColors = (layout) => {
    const text = kit.css("--xp-text"), quiet = kit.css("--xp-quiet"), edge = kit.css("--xp-edge");
    const colors = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", "font.color": text, "font.family": kit.css("--font") || "sans-serif",
      "hoverlabel.bgcolor": kit.css("--xp-tip"), "hoverlabel.bordercolor": kit.css("--xp-edge-strong"), "hoverlabel.font.color": text,
      "modebar.bgcolor": "rgba(0,0,0,0)", "modebar.color": quiet, "modebar.activecolor": text };
    for (const axis of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name)))
      Object.assign(colors, { [`${axis}.gridcolor`]: edge, [`${axis}.linecolor`]: edge, [`${axis}.zerolinecolor`]: edge });
    return colors;
  };

  /** Set `a.b.c` paths in a plain object. */
  kit.assignPaths = (target, paths) => {
    for (const [path, value] of Object.entries(paths)) {
      const keys = path.split("."), last = keys.pop();
      keys.reduce((node, key) => (node[key] ??= {}), target)[last] = value;
    }
    return target;
  };
})();
