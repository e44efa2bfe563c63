"""The parts of the distillation do what they claim, on tiny models and made-up teachers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.training.distil import evaluate as evaluation
from explorer.training.distil.pairs import Pair
from explorer.training.distil.static import StaticPlan, initial_table, nested_loss, train_static
from explorer.training.distil.student import StudentShape, build_student
from explorer.training.distil.targets import TeacherVectors, joint_space, targets
from explorer.training.distil.teachers import fit_joint_space, unit
from explorer.training.distil.texts import Text, distinct
from explorer.training.distil.tokenizer import save_tokenizer, train_tokenizer, with_whole_words
from explorer.training.distil.train import Examples, TrainingPlan, embed, train_student
from explorer.training.loop.model_folder import write_embedding

SHAPE = StudentShape(layers=2, intermediate=64)


@pytest.fixture(scope="module")
def table() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(500, SHAPE.content, generator=generator)
    rows = rows * torch.rand(500, 1, generator=generator).mul(2).exp()
    rows[0] = 0.0
    return rows


@settings(max_examples=20, deadline=None)
@given(ids=st.lists(st.integers(1, 499), min_size=1, max_size=60))
def test_the_untrained_student_points_where_the_sum_of_its_tokens_points(table, ids):
    model = build_student(table, SHAPE).eval()
    with torch.no_grad():
        state = model(input_ids=torch.tensor([[*ids, 0]])).last_hidden_state[0, -1]
    assert torch.cosine_similarity(state[: SHAPE.content], table[ids].sum(0), dim=0) > 0.998
    assert float(state[SHAPE.content :].abs().max()) == 0.0


def test_padding_on_the_left_does_not_change_an_embedding(table):
    model = build_student(table, SHAPE).eval()
    short, long = np.array([5, 6, 7, 0]), np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    with torch.no_grad():
        together, alone = embed(model, [short, long])[0], embed(model, [short])[0]
    assert torch.cosine_similarity(together, alone, dim=0) > 0.999


def test_the_nested_loss_is_nothing_for_the_targets_themselves_whatever_their_length():
    goal = torch.nn.functional.normalize(torch.randn(8, 253), dim=1)
    assert float(nested_loss(goal * 3, goal)) < 1e-5
    assert float(nested_loss(goal.flip(0), goal)) > 1


def test_rare_tokens_start_longer_than_common_ones_and_the_end_of_text_at_nothing():
    start = initial_table(torch.ones(4, 3), torch.tensor([10.0, 100_000.0, 100.0, 1.0]))
    assert start[0].abs().sum() == 0
    assert start[1].norm() < start[2].norm() < start[3].norm()


def test_the_static_table_learns_its_targets():
    generator = np.random.default_rng(0)
    ids = [generator.integers(1, 40, 4) for _ in range(300)]
    truth = torch.randn(40, 64)
    goal = torch.nn.functional.normalize(torch.stack([truth[row].sum(0) for row in ids]), dim=1)
    losses = []
    plan = StaticPlan(epochs=60, batch=64, learning_rate=0.05)
    train_static(
        torch.randn(40, 64) * 0.1, ids, goal, np.ones(300), plan, lambda step, loss, _: losses.append(loss)
    )
    assert losses[-1] < 0.25 * losses[0]


def test_training_lowers_the_loss_and_brings_queries_to_their_documents(table):
    torch.manual_seed(0)
    model = build_student(table, SHAPE)
    generator = np.random.default_rng(0)
    rows = [np.append(generator.integers(1, 499, 6), 0) for _ in range(256)]
    goal = torch.nn.functional.normalize(torch.randn(128, SHAPE.content), dim=1).repeat(2, 1)
    pairs = np.stack([np.arange(128), np.arange(128, 256)], axis=1)
    examples = Examples(rows, goal, np.ones(256), pairs)

    def found() -> float:
        with torch.no_grad():
            vectors = torch.nn.functional.normalize(embed(model, rows), dim=1)
        return float(((vectors[:128] @ vectors[128:].T).argmax(1) == torch.arange(128)).float().mean())

    before = found()
    train_student(
        model,
        examples,
        TrainingPlan(seconds=600, steps=40, tokens=700, table_rate=5e-3, pair_share=0.5),
        lambda *_: None,
    )
    assert found() > before + 0.3


def test_the_joint_space_keeps_similarities_in_a_prefix():
    generator = np.random.default_rng(0)
    latent = generator.normal(size=(400, 6)).astype(np.float32)
    english = unit(latent @ generator.normal(size=(6, 384)).astype(np.float32))
    multilingual = unit(latent @ generator.normal(size=(6, 512)).astype(np.float32))
    space = fit_joint_space(english, multilingual, multilingual[:50], dimensions=64)
    vectors = space.from_both(english, multilingual)
    full, short = vectors @ vectors.T, unit(vectors[:, :8]) @ unit(vectors[:, :8]).T
    assert np.abs(full - short).max() < 0.05
    alone = space.from_multilingual(multilingual)
    assert ((alone * vectors).sum(1) > 0.9).mean() > 0.9


def test_a_translation_aims_between_itself_and_its_english_original():
    generator = np.random.default_rng(0)
    names = [f"text {number}" for number in range(60)]
    multilingual = unit(generator.normal(size=(60, 512)).astype(np.float32))
    english = unit(generator.normal(size=(50, 384)).astype(np.float32))
    vectors = TeacherVectors(
        multilingual.astype(np.float16),
        {name: row for row, name in enumerate(names)},
        english.astype(np.float16),
        {name: row for row, name in enumerate(names[:50])},
    )
    items = [Text(name, "en", "stsb-multi-mt") for name in names[:50]]
    items += [Text(name, "de", "stsb-multi-mt", names[row]) for row, name in enumerate(names[50:])]
    space = joint_space(vectors, items, 32)
    known, aims = targets(space, vectors, [*items, Text("never read", "en", "wordnet")])
    assert [item.text for item in known] == names
    bound, free = aims[50], space.from_multilingual(multilingual[50:51])[0]
    assert bound @ aims[0] > 0.5
    assert bound @ free > 0.5


def test_the_tokenizer_is_whole_where_the_templates_need_it(tmp_path):
    texts = [Text(f"number {number} asks the Query of a thing", "en", "wordnet") for number in range(300)]
    tokenizer = with_whole_words(train_tokenizer(texts, [Text("thing", "en", "wordfreq")], 600))
    for word in ("yes", "no", " Query", " Instruct", "<think>", "<|im_end|>"):
        assert len(tokenizer.encode(word, add_special_tokens=False).ids) == 1
    assert tokenizer.decode(tokenizer.encode("日本 – Größe, ёлка").ids) == "日本 – Größe, ёлка"
    save_tokenizer(tokenizer, tmp_path / "tokenizer")
    model = build_student(torch.randn(tokenizer.get_vocab_size(), SHAPE.content), SHAPE)
    write_embedding(model, tmp_path / "tokenizer", tmp_path / "model")
    vectors = evaluation.folder_encoder(tmp_path / "model")(["one text", "another"])
    assert vectors.shape == (2, 256)
    assert np.isfinite(vectors).all()


def test_held_out_texts_and_repetitions_are_dropped():
    items = [Text(text, "en", "wordnet") for text in ("a  b", "a b", "held", "", "c d")]
    assert [item.text for item in distinct(items, {"held"})] == ["a b", "c d"]


def test_a_pair_is_asked_with_its_task_and_answered_by_all_its_parts():
    pair = Pair("who", "Find it", ("One.", "Two."), "One.")
    assert pair.asked == "Instruct: Find it\nQuery:who"
    assert pair.document == "One. Two."


def test_retrieval_counts_ranks():
    passages = [evaluation.Passage("alpha", ("a",)), evaluation.Passage("beta", ("b",))]
    axes = {"alpha": [1.0, 0.0], "beta": [0.6, 0.8]}
    asked = {evaluation.as_query("a"): [1.0, 0.1], evaluation.as_query("b"): [1.0, 0.2]}

    def encode(texts):
        return np.array([(axes | asked)[text] for text in texts], dtype=np.float32)

    first, ndcg = evaluation.retrieval(encode, passages)
    assert first == 0.5
    assert ndcg == pytest.approx((1 + 1 / np.log2(3)) / 2)
