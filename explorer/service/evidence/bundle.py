"""Evidence: everything behind a result on screen in one zip, and a script that computes it again."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Never

from explorer.errors import InputError
from explorer.notices import Notice
from explorer.progress import Progress
from explorer.service.compare import Comparison, embed_both
from explorer.service.evidence.alone import log_odds_alone
from explorer.service.evidence.archive import packed
from explorer.service.evidence.origin import FORMAT, SEED, environment, model_record, still_loaded
from explorer.service.evidence.pictures.drawing import Drawing
from explorer.service.evidence.pictures.matrix import matrix_picture
from explorer.service.evidence.pictures.page import page
from explorer.service.evidence.pictures.png import png
from explorer.service.evidence.pictures.ranks import log_odds_picture, movement_picture
from explorer.service.evidence.pictures.svg import svg
from explorer.service.evidence.prompts import Prompt, as_jsonl, as_text, pair_prompts, text_prompts
from explorer.service.evidence.readme import comparison_readme, reranking_readme
from explorer.service.evidence.tables import cosines_csv, reranking_csv, vectors_parquet
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace
from explorer.settings import ASSETS
from explorer.texts import LANGUAGES, Language

SCRIPT = ASSETS / "evidence" / "repro.py"

_PROMPTS_A_STEP = 20

Files = dict[str, bytes]


@dataclass(frozen=True)
class Evidence:
    """A finished bundle.

    Attributes:
        name: What the file is called.
        content: The zip.
    """

    name: str
    content: bytes


def evidence(
    workspace: Workspace, shown: Reranking | Comparison, language: Language = "en"
) -> Generator[Progress[Evidence], None, None]:
    """Put everything behind a result into one zip.

    It holds the inputs, the exact prompts with token ids, scores, vectors, figures, where the numbers came from, and
    ``repro.py``, which computes them again with transformers alone. The same result gives the same bytes.

    Args:
        workspace: Where the models are; those that made the numbers must still be loaded.
        shown: The result, as :func:`~explorer.service.rerank.rerank` or :func:`~explorer.service.compare.compare`
            gave it.
        language: Of the figures and of the bundle's own README.

    Yields:
        Steps, the last with the bundle.

    Raises:
        InputError: Another model, number format or device has taken the place of one that made the numbers, or there
            is no such language.
    """
    _check_language(language)
    if isinstance(shown, Reranking):
        files = yield from _of_reranking(workspace, shown, language)
        name = "evidence-rerank"
    else:
        files = yield from _of_comparison(workspace, shown, language)
        name = "evidence-similarity"
    files["repro.py"] = SCRIPT.read_bytes()
    yield Progress(1, 1, "service.stage_done", Evidence(f"{name}.zip", packed(name, files)))


def evidence_after(
    workspace: Workspace,
    job: Generator[Progress[Reranking], None, None] | Generator[Progress[Comparison], None, None],
    language: Language = "en",
) -> Generator[Progress[Evidence], None, None]:
    """Run a job, then put everything behind its result into one zip.

    Args:
        workspace: Where the models are.
        job: From :func:`~explorer.service.rerank.rerank` or :func:`~explorer.service.compare.compare`.
        language: As in :func:`evidence`.

    Yields:
        The job's steps and those of :func:`evidence`.

    Raises:
        InputError: As both do; the language is checked first.
    """
    _check_language(language)
    for step in job:
        if step.partial is None:
            yield Progress(step.done, step.total, step.stage)
        else:
            yield from evidence(workspace, step.partial, language)


def _check_language(language: Language) -> None:
    if language not in LANGUAGES:
        raise InputError("evidence.language_unknown")


def _of_reranking(
    workspace: Workspace, shown: Reranking, language: Language
) -> Generator[Progress[Never], None, Files]:
    embedder = yield from workspace.embedder()
    reranker = yield from workspace.reranker()
    judged, embedded = shown.scores.provenance, shown.embedding
    judge, encoder = still_loaded(workspace, judged), still_loaded(workspace, embedded)
    models = {
        "reranker": model_record(workspace, judge, judged, reranker.max_length),
        "embedding": model_record(workspace, encoder, embedded, embedder.max_length),
    }
    alone = yield from log_odds_alone(workspace, judge, shown)
    queries = (shown.query,)
    vectors = yield from embed_both(workspace, queries, shown.documents, shown.instruction)
    inputs = {
        "query": shown.query,
        "documents": shown.documents,
        "instruction": shown.instruction,
        "template": shown.scores.template,
    }
    pairs = yield from _listed(pair_prompts(reranker, shown), len(shown.documents))
    texts = text_prompts(embedder, queries, shown.documents, shown.instruction)
    single = yield from _listed(texts, 1 + len(shown.documents))
    yield Progress(0, 2, "evidence.stage_pictures")
    ranks = _pictured("ranks", movement_picture(shown, language), language)
    yield Progress(1, 2, "evidence.stage_pictures")
    log_odds = _pictured("log_odds", log_odds_picture(shown, language), language)
    return {
        "inputs.json": _json(inputs),
        "manifest.json": _manifest("rerank", models, shown.notices, language),
        "prompts.jsonl": as_jsonl([*pairs, *single]),
        "prompts.txt": as_text([*pairs, *single]),
        "scores.csv": reranking_csv(shown, alone),
        "vectors.parquet": vectors_parquet(queries, shown.documents, vectors),
        "README.txt": reranking_readme(shown, language),
        **ranks,
        **log_odds,
    }


def _of_comparison(
    workspace: Workspace, shown: Comparison, language: Language
) -> Generator[Progress[Never], None, Files]:
    embedder = yield from workspace.embedder()
    encoder = still_loaded(workspace, shown.provenance)
    models = {"embedding": model_record(workspace, encoder, shown.provenance, embedder.max_length)}
    vectors = yield from embed_both(workspace, shown.queries, shown.documents, shown.instruction)
    inputs = {"queries": shown.queries, "documents": shown.documents, "instruction": shown.instruction}
    texts = text_prompts(embedder, shown.queries, shown.documents, shown.instruction)
    prompts = yield from _listed(texts, len(shown.queries) + len(shown.documents))
    yield Progress(0, 2, "evidence.stage_pictures")
    made = shown.provenance
    crossed = matrix_picture(
        shown.query_document, shown.queries, shown.documents, made, language, square=False
    )
    first = _pictured("query_document", crossed, language)
    yield Progress(1, 2, "evidence.stage_pictures")
    square = matrix_picture(
        shown.document_document, shown.documents, shown.documents, made, language, square=True
    )
    return {
        "inputs.json": _json(inputs),
        "manifest.json": _manifest("similarity", models, shown.notices, language),
        "prompts.jsonl": as_jsonl(prompts),
        "prompts.txt": as_text(prompts),
        "scores.csv": cosines_csv(shown.query_document, "query"),
        "document_cosines.csv": cosines_csv(shown.document_document, "document"),
        "vectors.parquet": vectors_parquet(shown.queries, shown.documents, vectors),
        "README.txt": comparison_readme(shown, language),
        **first,
        **_pictured("document_document", square, language),
    }


def _listed(prompts: Iterator[Prompt], total: int) -> Generator[Progress[Never], None, list[Prompt]]:
    """Spell prompts out, with a step every few."""
    listed: list[Prompt] = []
    for prompt in prompts:
        if len(listed) % _PROMPTS_A_STEP == 0:
            yield Progress(len(listed), total, "evidence.stage_prompts")
        listed.append(prompt)
    return listed


def _pictured(name: str, drawing: Drawing, language: Language) -> Files:
    """Write one picture in every format."""
    return {
        f"figures/{name}.svg": svg(drawing).encode(),
        f"figures/{name}.png": png(drawing),
        f"figures/{name}.html": page(drawing, language).encode(),
    }


def _manifest(
    kind: str, models: dict[str, dict[str, object]], notices: Sequence[Notice], language: Language
) -> bytes:
    said = [notice.text(language) for notice in notices]
    return _json(
        {"format": FORMAT, "kind": kind, "models": models, **environment(), "seed": SEED, "notices": said}
    )


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
