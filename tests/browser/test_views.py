"""What a person does: open each view, change an input, see the result change, upload a file, click."""

from __future__ import annotations

import json

import pytest
from views import (
    FIRST_RESULT,
    card_texts,
    csv_file,
    first_cards,
    first_map,
    map_uploaded,
    open_view,
    upload_corpus,
    wait_until,
)


def test_rerank_opens_with_a_worked_example_and_answers_a_changed_query(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
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


def test_documents_may_come_from_a_file_and_from_a_table(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
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
    first_map(page)
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
    first_map(page)
    topics = {"sea": "waves and tides on the coast", "bread": "dough and yeast in the oven"}
    rows = [(f"{phrase}, note {n}", topic) for topic, phrase in topics.items() for n in range(12)]
    upload_corpus(page, csv_file(("text", "topic"), rows))
    page.locator("#map-preview").get_by_text("topic", exact=True).first.wait_for()
    map_uploaded(page, 24)


STOPPED = 3_000


def test_stop_ends_the_work_and_leaves_the_last_map(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_map(page)
    caption = page.locator("#map-caption").inner_text()
    title = page.locator("#map-points .xp-title").inner_text()
    words = (
        "wave",
        "tide",
        "coast",
        "yeast",
        "dough",
        "oven",
        "orbit",
        "comet",
        "ledger",
        "invoice",
        "refund",
        "tax",
    )
    rows = [
        (f"{' '.join(words[(n * k) % 12] for k in range(1, 90))} {n}", words[n % 12]) for n in range(STOPPED)
    ]
    upload_corpus(page, csv_file(("text", "topic"), rows))
    page.locator("#map-run").click()
    page.locator("#map-caption .progress-text, #map-caption .progress-level").first.wait_for(
        timeout=FIRST_RESULT
    )
    page.locator("#map-stop").click()
    page.locator("#map-caption .progress-text, #map-caption .progress-level").first.wait_for(
        state="hidden", timeout=FIRST_RESULT
    )
    first = page.locator("#map-table tbody tr").first.inner_text()
    page.locator("#map-query textarea").fill("Which planet has rings?")
    page.locator("#map-find").click()
    wait_until(page, "text => document.querySelector('#map-table tbody tr').innerText !== text", first)
    assert page.locator("#map-points .xp-title").inner_text() == title
    assert page.locator("#map-caption").inner_text() == caption


def test_a_mistake_is_said_in_one_sentence_and_nothing_shown_is_lost(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    before = card_texts(page)
    page.locator("#rerank-query textarea").fill("   ")
    page.locator("#rerank-run").click()
    page.get_by_text("There is no query to look for").wait_for()
    assert card_texts(page) == before


def test_a_renamed_binary_is_refused_by_name_of_what_it_is(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_map(page)
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
    first_cards(page)
    assert ("对数几率" in page.locator("#rerank-cards").inner_text()) == (locale == "zh-CN")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_no_view_is_wider_than_the_screen(site: str, open_page, width: int, dark: bool) -> None:
    page, _ = open_page(site, width=width, dark=dark)
    first_cards(page)
    for name in ("Rerank", "Similarity", "Dimensions", "Map", "Models"):
        open_view(page, name)
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
