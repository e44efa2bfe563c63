"""What a model is worth on held-out texts."""
