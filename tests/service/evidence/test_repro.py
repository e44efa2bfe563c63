"""The bundle's own script computes the same numbers, and notices when it does not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from evidence_cases import HOSTILE, PLAIN, run_again, unpacked

from explorer.service.compare import compare
from explorer.service.rerank import rerank
from explorer.service.workspace import Workspace, finished
from explorer.settings import Settings

QUERY = "What is the capital of China?"
BOTH = (
    "import runpy, sys\n"
    "codes = []\n"
    "for path in sys.argv[1:]:\n"
    "    sys.argv = [path]\n"
    "    try:\n"
    "        runpy.run_path(path, run_name='__main__')\n"
    "    except SystemExit as end:\n"
    "        codes.append(end.code)\n"
    "print('codes', codes)\n"
    "sys.exit('explorer' in sys.modules)\n"
)


@pytest.fixture
def tiny(make_model: Callable[..., Path], tmp_path: Path) -> Callable[..., Workspace]:
    def workspace(dtype: str = "float32", **fields: object) -> Workspace:
        reranker = make_model(family="reranker", tied=False) if not fields else make_model(**fields)
        settings = Settings(
            embedding=str(make_model(context=64)),
            reranker=str(reranker),
            dtype=dtype,
            offline=True,
            cache_gigabytes=0,
        )
        return Workspace(settings)

    return workspace


def test_both_bundles_of_the_bundled_models_are_reproduced_in_a_fresh_process(tmp_path: Path) -> None:
    workspace = Workspace(Settings(offline=True, cache_gigabytes=0))
    documents = [*PLAIN, *HOSTILE]
    reranked = unpacked(workspace, finished(rerank(workspace, HOSTILE[2], documents)), tmp_path)
    compared = unpacked(workspace, finished(compare(workspace, HOSTILE, documents, "Find")), tmp_path)
    scripts = [str(bundle / "repro.py") for bundle in (reranked, compared)]
    run = subprocess.run(
        [sys.executable, "-I", "-c", BOTH, *scripts], capture_output=True, text=True, cwd="/"
    )
    assert run.stdout.rstrip().endswith("codes [0, 0]"), run.stdout + run.stderr
    assert run.returncode == 0
    assert run.stdout.count("weights and tokenizer: the recorded ones") == 3
    assert "NOT" not in run.stdout
    assert re.findall(r"(\S.*): 10 compared, .* 1e-04 allowed", run.stdout) == ["log-odds, alone", "cosines"]


@pytest.mark.parametrize(
    ("fields", "template"),
    [
        ({"family": "reranker", "tied": True}, "model_card"),
        ({"family": "reranker", "tied": False, "shards": 3}, "evaluation"),
        ({"family": "reranker", "architecture": "Qwen3ForSequenceClassification"}, "evaluation"),
    ],
    ids=["tied", "untied, in shards", "sequence classification"],
)
def test_every_form_of_a_reranker_is_reproduced(
    tiny: Callable[..., Workspace], tmp_path: Path, fields: dict[str, object], template: str, capsys
) -> None:
    workspace = tiny(**fields)
    shown = finished(rerank(workspace, QUERY, [*PLAIN, *HOSTILE], "Find it", template))  # type: ignore[arg-type]
    assert shown.notices, "one document should be too long for the embedding model"
    assert run_again(unpacked(workspace, shown, tmp_path)) == 0
    assert capsys.readouterr().out.count("the recorded ones") == 2


def test_a_prompt_that_was_cut_is_reproduced(make_model: Callable[..., Path], tmp_path: Path) -> None:
    reranker = make_model(family="reranker", tied=False, context=256)
    workspace = Workspace(Settings(str(make_model()), str(reranker), offline=True, cache_gigabytes=0))
    for template in ("model_card", "evaluation"):
        shown = finished(rerank(workspace, QUERY, PLAIN, None, template))  # type: ignore[arg-type]
        assert shown.scores.cut_tokens[2] > 0
        assert run_again(unpacked(workspace, shown, tmp_path / template)) == 0


def test_weights_rounded_to_one_byte_are_rounded_alike(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    models = str(make_model(context=64)), str(make_model(family="reranker", tied=False))
    workspace = Workspace(Settings(*models, accelerate="int8", offline=True, cache_gigabytes=0))
    assert run_again(unpacked(workspace, finished(rerank(workspace, QUERY, PLAIN)), tmp_path)) == 0


def test_bfloat16_is_reproduced_within_what_the_format_allows(
    tiny: Callable[..., Workspace], tmp_path: Path, capsys
) -> None:
    workspace = tiny("bfloat16")
    assert run_again(unpacked(workspace, finished(rerank(workspace, QUERY, PLAIN)), tmp_path)) == 0
    assert "bfloat16 on cpu" in capsys.readouterr().out


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def untouched(make_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = str(make_model(context=64)), str(make_model(family="reranker", tied=False))
    workspace = Workspace(Settings(*models, offline=True, cache_gigabytes=0))
    return unpacked(
        workspace, finished(rerank(workspace, QUERY, PLAIN)), tmp_path_factory.mktemp("untouched")
    )


@pytest.fixture
def bundle(untouched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "bundle"))


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("log_odds_alone", 0.0002),
        ("log_odds_alone", float("nan")),
        ("log_odds", 0.02),
        ("probability", 0.02),
        ("cosine", 0.0002),
    ],
)
def test_a_tampered_number_is_noticed(bundle: Path, column: str, change: float, capsys) -> None:
    table = pd.read_csv(bundle / "scores.csv")
    table.loc[1, column] += change
    table.to_csv(bundle / "scores.csv", index=False, encoding="utf-8-sig", na_rep="nan")
    assert run_again(bundle) == 1
    said = capsys.readouterr().out
    assert said.count("NOT the same") == 1 and said.rstrip().endswith("see the lines with NOT.")


@pytest.mark.parametrize("tampered", ["document", "row", "prompt"])
def test_a_tampered_text_row_or_prompt_is_noticed(bundle: Path, tampered: str, capsys) -> None:
    if tampered == "document":
        changed(bundle / "inputs.json", PLAIN[1], PLAIN[1] + "!")
    elif tampered == "row":
        lines = (bundle / "scores.csv").read_bytes().splitlines(keepends=True)
        (bundle / "scores.csv").write_bytes(b"".join(lines[:-1]))
    else:
        changed(bundle / "prompts.jsonl", '"ids": [', '"ids": [5, ')
    assert run_again(bundle) == 1
    assert "NOT the same" in capsys.readouterr().out


def test_a_tampered_cosine_of_a_comparison_is_noticed(tiny: Callable[..., Workspace], tmp_path: Path) -> None:
    workspace = tiny()
    shown = finished(compare(workspace, [QUERY], PLAIN))
    bundle = unpacked(workspace, shown, tmp_path)
    assert run_again(bundle) == 0
    table = pd.read_csv(bundle / "document_cosines.csv")
    table.loc[1, "cosine"] += 0.0002
    table.to_csv(bundle / "document_cosines.csv", index=False, encoding="utf-8-sig")
    assert run_again(bundle) == 1


def test_other_weights_are_told_from_the_recorded_ones(
    bundle: Path, make_model: Callable[..., Path], capsys
) -> None:
    other = make_model(family="reranker", tied=False, seed=5)
    assert run_again(bundle, ["--reranker", str(other)]) == 1
    assert "weights and tokenizer: NOT the recorded ones" in capsys.readouterr().out


def test_a_model_that_is_gone_is_asked_for(tiny: Callable[..., Workspace], tmp_path: Path, capsys) -> None:
    workspace = tiny()
    bundle = unpacked(workspace, finished(compare(workspace, [QUERY], PLAIN)), tmp_path)
    manifest = json.loads((bundle / "manifest.json").read_text())
    folder = manifest["models"]["embedding"].pop("folder")
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert run_again(bundle) == 2
    assert "--embedding FOLDER" in capsys.readouterr().out
    assert run_again(bundle, ["--embedding", folder]) == 0
