"""Which models exist, what they need, and having them in memory."""
