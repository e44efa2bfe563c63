"""Downloads report bytes, can be stopped, fetch nothing but what is allowed, and fail with a cure."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled
from tiny_models import TinyModel, write_model

from explorer.errors import Cancelled, ModelLoadError
from explorer.models import download
from explorer.models.download import fetch
from explorer.progress import CancelToken

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CHUNK = 10_000


class FakeHub:
    """A hub with one repository, answering as the client does."""

    def __init__(self, remote: Path, cache: Path) -> None:
        self.remote, self.snapshot = remote, cache / "snapshots" / COMMIT
        self.fetched: list[str] = []
        self.failure: Exception | None = None

    def snapshot_download(self, repository: str, **options: object) -> object:
        if options.get("local_files_only"):
            raise LocalEntryNotFoundError("not cached")
        if self.failure:
            raise self.failure
        patterns = options["allow_patterns"]
        return [
            SimpleNamespace(
                filename=str(path.relative_to(self.remote)),
                file_size=path.stat().st_size,
                is_cached=False,
                commit_hash=COMMIT,
            )
            for path in sorted(self.remote.rglob("*"))
            if path.is_file() and any(path.match(pattern) for pattern in patterns)
        ]

    def hf_hub_download(self, repository: str, filename: str, revision: str, tqdm_class: Callable) -> str:
        self.fetched.append(filename)
        source, target = self.remote / filename, self.snapshot / filename
        size = source.stat().st_size
        bar = tqdm_class(total=size, initial=0, unit="B", desc=filename)
        for start in range(0, size, CHUNK):
            bar.update(min(CHUNK, size - start))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        return str(target)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    remote = write_model(tmp_path / "remote", TinyModel(shards=2))
    (remote / "pytorch_model.bin").write_bytes(b"pickle")
    (remote / "modeling_evil.py").write_text("raise SystemExit")
    (remote / "1_Dense").mkdir()
    (remote / "1_Dense" / "model.safetensors").write_bytes(b"x")
    fake = FakeHub(remote, tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fake.hf_hub_download)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return fake


def test_bytes_are_reported_to_the_end_and_only_allowed_files_come(hub: FakeHub) -> None:
    seen: list[tuple[int, int]] = []
    folder = fetch("somebody/tiny", COMMIT, progress=lambda done, total: seen.append((done, total)))
    assert folder == hub.snapshot
    expected = {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors.index.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    }
    assert set(hub.fetched) == expected == {path.name for path in folder.iterdir()}
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (total, total)
    assert len(seen) > total / CHUNK


def test_a_download_can_be_stopped_between_chunks(hub: FakeHub) -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        fetch(
            "somebody/tiny", COMMIT, progress=lambda done, _: done > CHUNK and cancel.cancel(), cancel=cancel
        )
    assert hub.fetched == ["config.json", "model-00001-of-00002.safetensors"]
    assert [path.name for path in hub.snapshot.iterdir()] == ["config.json"]


def test_a_full_disk_is_noticed_before_and_during(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(download.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
        with pytest.raises(ModelLoadError) as caught:
            fetch("somebody/tiny", COMMIT)
    assert caught.value.key == "models.disk_full"
    assert hub.fetched == []

    def no_space(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", no_space)
    with pytest.raises(ModelLoadError) as caught:
        fetch("somebody/tiny", COMMIT)
    assert caught.value.key == "models.disk_full"


@pytest.mark.parametrize(
    ("failure", "key"),
    [
        (OfflineModeIsEnabled("offline"), "models.offline_not_cached"),
        (ConnectionError("no route"), "models.download_failed"),
        (TimeoutError("slow"), "models.download_failed"),
    ],
)
def test_a_failed_download_says_what_to_do(hub: FakeHub, failure: Exception, key: str) -> None:
    hub.failure = failure
    with pytest.raises(ModelLoadError) as caught:
        fetch("somebody/tiny", COMMIT)
    assert caught.value.key == key
