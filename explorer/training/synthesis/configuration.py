"""The first of the report's two steps: who asks, what kind of question, and how hard."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.training.synthesis import templates
from explorer.training.synthesis.answers import json_object


@dataclass(frozen=True)
class Configuration:
    """What the second step is asked for.

    Attributes:
        persona: Who asks.
        question_type: One of :data:`templates.QUESTION_TYPES`.
        difficulty: One of :data:`templates.DIFFICULTIES`.
        chosen_by: ``"model"``, or ``"seed"`` when the model's answer could not be used.
    """

    persona: str
    question_type: str
    difficulty: str
    chosen_by: Literal["model", "seed"]


def configuration_prompt(passage: str, personas: Sequence[str]) -> str:
    """Ask the model to choose.

    Args:
        passage: The document.
        personas: Whom it may choose from.

    Returns:
        The prompt.
    """
    return templates.CONFIGURATION.format(
        question_types=_listed(templates.QUESTION_TYPES),
        difficulties=_listed(templates.DIFFICULTIES),
        characters="\n".join(f"{number}. {persona}" for number, persona in enumerate(personas, 1)),
        passage=passage,
    )


def _listed(meanings: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {meaning}" for name, meaning in meanings.items())


def read_configuration(answer: str, personas: Sequence[str], draw: random.Random) -> Configuration:
    """Read what the model chose, or choose by the seed when that cannot be used.

    Args:
        answer: The model's answer.
        personas: Those of the prompt, in its order.
        draw: Source of randomness for the fallback.

    Returns:
        The configuration, and who chose it.
    """
    chosen = json_object(answer)
    persona = _persona(chosen.get("character"), personas)
    question_type = _name(chosen.get("question_type"), templates.QUESTION_TYPES)
    difficulty = _name(chosen.get("difficulty"), templates.DIFFICULTIES)
    if persona and question_type and difficulty:
        return Configuration(persona, question_type, difficulty, "model")
    return Configuration(
        draw.choice(personas),
        draw.choice(list(templates.QUESTION_TYPES)),
        draw.choice(list(templates.DIFFICULTIES)),
        "seed",
    )


def _persona(value: object, personas: Sequence[str]) -> str:
    """Find a persona by its number or its words; empty when neither fits."""
    if isinstance(value, str) and value.strip().rstrip(".").isdecimal():
        value = int(value.strip().rstrip(".")[:3])
    if isinstance(value, int) and not isinstance(value, bool):
        return personas[value - 1] if 1 <= value <= len(personas) else ""
    words = str(value).strip().lower()
    return next((persona for persona in personas if persona.lower() == words), "")


def _name(value: object, known: dict[str, str]) -> str:
    """Find an option, however the model spelt its spaces; empty when there is none."""
    name = str(value).strip().lower().replace(" ", "_").replace("-", "_")
    return name if name in known else ""
