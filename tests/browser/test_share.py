"""Copy link and Use via code: another visitor sees the same inputs, and a broken link brings only a sentence."""

from __future__ import annotations

from views import FIRST_RESULT, card_texts, first_cards, open_panel, open_view, wait_until

QUERY = "Which planet is <b>\"red\"</b>? $(x) 'y'"
LINES = "Mars is red.\nVenus isn't; `rm`\n木星很大"


def values(page, view: str, names: tuple[str, ...]) -> list[str]:
    return [page.input_value(f"#{view}-{name} textarea") for name in names]


def link_of(page, view: str) -> str:
    page.locator(f"#{view}-copy-link").click()
    field = f"#{view}-link textarea, #{view}-link input"
    wait_until(page, "field => document.querySelector(field)?.value.includes('#explorer=')", field)
    link = page.locator(field).first.input_value()
    wait_until(page, "async link => (await navigator.clipboard.readText()) === link", link)
    return link


def test_a_link_restores_query_documents_and_the_open_panel_before_the_first_run(
    site: str, open_page
) -> None:
    page, _ = open_page(site)
    first_cards(page)
    page.locator("#rerank-query textarea").fill(QUERY)
    page.locator("#rerank-lines textarea").fill(LINES)
    open_panel(page, "Counterfactuals")
    link = link_of(page, "rerank")
    assert "Mars" not in link
    page, _ = open_page("about:blank")
    page.goto(link)
    wait_until(page, "() => document.querySelectorAll('#rerank-cards .rc-card').length === 3")
    assert values(page, "rerank", ("query", "lines")) == [QUERY, LINES]
    assert page.locator("#tab-rerank-counterfactuals-button").get_attribute("aria-selected") == "true"


def test_a_broken_link_says_so_and_leaves_the_example(site: str, open_page) -> None:
    page, _ = open_page("about:blank")
    page.goto(f"{site}#explorer=1.AAAA<script>")
    page.get_by_text("This link cannot be read").wait_for(timeout=FIRST_RESULT)
    first_cards(page)
    assert len(card_texts(page)) >= 6


def test_the_code_of_what_is_on_screen_is_shown_and_copied(site: str, open_page) -> None:
    page, _ = open_page(site)
    first_cards(page)
    page.locator("#rerank-query textarea").fill(QUERY)
    page.locator("#rerank-run").click()
    page.locator("#rerank-code-panel button").first.click()
    code = page.locator("#rerank-code pre")
    wait_until(
        page,
        "query => document.querySelector('#rerank-code pre')?.innerText.includes(query)",
        repr(QUERY)[1:20],
    )
    page.locator("#rerank-code").get_by_role("button", name="HTTP (curl)").click()
    assert "/gradio_api/call/rerank" in code.inner_text()
    page.locator("#rerank-code").get_by_role("button", name="Copy", exact=True).click()
    wait_until(
        page,
        "async text => (await navigator.clipboard.readText()).trim() === text.trim()",
        code.text_content(),
    )


def test_a_link_of_the_similarity_view_opens_that_view_with_its_texts(site: str, open_page) -> None:
    page, _ = open_page(site)
    open_view(page, "Similarity")
    page.locator("#similarity-queries textarea").fill(QUERY)
    page.locator("#similarity-documents textarea").fill(LINES)
    link = link_of(page, "similarity")
    page, _ = open_page("about:blank")
    page.goto(link)
    page.locator("#tab-similarity-button[aria-selected=true]").wait_for(timeout=FIRST_RESULT)
    wait_until(
        page, "query => document.querySelector('#similarity-queries textarea')?.value === query", QUERY
    )
    assert values(page, "similarity", ("queries", "documents")) == [QUERY, LINES]
    page.locator("#similarity-code-panel button").first.click()
    page.locator("#similarity-code pre").get_by_text("laboratory.compare").wait_for(timeout=FIRST_RESULT)
