"""Which colour a column gives each point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from explorer.texts import Language, say
from explorer.ui.components import map_categories, map_values


def colouring(columns: pd.DataFrame, name: str, language: Language) -> dict[str, Any]:
    """Turn a column into the colour props of the map.

    Args:
        columns: The corpus's columns.
        name: The chosen column; empty for one colour.
        language: The visitor's language.

    Returns:
        ``categories`` and ``values``: one of them filled, or neither.
    """
    if name not in columns.columns:
        return {"categories": "", "values": ""}
    column = columns[name]
    if pd.api.types.is_datetime64_any_dtype(column):
        years = column.dt.year + (column.dt.dayofyear - 1) / 365.25
        return {"categories": "", "values": map_values(years.to_numpy(np.float32, na_value=np.nan), name)}
    if pd.api.types.is_numeric_dtype(column):
        return {"categories": "", "values": map_values(column.to_numpy(np.float32, na_value=np.nan), name)}
    values = [str(value) if str(value) else None for value in column]
    return {"categories": map_categories(values, name, say("map.other", language)), "values": ""}
