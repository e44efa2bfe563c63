"""The mixtures of pairs that the bundled models were trained on, and the written ones among them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from explorer.training.bundled.mixtures import STAGES, mixed
from explorer.training.bundled.teaching import read_teacher
from explorer.training.mini_reranker.parts import as_parts
from explorer.training.pairs.pair import PairProvenance, TrainingPair
from explorer.training.sources import written

SOURCES = Path(written.__file__).parent


def _pair(source: str, language: str = "en", query: str = "who", document: str = "she") -> TrainingPair:
    return TrainingPair(
        query, document, language=language, provenance=PairProvenance("labelled", source=source)
    )


def test_a_share_says_how_often_a_source_is_seen():
    pairs = [_pair("wordnet")] * 1000 + [_pair("drcd", "zh")] * 10 + [_pair("other")] * 7
    drawn = mixed(pairs, {"wordnet": 0.25, "drcd|zh": 2.0, "drcd": 0.0})
    counts = {
        name: sum(pair.provenance.source == name for pair in drawn) for name in ("wordnet", "drcd", "other")
    }
    assert 200 < counts["wordnet"] < 300
    assert counts["drcd"] == 20
    assert counts["other"] == 7


def test_a_share_for_one_language_leaves_the_others_alone():
    drawn = mixed([_pair("sts", "en"), _pair("sts", "zh")], {"sts|zh": 0.0})
    assert [pair.language for pair in drawn] == ["en"]


def test_every_stage_goes_on_from_another_or_from_the_given_folder():
    assert {stage.base for stage in STAGES.values()} <= {"", *STAGES}


def test_the_teacher_is_looked_up_by_what_the_student_reads(tmp_path):
    texts = ["who", "she", "he"]
    (tmp_path / "teacher.json").write_text(json.dumps(texts))
    np.save(tmp_path / "teacher.npy", np.eye(3, dtype=np.float16))
    pair = _pair("wordnet")
    plain = read_teacher(tmp_path, [pair], parts=False)
    assert plain.rows == {"who": 0, "she": 1}
    framed = read_teacher(tmp_path, [pair], parts=True)
    assert framed.rows == {as_parts(pair).query: 0, as_parts(pair).document: 1}
    undecided = read_teacher(tmp_path, [_pair("contrast: language")], parts=True)
    assert list(undecided.rows.values()) == [1]


@pytest.mark.parametrize("name", ["written_questions", "written_chinese", "written_contrasts"])
def test_written_lines_are_whole_and_not_repeated(name):
    rows = [json.loads(line) for line in (SOURCES / f"{name}.jsonl").read_text("utf-8").splitlines()]
    assert all(all(str(value).strip() for value in row.values()) for row in rows)
    assert len({json.dumps(row, sort_keys=True) for row in rows}) == len(rows)


def test_written_training_text_is_not_what_is_measured():
    held = Path(__file__).parent
    measured = {
        json.loads(line)["question"] for line in (held / "passages.jsonl").read_text("utf-8").splitlines()
    }
    measured |= {
        json.loads(line)["query"] for line in (held / "instructions.jsonl").read_text("utf-8").splitlines()
    }
    trained = {
        json.loads(line)["question"]
        for line in (SOURCES / "written_questions.jsonl").read_text().splitlines()
    }
    contrasts = [
        json.loads(line) for line in (SOURCES / "written_contrasts.jsonl").read_text("utf-8").splitlines()
    ]
    sentences = {row[side] for row in contrasts for side in ("first_document", "second_document")}
    documents = [json.loads(line) for line in (held / "instructions.jsonl").read_text("utf-8").splitlines()]
    assert not measured & trained
    assert not sentences & {row[side] for row in documents for side in ("first_document", "second_document")}
