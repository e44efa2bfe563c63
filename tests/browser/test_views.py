"""What a person does: open each view, change an input, see the result change, upload a file, click."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRST_RESULT = 90_000
HOSTILE = [
    "<img src=x onerror=\"window.__xss='img'\">",
    "<script>window.__xss='script'</script>",
    "<svg onload=\"window.__xss='svg'\">",
    "<b>bold</b> <a href=\"javascript:window.__xss='link'\">link</a>",
    "{{constructor.constructor('window.__xss=1')()}}",
    "${window.__xss='template'}",
    "</textarea><script>window.__xss='textarea'</script>",
    '"><iframe srcdoc="<script>parent.__xss=\'frame\'</script>">',
]


@pytest.fixture(scope="session")
def site(start_server: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    return start_server("app.py", "--port", "{port}", "--data-dir", str(tmp_path_factory.mktemp("data")))


def open_view(page: Any, name: str) -> None:
    page.get_by_role("tab").first.wait_for(timeout=FIRST_RESULT)
    tab = page.get_by_role("tab", name=name, exact=True)
    if tab.count() and tab.first.is_visible():
        tab.first.click()
        return
    page.locator(".overflow-menu > button").first.click()
    page.locator(".overflow-dropdown button", has_text=name).first.click()


def drawn(page: Any, part: str) -> int:
    return int(page.locator(f"#{part} .xp-part").get_attribute("data-drawn") or 0)


def wait_until(page: Any, script: str, argument: Any = None, timeout: int = FIRST_RESULT) -> None:
    page.wait_for_function(script, arg=argument, timeout=timeout)


def card_texts(page: Any) -> list[str]:
    return page.locator("#rerank-cards .rc-card").all_inner_texts()


def upload_csv(page: Any, rows: list[dict[str, str]], name: str = "corpus.csv") -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    file = {"name": name, "mimeType": "text/csv", "buffer": text.getvalue().encode()}
    page.locator("#map-upload input[type=file]").set_input_files(file)
    page.locator("#map-preview").get_by_text(next(iter(rows[0])), exact=True).first.wait_for()


def test_rerank_opens_with_a_worked_example_and_answers_a_changed_query(site: str, open_page) -> None:
    page, _ = open_page(site)
    page.locator("#rerank-cards .rc-card").first.wait_for(timeout=FIRST_RESULT)
    before = card_texts(page)
    assert len(before) >= 6
    page.locator("#rerank-caption").get_by_text("fp32 on CPU").wait_for()
    page.locator("#rerank-query textarea").fill("Which documents mention gift cards?")
    page.locator("#rerank-run").click()
    wait_until(
        page,
        "before => JSON.stringify([...document.querySelectorAll('#rerank-cards .rc-card')].map(c => c.innerText))"
        " !== before",
        json.dumps(before),
    )
    assert len(card_texts(page)) == len(before)


def test_the_exact_prompt_of_a_clicked_card_is_shown_with_its_token_ids(site: str, open_page) -> None:
    page, _ = open_page(site)
    page.locator("#rerank-cards .rc-card").first.wait_for(timeout=FIRST_RESULT)
    page.locator("#rerank-prompt-panel button").first.click()
    strip = page.locator("#rerank-prompt")
    strip.get_by_text("<|im_start|>").first.wait_for()
    last = page.locator("#rerank-cards .rc-card").last
    words = re.findall(r"[A-Za-z]{5,}", last.inner_text())
    last.click()
    strip.get_by_text("</think>").first.wait_for()
    wait_until(
        page,
        "word => document.querySelector('#rerank-prompt').innerText.replace(/\\s/g, '').includes(word.slice(0, 3))",
        words[0],
    )


def test_documents_may_come_from_a_file_and_from_a_table(site: str, open_page) -> None:
    page, _ = open_page(site)
    page.locator("#rerank-cards .rc-card").first.wait_for(timeout=FIRST_RESULT)
    page.locator("#rerank-source").get_by_text("File").click()
    body = "id,passage\n1,Eggs keep three weeks in the fridge.\n2,Owls hunt at night.\n3,Tides follow the Moon.\n"
    file = {"name": "passages.csv", "mimeType": "text/csv", "buffer": body.encode()}
    page.locator("#rerank-file input[type=file]").set_input_files(file)
    page.locator("#rerank-column").wait_for()
    page.locator("#rerank-run").click()
    page.locator("#rerank-cards").get_by_text("Owls hunt at night.").first.wait_for(timeout=FIRST_RESULT)
    assert len(card_texts(page)) == 3
    page.locator("#rerank-source").get_by_text("Table").click()
    page.locator("#rerank-table").wait_for()
    page.locator("#rerank-run").click()
    wait_until(page, "() => document.querySelectorAll('#rerank-cards .rc-card').length > 3")


def test_similarity_reorders_and_a_clicked_cell_is_read(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Similarity")
    heatmap = page.locator("#similarity-heatmap .js-plotly-plot")
    heatmap.wait_for(timeout=FIRST_RESULT)
    count = drawn(page, "similarity-heatmap")
    page.locator("#similarity-pairs").get_by_text("Documents with documents").click()
    wait_until(page, "n => +document.querySelector('#similarity-heatmap .xp-part').dataset.drawn > n", count)
    count = drawn(page, "similarity-heatmap")
    page.locator("#similarity-order").get_by_text("Similar side by side").click()
    wait_until(page, "n => +document.querySelector('#similarity-heatmap .xp-part').dataset.drawn > n", count)
    box = heatmap.locator(".plot .heatmaplayer, .bglayer .bg, .nsewdrag").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
    pair = page.locator("#similarity-pair .pair")
    pair.wait_for()
    assert re.search(r"-?\d\.\d{3}", pair.inner_text())
    assert pair.locator(".side").count() == 2


def test_the_dimension_slider_moves_heatmap_and_ranking_without_asking_the_server(
    site: str, open_page
) -> None:
    page, watch = open_page(site)
    open_view(page, "Dimensions")
    view = page.locator("#dimensions-view")
    slider = view.locator("input[type=range]")
    slider.wait_for(timeout=FIRST_RESULT)
    before = view.inner_text()
    asked = len(watch.requests)
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    wait_until(page, "text => document.querySelector('#dimensions-view').innerText !== text", before)
    new = [url for url in watch.requests[asked:] if "heartbeat" not in url and "queue" not in url]
    assert [url for url in new if "dimension" in url] == []
    assert float(view.locator(".xp-part").get_attribute("data-step-ms")) < 200


def test_map_shows_the_demo_corpus_a_clicked_document_and_where_a_query_lands(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Map")
    page.locator("#map-points .js-plotly-plot").wait_for(timeout=FIRST_RESULT)
    assert "documents" in page.locator("#map-caption").inner_text()
    stage = page.locator("#map-points [role=application]")
    stage.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#map-chosen .document-panel").wait_for()
    assert page.locator("#map-table tbody tr").count() >= 5
    first = page.locator("#map-table tbody tr").first.inner_text()
    page.locator("#map-query textarea").fill("Which planet has rings?")
    page.locator("#map-find").click()
    wait_until(page, "text => document.querySelector('#map-table tbody tr').innerText !== text", first)
    assert "True neighbours of the query" in page.locator("#map-table caption").inner_text()


def test_an_uploaded_file_is_previewed_and_mapped(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Map")
    page.locator("#map-points .js-plotly-plot").wait_for(timeout=FIRST_RESULT)
    topics = {"sea": "waves and tides on the coast", "bread": "dough and yeast in the oven"}
    rows = [
        {"text": f"{phrase}, note {n}", "topic": topic} for topic, phrase in topics.items() for n in range(12)
    ]
    upload_csv(page, rows)
    page.locator("#map-run").click()
    page.locator("#map-caption").get_by_text("24 documents").wait_for(timeout=FIRST_RESULT)
    page.locator("#map-points").get_by_text("24 documents").first.wait_for()


def test_hostile_text_stays_text_in_every_view(site: str, open_page) -> None:
    page, _ = open_page(site)
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    page.locator("#rerank-cards .rc-card").first.wait_for(timeout=FIRST_RESULT)
    page.locator("#rerank-query textarea").fill(HOSTILE[0])
    page.locator("#rerank-lines textarea").fill("\n".join(HOSTILE))
    page.locator("#rerank-run").click()
    page.locator("#rerank-cards").get_by_text("window.__xss='svg'").first.wait_for(timeout=FIRST_RESULT)
    open_view(page, "Similarity")
    for box in ("queries", "documents"):
        page.locator(f"#similarity-{box} textarea").fill("\n".join(HOSTILE))
    count = drawn(page, "similarity-heatmap")
    page.locator("#similarity-run").click()
    wait_until(page, "n => +document.querySelector('#similarity-heatmap .xp-part').dataset.drawn > n", count)
    open_view(page, "Map")
    rows = [{"text": f"{text} {n}", "<i>kind</i>": HOSTILE[n % 3]} for n in range(3) for text in HOSTILE]
    upload_csv(page, rows, name="<img src=x onerror=window.__xss=1>.csv")
    page.locator("#map-run").click()
    page.locator("#map-caption").get_by_text("24 documents").wait_for(timeout=FIRST_RESULT)
    page.locator("#map-points [role=application]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#map-chosen .document-panel").wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("window.__xss") is None
    assert page.locator("#map-chosen img, #map-table img, #map-table script, #map-chosen iframe").count() == 0


def test_a_mistake_is_said_in_one_sentence_and_nothing_shown_is_lost(site: str, open_page) -> None:
    page, _ = open_page(site)
    page.locator("#rerank-cards .rc-card").first.wait_for(timeout=FIRST_RESULT)
    before = card_texts(page)
    page.locator("#rerank-query textarea").fill("   ")
    page.locator("#rerank-run").click()
    page.get_by_text("There is no query to look for").wait_for()
    assert card_texts(page) == before


def test_a_renamed_binary_is_refused_by_name_of_what_it_is(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Map")
    page.locator("#map-points .js-plotly-plot").wait_for(timeout=FIRST_RESULT)
    file = {"name": "corpus.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(2000)}
    page.locator("#map-upload input[type=file]").set_input_files(file)
    page.get_by_text("its content is PNG").wait_for()


def test_models_view_lists_the_family_and_says_whether_one_fits(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Models")
    rows = page.locator("#models-catalogue tbody tr")
    rows.nth(7).wait_for(timeout=FIRST_RESULT)
    assert "Qwen/Qwen3-Reranker-8B" in rows.nth(7).inner_text()
    page.locator("#models-check").click()
    page.locator("#models-status").get_by_text("free").wait_for()


@pytest.mark.parametrize(("locale", "tab"), [("zh-CN", "重排序"), ("en-GB", "Rerank")])
def test_the_page_speaks_the_browsers_language(site: str, open_page, locale: str, tab: str) -> None:
    page, _ = open_page(site, locale=locale)
    page.get_by_role("tab", name=tab, exact=True).wait_for(timeout=FIRST_RESULT)
    page.locator("#rerank-cards .rc-card").first.wait_for(timeout=FIRST_RESULT)
    assert ("对数几率" in page.locator("#rerank-cards").inner_text()) == (locale == "zh-CN")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_no_view_is_wider_than_the_screen(site: str, open_page, width: int, dark: bool) -> None:
    page, _ = open_page(site, width=width, dark=dark)
    page.locator("#rerank-cards .rc-card").first.wait_for(timeout=FIRST_RESULT)
    for name in ("Rerank", "Similarity", "Dimensions", "Map", "Models"):
        open_view(page, name)
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
