"""What the endpoints refuse: one clear sentence, before the model has read anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from explorer.service.limits import LIMITS
from explorer.service.workspace import Workspace

TEXTS = ["How long do fresh eggs keep?", "Owls hunt at night."]
UNEXPECTED = "Something went wrong"
MOST = LIMITS.compared_texts


@pytest.fixture
def nothing_computed(client: Client, workspace: Workspace) -> Iterator[None]:
    """Fail when a test leaves a new vector or score behind."""
    client.predict("query", TEXTS, api_name="/rerank")
    finished = len(workspace.cache)
    yield
    assert len(workspace.cache) == finished, "something was computed for a request that was refused"


def refusal(client: Client, endpoint: str, *arguments: Any) -> str:
    with pytest.raises(AppError) as refused:
        client.predict(*arguments, api_name=endpoint)
    sentence = str(refused.value)
    assert UNEXPECTED not in sentence and "Traceback" not in sentence
    assert sentence.count("\n") == 0 and sentence.endswith("."), sentence
    return sentence


def numbered(count: int, of: str) -> list[str]:
    return [f"{of} {number}" for number in range(count)]


def test_as_many_texts_as_allowed_are_compared_and_embedded(client: Client) -> None:
    answer = client.predict(numbered(MOST, "query"), numbered(MOST, "text"), api_name="/similarity")
    assert len(answer["query_document"]) == len(answer["document_document"]) == MOST
    assert len(client.predict(numbered(MOST, "text"), api_name="/embed")["vectors"]) == MOST


def test_the_longest_text_and_instruction_are_accepted(client: Client) -> None:
    assert client.predict(["x" * LIMITS.characters], api_name="/embed")["vectors"]
    longest = "i" * LIMITS.instruction_characters
    assert client.predict(["text"], longest, api_name="/embed")["vectors"]
    assert client.predict("query", TEXTS, longest, api_name="/rerank")["instruction"] == longest
    assert client.predict(["query"], TEXTS, longest, api_name="/similarity")["query_document"]


TOO_MANY = numbered(MOST + 1, "beyond")
TOO_LONG = "y" * (LIMITS.characters + 1)
LONG_INSTRUCTION = "j" * (LIMITS.instruction_characters + 1)


@pytest.mark.parametrize(
    ("endpoint", "arguments", "said"),
    [
        ("/embed", (TOO_MANY,), "301 texts"),
        ("/embed", (["new one", TOO_LONG],), "100,001 characters"),
        ("/embed", (["new two"], LONG_INSTRUCTION), "2,001 characters"),
        ("/embed", (["new three"], "", -1), "imension"),
        ("/embed", (["new four"], "", 100_000), "imension"),
        ("/similarity", (TOO_MANY, ["new five"]), "301 texts"),
        ("/similarity", (["new six"], TOO_MANY), "301 texts"),
        ("/similarity", ([TOO_LONG], ["new seven"]), "100,001 characters"),
        ("/similarity", (["new eight"], ["new nine"], LONG_INSTRUCTION), "2,001 characters"),
        ("/similarity", ([], ["new ten"]), "no queries"),
        ("/similarity", (["new eleven"], []), "no documents"),
        ("/rerank", ("new twelve", TOO_MANY), "301 texts"),
        ("/rerank", ("new thirteen", TEXTS, LONG_INSTRUCTION), "2,001 characters"),
        ("/rerank", ("new fourteen", TEXTS, "", "nonsense"), "model_card or evaluation"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("nothing_computed")
def test_what_is_beyond_a_limit_is_refused_before_anything_is_computed(
    client: Client, endpoint: str, arguments: tuple[Any, ...], said: str
) -> None:
    assert said in refusal(client, endpoint, *arguments)


@pytest.mark.parametrize(
    ("endpoint", "arguments"),
    [
        ("/embed", ("hello",)),
        ("/embed", ({"a": 1},)),
        ("/embed", ([1, 2],)),
        ("/embed", ([None],)),
        ("/embed", ([["nested"]],)),
        ("/embed", (7,)),
        ("/embed", (None,)),
        ("/embed", (["wrong one"], 7)),
        ("/embed", (["wrong two"], ["search"])),
        ("/embed", (["wrong three"], "", "8")),
        ("/embed", (["wrong four"], "", 8.5)),
        ("/embed", (["wrong five"], "", True)),
        ("/similarity", ("hello", ["wrong six"])),
        ("/similarity", (["wrong seven"], "hello")),
        ("/similarity", (["wrong eight"], [1, 2])),
        ("/rerank", (7, ["wrong nine"])),
        ("/rerank", (None, ["wrong ten"])),
        ("/rerank", (["wrong eleven"], ["wrong twelve"])),
        ("/rerank", ("wrong thirteen", "hello")),
        ("/rerank", ("wrong fourteen", [None])),
        ("/rerank", ("wrong fifteen", TEXTS, "", 3)),
    ],
    ids=str,
)
@pytest.mark.usefixtures("nothing_computed")
def test_what_is_of_the_wrong_type_is_refused_in_one_sentence(
    client: Client, endpoint: str, arguments: tuple[Any, ...]
) -> None:
    refusal(client, endpoint, *arguments)
