"""The interactive parts in a real browser: they draw, answer, stay quiet, and never read a text as markup."""

from __future__ import annotations

import base64
import json
import statistics

import numpy as np
import pytest

from explorer.ui.components import map_categories, part_words, unpack_indices
from explorer.ui.components.wire import compact, pack

FIRST_TAB = "Rerank"


def test_numbers_travel_unchanged():
    rows = np.array([[0.5, -1.25], [3.0, 1e-7]], dtype=np.float32)
    assert np.frombuffer(base64.b64decode(pack(rows)), "<f4").tolist() == rows.ravel().tolist()
    assert unpack_indices(pack(np.array([7, 70_000]), "<i4")).tolist() == [7, 70_000]
    assert unpack_indices("").tolist() == []


def test_what_json_cannot_hold_becomes_null():
    assert json.loads(compact({"a": [float("nan"), np.float32(0.5), np.int64(3), "x"]})) == {
        "a": [None, 0.5, 3, "x"]
    }


def test_categories_beyond_eight_become_other():
    values = [f"topic {place}" for place in range(9) for _ in range(9 - place)] + [None]
    packed = json.loads(map_categories(values, "topic", "other"))
    codes = np.frombuffer(base64.b64decode(packed["codes"]), "<i2")
    assert packed["labels"] == [f"topic {place}" for place in range(8)] + ["other"]
    assert packed["other"] == 8
    assert codes[-2:].tolist() == [8, 8]


def test_a_real_category_called_other_keeps_its_colour():
    packed = json.loads(map_categories(["other", "a", "a"], "topic", "other"))
    assert packed["labels"] == ["a", "other"]
    assert packed["other"] == -1


def test_the_words_of_a_part_are_there_in_both_languages():
    english, chinese = part_words("map", "en"), part_words("map", "zh")
    assert english.keys() == chinese.keys()
    assert {"empty", "plot_pan"} <= english.keys()


@pytest.fixture(scope="module")
def address(start_server):
    return start_server("tests/browser/component_page.py", "{port}")


@pytest.fixture
def visit(address, open_page):
    """Open the page at one of its tabs; later tabs start hidden, as in the app."""

    def at(tab: str = FIRST_TAB, **options):
        page, watch = open_page(address, **options)
        page.wait_for_selector("#cards [data-ready=yes]")
        if tab != FIRST_TAB:
            page.get_by_role("tab", name=tab, exact=True).click()
        return page, watch

    return at


def logged(page, part: str) -> dict[str, object]:
    """Wait for an event of a part to come back from Python."""
    page.wait_for_function(
        "name => document.querySelector('#log textarea').value.includes(name)", arg=f'"{part}"'
    )
    return json.loads(page.input_value("#log textarea"))


def press(page, name: str) -> None:
    page.click(f"#do-{name}")


def order(page) -> list[int]:
    return page.eval_on_selector_all(
        "#cards .rc-card", "cards => cards.map(card => Number(card.dataset.index))"
    )


def drawn(page, part: str, times: int = 1) -> None:
    page.wait_for_function(
        "([part, times]) => Number(document.querySelector(`#${part} .xp-part`)?.dataset.drawn || 0) >= times",
        arg=[part, times],
    )


def point_position(page, row: int) -> dict[str, float]:
    """Where a point of the map lies on the screen, by the map's own axes."""
    return page.evaluate(
        """row => {
          const plot = document.querySelector('#map .sm-plot'), layout = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          const trace = plot._fullData.find(trace => trace.index === row.trace);
          return {x: box.left + layout._size.l + layout.xaxis.d2p(trace.x[row.point]),
                  y: box.top + layout._size.t + layout.yaxis.d2p(trace.y[row.point])};
        }""",
        row,
    )


def lone_point(page) -> dict[str, int]:
    """The first document lies alone at the far left, in the last group."""
    return page.evaluate(
        """() => {
          let best = null;
          for (const trace of document.querySelector('#map .sm-plot')._fullData)
            trace.x.forEach((x, point) => { if (!best || x < best.x) best = {x, trace: trace.index, point}; });
          return {trace: best.trace, point: best.point};
        }"""
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


def test_hostile_text_stays_text(visit):
    page, _ = visit()
    for tab, part in [("Similarity", "heatmap"), ("Dimensions", "dimensions"), ("Map", "map")]:
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_selector(f"#{part} [data-ready=yes]")
        if part in {"heatmap", "map"}:
            drawn(page, part)
    press(page, "mark")
    page.wait_for_selector("#map .sm-star")
    page.keyboard.press("Tab")
    assert page.evaluate("window.broken") is None
    assert page.locator(".xp-part img, .xp-part script, .xp-part a[href^=javascript]").count() == 0
    page.get_by_role("tab", name="Rerank", exact=True).click()
    text = page.locator('#cards .rc-card[data-index="5"] .rc-text').text_content()
    assert "<img src=x onerror=" in text
    assert "{{constructor}} ${window.broken='template'} &lt;b&gt;" in text


def test_hover_over_a_hostile_cell_shows_its_characters(visit):
    page, _ = visit("Similarity")
    drawn(page, "heatmap")
    box = page.locator("#heatmap .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.9)
    page.wait_for_timeout(200)
    page.mouse.move(box["x"] + box["width"] * 0.55 + 2, box["y"] + box["height"] * 0.9)
    page.wait_for_function("document.querySelector('#heatmap .hoverlayer').textContent.includes('<script>')")
    said = page.locator("#heatmap .hoverlayer").text_content()
    assert "cosine similarity of" in said
    assert page.evaluate("window.broken") is None


def test_a_heatmap_cell_tells_its_row_and_column(visit):
    page, _ = visit("Similarity")
    drawn(page, "heatmap")
    box = page.locator("#heatmap .nsewdrag").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.6)
    said = logged(page, "heatmap.pick")
    assert (said["row"], said["column"]) == (2, 2)


def test_the_slider_reorders_without_a_request_and_reports_once(visit):
    page, watch = visit("Dimensions")
    page.wait_for_selector("#dimensions [data-dimensions]")
    scores = "() => [...document.querySelectorAll('#dimensions .dv-score')].map(s => s.textContent).join()"
    before, asked = page.evaluate(scores), len(watch.requests)
    slider = page.locator("#dimensions .dv-range")
    slider.evaluate(
        "s => [900, 500, 200, 0].forEach(v => { s.value = v; s.dispatchEvent(new Event('input')); })"
    )
    page.wait_for_selector("#dimensions [data-dimensions='32']")
    assert page.evaluate(scores) != before
    assert len(watch.requests) == asked
    slider.evaluate("s => s.dispatchEvent(new Event('change'))")
    assert logged(page, "dimensions.change") == {"part": "dimensions.change", "dimensions": 32}
    assert "32 dimensions" in page.locator("#dimensions [aria-live]").text_content()


def test_arrow_keys_reach_every_size(visit):
    page, _ = visit("Dimensions")
    page.fill("#dimensions .dv-number", "64")
    page.focus("#dimensions .dv-range")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#dimensions .xp-part", "data-dimensions") == "65"
    page.keyboard.press("PageUp")
    assert page.get_attribute("#dimensions .xp-part", "data-dimensions") == "128"
    page.keyboard.press("Home")
    assert page.get_attribute("#dimensions .xp-part", "data-dimensions") == "32"


def test_scores_in_the_browser_are_the_cosines_of_truncated_vectors(visit):
    page, _ = visit("Dimensions")
    page.wait_for_selector("#dimensions [data-dimensions]")
    worst = page.evaluate(
        """() => {
          const full = 100, q = 3, n = 5, random = k => Float32Array.from({length: k}, () => Math.random() - 0.5);
          const a = random(q * full), b = random(n * full), m = new ExplorerKit.Matryoshka(a, b, full);
          let worst = 0;
          for (const kept of [1, 31, 32, 33, 64, 96, 97, 100]) {
            const scores = m.scores(kept, true), bare = m.scores(kept, false);
            for (let i = 0; i < q; i++) for (let j = 0; j < n; j++) {
              let dot = 0, left = 0, right = 0;
              for (let d = 0; d < kept; d++) {
                const x = a[i * full + d], y = b[j * full + d];
                dot += x * y; left += x * x; right += y * y;
              }
              const cosine = Math.abs(scores[i * n + j] - dot / Math.sqrt(left * right));
              worst = Math.max(worst, cosine, Math.abs(bare[i * n + j] - dot));
            }
          }
          return worst;
        }"""
    )
    assert worst < 1e-5


def test_a_step_of_the_slider_fits_in_one_frame(visit):
    page, _ = visit("Dimensions")
    press(page, "square")
    page.wait_for_function("document.querySelectorAll('#dimensions .dv-item').length === 64")
    times = page.evaluate(
        """() => {
          const slider = document.querySelector('#dimensions .dv-range');
          const root = document.querySelector('#dimensions .xp-part');
          return Array.from({length: 60}, (_, i) => {
            slider.value = 1000 - i * 16;
            slider.dispatchEvent(new Event('change'));
            return Number(root.dataset.stepMs);
          });
        }"""
    )
    assert statistics.median(times) < 16, times


def test_the_trap_is_shown_and_explained(visit):
    page, _ = visit("Dimensions")
    page.fill("#dimensions .dv-number", "64")
    renormalised = page.locator("#dimensions .dv-score").first.text_content()
    page.check("#dimensions .dv-raw input")
    assert page.locator("#dimensions .dv-score").first.text_content() != renormalised
    assert page.locator("#dimensions .dv-note").is_visible()


def test_a_click_on_a_point_tells_python_which(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    at = point_position(page, lone_point(page))
    page.mouse.move(at["x"] - 30, at["y"])
    page.mouse.move(at["x"], at["y"], steps=3)
    page.wait_for_selector("#map .xp-tip:not([hidden])")
    assert "<img src=x onerror=" in page.locator("#map .xp-tip").text_content()
    page.mouse.click(at["x"], at["y"])
    assert logged(page, "map.pick") == {"part": "map.pick", "index": 0}


def test_a_map_filled_while_its_tab_was_closed_keeps_its_height(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    assert page.locator("#map .sm-stage").bounding_box()["height"] == pytest.approx(520)


def test_the_map_obeys_the_keyboard(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    page.focus("#map .sm-stage")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert logged(page, "map.pick")["index"] > 0


def test_a_lasso_selects_and_escape_clears(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    page.click("#map .modebar-btn[data-val=lasso]")
    box = page.locator("#map .sm-stage").bounding_box()
    left, top, right, bottom = (
        box["x"] + 20,
        box["y"] + 20,
        box["x"] + box["width"] - 60,
        box["y"] + box["height"] - 20,
    )
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in [(right, top), (right, bottom), (left, bottom), (left, top)]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    assert logged(page, "map.lasso")["n"] == 400
    page.focus("#map .sm-stage")
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('#log textarea').value.includes('\"n\": 0')")


def test_marks_are_drawn_over_the_points_without_redrawing_them(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    before = page.get_attribute("#map .xp-part", "data-drawn")
    press(page, "mark")
    page.wait_for_selector("#map .sm-star")
    assert page.locator("#map .sm-neighbor").count() == 2
    assert page.locator("#map .sm-ray").count() == 2
    assert page.get_attribute("#map .xp-part", "data-drawn") == before


def test_points_move_colour_changes_and_an_empty_corpus_is_said(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    x = "() => Array.from(document.querySelector('#map .sm-plot')._fullData[0].x).slice(0, 3)"
    before = page.evaluate(x)
    press(page, "move")
    drawn(page, "map", 2)
    assert page.evaluate(x) == pytest.approx([-value for value in before], abs=1e-4)
    press(page, "values")
    drawn(page, "map", 3)
    assert page.locator("#map .sm-key").count() == 0
    assert page.evaluate("document.querySelector('#map .sm-plot')._fullData[0].marker.showscale")
    press(page, "empty")
    page.wait_for_selector("#map .xp-empty")
    press(page, "big")
    page.wait_for_function("document.querySelector('#map .sm-plot')?._fullData?.[0].type === 'scattergl'")


def test_the_legend_toggles_a_group(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    key = page.locator("#map .sm-key").first
    key.click()
    assert key.get_attribute("aria-pressed") == "false"
    page.wait_for_function("document.querySelector('#map .sm-plot')._fullData[0].visible === 'legendonly'")


def test_no_drawing_offers_to_upload(visit):
    page, _ = visit("Map")
    drawn(page, "map")
    buttons = page.eval_on_selector_all(
        ".modebar-btn", "all => all.map(n => n.dataset.title || n.dataset.attr || '').join()"
    )
    assert "hare" not in buttons
    assert "loud" not in buttons
    assert page.evaluate("document.querySelector('#map .sm-plot')._context.plotlyServerURL") == ""


def test_tokens_copy_exactly(visit):
    page, _ = visit()
    page.locator("#tokens button").first.click()
    page.wait_for_function("document.querySelector('#tokens [role=status]').textContent !== ''")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("<|im_start|>system\nJudge whether the")
    assert "and wait" not in copied, "cut tokens are not part of what the model read"
    assert page.locator("#tokens .ts-special").count() == 4
    assert "␣whether" in page.locator("#tokens .ts-strip").text_content()


def test_dark_and_light_follow_the_page(visit):
    page, _ = visit("Similarity")
    drawn(page, "curve")
    color = "() => document.querySelector('#curve .fv-plot')._fullLayout.font.color"
    light = page.evaluate(color)
    page.evaluate("document.body.classList.toggle('dark')")
    drawn(page, "curve", 2)
    assert page.evaluate(color) != light


@pytest.mark.parametrize("part", ["cards", "heatmap", "dimensions", "map"])
def test_every_figure_has_a_table_twin(visit, part):
    tab = {"cards": "Rerank", "heatmap": "Similarity", "dimensions": "Dimensions", "map": "Map"}[part]
    page, _ = visit(tab)
    page.wait_for_selector(f"#{part} .xp-table", state="attached")
    page.click(f"#{part} .xp-table summary")
    assert page.locator(f"#{part} .xp-table tbody tr").count() >= 4
