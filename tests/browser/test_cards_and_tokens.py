"""The ranked cards and the token strip in a real browser."""

from __future__ import annotations

from parts import logged, press


def order(page) -> list[int]:
    return page.eval_on_selector_all(
        "#cards .rc-card", "cards => cards.map(card => Number(card.dataset.index))"
    )


def test_a_chosen_card_opens_and_tells_python(visit):
    page, _ = visit()
    card = page.locator("#cards .rc-card").nth(1)
    index = int(card.get_attribute("data-index"))
    card.click()
    assert card.get_attribute("aria-expanded") == "true"
    assert logged(page, "cards.pick") == {"part": "cards.pick", "index": index}


def test_cards_answer_to_the_keyboard(visit):
    page, _ = visit()
    cards = page.locator("#cards .rc-card")
    cards.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert cards.nth(1).get_attribute("aria-expanded") == "true"
    assert logged(page, "cards.pick")["index"] == int(cards.nth(1).get_attribute("data-index"))
    page.keyboard.press("Escape")
    assert cards.nth(1).get_attribute("aria-expanded") == "false"


def test_new_scores_reorder_the_cards_and_one_click_stays_one_event(visit):
    page, watch = visit()
    first = order(page)[0]
    press(page, "reorder")
    page.wait_for_function(f"document.querySelector('#cards .rc-card').dataset.index !== '{first}'")
    press(page, "chinese")
    page.wait_for_function("document.querySelector('#cards .rc-label').textContent === '对数几率'")
    asked = len(watch.requests)
    page.locator("#cards .rc-card").nth(2).click()
    logged(page, "cards.pick")
    assert sum("/queue/join" in url for url in watch.requests[asked:]) == 1


def test_each_card_is_joined_to_its_embedding_rank(visit):
    page, _ = visit()
    assert page.locator("#cards .rc-curve").count() == 10
    ends = page.eval_on_selector_all(
        "#cards .rc-curve",
        "paths => paths.map(p => [+p.dataset.index, p.getPointAtLength(p.getTotalLength()).y])",
    )
    middles = page.eval_on_selector_all(
        "#cards .rc-card",
        "cards => cards.map(c => [+c.dataset.index, c.offsetTop, c.offsetTop + c.offsetHeight])",
    )
    spans = {index: (top, bottom) for index, top, bottom in middles}
    assert all(spans[index][0] < y < spans[index][1] for index, y in ends)


def test_a_phone_gets_badges_instead_of_curves(visit):
    page, _ = visit(width=390)
    assert not page.locator("#cards .rc-curves").is_visible()
    assert page.locator("#cards .rc-move").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_tokens_copy_exactly(visit):
    page, _ = visit()
    page.locator("#tokens button").first.click()
    page.wait_for_function("document.querySelector('#tokens [role=status]').textContent !== ''")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("<|im_start|>system\nJudge whether the")
    assert "and wait" not in copied, "cut tokens are not part of what the model read"
    assert page.locator("#tokens .ts-special").count() == 4
    assert "␣whether" in page.locator("#tokens .ts-strip").text_content()
