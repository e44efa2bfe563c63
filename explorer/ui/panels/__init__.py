"""The panels of the Rerank view: each answers one question about the query and documents that stand beside it.

Each file has ``build(workspace, view, tab)``, which lays out a panel inside its tab and connects it.
"""
