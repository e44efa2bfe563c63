"""What every answer of the server carries, and requests that are never answered."""

from __future__ import annotations

from typing import NoReturn

from gradio import processing_utils
from gradio.exceptions import InvalidPathError
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


FETCHING = ("/file=http", "/file/http")


async def _refuse(url: str) -> NoReturn:
    raise InvalidPathError("Addresses are not fetched.")


def refuse_downloads() -> None:
    """Keep gradio from fetching an address that stands in a request, wherever a file may be named.

    Any visitor could otherwise make this machine speak to any other. Gradio has no setting for this; every such
    fetch passes through this one function.
    """
    processing_utils.async_ssrf_protected_get = _refuse


class Guard:
    """Middleware that adds headers and refuses to fetch addresses on a visitor's behalf.

    Gradio's file route would fetch any public address that stands in the path (``/gradio_api/file=http...``).
    """

    def __init__(self, app: ASGIApp, framed: bool = False) -> None:
        """Wrap the application.

        Args:
            app: What answers.
            framed: Whether other sites may show the page in a frame, as a Hugging Face Space is.
        """
        self.app = app
        self.headers = {
            name: value for name, value in HEADERS.items() if not (framed and name == "X-Frame-Options")
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].lower()
        if any(marker in path for marker in FETCHING):
            await PlainTextResponse("Not found", status_code=404)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)
