"""Something a reader should know about a result that is otherwise fine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from explorer.texts import Language, say


@dataclass(frozen=True)
class Notice:
    """One sentence beside a result: a text was cut, a row was left out.

    Attributes:
        key: Name of the sentence in :mod:`explorer.texts`.
        values: What fills its placeholders.
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: Language) -> str:
        """Say the notice in one of the interface's languages, as plain text."""
        return say(self.key, language, **self.values)
