"""The Counterfactuals panel: edit, press a change, undo, restore, adopt; hostile texts stay text."""

from __future__ import annotations

import re

from views import FIRST_RESULT, first_cards, open_panel, wait_until

HOSTILE = "<img src=x onerror=window.stolen=true> Eggs keep three weeks. They are safe."
ROWS = "#counterfactuals-history .ee-row"


def opened(site: str, open_page, **options):
    page, watch = open_page(site, **options)
    first_cards(page)
    open_panel(page, "Counterfactuals")
    page.locator(ROWS).first.wait_for(timeout=FIRST_RESULT)
    return page, watch


def steps(page, count: int) -> None:
    wait_until(page, "([rows, n]) => document.querySelectorAll(rows).length === n", [ROWS, count])


def document_is(page, pattern: str) -> None:
    script = "p => new RegExp(p).test(document.querySelector('#counterfactuals-document textarea').value)"
    wait_until(page, script, pattern)


def test_an_edit_is_scored_beside_its_history_and_undone_without_the_model(site: str, open_page) -> None:
    page, _ = opened(site, open_page)
    document = page.locator("#counterfactuals-document textarea")
    assert document.input_value().startswith("The Great Red Spot")
    document.fill(HOSTILE)
    page.locator("#counterfactuals-score").click()
    steps(page, 2)
    page.locator("#counterfactuals-number").click()
    steps(page, 3)
    document_is(page, "six weeks")
    row = page.locator(ROWS).nth(2)
    assert row.locator("del").inner_text() == "three" and row.locator("ins").inner_text() == "six"
    assert re.search(r"[▲▼=] [+−]?\d\.\d\d", row.inner_text())
    assert "From the cache: the query’s vector." in row.inner_text()
    page.locator("#counterfactuals-negate").click()
    steps(page, 4)
    document_is(page, "are not safe")
    page.locator("#counterfactuals-undo").click()
    document_is(page, "six weeks. They are safe")
    page.locator("#counterfactuals-redo").click()
    document_is(page, "are not safe")
    page.locator(ROWS).nth(1).locator("button").press("Enter")
    document_is(page, "three weeks")
    assert page.locator(ROWS).nth(1).locator("[aria-current=step]").count() == 1
    assert page.locator(ROWS).count() == 4
    assert page.evaluate("() => window.stolen") is None


def test_every_change_is_tried_sorted_in_the_browser_and_one_is_adopted(site: str, open_page) -> None:
    page, watch = opened(site, open_page)
    page.locator("#counterfactuals-try_all").click()
    tried = page.locator("#counterfactuals-tried .ee-row")
    tried.nth(3).wait_for(timeout=FIRST_RESULT)
    assert "possible changes" in page.locator("#counterfactuals-tried .xp-title").inner_text()
    asked = len(watch.requests)
    page.locator("#counterfactuals-tried [data-sort=given]").click()
    assert [row.get_attribute("data-index") for row in tried.all()][:3] == ["1", "2", "3"]
    assert [url for url in watch.requests[asked:] if "queue/join" in url] == []
    tried.nth(0).locator("button").click()
    steps(page, 2)
    page.locator("#counterfactuals-tried details summary").click()
    assert page.locator("#counterfactuals-tried tbody tr").count() == tried.count()
    page.locator("#counterfactuals-place").get_by_text("Query").click()
    page.locator("#counterfactuals-number").click()
    page.get_by_text("There is no number in this text").wait_for()
    assert page.locator(ROWS).count() == 2


def test_a_query_is_translated_only_when_a_translation_is_stored(site: str, open_page) -> None:
    page, _ = opened(site, open_page)
    page.locator("#counterfactuals-place").get_by_text("Query").click()
    page.locator("#counterfactuals-translate").click()
    steps(page, 2)
    query = page.locator("#counterfactuals-query textarea")
    assert query.input_value() == "大红斑有多深？"
    query.fill("Nobody translated this")
    page.locator("#counterfactuals-translate").click()
    page.get_by_text("No translation of this text is stored").wait_for()
