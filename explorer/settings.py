"""Everything that can be configured, in one frozen record, and where each value comes from.

A value is taken from the command line, else from the environment where one is named below, else from its
default. Nothing else in the project reads flags or the environment.
"""

from __future__ import annotations

import argparse
import ipaddress
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from explorer.errors import InputError
from explorer.provenance import ACCELERATIONS, Acceleration
from explorer.texts import say

DtypeChoice = Literal["auto", "bfloat16", "float32"]
DTYPES: tuple[DtypeChoice, ...] = ("auto", "bfloat16", "float32")
ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"


@dataclass(frozen=True)
class Settings:
    """What the explorer was started with.

    Attributes:
        embedding: Embedding model: ``"bundled"``, a catalogue name, a local folder or a hub name.
        reranker: Reranker, named likewise.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or ``"mps"``.
        dtype: ``"auto"``, ``"bfloat16"`` or ``"float32"``.
        accelerate: What is done to models to make them faster or smaller: ``"none"``, ``"compile"``, ``"int8"`` or
            ``"bf16"``.
        host: Address to listen on; loopback unless said otherwise.
        port: Port to listen on.
        data_dir: Folder for uploads and whatever else is kept between runs.
        cache_gigabytes: How much of the disk computed vectors and scores may take there, in units of 10^9 bytes; 0
            keeps them in memory only.
        offline: Never ask a model hub, even when a model is missing.
        auth: Name and password that a visitor must give, or None.
        in_space: Whether this runs as a Hugging Face Space: in a frame, behind its proxy, open to everybody.
    """

    embedding: str = "bundled"
    reranker: str = "bundled"
    device: str = "auto"
    dtype: DtypeChoice = "auto"
    accelerate: Acceleration = "none"
    host: str = "127.0.0.1"
    port: int = 7860
    data_dir: Path = Path.home() / ".cache" / "qwen3-embedding-explorer"
    cache_gigabytes: float = 2.0
    offline: bool = False
    auth: tuple[str, str] | None = None
    in_space: bool = False

    def __post_init__(self) -> None:
        """Refuse combinations that are unsafe or impossible."""
        if self.dtype not in DTYPES:
            raise InputError("settings.dtype", dtype=self.dtype)
        if self.accelerate not in ACCELERATIONS:
            raise InputError("settings.accelerate", accelerate=self.accelerate)
        if not 0 <= self.port <= 65535:
            raise InputError("settings.port", port=self.port)
        if not 0 <= self.cache_gigabytes < math.inf:
            raise InputError("settings.cache_gigabytes", gigabytes=self.cache_gigabytes)

    @property
    def open_to_network(self) -> bool:
        """Whether other machines can reach the address that is listened on."""
        if self.host == "localhost":
            return False
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return True


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Read the settings from flags and environment.

    Args:
        arguments: Command line without the program's name.
        environment: Usually ``os.environ``. Read are ``EXPLORER_AUTH`` (``name:password``), and, so that the
            folder runs unchanged as a Hugging Face Space, ``SPACE_ID`` and ``GRADIO_SERVER_PORT``.

    Returns:
        The settings.

    Raises:
        InputError: A value cannot be used, or others could reach the explorer without a password.
    """
    given = _parser().parse_args(arguments)
    in_space = "SPACE_ID" in environment
    host = given.host or ("0.0.0.0" if in_space else Settings.host)  # noqa: S104 - a Space is reached through its proxy
    settings = Settings(
        embedding=given.embedding,
        reranker=given.reranker,
        device=given.device,
        dtype=cast(DtypeChoice, given.dtype),
        accelerate=cast(Acceleration, given.accelerate),
        host=host,
        port=_port(environment) if given.port is None else given.port,
        data_dir=given.data_dir.expanduser(),
        cache_gigabytes=given.cache_gigabytes,
        offline=given.offline,
        auth=_auth(given.auth or environment.get("EXPLORER_AUTH")),
        in_space=in_space,
    )
    if settings.open_to_network and settings.auth is None and not in_space:
        raise InputError("settings.open_without_auth", host=settings.host)
    return settings


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    options: dict[str, dict[str, object]] = {
        "embedding": {"default": default.embedding},
        "reranker": {"default": default.reranker},
        "device": {"default": default.device},
        "dtype": {"default": default.dtype, "choices": DTYPES},
        "accelerate": {"default": default.accelerate, "choices": ACCELERATIONS},
        "host": {"default": None},
        "port": {"default": None, "type": int},
        "data-dir": {"default": default.data_dir, "type": Path},
        "cache-gigabytes": {"default": default.cache_gigabytes, "type": float},
        "offline": {"action": "store_true"},
        "auth": {"default": None, "metavar": "NAME:PASSWORD"},
    }
    parser = argparse.ArgumentParser(prog="app.py", description=say("settings.about", "en"))
    for name, option in options.items():
        sentence = say(f"settings.help_{name.replace('-', '_')}", "en")
        parser.add_argument(f"--{name}", help=sentence, **option)  # type: ignore[arg-type]
    return parser


def _port(environment: Mapping[str, str]) -> int:
    given = environment.get("GRADIO_SERVER_PORT", str(Settings.port))
    if not given.isdecimal():
        raise InputError("settings.port", port=given)
    return int(given)


def _auth(given: str | None) -> tuple[str, str] | None:
    if not given:
        return None
    name, colon, password = given.partition(":")
    if not (name and colon and password):
        raise InputError("settings.auth")
    return name, password
