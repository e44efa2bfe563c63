/* A heatmap of queries against documents on one canvas, redrawn many times a second. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, fixed } = kit;
  const LABEL_AT = 14;        // pixels a row needs for its label

  class Heatmap {
    constructor(queries, documents, label) {
      this.queries = queries;
      this.documents = documents;
      this.canvas = h("canvas", { role: "img", "aria-label": label });
      this.labels = h("div", { class: "dv-rows", "aria-hidden": "true" });
      this.numbers = h("div", { class: "dv-columns", "aria-hidden": "true" });
      this.frame = h("div", { class: "dv-chosen", "aria-hidden": "true" });
      this.node = h("div", { class: "dv-heat" }, this.labels, h("div", { class: "dv-canvas" }, this.canvas, this.frame), h("span"), this.numbers);
      this.small = h("canvas", { width: documents.length, height: queries.length });
      this.pixels = new ImageData(documents.length, queries.length);
      this.pixels.data.fill(255);
    }

    /** Fit the space: cells as large as the width allows, between 5 and 34 pixels high. */
    fit() {
      const q = this.queries.length, n = this.documents.length, scale = window.devicePixelRatio || 1;
      this.width = Math.max(120, this.canvas.parentNode.clientWidth);
      this.cell = this.width / n;
      this.row = Math.max(5, Math.min(34, 400 / q));
      this.height = Math.round(this.row * q);
      Object.assign(this.canvas, { width: Math.round(this.width * scale), height: Math.round(this.height * scale) });
      Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
      const every = Math.ceil(LABEL_AT / this.row), across = Math.ceil(20 / this.cell);
      this.labels.replaceChildren(...this.queries.map((text, i) => this.#label(text, i, i % every === 0)));
      this.numbers.replaceChildren(...this.documents.map((_, j) => {
        const mark = h("span", null, j % across === 0 ? String(j + 1) : "");
        mark.style.width = `${this.cell}px`;
        return mark;
      }));
    }

    #label(text, place, shown) {
      const node = h("div", { class: "dv-row", "data-row": place, title: text }, shown ? kit.cut(text, 80) : "");
      node.style.height = `${this.row}px`;
      node.style.lineHeight = `${Math.max(this.row, LABEL_AT)}px`;
      return node;
    }

    draw(scores, low, high) {
      const { pixels, canvas } = this, span = high - low || 1, context = canvas.getContext("2d");
      for (let i = 0; i < scores.length; i++) {
        const step = 3 * Math.round(Math.max(0, Math.min(1, (scores[i] - low) / span)) * 255);
        for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = kit.ramp[step + c];
      }
      this.small.getContext("2d").putImageData(pixels, 0, 0);
      context.imageSmoothingEnabled = false;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(this.small, 0, 0, canvas.width, canvas.height);
      if (this.cell >= 20 && this.row >= 12) this.#grid(context);
      if (this.cell >= 32 && this.row >= 18) this.#values(context, scores, low, span);
    }

    #grid(context) {
      const scale = this.canvas.width / this.width, line = 1.5 * scale;
      context.globalCompositeOperation = "destination-out";
      for (let j = 1; j < this.documents.length; j++) context.fillRect(j * this.cell * scale - line / 2, 0, line, this.canvas.height);
      for (let i = 1; i < this.queries.length; i++) context.fillRect(0, i * this.row * scale - line / 2, this.canvas.width, line);
      context.globalCompositeOperation = "source-over";
    }

    #values(context, scores, low, span) {
      const scale = this.canvas.width / this.width, n = this.documents.length;
      context.font = `${Math.round(11 * scale)}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let i = 0; i < scores.length; i++) {
        context.fillStyle = (scores[i] - low) / span > 0.52 ? "#10151f" : "#f5f7fa";
        context.fillText(fixed(scores[i], 2), ((i % n) + 0.5) * this.cell * scale, (Math.floor(i / n) + 0.5) * this.row * scale);
      }
    }

    choose(row) {
      Object.assign(this.frame.style, { top: `${row * this.row}px`, height: `${this.row}px` });
      for (const node of this.labels.children) node.classList.toggle("dv-on", Number(node.dataset.row) === row);
    }

    /** Cell under a pointer, or null outside. */
    at(event) {
      const box = this.canvas.getBoundingClientRect();
      const row = Math.floor((event.clientY - box.top) / this.row), column = Math.floor((event.clientX - box.left) / this.cell);
      const inside = row >= 0 && column >= 0 && row < this.queries.length && column < this.documents.length;
      return inside ? { row, column } : null;
    }
  }

  kit.Heatmap = Heatmap;
})();
