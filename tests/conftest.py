"""Tiny models for every test, and a fence around the run."""

from __future__ import annotations

import gc
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

# The hub's client reads this once, when it is imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# What is kept in the home folder between runs is kept in a folder of this run, also by the processes it starts.
HOME = tempfile.TemporaryDirectory(prefix="explorer-tests-")
os.environ["HOME"] = HOME.name

import torch
from tiny_models import ModelFactory, TinyModel, write_model
from xdist.scheduler import LoadScopeScheduling

from explorer.models.loading import LoadedModel, load_model

ROOMS_TOGETHER = ("app", "browser")
"""Folders whose files share servers that take long to start, and so run in one process."""

APART = ("test_training_view.py", "test_hostile_texts.py")
"""Files of these folders that take so long that a server of their own is worth it."""


class RoomScheduling(LoadScopeScheduling):
    """Hands a process the tests of a file at a time, or of a whole folder whose files share servers."""

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.split("::", 1)[0])
        together = path.parent.name in ROOMS_TOGETHER and path.name not in APART
        return path.parent.name if together else str(path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Schedule so whenever the tests run in several processes, in the order of folders: servers come early."""
    config.option.loadscopereorder = False
    return RoomScheduling(config, log)


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> None:
    """Spare the garbage collector everything that earlier files left behind; tests of memory collect often."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def fence() -> Iterator[None]:
    """Refuse every connection that would leave this machine, for the whole run."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in {"localhost", "127.0.0.1", "::1"}:
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


# Models this small are slower on many threads than on one.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFactory:
    """Write tiny models, each kind once a session: ``make_model(family="reranker", tied=False)``."""
    root = tmp_path_factory.mktemp("models")
    written: dict[TinyModel, Path] = {}

    def make(**fields: object) -> Path:
        tiny = replace(TinyModel(), **fields)
        if tiny not in written:
            written[tiny] = write_model(root / f"tiny-{tiny.family}-{len(written)}", tiny)
        return written[tiny]

    return make


@pytest.fixture(scope="session")
def tiny_embedding(make_model: ModelFactory) -> LoadedModel:
    """A loaded tiny embedding model."""
    return load_model(str(make_model()), "embedding", "cpu")


@pytest.fixture(scope="session")
def tiny_reranker(make_model: ModelFactory) -> LoadedModel:
    """A loaded tiny reranker."""
    return load_model(str(make_model(family="reranker", tied=False)), "reranker", "cpu")
