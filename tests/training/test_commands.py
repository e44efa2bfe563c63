"""``python -m explorer train``: each command end to end with tiny models, its errors, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from safetensors.torch import load_file

from explorer.__main__ import main as explorer
from explorer.training.commands.command_line import Console, stopping, table
from explorer.training.commands.main import COMMANDS, main
from explorer.training.embedding.plan import EmbeddingPlan
from explorer.training.pairs.pair import TrainingPair, read_pairs, write_pairs
from explorer.training.reranker.plan import RerankerPlan

ROOT = Path(__file__).parents[2]
QUICK = ("--steps", "3", "--device", "cpu")
TEXTS = (
    "Bees dance to show their hive where nectar is. They fly up to five kilometres for it.",
    "A bank lends money that others saved. Interest is the price of a loan.",
    "Rain falls when drops grow too heavy for the cloud. Warm air holds more water.",
    "The kitchen bakes bread each morning. Dough rests overnight in a cool room.",
    "Owls hunt at night and hear a mouse under snow. Their feathers make no sound.",
    "Glaciers carry stones and grind valleys wide. Their melt feeds rivers in summer.",
)


@pytest.fixture
def pairs(tmp_path) -> Path:
    file = tmp_path / "pairs.jsonl"
    write_pairs([TrainingPair(text.split(". ")[0], text) for text in TEXTS * 1], file)
    return file


def run(capsys, *arguments: object) -> dict:
    """Run a command that must succeed, and read its JSON."""
    status = main([*map(str, arguments), "--json"])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return json.loads(captured.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "--json" in shown and "--device" in shown
    flags = re.findall(r"^  (--[a-z-]+)", shown, re.MULTILINE)
    assert len(flags) == len(set(flags))


def test_every_setting_of_a_plan_has_a_flag(capsys):
    for command, plan in (("embedding", EmbeddingPlan()), ("reranker", RerankerPlan())):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = capsys.readouterr().out
        assert [name for name in vars(plan) if f"--{name.replace('_', '-')} " not in shown] == []


def test_help_comes_without_anything_heavy():
    probe = (
        "import sys\nfrom explorer.__main__ import main\n"
        "try: main(['train', '--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'numpy', 'transformers') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert shown.stdout.splitlines()[-1] == "[]"


def test_documents_become_pairs_and_pairs_are_filtered(make_model, tmp_path, capsys):
    documents = tmp_path / "documents.txt"
    documents.write_text("\n".join(TEXTS), "utf-8")
    made = run(capsys, "synthesize", documents, "--out", tmp_path / "made.jsonl", "--pairs-per-document", 2)
    written = read_pairs(tmp_path / "made.jsonl")
    assert made["pairs"] == len(written) > 6
    flags = ("--embedding", make_model(), "--threshold", "-1", "--device", "cpu")
    kept = run(capsys, "filter", tmp_path / "made.jsonl", "--out", tmp_path / "kept.jsonl", *flags)
    assert kept["kept"] == kept["pairs"] == len(read_pairs(tmp_path / "kept.jsonl"))
    assert (
        main(
            [
                "filter",
                str(tmp_path / "made.jsonl"),
                "--out",
                str(tmp_path / "none.jsonl"),
                *map(str, flags),
                "--threshold",
                "1",
            ]
        )
        == 2
    )
    assert "the highest is" in capsys.readouterr().err
    assert not (tmp_path / "none.jsonl").exists()


def test_the_demo_corpus_is_the_default(tmp_path, capsys):
    made = run(capsys, "synthesize", "--out", tmp_path / "made.jsonl", "--pairs-per-document", 1)
    assert made["pairs"] > 300


def test_an_embedding_model_is_trained_merged_swept_and_measured(make_model, pairs, tmp_path, capsys):
    base, out = make_model(), tmp_path / "run"
    trained = run(capsys, "embedding", pairs, "--out", out, "--base", base, "--hold-out", 0.4, *QUICK)
    assert trained["before"]["queries"] == trained["after"]["queries"] == 2
    assert (out / "model" / "config.json").exists()
    merged = run(capsys, "merge", out, base, "--weight", 0.25, "--out", tmp_path / "merged")
    assert merged == {"model": str(tmp_path / "merged"), "family": "embedding"}
    swept = run(capsys, "sweep", base, out, "--points", 3, "--on", pairs)
    assert [point["weight"] for point in swept["points"]] == [0, 0.5, 1]
    measured = run(capsys, "measure", "--embedding", tmp_path / "merged", "--on", pairs, "--device", "cpu")
    assert measured["embedding"]["queries"] == 6 and measured["bm25"]["recall_at_1"] == 1
    assert set(measured["embedding"]["ndcg_by_dimension"]) == {"32", "48"}
    assert measured["model"]["device"] == "cpu"


def test_a_run_goes_on_and_a_teacher_is_asked(make_model, pairs, tmp_path, capsys):
    flags = ("embedding", pairs, "--out", tmp_path / "run", "--base", make_model(), "--hold-out", 0, *QUICK)
    first = run(capsys, *flags, "--teacher", make_model(seed=1))
    assert first["before"] is None and first["loss"] > 0
    assert run(capsys, *flags, "--teacher", make_model(seed=1))["loss"] is None, "nothing was left to do"
    assert main([*map(str, flags)]) == 2
    assert "distillation_weight" in capsys.readouterr().err


def test_a_reranker_is_trained_on_mined_negatives_and_measured(make_model, pairs, tmp_path, capsys):
    base, embedding = make_model(family="reranker"), make_model()
    flags = ("--base", base, "--embedding", embedding, "--batch-lists", 1, "--mine", 2, "--negatives", 2)
    trained = run(
        capsys, "reranker", pairs, "--out", tmp_path / "run", *flags, *QUICK,
        "--hold-out", 0.4, "--embedding-teacher", embedding,
    )  # fmt: skip
    assert trained["before"]["ndcg_before"] == trained["after"]["ndcg_before"]
    passages, opposite = tmp_path / "passages.jsonl", tmp_path / "instructions.jsonl"
    passages.write_text("\n".join(json.dumps({"paragraph": t, "reworded": t[:9]}) for t in TEXTS), "utf-8")
    fields = ("query", "first_instruction", "first_document", "second_instruction", "second_document")
    opposite.write_text(json.dumps({name: name for name in fields}), "utf-8")
    measured = run(
        capsys, "measure", "--embedding", embedding, "--reranker", tmp_path / "run" / "model", "--device", "cpu",
        "--on", passages, "--question-field", "reworded", "--instructions", opposite,
    )  # fmt: skip
    assert measured["reranker"]["instruction_pairs"] == 1
    assert measured["reranker"]["queries"] == measured["embedding"]["queries"] == 6
    merged = run(capsys, "merge", base, tmp_path / "run", "--out", tmp_path / "merged")
    assert merged["family"] == "reranker"


def test_the_ablation_prints_a_table_and_hands_the_plot_over(make_model, pairs, tmp_path, capsys):
    flags = ("ablation", "--out", tmp_path / "out", "--base", make_model(), "--synthetic", pairs, *QUICK)
    others = tmp_path / "labelled.jsonl"
    write_pairs([TrainingPair(f"word {i}", f"{i} is a number among others") for i in range(10)], others)
    drawn = []
    arguments = [*map(str, flags), "--labelled", str(others), "--labelled-steps", "4"]
    status = main(arguments, lambda result, folder: drawn.append(result) or folder / "plot.html")
    captured = capsys.readouterr()
    assert status == 0, captured.err
    lines = captured.out.splitlines()
    assert [line[:17].strip() for line in lines[1:6]] == [
        "before training", "only synthetic", "without synthetic", "without merge", "final, with merge",
    ]  # fmt: skip
    assert lines[-1].endswith("plot.html.") and [row.name for row in drawn[0].rows][-1] == "final"
    again = run(capsys, *arguments)
    assert [row["quality"]["ndcg_at_10"] for row in again["rows"]] == [
        row.quality.ndcg_at_10 for row in drawn[0].rows
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["embedding", "missing.jsonl", "--out", "x"], "missing.jsonl"),
        (["synthesize", "--out", "x", "--kinds", "riddles"], "riddles"),
        (["synthesize", "--out", "x", "--server", "http://localhost:9/v1"], "--language-model"),
        (["merge", "nowhere/at/all", "--out", "x"], "nowhere"),
        (["merge", "bundled", "--weight", "0.5", "--out", "x"], "--weights"),
        (["merge", "bundled", "bundled", "--weight", "2", "--out", "x"], "between 0"),
        (["sweep", "bundled", "bundled", "--points", "1"], "at least 2"),
        (["measure", "--embedding", "nowhere/at/all"], "nowhere"),
        (["ablation", "--out", "x", "--steps", "0"], "steps"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence_and_status_two(
    arguments, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert explorer(["train", *arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in said and said.endswith(".") and "Traceback" not in said
    assert not (tmp_path / "x").is_file()


def test_ctrl_c_leaves_a_checkpoint_and_the_same_command_goes_on(
    make_model, pairs, tmp_path, capsys, monkeypatch
):
    base = make_model()
    flags = [
        "--base",
        str(base),
        "--hold-out",
        "0",
        "--device",
        "cpu",
        "--steps",
        "6",
        "--checkpoint-every",
        "100",
    ]
    whole = ["embedding", str(pairs), "--out", str(tmp_path / "whole"), *flags]
    parts = ["embedding", str(pairs), "--out", str(tmp_path / "parts"), *flags]
    assert main(whole) == 0
    lines = []

    def progress(self, text, last=False):
        lines.append(text)
        if text.startswith("step 3/") and len(lines) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Console, "progress", progress)
    assert main(parts) == 130
    said = capsys.readouterr().err
    assert (
        "Stopping after this step" in said and "Type the same command again" in said and "step-000003" in said
    )
    assert main(parts) == 0
    assert [line.split("/")[0] for line in lines if "rate" in line] == [
        *(f"step {i}" for i in (1, 2, 3, 3)), *(f"step {i}" for i in (4, 5, 6)),
    ]  # fmt: skip
    one, two = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "parts"))
    assert all((one[name] == two[name]).all() for name in one)


def test_a_second_ctrl_c_ends_at_once_and_the_old_handler_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stopping(Console(False)) as token:
        signal.raise_signal(signal.SIGINT)
        assert token.cancelled
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert threading.current_thread() is threading.main_thread()


def test_tables_are_aligned():
    assert (
        table(["", "a"], [["long name", "1"], ["b", "22.5"]])
        == "              a\nlong name     1\nb          22.5"
    )


def test_the_readme_types_commands_and_flags_that_exist(capsys):
    typed = re.findall(
        r"^python -m explorer train (\w+)(.*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert {command for command, _ in typed} >= {"synthesize", "filter", "embedding", "merge", "measure"}
    for command, rest in typed:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = capsys.readouterr().out
        assert [name for name in re.findall(r"--[a-z-]+", rest) if name not in shown] == []
