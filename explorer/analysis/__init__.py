"""Vectors and scores become findings: pure functions and frozen dataclasses, without files and without state."""
