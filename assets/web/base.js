/* What every part shares. Text reaches the page through textContent and attributes only, never as markup. */
window.ExplorerKit ??= (() => {
  "use strict";
  const parts = {}, scripts = {}, sheets = {}, onTheme = new Set();

  // ---- elements ----------------------------------------------------------------------------------------------
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }

  /** An element with attributes, listeners (`onclick`) and children; strings become text nodes. */
  const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

  // ---- data --------------------------------------------------------------------------------------------------
  function bytes(encoded) {
    const text = atob(encoded || ""), out = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
    return out.buffer;
  }

  function encode(array) {
    const raw = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    let text = "";
    for (let i = 0; i < raw.length; i += 32768) text += String.fromCharCode(...raw.subarray(i, i + 32768));
    return btoa(text);
  }

  const parse = (text, otherwise) => (text ? JSON.parse(text) : otherwise);

  // ---- words and numbers -------------------------------------------------------------------------------------
  /** Fill `{name}` in a sentence; values are inserted as text and never read again. */
  const say = (words, name, values = {}) =>
    (words?.[name] ?? "").replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));

  const missing = (value) => value === null || value === undefined || Number.isNaN(value);
  const fixed = (value, digits) => (missing(value) ? "–" : value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "−"));
  const signed = (value, digits = 2) => (missing(value) ? "–" : (value > 0 ? "+" : "") + fixed(value, digits));
  const count = (value) => value.toLocaleString("en-US");

  function size(byteCount) {
    const units = ["B", "KB", "MB", "GB", "TB"];
    let step = 0, value = byteCount;
    while (value >= 1000 && step < units.length - 1) { value /= 1000; step += 1; }
    return `${value.toFixed(step < 2 || value >= 100 ? 0 : value >= 10 ? 1 : 2)} ${units[step]}`;
  }

  const cut = (text, limit) => {
    const points = [...text.slice(0, limit * 2)];
    return points.length > limit ? points.slice(0, limit - 1).join("") + "…" : text;
  };

  // ---- colour ------------------------------------------------------------------------------------------------
  const OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a90a", "#9467bd"];
  // Nine samples of matplotlib's cividis, the colour-vision-safe scale of Nunez, Anderton and Renslow (2018).
  const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];

  const ramp = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (CIVIDIS.length - 1), low = Math.min(Math.floor(place), CIVIDIS.length - 2);
    for (let c = 0; c < 3; c++) {
      const at = (hex) => parseInt(hex.slice(1 + 2 * c, 3 + 2 * c), 16);
      ramp[3 * i + c] = Math.round(at(CIVIDIS[low]) + (place - low) * (at(CIVIDIS[low + 1]) - at(CIVIDIS[low])));
    }
  }

  const dark = () => document.body.classList.contains("dark");
  const css = (name, node = document.body) => getComputedStyle(node).getPropertyValue(name).trim();
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  new MutationObserver(() => {
    for (const entry of onTheme) entry.node.isConnected ? entry.draw() : onTheme.delete(entry);
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  const theme = (node, draw) => onTheme.add({ node, draw });

  // ---- loading -----------------------------------------------------------------------------------------------
  function script(url) {
    scripts[url] ??= new Promise((resolve, reject) => {
      const tag = h("script", { src: url, onload: resolve, onerror: () => { delete scripts[url]; reject(new Error(url)); } });
      document.head.append(tag);
    });
    return scripts[url];
  }

  function sheet(url) {
    sheets[url] ??= new Promise((resolve) => {
      document.head.append(h("link", { rel: "stylesheet", href: url, onload: resolve, onerror: resolve }));
    });
    return sheets[url];
  }

  let library = null;
  /** plotly.js, loaded once and kept: another copy on the page may take over `window.Plotly` later. */
  const plotly = (url) => (library ??= script(url).then(() => window.Plotly, (error) => { library = null; throw error; }));

  /** Call `draw` now if `node` has width, else when it gets one (a tab that opens), and after each resize. */
  function sized(node, draw) {
    let width = 0;
    const observer = new ResizeObserver(() => {
      if (!node.isConnected) { observer.disconnect(); return; }
      const now = Math.round(node.clientWidth);
      if (now !== width) { width = now; if (width) draw(); }
    });
    observer.observe(node);
  }

  // ---- shared pieces -----------------------------------------------------------------------------------------
  function table(summary, columns, rows) {
    const head = h("tr", null, columns.map((name) => h("th", { scope: "col" }, name)));
    const body = rows.map((row) => h("tr", null, row.map((cell) => h("td", null, String(cell ?? "–")))));
    return h("details", { class: "xp-table" }, h("summary", null, summary),
      h("div", { class: "xp-table-scroll", tabindex: 0, role: "group", "aria-label": summary },
        h("table", null, h("thead", null, head), h("tbody", null, body))));
  }

  const empty = (text) => h("div", { class: "xp-empty" }, text || "");
  const caption = (lines) => (lines?.length ? h("p", { class: "xp-caption" }, lines.join(" · ")) : null);

  /** A card beside the pointer that holds plain text. */
  function tooltip(host) {
    const node = h("div", { class: "xp-tip", role: "tooltip", hidden: true });
    host.append(node);
    return {
      show(x, y, title, text) {
        node.replaceChildren(...[title && h("strong", null, title), text && h("span", null, text)].filter(Boolean));
        node.hidden = false;
        const box = host.getBoundingClientRect();
        node.style.left = `${Math.max(4, Math.min(x + 14, box.width - node.offsetWidth - 4))}px`;
        node.style.top = `${y + 16 + node.offsetHeight > box.height ? Math.max(4, y - node.offsetHeight - 12) : y + 16}px`;
      },
      hide() { node.hidden = true; },
    };
  }

  /** Reserved height: the prop, or what the page was built with (updates before the first drawing drop other props). */
  const heightOf = (root, props) => Number(props.height ?? root.dataset.height);

  /** Start a part once its style sheets are there; Gradio calls this once for each element. */
  async function mount(name, element, props, trigger, watch) {
    const root = element.querySelector(".xp-part");
    if (!root || root.dataset.mounted) return;
    root.dataset.mounted = "yes";
    await Promise.all([sheet(root.dataset.base), sheet(root.dataset.style)]);
    // An update that comes before its tab was ever opened replaces all props, the constant height among them.
    props.height ??= Number(root.dataset.height);
    parts[name](root, props, trigger, watch);
    root.dataset.ready = "yes";
  }

  const register = (name, start) => { parts[name] = start; };

  return {
    h, svg, bytes, encode, parse, say, fixed, signed, count, size, cut, missing, OKABE_ITO, CIVIDIS, ramp, dark, css, still,
    theme, plotly, sized, table, empty, caption, tooltip, mount, register, heightOf,
    floats: (text) => new Float32Array(bytes(text)), shorts: (text) => new Int16Array(bytes(text)),
  };
})();
