"""The Python and the HTTP call that give what is on screen, quoted so that no text can become code."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.provenance import Family, Provenance
from explorer.service.compare import Comparison
from explorer.service.rerank import Reranking
from explorer.service.workspace import Workspace

HERE_DOCUMENT = "INPUTS"
"""Ends the JSON of a shell command. No line of JSON can be this word: its strings stand in quotes."""


@dataclass(frozen=True)
class Code:
    """One result in three ways.

    Attributes:
        python: With :class:`explorer.Laboratory`, everything that the view shows.
        models: With the models alone.
        shell: With curl, in a POSIX shell.
    """

    python: str
    models: str
    shell: str


@dataclass(frozen=True)
class Origin:
    """Which models, where, and at which address.

    Attributes:
        embedding: Words that load the embedding model.
        reranker: Words that load the reranker.
        device: Device of the models, ``"auto"`` when they differ in it.
        dtype: Their number format, likewise.
        offline: Whether the page never asks a hub.
        address: Of the page, without a slash at the end.
        login: Whether the page asks for a name and a password.
    """

    embedding: str
    reranker: str
    device: str
    dtype: str
    offline: bool
    address: str
    login: bool


def origin_of(workspace: Workspace, made_by: Sequence[Provenance], address: str) -> Origin:
    """Tell how to load the models behind a result.

    Args:
        workspace: Where the models are.
        made_by: Provenance of each model that took part.
        address: Of the page, without a slash at the end.

    Returns:
        The origin. In a Space, where everybody may look, a folder of the machine is named by its model.
    """
    sources = dict(workspace.chosen)
    if workspace.settings.in_space:
        private = {made.family: made.model for made in made_by if made.weights == "other"}
        sources |= private
    devices = {made.device for made in made_by}
    dtypes = {made.dtype.partition(",")[0] for made in made_by}
    return Origin(
        embedding=sources["embedding"],
        reranker=sources["reranker"],
        device=devices.pop() if len(devices) == 1 else "auto",
        dtype=dtypes.pop() if len(dtypes) == 1 else "auto",
        offline=workspace.settings.offline,
        address=address.rstrip("/"),
        login=workspace.settings.auth is not None,
    )


def code_of(workspace: Workspace, shown: Reranking | Comparison, address: str) -> Code:
    """Write the calls that give a result.

    Args:
        workspace: Where the models are.
        shown: A ranking or a comparison.
        address: Of the page, without a slash at the end.
    """
    if isinstance(shown, Reranking):
        made_by = (shown.scores.provenance, shown.embedding)
        return rerank_code(shown, origin_of(workspace, made_by, address))
    return similarity_code(shown, origin_of(workspace, (shown.provenance,), address))


def rerank_code(shown: Reranking, origin: Origin) -> Code:
    """Write the calls that give a ranking.

    Args:
        shown: The ranking on screen.
        origin: Its models and the page's address.
    """
    template = shown.scores.template
    texts = {"query": shown.query, "documents": shown.documents, "instruction": shown.instruction}
    call = _python_call("result = laboratory.rerank", {**texts, "template": template})
    python = f"{_laboratory(origin)}{call}{_RANKED}"
    models = (
        "from explorer import load_embedder, load_reranker\n\n"
        f"{_loaded('embedding', origin)}{_loaded('reranker', origin)}"
        f"{_assigned(texts)}\n"
        f"scores = reranker.score(query, documents, instruction, template={_literal(template)})\n"
        "cosines = embedder.encode([query], instruction) @ embedder.encode(documents).T\n\n"
        'print(scores.log_odds, scores.probability, cosines[0], sep="\\n")\n'
    )
    data = [shown.query, list(shown.documents), shown.instruction, template]
    return Code(python, models, _shell(origin, "rerank", data))


def similarity_code(shown: Comparison, origin: Origin) -> Code:
    """Write the calls that give a matrix of cosines.

    Args:
        shown: The comparison on screen.
        origin: Its model and the page's address.
    """
    texts = {"queries": shown.queries, "documents": shown.documents, "instruction": shown.instruction}
    call = _python_call("result = laboratory.compare", texts)
    python = f"{_laboratory(origin)}{call}\nprint(result.query_document.round(3))\n"
    models = (
        "from explorer import load_embedder\n\n"
        f"{_loaded('embedding', origin)}{_assigned(texts)}\n"
        "cosines = embedder.encode(queries, instruction) @ embedder.encode(documents).T\n\n"
        "print(cosines.round(3))\n"
    )
    data = [list(shown.queries), list(shown.documents), shown.instruction or ""]
    return Code(python, models, _shell(origin, "similarity", data))


_RANKED = """
for index in result.movement.second_ranks.argsort():
    numbers = result.scores.log_odds[index], result.scores.probability[index], result.cosines[index]
    print("%+.2f  %.2f  %.3f  " % numbers, result.documents[index])
"""


def _laboratory(origin: Origin) -> str:
    arguments = {
        "embedding": origin.embedding,
        "reranker": origin.reranker,
        "device": origin.device,
        "dtype": origin.dtype,
    } | ({"offline": True} if origin.offline else {})
    return f"from explorer import Laboratory\n\n{_python_call('laboratory = Laboratory', arguments)}"


def _loaded(family: Family, origin: Origin) -> str:
    """Write the line that loads one model."""
    name, source = ("embedder", origin.embedding) if family == "embedding" else ("reranker", origin.reranker)
    offline = ", offline=True" if origin.offline else ""
    place = f"device={_literal(origin.device)}, dtype={_literal(origin.dtype)}{offline}"
    return f"{name} = load_{name}({_literal(source)}, {place})\n"


def _assigned(values: Mapping[str, object]) -> str:
    return "".join(f"{name} = {_literal(value)}\n" for name, value in values.items())


def _python_call(function: str, arguments: Mapping[str, object]) -> str:
    lines = "".join(
        f"    {name}={_literal(value).replace(_LINE, _LINE + '    ')},\n" for name, value in arguments.items()
    )
    return f"{function}(\n{lines})\n"


_LINE = "\n"


def _literal(value: object) -> str:
    """Write a value as Python reads it; ``repr`` escapes line ends and whatever does not show."""
    if isinstance(value, list | tuple):
        return "[\n" + "".join(f"    {item!r},\n" for item in value) + "]"
    return repr(value)


def _shell(origin: Origin, endpoint: str, data: Sequence[object]) -> str:
    """Write the two requests of an endpoint: the first sends the inputs, the second waits for the answer.

    The inputs stand in a here-document with a quoted word, in which a shell replaces nothing.
    """
    call = f"{origin.address}/gradio_api/call/{endpoint}"
    cookies = " --cookie cookies.txt" if origin.login else ""
    login = (
        "# Log in once; this keeps the login in cookies.txt:\n"
        f"curl -s --cookie-jar cookies.txt --form username=NAME --form password=PASSWORD "
        f"{shlex.quote(origin.address + '/login')}\n"
        if origin.login
        else ""
    )
    return (
        f"{login}curl -s{cookies} --header 'Content-Type: application/json' --data-binary @- \\\n"
        f"  {shlex.quote(call)} <<'{HERE_DOCUMENT}' \\\n"
        '  | sed \'s/.*"event_id" *: *"\\([^"]*\\)".*/\\1/\' \\\n'
        f"  | xargs -I EVENT curl -sN{cookies} {shlex.quote(call)}/EVENT\n"
        f"{_json({'data': data})}\n{HERE_DOCUMENT}\n"
    )


def _json(value: object) -> str:
    """Write JSON that shows every character which shows, and escapes the others."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)
