"""The heatmap and what all drawings have in common: no markup from texts, a table, light and dark, no upload."""

from __future__ import annotations

import pytest
from parts import drawn, logged, press


def test_hostile_text_stays_text(visit):
    page, _ = visit()
    for tab, part in [("Similarity", "heatmap"), ("Dimensions", "dimensions"), ("Map", "map")]:
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_selector(f"#{part} [data-ready=yes]")
        if part in {"heatmap", "map"}:
            drawn(page, part)
    press(page, "mark")
    page.wait_for_selector("#map .sm-star")
    page.keyboard.press("Tab")
    assert page.evaluate("window.broken") is None
    assert page.locator(".xp-part img, .xp-part script, .xp-part a[href^=javascript]").count() == 0
    page.get_by_role("tab", name="Rerank", exact=True).click()
    text = page.locator('#cards .rc-card[data-index="5"] .rc-text').text_content()
    assert "<img src=x onerror=" in text
    assert "{{constructor}} ${window.broken='template'} &lt;b&gt;" in text


def test_hover_over_a_hostile_cell_shows_its_characters(visit):
    page, _ = visit("Similarity")
    drawn(page, "heatmap")
    box = page.locator("#heatmap .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.9)
    page.wait_for_timeout(200)
    page.mouse.move(box["x"] + box["width"] * 0.55 + 2, box["y"] + box["height"] * 0.9)
    page.wait_for_function("document.querySelector('#heatmap .hoverlayer').textContent.includes('<script>')")
    said = page.locator("#heatmap .hoverlayer").text_content()
    assert "cosine similarity of" in said
    assert page.evaluate("window.broken") is None


def test_a_heatmap_cell_tells_its_row_and_column(visit):
    page, _ = visit("Similarity")
    drawn(page, "heatmap")
    box = page.locator("#heatmap .nsewdrag").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.6)
    said = logged(page, "heatmap.pick")
    assert (said["row"], said["column"]) == (2, 2)


def test_no_drawing_offers_to_upload(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    buttons = page.eval_on_selector_all(
        ".modebar-btn", "all => all.map(n => n.dataset.title || n.dataset.attr || '').join()"
    )
    assert "hare" not in buttons
    assert "loud" not in buttons
    assert page.evaluate("document.querySelector('#map .sm-plot')._context.plotlyServerURL") == ""


def test_dark_and_light_follow_the_page(visit):
    page, _ = visit("Similarity")
    drawn(page, "curve")
    color = "() => document.querySelector('#curve .fv-plot')._fullLayout.font.color"
    light = page.evaluate(color)
    page.evaluate("document.body.classList.toggle('dark')")
    drawn(page, "curve", 2)
    assert page.evaluate(color) != light


@pytest.mark.parametrize("part", ["cards", "heatmap", "dimensions", "map"])
def test_every_figure_has_a_table_twin(visit, part):
    tab = {"cards": "Rerank", "heatmap": "Similarity", "dimensions": "Dimensions", "map": "Map"}[part]
    page, _ = visit(tab)
    page.wait_for_selector(f"#{part} .xp-table", state="attached")
    page.click(f"#{part} .xp-table summary")
    assert page.locator(f"#{part} .xp-table tbody tr").count() >= 4
