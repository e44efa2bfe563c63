/* Code to be copied: buttons choose which way of writing it is shown. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say } = kit;

  function copier(words, text) {
    const status = h("span", { class: "xp-quiet", role: "status" });
    const button = h("button", { class: "xp-button", type: "button" }, say(words, "copy"));
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(text()); status.textContent = say(words, "copied"); }
      catch { status.textContent = say(words, "copy_failed"); }
      setTimeout(() => { status.textContent = ""; }, 2500);
    });
    return [status, button];
  }

  kit.register("CodeBlock", (root, props, trigger, watch) => {
    let chosen = 0;

    function draw() {
      const blocks = kit.parse(props.data, []), words = props.words;
      root.style.setProperty("--cb-height", `${kit.heightOf(root, props)}px`);
      root.dataset.drawn = String(Number(root.dataset.drawn || 0) + 1);
      if (!blocks.length) { root.replaceChildren(kit.empty(say(words, "empty"))); return; }
      const code = h("code"), buttons = blocks.map(([name], place) =>
        h("button", { type: "button", class: "xp-button", onclick: () => choose(place) }, say(words, name)));
      const area = h("pre", { class: "cb-code", tabindex: 0, role: "region" }, code);
      function choose(place) {
        chosen = place;
        code.textContent = blocks[place][1];
        area.setAttribute("aria-label", say(words, blocks[place][0]));
        buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === place)));
      }
      choose(Math.min(chosen, blocks.length - 1));
      root.replaceChildren(h("div", { class: "cb-head" }, h("div", { class: "cb-kinds", role: "group", "aria-label": say(words, "kinds") }, buttons),
        copier(words, () => blocks[chosen][1])), area);
    }

    watch(["data", "words", "height"], draw);
    draw();
  });
})();
