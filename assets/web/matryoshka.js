/* Scores of truncated embeddings at any size in well under a millisecond: prefix sums of products over blocks. */
(() => {
  "use strict";
  const BLOCK = 32;

  function norms(vectors, rows, full, blocks) {
    const sums = new Float64Array(rows * (blocks + 1));
    for (let r = 0; r < rows; r++) {
      let total = 0;
      for (let d = 0; d < full; d++) {
        if (d % BLOCK === 0) sums[r * (blocks + 1) + d / BLOCK] = total;
        total += vectors[r * full + d] ** 2;
      }
      sums[r * (blocks + 1) + blocks] = total;
    }
    return sums;
  }

  class Matryoshka {
    /** `queries` [q, full] and `documents` [n, full], row-major float32. */
    constructor(queries, documents, full) {
      this.full = full;
      this.q = queries.length / full;
      this.n = documents.length / full;
      this.queries = queries;
      this.documents = documents;
      this.blocks = Math.floor(full / BLOCK);
      this.products = new Float64Array((this.blocks + 1) * this.q * this.n);
      this.queryNorms = norms(queries, this.q, full, Math.ceil(full / BLOCK));
      this.documentNorms = norms(documents, this.n, full, Math.ceil(full / BLOCK));
      this.#accumulate();
      this.reference = this.scores(full, true);
      this.referenceRanks = Array.from({ length: this.q }, (_, row) => this.ranks(this.reference, row));
    }

    #accumulate() {
      const { q, n, full, queries, documents, products } = this;
      for (let block = 0; block < this.blocks; block++)
        for (let i = 0; i < q; i++)
          for (let j = 0; j < n; j++) {
            let sum = products[(block * q + i) * n + j];
            const a = i * full + block * BLOCK, b = j * full + block * BLOCK;
            for (let d = 0; d < BLOCK; d++) sum += queries[a + d] * documents[b + d];
            products[((block + 1) * q + i) * n + j] = sum;
          }
    }

    #norm(sums, vectors, row, kept) {
      const width = Math.ceil(this.full / BLOCK) + 1, block = Math.floor(kept / BLOCK);
      let total = sums[row * width + block];
      for (let d = block * BLOCK; d < kept; d++) total += vectors[row * this.full + d] ** 2;
      return Math.sqrt(total) || 1;
    }

    /** Scores [q, n] of the first `kept` dimensions: cosines, or bare dot products when not renormalised. */
    scores(kept, renormalise) {
      const { q, n, full, queries, documents } = this, block = Math.floor(kept / BLOCK), from = block * BLOCK;
      const out = new Float32Array(q * n), right = new Float64Array(n);
      if (renormalise) for (let j = 0; j < n; j++) right[j] = this.#norm(this.documentNorms, documents, j, kept);
      for (let i = 0; i < q; i++) {
        const left = renormalise ? this.#norm(this.queryNorms, queries, i, kept) : 1;
        for (let j = 0; j < n; j++) {
          let sum = this.products[(block * q + i) * n + j];
          for (let d = from; d < kept; d++) sum += queries[i * full + d] * documents[j * full + d];
          out[i * n + j] = renormalise ? sum / (left * right[j]) : sum;
        }
      }
      return out;
    }

    /** Document numbers of one query's row, best first; ties keep the given order. */
    order(scores, row) {
      const base = row * this.n;
      return Array.from({ length: this.n }, (_, j) => j).sort((a, b) => scores[base + b] - scores[base + a] || a - b);
    }

    ranks(scores, row) {
      const places = new Int32Array(this.n);
      this.order(scores, row).forEach((document, place) => { places[document] = place + 1; });
      return places;
    }

    /** Share of the full-size top k kept, averaged over queries, and mean absolute difference from full size. */
    agreement(scores, k) {
      let kept = 0, drift = 0;
      for (let row = 0; row < this.q; row++) {
        const base = row * this.n, reference = this.referenceRanks[row];
        for (let j = 0; j < this.n; j++) {
          drift += Math.abs(scores[base + j] - this.reference[base + j]);
          if (reference[j] > k) continue;
          let better = 0;
          for (let other = 0; other < this.n; other++) {
            const gap = scores[base + other] - scores[base + j];
            if (gap > 0 || (gap === 0 && other < j)) better += 1;
          }
          if (better < k) kept += 1;
        }
      }
      return { overlap: kept / (this.q * k), drift: drift / (this.q * this.n) };
    }
  }

  window.ExplorerKit.Matryoshka = Matryoshka;
})();
