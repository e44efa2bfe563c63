/* Rings, rays, the query's star and group names over the points: redrawn alone, so no trace is ever restyled. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { svg } = kit;
  const STAR = "M0-11 2.9-3.9 10.5-3.4 4.7 1.5 6.5 8.9 0 4.9-6.5 8.9-4.7 1.5-10.5-3.4-2.9-3.9Z";

  function median(values) {
    const sorted = Float32Array.from(values).sort();
    return sorted[sorted.length >> 1];
  }

  const spread = (values, middle) => median(values.map((value) => Math.abs(value - middle)));

  /** Names of groups that keep together, at their middles; a group strewn over the map gets none. */
  kit.groupLabels = (x, y, groups) => {
    const all = [spread(x, median(x)), spread(y, median(y))];
    return groups.filter((group) => group.name && !group.other && group.rows.length > 2).flatMap((group) => {
      const xs = Float32Array.from(group.rows, (row) => x[row]), ys = Float32Array.from(group.rows, (row) => y[row]);
      const at = { x: median(xs), y: median(ys) };
      const tight = spread(xs, at.x) < 0.6 * all[0] && spread(ys, at.y) < 0.6 * all[1];
      return tight ? [{ ...at, text: kit.cut(group.name, 24), color: group.color, group }] : [];
    });
  };

  class MapOverlay {
    constructor() { this.node = svg("svg", { class: "sm-overlay", "aria-hidden": "true" }); }

    /** `scene`: x, y, highlight rows, cursor row, query, labels. */
    draw(frame, scene) {
      if (!frame) { this.node.replaceChildren(); return; }
      Object.assign(this.node.style, { left: `${frame.left}px`, top: `${frame.top}px`, width: `${frame.width}px`, height: `${frame.height}px` });
      const at = (row) => [frame.x(scene.x[row]), frame.y(scene.y[row])];
      const known = (row) => row >= 0 && row < scene.x.length;
      this.node.replaceChildren(...this.#labels(frame, scene.labels), ...this.#rings(scene.highlight.filter(known), at),
        ...this.#query(frame, scene.query, at, known), ...(known(scene.cursor) ? [this.#ring(at(scene.cursor), 9, "sm-cursor")] : []));
    }

    #ring([x, y], radius, kind) { return svg("circle", { cx: x, cy: y, r: radius, class: kind }); }

    #rings(rows, at) {
      if (!rows.length) return [];
      const [x, y] = at(rows[0]);
      const rays = rows.slice(1).map((row) => { const [a, b] = at(row); return svg("line", { x1: x, y1: y, x2: a, y2: b, class: "sm-tie" }); });
      return [...rays, ...rows.slice(1).map((row) => this.#ring(at(row), 8, "sm-neighbor")), this.#ring(at(rows[0]), 11, "sm-chosen")];
    }

    #query(frame, query, at, known) {
      if (!query) return [];
      const x = frame.x(query.x), y = frame.y(query.y), rows = (query.neighbors || []).filter(known);
      const rays = rows.map((row) => { const [a, b] = at(row); return svg("line", { x1: x, y1: y, x2: a, y2: b, class: "sm-ray" }); });
      return [...rays, ...rows.map((row) => this.#ring(at(row), 8, "sm-hit")), svg("path", { d: STAR, class: "sm-star", transform: `translate(${x} ${y}) scale(1.25)` })];
    }

    #labels(frame, labels) {
      const taken = [], shown = [];
      for (const label of labels) {
        if (label.group.hidden) continue;
        const x = frame.x(label.x), y = frame.y(label.y), wide = label.text.length * 7.5 + 10;
        if (taken.some(([a, b, w]) => Math.abs(a - x) < (w + wide) / 2 && Math.abs(b - y) < 18)) continue;
        taken.push([x, y, wide]);
        shown.push(svg("text", { x, y, class: "sm-label" }, label.text));
      }
      return shown;
    }
  }

  kit.MapOverlay = MapOverlay;
})();
