"""How a test presses the buttons of the page of parts, and waits for what they draw."""

from __future__ import annotations

import json


def logged(page, part: str) -> dict[str, object]:
    """Wait for an event of a part to come back from Python."""
    page.wait_for_function(
        "name => document.querySelector('#log textarea').value.includes(name)", arg=f'"{part}"'
    )
    return json.loads(page.input_value("#log textarea"))


def press(page, name: str) -> None:
    page.click(f"#do-{name}")


def drawn(page, part: str, times: int = 1) -> None:
    page.wait_for_function(
        "([part, times]) => Number(document.querySelector(`#${part} .xp-part`)?.dataset.drawn || 0) >= times",
        arg=[part, times],
    )
