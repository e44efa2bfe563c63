"""The job on Ray, started here once for all: the same vectors, and nothing that other machines can reach."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_models import ModelFactory

from explorer.errors import ExplorerError, InputError
from explorer.service.embed_corpus import embed_corpus
from explorer.service.embed_corpus_request import EmbedCorpusRequest, job_embedder
from explorer.service.ray_pipeline import RayWorkers, connected, embed_corpus_with_ray
from explorer.service.workspace import finished
from explorer.settings import Settings

ROWS = 90
WORKERS = RayWorkers(2, reproducible=True)


@pytest.fixture(scope="module")
def ray() -> Iterator[object]:
    if (
        importlib.util.find_spec("ray") is None
    ):  # importing it here would come before it is told where to listen
        pytest.skip("Ray is an optional requirement: pip install 'ray[data]'")
    with connected(WORKERS) as ray:
        yield ray


@pytest.fixture(scope="module")
def model(make_model: ModelFactory) -> Settings:
    return Settings(embedding=str(make_model()), device="cpu")


@pytest.fixture
def request_of_rows(tmp_path: Path) -> EmbedCorpusRequest:
    texts = [None if row % 20 == 3 else f"gravity {row} pulls " * (row % 7 + 1) for row in range(ROWS)]
    table = pa.table({"id": range(ROWS), "text": texts, "left out": ["x"] * ROWS})
    # A folder of this form would give Ray a column "year" that the plain job does not have.
    source = tmp_path / "year=2024" / "texts.parquet"
    source.parent.mkdir()
    pq.write_table(table, source, row_group_size=25)
    return EmbedCorpusRequest(
        source, "text", tmp_path / "vectors", "find it", 16, "float16", keep=("id",), part_rows=16
    )


def test_ray_gives_the_vectors_of_the_plain_job_in_order(
    ray: object, model: Settings, request_of_rows: EmbedCorpusRequest, tmp_path: Path
) -> None:
    result = embed_corpus_with_ray(model, request_of_rows, WORKERS)
    files = sorted(result.folder.iterdir())
    assert len(files) > 1
    written = pa.concat_tables([pq.read_table(file) for file in files])
    plain_out = tmp_path / "plain.parquet"
    plain_request = EmbedCorpusRequest(**vars(request_of_rows) | {"out": plain_out})
    plain = finished(embed_corpus(job_embedder(model, reproducible=True), plain_request))
    assert written.equals(pq.read_table(plain_out)), "same columns, same order, same bits"
    assert result.record == plain.record
    assert not request_of_rows.out.with_name("vectors.unfinished").exists()
    with pytest.raises(InputError, match="there already"):
        embed_corpus_with_ray(model, request_of_rows, WORKERS)


def test_an_error_of_a_worker_is_said_in_one_sentence(
    ray: Any, model: Settings, request_of_rows: EmbedCorpusRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, folder: str) -> None:
        Path(folder).mkdir()
        raise ray.exceptions.RayError("a log\nof many lines\nInputError: choose 1 to 48.\n")

    monkeypatch.setattr(ray.data.Dataset, "write_parquet", fail)
    with pytest.raises(ExplorerError, match=r"The workers failed.*InputError: choose 1 to 48\.$") as failed:
        embed_corpus_with_ray(model, request_of_rows, WORKERS)
    assert "\n" not in str(failed.value)
    assert [path.name for path in request_of_rows.out.parent.iterdir()] == ["year=2024"]


def test_more_workers_than_cpus_are_refused_instead_of_waiting_for_ever(
    ray: object, model: Settings, request_of_rows: EmbedCorpusRequest
) -> None:
    with pytest.raises(InputError, match="Ray has 3 CPUs"):
        embed_corpus_with_ray(model, request_of_rows, RayWorkers(3))


def test_ray_listens_on_the_loopback_address_only(ray: object) -> None:
    processes = psutil.Process().children(recursive=True)
    own = {process.pid for process in processes} | {psutil.Process().pid}
    listening = [
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.pid in own and connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_without_ray_the_error_says_how_to_install_it(
    model: Settings, request_of_rows: EmbedCorpusRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install \"ray\[data\]\""):
        embed_corpus_with_ray(model, request_of_rows, RayWorkers())


def test_a_folder_of_a_stopped_run_and_an_empty_source_are_refused(
    model: Settings, request_of_rows: EmbedCorpusRequest
) -> None:
    (request_of_rows.out.parent / "vectors.unfinished").mkdir()
    with pytest.raises(InputError, match=r"vectors\.unfinished"):
        embed_corpus_with_ray(model, request_of_rows, RayWorkers())
    empty = pq.read_table(request_of_rows.source).slice(0, 0)
    pq.write_table(empty, request_of_rows.source)
    with pytest.raises(InputError, match="no rows"):
        embed_corpus_with_ray(model, request_of_rows, RayWorkers())
