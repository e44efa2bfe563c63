"""A person looks whether the scores of a ranking would tie, and the meter follows the next ranking."""

from __future__ import annotations

from views import first_cards, open_panel, wait_until

PART = "#saturation-lines"


def test_the_meter_follows_the_ranking_and_marks_ties(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    open_panel(page, "Saturation")
    page.locator(f"{PART} .sl-dot").first.wait_for()
    assert "lose nothing" in page.locator(f"{PART} .xp-title").inner_text()
    assert page.locator(f"{PART} .sl-dot").count() == 3 * 7 and page.locator(f"{PART} .sl-pill").count() == 0
    page.locator(f"{PART} .sl-dot").last.hover(force=True)
    page.locator(f"{PART} .xp-tip", has_text="a bfloat16 softmax would show").wait_for()

    # Texts that differ in one letter are told apart by log-odds; eight significant bits are too few for all of them.
    lines = [f"Jupiter has a storm called {a}{b}." for a in "abcdefgh" for b in "klmnopqr"]
    page.locator("#rerank-lines textarea").fill("\n".join(lines))
    page.locator("#rerank-run").click()
    wait_until(page, f"() => document.querySelectorAll('{PART} tbody tr').length === 64")
    assert page.locator(f"{PART} .sl-pill").count() > 0
    assert page.locator(f"{PART} .sl-mark").count() > 1
    page.locator("#saturation-caption", has_text="both logits are rounded").wait_for()
