from __future__ import annotations

from pathlib import Path

import pytest

from explorer.errors import InputError
from explorer.settings import Settings, parse_settings


def test_without_flags_only_this_machine_can_reach_the_explorer() -> None:
    settings = parse_settings([], {})
    assert settings == Settings()
    assert settings.host == "127.0.0.1"
    assert not settings.open_to_network


def test_every_flag_arrives(tmp_path: Path) -> None:
    flags = [
        "--embedding",
        "0.6B",
        "--reranker",
        "4B",
        "--device",
        "cuda:1",
        "--dtype",
        "bfloat16",
        "--port",
        "80",
    ]
    flags += ["--data-dir", str(tmp_path), "--cache-gigabytes", "0.5", "--offline"]
    settings = parse_settings(flags, {})
    assert (settings.embedding, settings.reranker, settings.device) == ("0.6B", "4B", "cuda:1")
    assert (settings.dtype, settings.port, settings.data_dir, settings.offline) == (
        "bfloat16",
        80,
        tmp_path,
        True,
    )
    assert settings.cache_gigabytes == 0.5


@pytest.mark.parametrize("gigabytes", ["-1", "nan", "inf"])
def test_an_impossible_amount_of_results_is_refused(gigabytes: str) -> None:
    with pytest.raises(InputError, match="memory only"):
        parse_settings(["--cache-gigabytes", gigabytes], {})


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.org"])
def test_other_machines_are_let_in_only_with_a_password(host: str) -> None:
    with pytest.raises(InputError, match="--auth"):
        parse_settings(["--host", host], {})
    assert parse_settings(["--host", host, "--auth", "ann:secret"], {}).auth == ("ann", "secret")
    assert parse_settings(["--host", host], {"EXPLORER_AUTH": "ann:se:cret"}).auth == ("ann", "se:cret")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_loopback_needs_no_password(host: str) -> None:
    assert parse_settings(["--host", host], {}).auth is None


@pytest.mark.parametrize("login", ["ann", ":secret", "ann:"])
def test_half_a_login_is_refused(login: str) -> None:
    with pytest.raises(InputError, match="NAME:PASSWORD"):
        parse_settings(["--auth", login], {})


def test_float16_is_never_offered() -> None:
    with pytest.raises(SystemExit):
        parse_settings(["--dtype", "float16"], {})
    with pytest.raises(InputError, match="float16 overflows"):
        Settings(dtype="float16")  # type: ignore[arg-type]


def test_a_space_listens_behind_its_proxy() -> None:
    settings = parse_settings([], {"SPACE_ID": "someone/explorer", "GRADIO_SERVER_PORT": "7861"})
    assert (settings.host, settings.port) == ("0.0.0.0", 7861)
