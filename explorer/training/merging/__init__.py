"""Slerp of models, the way between two, and what each stage adds."""
