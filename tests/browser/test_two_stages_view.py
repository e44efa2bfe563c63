"""Two stages: from the first look to a line that is read, by mouse and by keyboard, over three corpora."""

from __future__ import annotations

from typing import Any

from views import (
    FIRST_RESULT,
    csv_file,
    drawn,
    drawn_again,
    first_cards,
    map_uploaded,
    open_view,
    upload_corpus,
)

CHART = "#two-stages-chart"
HOSTILE = "<img src=x onerror=alert(1)>"


def open_panel(site: str, open_page: Any, **options: Any) -> Any:
    page, _ = open_page(site, **options)
    first_cards(page)
    open_view(page, "Two stages")
    page.locator(f"{CHART} .bc-row.bc-right").first.wait_for(timeout=FIRST_RESULT)
    return page


def test_a_person_follows_documents_from_rank_to_rank(site: str, open_page) -> None:
    page = open_panel(site, open_page)
    chart, reading = page.locator(CHART), page.locator(f"{CHART} .bc-reading")
    assert chart.locator(".bc-curve").count() == 20
    assert "384 documents" in chart.inner_text() and "nDCG@10" in chart.inner_text()
    assert chart.locator(".bc-right .bc-star").count() >= 1
    assert "Rank" in chart.locator(".bc-missed").inner_text()
    before = reading.inner_text()
    chart.locator(".bc-hit").nth(3).dispatch_event("click", {"bubbles": True})
    clicked = reading.inner_text()
    assert clicked != before and "Log-odds" in clicked and "Rank by cosine" in clicked
    chart.locator(".bc-list").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    chosen = chart.locator("[aria-selected=true]")
    assert chosen.count() == 1 and chosen.locator("b").inner_text() == "2"
    assert chart.locator(".bc-list").get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    text = chosen.locator(".bc-text").inner_text().removeprefix("★ ").rstrip("…")
    assert text[:30] in reading.inner_text()
    chart.locator("summary").click()
    assert chart.locator(".xp-table tbody tr").count() == 20


def test_own_documents_are_searched_as_soon_as_they_are_typed(site: str, open_page) -> None:
    page = open_panel(site, open_page)
    page.locator("#rerank-lines textarea").fill(f"Jupiter has a red spot.\n{HOSTILE}\nBread rises.")
    page.locator("#rerank-query textarea").fill("Which planet has a spot?")
    page.locator("#two-stages-question").wait_for(state="hidden")
    count = drawn(page, "two-stages-chart")
    page.locator("#two-stages-run").click()
    drawn_again(page, "two-stages-chart", count)
    assert page.locator(f"{CHART} .bc-curve").count() == 3
    assert "3 documents" in page.locator(CHART).inner_text()
    assert page.locator(f"{CHART} .bc-right", has_text=HOSTILE).count() == 1, "markup is shown as text"
    assert page.locator(f"{CHART} .bc-left").first.locator(".bc-text").inner_text().startswith("Jupiter")


def test_the_corpus_of_the_map_is_searched(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Map")
    page.locator("#map-points .js-plotly-plot").wait_for(timeout=FIRST_RESULT)
    upload_corpus(page, csv_file(("text",), [(f"Tides follow the Moon, note {n}",) for n in range(9)]))
    map_uploaded(page, 9)
    open_view(page, "Rerank")
    open_view(page, "Two stages")
    page.locator("#two-stages-source").get_by_text("Corpus of the Map").click()
    page.locator("#two-stages-run").click()
    page.locator(CHART).get_by_text("searched 9 documents").wait_for(timeout=FIRST_RESULT)
    assert "Tides follow" in page.locator(f"{CHART} .bc-right").first.inner_text()
