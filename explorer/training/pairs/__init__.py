"""Training pairs: what they are, reading and writing them, the filter, and which are learned from together."""
