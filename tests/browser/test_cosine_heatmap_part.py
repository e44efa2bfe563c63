"""The heatmap part: reading, order and zoom work in the browser; a chosen text is named by its given place."""

from __future__ import annotations

import json

import pytest
from parts import drawn, logged, press


@pytest.fixture
def heatmap(visit):
    """The page of parts at its heatmap: 4 queries, the last of them hostile, and 10 documents."""
    page, watch = visit("Similarity")
    drawn(page, "heatmap")
    return page, watch


def switch(page, value: str) -> None:
    page.locator(f"#heatmap input[value={value}]").check(force=True)


def spot(page, row: float, column: float, rows: int = 4, columns: int = 10) -> tuple[float, float]:
    """Pixel in the middle of a cell as drawn when everything is shown."""
    stage = page.locator("#heatmap .ch-stage")
    stage.scroll_into_view_if_needed()
    box, left = stage.bounding_box(), round(min(230, max(84, stage.bounding_box()["width"] * 0.27)))
    cell = (box["width"] - left - 2) / columns
    tall = float(page.locator("#heatmap .ch-stage canvas").bounding_box()["height"])
    foot = 58 if box["width"] < 520 else 84
    return box["x"] + left + (column + 0.5) * cell, box["y"] + (row + 0.5) * (tall - foot) / rows


def test_hover_says_the_pair_its_cosine_and_its_place_among_random_pairs_as_plain_text(heatmap) -> None:
    page, _ = heatmap
    page.mouse.move(*spot(page, 3, 0))
    said = page.locator("#heatmap .xp-tip").text_content()
    assert said.startswith("“<img src=x onerror=")
    assert "have a cosine of 0." in said and "random pairs." in said
    assert page.evaluate("window.broken") is None
    page.mouse.move(0, 0)
    assert page.locator("#heatmap .xp-tip").is_hidden()


def test_a_chosen_cell_is_told_by_its_given_place_in_either_order(heatmap) -> None:
    page, _ = heatmap
    page.mouse.click(*spot(page, 1, 2))
    said = logged(page, "heatmap.pick")
    assert (said["pairs"], said["row"], said["column"]) == ("query_document", 1, 2)
    switch(page, "clustered")
    page.mouse.click(*spot(page, 1, 2))
    page.wait_for_function("document.querySelector('#log textarea').value.includes('\"row\": 2')")
    said = json.loads(page.input_value("#log textarea"))
    assert (said["row"], said["column"]) == (2, 7), "the invented order is the given one backwards"


def test_keys_move_a_cell_that_is_read_aloud_and_chosen(heatmap) -> None:
    page, _ = heatmap
    page.locator("#heatmap .ch-stage").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "End"):
        page.keyboard.press(key)
    aloud = page.locator("#heatmap [aria-live]").text_content()
    assert aloud.startswith("“If the reset link has expired") and "“The museum opens" in aloud
    page.keyboard.press("Enter")
    said = logged(page, "heatmap.pick")
    assert (said["row"], said["column"]) == (1, 9)


def test_switches_zoom_and_table_ask_nothing_of_the_server(heatmap) -> None:
    page, watch = heatmap
    press(page, "large")
    page.wait_for_function("document.querySelector('#heatmap .xp-title').textContent.includes('90,000')")
    asked = len(watch.requests)
    switch(page, "document_document")
    assert "of 44,850 pairs" in page.locator("#heatmap .xp-title").text_content(), (
        "each pair once, no diagonal"
    )
    switch(page, "query_document")
    switch(page, "clustered")
    page.click("#heatmap .xp-table summary")
    page.wait_for_function("document.querySelectorAll('#heatmap .xp-table tbody tr').length === 500")
    numbers = page.locator("#heatmap .xp-table tbody td:nth-child(3)").all_text_contents()
    assert numbers == sorted(numbers, reverse=True)
    start, end = spot(page, 100, 100, 300, 300), spot(page, 119, 129, 300, 300)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    page.wait_for_function("document.querySelectorAll('#heatmap .xp-table thead th').length === 31")
    assert page.locator("#heatmap .xp-table tbody tr").count() == 20
    page.locator("#heatmap .ch-zoom button").nth(1).click()
    assert page.locator("#heatmap .ch-zoom button").nth(1).is_hidden()
    assert [url for url in watch.requests[asked:] if "heartbeat" not in url and "queue" not in url] == []


def test_a_difference_names_its_sides_its_largest_change_and_both_numbers(heatmap) -> None:
    page, _ = heatmap
    press(page, "difference")
    page.wait_for_selector("#heatmap .ch-variants")
    assert page.locator("#heatmap .ch-variants li").nth(1).text_content().startswith("B <img src=x")
    assert page.locator("#heatmap .xp-title").text_content().startswith("The largest change is ")
    changes = [
        float(cell.replace("−", "-"))
        for cell in page.locator("#heatmap .xp-table td").all_text_contents()[1::11]
    ]
    assert min(changes) < 0 < max(changes)
    page.mouse.move(*spot(page, 0, 0))
    said = page.locator("#heatmap .xp-tip").text_content()
    first, second, change = numbers_of(said)
    assert change == pytest.approx(second - first, abs=0.0011)
    switch(page, "second")
    assert "random pairs" in page.locator("#heatmap .xp-title").text_content()


def numbers_of(said: str) -> tuple[float, float, float]:
    """Both cosines and the change in a sentence about one cell."""
    plain = said.replace("−", "-")
    first = float(plain.split("a cosine of ")[1].split(" ")[0])
    second = float(plain.split("in A and ")[1].split(" ")[0])
    return first, second, float(plain.split("a change of ")[1].rstrip("."))
