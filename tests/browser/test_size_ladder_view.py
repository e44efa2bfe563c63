"""A person compares models of several sizes on the same question."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from views import FIRST_RESULT, first_cards, open_view, wait_until

ORDER = (
    "() => [...document.querySelectorAll('.sl-documents tbody .sl-count')].map((node) => node.textContent)"
)


def test_models_stand_side_by_side_and_any_of_them_can_be_compared_with(
    site: str, open_page, make_model: Callable[..., Path]
) -> None:
    page, _ = open_page(site)
    first_cards(page)
    open_view(page, "Models")
    page.get_by_role("tab", name="Compare sizes").click()
    folder = make_model(family="reranker", tied=False)
    page.locator("#ladder-folders textarea").fill(f"{folder}\n/no/such/folder")
    page.locator("#ladder-run").click()
    rows = page.locator("#ladder-table .sl-models tbody tr")
    rows.nth(1).wait_for(timeout=FIRST_RESULT)
    assert rows.count() == 2
    assert re.search(r"\d (ms|s)", rows.nth(0).inner_text())
    assert "MB" in rows.nth(0).inner_text()
    assert "There is no model" in page.locator("#ladder-notices").inner_text()
    assert "fp32 on CPU" in page.locator("#ladder-caption").inner_text()

    first = page.evaluate(ORDER)
    page.locator("#ladder-table .sl-sort").nth(2).click()
    assert sorted(page.evaluate(ORDER)) == sorted(first)
    ranks = page.locator("#ladder-table .sl-documents tbody tr td:nth-child(3) .sl-rank").all_inner_texts()
    assert [int(text.strip().lstrip("#")) for text in ranks] == list(range(1, len(first) + 1))

    page.locator("#ladder-table .sl-model").nth(1).press("Enter")
    wait_until(page, "() => document.querySelector('#ladder-table .xp-part').dataset.against === '1'")
    assert page.locator("#ladder-table .sl-model").nth(1).get_attribute("aria-pressed") == "true"
    assert page.locator("#ladder-table .sl-documents tbody td:nth-child(2) .sl-change").count() == len(first)
    assert page.locator("#ladder-table .sl-documents tbody td:nth-child(3) .sl-change").count() == 0
    told = page.locator("#ladder-table .sl-documents tbody td:nth-child(2)").first.get_attribute("title")
    assert "log-odds" in told and "instead of" in told
