"""One function for each job a person asks for.

Each checks every limit, composes the engine, the analyses and the corpus, and yields its progress. The page, the
command line and notebooks all call these same functions.
"""
