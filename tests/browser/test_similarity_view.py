"""The Similarity view as a person uses it: read a cell, see what is high for this model, compare two variants."""

from __future__ import annotations

import re

from views import FIRST_RESULT, open_view, wait_until

RANDOM_PAIRS = "() => document.querySelector('#similarity-heatmap .ch-random')"


def test_a_clicked_cell_is_read_and_placed_among_random_pairs(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Similarity")
    wait_until(page, RANDOM_PAIRS)
    heatmap = page.locator("#similarity-heatmap")
    assert re.match(
        r"\d+ of \d+ pairs are closer than 99% of random pairs", heatmap.locator("h3").inner_text()
    )
    heatmap.locator("input[value=document_document]").check(force=True)
    heatmap.locator("input[value=clustered]").check(force=True)
    box = heatmap.locator(".ch-stage").bounding_box()
    heatmap.locator(".ch-stage").click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.2})
    pair = page.locator("#similarity-pair")
    pair.locator(".pair").wait_for()
    assert pair.locator(".side").count() == 2
    assert re.search(r"-?\d\.\d{3}", pair.inner_text())
    assert "random pairs of unrelated texts" in pair.inner_text()


def test_two_variants_are_subtracted_and_a_cell_tells_both_cosines(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Similarity")
    wait_until(page, RANDOM_PAIRS)
    page.locator("#similarity-variants button").first.click()
    page.locator("#similarity-subtract").click()
    heatmap = page.locator("#similarity-heatmap")
    heatmap.locator(".ch-variants").wait_for(timeout=FIRST_RESULT)
    assert "no instruction" in heatmap.locator(".ch-variants li").nth(1).inner_text()
    assert heatmap.locator("h3").inner_text().startswith("The largest change is")
    box = heatmap.locator(".ch-stage").bounding_box()
    heatmap.locator(".ch-stage").click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.2})
    lines = page.locator("#similarity-pair .source")
    page.locator("#similarity-pair .pair").wait_for()
    assert [line[:3] for line in lines.all_inner_texts()] == ["A: ", "B: "]
    page.locator("#similarity-heatmap input[value=document_document]").check(force=True)
    assert heatmap.locator("h3").inner_text().startswith("A and B agree"), "documents carry no instruction"
