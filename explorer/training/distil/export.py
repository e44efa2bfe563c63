"""Write a model folder that transformers and sentence-transformers load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from transformers import Qwen3Model

from explorer.training.distil.evaluate import INSTRUCTION

_MODULES = (
    ("", "sentence_transformers.models.Transformer"),
    ("1_Pooling", "sentence_transformers.models.Pooling"),
    ("2_Normalize", "sentence_transformers.models.Normalize"),
)


def export(model: Qwen3Model, tokenizer_folder: Path, folder: Path) -> None:
    """Save weights in bf16 with the tokenizer and what sentence-transformers wants to know.

    Args:
        model: the trained student; it is converted to bf16 in place.
        tokenizer_folder: folder with tokenizer.json and tokenizer_config.json.
        folder: where to write; other files in it stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.bfloat16().save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer_folder / name, folder / name)
    _write_sentence_transformers(folder, int(model.config.hidden_size))


def _write_sentence_transformers(folder: Path, width: int) -> None:
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": kind}
        for index, (path, kind) in enumerate(_MODULES)
    ]
    _write(folder / "modules.json", modules)
    _write(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": width, "pooling_mode_lasttoken": True, "include_prompt": True},
    )
    _write(
        folder / "config_sentence_transformers.json",
        {
            "prompts": {"query": f"Instruct: {INSTRUCTION}\nQuery:", "document": ""},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 2048, "do_lower_case": False})


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
