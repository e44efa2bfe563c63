"""One HTTP server whose address the person gives: requests to it, and to nowhere else.

The connection goes straight to the host that was named, through no proxy, and a redirection is not followed: texts
and key reach nobody else. The key is in no message, no log and no ``repr``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection, responses
from typing import Any
from urllib.parse import urlsplit

from explorer.errors import InputError

KEY_VARIABLE = "EXPLORER_SERVER_KEY"
"""Environment variable that holds the server's key, where it asks for one."""

LONGEST_WAIT = 30.0
"""Seconds that a server may ask to wait before the next try."""

_ADDRESS = re.compile(r"https?://[^@?#\s\x00-\x20\x7f-\U0010ffff]+")
_ENDPOINTS = ("/chat/completions", "/embeddings", "/rerank", "/models", "/info")
_MOST_BYTES = 64_000_000
_MOST_QUOTED = 300
_TRY_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)


def server_key(environment: Mapping[str, str], variable: str = KEY_VARIABLE) -> str:
    """Read the key of a server.

    Args:
        environment: Usually ``os.environ``.
        variable: Which variable holds the key.

    Returns:
        The key; empty when there is none.
    """
    return environment.get(variable, "").strip()


@dataclass(frozen=True)
class Answer:
    """What a server answered, good or bad.

    Attributes:
        status: HTTP status.
        body: The answer itself.
        location: Where a redirection points; empty when there is none.
        wait: Seconds that the server asks to wait; 0 when it does not ask.
    """

    status: int
    body: bytes
    location: str = ""
    wait: float = 0.0

    @property
    def value(self) -> Any:  # noqa: ANN401 - JSON has no narrower type
        """The answer read as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def reason(self) -> str:
        """Why the server refused, in its own words where it says so in JSON."""
        found = self.value
        for name in ("error", "detail", "message"):
            if isinstance(found, dict) and name in found:
                found = found[name]
        return found if isinstance(found, str) else responses.get(self.status, "")


class Server:
    """A server that is spoken to in JSON. Safe for threads.

    Args:
        address: Base address, with or without ``/v1`` or an endpoint at its end, for instance
            ``"http://localhost:8000/v1"``.
        key: Sent as a bearer token when not empty; see :func:`server_key`.
        timeout: Seconds without a word from the server after which a try is given up.
        tries: How often one request is sent at most.
        wait: Called with the seconds between two tries.

    Raises:
        InputError: The address is no http or https address or carries a name and password, or the key cannot be sent.
    """

    def __init__(
        self,
        address: str,
        key: str = "",
        *,
        timeout: float = 120.0,
        tries: int = 4,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Check address and key; nothing is sent yet."""
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise InputError("server.key", variable=KEY_VARIABLE)
        self._scheme, self.host, self._path = _parts(address)
        self._key = key
        self._timeout = timeout
        self._tries = tries
        self._wait = wait

    def send(self, path: str, value: object = None) -> Answer:
        """Send one request, again after a passing failure (status 429 or 5xx, no connection), with growing pauses.

        Args:
            path: Endpoint below the base address, for instance ``"/v1/embeddings"``.
            value: What to post, as JSON; None only asks (GET).

        Returns:
            The answer, also one that refuses.

        Raises:
            InputError: Nothing came back, too much did, or the server sends on to another address.
        """
        answer: Answer | None = None
        for attempt in range(self._tries):
            if attempt:
                self._wait(max(2.0 ** (attempt - 1), min(answer.wait if answer else 0.0, LONGEST_WAIT)))
            answer = self._exchange(path, value)
            if answer and answer.status not in _TRY_AGAIN:
                break
        if answer is None:
            raise InputError("server.unreachable", server=self.host)
        if 300 <= answer.status < 400:
            target = self._quoted(answer.location)
            raise InputError("server.redirected", server=self.host, status=answer.status, target=target)
        return answer

    def ask(self, path: str, value: object = None) -> Any:  # noqa: ANN401 - JSON has no narrower type
        """Send one request and read its answer.

        Args:
            path: Endpoint below the base address.
            value: What to post, as JSON; None only asks (GET).

        Returns:
            The JSON that came back.

        Raises:
            InputError: Nothing came back, the server refused, or the answer is no JSON or an error.
        """
        answer = self.send(path, value)
        found = answer.value
        if answer.status != 200 or (isinstance(found, dict) and found.get("error")):
            raise self.refusal(answer)
        if not isinstance(found, dict | list):
            raise InputError("server.answer", server=self.host, path=path)
        return found

    def refusal(self, answer: Answer) -> InputError:
        """Put a refusal into a sentence.

        Args:
            answer: What the server answered.

        Returns:
            The error, which repeats the server's own reason but never the key.
        """
        reason = self._quoted(answer.reason)
        return InputError("server.refused", server=self.host, status=answer.status, reason=reason)

    def one_each(self, path: str, items: object, sent: int) -> list[dict[str, Any]]:
        """Put the results of one request into the order in which the texts were sent, by their ``index``.

        Args:
            path: Endpoint that gave them.
            items: What should be a list of results.
            sent: Texts that were sent.

        Returns:
            One result for each text.

        Raises:
            InputError: They are no such list, or not one for each text.
        """
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise InputError("server.answer", server=self.host, path=path)
        placed = {item.get("index"): item for item in items if type(item.get("index")) is int}
        if len(items) != sent or set(placed) != set(range(sent)):
            raise InputError("server.count", server=self.host, sent=sent, got=len(items))
        return [placed[index] for index in range(sent)]

    def _exchange(self, path: str, value: object) -> Answer | None:
        """Try once; None when there is no connection or it breaks off."""
        kind: type[HTTPConnection] = HTTPSConnection if self._scheme == "https" else HTTPConnection
        try:
            connection = kind(self.host, timeout=self._timeout)
            try:
                connection.request(
                    "GET" if value is None else "POST", self._path + path, _encoded(value), self._headers()
                )
                response = connection.getresponse()
                body = response.read(_MOST_BYTES + 1)
            finally:
                connection.close()
        except (OSError, HTTPException, UnicodeError):
            return None
        if len(body) > _MOST_BYTES:
            raise InputError("server.too_large", server=self.host, limit=_MOST_BYTES // 1_000_000)
        wait = response.getheader("Retry-After", "")
        seconds = float(wait) if wait.isascii() and wait.isdigit() else 0.0
        return Answer(response.status, body, response.getheader("Location", ""), seconds)

    def _quoted(self, words: str) -> str:
        """Repeat the server's words on one short line, without the key should it stand in them."""
        shown = words.replace(self._key, "…") if self._key else words
        printable = "".join(letter if letter.isprintable() else " " for letter in shown)
        return " ".join(printable.split())[:_MOST_QUOTED].rstrip(".")

    def _headers(self) -> dict[str, str]:
        """Say what is sent and wanted."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return headers | ({"Authorization": f"Bearer {self._key}"} if self._key else {})


def _encoded(value: object) -> bytes | None:
    """Write JSON in UTF-8, in which lone surrogates, which no encoding of Unicode can carry, are replaced."""
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _parts(address: str) -> tuple[str, str, str]:
    """Take an address apart: scheme, host with port, and the path before ``/v1``."""
    typed = address.strip()
    try:
        parts = urlsplit(typed)
        sound = bool(_ADDRESS.fullmatch(typed) and parts.hostname and parts.port != 0)
    except ValueError:
        sound = False
    if not sound:
        raise InputError("server.address")
    path = parts.path.rstrip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    return parts.scheme, parts.netloc, path.removesuffix("/v1")
