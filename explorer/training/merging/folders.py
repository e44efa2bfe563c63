"""Merging trained models into one, and quality along the way from one to the other (arXiv 2506.05176, section 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import Qwen3Model

from explorer.errors import InputError
from explorer.progress import CancelToken
from explorer.texts import LANGUAGES, say
from explorer.training.loop.model_folder import ModelCard, refuse_base, write_embedding, write_reranker
from explorer.training.merging.model_states import ModelState, backbone_of, model_of, read_state
from explorer.training.merging.slerp import slerp, slerp_many
from explorer.training.quality.embedding import HeldOut, Quality, measure_embedding
from explorer.training.quality.encoding import model_encoder

Measure = Callable[[Qwen3Model], Quality]
"""Measures a model in memory."""


@dataclass(frozen=True)
class SweepPoint:
    """One place on the way from one model to another.

    Attributes:
        weight: 0 for the first model, 1 for the second.
        figures: Quality there.
    """

    weight: float
    figures: Quality


@dataclass(frozen=True)
class _MergeCard(ModelCard):
    """A card that names the models and their weights instead of pairs and a plan."""

    weights: tuple[tuple[str, float], ...] = ()

    def markdown(self) -> str:
        """Write the card, in English and Chinese."""
        listed = "\n".join(f"- {name}: {weight:g}" for name, weight in self.weights)
        about = [say("merging.card_about", language) for language in LANGUAGES]
        return "\n\n".join([f"# {self.title}", *about, listed]) + "\n"


def merge_folders(folders: Sequence[Path], weights: Sequence[float], out: Path) -> Path:
    """Merge models by slerp and write the result as a folder that loads like any of them.

    Args:
        folders: Model folders, all embedding models or all rerankers, trained from one base; they are only read.
        weights: Share of each, see :func:`explorer.training.merging.slerp.slerp_many`.
        out: Where the merged model goes; a model that is there is replaced once the new one is whole.

    Returns:
        ``out``.

    Raises:
        InputError: The models do not belong together, the weights cannot be used, or ``out`` cannot be written.
        ModelLoadError: A folder cannot be read.
    """
    for folder in folders:
        refuse_base(folder, out)
    states = _read_all(folders)
    tensors = slerp_many([state.tensors for state in states], weights)
    named = tuple((folder.resolve().name, weight) for folder, weight in zip(folders, weights, strict=True))
    card = _MergeCard(out.resolve().name, named[0][0], 0, weights=named)
    model = model_of(states[0], tensors)
    dtype = next(iter(tensors.values())).dtype
    if isinstance(model, Qwen3Model):
        return write_embedding(model, folders[0], out, card, dtype)
    return write_reranker(model, folders[0], out, card, dtype)


def sweep(
    first: Path,
    second: Path,
    weights: Sequence[float],
    measure: Measure,
    cancel: CancelToken | None = None,
) -> Iterator[SweepPoint]:
    """Measure quality along the way between two embedding models.

    Both are read once; one model in memory takes each mixture in turn, and nothing is written. Every point is exactly
    the model that :func:`merge_folders` would write with that weight.

    Args:
        first: Folder of the model at weight 0.
        second: Folder of the model at weight 1.
        weights: Places to measure, in the order in which they are given.
        measure: What to measure, for instance from :func:`measure_on`.
        cancel: Stops before the next place.

    Yields:
        One point a weight.

    Raises:
        InputError: The models do not belong together or are rerankers, or a weight lies outside 0 to 1.
        ModelLoadError: A folder cannot be read.
        Cancelled: The person asked to stop.
    """
    states = _read_all((first, second))
    if states[0].family != "embedding":
        raise InputError("merging.sweep_family", folder=first.name)
    model = backbone_of(states[0])
    for weight in weights:
        if cancel:
            cancel.raise_if_cancelled()
        model.load_state_dict(slerp(states[0].tensors, states[1].tensors, weight))
        yield SweepPoint(weight, measure(model))


def measure_on(folder: Path, held_out: HeldOut, ladder: Sequence[int] = ()) -> Measure:
    """Make a measure of models in memory.

    Args:
        folder: A model folder whose tokenizer they share.
        held_out: What is measured on.
        ladder: Dimensions at which similarity and retrieval are measured beside the full size.

    Returns:
        A function of a model, for :func:`sweep`.

    Raises:
        ModelLoadError: The folder cannot be read.
    """
    tokenizer = read_state(folder).tokenizer
    return lambda model: measure_embedding(model_encoder(model, tokenizer), held_out, ladder)


def _read_all(folders: Sequence[Path]) -> list[ModelState]:
    """Read models that can be merged."""
    states = [read_state(folder) for folder in folders]
    for other in states[1:]:
        _check_pair(states[0], other)
    return states


def _check_pair(first: ModelState, second: ModelState) -> None:
    """Refuse two models of different kinds, the plainest difference first."""
    names = {"first": first.folder.name, "second": second.folder.name}
    if first.family != second.family:
        raise InputError("merging.families_differ", **names)
    mine, theirs = first.shape(), second.shape()
    for entry in sorted(mine.keys() | theirs.keys()):
        if mine.get(entry) != theirs.get(entry):
            raise InputError("merging.configs_differ", **names, entry=entry)
    if first.tokenizer_digest != second.tokenizer_digest:
        raise InputError("merging.tokenizers_differ", **names)
