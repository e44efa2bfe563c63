"""What a language model must be able to do to make pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class TextGenerator(Protocol):
    """Anything that answers prompts: a model in memory, a server, or a script in a test."""

    @property
    def kind(self) -> str:
        """What provenance calls it: ``"language model"`` or ``"server"``."""

    @property
    def model(self) -> str:
        """Name of the model that answers."""

    def generate(self, prompts: Sequence[str], longest: int, seed: int) -> list[str]:
        """Answer each prompt.

        Args:
            prompts: What is asked, one message each.
            longest: Most tokens of an answer.
            seed: Of all draws; the same prompts and seed give the same answers where the model allows it.

        Returns:
            One answer a prompt, in order; a thinking model's thoughts may still be in it.
        """
