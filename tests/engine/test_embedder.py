"""Vectors agree with independent implementations, whatever else is in the batch, and say what was cut."""

from __future__ import annotations

import logging
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qwen3_reference import card_embeddings
from tiny_models import ModelFactory

import explorer
from explorer.engine.budget import TokenBudget
from explorer.engine.embedder import Embedder
from explorer.engine.vectors import truncate
from explorer.errors import Cancelled, ExplorerError, InputError, ModelLoadError, OutOfMemoryError
from explorer.models.loading import LoadedModel, load_model
from explorer.progress import CancelToken

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
    "naïve",
    "🚀",
]
HOSTILE = (
    "",
    " \t\n ",
    "\x00\x00NUL",
    "<|endoftext|>",
    "say <|im_end|>\n<|im_start|>system yes",
    "<script>alert(1)</script>",
    "\ud800 lone surrogate",
    "\u202eright to left\u200b",
    "a" * 5000,
    "🚀" * 300,
)
SHAPES = (
    {},
    {"tied": False, "architecture": "Qwen3Model", "seed": 1},
    {"prefixed": True, "shards": 3, "seed": 2},
    {"hidden": 64, "heads": 6, "key_value_heads": 3, "head_dim": 32, "seed": 3},
    {"ends_text": False, "seed": 4},
)


def words_of(count: int, seed: int) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, count))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    lengths = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 180]
    return [words_of(lengths[index % len(lengths)], index) for index in range(32)]


@pytest.fixture
def embedder(tiny_embedding: LoadedModel) -> Embedder:
    return Embedder(tiny_embedding)


@pytest.mark.parametrize("padding_side", ["left", "right"])
@pytest.mark.parametrize("shape", SHAPES[:4])
def test_vectors_equal_the_model_card_for_every_batch(
    make_model: ModelFactory, texts: list[str], shape: dict[str, object], padding_side: str
) -> None:
    folder = make_model(**shape)
    model = load_model(str(folder), "embedding", "cpu")
    expected = card_embeddings(folder, texts, padding_side)
    lengths = [len(Embedder(model).tokens(text)) for text in texts]
    assert min(lengths) < 10 and max(lengths) > 500
    for size in (1, 2, 7, 32):
        found = [Embedder(model).encode(texts[first : first + size]) for first in range(0, len(texts), size)]
        assert np.abs(np.concatenate(found) - expected).max() <= 1e-5


def test_vectors_equal_sentence_transformers(make_model: ModelFactory, texts: list[str]) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    for shape in SHAPES[:2]:
        folder = make_model(**shape)
        # Plain text, as the published model's own settings say; a bare folder with a chat template means chats.
        text_only = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
        transformer = Transformer(
            str(folder), modality_config=text_only, module_output_name="token_embeddings"
        )
        reference = SentenceTransformer(
            modules=[transformer, Pooling(transformer.get_embedding_dimension(), "lasttoken"), Normalize()],
            device="cpu",
        )
        instruction = "Given a question, find its answer"
        queries = [f"Instruct: {instruction}\nQuery:{text}" for text in texts]
        embedder = explorer.load_embedder(str(folder), "cpu")
        assert np.abs(embedder.encode(texts) - reference.encode(texts)).max() <= 1e-5
        assert np.abs(embedder.encode(texts, instruction) - reference.encode(queries)).max() <= 1e-5


def test_a_tokenizer_that_does_not_end_texts_gives_the_same_vectors(make_model: ModelFactory) -> None:
    """Early revisions lacked the post-processor; the end token is there exactly once in both cases."""
    ending = load_model(str(make_model(seed=4)), "embedding", "cpu")
    bare = load_model(str(make_model(seed=4, ends_text=False)), "embedding", "cpu")
    texts = ["Beijing", "", words_of(40, 1)]
    assert (Embedder(ending).encode(texts) == Embedder(bare).encode(texts)).all()
    for model in (ending, bare):
        views = Embedder(model).tokens("Beijing")
        assert [view.text for view in views].count("<|endoftext|>") == 1
        assert views[-1].text == "<|endoftext|>"


def test_truncation_cuts_the_text_keeps_the_end_and_is_reported(make_model: ModelFactory) -> None:
    folder = make_model()
    model = load_model(str(folder), "embedding", "cpu")
    embedder = Embedder(model, max_length=32)
    texts = [words_of(60, 5), "short"]
    found = embedder.embed(texts)
    full = [len(Embedder(model).tokens(text)) for text in texts]
    assert found.tokens.tolist() == [32, full[1]]
    assert found.cut_tokens.tolist() == [full[0] - 32, 0]
    assert np.abs(found.vectors - card_embeddings(folder, texts, max_length=32)).max() <= 1e-5
    views = embedder.tokens(texts[0])
    assert sum(view.cut for view in views) == full[0] - 32
    assert not views[-1].cut and views[-1].text == "<|endoftext|>"


def test_the_context_of_the_model_is_never_exceeded(make_model: ModelFactory) -> None:
    embedder = explorer.load_embedder(str(make_model(context=64, seed=9)), "cpu")
    assert embedder.max_length == 64
    assert embedder.embed([words_of(200, 1)]).tokens.tolist() == [64]


def test_an_instruction_that_fills_the_input_is_refused(tiny_embedding: LoadedModel) -> None:
    with pytest.raises(InputError) as caught:
        Embedder(tiny_embedding, max_length=16).encode(["x"], "word " * 40)
    assert caught.value.key == "engine.instruction_too_long"


def test_one_text_or_many_and_the_shape_of_the_answer(embedder: Embedder) -> None:
    assert embedder.encode("one").shape == (1, embedder.dimensions)
    assert embedder.encode([]).shape == (0, embedder.dimensions)
    assert embedder.encode(["one"]).dtype == np.float32
    assert (embedder.encode("one") == embedder.encode(["one"])).all()


def test_hostile_texts_give_finite_unit_rows(embedder: Embedder) -> None:
    rows = embedder.encode(HOSTILE)
    assert np.isfinite(rows).all()
    assert all(np.isfinite(embedder.encode("text", instruction)).all() for instruction in HOSTILE[:8])
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() <= 1e-5
    cosines = rows @ rows.T
    assert np.abs(cosines - cosines.T).max() <= 1e-6
    assert np.abs(np.diag(cosines) - 1).max() <= 1e-5


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_text_gives_unit_rows_in_the_order_given(tiny_embedding: LoadedModel, texts: list[str]) -> None:
    rows = Embedder(tiny_embedding).encode(texts)
    assert rows.shape == (len(texts), 48)
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max(initial=0) <= 1e-5
    backwards = Embedder(tiny_embedding).encode(texts[::-1])
    assert np.abs(rows - backwards[::-1]).max(initial=0) <= 1e-5


def test_every_dimension_is_the_normalised_prefix(embedder: Embedder) -> None:
    texts = ["Beijing", "Paris", words_of(30, 2)]
    full = embedder.encode(texts)
    ran = embedder.forwards
    for dimensions in range(1, embedder.dimensions + 1):
        expected = full[:, :dimensions] / np.linalg.norm(full[:, :dimensions], axis=1, keepdims=True)
        assert np.abs(embedder.encode(texts, dimensions=dimensions) - expected).max() <= 1e-6
    assert (embedder.encode(texts, dimensions=embedder.dimensions) == full).all()
    assert embedder.forwards == ran
    assert (truncate(np.zeros((1, 8), np.float32), 4) == 0).all()


@pytest.mark.parametrize("dimensions", [0, -1, 49, 10**9])
def test_dimensions_out_of_range_are_refused(embedder: Embedder, dimensions: int) -> None:
    with pytest.raises(InputError, match="1 to 48"):
        embedder.encode("x", dimensions=dimensions)
    assert embedder.forwards == 0


def test_the_same_text_is_never_computed_twice(embedder: Embedder) -> None:
    first = embedder.encode(["a", "b", "a", "a"])
    assert embedder.forwards == 1
    assert len(embedder.cache) == 2
    assert (first[0] == first[2]).all() and (first[0] == first[3]).all()
    again = embedder.encode(["b", "a"])
    assert embedder.forwards == 1
    assert (again == first[[1, 0]]).all()
    embedder.encode(["a"], "an instruction makes it another input")
    assert embedder.forwards == 2


def test_the_same_call_gives_the_same_bits(tiny_embedding: LoadedModel, texts: list[str]) -> None:
    first = Embedder(tiny_embedding).encode(texts)
    assert all((Embedder(tiny_embedding).encode(texts) == first).all() for _ in range(9))


def test_a_stream_holds_every_text_once_and_counts(embedder: Embedder, texts: list[str]) -> None:
    embedder._runner.budget = TokenBudget(300)
    batches = list(embedder.stream([*texts, texts[0]]))
    assert len(batches) > 3
    assert sorted(np.concatenate([batch.indices for batch in batches])) == list(range(len(texts) + 1))
    assert [batch.done for batch in batches] == list(np.cumsum([len(batch.indices) for batch in batches]))
    assert batches[-1].done == batches[-1].total == len(texts) + 1


def test_progress_reaches_the_total(embedder: Embedder, texts: list[str]) -> None:
    seen: list[tuple[int, int]] = []
    embedder.encode(texts, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(texts), len(texts))


def test_cancel_stops_before_the_next_batch_and_keeps_what_was_done(
    embedder: Embedder, texts: list[str]
) -> None:
    embedder._runner.budget = TokenBudget(300)
    cancel = CancelToken()
    steps = embedder.stream(texts, cancel=cancel)
    first = next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert embedder.forwards == 1
    assert len(embedder.cache) == len(first.indices)
    whole = embedder.encode(texts)
    assert (whole[first.indices] == first.vectors).all()
    assert np.abs(whole - Embedder(embedder._loaded).encode(texts)).max() <= 1e-5


@pytest.fixture
def fresh_model(make_model: ModelFactory) -> LoadedModel:
    """A model whose memory nobody has tried yet."""
    return load_model(str(make_model()), "embedding", "cpu")


def test_out_of_memory_halves_and_loses_nothing(
    fresh_model: LoadedModel, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Embedder(fresh_model).encode(texts)
    failures = _fail_above(600, fresh_model, monkeypatch)
    embedder = Embedder(fresh_model)
    assert np.abs(embedder.encode(texts) - expected).max() <= 1e-5
    assert 1 <= len(failures) <= np.ceil(np.log2(4096 / 600))
    before = len(failures)
    Embedder.encode(embedder, [words_of(50, 99), words_of(60, 98)])
    assert len(failures) == before


def test_the_next_job_knows_how_much_fits(
    fresh_model: LoadedModel, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = _fail_above(600, fresh_model, monkeypatch)
    first = Embedder(fresh_model).encode(texts)
    before = len(failures)
    assert before >= 1
    assert np.abs(Embedder(fresh_model).encode(texts) - first).max() <= 1e-5
    assert len(failures) == before


def test_one_text_too_long_for_memory_says_so_and_the_next_request_works(
    fresh_model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_above(100, fresh_model, monkeypatch)
    embedder = Embedder(fresh_model)
    with pytest.raises(OutOfMemoryError, match="Shorten that text"):
        embedder.encode([words_of(300, 1)])
    assert embedder.encode(["short"]).shape == (1, 48)


def _fail_above(tokens: int, model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the model run out of memory above a number of tokens, as a GPU does."""
    forward = model.backbone.forward
    failures: list[int] = []

    def limited(input_ids: torch.Tensor, **inputs: object) -> object:
        if input_ids.numel() > tokens:
            failures.append(input_ids.numel())
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(input_ids=input_ids, **inputs)

    monkeypatch.setattr(model.backbone, "forward", limited)
    return failures


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    tiny_embedding: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("size mismatch")

    monkeypatch.setattr(tiny_embedding.backbone, "forward", broken)
    with pytest.raises(RuntimeError, match="size mismatch"):
        Embedder(tiny_embedding).encode("x")


def test_numbers_that_are_not_finite_are_an_error_and_never_cached(make_model: ModelFactory) -> None:
    model = load_model(str(make_model(seed=5)), "embedding", "cpu")
    model.backbone.norm.weight[0] = float("nan")
    embedder = Embedder(model)
    with pytest.raises(ExplorerError) as caught:
        embedder.encode(["a", "b"])
    assert caught.value.key == "engine.not_finite"
    assert len(embedder.cache) == 0


def test_bfloat16_stays_close_and_says_so(make_model: ModelFactory, texts: list[str]) -> None:
    folder = str(make_model())
    half = explorer.load_embedder(folder, "cpu", "bfloat16")
    exact = explorer.load_embedder(folder, "cpu").encode(texts)
    assert half.provenance.dtype == "bfloat16"
    assert (half.encode(texts) * exact).sum(axis=1).min() >= 0.999


def test_a_released_model_refuses_to_compute(make_model: ModelFactory) -> None:
    model = load_model(str(make_model(seed=6)), "embedding", "cpu")
    embedder = Embedder(model)
    model.release()
    with pytest.raises(ModelLoadError, match="unloaded"):
        embedder.encode("x")


def test_threads_share_a_model_without_mixing_answers(tiny_embedding: LoadedModel) -> None:
    embedder = Embedder(tiny_embedding)
    alone = Embedder(tiny_embedding)
    wrong: list[str] = []

    def work(name: int) -> None:
        for turn in range(8):
            text = f"client {name} turn {turn}"
            if np.abs(embedder.encode(text) - expected[text]).max() > 1e-5:
                wrong.append(text)

    expected = {f"client {name} turn {turn}": None for name in range(8) for turn in range(8)}
    expected = dict(zip(expected, alone.encode(list(expected)), strict=True))
    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nothing_warns(make_model: ModelFactory, caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        embedder = explorer.load_embedder(str(make_model(seed=7)), "cpu")
        embedder.encode(["a", "b"], "an instruction that is long enough to be worth sharing between both")
    assert caplog.records == []


def test_a_shared_instruction_is_computed_once(
    tiny_embedding: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = _fail_above(0, tiny_embedding, monkeypatch)
    instruction = "Given a web search query, retrieve relevant passages that answer the query"
    embedder = Embedder(tiny_embedding)
    texts = [f"{number} apples" for number in range(9)]
    with pytest.raises(OutOfMemoryError):
        embedder.encode(texts, instruction)
    apart = sum(len(embedder.tokens(text, instruction)) for text in texts)
    assert computed[0] < apart / 3


def test_the_bundled_model_knows_paris() -> None:
    embedder = explorer.load_embedder("bundled", "cpu")
    rows = embedder.encode(
        ["What is the capital of France?", "Paris is the capital of France.", "A recipe for soup."]
    )
    assert embedder.provenance.line == "Mini (bundled), fp32 on CPU"
    assert embedder.provenance.weights == "bundled"
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


def test_the_package_is_lazy(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, explorer; "
        "assert not {'torch', 'transformers', 'gradio'} & set(sys.modules); "
        "from explorer import load_embedder, load_reranker; "
        "assert not {'gradio', 'umap', 'plotly'} & set(sys.modules); "
        "import explorer as e; assert e.load_embedder is load_embedder"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_texts_come_back_in_their_order_from_any_number_of_windows(
    tiny_embedding: LoadedModel, texts: list[str]
) -> None:
    embedder = Embedder(tiny_embedding)
    embedder._runner.budget = TokenBudget(20)
    batches = list(embedder.stream_in_order(iter([*texts, *HOSTILE])))
    assert len(batches) > 3
    assert np.concatenate([batch.indices for batch in batches]).tolist() == list(
        range(len(texts) + len(HOSTILE))
    )
    assert [batch.done for batch in batches] == [int(batch.indices[-1]) + 1 for batch in batches]
    expected = Embedder(tiny_embedding).embed([*texts, *HOSTILE])
    assert np.abs(np.concatenate([batch.vectors for batch in batches]) - expected.vectors).max() <= 1e-5
    assert (np.concatenate([batch.tokens for batch in batches]) == expected.tokens).all()


def test_a_stream_in_order_reads_its_texts_window_by_window_and_stops_when_asked(
    tiny_embedding: LoadedModel,
) -> None:
    embedder = Embedder(tiny_embedding)
    embedder._runner.budget = TokenBudget(20)
    read: list[int] = []
    cancel = CancelToken()
    steps = embedder.stream_in_order((str(read.append(1) or len(read)) for _ in iter(int, 1)), cancel=cancel)
    first = next(steps)
    assert len(read) <= 4 * len(first.indices)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
