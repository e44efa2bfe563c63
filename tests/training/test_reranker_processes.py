"""Accelerate's processes share one reranker, its tied head included: gradients are averaged, and one of them writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

RUN = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
from explorer.training.reranker.training import RerankerRun
from training.test_reranker_loop import PAIRS, PLAN
run = RerankerRun(Path(sys.argv[1]), PAIRS, replace(PLAN, steps=2), Path(sys.argv[2]), "cpu", None)
first, second = run.advance(), run.advance()
total = sum(float(weight.double().abs().sum()) for weight in run.model.parameters())
print(f"{run._accelerator.process_index} {first.loss!r} {total!r}\\n", end="", flush=True)
run.save()
run.export()
"""


def test_two_processes_learn_from_different_lists_and_agree(make_model, tmp_path):
    root = Path(__file__).resolve().parents[2]
    script = tmp_path / "run.py"
    script.write_text(RUN)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    path = os.pathsep.join(map(str, (root, root / "tests")))
    launched = subprocess.run(
        [*command, str(script), str(make_model(family="reranker")), str(tmp_path / "out")],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert launched.returncode == 0, launched.stderr
    first, second = (line.split() for line in sorted(filter(None, launched.stdout.splitlines())))
    assert (first[0], second[0]) == ("0", "1")
    assert first[1] != second[1], "each had lists of its own"
    assert first[2] == second[2], "both have the same weights"
    assert (tmp_path / "out" / "model" / "model.safetensors").exists()
