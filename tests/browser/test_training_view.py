"""The Training view as a person takes its five steps, with hostile pairs, on a phone and in Chinese."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from views import FIRST_RESULT, csv_file, drawn, open_view, wait_until

PAYLOADS = list(tomllib.loads((Path(__file__).parent / "payloads.toml").read_text("utf-8")).values())
RUN = 240_000
"""Milliseconds for a short run on a busy machine."""


@pytest.fixture(scope="module")
def school(start_server: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An explorer of its own, so that no other test meets its runs."""
    return start_server("app.py", "--port", "{port}", "--data-dir", str(tmp_path_factory.mktemp("school")))


def first_cut(page: Any) -> None:
    open_view(page, "Training")
    page.locator("#training-cut .sc-chart").wait_for(timeout=RUN)


def upload(page: Any, file: dict[str, Any]) -> None:
    page.locator("#training-upload input[type=file]").set_input_files(file)


def number(page: Any, slider: str, value: int) -> None:
    page.locator(f"#{slider} input[type=number]").fill(str(value))
    page.keyboard.press("Tab")


def status(page: Any, text: str, timeout: int = RUN) -> None:
    page.locator("#training-status").get_by_text(text).first.wait_for(timeout=timeout)


def test_the_cut_moves_in_the_browser_and_the_examples_follow(school: str, open_page: Any) -> None:
    page, watch = open_page(school)
    first_cut(page)
    part = page.locator("#training-cut .xp-part")
    assert part.get_attribute("data-cut") == "0.70"
    kept, near = int(part.get_attribute("data-kept")), page.locator("#training-cut .fc-near").inner_text()
    asked = len(watch.requests)
    page.locator("#training-cut input[type=range]").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    assert part.get_attribute("data-cut") == "0.50"
    assert int(part.get_attribute("data-kept")) > kept
    assert page.locator("#training-cut .fc-near").inner_text() != near
    assert [url for url in watch.requests[asked:] if "file=" in url] == []
    page.locator("#training-stages").get_by_text(f"{part.get_attribute('data-kept')} of").wait_for()
    cosines = [float(text) for text in page.locator("#training-cut .fc-pair b").all_inner_texts()]
    assert all(cosine > 0.5 for cosine in cosines[:3]) and all(cosine <= 0.5 for cosine in cosines[3:])


def test_a_short_run_is_paused_left_resumed_merged_used_and_undone(school: str, open_page: Any) -> None:
    page, _ = open_page(school)
    first_cut(page)
    page.locator("#training-advanced button").first.click()
    number(page, "training-steps", 60)
    number(page, "training-batch", 4)
    page.locator("#training-start").click()
    status(page, "training")
    page.locator("#training-loss .xp-title").get_by_text("of 60 steps").wait_for(timeout=RUN)
    page.locator("#training-pause").click()
    status(page, "paused")
    page.close()

    page, _ = open_page(school)
    open_view(page, "Training")
    status(page, "paused")
    page.locator("#training-loss .js-plotly-plot").wait_for(timeout=FIRST_RESULT)
    count = drawn(page, "training-loss")
    page.locator("#training-resume").click()
    status(page, "finished")
    assert drawn(page, "training-loss") > count
    assert "of 60 steps" in page.locator("#training-loss .xp-title").inner_text()
    assert re.search(r"bf16|fp32", page.locator("#training-quality .xp-caption").first.inner_text())

    wait_until(page, "() => document.querySelector('#training-merge-second input').value.includes('trained')")
    page.locator("#training-merge").click()
    page.locator("#training-path .sc-chart").wait_for(timeout=RUN)
    page.locator("#training-path input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#training-path .xp-part").get_attribute("data-weight") == "0.6"
    page.wait_for_timeout(2_000)
    page.locator("#training-keep").click()
    page.locator("#training-merge-caption").get_by_text("merged-60").wait_for()

    wait_until(page, "() => document.querySelector('#training-model input').value.includes('merged')")
    page.locator("#training-use").click()
    page.locator("#training-in-use").get_by_text("now answers with run-001-merged-60").wait_for(timeout=RUN)
    page.locator("#training-in-use pre").get_by_text("--embedding").wait_for()
    open_view(page, "Similarity")
    page.locator("#similarity-run").click()
    page.locator("#similarity-caption").get_by_text("run-001-merged-60").wait_for(timeout=FIRST_RESULT)
    open_view(page, "Training")
    page.locator("#training-back").click()
    page.locator("#training-in-use").get_by_text("now answers with Mini (bundled)").wait_for(timeout=RUN)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (csv_file(("query", "document"), [("a", "b")], "one.csv"), "at least two"),
        (csv_file(("query", "document"), [("a", "b"), ("c", "b")], "same.csv"), "same document"),
        (
            csv_file(("query", "document", "language"), [("a", "b", "en"), ("c", "d", "???")], "tag.csv"),
            "language tag",
        ),
    ],
    ids=["one pair", "identical", "tag"],
)
def test_pairs_that_cannot_be_used_are_told_in_place_and_the_others_stay(
    school: str, open_page: Any, file: dict[str, Any], said: str
) -> None:
    page, _ = open_page(school)
    open_view(page, "Training")
    before = page.locator("#training-pairs-table caption")
    before.wait_for(timeout=FIRST_RESULT)
    shown = before.inner_text()
    upload(page, file)
    page.locator("#training-pairs-notices").get_by_text(said).wait_for()
    assert before.inner_text() == shown


def test_hostile_pairs_are_shown_as_the_characters_they_are_made_of(school: str, open_page: Any) -> None:
    page, watch = open_page(school)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_view(page, "Training")
    page.locator("#training-pairs-table caption").wait_for(timeout=FIRST_RESULT)
    records = [
        {"query": f"{text} {n}", "document": text, "provenance": {"generator": text, "source": text}}
        for n, text in enumerate(PAYLOADS)
    ]
    body = "\n".join(json.dumps(record) for record in records).encode()
    name = "<img src=x onerror=window.__xss=1>.jsonl"
    upload(page, {"name": name, "mimeType": "application/jsonl", "buffer": body})
    page.locator("#training-pairs-table caption").get_by_text("of 30 pairs").wait_for()
    cells = page.eval_on_selector_all(
        "#training-pairs-table td:nth-child(4)", "all => all.map(n => n.textContent)"
    )
    assert cells and {
        any(text.startswith(cell.removesuffix("…")) for text in PAYLOADS) for cell in cells
    } == {True}
    page.locator("#training-filter").click()
    page.locator("#training-cut .xp-title").get_by_text("of 30 pairs").wait_for(timeout=FIRST_RESULT)
    texts = page.eval_on_selector_all("#training-cut .fc-document", "all => all.map(n => n.textContent)")
    assert texts and all(any(payload.startswith(t.removesuffix("…")) for payload in PAYLOADS) for t in texts)
    page.wait_for_timeout(300)
    assert page.evaluate("window.__xss") is None and dialogs == []
    watch.check()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_the_view_fits_the_screen(school: str, open_page: Any, width: int, dark: bool) -> None:
    page, _ = open_page(school, width=width, dark=dark)
    first_cut(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    bar = page.locator("#training-cut input[type=range]").bounding_box()
    assert bar["x"] >= 0 and bar["x"] + bar["width"] <= width


def test_the_view_speaks_chinese(school: str, open_page: Any) -> None:
    page, _ = open_page(school, locale="zh-CN")
    open_view(page, "训练")
    page.locator("#training-cut .xp-title").get_by_text("保留").wait_for(timeout=FIRST_RESULT)
    for part, word in (
        ("stages", "过滤"),
        ("start", "开始训练"),
        ("ablation", "指标"),
        ("in-use", "所有视图"),
    ):
        assert word in page.locator(f"#training-{part}").inner_text()
