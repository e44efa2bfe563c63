"""Training an embedding model: plan, losses, loop."""
