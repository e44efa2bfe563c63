"""How a person moves about the page: opening views, waiting for a drawing, uploading a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

FIRST_RESULT = 90_000
"""Milliseconds until the first answer on a busy machine, models still being loaded."""


def open_view(page: Any, name: str) -> None:
    page.get_by_role("tab").first.wait_for(timeout=FIRST_RESULT)
    tab = page.get_by_role("tab", name=name, exact=True)
    if tab.count() and tab.first.is_visible():
        tab.first.click()
        return
    page.locator(".overflow-menu > button").first.click()
    page.locator(".overflow-dropdown button", has_text=name).first.click()


def open_panel(page: Any, name: str) -> None:
    """Open a panel of the Rerank view, also when its tab found no room in the row."""
    tools = page.locator("#rerank-tools")
    tab = tools.get_by_role("tab", name=name, exact=True)
    if not (tab.count() and tab.is_visible()):
        tools.locator(".overflow-menu > button").click()
        tab = tools.locator(".overflow-dropdown button", has_text=name)
    tab.click()


def drawn(page: Any, part: str) -> int:
    return int(page.locator(f"#{part} .xp-part").get_attribute("data-drawn") or 0)


def wait_until(page: Any, script: str, argument: Any = None, timeout: int = FIRST_RESULT) -> None:
    page.wait_for_function(script, arg=argument, timeout=timeout)


def drawn_again(page: Any, part: str, count: int) -> None:
    """Wait until a part has been drawn more than ``count`` times."""
    script = "([part, n]) => +document.querySelector(`#${part} .xp-part`).dataset.drawn > n"
    wait_until(page, script, [part, count])


def card_texts(page: Any) -> list[str]:
    return page.locator("#rerank-cards .rc-card").all_inner_texts()


def first_cards(page: Any) -> None:
    page.locator("#rerank-cards .rc-card").first.wait_for(timeout=FIRST_RESULT)


def csv_file(
    header: Sequence[str], rows: Sequence[Sequence[str]], name: str = "corpus.csv"
) -> dict[str, Any]:
    """A CSV as Playwright hands it to a file input."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return {"name": name, "mimeType": "text/csv", "buffer": text.getvalue().encode()}


def upload_corpus(page: Any, file: dict[str, Any]) -> None:
    """Give the Map view a file and wait until it shows how the file was read."""
    page.locator("#map-upload input[type=file]").set_input_files(file)
    page.locator("#map-notices .source").first.wait_for(timeout=FIRST_RESULT)


def map_uploaded(page: Any, documents: int) -> None:
    """Map the uploaded file and wait for the picture."""
    page.locator("#map-run").click()
    page.locator("#map-caption").get_by_text(f"{documents:,} documents").wait_for(timeout=FIRST_RESULT)
    page.locator("#map-points").get_by_text(f"{documents:,} documents").first.wait_for(timeout=FIRST_RESULT)


def first_map(page: Any) -> None:
    open_view(page, "Map")
    page.locator("#map-points .js-plotly-plot").wait_for(timeout=FIRST_RESULT)
