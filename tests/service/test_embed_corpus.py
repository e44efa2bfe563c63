"""The job from file to file: right numbers, bounded reading, and nothing lost to a kill, a stop or a full disk."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from parquet_texts import table_of, texts_of
from tiny_models import ModelFactory

from explorer.corpus import vector_file
from explorer.corpus.vector_file import VectorCounts, read_record
from explorer.engine import windows
from explorer.engine.embedder import Embedder
from explorer.engine.store.cache import VectorCache
from explorer.errors import Cancelled, CorpusError, InputError
from explorer.models.loading import LoadedModel
from explorer.progress import CancelToken
from explorer.service.embed_corpus import EMBEDDING, embed_corpus
from explorer.service.embed_corpus_request import EmbedCorpusRequest
from explorer.service.workspace import finished


def vectors_of(file: Path) -> list[list[float] | None]:
    return pq.read_table(file)["vector"].to_pylist()


@pytest.fixture
def embedder(tiny_embedding: LoadedModel) -> Embedder:
    return Embedder(tiny_embedding, VectorCache(0), reproducible=True)


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., EmbedCorpusRequest]:
    """Write a corpus of 230 texts and ask for its vectors."""
    pq.write_table(table_of(texts_of(230)), tmp_path / "texts.parquet", row_group_size=70)

    def make(**fields: object) -> EmbedCorpusRequest:
        base = EmbedCorpusRequest(
            tmp_path / "texts.parquet", "text", tmp_path / "vectors.parquet", part_rows=40
        )
        return replace(base, **fields)

    return make


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model give its vectors back twenty at a time."""
    monkeypatch.setattr(windows, "MOST_TEXTS", 20)


@pytest.mark.parametrize("part_rows", [1000, 37])
@pytest.mark.parametrize(
    ("instruction", "dimensions", "number_format"), [(None, None, "float32"), ("find it", 16, "float16")]
)
def test_each_row_keeps_its_columns_and_gets_the_vector_of_its_text(
    tmp_path: Path,
    embedder: Embedder,
    instruction: str | None,
    dimensions: int | None,
    number_format: str,
    part_rows: int,
) -> None:
    texts = texts_of(230)
    texts[40] = "yes " * 3000
    table = table_of(texts)
    source = tmp_path / "texts"
    source.mkdir()
    for place, (first, stop) in enumerate([(0, 80), (80, 230)]):
        pq.write_table(table.slice(first, stop - first), source / f"{place}.parquet", row_group_size=30)
    request = EmbedCorpusRequest(
        source,
        "text",
        tmp_path / "out" / "v.parquet",
        instruction,
        dimensions,
        number_format,
        part_rows=part_rows,
    )
    result = finished(embed_corpus(embedder, request))
    written = pq.read_table(request.out)
    assert written.drop_columns("vector").equals(table)
    present = [text is not None and bool(text.strip()) for text in texts]
    assert written["vector"].is_valid().to_pylist() == present
    expected = embedder.encode([text for text in texts if text and text.strip()], instruction, dimensions)
    got = np.array(written["vector"].drop_null().to_pylist(), number_format)
    assert np.array_equal(got, expected.astype(number_format))
    assert result.counts == VectorCounts(empty=230 - sum(present), cut=1)
    assert read_record(request.out).record == result.record
    assert result.record.provenance.fingerprint == embedder.provenance.fingerprint
    assert [path.name for path in request.out.parent.iterdir()] == ["v.parquet"]


def test_pandas_reads_the_file_that_pandas_wrote(tmp_path: Path, embedder: Embedder) -> None:
    frame = pd.DataFrame({"text": ["yes", "no"], "n": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    frame.to_parquet(tmp_path / "t.parquet")
    request = EmbedCorpusRequest(tmp_path / "t.parquet", "text", tmp_path / "v.parquet")
    finished(embed_corpus(embedder, request))
    read = pd.read_parquet(request.out)
    assert read.drop(columns="vector").equals(frame)
    assert np.array_equal(np.stack(read["vector"]), embedder.encode(["yes", "no"]))


def test_only_the_columns_asked_for_go_with_the_vectors(
    embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest]
) -> None:
    request = request_of(keep=("nested", "id"))
    finished(embed_corpus(embedder, request))
    assert pq.read_schema(request.out).names == ["id", "nested", "vector"]


def test_an_empty_corpus_gives_an_empty_file(tmp_path: Path, embedder: Embedder) -> None:
    pq.write_table(table_of([]), tmp_path / "t.parquet")
    request = EmbedCorpusRequest(tmp_path / "t.parquet", "text", tmp_path / "v.parquet")
    assert finished(embed_corpus(embedder, request)).record.rows == 0
    assert pq.read_table(request.out).num_rows == 0


def test_a_corpus_without_a_single_text_gives_null_vectors(tmp_path: Path, embedder: Embedder) -> None:
    pq.write_table(table_of([None, "", " "]), tmp_path / "t.parquet")
    request = EmbedCorpusRequest(tmp_path / "t.parquet", "text", tmp_path / "v.parquet", part_rows=2)
    assert finished(embed_corpus(embedder, request)).counts == VectorCounts(empty=3)
    assert vectors_of(request.out) == [None, None, None]


@pytest.mark.usefixtures("small_windows")
def test_texts_are_read_only_a_little_ahead_of_their_vectors(
    embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer.corpus import parquet_source

    read = 0

    def counted(array: pa.Array) -> list[str | None]:
        nonlocal read
        read += len(array)
        return array.to_pylist()

    monkeypatch.setattr(parquet_source, "_BATCH_ROWS", 10)
    monkeypatch.setattr(parquet_source, "texts_of", counted)
    ahead = [read - step.done for step in embed_corpus(embedder, request_of()) if step.stage == EMBEDDING]
    assert max(ahead) <= 60  # one window under way, one tokenised, one batch
    assert read == 230


@pytest.mark.usefixtures("small_windows")
def test_a_run_that_was_stopped_goes_on_after_its_last_whole_part(
    embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest], tmp_path: Path
) -> None:
    request = request_of()
    steps = embed_corpus(embedder, request)
    for step in steps:
        if step.done >= 130:
            break
    steps.close()
    assert not request.out.exists()
    before = embedder.forwards
    steps = embed_corpus(embedder, request)
    assert next(steps).done == 120, "three whole parts of 40 rows"
    result = finished(steps)
    filled = sum(text is not None and bool(text.strip()) for text in texts_of(230)[120:])
    assert embedder.forwards - before == filled, "one forward a text in reproducible mode"
    whole = replace(request, out=tmp_path / "whole.parquet")
    assert finished(embed_corpus(embedder, whole)).counts == result.counts
    assert request.out.read_bytes() == whole.out.read_bytes()


@pytest.mark.usefixtures("small_windows")
def test_a_stop_keeps_whole_parts(embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest]) -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        for step in embed_corpus(embedder, request_of(), cancel=cancel):
            if step.done > 90:
                cancel.cancel()
    assert next(embed_corpus(embedder, request_of())).done == 80


def test_a_file_that_is_there_already_is_the_result_or_refused(
    embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest]
) -> None:
    first = finished(embed_corpus(embedder, request_of()))
    before = embedder.forwards
    assert finished(embed_corpus(embedder, request_of())) == first
    assert embedder.forwards == before
    for other in (request_of(dimensions=8), request_of(keep=("id",)), request_of(instruction="find")):
        with pytest.raises(InputError, match=r"vectors\.parquet.*--out"):
            finished(embed_corpus(embedder, other))
    assert finished(embed_corpus(embedder, request_of())) == first, "and it was not touched"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"instruction": "find"}, "instruction: None -> find"),
        ({"dimensions": 8}, "dimensions: 48 -> 8"),
        ({"format": "float16"}, "format: float32 -> float16"),
        ({"column": "other"}, "column: text -> other"),
        ({"source": "other.parquet"}, "source_digest: "),
        ({"part_rows": 41}, "part_rows: 40 -> 41"),
    ],
)
@pytest.mark.usefixtures("small_windows")
def test_parts_of_another_job_are_refused_with_what_differs(
    tmp_path: Path,
    embedder: Embedder,
    request_of: Callable[..., EmbedCorpusRequest],
    changed: dict[str, object],
    said: str,
) -> None:
    table = table_of(texts_of(230)).append_column("other", pa.array(["yes"] * 230))
    pq.write_table(table, tmp_path / "texts.parquet")
    pq.write_table(table.slice(1), tmp_path / "other.parquet")
    _begin(embedder, request_of())
    if "source" in changed:
        changed = {"source": tmp_path / "other.parquet"}
    with pytest.raises(InputError) as refused:
        finished(embed_corpus(embedder, request_of(**changed)))
    assert said in str(refused.value)
    assert "vectors.parquet.parts" in str(refused.value)


@pytest.mark.usefixtures("small_windows")
def test_parts_of_another_model_are_refused(
    embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest], make_model: ModelFactory
) -> None:
    from explorer.models.loading import load_model

    _begin(embedder, request_of())
    other = Embedder(load_model(str(make_model(seed=1)), "embedding", "cpu"), reproducible=True)
    with pytest.raises(InputError, match="fingerprint: "):
        finished(embed_corpus(other, request_of()))
    usual = Embedder(embedder._loaded)
    with pytest.raises(InputError, match="attention: packed sdpa, reproducible -> packed sdpa"):
        finished(embed_corpus(usual, request_of()))


@pytest.mark.usefixtures("small_windows")
def test_a_source_that_changes_under_way_is_noticed(
    embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest]
) -> None:
    request = request_of()
    with pytest.raises(CorpusError, match="was changed"):
        for step in embed_corpus(embedder, request):
            if step.done == 230:
                pq.write_table(table_of(texts_of(230, seed=1)), request.source)
    assert not request.out.exists()


def test_what_cannot_be_done_is_refused_before_anything_is_embedded(
    tmp_path: Path, embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest]
) -> None:
    pq.write_table(table_of(["yes"]).append_column("vector", pa.array([1])), tmp_path / "taken.parquet")
    refused = {
        "id, text, nested": request_of(column="body"),
        "int64, not text": request_of(column="id"),
        "“size”": request_of(keep=("size",)),
        "1 to 48": request_of(dimensions=49),
        "float32, float16": request_of(format="float8"),
        "1 or more": request_of(part_rows=0),
        "already has a column “vector”": request_of(source=tmp_path / "taken.parquet"),
        "being read": request_of(source=tmp_path / "folder", out=tmp_path / "folder" / "v.parquet"),
        "characters; the most is": request_of(instruction="x" * 3000),
    }
    (tmp_path / "folder").mkdir()
    pq.write_table(table_of(["yes"]), tmp_path / "folder" / "t.parquet")
    for said, request in refused.items():
        with pytest.raises(InputError, match=said):
            finished(embed_corpus(embedder, request))
    assert embedder.forwards == 0
    assert not (tmp_path / "vectors.parquet.parts").exists()
    kept = request_of(source=tmp_path / "taken.parquet", keep=("id",))
    assert finished(embed_corpus(embedder, kept)).record.rows == 1


def test_a_disk_that_is_too_small_is_noticed_at_once(
    embedder: Embedder, request_of: Callable[..., EmbedCorpusRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer.service import embed_corpus as job

    usage = job.shutil.disk_usage("/")
    monkeypatch.setattr(job.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(InputError, match="--dimensions"):
        finished(embed_corpus(embedder, request_of()))
    assert embedder.forwards == 0


@pytest.mark.parametrize("writes", [2, 8], ids=["in a part", "in the file"])
@pytest.mark.usefixtures("small_windows")
def test_a_full_disk_keeps_whole_parts(
    embedder: Embedder,
    request_of: Callable[..., EmbedCorpusRequest],
    monkeypatch: pytest.MonkeyPatch,
    writes: int,
) -> None:
    class FullDisk(pq.ParquetWriter):
        left = writes

        def write_table(self, *arguments: object) -> None:
            if FullDisk.left == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            FullDisk.left -= 1
            super().write_table(*arguments)

    request = request_of()
    folder = request.out.with_name("vectors.parquet.parts")
    with monkeypatch.context() as patch:
        patch.setattr(vector_file.pq, "ParquetWriter", FullDisk)
        with pytest.raises(InputError, match=r"disk is full.*type the same command again"):
            finished(embed_corpus(embedder, request))
    kept = min(writes, 6)
    assert sorted(path.name for path in folder.iterdir() if path.name[0] == "0") == [
        f"{part:08d}.parquet" for part in range(kept)
    ]
    assert not request.out.exists()
    steps = embed_corpus(embedder, request)
    assert next(steps).done == min(40 * kept, 230)
    assert finished(steps).record.rows == 230
    assert not folder.exists()


def _begin(embedder: Embedder, request: EmbedCorpusRequest) -> None:
    """Begin a job and stop it after its first part."""
    steps = embed_corpus(embedder, request)
    for step in steps:
        if step.done > request.part_rows + 20:
            break
    steps.close()
