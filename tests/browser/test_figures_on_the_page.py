"""What all drawings have in common: no markup from texts, a table, light and dark, no upload."""

from __future__ import annotations

import pytest
from parts import drawn, press


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
