"""Training a reranker: mined negatives, lists, loss, loop."""
