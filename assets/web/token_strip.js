/* The exact prompt: a chip for each token with its id. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say, count } = kit;
  const MARKS = { " ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍", "\u00a0": "⍽", "\u0000": "␀", "\u200b": "∅" };

  /** Text with white space made visible; marks are grey so that they are not read as text. */
  const visible = (text) => [...text].map((letter) => (MARKS[letter] ? h("i", null, MARKS[letter]) : letter));

  function chip(token, words) {
    const kind = [token.special && "ts-special", token.cut && "ts-cut"].filter(Boolean).join(" ");
    const note = [token.special && say(words, "special"), token.cut && say(words, "cut")].filter(Boolean).join(", ");
    const breaks = token.text.endsWith("\n") && !token.cut;
    const node = h("span", { class: `ts-chip ${kind}`, title: note || null },
      h("span", { class: "ts-text" }, visible(token.text)), h("span", { class: "ts-id" }, String(token.id)));
    return breaks ? [node, h("span", { class: "ts-break" })] : [node];
  }

  const tableOf = (tokens, words) => kit.table(say(words, "table"), ["column_place", "column_id", "column_text", "column_kind"].map((name) => say(words, name)),
    tokens.map((token, at) => [at + 1, token.id, [...token.text].map((letter) => MARKS[letter] ?? letter).join(""),
      [token.special && say(words, "special"), token.cut && say(words, "cut")].filter(Boolean).join(", ")]));

  function copier(label, words, text) {
    const button = h("button", { class: "xp-button", type: "button" }, label), status = h("span", { class: "xp-quiet", role: "status" });
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(text()); status.textContent = say(words, "copied"); }
      catch { status.textContent = say(words, "copy_failed"); }
      setTimeout(() => { status.textContent = ""; }, 2500);
    });
    return [button, status];
  }

  /** One button for each input; the chosen one is drawn. */
  function choices(inputs, chosen, label, choose) {
    return h("div", { class: "ts-choices", role: "group", "aria-label": label },
      inputs.map((input, at) => h("button", { class: "xp-button", type: "button", "aria-pressed": String(at === chosen), onclick: () => choose(at) }, input.label)));
  }

  kit.register("TokenStrip", (root, props, trigger, watch) => {
    let chosen = 0;

    function draw() {
      const inputs = kit.parse(props.tokens, { inputs: [] }).inputs, words = props.words;
      root.style.setProperty("--ts-height", `${kit.heightOf(root, props)}px`);
      if (!inputs.length) { root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      chosen = Math.min(chosen, inputs.length - 1);
      const { tokens, total } = inputs[chosen], cut = tokens.filter((token) => token.cut).length;
      const kept = () => tokens.filter((token) => !token.cut);
      const head = h("div", { class: "ts-head" },
        h("span", { class: "xp-quiet" }, say(words, cut ? "count_cut" : "count", { n: count(total), cut: count(cut) })),
        copier(say(words, "copy_text"), words, () => kept().map((token) => token.text).join("")),
        copier(say(words, "copy_ids"), words, () => JSON.stringify(kept().map((token) => token.id))));
      const strip = h("div", { class: "ts-strip", tabindex: 0, role: "group", "aria-label": say(words, "label") },
        tokens.flatMap((token) => chip(token, words)));
      const note = total > tokens.length ? h("p", { class: "xp-caption" }, say(words, "limit", { shown: count(tokens.length), n: count(total) })) : "";
      const choose = (at) => { chosen = at; draw(); root.querySelectorAll(".ts-choices button")[at].focus(); };
      const above = inputs.length > 1 ? choices(inputs, chosen, say(words, "choose"), choose) : "";
      root.replaceChildren(above, head, strip, note, tableOf(tokens, words));
      root.dataset.shown = inputs[chosen].label;
    }
    watch(["tokens", "words", "height"], draw);
    draw();
  });
})();
