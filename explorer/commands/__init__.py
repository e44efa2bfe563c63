"""Commands of ``python -m explorer`` that are too long for its own file."""
