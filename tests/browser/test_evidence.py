"""Taking the evidence of what is on screen: one press, one file, which holds the numbers of the cards."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
from views import FIRST_RESULT, first_cards, open_view


def bundle(page: Any, view: str) -> zipfile.ZipFile:
    """Press the button and open what the browser saves."""
    with page.expect_download(timeout=FIRST_RESULT) as saved:
        page.locator(f"#{view}-evidence").click()
    assert saved.value.suggested_filename == f"evidence-{view}.zip"
    return zipfile.ZipFile(io.BytesIO(Path(saved.value.path()).read_bytes()))


def test_one_press_saves_everything_behind_the_cards_on_screen(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    page.locator("#rerank-query textarea").fill("typed, but not run")
    best = page.locator("#rerank-cards .rc-card").first.inner_text()
    with bundle(page, "rerank") as archive:
        table = pd.read_csv(archive.open("evidence-rerank/scores.csv"))
        inputs = json.loads(archive.read("evidence-rerank/inputs.json"))
    top = table.sort_values("rerank_rank").iloc[0]
    assert f"{top['log_odds']:+.2f}".replace("-", "−") in best
    assert top["document"][:40] in " ".join(best.split())
    assert inputs["query"] != "typed, but not run"


def test_the_cosines_on_screen_are_saved_too(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Similarity")
    page.locator("#similarity-caption").get_by_text("fp32 on CPU").wait_for(timeout=FIRST_RESULT)
    with bundle(page, "similarity") as archive:
        inputs = json.loads(archive.read("evidence-similarity/inputs.json"))
        table = pd.read_csv(archive.open("evidence-similarity/scores.csv"))
    assert len(table) == len(inputs["queries"]) * len(inputs["documents"])
