"""The bundled reranker: wired from the embedding model's layers, then trained on ranked lists."""
