/* What is loaded, as chips with a memory bar. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say } = kit;

  function memoryChip(memory, words) {
    const share = Math.min(1, memory.used / memory.total), bar = h("i");
    const text = say(words, "memory_text", { used: kit.size(memory.used), total: kit.size(memory.total) });
    bar.style.width = `${share * 100}%`;
    return h("li", { class: share > 0.9 ? "mc-chip mc-warning" : "mc-chip", title: text }, h("span", { class: "mc-label" }, say(words, "memory")),
      h("span", { class: "mc-bar", role: "meter", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(share * 100), "aria-label": text }, bar),
      h("span", { class: "mc-value" }, text));
  }

  const chip = (fact) => h("li", { class: `mc-chip mc-${fact.tone}`, title: fact.title || null },
    h("span", { class: "mc-label" }, fact.label), h("span", { class: "mc-value" }, fact.value));

  kit.register("ModelChips", (root, props, trigger, watch) => {
    function draw() {
      const data = kit.parse(props.data, { chips: [], memory: null });
      root.replaceChildren(h("ul", { class: "mc-chips", "aria-label": say(props.words, "label") },
        data.chips.map(chip), data.memory ? memoryChip(data.memory, props.words) : null));
    }
    watch(["data", "words"], draw);
    draw();
  });
})();
