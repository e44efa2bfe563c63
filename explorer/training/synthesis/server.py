"""A language model behind an OpenAI-compatible server, whose address the person gives."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from explorer.errors import InputError
from explorer.training.synthesis.answers import without_thoughts

KEY_VARIABLE = "EXPLORER_SERVER_KEY"
"""Environment variable that holds the server's key, where it asks for one."""

_ADDRESS = re.compile(r"https?://[^@?#\s\x00-\x20\x7f-\U0010ffff]+")
_MOST_BYTES = 8_000_000
_TRY_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)
_FIELD_REFUSED = (400, 422)


def server_key(environment: Mapping[str, str]) -> str:
    """Read the key of a server.

    Args:
        environment: Usually ``os.environ``; read is :data:`KEY_VARIABLE`.

    Returns:
        The key; empty when there is none.
    """
    return environment.get(KEY_VARIABLE, "").strip()


class ServerModel:
    """Answers prompts through ``/v1/chat/completions``.

    Args:
        address: Base address, with or without ``/v1`` at its end, for instance ``"http://localhost:8000/v1"``.
        model: Name under which the server knows the model.
        key: Sent as a bearer token when not empty; see :func:`server_key`.
        temperature: Of sampling; 0.7 is what the Qwen3 model cards advise without thinking.
        timeout: Seconds without a word from the server after which a try is given up.
        tries: How often one prompt is sent at most.
        parallel: Prompts that are under way at once.
        wait: Called with the seconds between two tries.

    Raises:
        InputError: The address is no http or https address or carries a name and password, or the key cannot be sent.
    """

    kind = "server"

    def __init__(
        self,
        address: str,
        model: str,
        key: str = "",
        *,
        temperature: float = 0.7,
        timeout: float = 120.0,
        tries: int = 3,
        parallel: int = 4,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Check the address; nothing is sent yet."""
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise InputError("pairs.server_key", variable=KEY_VARIABLE)
        self.model = model
        self._endpoint = _endpoint(address)
        self._host = urlsplit(self._endpoint).netloc
        self._key = key
        self._temperature = temperature
        self._timeout = timeout
        self._tries = tries
        self._parallel = parallel
        self._wait = wait
        self._takes_template_settings = True

    def generate(self, prompts: Sequence[str], longest: int, seed: int) -> list[str]:
        """Answer each prompt; see :class:`TextGenerator`.

        Raises:
            InputError: The server cannot be reached, refuses, or answers something else than a completion.
        """
        if not prompts:
            return []
        with ThreadPoolExecutor(self._parallel) as pool:
            asked = [
                pool.submit(self._answer, prompt, longest, seed + index)
                for index, prompt in enumerate(prompts)
            ]
            try:
                return [future.result() for future in asked]
            except InputError:
                pool.shutdown(cancel_futures=True)
                raise

    def _answer(self, prompt: str, longest: int, seed: int) -> str:
        """Send one prompt, again after a passing failure."""
        failure = InputError("pairs.server_unreachable", server=self._host)
        templated = self._takes_template_settings
        for attempt in range(self._tries):
            if attempt:
                self._wait(2.0 ** (attempt - 1))
            try:
                answer = self._completion(self._post(self._body(prompt, longest, seed, templated)))
                self._takes_template_settings = templated
                return answer
            except urllib.error.HTTPError as error:
                error.close()
                failure = InputError("pairs.server_refused", server=self._host, status=error.code)
                if error.code in _FIELD_REFUSED and templated:
                    templated = False
                elif error.code not in _TRY_AGAIN:
                    break
            except (OSError, HTTPException):
                failure = InputError("pairs.server_unreachable", server=self._host)
        # Raised here and not in the handlers: the request, whose headers hold the key, is in none of its causes.
        raise failure

    def _body(self, prompt: str, longest: int, seed: int, templated: bool) -> bytes:
        """Write the request; thinking is turned off where the server lets its template be told so."""
        body: dict[str, object] = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": longest,
            "temperature": self._temperature,
            "seed": seed,
        }
        if templated:
            body["chat_template_kwargs"] = {"enable_thinking": False}
        return json.dumps(body).encode("ascii")

    def _post(self, body: bytes) -> bytes:
        """Send a request and read at most :data:`_MOST_BYTES` of the answer."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._endpoint, body, headers, method="POST")  # noqa: S310 - http(s) only
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=self._timeout) as response:
            read: bytes = response.read(_MOST_BYTES)
        return read

    def _completion(self, raw: bytes) -> str:
        """Read the text out of a completion."""
        try:
            content: Any = json.loads(raw)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise InputError("pairs.server_answer", server=self._host) from error
        if content is not None and not isinstance(content, str):
            raise InputError("pairs.server_answer", server=self._host)
        return without_thoughts(content or "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses to carry prompts and key to another address than the one that was given."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow nothing; the redirection is then reported as a refusal."""
        return


def _endpoint(address: str) -> str:
    """Complete an address to that of the chat completions."""
    typed = address.strip()
    try:
        parts = urlsplit(typed)
        sound = bool(_ADDRESS.fullmatch(typed) and parts.hostname and parts.port != 0)
    except ValueError:
        sound = False
    if not sound:
        raise InputError("pairs.server_address")
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    path = path if path.endswith("/v1") else f"{path}/v1"
    return f"{parts.scheme}://{parts.netloc}{path}/chat/completions"
