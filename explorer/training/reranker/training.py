"""Train a reranker on pairs: the report's supervised loss on the exact prompt, as a generator of steps.

A run lives in one folder, as :mod:`explorer.training.embedding.training` describes it: checkpoints, then the model.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.engine.tokens import TokenIds
from explorer.errors import InputError, ModelLoadError, OutOfMemoryError
from explorer.models.checks import read_config
from explorer.models.devices import device_lock, is_out_of_memory, resolve_device
from explorer.models.loading import LoadedModel, load_model
from explorer.models.tokenizer import answer_token
from explorer.progress import CancelToken
from explorer.training.loop.adapters import add_adapters, merge_adapters
from explorer.training.loop.forward import TRAINED
from explorer.training.loop.model_folder import ModelCard, refuse_base, stored_dtype, write_reranker
from explorer.training.loop.optimization import (
    LONGEST_GRADIENT,
    make_accelerator,
    make_optimizer,
    pace,
    set_rate,
)
from explorer.training.loop.run import Progressed, TrainingStep, digest_of_pairs, drive, plan_facts
from explorer.training.merging.model_states import model_of, read_state
from explorer.training.mini_reranker.weights import set_free_layers
from explorer.training.pairs.pair import TrainingPair
from explorer.training.reranker.loss import distilled, listwise, supervised
from explorer.training.reranker.packed_lists import ListScorer
from explorer.training.reranker.plan import RerankerPlan, check_reranker_plan
from explorer.training.reranker.ranked_lists import ListOrder, ListTeacher

if TYPE_CHECKING:
    from transformers import Qwen3ForCausalLM


def train_reranker(
    base: Path,
    pairs: Sequence[TrainingPair],
    plan: RerankerPlan,
    out: Path,
    cancel: CancelToken | None = None,
    device: str | None = None,
    teacher: ListTeacher | None = None,
) -> Iterator[TrainingStep]:
    """Train a reranker, or go on where an earlier call with the same arguments stopped.

    Args:
        base: The model's folder; it is only read.
        pairs: Positives with hard negatives where there are any; graded pairs are left out.
        plan: How.
        out: The run's folder.
        cancel: Stops before the next step, with a checkpoint.
        device: As :func:`explorer.models.devices.resolve_device` takes it; None for the best one.
        teacher: Whose scores are kept, when the plan gives them weight.

    Yields:
        Every step. The trained model lies in ``out / "model"`` after the last.

    Raises:
        InputError: The pairs or the plan cannot be used, ``out`` holds another run, the loss is not finite, or the
            disk is full.
        ModelLoadError: The base cannot be read, or is no reranker.
        OutOfMemoryError: The device has no room.
    """
    run = RerankerRun(base, pairs, plan, out, device, teacher)
    yield from drive(run, plan.steps, plan.checkpoint_every, cancel)


class RerankerRun:
    """A model, its optimiser and how far they have come.

    Attributes:
        step: Steps done.
        model: What is trained, with adapters when the plan wants them; its weights change at every step.
    """

    def __init__(
        self,
        base: Path,
        pairs: Sequence[TrainingPair],
        plan: RerankerPlan,
        out: Path,
        device: str | None,
        teacher: ListTeacher | None,
    ) -> None:
        """Load the base and take up the newest checkpoint; what is raised is what :func:`train_reranker` raises."""
        check_reranker_plan(plan)
        if plan.distillation and teacher is None:
            raise InputError("merging.teacher_missing")
        refuse_base(base, out / "model")
        self._plan, self._base, self._out, self._pairs = plan, base, out, pairs
        self._teacher = teacher if plan.distillation else None
        self._order = ListOrder(pairs, plan.negatives, plan.seed)
        target = resolve_device(device or "auto")
        self._accelerator = make_accelerator(target)
        # A process that accelerate's launcher started beside others has a device of its own.
        several = self._accelerator.num_processes > 1 and target.type != "cpu"
        loaded = self._load(self._accelerator.device if several else target)
        self._device = loaded.device
        self._longest = min(plan.longest, loaded.max_length)
        optimizer = make_optimizer(self.model, plan.learning_rate, plan.table_rate)
        self._wrapped, self._optimizer = self._accelerator.prepare(self.model, optimizer)
        self._score = ListScorer(
            self._wrapped, loaded.tokenizer, _head_rows(loaded), self._longest, self._device
        )
        facts = plan_facts(plan) | {
            "base": loaded.provenance.fingerprint,
            "pairs": digest_of_pairs(pairs),
            "teacher": self._teacher.name if self._teacher else None,
        }
        if self._accelerator.num_processes > 1:
            facts["processes"] = self._accelerator.num_processes
        self._progressed = Progressed(self.model, self._optimizer, out / "checkpoints", facts)
        self.step = self._progressed.resume()

    def _load(self, device: torch.device) -> LoadedModel:
        """Read the base and make ready what is trained of it."""
        if read_config(self._base, "reranker").architecture == "Qwen3ForSequenceClassification":
            raise InputError("merging.train_classifier", folder=self._base.name)
        rank = self._plan.lora_rank
        # Adapters are trained in float32 themselves; only the base beneath them, which stays as it is, may be coarse.
        dtype = "bfloat16" if rank and device.type == "cuda" else "float32"
        loaded = load_model(str(self._base), "reranker", str(device), dtype, offline=True)
        backbone: Any = loaded.backbone
        backbone.set_attn_implementation(TRAINED)
        if rank:
            self.model = add_adapters(backbone, rank, self._plan.seed)
            return loaded
        self.model = backbone.requires_grad_(True)
        if self._plan.keep_wiring:
            set_free_layers(backbone)
        return loaded

    def advance(self) -> TrainingStep:
        """Make one step."""
        begin = time.monotonic()
        plan = self._plan
        # Of several processes, each has lists of its own; accelerate averages their gradients.
        processes, own = self._accelerator.num_processes, self._accelerator.process_index
        lists = self._order.at(self.step * processes + own, plan.batch_lists)
        aims = [self._teacher.score(one) if self._teacher else None for one in lists]
        prompts = [self._score.tokens(one) for one in lists]
        rate = set_rate(self._optimizer, pace(self.step, plan.steps, plan.warmup_share))
        with device_lock(self._device):
            parts = self._learn(prompts, aims)
        self.step += 1
        return TrainingStep(
            step=self.step,
            steps=plan.steps,
            loss=parts.pop("loss"),
            parts=tuple(parts.items()),
            learning_rate=rate,
            masked_share=0.0,
            seconds=time.monotonic() - begin,
            tokens=sum(len(ids) for one in prompts for ids in one),
        )

    def _learn(
        self, prompts: Sequence[list[TokenIds]], aims: Sequence[NDArray[np.float32] | None]
    ) -> dict[str, float]:
        """Let the lists' gradients move the weights, unless they are not finite; give the mean parts of the loss."""
        means: dict[str, float] = {}
        try:
            for number, (one, aim) in enumerate(zip(prompts, aims, strict=True), start=1):
                last = number == len(prompts)
                with nullcontext() if last else self._accelerator.no_sync(self._wrapped):
                    parts = self._parts(self._score(one), aim)
                    self._accelerator.backward(parts["loss"] / len(prompts))
                for name, part in parts.items():
                    means[name] = means.get(name, 0.0) + float(part.detach()) / len(prompts)
            norm = self._accelerator.clip_grad_norm_(self.model.parameters(), LONGEST_GRADIENT)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemoryError(
                "merging.reranker_out_of_memory",
                device=str(self._device),
                negatives=self._plan.negatives,
                longest=self._longest,
            ) from error
        if not (math.isfinite(means["loss"]) and math.isfinite(norm)):
            raise InputError("trainer.loss_not_finite", step=self.step + 1)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return means

    def _parts(self, log_odds: Tensor, aim: NDArray[np.float32] | None) -> dict[str, Tensor]:
        """Judge one list, whose first document is the right one."""
        labels = torch.zeros_like(log_odds)
        labels[0] = 1
        parts = {"supervised": supervised(log_odds, labels)}
        loss = parts["supervised"]
        if self._plan.listwise:
            parts["listwise"] = listwise(log_odds)
            loss = loss + self._plan.listwise * parts["listwise"]
        if aim is not None:
            parts["distillation"] = distilled(log_odds, torch.from_numpy(aim).to(log_odds))
            loss = loss + self._plan.distillation * parts["distillation"]
        return {"loss": loss} | parts

    def save(self) -> Path:
        """Write a checkpoint."""
        if self._accelerator.is_main_process:
            self._progressed.save(self.step)
        self._accelerator.wait_for_everyone()
        return self._progressed.place(self.step)

    def export(self) -> Path:
        """Write the trained model."""
        folder = self._out / "model"
        if self._accelerator.is_main_process:
            trained = merge_adapters(self.model) if self._plan.lora_rank else self.model
            state = read_state(self._base)
            # An untied head was not trained and is written as it was.
            model = cast("Qwen3ForCausalLM", model_of(state, {**state.tensors, **trained.state_dict()}))
            write_reranker(model, self._base, folder, self._card(), stored_dtype(self._base))
        self._accelerator.wait_for_everyone()
        return folder

    def _card(self) -> ModelCard:
        sources = Counter(
            " ".join(filter(None, (pair.provenance.generator, pair.provenance.source)))
            for pair in self._pairs
        )
        return ModelCard(self._out.name, self._base.name, len(self._pairs), sources, asdict(self._plan))


def _head_rows(loaded: LoadedModel) -> Callable[[], Tensor]:
    """Give the head's rows for "no" and "yes": those of the token table, which learn with it, or fixed ones."""
    head = loaded.head
    if head is None:
        raise ModelLoadError("models.family_not_reranker", folder=loaded.provenance.model)
    if not loaded.checkpoint.tied_head:
        return lambda: head
    table: Tensor = cast("Any", loaded.backbone).embed_tokens.weight
    places = [answer_token(loaded.tokenizer, word) for word in ("no", "yes")]
    return lambda: table[places]
