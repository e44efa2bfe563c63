"""Scores agree with the model card, do not depend on their neighbours, and cut nothing but documents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qwen3_reference import TASK, card_log_odds, card_pair_ids, evaluation_pair_ids
from tiny_models import ModelFactory

import explorer
from explorer.engine.budget import TokenBudget
from explorer.engine.reranker import Reranker
from explorer.engine.scores import collect_scores, logistic
from explorer.errors import Cancelled, InputError, ModelLoadError
from explorer.models.loading import LoadedModel, load_model
from explorer.progress import CancelToken

QUERY = "What is the capital of China?"
WORDS = [
    "capital",
    "of",
    "China",
    "is",
    "Beijing",
    "Paris",
    "yes",
    "no",
    "北京",
    "苹果",
    "gravity",
    "pulls",
    "the",
    "answer",
    "42",
]
SHAPES = (
    {"tied": True},
    {"tied": False},
    {"tied": False, "hidden": 64, "heads": 6, "key_value_heads": 3, "head_dim": 32, "shards": 2, "seed": 3},
)


def documents_of(count: int, longest: int = 60) -> list[str]:
    draw = np.random.default_rng(count)
    return [" ".join(draw.choice(WORDS, draw.integers(1, longest + 1))) for _ in range(count)]


def probability_of(log_odds: np.ndarray) -> np.ndarray:
    return torch.sigmoid(torch.from_numpy(log_odds)).numpy()


@pytest.fixture
def reranker(tiny_reranker: LoadedModel) -> Reranker:
    return Reranker(tiny_reranker)


@pytest.mark.parametrize("shape", SHAPES)
def test_scores_equal_the_model_card(make_model: ModelFactory, shape: dict[str, object]) -> None:
    folder = make_model(family="reranker", **shape)
    documents = ["", "Beijing", "<|im_end|> yes", *documents_of(29)]
    expected = card_log_odds(folder, card_pair_ids(folder, QUERY, documents))
    assert expected.std() > 0.1
    model = load_model(str(folder), "reranker", "cpu")
    for size in (1, 2, 7, 32):
        for first in range(0, len(documents), size):
            found = Reranker(model).score(QUERY, documents[first : first + size])
            wanted = expected[first : first + size]
            assert np.abs(found.log_odds - wanted).max() <= 1e-4
            assert np.abs(found.probability - probability_of(wanted)).max() <= 1e-5


def test_the_evaluation_template_equals_the_official_code(make_model: ModelFactory) -> None:
    folder = make_model(family="reranker", tied=False)
    documents = documents_of(12)
    prompts = evaluation_pair_ids(folder, QUERY, documents)
    reranker = explorer.load_reranker(str(folder), "cpu")
    for document, ids in zip(documents, prompts, strict=True):
        assert [view.id for view in reranker.tokens(QUERY, document, template="evaluation")] == ids
    found = reranker.score(QUERY, documents, template="evaluation")
    assert np.abs(found.log_odds - card_log_odds(folder, prompts)).max() <= 1e-4
    assert found.template == "evaluation"
    assert np.abs(found.log_odds - reranker.score(QUERY, documents).log_odds).max() > 1e-3


def test_a_sequence_classification_conversion_scores_the_same(make_model: ModelFactory) -> None:
    from transformers import AutoModelForSequenceClassification

    original = explorer.load_reranker(str(make_model(family="reranker", tied=True)), "cpu")
    folder = make_model(family="reranker", tied=True, architecture="Qwen3ForSequenceClassification")
    converted = explorer.load_reranker(str(folder), "cpu")
    documents = documents_of(10)
    found = converted.score(QUERY, documents).log_odds
    assert np.abs(found - original.score(QUERY, documents).log_odds).max() <= 1e-4
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1).eval()
    with torch.no_grad():
        single = model(input_ids=torch.tensor(card_pair_ids(folder, QUERY, documents[:1]))).logits
    assert abs(found[0] - single.item()) <= 1e-4


def test_scores_equal_the_cross_encoder_of_sentence_transformers(make_model: ModelFactory) -> None:
    from qwen3_reference import PREFIX, SUFFIX
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.cross_encoder.modules import LogitScore

    folder = make_model(family="reranker", tied=False)
    transformer = Transformer(str(folder), transformer_task="text-generation")
    body = f"<Instruct>: {TASK}\\n<Query>: {{{{ messages[0].content }}}}\\n<Document>: {{{{ messages[1].content }}}}"
    newline = "\\n"
    transformer.tokenizer.chat_template = (
        f"{{{{- '{PREFIX.replace(chr(10), newline)}' }}}}{body.replace(newline, chr(10))}"
        f"{{{{- '{SUFFIX.replace(chr(10), newline)}' }}}}"
    )
    yes, no = (transformer.tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    reference = CrossEncoder(
        modules=[transformer, LogitScore(yes, no)], device="cpu", activation_fn=torch.nn.Identity()
    )
    documents = ["Beijing", *documents_of(15)]
    expected = reference.predict([(QUERY, document) for document in documents])
    found = explorer.load_reranker(str(folder), "cpu").score(QUERY, documents)
    assert np.abs(found.log_odds - expected).max() <= 1e-4


def test_a_stream_collects_to_the_same_scores(reranker: Reranker) -> None:
    documents = documents_of(40)
    reranker._runner.budget = TokenBudget(300)
    batches = list(reranker.stream(QUERY, documents, TASK))
    assert len(batches) > 2
    found = collect_scores(batches[::-1], len(documents), TASK, "model_card", reranker.provenance)
    scored = reranker.score(QUERY, documents, TASK)
    assert (found.instruction, found.template, found.provenance) == (TASK, "model_card", scored.provenance)
    for name in ("log_odds", "probability", "tokens", "cut_tokens"):
        assert (getattr(found, name) == getattr(scored, name)).all()
        assert getattr(found, name).dtype == getattr(scored, name).dtype


def test_a_score_does_not_depend_on_its_neighbours(tiny_reranker: LoadedModel) -> None:
    documents = documents_of(50)
    first = Reranker(tiny_reranker).score(QUERY, documents)
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(50)
        shuffled = Reranker(tiny_reranker).score(QUERY, [documents[index] for index in order])
        assert np.abs(shuffled.log_odds - first.log_odds[order]).max() <= 1e-4
        assert np.abs(shuffled.probability - first.probability[order]).max() <= 1e-5


def test_packs_of_any_size_give_the_same_scores(tiny_reranker: LoadedModel) -> None:
    documents = documents_of(30, longest=150)
    expected = Reranker(tiny_reranker).score(QUERY, documents).log_odds
    for budget in (1, 400, 1500):
        reranker = Reranker(tiny_reranker)
        reranker._runner.budget = TokenBudget(budget)
        assert np.abs(reranker.score(QUERY, documents).log_odds - expected).max() <= 1e-4


def test_only_the_document_is_cut_and_that_is_reported(make_model: ModelFactory) -> None:
    folder = make_model(family="reranker", tied=False)
    model = load_model(str(folder), "reranker", "cpu")
    limit = 160
    reranker = Reranker(model, max_length=limit)
    documents = ["Beijing", *documents_of(6, longest=200)]
    expected = card_pair_ids(folder, QUERY, documents, max_length=limit)
    whole = card_pair_ids(folder, QUERY, documents)
    scores = reranker.score(QUERY, documents)
    assert scores.tokens.tolist() == [len(ids) for ids in expected]
    assert scores.cut_tokens.tolist() == [len(a) - len(b) for a, b in zip(whole, expected, strict=True)]
    assert scores.cut_tokens[0] == 0 and scores.cut_tokens.max() > 0
    assert np.abs(scores.log_odds - card_log_odds(folder, expected)).max() <= 1e-4
    for document, ids in zip(documents, expected, strict=True):
        views = reranker.tokens(QUERY, document)
        assert [view.id for view in views if not view.cut] == ids
        assert all(view.document for view in views if view.cut)


def test_the_evaluation_template_cuts_as_the_official_code(make_model: ModelFactory) -> None:
    folder = make_model(family="reranker", tied=False)
    model = load_model(str(folder), "reranker", "cpu")
    documents = ["Beijing", *documents_of(6, longest=200)]
    for limit in range(170, 182):
        reranker = Reranker(model, max_length=limit)
        expected = evaluation_pair_ids(folder, QUERY, documents, max_length=limit)
        for document, ids in zip(documents, expected, strict=True):
            views = reranker.tokens(QUERY, document, template="evaluation")
            assert [view.id for view in views if not view.cut] == ids


def test_a_query_that_leaves_no_room_is_refused(tiny_reranker: LoadedModel) -> None:
    reranker = Reranker(tiny_reranker, max_length=200)
    for template in ("model_card", "evaluation"):
        with pytest.raises(InputError) as caught:
            reranker.score("word " * 200, ["a document"], template=template)
        assert caught.value.key == "engine.query_too_long"
    assert reranker.forwards == 0


def test_an_unknown_template_is_refused(reranker: Reranker) -> None:
    with pytest.raises(InputError, match="model_card or evaluation"):
        reranker.score(QUERY, ["x"], template="vllm")  # type: ignore[arg-type]


def test_no_documents_one_document_and_equal_documents(reranker: Reranker) -> None:
    empty = reranker.score(QUERY, [])
    assert empty.log_odds.shape == empty.probability.shape == empty.cut_tokens.shape == (0,)
    assert reranker.forwards == 0
    one = reranker.score(QUERY, ["Beijing"])
    assert one.log_odds.shape == (1,)
    equal = reranker.score(QUERY, ["Paris", "Beijing", "Paris", "Beijing"])
    assert equal.log_odds[0] == equal.log_odds[2]
    assert equal.log_odds[1] == equal.log_odds[3] == one.log_odds[0]


def test_the_default_instruction_is_the_model_cards(reranker: Reranker) -> None:
    silent = reranker.score(QUERY, ["Beijing", "Paris"])
    assert silent.instruction == TASK
    assert (silent.log_odds == reranker.score(QUERY, ["Beijing", "Paris"], TASK).log_odds).all()
    other = reranker.score(QUERY, ["Beijing", "Paris"], "Find the opposite")
    assert np.abs(other.log_odds - silent.log_odds).max() > 1e-3


def test_editing_one_document_costs_one_short_forward(
    tiny_reranker: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    reranker = Reranker(tiny_reranker)
    documents = documents_of(20)
    before = reranker.score(QUERY, documents)
    lengths: list[int] = []
    forward = tiny_reranker.backbone.forward

    def counting(input_ids: torch.Tensor, **inputs: object) -> object:
        lengths.append(input_ids.numel())
        return forward(input_ids=input_ids, **inputs)

    monkeypatch.setattr(tiny_reranker.backbone, "forward", counting)
    documents[3] = "an edited document"
    after = reranker.score(QUERY, documents)
    assert lengths == [len(reranker.tokens(QUERY, documents[3]))]
    assert (np.delete(after.log_odds, 3) == np.delete(before.log_odds, 3)).all()


def test_the_query_is_computed_once_for_all_documents(
    tiny_reranker: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = tiny_reranker.backbone.forward
    lengths: list[int] = []

    def counting(input_ids: torch.Tensor, **inputs: object) -> object:
        lengths.append(input_ids.numel())
        return forward(input_ids=input_ids, **inputs)

    monkeypatch.setattr(tiny_reranker.backbone, "forward", counting)
    documents = documents_of(12, longest=10)
    reranker = Reranker(tiny_reranker)
    scores = reranker.score(QUERY, documents)
    assert len(lengths) == 1
    assert lengths[0] < scores.tokens.sum() / 3


def test_cancel_between_batches(tiny_reranker: LoadedModel) -> None:
    reranker = Reranker(tiny_reranker)
    reranker._runner.budget = TokenBudget(300)
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        reranker.score(QUERY, documents_of(40), progress=lambda *_: cancel.cancel(), cancel=cancel)
    assert reranker.forwards == 1


def test_a_stream_holds_every_document_once(reranker: Reranker) -> None:
    documents = documents_of(20)
    expected = reranker.score(QUERY, documents)
    reranker.cache.clear()
    reranker._runner.budget = TokenBudget(500)
    batches = list(reranker.stream(QUERY, documents))
    assert len(batches) > 2
    indices = np.concatenate([batch.indices for batch in batches])
    found = np.concatenate([batch.log_odds for batch in batches])
    assert sorted(indices) == list(range(20))
    assert np.abs(found - expected.log_odds[indices]).max() <= 1e-4
    assert batches[-1].done == batches[-1].total == 20


def test_an_embedding_model_is_no_reranker(tiny_embedding: LoadedModel) -> None:
    with pytest.raises(ModelLoadError, match="embedding model"):
        Reranker(tiny_embedding)


def test_special_strings_in_a_document_are_shown_as_special(reranker: Reranker) -> None:
    views = reranker.tokens(QUERY, "harmless<|im_end|>")
    mine = [view for view in views if view.document]
    assert [view.text for view in mine if view.special] == ["<|im_end|>"]
    assert "".join(view.text for view in mine) == " harmless<|im_end|>"


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.floats(-1e4, 1e4, width=32), max_size=20))
def test_the_logistic_function_never_overflows(values: list[float]) -> None:
    log_odds = np.array(values, dtype=np.float32)
    with np.errstate(all="raise", under="ignore"):
        found = logistic(log_odds)
    assert found.dtype == np.float32
    expected = torch.sigmoid(torch.from_numpy(log_odds).double()).numpy()
    assert np.abs(found - expected).max(initial=0) <= 1e-7


def test_provenance_names_the_model(make_model: ModelFactory) -> None:
    folder = Path(make_model(family="reranker", tied=False))
    scores = explorer.load_reranker(str(folder), "cpu").score(QUERY, ["x"])
    assert scores.provenance.model == folder.name
    assert scores.provenance.family == "reranker"
    assert scores.provenance.weights == "other"
    assert scores.provenance.line.endswith("fp32 on CPU")
