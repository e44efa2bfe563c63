"""Texts to vectors and scores, by the exact recipes of Qwen3-Embedding and Qwen3-Reranker."""
