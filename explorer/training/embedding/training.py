"""Train an embedding model on pairs: the loop, as a generator of steps.

A run lives in one folder: ``checkpoints/`` with the newest two states and, at the end, ``model/``. Calling
:func:`train_embedding` again with the same arguments goes on from the newest checkpoint, bit for bit as if it had
never stopped (on the same kind of device).
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen3Model

from explorer.engine.tokens import TokenIds
from explorer.errors import InputError, OutOfMemoryError
from explorer.models.devices import device_lock, is_out_of_memory, resolve_device
from explorer.models.loading import LoadedModel, load_model
from explorer.progress import CancelToken
from explorer.training.embedding.objective import Objective, TeacherVectors, Verdict
from explorer.training.embedding.plan import EmbeddingPlan, check_plan, checked_ladder
from explorer.training.loop.adapters import add_adapters, merge_adapters
from explorer.training.loop.forward import TRAINED, chunk_vectors, similar_chunks, token_ids
from explorer.training.loop.gradient_cache import backward_in_chunks
from explorer.training.loop.model_folder import ModelCard, refuse_base, stored_dtype, write_embedding
from explorer.training.loop.optimization import (
    LONGEST_GRADIENT,
    make_accelerator,
    make_optimizer,
    pace,
    set_rate,
)
from explorer.training.loop.run import Progressed, TrainingStep, digest_of_pairs, drive, plan_facts
from explorer.training.pairs.batches import Batch, BatchOrder
from explorer.training.pairs.pair import TrainingPair

__all__ = ["EmbeddingPlan", "EmbeddingRun", "TeacherVectors", "TrainingStep", "train_embedding"]


def train_embedding(
    base: Path,
    pairs: Sequence[TrainingPair],
    plan: EmbeddingPlan,
    out: Path,
    teacher: TeacherVectors | None = None,
    cancel: CancelToken | None = None,
    device: str | None = None,
) -> Iterator[TrainingStep]:
    """Train an embedding model, or go on where an earlier call with the same arguments stopped.

    Args:
        base: The model's folder; it is only read.
        pairs: Positives and graded pairs, in any mixture.
        plan: How.
        out: The run's folder.
        teacher: Whose similarities are kept, when the plan gives them weight.
        cancel: Stops before the next step with a checkpoint.
        device: As :func:`explorer.models.devices.resolve_device` takes it; None for the best one.

    Yields:
        Every step. The trained model lies in ``out / "model"`` after the last.

    Raises:
        InputError: The pairs or the plan cannot be used, ``out`` holds another run, the loss is not finite, or the
            disk is full.
        ModelLoadError: The base cannot be read.
        OutOfMemoryError: The device has no room for the model.
    """
    run = EmbeddingRun(base, pairs, plan, out, teacher, device)
    yield from drive(run, plan.steps, plan.checkpoint_every, cancel)


class EmbeddingRun:
    """A model, its optimiser and how far they have come.

    Attributes:
        step: Steps done.
        model: What is trained, with adapters when the plan wants them; its weights change at every step.
        tokenizer: The base's.
    """

    def __init__(
        self,
        base: Path,
        pairs: Sequence[TrainingPair],
        plan: EmbeddingPlan,
        out: Path,
        teacher: TeacherVectors | None,
        device: str | None,
    ) -> None:
        """Load the base and take up the newest checkpoint; what is raised is what :func:`train_embedding` raises."""
        check_plan(plan)
        if plan.distillation_weight > 0 and teacher is None:
            raise InputError("trainer.teacher_missing")
        refuse_base(base, out / "model")
        self._plan, self._base, self._out, self._pairs = plan, base, out, pairs
        self._order = BatchOrder(pairs, plan.batch_pairs, plan.seed)
        target = resolve_device(device or "auto")
        self._accelerator = make_accelerator(target)
        # A process that accelerate's launcher started beside others has a device of its own.
        several = self._accelerator.num_processes > 1 and target.type != "cpu"
        loaded = self._load(self._accelerator.device if several else target)
        self._device, self.tokenizer = loaded.device, loaded.tokenizer
        self._longest = min(plan.longest, loaded.max_length)
        self._objective = Objective(
            plan.temperature,
            plan.margin,
            checked_ladder(plan.ladder, loaded.dimensions),
            plan.distillation_weight,
            teacher if plan.distillation_weight else None,
        )
        optimizer = make_optimizer(self.model, plan.learning_rate, plan.table_rate)
        self._wrapped, self._optimizer = self._accelerator.prepare(self.model, optimizer)
        facts = plan_facts(plan) | {
            "base": loaded.provenance.fingerprint,
            "pairs": digest_of_pairs(pairs),
            "teacher": _digest_of_teacher(self._objective.teacher),
        }
        if self._accelerator.num_processes > 1:
            facts["processes"] = self._accelerator.num_processes
        self._progressed = Progressed(self.model, self._optimizer, out / "checkpoints", facts)
        self.step = self._progressed.resume()

    def _load(self, device: torch.device) -> LoadedModel:
        """Read the base and make ready what is trained of it."""
        rank = self._plan.lora_rank
        # Adapters are trained in float32 themselves; only the base beneath them, which stays as it is, may be coarse.
        dtype = "bfloat16" if rank and device.type == "cuda" else "float32"
        loaded = load_model(str(self._base), "embedding", str(device), dtype, offline=True)
        backbone: Any = loaded.backbone
        backbone.set_attn_implementation(TRAINED)
        if rank:
            self.model = add_adapters(backbone, rank, self._plan.seed)
        else:
            self.model = backbone.requires_grad_(True)
        return loaded

    def advance(self) -> TrainingStep:
        """Make one step."""
        begin = time.monotonic()
        plan = self._plan
        # Of several processes, each has batches of its own; accelerate averages their gradients.
        processes, own = self._accelerator.num_processes, self._accelerator.process_index
        batch = self._order.at(self.step * processes + own)
        rate = set_rate(self._optimizer, pace(self.step, plan.steps, plan.warmup_share))
        sequences = token_ids(self.tokenizer, batch.texts, self._longest)
        with device_lock(self._device):
            verdict = self._learn(batch, sequences)
        self.step += 1
        return TrainingStep(
            step=self.step,
            steps=plan.steps,
            loss=float(verdict.loss.detach()),
            parts=tuple((name, float(part)) for name, part in verdict.parts.items()),
            learning_rate=rate,
            masked_share=float(verdict.masked_share),
            seconds=time.monotonic() - begin,
            tokens=sum(map(len, sequences)),
        )

    def _learn(self, batch: Batch, sequences: Sequence[TokenIds]) -> Verdict:
        """Let the batch's gradient move the weights, unless it is not finite."""
        try:
            verdict = self._backward(batch, sequences)
            norm = self._accelerator.clip_grad_norm_(self.model.parameters(), LONGEST_GRADIENT)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemoryError(
                "trainer.out_of_memory",
                device=str(self._device),
                chunk=self._plan.chunk_texts,
                longest=self._longest,
            ) from error
        if not (math.isfinite(verdict.loss) and math.isfinite(norm)):
            raise InputError("trainer.loss_not_finite", step=self.step + 1)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return verdict

    def _backward(self, batch: Batch, sequences: Sequence[TokenIds]) -> Verdict:
        chunks, order = similar_chunks(batch.texts, sequences, self._plan.chunk_texts)
        places = torch.from_numpy(order).to(self._device)
        verdicts: list[Verdict] = []

        def loss(vectors: Tensor) -> Tensor:
            verdicts.append(self._objective(vectors.index_select(0, places), batch))
            return verdicts[0].loss

        backward_in_chunks(
            lambda chunk: chunk_vectors(self._wrapped, chunk, self._device),
            chunks,
            loss,
            self._accelerator.backward,
            lambda: self._accelerator.no_sync(self._wrapped),
        )
        return verdicts[0].detached()

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
            sources = Counter(
                " ".join(filter(None, (pair.provenance.generator, pair.provenance.source)))
                for pair in self._pairs
            )
            card = ModelCard(self._out.name, self._base.name, len(self._pairs), sources, asdict(self._plan))
            write_embedding(cast("Qwen3Model", trained), self._base, folder, card, stored_dtype(self._base))
        self._accelerator.wait_for_everyone()
        return folder


def _digest_of_teacher(teacher: TeacherVectors | None) -> str | None:
    if teacher is None:
        return None
    digest = hashlib.sha256(json.dumps(sorted(teacher.rows.items())).encode())
    digest.update(np.ascontiguousarray(teacher.vectors, dtype=np.float32).data)
    return digest.hexdigest()
