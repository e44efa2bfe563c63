"""A language model behind an OpenAI-compatible server, whose address the person gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from explorer.engine.in_flight import in_order
from explorer.engine.server import Answer, Server
from explorer.errors import InputError
from explorer.training.synthesis.answers import without_thoughts

_PATH = "/v1/chat/completions"
_FIELD_REFUSED = (400, 422)


class ServerModel:
    """Answers prompts through ``/v1/chat/completions``.

    Args:
        address: Base address, with or without ``/v1`` at its end, for instance ``"http://localhost:8000/v1"``.
        model: Name under which the server knows the model.
        key: Sent as a bearer token when not empty; see :func:`explorer.engine.server.server_key`.
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
        self.model = model
        self._server = Server(address, key, timeout=timeout, tries=tries, wait=wait)
        self._temperature = temperature
        self._parallel = parallel
        self._takes_template_settings = True

    def generate(self, prompts: Sequence[str], longest: int, seed: int) -> list[str]:
        """Answer each prompt; see :class:`TextGenerator`.

        Raises:
            InputError: The server cannot be reached, refuses, or answers something else than a completion.
        """
        numbered = ((prompt, seed + index) for index, prompt in enumerate(prompts))
        return list(in_order(numbered, lambda one: self._answer(one[0], longest, one[1]), self._parallel))

    def _answer(self, prompt: str, longest: int, seed: int) -> str:
        """Send one prompt, again without the template's settings when the server refuses them."""
        templated = self._takes_template_settings
        answer = self._server.send(_PATH, self._body(prompt, longest, seed, templated))
        if templated and answer.status in _FIELD_REFUSED:
            templated = False
            answer = self._server.send(_PATH, self._body(prompt, longest, seed, templated))
        if answer.status != 200:
            raise self._server.refusal(answer)
        self._takes_template_settings = templated
        return self._completion(answer)

    def _body(self, prompt: str, longest: int, seed: int, templated: bool) -> dict[str, object]:
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
        return body

    def _completion(self, answer: Answer) -> str:
        """Read the text out of a completion."""
        try:
            content = answer.value["choices"][0]["message"]["content"]
        except (LookupError, TypeError) as error:
            raise InputError("pairs.server_answer", server=self._server.host) from error
        if content is not None and not isinstance(content, str):
            raise InputError("pairs.server_answer", server=self._server.host)
        return without_thoughts(content or "")
