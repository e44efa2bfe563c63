"""Every view and panel, light and dark, looked over by axe-core as somebody with a screen reader would meet it."""

from __future__ import annotations

import pytest
from views import first_cards, open_panel, open_view, wait_until

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

VIEWS = ("Rerank", "Similarity", "Dimensions", "Map", "Training", "Models")
LOOKS = 4
GRAVE = {"serious", "critical"}
COLOURS = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
"""In the dark only the colours differ."""


def settled(page) -> None:
    """Wait until nothing is being computed, so that the view is looked at and not its progress bar."""
    page.wait_for_timeout(400)
    working = ".meta-text, .meta-text-center, .progress-level"
    wait_until(
        page, "parts => ![...document.querySelectorAll(parts)].some(part => part.offsetParent)", working
    )
    page.wait_for_timeout(300)


def findings(page, where: str, **options) -> list[str]:
    """What axe calls serious or critical, one line for each kind, and still does some seconds later.

    Gradio dims a text while it is being computed, and lets it fade in afterwards.
    """
    found: list[str] = []
    for _ in range(LOOKS):
        violations = axe.Axe().run(page, **options).response["violations"]
        grave = [violation for violation in violations if violation["impact"] in GRAVE]
        found = [f"{where}: {one['id']} at {[node['target'] for node in one['nodes'][:3]]}" for one in grave]
        if not found:
            break
        page.wait_for_timeout(2_500)
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view_or_panel(site: str, open_page, dark: bool) -> None:
    page, _ = open_page(site, dark=dark)
    first_cards(page)
    options = {"options": COLOURS} if dark else {}
    found = []
    panels = page.locator("#rerank-tools button[role=tab]").all_inner_texts()
    for panel in panels:
        open_panel(page, panel)
        settled(page)
        found += findings(page, f"Rerank, {panel}", **options)
    for view in VIEWS[1:]:
        open_view(page, view)
        settled(page)
        found += findings(page, view, **options)
    assert len(panels) >= 7
    assert found == []
