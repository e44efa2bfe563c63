"""A causal language model in this machine's memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from explorer.errors import InputError, ModelLoadError, OutOfMemoryError
from explorer.models.devices import device_lock, is_out_of_memory, resolve_device, resolve_dtype
from explorer.models.download import fetch
from explorer.models.memory import give_back
from explorer.models.sources import Source, resolve_source
from explorer.progress import CancelToken, ProgressCallback
from explorer.training.synthesis.answers import without_thoughts

TOP_P = 0.8
TOP_K = 20
"""Sampling that the Qwen3 model cards advise without thinking."""

_PROMPTS_AT_ONCE = 16
_FORBIDDEN = ("auto_map", "quantization_config", "_attn_implementation")
"""What a configuration must not hold: code of its own, or parts that other packages must supply."""


class LanguageModel:
    """Answers prompts with a model that transformers can load.

    Args:
        name: What provenance calls it.
        network: A causal language model in evaluation mode.
        tokenizer: Its transformers tokenizer.
        temperature: Of sampling; 0.7 is what the Qwen3 model cards advise without thinking; 0 takes the likeliest
            token each time.
    """

    kind = "language model"

    def __init__(self, name: str, network: Any, tokenizer: Any, temperature: float = 0.7) -> None:  # noqa: ANN401
        """Wrap a loaded model; transformers has no types for either part."""
        self.model = name
        self._network = network
        self._tokenizer = tokenizer
        self._temperature = temperature
        self._device: torch.device = network.device
        self._at_once = _PROMPTS_AT_ONCE

    def generate(self, prompts: Sequence[str], longest: int, seed: int) -> list[str]:
        """Answer each prompt; see :class:`TextGenerator`.

        Raises:
            InputError: A prompt leaves no room for an answer in the model's context.
            OutOfMemoryError: One prompt alone does not fit the device.
        """
        answers: list[str] = []
        while len(answers) < len(prompts):
            batch = prompts[len(answers) : len(answers) + self._at_once]
            try:
                answers += self._answer(batch, longest, seed + len(answers))
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Outside the handler, so that the traceback no longer keeps the batch alive.
            give_back(self._device)
            if len(batch) == 1:
                raise OutOfMemoryError(
                    "pairs.prompt_out_of_memory", model=self.model, device=str(self._device)
                )
            self._at_once = max(1, len(batch) // 2)
        return answers

    def _answer(self, prompts: Sequence[str], longest: int, seed: int) -> list[str]:
        """Answer one batch, padded on the left so that every answer begins where its prompt ends."""
        inputs = self._encoded(prompts, longest)
        length = inputs["input_ids"].shape[1]
        with device_lock(self._device), torch.inference_mode(), _seeded(seed, self._device):
            made = self._network.generate(
                **inputs,
                max_new_tokens=longest,
                pad_token_id=self._tokenizer.pad_token_id,
                **self._sampling(),
            )
        texts = self._tokenizer.batch_decode(made[:, length:], skip_special_tokens=True)
        return [without_thoughts(text) for text in texts]

    def _sampling(self) -> dict[str, object]:
        """Say how the next token is taken; what the folder's own generation settings say is not used."""
        if self._temperature == 0:
            return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        return {"do_sample": True, "temperature": self._temperature, "top_p": TOP_P, "top_k": TOP_K}

    def _encoded(self, prompts: Sequence[str], longest: int) -> Any:  # noqa: ANN401 - transformers' BatchEncoding
        """Tokenise prompts, each as a user's message where the tokenizer has a chat template."""
        chat = bool(self._tokenizer.chat_template)
        texts = [self._as_message(prompt) for prompt in prompts] if chat else list(prompts)
        inputs = self._tokenizer(
            texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=not chat
        )
        context = getattr(self._network.config, "max_position_embeddings", None)
        tokens = inputs["input_ids"].shape[1]
        if context is not None and tokens + longest > context:
            raise InputError("pairs.prompt_too_long", tokens=tokens, answer=longest, context=context)
        inputs.pop("token_type_ids", None)
        return inputs.to(self._device)

    def _as_message(self, prompt: str) -> str:
        """Render a prompt by the chat template, with thinking off where the template knows it."""
        message = [{"role": "user", "content": prompt}]
        rendered: str = self._tokenizer.apply_chat_template(
            message, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        return rendered


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw by a seed here, and leave everybody else's randomness as it was."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def load_language_model(
    source: str,
    device: str = "auto",
    dtype: str = "auto",
    *,
    temperature: float = 0.7,
    offline: bool = False,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> LanguageModel:
    """Load a causal language model of any architecture that transformers has itself.

    Args:
        source: A local folder, or a hub repository (``"Qwen/Qwen3-0.6B"``). Only safetensors are read, and no code.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"`` (bfloat16 on CUDA, float32 elsewhere), ``"float32"`` or ``"bfloat16"``.
        temperature: Of sampling.
        offline: Never reach for the hub.
        progress: Called with (bytes done, bytes in all) while downloading.
        cancel: Stops the download.

    Returns:
        The model, ready to answer.

    Raises:
        ModelLoadError: It cannot be found or read, or is no language model.
        OutOfMemoryError: The device has no room for it.
        Cancelled: The person asked to stop.
    """
    found = resolve_source(source, "embedding")
    folder = _folder(found, offline, progress, cancel)
    _check_config(folder)
    target = resolve_device(device)
    number_format = resolve_dtype(dtype, target)
    try:
        return LanguageModel(found.name, *_load(folder, target, number_format), temperature)
    except ModelLoadError:
        raise
    except Exception as error:  # transformers raises many kinds for damaged or unknown files
        if not is_out_of_memory(error):
            raise ModelLoadError(
                "pairs.model_unloadable", model=found.name, reason=type(error).__name__
            ) from error
    give_back(target)
    raise OutOfMemoryError("pairs.model_out_of_memory", model=found.name, device=str(target))


def _folder(
    found: Source, offline: bool, progress: ProgressCallback | None, cancel: CancelToken | None
) -> Path:
    """Find the model's files; the models of the explorer itself are refused, as they do not write."""
    if found.weights != "other":
        raise ModelLoadError("pairs.not_language_model", model=found.name)
    if found.folder is not None:
        return found.folder
    assert found.repository is not None  # noqa: S101 - a source has a folder or a repository
    return fetch(found.repository, found.revision, offline=offline, progress=progress, cancel=cancel)


def _check_config(folder: Path) -> None:
    """Refuse what is no language model, or would need more than transformers and safetensors."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    try:
        values = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError as error:
        raise ModelLoadError("models.config_missing", folder=folder.name) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelLoadError("models.config_unreadable", folder=folder.name) from error
    if not isinstance(values, dict):
        raise ModelLoadError("models.config_unreadable", folder=folder.name)
    for key in _FORBIDDEN:
        if values.get(key):
            raise ModelLoadError("models.config_forbidden", folder=folder.name, entry=key)
    declared = values.get("architectures")
    expected = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(str(values.get("model_type")))
    if not isinstance(declared, list) or expected is None or expected not in declared:
        raise ModelLoadError("pairs.not_language_model", model=folder.name)


def _load(folder: Path, device: torch.device, dtype: torch.dtype) -> tuple[Any, Any]:
    """Read network and tokenizer; a weight that is missing would be drawn at random, so it is refused."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        attn_implementation="sdpa",
        output_loading_info=True,
    )
    network, report = loaded
    if report["missing_keys"]:
        raise ModelLoadError("pairs.model_unloadable", model=folder.name, reason=min(report["missing_keys"]))
    if network.generation_config.eos_token_id is None:
        network.generation_config.eos_token_id = tokenizer.eos_token_id
    with device_lock(device):
        return network.to(device).eval(), tokenizer
