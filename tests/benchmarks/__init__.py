"""Timings of this project against the model cards' code and sentence-transformers, on the same random weights.

``python -m tests.benchmarks`` prints one table. Nothing here is a test: plain ``pytest`` collects none of it, and no
timing is ever asserted.
"""
