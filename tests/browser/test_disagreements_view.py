"""Disagreements: the scatter, its cuts by mouse and keyboard, and pairs that are read, all within the browser."""

from __future__ import annotations

import re
from typing import Any

from views import FIRST_RESULT, drawn, drawn_again, first_cards, open_view

PLOT = "#disagreements-plot"


def counts(page: Any) -> tuple[int, int]:
    part = page.locator(f"{PLOT} .xp-part")
    return int(part.get_attribute("data-friends")), int(part.get_attribute("data-gems"))


def test_a_person_finds_false_friends_and_hidden_gems(site: str, open_page) -> None:
    page, watch = open_page(site)
    first_cards(page)
    open_view(page, "Disagreements")
    plot, reading = page.locator(PLOT), page.locator(f"{PLOT} .qp-reading")
    plot.locator(".qp-canvas").wait_for(timeout=FIRST_RESULT)
    friends, gems = counts(page)
    assert re.match(
        rf"{friends} false friends and {gems} hidden gems among 200 pairs", plot.locator("h3").inner_text()
    )
    assert "40 of 384 documents" in page.locator("#disagreements-notices").inner_text()
    asked = len(watch.requests)

    yes = plot.get_by_role("slider", name="Log-odds above which")
    yes.focus()
    for _ in range(3):
        page.keyboard.press("PageDown")
    assert counts(page)[0] < friends, "fewer are judged no when the line lies lower"
    assert float(yes.get_attribute("aria-valuenow")) < -2.9

    close = plot.get_by_role("slider", name="Cosine above which")
    box = close.bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=4)
    page.mouse.up()
    assert counts(page)[1] > 0, "far pairs that are judged yes appear when the line moves right"

    gem = plot.locator(".qp-gem .qp-pair").first
    gem.click()
    assert gem.get_attribute("aria-pressed") == "true"
    assert "Hidden gem" in reading.inner_text() and "P(yes)" in reading.inner_text()
    assert gem.locator(".qp-document").inner_text()[:30] in reading.inner_text()
    plot.get_by_role("button", name="Put the lines back").click()
    assert counts(page) == (friends, gems)
    new = [url for url in watch.requests[asked:] if "heartbeat" not in url and "queue" not in url]
    assert new == [], "nothing of this asks the server"


def test_a_clicked_point_is_read_and_too_many_pairs_are_refused(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    open_view(page, "Disagreements")
    page.locator(f"{PLOT} .qp-canvas").wait_for(timeout=FIRST_RESULT)
    page.locator("#disagreements-queries textarea").fill("")
    page.locator("#rerank-lines textarea").fill("Jupiter has a red spot.\nOwls hunt at night.\nBread rises.")
    page.locator("#disagreements-source").get_by_label("Documents at the left").and_(
        page.locator("input:checked")
    ).wait_for(state="attached")
    count = drawn(page, "disagreements-plot")
    page.locator("#disagreements-run").click()
    drawn_again(page, "disagreements-plot", count)
    canvas = page.locator(f"{PLOT} .qp-canvas")
    canvas.scroll_into_view_if_needed()
    before = page.locator(f"{PLOT} .qp-reading").inner_text()
    canvas.click(position=lowest_point(page))
    assert page.locator(f"{PLOT} .qp-reading").inner_text() != before
    page.locator("#disagreements-queries textarea").fill("\n".join(f"query {n}" for n in range(30)))
    page.locator("#disagreements-run").click()
    page.get_by_text("There are 31 texts").wait_for()


def lowest_point(page: Any) -> dict[str, float]:
    """Where the left-most hollow circle was drawn: the plot's own scale, read from its axis."""
    return page.evaluate(
        """() => {
            const canvas = document.querySelector("#disagreements-plot .qp-canvas");
            const { width, height } = canvas, ratio = devicePixelRatio || 1;
            const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            for (let x = 0; x < width; x++) for (let y = 0; y < height; y++)
                if (pixels[4 * (y * width + x) + 3] > 100) return { x: x / ratio + 4, y: y / ratio };
        }"""
    )
