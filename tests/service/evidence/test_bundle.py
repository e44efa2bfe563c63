"""What a bundle holds: everything, always the same, and nothing that a text could turn into code."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evidence_cases import HOSTILE, PLAIN, unpacked
from PIL import Image

from explorer.errors import InputError
from explorer.laboratory import Laboratory
from explorer.service import models
from explorer.service.compare import compare
from explorer.service.evidence.bundle import evidence, evidence_after
from explorer.service.models import ModelRequest
from explorer.service.rerank import Reranking, rerank
from explorer.service.workspace import Workspace, finished, waited_for
from explorer.settings import Settings

DOCUMENTS = [*PLAIN, *HOSTILE]
ALWAYS = {
    "README.txt",
    "inputs.json",
    "manifest.json",
    "prompts.jsonl",
    "prompts.txt",
    "repro.py",
    "scores.csv",
}
ALWAYS |= {"vectors.parquet"}


@pytest.fixture(scope="module")
def folders(make_model: Callable[..., Path]) -> tuple[str, str]:
    return str(make_model(context=64)), str(make_model(family="reranker", tied=False))


@pytest.fixture(scope="module")
def workspace(folders: tuple[str, str]) -> Workspace:
    return Workspace(Settings(*folders, offline=True, cache_gigabytes=0))


@pytest.fixture(scope="module")
def shown(workspace: Workspace) -> Reranking:
    return finished(rerank(workspace, HOSTILE[1], DOCUMENTS, HOSTILE[2]))


@pytest.fixture(scope="module")
def bundle(workspace: Workspace, shown: Reranking, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(workspace, shown, tmp_path_factory.mktemp("rerank"))


@pytest.fixture(scope="module")
def compared(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    comparison = finished(compare(workspace, HOSTILE, DOCUMENTS))
    return unpacked(workspace, comparison, tmp_path_factory.mktemp("similarity"))


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def pictures(*figures: str) -> set[str]:
    return {f"figures/{figure}.{form}" for figure in figures for form in ("svg", "png", "html")}


def test_a_bundle_holds_all_that_it_promises(bundle: Path, compared: Path) -> None:
    assert names(bundle) == ALWAYS | pictures("ranks", "log_odds")
    matrices = pictures("query_document", "document_document")
    assert names(compared) == ALWAYS | {"document_cosines.csv"} | matrices
    for folder in (bundle, compared):
        readme = (folder / "README.txt").read_text(encoding="utf-8")
        assert all(name in readme for name in names(folder) - {"README.txt"} if "/" not in name)


def test_the_same_result_gives_the_same_bytes_without_a_date(workspace: Workspace, shown: Reranking) -> None:
    first, second = (finished(evidence(workspace, shown)) for _ in range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(name.startswith("evidence-rerank/") and ".." not in name for name in archive.namelist())


def test_inputs_and_scores_are_those_on_screen_to_the_last_digit(bundle: Path, shown: Reranking) -> None:
    inputs = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))
    assert inputs == {
        "query": shown.query,
        "documents": list(shown.documents),
        "instruction": shown.instruction,
        "template": "model_card",
    }
    table = pd.read_csv(bundle / "scores.csv", keep_default_na=False)
    for column, numbers in (
        ("log_odds", shown.scores.log_odds),
        ("probability", shown.scores.probability),
        ("cosine", shown.cosines),
        ("rerank_rank", shown.movement.second_ranks),
        ("embedding_rank", shown.movement.first_ranks),
    ):
        assert (table[column].to_numpy(numbers.dtype) == numbers).all()
    np.testing.assert_allclose(table["log_odds_alone"], shown.scores.log_odds, atol=1e-3)
    assert not table["document"].str.match(r"^\s*[=+\-@]").any()


def test_prompts_are_those_that_were_read(bundle: Path, workspace: Workspace, shown: Reranking) -> None:
    lines = (bundle / "prompts.jsonl").read_bytes().split(b"\n")[:-1]
    prompts = [json.loads(line) for line in lines]
    sides = [prompt["side"] for prompt in prompts]
    assert sides == ["pair"] * len(DOCUMENTS) + ["query"] + ["document"] * len(DOCUMENTS)
    reranker, embedder = waited_for(workspace.reranker()), waited_for(workspace.embedder())
    for prompt, tokens in (
        (prompts[3], reranker.tokens(shown.query, shown.documents[3], shown.instruction)),
        (prompts[len(DOCUMENTS)], embedder.tokens(shown.query, shown.instruction)),
        (prompts[len(DOCUMENTS) + 3], embedder.tokens(shown.documents[2])),
    ):
        read = [token for token in tokens if not token.cut]
        assert prompt["ids"] == [token.id for token in read]
        assert prompt["text"] == "".join(token.text for token in read)
    assert prompts[len(DOCUMENTS) + 3]["cut_tokens"] > 0
    text = (bundle / "prompts.txt").read_text(encoding="utf-8")
    assert text.startswith("===== pair 1: ") and "left out =====" in text


def test_vectors_give_the_cosines_on_screen(bundle: Path, shown: Reranking) -> None:
    table = pd.read_parquet(bundle / "vectors.parquet")
    assert table["side"].tolist() == ["query"] + ["document"] * len(DOCUMENTS)
    assert table["text"].tolist() == [shown.query, *shown.documents]
    vectors = np.stack(table["vector"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[1:] @ vectors[0], shown.cosines, atol=1e-6)


def test_the_manifest_says_what_made_the_numbers(
    bundle: Path, shown: Reranking, folders: tuple[str, str]
) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    for family, made, folder in (
        ("embedding", shown.embedding, folders[0]),
        ("reranker", shown.scores.provenance, folders[1]),
    ):
        record = manifest["models"][family]
        assert record["fingerprint"] == made.fingerprint and record["folder"] == folder
        assert (record["dtype"], record["device"]) == ("float32", "cpu")
    assert {"python", "torch", "transformers", "tokenizers"} < set(manifest["versions"])
    assert manifest["seed"] == 0
    assert manifest["notices"] == [notice.text("en") for notice in shown.notices] != []


@pytest.mark.parametrize("settings", [{"in_space": True}, {"host": "0.0.0.0", "auth": ("name", "word")}])
def test_visitors_do_not_learn_where_files_lie(
    folders: tuple[str, str], tmp_path: Path, settings: dict[str, object]
) -> None:
    workspace = Workspace(Settings(*folders, offline=True, cache_gigabytes=0, **settings))  # type: ignore[arg-type]
    bundle = unpacked(workspace, finished(rerank(workspace, "query", PLAIN)), tmp_path)
    for name in names(bundle):
        assert str(Path(folders[0]).parent).encode() not in (bundle / name).read_bytes()


class Elements(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.mark.parametrize("name", ["ranks", "log_odds", "query_document", "document_document"])
def test_no_text_becomes_markup_in_a_figure(bundle: Path, compared: Path, name: str) -> None:
    folder = (bundle if (bundle / f"figures/{name}.svg").exists() else compared) / "figures"
    root = ET.fromstring((folder / f"{name}.svg").read_bytes())  # noqa: S314 - our own
    tags = {element.tag.partition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "rect", "text", "polygon", "polyline", "image"}
    read = Elements()
    read.feed((folder / f"{name}.html").read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in read.found}
    for _, attributes in read.found:
        assert not {key for key in attributes if key.startswith("on") or key in ("src", "href", "action")}
    assert "<script>alert(1)</script>" in read.said
    with Image.open(folder / f"{name}.png") as image:
        image.load()
        assert image.width >= 1400 and len(set(image.resize((64, 64)).tobytes())) > 8


def test_another_model_in_place_of_the_one_that_made_the_numbers_is_refused(
    folders: tuple[str, str], make_model: Callable[..., Path]
) -> None:
    workspace = Workspace(Settings(*folders, offline=True, cache_gigabytes=0))
    reranked = finished(rerank(workspace, "query", PLAIN))
    finished(models.load(workspace, ModelRequest("embedding", str(make_model(seed=7)), "cpu")))
    with pytest.raises(InputError, match="Run again, then make the bundle"):
        finished(evidence(workspace, reranked))


def test_an_unknown_language_is_refused_before_anything_is_computed(workspace: Workspace) -> None:
    finished_before = len(workspace.cache)
    with pytest.raises(InputError, match="en or zh"):
        finished(evidence_after(workspace, rerank(workspace, "never seen", PLAIN), "fr"))  # type: ignore[arg-type]
    assert len(workspace.cache) == finished_before


def test_a_chinese_reader_gets_chinese_figures(workspace: Workspace, shown: Reranking) -> None:
    content = finished(evidence(workspace, shown, "zh")).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "对数几率" in archive.read("evidence-rerank/README.txt").decode()
        assert 'lang="zh-CN"' in archive.read("evidence-rerank/figures/ranks.html").decode()


def test_the_laboratory_makes_the_same_bundle(
    folders: tuple[str, str], tmp_path: Path, shown: Reranking
) -> None:
    laboratory = Laboratory(*folders, offline=True, data_dir=tmp_path)
    result = laboratory.rerank(HOSTILE[1], DOCUMENTS, HOSTILE[2])
    made = laboratory.evidence(result)
    assert made.name == "evidence-rerank.zip"
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert json.loads(archive.read("evidence-rerank/inputs.json"))["query"] == shown.query
