"""Requests that a hostile visitor would send."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

import explorer.service.rerank
from explorer.service.limits import LIMITS
from explorer.settings import Settings
from explorer.ui.guard import Guard
from explorer.ui.layout import launch_options

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        str(ROOT / "app.py"),
        "app.py",
        "../app.py",
        "..%2f..%2f..%2fetc/passwd",
        str(ROOT / "explorer" / "settings.py"),
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://example.org/",
    ],
)
def test_no_file_of_the_machine_and_no_address_is_served(address: str, path: str) -> None:
    response = httpx.get(f"{address}gradio_api/file={path}", follow_redirects=False)
    assert response.status_code in (403, 404)
    assert "root:" not in response.text and "parse_settings" not in response.text


def test_every_answer_carries_protective_headers(address: str) -> None:
    headers = httpx.get(address).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"


def test_an_upload_beyond_the_limit_is_refused(address: str) -> None:
    body = {"files": ("big.csv", b"x" * (LIMITS.upload_bytes + 1), "text/csv")}
    assert httpx.post(f"{address}gradio_api/upload", files=body, timeout=60).status_code == 413


def test_an_uploaded_name_is_never_a_path_and_never_shown_as_a_page(address: str, workspace) -> None:
    body = {"files": ("../../evil.html", b"<script>alert(1)</script>", "text/html")}
    stored = httpx.post(f"{address}gradio_api/upload", files=body).json()[0]
    assert ".." not in stored
    shown = httpx.get(f"{address}gradio_api/file={stored}")
    assert "html" not in shown.headers.get("content-type", "") or "attachment" in shown.headers.get(
        "content-disposition", ""
    )


def test_an_unexpected_error_tells_nothing_of_the_machine(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(f"cannot read {ROOT}/secret")

    monkeypatch.setattr(explorer.service.rerank, "movement", broken)
    with pytest.raises(AppError) as shown:
        client.predict("query", ["document"], api_name="/rerank")
    assert re.search(r"report number [0-9a-f]{8}", str(shown.value))
    assert str(ROOT) not in str(shown.value) and "Traceback" not in str(shown.value)


ADDRESSES = [
    "http://example.org/a",
    "https://example.org/a.csv",
    "HTTP://EXAMPLE.org/a",
    "http://192.0.2.7/a",
]


def as_file(url: str) -> dict[str, object]:
    """What gradio's own clients send for a file, naming an address instead."""
    return {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}, "orig_name": "a.csv"}


@pytest.mark.parametrize("url", ADDRESSES)
@pytest.mark.parametrize("route", ["file=", "file/"])
def test_no_address_in_a_path_is_looked_up(address: str, route: str, url: str) -> None:
    assert httpx.get(f"{address}gradio_api/{route}{url}", timeout=30).status_code == 404


def answered(address: str, endpoint: str, event: str) -> str:
    """Read the stream of a call until the server closes it."""
    with httpx.stream("GET", f"{address}gradio_api/call/{endpoint}/{event}", timeout=60) as stream:
        return stream.read().decode()


@pytest.mark.parametrize("url", ADDRESSES)
def test_no_address_sent_in_place_of_a_text_is_looked_up(address: str, url: str) -> None:
    for texts in (as_file(url), [as_file(url)], [{"deep": [as_file(url)]}]):
        body = {"data": [texts, "", 0]}
        event = httpx.post(f"{address}gradio_api/call/embed", json=body, timeout=30).json()["event_id"]
        said = answered(address, "embed", event)
        assert "event: error" in said and "vectors" not in said


def file_inputs(address: str) -> list[tuple[int, int, int]]:
    """Every event of the page that takes a file: its number, how many inputs it has, and which is the file."""
    config = httpx.get(f"{address}config").json()
    files = {part["id"] for part in config["components"] if part["type"] in {"file", "uploadbutton"}}
    return [
        (event["id"], len(event["inputs"]), event["inputs"].index(chosen))
        for event in config["dependencies"]
        for chosen in files & set(event["inputs"])
    ]


@pytest.mark.parametrize("url", ADDRESSES)
def test_no_address_sent_in_place_of_an_upload_is_looked_up(address: str, url: str) -> None:
    events = file_inputs(address)
    assert events, "the page takes no file"
    for event, inputs, place in events:
        data: list[object] = [None] * inputs
        data[place] = as_file(url)
        session = f"visitor{event}"
        body = {"data": data, "fn_index": event, "session_hash": session}
        joined = httpx.post(f"{address}gradio_api/queue/join", json=body, timeout=30)
        assert joined.status_code in (200, 404, 422), joined.text
        if joined.status_code == 200:
            stream = f"{address}gradio_api/queue/data?session_hash={session}"
            with httpx.stream("GET", stream, timeout=60) as messages:
                said = next(line for line in messages.iter_lines() if "process_completed" in line)
            assert '"success":false' in said.replace(" ", "")


def test_a_space_may_be_shown_in_a_frame_and_nothing_else_changes() -> None:
    framed = {
        name: options(Settings(in_space=in_space)) for name, in_space in (("space", True), ("here", False))
    }
    assert framed["space"].pop("app_kwargs") == {"framed": True}
    assert framed["here"].pop("app_kwargs") == {"framed": False}
    assert framed["space"] == framed["here"]


def options(settings: Settings) -> dict[str, object]:
    """Launch options, the guard's own options read out of the middleware."""
    chosen = launch_options(settings)
    (guard,) = chosen["app_kwargs"]["middleware"]
    assert guard.cls is Guard
    return {name: value for name, value in chosen.items() if name != "theme"} | {"app_kwargs": guard.kwargs}


def test_the_page_is_served_locked_down() -> None:
    options = launch_options(Settings())
    assert options["server_name"] == "127.0.0.1"
    assert options["share"] is False and options["show_error"] is False
    assert options["strict_cors"] is True and options["allowed_paths"] == []
    assert options["max_file_size"] == LIMITS.upload_bytes
