"""Attribution as a person asks for it: on the bundled models, on pairs of the demo corpus."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.analysis.deletion import deletion_orders
from explorer.engine.attribution.deletion import log_odds_without
from explorer.engine.attribution.gradients import Attribution, gradient_x_input, integrated_gradients
from explorer.engine.attribution.words import WordedInput, pair_words
from explorer.engine.prompts import FORMS
from explorer.engine.reranker import Reranker, load_reranker
from explorer.errors import InputError, LimitError
from explorer.service.attribution import METHODS, PairAttribution, attribute, by_word
from explorer.service.examples import DEMO
from explorer.service.limits import LIMITS
from explorer.service.token_pairs import token_pairs
from explorer.service.workspace import Workspace, finished
from explorer.settings import Settings

QUERY = "How long do fresh eggs keep?"
DOCUMENT = "In the fridge, eggs stay good for three weeks. The opera opens in May."


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(Settings(data_dir=tmp_path_factory.mktemp("data"), offline=True))


@pytest.fixture(scope="module")
def weighed(workspace: Workspace) -> PairAttribution:
    return finished(attribute(workspace, QUERY, DOCUMENT))


@pytest.fixture(scope="module")
def reranker() -> Reranker:
    return load_reranker("bundled", "cpu")


def demo_pairs(count: int) -> list[tuple[str, str]]:
    """The shortest judged pairs of the demo corpus."""
    with (DEMO / "corpus.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = {row["id"]: row["text"] for row in rows}
    lines = (DEMO / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = {entry["id"]: entry["text"] for entry in map(json.loads, lines)}
    with (DEMO / "judgements.tsv").open(encoding="utf-8", newline="") as file:
        judged = list(csv.DictReader(file, delimiter="\t"))
    pairs = [(queries[row["query_id"]], texts[row["doc_id"]]) for row in judged]
    return sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))[:count]


def words_of(reranker: Reranker, query: str, document: str) -> WordedInput:
    form = FORMS["model_card"]
    return pair_words(reranker.loaded.tokenizer, query, document, "Find passages", form, 8192)


def lead(reranker: Reranker, pair: WordedInput, found: Attribution) -> float:
    """Log-odds by which deleting a quarter of the words, the named ones, lowers the score more than at random."""
    orders = deletion_orders(by_word(found.values, pair.words), 3)
    count = round(len(pair.words) / 4)
    taken = [[pair.words[at] for at in order[:count]] for order in orders]
    *_, (_, log_odds) = log_odds_without(reranker, pair.sequence.ids, taken)
    return float(log_odds[1:].mean() - log_odds[0])


def test_named_words_matter_more_than_random_ones_over_a_hundred_demo_pairs(reranker: Reranker) -> None:
    pairs = [words_of(reranker, *pair) for pair in demo_pairs(100)]
    leads = np.array(
        [
            lead(reranker, pair, gradient_x_input(reranker.loaded, pair.sequence.ids, pair.words))
            for pair in pairs
        ]
    )
    assert len(leads) == 100
    assert leads.mean() > 0.3
    assert leads.mean() > 4 * leads.std() / np.sqrt(len(leads)), "not by chance"
    assert (leads > 0).mean() > 0.6


def test_integrated_gradients_name_words_that_matter_and_are_complete(reranker: Reranker) -> None:
    for query, document in demo_pairs(2):
        pair = words_of(reranker, query, document)
        *_, found = integrated_gradients(reranker.loaded, pair.sequence.ids, pair.words)
        assert found.completeness_error is not None and found.completeness_error < 0.02
        assert lead(reranker, pair, found) > 0


def test_every_method_has_a_value_for_every_word_and_a_test(weighed: PairAttribution) -> None:
    assert weighed.words[-1].field == "document" and weighed.query == QUERY
    for method in METHODS:
        result = weighed.methods[method]
        assert result.by_word.shape == (len(weighed.words),)
        assert result.by_word.sum() == pytest.approx(result.by_token.sum(), abs=1e-3)
        assert result.deletion.whole == pytest.approx(weighed.log_odds, abs=1e-3)
    error = weighed.methods["integrated_gradients"].completeness_error
    assert error is not None and error < 0.02
    assert weighed.methods["integrated_gradients"].deletion.area > 0


def test_what_is_known_is_told_before_the_tests_are_done(
    workspace: Workspace, weighed: PairAttribution
) -> None:
    told = [step.partial for step in attribute(workspace, QUERY, DOCUMENT) if step.partial is not None]
    assert [set(partial.methods) for partial in told] == [{"gradient_x_input"}, set(METHODS), set(METHODS)]
    assert [partial.methods["gradient_x_input"].deletion is None for partial in told] == [True, True, False]
    np.testing.assert_allclose(told[0].log_odds, weighed.log_odds, atol=1e-3)


def test_leaving_a_sentence_out_is_judging_the_text_without_it(
    weighed: PairAttribution, reranker: Reranker
) -> None:
    texts = ["".join(word.text for word in weighed.words[start:stop]) for start, stop in weighed.sentences]
    assert texts[-1] == " The opera opens in May."
    without = reranker.score(QUERY, ["In the fridge, eggs stay good for three weeks."]).log_odds[0]
    assert weighed.without_sentence[-1] == pytest.approx(without, abs=1e-3)
    assert weighed.sentence_effects[-1] == pytest.approx(weighed.log_odds - without, abs=1e-3)


def test_what_cannot_be_weighed_is_refused(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="no query"):
        finished(attribute(workspace, " ", DOCUMENT))
    with pytest.raises(InputError, match="no documents"):
        finished(attribute(workspace, QUERY, ""))
    with pytest.raises(LimitError, match=f"{LIMITS.attributed_tokens:,}"):
        finished(attribute(workspace, QUERY, "egg and spoon " * LIMITS.attributed_tokens))
    with pytest.raises(LimitError, match="on each side"):
        finished(token_pairs(workspace, QUERY, "egg " * 2 * LIMITS.paired_words))


def test_a_stopped_job_leaves_the_model_as_it_was(workspace: Workspace, weighed: PairAttribution) -> None:
    job = attribute(workspace, QUERY, "A stopped job.")
    for step in job:
        if step.stage == "attribution.stage_gradients" and step.done:
            break
    job.close()
    loaded = workspace.shelf.get("reranker")
    assert loaded is not None and loaded.backbone.config._attn_implementation != "sdpa"


def test_the_pairs_of_a_cosine_add_up_and_find_the_common_word(workspace: Workspace) -> None:
    result = finished(token_pairs(workspace, QUERY, "Eggs stay good for weeks.", "Find passages"))
    assert result.pairs.shape == result.states.shape == (len(result.query_words), len(result.document_words))
    assert result.completeness_error < 0.05
    row, column = np.unravel_index(result.pairs.argmax(), result.pairs.shape)
    assert result.query_words[row].text.strip() == "eggs"
    assert result.document_words[column].text.strip() in {"Eggs", "good", "weeks"}
    bare = finished(token_pairs(workspace, QUERY, "Eggs stay good for weeks."))
    assert {word.field for word in bare.query_words} == {"document"}


def test_tiny_random_models_can_be_weighed_too(make_model: Callable[..., Path]) -> None:
    settings = Settings(
        embedding=str(make_model()), reranker=str(make_model(family="reranker", tied=False)), offline=True
    )
    result = finished(attribute(Workspace(settings), "capital", "Beijing. Paris.", template="evaluation"))
    assert result.template == "evaluation" and len(result.sentences) == 4
