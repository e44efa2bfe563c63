from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from explorer.ui.guard import Guard


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("answered")


def client(**options: object) -> TestClient:
    routes = [Route("/{anything:path}", answer)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Guard, **options)]))


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://example.org/",
        "/gradio_api/file=https://example.org/",
        "/gradio_api/file=HTTPS://example.org/",
        "/gradio_api/file=http%3A//example.org/",
        "/gradio_api/file=http%253A//169.254.169.254/",
    ],
)
def test_no_address_is_fetched_for_a_visitor(path: str) -> None:
    assert client().get(path).status_code == 404


def test_other_requests_pass_with_protective_headers() -> None:
    response = client().get("/gradio_api/file=assets/web/page.css")
    assert response.text == "answered"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "SAMEORIGIN"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_a_space_may_be_shown_in_a_frame() -> None:
    assert "x-frame-options" not in client(framed=True).get("/").headers
