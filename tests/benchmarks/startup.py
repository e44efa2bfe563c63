"""Fresh processes: importing the package, and the app until it answers."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Row

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 90.0
_HEAVY = ("torch", "transformers", "gradio", "umap", "plotly")
_IMPORT = """
import json, sys, time
before = set(sys.modules)
begun = time.perf_counter()
{statement}
print(json.dumps([time.perf_counter() - begun, sorted(set(sys.modules) - before)]))
"""


def measure(setting: Setting) -> list[Row]:
    """Time imports and the app's start.

    Args:
        setting: How often.

    Returns:
        Lines of the table.
    """
    statements = ("import explorer", "from explorer import load_embedder, load_reranker")
    taken: dict[str, list[float]] = {statement: [] for statement in statements}
    modules: dict[str, list[str]] = {}
    for _ in range(setting.starts):
        for statement in statements:
            seconds, modules[statement] = _imported(statement)
            taken[statement].append(seconds)
    rows = []
    for statement in statements:
        heavy = [name for name in _HEAVY if name in modules[statement]] or ["nothing heavy"]
        note = f"{len(modules[statement])} modules, among them {', '.join(heavy)}"
        rows.append(Row("start", statement, taken[statement], note=note))
    return [*rows, *_app_rows(setting.starts)]


def _imported(statement: str) -> tuple[float, list[str]]:
    """Run an import in a fresh process."""
    code = _IMPORT.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, modules = json.loads(done.stdout)
    return seconds, modules


def _app_rows(starts: int) -> list[Row]:
    """Start the app several times; one sentence instead when it does not start."""
    listening, answered = [], []
    for _ in range(starts):
        with TemporaryDirectory() as data, _app(Path(data)) as found:
            if isinstance(found, str):
                return [Row("start", "app.py", note=f"skipped: {found}")]
            listening.append(found[0])
            answered.append(found[1])
    return [
        Row("start", "app.py until its address is printed", listening),
        Row("start", "app.py until the first page is answered", answered),
    ]


@contextmanager
def _app(data: Path) -> Iterator[tuple[float, float] | str]:
    """Run the app until it answered; yields both times, or why there are none."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--port", str(port), "--offline", "--data-dir", str(data)]
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield _wait(process, port, begun)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[str], port: int, begun: float) -> tuple[float, float] | str:
    """Wait for the address on the app's output, then ask for the page."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    last = ""
    while True:
        try:
            line = lines.get(timeout=max(0.0, _PATIENCE - (time.perf_counter() - begun)))
        except queue.Empty:
            return f"no address within {_PATIENCE:.0f} s"
        if line is None:
            return f"it ended with status {process.wait()}: {last[:120]}"
        last = line.strip() or last
        if f":{port}" in line:
            break
    listening = time.perf_counter() - begun
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=_PATIENCE) as page:
            page.read()
    except OSError as error:
        return f"the page was not answered: {error}"
    return listening, time.perf_counter() - begun
