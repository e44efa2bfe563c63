/* One pair to read: the query, the document, and every number about them. */
(() => {
  "use strict";
  const kit = window.ExplorerKit;
  const { h } = kit;

  /** `facts` are [name, value] pairs; names and headings are already in the visitor's language. */
  kit.pairReading = (headings, query, document, facts) => [
    h("div", { class: "pr-side pr-query" }, h("h4", null, headings.query), h("p", { dir: "auto" }, query)),
    h("div", { class: "pr-side pr-document" }, h("h4", null, headings.document), h("p", { dir: "auto" }, document)),
    h("dl", { class: "pr-facts" }, facts.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value)))),
  ];
})();
