"""A person compares instructions, sorts by what one changed, switches the model, and adds one of their own."""

from __future__ import annotations

from views import FIRST_RESULT, drawn, drawn_again, first_cards, open_panel, wait_until

PART = "#instructions-table"
ROWS = f"{PART} .it-table tbody tr"


def test_instructions_are_compared_sorted_and_added(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    open_panel(page, "Instructions")
    page.locator(ROWS).first.wait_for(timeout=FIRST_RESULT)
    columns = page.locator(f"{PART} .it-legend li").count()
    assert columns == 4 and page.locator(f"{PART} .it-tau td").count() == columns**2 + 1
    assert "of 7 ranks" in page.locator(f"{PART} .xp-title").inner_text()

    page.locator(PART).get_by_role("button", name="Sort by what instruction 2 changed").click()
    changes = page.locator(f"{PART} td[data-n='1'] .it-delta").all_inner_texts()
    numbers = [float(change.replace("−", "-")) for change in changes]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) == 7
    assert page.locator(f"{PART} th[aria-sort=descending]").count() == 1
    assert float(page.locator(f"{PART} .xp-part").get_attribute("data-sort-ms")) < 200

    before = page.locator(f"{PART} .it-score").first.inner_text()
    page.locator(PART).get_by_role("button", name="Embedding model", exact=True).click()
    wait_until(page, f"text => document.querySelector('{PART} .it-score').innerText !== text", before)
    assert (
        page.locator(f"{PART} .it-sent pre").nth(1).text_content()
        == "How deep does the Great Red Spot reach?"
    )

    count = drawn(page, "instructions-table")
    page.locator("#instructions-others textarea").fill("只检索关于木星的段落")
    page.locator("#instructions-queries textarea").fill("Which lake is deepest?")
    page.locator("#instructions-run").click()
    drawn_again(page, "instructions-table", count)
    assert "只检索关于木星的段落" in page.locator(f"{PART} .it-legend").inner_text()
    page.locator(f"{PART} .it-query").select_option(label="Which lake is deepest?")
    assert page.locator(ROWS).count() == 7
    page.locator("#instructions-caption").get_by_text("fp32 on CPU").first.wait_for()
