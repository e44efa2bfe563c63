"""The map of points in a real browser."""

from __future__ import annotations

import pytest
from parts import drawn, logged, press


def point_position(page, row: int) -> dict[str, float]:
    """Where a point of the map lies on the screen, by the map's own axes."""
    return page.evaluate(
        """row => {
          const plot = document.querySelector('#map .sm-plot'), layout = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          const trace = plot._fullData.find(trace => trace.index === row.trace);
          return {x: box.left + layout._size.l + layout.xaxis.d2p(trace.x[row.point]),
                  y: box.top + layout._size.t + layout.yaxis.d2p(trace.y[row.point])};
        }""",
        row,
    )


def lone_point(page) -> dict[str, int]:
    """The first document lies alone at the far left, in the last group."""
    return page.evaluate(
        """() => {
          let best = null;
          for (const trace of document.querySelector('#map .sm-plot')._fullData)
            trace.x.forEach((x, point) => { if (!best || x < best.x) best = {x, trace: trace.index, point}; });
          return {trace: best.trace, point: best.point};
        }"""
    )


def test_a_click_on_a_point_tells_python_which(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    at = point_position(page, lone_point(page))
    page.mouse.move(at["x"] - 30, at["y"])
    page.mouse.move(at["x"], at["y"], steps=3)
    page.wait_for_selector("#map .xp-tip:not([hidden])")
    assert "<img src=x onerror=" in page.locator("#map .xp-tip").text_content()
    page.mouse.click(at["x"], at["y"])
    assert logged(page, "map.pick") == {"part": "map.pick", "index": 0}


def test_a_map_filled_while_its_tab_was_closed_keeps_its_height(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    assert page.locator("#map .sm-stage").bounding_box()["height"] == pytest.approx(520)


def test_the_map_obeys_the_keyboard(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    page.focus("#map .sm-stage")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert logged(page, "map.pick")["index"] > 0


def test_a_lasso_selects_and_escape_clears(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    page.click("#map .modebar-btn[data-val=lasso]")
    box = page.locator("#map .sm-stage").bounding_box()
    left, top, right, bottom = (
        box["x"] + 20,
        box["y"] + 20,
        box["x"] + box["width"] - 60,
        box["y"] + box["height"] - 20,
    )
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in [(right, top), (right, bottom), (left, bottom), (left, top)]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    assert logged(page, "map.lasso")["n"] == 400
    page.focus("#map .sm-stage")
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('#log textarea').value.includes('\"n\": 0')")


def test_marks_are_drawn_over_the_points_without_redrawing_them(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    before = page.get_attribute("#map .xp-part", "data-drawn")
    press(page, "mark")
    page.wait_for_selector("#map .sm-star")
    assert page.locator("#map .sm-neighbor").count() == 2
    assert page.locator("#map .sm-ray").count() == 2
    assert page.get_attribute("#map .xp-part", "data-drawn") == before


def test_points_move_colour_changes_and_an_empty_corpus_is_said(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    x = "() => Array.from(document.querySelector('#map .sm-plot')._fullData[0].x).slice(0, 3)"
    before = page.evaluate(x)
    press(page, "move")
    drawn(page, "map", 2)
    assert page.evaluate(x) == pytest.approx([-value for value in before], abs=1e-4)
    press(page, "values")
    drawn(page, "map", 3)
    assert page.locator("#map .sm-key").count() == 0
    assert page.evaluate("document.querySelector('#map .sm-plot')._fullData[0].marker.showscale")
    press(page, "empty")
    page.wait_for_selector("#map .xp-empty")
    press(page, "big")
    page.wait_for_function("document.querySelector('#map .sm-plot')?._fullData?.[0].type === 'scattergl'")


def test_the_legend_toggles_a_group(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    key = page.locator("#map .sm-key").first
    key.click()
    assert key.get_attribute("aria-pressed") == "false"
    page.wait_for_function("document.querySelector('#map .sm-plot')._fullData[0].visible === 'legendonly'")
