/* The stages of a training as a row of steps; each leads to its place on the page. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h, say } = kit;
  const MARKS = { done: "✓", now: "●", todo: "" };

  function stage(step, number, words) {
    const go = () => document.getElementById(step.target)?.scrollIntoView({ behavior: kit.still() ? "auto" : "smooth", block: "start" });
    return h("li", { class: `ss-step ss-${step.state}` },
      h("button", { type: "button", class: "ss-button", onclick: go, "aria-current": step.state === "now" ? "step" : null },
        h("span", { class: "ss-number" }, MARKS[step.state] || String(number)),
        h("span", { class: "ss-name" }, step.name), h("span", { class: "xp-hidden" }, say(words, step.state)),
        h("span", { class: "ss-text" }, step.text), h("span", { class: "ss-status" }, step.status || " ")));
  }

  kit.register("StageStrip", (root, props, trigger, watch) => {
    function draw() {
      const steps = kit.parse(props.data, []);
      root.replaceChildren(h("ol", { class: "ss-steps", "aria-label": say(props.words, "label") }, steps.map((step, i) => stage(step, i + 1, props.words))));
    }
    watch(["data", "words"], draw);
    draw();
  });
})();
