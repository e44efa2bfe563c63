"""The real page, served on a free port of this machine, clients that call its endpoints, and a guard over both."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from huggingface_hub import constants as hub

from explorer.service.workspace import Workspace
from explorer.settings import Settings
from explorer.ui.layout import QUEUE, build_page, launch_options

HERE = {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"}


@pytest.fixture(scope="session", autouse=True)
def quiet_client() -> Iterator[None]:
    """Keep gradio's client from announcing itself to the hub, which the environment can stop only before import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub, "HF_HUB_OFFLINE", True)
        patch.setattr(hub, "HF_HUB_DISABLE_TELEMETRY", True)
        yield


@pytest.fixture(autouse=True)
def foreign_hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fail the test when anything here, the server included, looks up or connects to another host.

    The server runs in this process and turns an exception into an answer, so the hosts are noted as well.
    """
    noted: list[str] = []
    look_up, reach = socket.getaddrinfo, socket.socket.connect

    def look_up_here(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in HERE:
            noted.append(str(name))
            raise socket.gaierror(f"a test asked for the address of {name}")
        return look_up(host, *rest, **named)

    def reach_here(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in HERE:
            noted.append(str(address[0]))
        reach(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    monkeypatch.setattr(socket.socket, "connect", reach_here)
    yield noted
    assert noted == [], "another host was asked for"


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
