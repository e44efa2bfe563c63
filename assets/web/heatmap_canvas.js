/* A matrix of numbers with its labels on one canvas: any window of it, in any order of rows and columns. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, fixed, signed } = kit;
  const TALLEST = 34, LABEL_AT = 14, NUMBER_WIDE = 31, NUMBER_HIGH = 17, SIGN = 9, SLANT = Math.PI / 4;

  // Blue below zero, orange above; the middle is the page's own ground, so that no change looks like nothing.
  const DIVERGING = { light: ["#0b4f8a", "#69a9d6", "#f1f3f6", "#f0a45e", "#a34700"], dark: ["#79bdf3", "#2b6ea6", "#222936", "#9c5a1c", "#ffae5c"] };

  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  /** 256 colours as bytes, between the anchors. */
  function rampOf(anchors) {
    const stops = anchors.map(channels), out = new Uint8Array(256 * 3);
    for (let i = 0; i < 256; i++) {
      const place = (i / 255) * (stops.length - 1), low = Math.min(Math.floor(place), stops.length - 2);
      for (let c = 0; c < 3; c++) out[3 * i + c] = Math.round(stops[low][c] + (place - low) * (stops[low + 1][c] - stops[low][c]));
    }
    return out;
  }
  const ramps = { light: rampOf(DIVERGING.light), dark: rampOf(DIVERGING.dark) };
  const diverging = () => ({ ramp: kit.dark() ? ramps.dark : ramps.light, stops: DIVERGING[kit.dark() ? "dark" : "light"] });

  /** As much of a text as there is room for. */
  function fitted(context, text, room) {
    const points = [...text.slice(0, 80).replace(/\s+/g, " ")], whole = context.measureText(points.join("")).width;
    if (whole <= room && text.length <= 80) return points.join("");
    for (let keep = Math.floor((points.length * room) / whole); keep > 0; keep--) {
      const cut = points.slice(0, keep).join("") + "…";
      if (context.measureText(cut).width <= room) return cut;
    }
    return "";
  }

  class HeatmapCanvas {
    /** The stage takes focus; `label` says what it is and `hint` how to move about in it. */
    constructor(label, hint) {
      this.canvas = h("canvas", { "aria-hidden": "true" });
      this.cursor = h("div", { class: "ch-cursor", hidden: true });
      this.chosen = h("div", { class: "ch-chosen", hidden: true });
      this.band = h("div", { class: "ch-band", hidden: true });
      this.node = h("div", { class: "ch-stage", tabindex: 0, role: "application", "aria-label": `${label}. ${hint}` },
        this.canvas, this.chosen, this.cursor, this.band);
      this.small = document.createElement("canvas");
      this.labels = new Map();
    }

    /** Cells as large as the space allows; `picture.window` is [first row, end, first column, end] in drawn places. */
    fit(picture, height) {
      const [top, bottom, left, right] = picture.window, across = right - left, down = bottom - top;
      this.width = Math.max(240, this.node.clientWidth);
      this.left = Math.round(Math.min(230, Math.max(84, this.width * 0.27)));
      this.foot = this.width < 520 ? 58 : 84;
      this.cell = (this.width - this.left - 2) / across;
      this.row = Math.min(TALLEST, Math.max(1, (height - this.foot) / down), Math.max(this.cell * 1.5, 22));
      this.high = Math.round(this.row * down);
      const scale = this.scale = window.devicePixelRatio || 1, whole = this.high + this.foot;
      Object.assign(this.canvas, { width: Math.round(this.width * scale), height: Math.round(whole * scale) });
      Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${whole}px` });
    }

    /** `picture`: rows, columns (texts), rowAt, columnAt (drawn place to index), values, window, low, high, ramp, signed. */
    draw(picture) {
      this.picture = picture;
      const context = this.canvas.getContext("2d");
      context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
      context.clearRect(0, 0, this.width, this.high + this.foot);
      this.#cells(context);
      this.#labels(context);
      if (this.cell >= NUMBER_WIDE && this.row >= NUMBER_HIGH) this.#numbers(context);
      else if (picture.signed && this.cell >= SIGN && this.row >= SIGN) this.#signs(context);
    }

    value(i, j) {
      const { values, rowAt, columnAt, columns } = this.picture;
      return values[rowAt[i] * columns.length + columnAt[j]];
    }

    shade(value) {
      const { low, high } = this.picture;
      return 3 * Math.round(Math.max(0, Math.min(1, (value - low) / (high - low || 1))) * 255);
    }

    /** Measuring text is the slowest of it, so each label is measured once for its room. */
    #label(context, text, room) {
      const key = `${Math.round(room)} ${text}`;
      if (!this.labels.has(key)) this.labels.set(key, fitted(context, text, room));
      return this.labels.get(key);
    }

    #cells(context) {
      const { window: [top, bottom, left, right], ramp, values, rowAt, columnAt, columns, low, high } = this.picture;
      const across = right - left, down = bottom - top, wide = columns.length, span = high - low || 1;
      Object.assign(this.small, { width: across, height: down });
      const small = this.small.getContext("2d"), pixels = small.createImageData(across, down), bytes = pixels.data;
      for (let i = top, at = 0; i < bottom; i++) {
        const base = rowAt[i] * wide;
        for (let j = left; j < right; j++, at += 4) {
          const share = (values[base + columnAt[j]] - low) / span, step = 3 * Math.round((share < 0 ? 0 : share > 1 ? 1 : share) * 255);
          bytes[at] = ramp[step]; bytes[at + 1] = ramp[step + 1]; bytes[at + 2] = ramp[step + 2]; bytes[at + 3] = 255;
        }
      }
      small.putImageData(pixels, 0, 0);
      context.imageSmoothingEnabled = this.cell * this.scale < 1 || this.row * this.scale < 1;
      context.drawImage(this.small, this.left, 0, this.cell * across, this.high);
      if (this.cell >= 18 && this.row >= 12) this.#grid(context, across, down);
    }

    #grid(context, across, down) {
      context.globalCompositeOperation = "destination-out";
      for (let j = 1; j < across; j++) context.fillRect(this.left + j * this.cell - 0.75, 0, 1.5, this.high);
      for (let i = 1; i < down; i++) context.fillRect(this.left, i * this.row - 0.75, this.width - this.left, 1.5);
      context.globalCompositeOperation = "source-over";
    }

    #labels(context) {
      const { window: [top, bottom, left, right], rows, columns, rowAt, columnAt, rowColour, columnColour } = this.picture;
      const every = Math.ceil(LABEL_AT / this.row), each = Math.ceil((LABEL_AT * 1.2) / this.cell);
      const long = (this.foot - 12) / Math.sin(SLANT);
      context.font = `12px ${kit.css("--font") || "system-ui, sans-serif"}`;
      context.textBaseline = "middle";
      context.textAlign = "right";
      context.fillStyle = kit.css(rowColour);
      for (let i = top; i < bottom; i += every)
        context.fillText(this.#label(context, rows[rowAt[i]], this.left - 12), this.left - 8, Math.max(7, (i - top + 0.5) * this.row));
      context.fillStyle = kit.css(columnColour);
      for (let j = left; j < right; j += each) {
        context.save();
        context.translate(this.left + (j - left + 0.5) * this.cell + 3, this.high + 8);
        context.rotate(-SLANT);
        context.fillText(this.#label(context, columns[columnAt[j]], Math.min(long, (this.left + (j - left) * this.cell) / Math.cos(SLANT))), 0, 0);
        context.restore();
      }
    }

    #numbers(context) {
      const { window: [top, bottom, left, right], ramp } = this.picture, write = this.picture.signed ? signed : fixed;
      context.font = `11px ${kit.css("--font") || "system-ui, sans-serif"}`;
      this.#over(context, top, bottom, left, right, (value) => {
        const at = this.shade(value);
        context.fillStyle = 0.2126 * ramp[at] + 0.7152 * ramp[at + 1] + 0.0722 * ramp[at + 2] > 118 ? "#10151f" : "#f5f7fa";
        return write(Math.abs(value) < 0.005 ? 0 : value, 2);
      });
    }

    /** Cells too small for a number still say their direction. */
    #signs(context) {
      const { window: [top, bottom, left, right], high } = this.picture;
      context.font = `${Math.round(Math.min(this.cell, this.row))}px system-ui, sans-serif`;
      context.fillStyle = kit.css("--xp-text");
      this.#over(context, top, bottom, left, right, (value) => (Math.abs(value) < 0.15 * high ? "" : value < 0 ? "−" : "+"));
    }

    #over(context, top, bottom, left, right, write) {
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let i = top; i < bottom; i++)
        for (let j = left; j < right; j++)
          context.fillText(write(this.value(i, j)), this.left + (j - left + 0.5) * this.cell, (i - top + 0.5) * this.row + 0.5);
    }

    /** Drawn place under a pointer; outside the cells null, or the nearest cell when `clamped`. */
    at(event, clamped = false) {
      const { window: [top, bottom, left, right] } = this.picture, box = this.canvas.getBoundingClientRect();
      const i = top + Math.floor((event.clientY - box.top) / this.row), j = left + Math.floor((event.clientX - box.left - this.left) / this.cell);
      if (clamped) return { i: Math.max(top, Math.min(bottom - 1, i)), j: Math.max(left, Math.min(right - 1, j)) };
      return i >= top && j >= left && i < bottom && j < right ? { i, j } : null;
    }

    /** Lay a frame over the cells from one place to another; hidden when they are outside the window. */
    frame(node, from, to = from) {
      const { window: [top, bottom, left, right] } = this.picture;
      node.hidden = !from || from.i < top || from.i >= bottom || from.j < left || from.j >= right;
      if (node.hidden) return;
      const y = Math.min(from.i, to.i) - top, x = Math.min(from.j, to.j) - left;
      Object.assign(node.style, { left: `${this.left + x * this.cell}px`, top: `${y * this.row}px`,
        width: `${(Math.abs(from.j - to.j) + 1) * this.cell}px`, height: `${(Math.abs(from.i - to.i) + 1) * this.row}px` });
    }

    /** Middle of a cell in pixels of the stage. */
    middle({ i, j }) {
      const { window: [top, , left] } = this.picture;
      return [this.left + (j - left + 0.5) * this.cell, (i - top + 0.5) * this.row];
    }
  }

  kit.HeatmapCanvas = HeatmapCanvas;
  kit.diverging = diverging;
})();
