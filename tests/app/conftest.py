"""The real page, served on a free port of this machine, and clients that call its documented endpoints."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gradio_client import Client

from explorer.service.workspace import Workspace
from explorer.settings import Settings
from explorer.ui.layout import QUEUE, build_page, launch_options


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    settings = Settings(port=free_port(), data_dir=tmp_path_factory.mktemp("data"), offline=True)
    return Workspace(settings)


@pytest.fixture(scope="session")
def address(workspace: Workspace) -> Iterator[str]:
    page = build_page(workspace)
    page.queue(**QUEUE)
    _, url, _ = page.launch(prevent_thread_lock=True, **launch_options(workspace.settings))
    yield url
    page.close()


@pytest.fixture(scope="session")
def connect(address: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Client]:
    downloads: Path = tmp_path_factory.mktemp("downloads")
    return lambda: Client(address, verbose=False, download_files=str(downloads))


@pytest.fixture(scope="session")
def client(connect: Callable[[], Client]) -> Client:
    return connect()
