"""``/link``, ``/open_link``, ``/rerank_code`` and ``/similarity_code``, and the shell code against the real page."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer.service.workspace import Workspace

QUERY = 'Is it "safe" to $(eat) `eggs`?'
DOCUMENTS = ["Eggs'; rm -rf ~ keep three weeks.", "Owls\nhunt at night."]


def test_a_link_brings_back_what_went_in(client: Client) -> None:
    answer = client.predict(
        "rerank", [QUERY], DOCUMENTS, "task", "evaluation", "counterfactuals", api_name="/link"
    )
    assert client.predict("#" + answer["fragment"], api_name="/open_link") == {
        "view": "rerank",
        "queries": [QUERY],
        "documents": DOCUMENTS,
        "instruction": "task",
        "template": "evaluation",
        "tab": "counterfactuals",
    }


def test_a_broken_link_is_refused(client: Client) -> None:
    with pytest.raises(AppError, match="cannot be read"):
        client.predict("#explorer=1.AAAA", api_name="/open_link")
    with pytest.raises(AppError, match="cannot be read"):
        client.predict("map", [], [], api_name="/link")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_shell_code_gets_the_same_answer_from_the_page(client: Client, workspace: Workspace) -> None:
    code = client.predict(QUERY, DOCUMENTS, api_name="/rerank_code")
    assert f"127.0.0.1:{workspace.settings.port}" in code["shell"]
    assert "Laboratory" in code["python"] and "load_reranker" in code["models"]
    done = subprocess.run(["sh"], input=code["shell"], capture_output=True, text=True, timeout=60)
    last = [line for line in done.stdout.splitlines() if line.startswith("data: [")][-1]
    expected = client.predict(QUERY, DOCUMENTS, api_name="/rerank")
    np.testing.assert_allclose(json.loads(last[6:])[0]["log_odds"], expected["log_odds"], atol=1e-5)


def test_the_code_of_a_comparison_names_its_texts(client: Client) -> None:
    code = client.predict([QUERY], DOCUMENTS, "", api_name="/similarity_code")
    assert repr(QUERY) in code["python"] and "laboratory.compare" in code["python"]
