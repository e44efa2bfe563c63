"""*Use via code*: the code gives what is on screen, and no text on screen becomes code."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.service.code import Code, code_of
from explorer.service.compare import Comparison, compare
from explorer.service.rerank import Reranking, rerank
from explorer.service.workspace import Workspace, finished
from explorer.settings import Settings

HOSTILE = [
    "'''\"\"\"\\",
    "\\'); import os; os.abort() #",
    '"); __import__("os").abort() #',
    "$(touch stolen) `touch stolen` ${HOME} %s {0} !!",
    "it's ' \" a & b | c > d < e ; f\ntouch stolen\nINPUTS\ntouch stolen",
    "INPUTS",
    "tab\there\u2028line\u2029\x85end",
    "\u202egnp.exe\u2066",
    "木星很大，大红斑也很大。😀",
    "\\u0041 \\n \\x41",
    "--data @/etc/passwd",
]
ADDRESS = "http://127.0.0.1:7860/it's"


@pytest.fixture(scope="module")
def workspace(
    make_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """Tiny models in folders with names that want quoting."""
    folder = tmp_path_factory.mktemp('it\'s a "folder"')
    embedding, reranker = folder / "embedding $(x)", folder / "reranker `x`"
    embedding.symlink_to(make_model(context=256))
    reranker.symlink_to(make_model(family="reranker", tied=False, context=512))
    settings = Settings(str(embedding), str(reranker), "cpu", "float32", offline=True, cache_gigabytes=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "data_dir", tmp_path_factory.mktemp("data"))
        yield Workspace(settings)


@pytest.fixture(scope="module")
def ranking(workspace: Workspace) -> Reranking:
    return finished(rerank(workspace, HOSTILE[1], HOSTILE, HOSTILE[2], "evaluation"))


@pytest.fixture(scope="module")
def comparison(workspace: Workspace) -> Comparison:
    return finished(compare(workspace, HOSTILE[:3], HOSTILE, HOSTILE[4]))


@pytest.fixture(scope="module")
def rerank_code(workspace: Workspace, ranking: Reranking) -> Code:
    return code_of(workspace, ranking, ADDRESS)


@pytest.fixture(scope="module")
def similarity_code(workspace: Workspace, comparison: Comparison) -> Code:
    return code_of(workspace, comparison, ADDRESS)


def run(code: str) -> dict[str, Any]:
    """Execute a snippet as a person would, and give its names."""
    names: dict[str, Any] = {}
    exec(compile(code, "snippet", "exec"), names)  # noqa: S102 - the code that is tested
    return names


def test_the_python_of_a_ranking_gives_the_ranking_on_screen(
    rerank_code: Code, ranking: Reranking, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(rerank_code.python)["result"]
    assert (result.query, result.documents, result.instruction) == (
        ranking.query,
        ranking.documents,
        ranking.instruction,
    )
    np.testing.assert_allclose(result.scores.log_odds, ranking.scores.log_odds, atol=1e-4)
    printed = capsys.readouterr().out
    assert printed.startswith(f"{ranking.scores.log_odds[ranking.best]:+.2f}")
    assert ranking.documents[ranking.best] in printed
    names = run(rerank_code.models)
    np.testing.assert_allclose(names["scores"].log_odds, ranking.scores.log_odds, atol=1e-4)
    np.testing.assert_allclose(names["cosines"][0], ranking.cosines, atol=1e-5)


def test_the_python_of_a_comparison_gives_the_matrix_on_screen(
    similarity_code: Code, comparison: Comparison
) -> None:
    result = run(similarity_code.python)["result"]
    np.testing.assert_allclose(result.query_document, comparison.query_document, atol=1e-5)
    np.testing.assert_allclose(run(similarity_code.models)["cosines"], comparison.query_document, atol=1e-5)


@pytest.mark.parametrize("name", ["python", "models"])
def test_no_text_becomes_a_statement_and_nothing_invisible_stands_in_the_code(
    rerank_code: Code, ranking: Reranking, name: str
) -> None:
    code = getattr(rerank_code, name)
    plain = replace(ranking, documents=("a",) * len(HOSTILE), query="q", instruction="i")
    kinds = [type(node) for node in ast.parse(code).body]
    assert kinds == [type(node) for node in ast.parse(getattr(code_of_plain(plain), name)).body]
    assert all(character.isprintable() or character == "\n" for character in code)


def code_of_plain(plain: Reranking) -> Code:
    return code_of(Workspace(Settings(offline=True)), plain, ADDRESS)


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("view", ["rerank", "similarity"])
def test_the_shell_sends_the_inputs_and_runs_nothing_else(
    rerank_code: Code, similarity_code: Code, tmp_path: Path, shell: str, view: str
) -> None:
    fake = tmp_path / "bin" / "curl"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\nfor word; do printf \'%s\\0\' "$word" >> "$LOG"; done; printf \'\\0\' >> "$LOG"\n'
        'case "$*" in *--data-binary*) cat > "$SENT"; echo \'{"event_id": "abc123"}\';; *) echo done;; esac\n'
    )
    fake.chmod(0o755)
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {
        "PATH": f"{fake.parent}:{os.environ['PATH']}",
        "LOG": str(tmp_path / "log"),
        "SENT": str(tmp_path / "sent"),
    }
    code = rerank_code.shell if view == "rerank" else similarity_code.shell
    done = subprocess.run([shell], input=code, env=environment, cwd=empty, capture_output=True, text=True)
    assert (done.stdout, done.stderr, list(empty.iterdir())) == ("done\n", "", [])
    sent = json.loads((tmp_path / "sent").read_text())["data"]
    expected = (
        [HOSTILE[1], HOSTILE, HOSTILE[2], "evaluation"]
        if view == "rerank"
        else [HOSTILE[:3], HOSTILE, HOSTILE[4]]
    )
    assert sent == expected
    first, second = (call.split("\0") for call in (tmp_path / "log").read_text().strip("\0").split("\0\0"))
    assert f"{ADDRESS}/gradio_api/call/{view}" in first and "Content-Type: application/json" in first
    assert second[-1] == f"{ADDRESS}/gradio_api/call/{view}/abc123"
    assert all(character.isprintable() or character == "\n" for character in code)


def test_a_page_with_a_login_says_how_to_log_in(ranking: Reranking) -> None:
    locked = Workspace(Settings(offline=True, auth=("name", "secret")))
    code = code_of(locked, ranking, ADDRESS)
    assert "--cookie-jar cookies.txt" in code.shell and "secret" not in code.shell


def test_in_a_space_no_folder_of_the_machine_is_named(workspace: Workspace, ranking: Reranking) -> None:
    assert "folder" in code_of(workspace, ranking, ADDRESS).python
    public = Workspace(replace(workspace.settings, in_space=True))
    code = code_of(public, ranking, ADDRESS)
    assert "folder" not in code.python + code.models + code.shell
