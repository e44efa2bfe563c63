/* The result of a rerank: embedding order on the left, curves, ranked cards on the right. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, svg, say, fixed, signed } = kit;
  const WHOLE = 10;            // lists up to this long never scroll inside their frame
  const FIRST = 60;            // cards drawn before "show more"
  const GLIDE = { duration: 400, easing: "cubic-bezier(.3,.7,.2,1)", fill: "backwards" };

  const direction = (item) => (item.first_rank === null || item.moved === 0 ? "same" : item.moved > 0 ? "up" : "down");

  function movement(item, words) {
    const name = { up: "moved_up", down: "moved_down", same: "moved_none" }[direction(item)];
    return say(words, name, { n: Math.abs(item.moved), from: item.first_rank });
  }

  function badge(item, words) {
    const way = direction(item);
    const text = { up: `▲ ${item.moved}`, down: `▼ ${-item.moved}`, same: "=" }[way];
    return h("span", { class: `rc-move rc-${way}`, title: movement(item, words) }, text);
  }

  function logOddsBar(item, reach) {
    const share = Math.min(1, Math.abs(item.log_odds) / reach) * 50;
    const bar = h("i", { class: item.log_odds >= 0 ? "rc-yes" : "rc-no" });
    bar.style.width = `${share}%`;
    bar.style.left = item.log_odds >= 0 ? "50%" : `${50 - share}%`;
    return h("span", { class: "rc-track rc-diverging" }, bar);
  }

  function shareBar(value) {
    const bar = h("i", { class: "rc-share" });
    bar.style.width = `${Math.max(0, Math.min(1, value ?? 0)) * 100}%`;
    return h("span", { class: "rc-track" }, bar);
  }

  const metric = (label, title, bar, value, kind) =>
    h("span", { class: `rc-metric ${kind}`, title }, h("span", { class: "rc-label" }, label), bar, h("b", null, value));

  function metrics(item, words, reach) {
    return h("span", { class: "rc-metrics" },
      metric(say(words, "log_odds"), say(words, "log_odds_title"), logOddsBar(item, reach), signed(item.log_odds), "rc-main"),
      metric(say(words, "probability"), say(words, "probability_title"), shareBar(item.probability), fixed(item.probability, 2), ""),
      kit.missing(item.cosine) ? null
        : metric(say(words, "cosine"), say(words, "cosine_title"), shareBar(item.cosine), fixed(item.cosine, 3), "rc-cosine"));
  }

  function card(item, view) {
    const { words, reach, compare } = view;
    const summary = say(words, "open", { rank: item.rerank_rank, movement: compare ? movement(item, words) : "",
      log_odds: signed(item.log_odds), probability: fixed(item.probability, 2), text: kit.cut(item.text, 160) });
    const node = h("div", { class: `rc-card rc-edge-${direction(item)}`, "data-index": item.index, role: "button", tabindex: 0,
      "aria-expanded": "false", "aria-label": summary },
    h("span", { class: "rc-rank" }, String(item.rerank_rank), compare ? badge(item, words) : null),
    h("span", { class: "rc-body" }, h("span", { class: "rc-text" }, item.text),
      item.truncated_tokens > 0
        ? h("span", { class: "rc-cut" }, "✂ ", say(words, "truncated", { n: kit.count(item.truncated_tokens), total: kit.count(item.tokens) })) : null),
    metrics(item, words, reach));
    return h("li", { class: "rc-slot" }, node);
  }

  function before(item) {
    return h("li", { class: "rc-before-item", "data-index": item.index },
      h("span", { class: "rc-before-rank" }, String(item.first_rank)),
      h("span", { class: "rc-before-text" }, item.text),
      h("span", { class: "rc-before-cosine xp-number" }, fixed(item.cosine, 3)));
  }

  function finding(items, words, compare) {
    const total = items.length, moved = items.filter((item) => item.moved !== 0).length;
    if (!compare) return say(words, "only", { total });
    if (!moved) return say(words, "finding_none");
    return say(words, items[0].moved ? "finding_top" : "finding_kept", { n: moved, total, from: items[0].first_rank });
  }

  function asTable(items, words) {
    const columns = ["rank", "moved", "log_odds", "probability", "cosine", "document"];
    const names = columns.map((name) => (name === "moved" ? "▲▼" : say(words, name)));
    return kit.table(say(words, "table"), names, items.map((item) => [item.rerank_rank, signed(item.moved, 0),
      signed(item.log_odds), fixed(item.probability, 2), fixed(item.cosine, 3), kit.cut(item.text, 200)]));
  }

  /** Place the left column beside the card slots and join both orders with curves. */
  function layout(view) {
    const { board, items, shown } = view;
    if (!view.compare || !board.isConnected) return;
    const cards = [...board.querySelectorAll(".rc-card")], canvas = board.querySelector(".rc-curves");
    const middles = cards.map((node) => node.offsetTop + Math.min(node.offsetHeight, 130) / 2);
    const wide = canvas.clientWidth, paths = [];
    const tall = board.querySelector(".rc-cards").offsetHeight;
    for (const node of board.querySelectorAll(".rc-before-item")) {
      const item = view.byIndex.get(Number(node.dataset.index));
      node.style.top = `${middles[item.first_rank - 1] ?? tall}px`;
    }
    if (wide) {
      for (const item of items.slice(0, shown)) {
        const from = middles[item.first_rank - 1] ?? tall, to = middles[item.rerank_rank - 1], bend = wide * 0.5;
        const curve = `M0 ${from} C${bend} ${from} ${wide - bend} ${to} ${wide} ${to}`;
        paths.push(svg("path", { d: curve, class: `rc-curve rc-stroke-${direction(item)}`, "data-index": item.index, pathLength: 1 }));
      }
    }
    canvas.setAttribute("viewBox", `0 0 ${wide || 1} ${tall || 1}`);
    canvas.style.height = `${tall}px`;
    canvas.replaceChildren(...paths);
  }

  function places(view) {
    const found = new Map();
    for (const node of view?.board.querySelectorAll(".rc-card, .rc-before-item") ?? [])
      found.set(node.className.split(" ")[0] + node.dataset.index, node.offsetTop);
    return found;
  }

  /** Let each card glide from where it stood (at first: from its embedding rank) to where it stands. */
  function glide(view, old) {
    if (kit.still() || !view.board.offsetParent) return;
    const cards = [...view.board.querySelectorAll(".rc-card")], slots = cards.map((node) => node.offsetTop);
    for (const node of view.board.querySelectorAll(".rc-card, .rc-before-item")) {
      const isCard = node.classList.contains("rc-card"), item = view.byIndex.get(Number(node.dataset.index));
      const start = old.get(node.className.split(" ")[0] + item.index) ?? (isCard && view.compare ? slots[item.first_rank - 1] : undefined);
      const distance = (start ?? node.offsetTop) - node.offsetTop, rest = isCard ? "" : "translateY(-50%) ";
      if (distance) node.animate([{ transform: `${rest}translateY(${distance}px)` }, { transform: `${rest}translateY(0)` }], GLIDE);
    }
    for (const path of view.board.querySelectorAll(".rc-curve"))
      path.animate([{ strokeDashoffset: 1, strokeDasharray: 1 }, { strokeDashoffset: 0, strokeDasharray: 1 }], { ...GLIDE, duration: 600, delay: 150 });
  }

  function choose(view, node, trigger) {
    const open = node.getAttribute("aria-expanded") !== "true";
    for (const other of view.board.querySelectorAll(".rc-card"))
      other.setAttribute("aria-expanded", String(other === node && open));
    layout(view);
    emphasise(view, open ? node.dataset.index : null);
    view.chosen = open ? node.dataset.index : null;
    if (open) trigger("pick", { index: Number(node.dataset.index) });
  }

  function emphasise(view, index) {
    view.board.classList.toggle("rc-focus", index !== null);
    for (const node of view.board.querySelectorAll(".rc-curve, .rc-before-item, .rc-card"))
      node.classList.toggle("rc-lit", index !== null && node.dataset.index === String(index));
    const path = index === null ? null : view.board.querySelector(`.rc-curve[data-index="${Number(index)}"]`);
    if (path) path.parentNode.append(path);
  }

  function wire(view, trigger) {
    const cardOf = (event) => event.target.closest?.(".rc-card");
    view.board.addEventListener("click", (event) => {
      const left = event.target.closest?.(".rc-before-item");
      const node = cardOf(event) ?? (left && view.board.querySelector(`.rc-card[data-index="${Number(left.dataset.index)}"]`));
      if (node && !String(getSelection())) choose(view, node, trigger);
    });
    view.board.addEventListener("keydown", (event) => {
      const node = cardOf(event);
      if (!node) return;
      const slot = node.parentElement;
      const next = { ArrowDown: slot.nextElementSibling, ArrowUp: slot.previousElementSibling }[event.key]?.firstElementChild;
      if (event.key === "Enter" || event.key === " ") choose(view, node, trigger);
      else if (event.key === "Escape" && view.chosen !== null) choose(view, view.board.querySelector("[aria-expanded=true]"), trigger);
      else if (next) next.focus();
      else return;
      event.preventDefault();
    });
    view.board.addEventListener("pointerover", (event) => {
      const node = event.target.closest?.("[data-index]");
      if (node) emphasise(view, node.dataset.index);
    });
    view.board.addEventListener("pointerleave", () => emphasise(view, view.chosen));
  }

  function boardOf(view) {
    const rows = view.items.slice(0, view.shown);
    const left = [...view.items].sort((a, b) => a.first_rank - b.first_rank).slice(0, view.shown);
    return [view.compare ? h("ol", { class: "rc-before", "aria-hidden": "true" }, left.map(before)) : null,
      view.compare ? svg("svg", { class: "rc-curves", "aria-hidden": "true", preserveAspectRatio: "none" }) : null,
      h("ol", { class: "rc-cards" }, rows.map((item) => card(item, view)))].filter(Boolean);
  }

  kit.register("RankedCards", (root, props, trigger, watch) => {
    let view = null;

    function draw() {
      const data = kit.parse(props.data, null), words = props.words, old = places(view);
      root.style.setProperty("--rc-height", `${kit.heightOf(root, props)}px`);
      if (!data?.items.length) { view = null; root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      const items = data.items.sort((a, b) => a.rerank_rank - b.rerank_rank);
      const compare = items.every((item) => !kit.missing(item.first_rank)) && items.some((item) => !kit.missing(item.cosine));
      view = { items, words, compare, shown: Math.min(FIRST, items.length), chosen: null, board: h("div", { class: "rc-board" }),
        reach: Math.max(2, ...items.map((item) => Math.abs(item.log_odds) || 0)), byIndex: new Map(items.map((item) => [item.index, item])) };
      view.board.classList.toggle("rc-plain", !compare);
      const head = h("div", { class: compare ? "rc-head" : "rc-head rc-plain" },
        compare ? h("span", null, say(words, "before")) : null, compare ? h("span") : null, h("span", null, say(words, "after")));
      const more = h("button", { class: "xp-button rc-more", type: "button", hidden: view.shown >= items.length, onclick: grow },
        say(words, "more", { n: items.length - view.shown }));
      root.replaceChildren(h("h3", { class: "xp-title" }, finding(items, words, compare)), kit.caption(data.provenance) ?? "",
        h("div", { class: items.length <= WHOLE ? "rc-scroll rc-whole" : "rc-scroll" }, head, view.board, more), asTable(items, words));
      view.board.append(...boardOf(view));
      wire(view, trigger);
      layout(view);
      glide(view, old);
    }

    function grow(event) {
      view.shown = view.items.length;
      view.board.replaceChildren(...boardOf(view));
      event.currentTarget.hidden = true;
      layout(view);
    }

    watch(["data", "words", "height"], draw);
    draw();
    kit.sized(root, () => view && layout(view));
  });
})();
