"""The attribution panel: coloured words, three methods, and the test of how far to believe them."""

from __future__ import annotations

from views import FIRST_RESULT, first_cards, open_view


def test_words_are_weighed_and_walked_through_by_keyboard(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    page.locator("#rerank-query textarea").fill("egg storage")
    page.locator("#rerank-instruction textarea").fill("Find passages")
    page.locator("#rerank-lines textarea").fill("Eggs keep for weeks. Owls hunt at night.")
    open_view(page, "Attribution")
    text = page.locator("#attribution-text")
    text.locator("svg .at-dot").first.wait_for(timeout=FIRST_RESULT)
    assert text.locator(".at-document .at-word").all_inner_texts()[:2] == ["Eggs", "keep"]
    assert "log-odds" in text.locator(".xp-title").inner_text()
    assert text.locator(".at-yes").count() > 0
    assert "random deletions" in text.locator(".at-verdict").inner_text()
    assert text.locator("svg .at-dot").count() > 1

    first = text.locator(".at-word").first
    first.focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("“passages” (Instruction) adds ")
    assert text.locator(".xp-tip").inner_text() == focused

    text.get_by_role("button", name="Leave one sentence out").click()
    assert text.locator(".at-sentences tbody tr").count() == 4
    assert "really taken out" in text.locator(".at-verdict").inner_text()
    text.get_by_role("button", name="Gradient × input").click()
    assert text.locator(".xp-part").get_attribute("data-method") == "gradient_x_input"
