"""A real Chromium, a server to visit, and a guard that fails a test on any console error or foreign request."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]
LOCAL = {"127.0.0.1", "localhost"}
START_SECONDS = 120


@pytest.fixture(scope="session")
def browser():
    """One browser for the whole run."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; install it or set CHROMIUM")
    with playwright_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the server accepts a connection, or say why it never will."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no answer on port {port} in {START_SECONDS} s")


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[..., str]]:
    """Start ``python ARGUMENTS`` with ``{port}`` filled in, and give its address; stopped after the run."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> str:
        port = free_port()
        command = [sys.executable, *(argument.replace("{port}", str(port)) for argument in arguments)]
        environment = {
            **os.environ,
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        }
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        running.append(process)
        wait_for_port(process, port)
        return f"http://127.0.0.1:{port}/"

    yield start
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


class Watch:
    """What a page did behind the reader's back.

    Attributes:
        errors: Console errors and uncaught exceptions.
        foreign: Requests to another host.
        requests: All addresses asked for, in order.
    """

    def __init__(self, page) -> None:
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _listen(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} at {message.location.get('url', '')}")

    def _note(self, url: str) -> None:
        self.requests.append(url)
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOCAL:
            self.foreign.append(url)

    def check(self) -> None:
        """Fail on anything that must not happen on any page."""
        assert self.foreign == [], "the page asked another host"
        assert self.errors == [], "the console shows errors"


@pytest.fixture
def open_page(browser) -> Iterator[Callable[..., tuple[object, Watch]]]:
    """Open an address in a fresh context: ``page, watch = open_page(url, width=1280, dark=False)``."""
    contexts = []
    watches = []

    def open_at(url: str, *, width: int = 1280, height: int = 900, dark: bool = False, locale: str = "en-US"):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=locale,
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        watches.append(Watch(page))
        page.goto(f"{url}?__theme={'dark' if dark else 'light'}")
        return page, watches[-1]

    yield open_at
    for watch in watches:
        watch.check()
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def site(start_server: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The explorer itself, started as a person would start it."""
    return start_server("app.py", "--port", "{port}", "--data-dir", str(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="session")
def parts_page(start_server: Callable[..., str]) -> str:
    """A page with every interactive part on it."""
    return start_server("tests/browser/component_page.py", "{port}")


@pytest.fixture
def visit(parts_page, open_page):
    """Open the page of parts at one of its tabs; later tabs start hidden, as in the app."""

    def at(tab: str = "Rerank", **options):
        page, watch = open_page(parts_page, **options)
        page.wait_for_selector("#cards [data-ready=yes]")
        if tab != "Rerank":
            page.get_by_role("tab", name=tab, exact=True).click()
        return page, watch

    return at
