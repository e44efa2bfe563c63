"""Findings become plotly figures. No callback, no model; each title states what was found."""
