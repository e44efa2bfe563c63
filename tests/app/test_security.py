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


def test_the_page_is_served_locked_down() -> None:
    options = launch_options(Settings())
    assert options["server_name"] == "127.0.0.1"
    assert options["share"] is False and options["show_error"] is False
    assert options["strict_cors"] is True and options["allowed_paths"] == []
    assert options["max_file_size"] == LIMITS.upload_bytes
