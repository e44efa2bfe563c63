"""Make the bundled embedding model: ``python -m explorer.training.distil STEP --work FOLDER ...``.

Steps, each reading what the one before has written under the work folder: ``gather`` the texts, ``tokenizer``,
``teach`` (the teachers' vectors), ``static`` (the token table), ``train`` (the Qwen3 model), ``measure``.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import Qwen3Model

from explorer.training.distil import corpus as corpus
from explorer.training.distil import evaluate as evaluation
from explorer.training.distil import targets as target_room
from explorer.training.distil.dictionaries import frequent_words
from explorer.training.distil.pairs import Pair, gather_pairs
from explorer.training.distil.static import StaticPlan, initial_table, train_static
from explorer.training.distil.student import StudentShape, build_student
from explorer.training.distil.teachers import english_teacher, multilingual_teacher, unit
from explorer.training.distil.texts import Text
from explorer.training.distil.tokenizer import save_tokenizer, train_tokenizer
from explorer.training.distil.train import Examples, TokenIds, TrainingPlan, train_student
from explorer.training.loop.model_folder import write_embedding

log = logging.getLogger("explorer.training.distil")
VOCABULARY = 40_000
LONGEST = 160
"""Tokens of a text that the student reads in training."""


def gather(work: Path, arguments: argparse.Namespace) -> None:
    """Collect the texts into ``texts.jsonl``."""
    texts = corpus.gather(_sources(arguments))
    corpus.write(texts, work / "texts.jsonl")
    log.info("gathered %d texts", len(texts))


def tokenizer(work: Path, arguments: argparse.Namespace) -> None:
    """Learn the tokenizer into ``tokenizer/``."""
    words = list(frequent_words(arguments.wordfreq, 25_000))
    save_tokenizer(train_tokenizer(corpus.read(work / "texts.jsonl"), words, VOCABULARY), work / "tokenizer")


def teach(work: Path, arguments: argparse.Namespace) -> None:
    """Let the teachers read: all texts the multilingual one, ``--english-texts`` English ones the other too."""
    texts = corpus.read(work / "texts.jsonl")
    both = [target_room.clip(text) for item in texts for text in (item.text, item.english) if text]
    everything = list(dict.fromkeys(both))
    np.save(work / "multilingual.npy", multilingual_teacher()(everything).astype(np.float16))
    _write_json(work / "multilingual.json", everything)
    english = target_room.english_first(texts)[: arguments.english_texts]
    np.save(work / "english.npy", english_teacher()(english).astype(np.float16))
    _write_json(work / "english.json", english)


def static(work: Path, arguments: argparse.Namespace) -> None:
    """Fit the joint space, compute the targets and train the token table into ``static.npy``."""
    shape = StudentShape()
    vectors = _teacher_vectors(work)
    texts = corpus.read(work / "texts.jsonl")
    space = target_room.joint_space(vectors, texts, shape.content)
    known, targets = target_room.targets(space, vectors, texts)
    corpus.write(known, work / "known.jsonl")
    np.save(work / "targets.npy", targets.astype(np.float16))
    np.savez(work / "space.npz", bridge=space.bridge, axes=space.axes)
    tokens = _tokenizer(work)
    spellings = multilingual_teacher()(target_room.token_spellings(tokens))
    ids = [row[:-1] for row in _token_ids(tokens, [target_room.clip(item.text) for item in known])]
    frequency = np.bincount(np.concatenate(ids), minlength=tokens.get_vocab_size())
    table = initial_table(
        torch.from_numpy(space.from_multilingual(spellings)), torch.from_numpy(frequency).float()
    )
    plan = StaticPlan(epochs=arguments.epochs)
    trained = train_static(
        table, ids, torch.from_numpy(targets), target_room.weights(known), plan, _log_static
    )
    np.save(work / "static.npy", trained.numpy())


def train(work: Path, arguments: argparse.Namespace) -> None:
    """Train the Qwen3 model for ``--seconds`` and write it to ``model/``."""
    torch.manual_seed(0)
    model = build_student(torch.from_numpy(np.load(work / "static.npy")), StudentShape())
    examples = _examples(work, _pairs(arguments))
    plan = TrainingPlan(seconds=arguments.seconds, steps=arguments.steps, pair_share=arguments.pair_share)
    train_student(model, examples, plan, _log_training)
    write_embedding(model, work / "tokenizer", work / "model")


def measure(work: Path, arguments: argparse.Namespace) -> None:
    """Measure ``--model`` and print every figure as JSON."""
    encode = evaluation.folder_encoder(arguments.model or work / "model")
    figures = evaluation.evaluate(encode, arguments.data, (32, 64, 128, 256))
    if arguments.questions:
        for language, passages in evaluation.read_questions(arguments.questions).items():
            figures |= evaluation.named(f"questions {language}", evaluation.retrieval(encode, passages))
    if arguments.demo:
        figures |= evaluation.demo_ndcg(encode, arguments.demo)
    _write_json(work / "figures.json", figures)
    log.info(json.dumps(figures, indent=1))


def main(words: Sequence[str] | None = None) -> None:
    """Run one step."""
    steps: dict[str, Callable[[Path, argparse.Namespace], None]] = {
        step.__name__: step for step in (gather, tokenizer, teach, static, train, measure)
    }
    parser = argparse.ArgumentParser(prog="python -m explorer.training.distil", description=__doc__)
    parser.add_argument("step", choices=steps)
    parser.add_argument("--work", type=Path, required=True, help="folder for everything that is made")
    for name in (
        "data",
        "wordnet",
        "cedict",
        "edict",
        "wordfreq",
        "package-lists",
        "model",
        "questions",
        "demo",
    ):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--english-texts", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2400.0)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--pair-share", type=float, default=0.4)
    arguments = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    arguments.work.mkdir(parents=True, exist_ok=True)
    steps[arguments.step](arguments.work, arguments)


def _sources(arguments: argparse.Namespace) -> corpus.Sources:
    return corpus.Sources(
        arguments.data,
        arguments.wordnet,
        arguments.cedict,
        arguments.edict,
        arguments.wordfreq,
        arguments.package_lists,
    )


def _teacher_vectors(work: Path) -> target_room.TeacherVectors:
    rows = {
        name: {text: row for row, text in enumerate(json.loads((work / f"{name}.json").read_text("utf-8")))}
        for name in ("multilingual", "english")
    }
    return target_room.TeacherVectors(
        np.load(work / "multilingual.npy"),
        rows["multilingual"],
        np.load(work / "english.npy"),
        rows["english"],
    )


def _tokenizer(work: Path) -> Tokenizer:
    return Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json"))


def _token_ids(tokens: Tokenizer, texts: Sequence[str]) -> list[TokenIds]:
    """Encode texts, cut to ``LONGEST`` tokens of which the last is the end of text."""
    return [
        np.array(
            [*encoding.ids[: LONGEST - 1], 0] if len(encoding.ids) > LONGEST else encoding.ids, dtype=np.int64
        )
        for encoding in tokens.encode_batch(list(texts))
    ]


def _pairs(arguments: argparse.Namespace) -> list[Pair]:
    from explorer.training.distil.dictionaries import package_descriptions

    described = list(package_descriptions(arguments.package_lists))
    return gather_pairs(arguments.data, arguments.wordnet, described)


def _examples(work: Path, pairs: Sequence[Pair]) -> Examples:
    """Lay texts and the queries with their instructions side by side; a query aims where its bare text aims."""
    known: list[Text] = corpus.read(work / "known.jsonl")
    targets = np.load(work / "targets.npy").astype(np.float32)
    row = {target_room.clip(item.text): index for index, item in reversed(list(enumerate(known)))}
    added: list[str] = []
    aims: list[list[int]] = []
    joined: list[tuple[int, int]] = []
    for pair in pairs:
        aim = row.get(target_room.clip(pair.aim))
        parts = [row[key] for key in map(target_room.clip, pair.parts) if key in row]
        if aim is None or len(parts) < len(pair.parts) or [aim] == parts:
            continue
        query = len(known) + len(added)
        added.append(pair.asked)
        aims.append([aim])
        if len(parts) > 1:
            added.append(pair.document)
            aims.append(parts)
        joined.append((query, parts[0] if len(parts) == 1 else query + 1))
    texts = [target_room.clip(item.text) for item in known] + added
    weights = np.concatenate([target_room.weights(known), np.full(len(added), 0.3)])
    means = np.stack([targets[rows].sum(0) for rows in aims])
    aligned = torch.from_numpy(np.vstack([targets, unit(means)]))
    log.info("%d texts, %d pairs", len(known), len(joined))
    return Examples(_token_ids(_tokenizer(work), texts), aligned, weights, np.array(joined, dtype=np.int64))


def _log_static(step: int, loss: float, table: torch.Tensor) -> None:
    if step % 500 == 0:
        log.info("step %d loss %.4f", step, loss)


def _log_training(step: int, loss: float, model: Qwen3Model) -> None:
    log.info("step %d loss %.4f", step, loss)


def _write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
