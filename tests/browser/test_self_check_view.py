"""A person asks whether the loaded models give the numbers they should."""

from __future__ import annotations

from views import FIRST_RESULT, first_cards, open_view


def test_one_button_gives_a_verdict_and_every_number(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    open_view(page, "Models")
    page.get_by_role("tab", name="Self-check").click()
    page.locator("#check-run").click()
    page.locator("#check-result .verdicts p.sound").nth(1).wait_for(timeout=FIRST_RESULT)
    assert page.locator("#check-result .verdicts p").count() == 2
    tables = page.locator("#check-result .check table")
    assert tables.count() == 2
    rows = tables.first.locator("tbody tr")
    assert rows.count() == 11
    assert rows.filter(has_text="✓ passed").count() == 9
    padding = rows.filter(has_text="Padding side").locator("td").all_inner_texts()
    assert 0 <= float(padding[2]) <= float(padding[3])
    assert "not the published weights" in rows.last.inner_text()
