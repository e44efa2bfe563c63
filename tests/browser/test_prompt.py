"""The prompt panel: the exact inputs of a chosen document, as a person opens it."""

from __future__ import annotations

import re

from views import FIRST_RESULT, first_cards, open_view, wait_until


def test_every_input_of_a_clicked_card_is_shown_with_its_token_ids(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    last = page.locator("#rerank-cards .rc-card").last
    word = re.findall(r"[A-Za-z]{5,}", last.locator(".rc-text").inner_text())[0]
    last.click()
    open_view(page, "Prompt")
    page.locator("#rerank-prompt .ts-special").first.wait_for(timeout=FIRST_RESULT)
    wait_until(
        page,
        "word => document.querySelector('#rerank-prompt').innerText.replace(/[\\s\\d]/g, '').includes(word)",
        word,
    )
    assert "log-odds" in page.locator("#prompt-effect caption").inner_text()
    assert page.locator("#prompt-effect tbody tr").count() == 4
    page.get_by_role("button", name="Embedding: document").click()
    strip = page.locator("#rerank-prompt .ts-strip")
    assert strip.locator(".ts-special").all_inner_texts()[-1].startswith("<|endoftext|>")
    assert "<|im_start|>" not in strip.inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
