"""The Matryoshka slider in a real browser: everything moves without a request."""

from __future__ import annotations

import statistics

from parts import logged, press


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
