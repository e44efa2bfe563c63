"""Accelerate's processes share one model: gradients are averaged, and one of them writes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from safetensors.torch import load_file

from explorer.training.loop.checkpoint import latest_checkpoint

RUN = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
from explorer.training.embedding.training import EmbeddingRun
from training.test_embedding_loop import GRADED, PAIRS, PLAN
run = EmbeddingRun(Path(sys.argv[1]), PAIRS + GRADED, replace(PLAN, steps=2), Path(sys.argv[2]), None, "cpu")
first, second = run.advance(), run.advance()
total = sum(float(weight.double().abs().sum()) for weight in run.model.parameters())
print(f"{run._accelerator.process_index} {first.loss!r} {total!r}\\n", end="", flush=True)
run.save()
run.export()
"""


def test_two_processes_learn_from_different_batches_and_agree(make_model, tmp_path):
    root = Path(__file__).resolve().parents[2]
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(RUN))
    launched = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
            *(str(script), str(make_model()), str(tmp_path / "out")),
        ],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (root, root / "tests"))),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert launched.returncode == 0, launched.stderr
    first, second = (line.split() for line in sorted(filter(None, launched.stdout.splitlines())))
    assert (first[0], second[0]) == ("0", "1")
    assert first[1] != second[1]
    assert first[2] == second[2]
    kept = load_file(latest_checkpoint(tmp_path / "out" / "checkpoints") / "weights.safetensors")
    assert sum(float(weight.double().abs().sum()) for weight in kept.values()) == float(first[2])
    assert (tmp_path / "out" / "model" / "model.safetensors").exists()
