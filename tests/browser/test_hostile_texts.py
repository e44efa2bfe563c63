"""Thirty hostile texts through every view: each is shown as the characters it is made of, and does nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from views import (
    FIRST_RESULT,
    csv_file,
    first_cards,
    first_map,
    map_uploaded,
    open_view,
    upload_corpus,
    wait_until,
)

PAYLOADS = list(tomllib.loads((Path(__file__).parent / "payloads.toml").read_text("utf-8")).values())
RUNNING = (
    "[onerror], [onload], [onbegin], [ontoggle], [onfocus], [onmouseover], iframe[srcdoc], img[src^='//'],"
    " a[href^='javascript:'], a[href^='data:text'], a[href*='example.org'], script[src*='example.org']"
)


@pytest.fixture
def visit(site: str, open_page: Callable[..., Any]) -> Iterator[Any]:
    """The page; afterwards nothing may have run, opened or been asked of another host."""
    page, watch = open_page(site)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield page
    page.wait_for_timeout(300)
    assert page.evaluate("window.__xss") is None
    assert dialogs == []
    assert page.locator(RUNNING).count() == 0
    assert len(page.context.pages) == 1
    watch.check()


def texts_of(page: Any, selector: str) -> list[str]:
    return page.eval_on_selector_all(selector, "nodes => nodes.map(node => node.textContent)")


def not_literal(page: Any, selector: str) -> list[str]:
    """The payloads that stand nowhere under ``selector`` exactly as they were typed."""
    whole = "\n".join(texts_of(page, selector))
    return [payload for payload in PAYLOADS if payload not in whole]


def fill(page: Any, box: str, text: str) -> None:
    page.locator(f"#{box} textarea, #{box} input").first.fill(text)


def test_thirty_different_texts() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) == 30


def test_in_the_rerank_view(visit: Any) -> None:
    first_cards(visit)
    fill(visit, "rerank-query", " ".join(PAYLOADS))
    fill(visit, "rerank-instruction", " ".join(PAYLOADS))
    fill(visit, "rerank-lines", "\n".join(PAYLOADS))
    visit.locator("#rerank-run").click()
    wait_until(visit, "() => document.querySelectorAll('#rerank-cards .rc-card').length === 30")
    assert sorted(texts_of(visit, "#rerank-cards .rc-text")) == sorted(PAYLOADS)
    assert not_literal(visit, "#rerank-cards .xp-table td") == []
    open_view(visit, "Prompt")
    wait_until(visit, "() => document.querySelector('#rerank-prompt').innerText.length > 5000")
    visit.locator("#rerank-prompt .ts-head button").first.click()
    wait_until(visit, "() => document.querySelector('#rerank-prompt [role=status]').textContent !== ''")
    read = visit.evaluate("navigator.clipboard.readText()")
    whole = " ".join(payload for payload in PAYLOADS if payload.isascii())
    assert f"<Instruct>: {whole}" in read
    assert f"<Query>: {whole}" in read


def test_in_a_file_of_the_rerank_view(visit: Any) -> None:
    first_cards(visit)
    visit.locator("#rerank-source").get_by_text("File").click()
    rows = [[text, *PAYLOADS[1:]] for text in PAYLOADS]
    file = csv_file(PAYLOADS, rows, name="<img src=x onerror=window.__xss=25>.csv")
    visit.locator("#rerank-file input[type=file]").set_input_files(file)
    column = visit.locator("#rerank-column input")
    column.wait_for()
    column.click()
    visit.locator("[role=option]").first.wait_for()
    assert not_literal(visit, "[role=option]") == []
    visit.get_by_role("option", name=PAYLOADS[0], exact=True).click()
    visit.locator("#rerank-run").click()
    wait_until(visit, "() => document.querySelectorAll('#rerank-cards .rc-card').length === 30")
    assert not_literal(visit, "#rerank-cards .rc-text") == []


def test_in_the_similarity_view(visit: Any) -> None:
    open_view(visit, "Similarity")
    stage = visit.locator("#similarity-heatmap .ch-stage")
    stage.wait_for(timeout=FIRST_RESULT)
    visit.locator("#similarity-heatmap .ch-random").first.wait_for(state="attached")
    for box in ("queries", "documents"):
        fill(visit, f"similarity-{box}", "\n".join(PAYLOADS))
    fill(visit, "similarity-instruction", PAYLOADS[0])
    visit.locator("#similarity-run").click()
    wait_until(visit, "() => document.querySelectorAll('#similarity-heatmap tbody tr').length === 30")
    visit.locator("#similarity-heatmap .ch-random").first.wait_for(state="attached")
    assert not_literal(visit, "#similarity-heatmap .xp-table") == []
    area = stage.bounding_box()
    for share in (0.4, 0.6, 0.9):
        stage.click(position={"x": area["width"] * share, "y": area["height"] * share * 0.7})
        stage.locator(".xp-tip span").wait_for()
        assert any(payload in stage.locator(".xp-tip").text_content() for payload in PAYLOADS)
        visit.locator("#similarity-pair .pair").wait_for()
        assert [side in PAYLOADS for side in sides(visit)] == [True, True]


def sides(page: Any) -> list[str]:
    """The two texts of the pair that was clicked, without their headings."""
    return page.eval_on_selector_all(
        "#similarity-pair .side", "nodes => nodes.map(n => n.lastChild.textContent)"
    )


def test_in_the_dimensions_view(visit: Any) -> None:
    open_view(visit, "Dimensions")
    visit.locator("#dimensions-view .dv-item").first.wait_for(timeout=FIRST_RESULT)
    for box in ("queries", "documents"):
        fill(visit, f"dimensions-{box}", "\n".join(PAYLOADS))
    fill(visit, "dimensions-instruction", PAYLOADS[0])
    visit.locator("#dimensions-run").click()
    wait_until(visit, "() => document.querySelectorAll('#dimensions-view .dv-item').length === 30")
    assert not_literal(visit, "#dimensions-view .dv-text") == []


def test_in_the_map_view(visit: Any) -> None:
    first_map(visit)
    header = ["document", *PAYLOADS]
    rows = [
        [f"{PAYLOADS[row]} {copy}", *(PAYLOADS[(row + place) % 30] for place in range(30))]
        for copy in range(2)
        for row in range(30)
    ]
    upload_corpus(visit, csv_file(header, rows, name="<svg onload=window.__xss=26>.csv"))
    map_uploaded(visit, len(rows))
    assert not_literal(visit, "#map-points .xp-table td") == []
    assert visit.locator("#map-points .sm-key").count() >= 8
    for key in texts_of(visit, "#map-points .sm-key span"):
        assert key == "other" or any(payload.startswith(key.removesuffix("…")) for payload in PAYLOADS), key
    visit.locator("#map-colour input").click()
    visit.locator("[role=option]").first.wait_for()
    assert not_literal(visit, "[role=option]") == []
    visit.keyboard.press("Escape")
    visit.locator("#map-points [role=application]").focus()
    visit.keyboard.press("ArrowRight")
    visit.keyboard.press("Enter")
    visit.locator("#map-chosen .document-panel").wait_for()
    (shown,) = texts_of(visit, "#map-chosen .document-panel p")
    assert shown[:-2] in PAYLOADS
    assert shown in texts_of(visit, "#map-points .xp-tip")[0]
    assert {fact in PAYLOADS for fact in texts_of(visit, "#map-chosen dt, #map-chosen dd")} == {True}
    assert {cell[:-2] in PAYLOADS for cell in texts_of(visit, "#map-table td:last-child")} == {True}


def test_in_error_messages(visit: Any) -> None:
    open_view(visit, "Models")
    visit.locator("#models-catalogue tbody tr").first.wait_for(timeout=FIRST_RESULT)
    for payload in PAYLOADS:
        visit.locator("#models-model input").fill(payload)
        visit.keyboard.press("Enter")
        visit.locator("#models-load").click()
        said = visit.locator("[data-testid=toast-text]").first
        said.wait_for()
        assert payload in said.text_content()
        visit.locator("[data-testid=toast-close]").first.click()
        said.wait_for(state="detached")
