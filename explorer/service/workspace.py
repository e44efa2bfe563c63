"""What every job needs at hand: the settings, the loaded models, the caches and the projects."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Generator, Iterable
from typing import Never, TypeVar, cast

from explorer.analysis.projection import warm_up
from explorer.corpus.project import ProjectShelf
from explorer.engine.embedder import Embedder
from explorer.engine.reranker import Reranker
from explorer.engine.store.cache import VectorCache
from explorer.engine.store.vector_store import VectorStore
from explorer.errors import ExplorerError, InputError, ModelLoadError
from explorer.models.loading import LoadedModel
from explorer.models.shelf import Shelf
from explorer.progress import CancelToken, Progress
from explorer.provenance import Family
from explorer.service.training_desk import TrainingDesk
from explorer.service.training_request import limits_of
from explorer.settings import Settings

Result = TypeVar("Result")

POLL_SECONDS = 0.1

PATIENCE_SECONDS = 20.0
"""How long the end of the program waits for a loading to notice."""

_ENGINES: dict[Family, type[Embedder] | type[Reranker]] = {"embedding": Embedder, "reranker": Reranker}
"""What runs a model; the first of a model measures its pack size."""

log = logging.getLogger("explorer")


def finished(job: Iterable[Progress[Result]]) -> Result:
    """Run a job to its end, for whoever does not watch its progress.

    Args:
        job: Steps, the last with the result.

    Returns:
        The result.
    """
    result: Result | None = None
    for step in job:
        result = step.partial if step.partial is not None else result
    if result is None:
        raise RuntimeError("the job ended without a result")
    return result


def waited_for(loading: Generator[Progress[Never], None, Result]) -> Result:
    """Wait for a model, for whoever does not watch its loading.

    Args:
        loading: From :meth:`Workspace.embedder` or :meth:`Workspace.reranker`.

    Returns:
        The model.
    """
    while True:
        try:
            next(loading)
        except StopIteration as end:
            return cast(Result, end.value)


def result_store(settings: Settings) -> VectorStore | None:
    """Give the store that keeps results between runs, not opened yet.

    In a Space everybody shares one machine. How fast an answer comes tells a visitor whether anybody had the same text
    computed before; kept on the disk, results would tell that for months. There they are kept in memory only, until
    they are displaced or the Space sleeps. Whoever may use an explorer with a login shares that login.

    Args:
        settings: What the explorer was started with.

    Returns:
        The store, or None for memory only.
    """
    if settings.in_space or settings.cache_gigabytes == 0:
        return None
    return VectorStore(settings.data_dir / "results.sqlite", round(settings.cache_gigabytes * 1e9))


class Workspace:
    """The settings, the loaded models, the caches, the projects and the training of one running explorer.

    ``chosen`` names, by family, what was last loaded, in words that load it again.

    The models that the settings name are loaded in the background, once, on :meth:`start` or on first use.

    Args:
        settings: What the explorer was started with.
    """

    def __init__(self, settings: Settings) -> None:
        """Load nothing yet."""
        self.settings = settings
        self.shelf = Shelf(accelerate=settings.accelerate)
        self.projects = ProjectShelf()
        self.cache = VectorCache(store=result_store(settings))
        self.training = TrainingDesk(settings.data_dir / "training", settings.device, limits_of(settings))
        self.chosen: dict[Family, str] = {"embedding": settings.embedding, "reranker": settings.reranker}
        self._starting = threading.Lock()
        self._first_load: dict[Family, _FirstLoad] = {}

    def start(self) -> None:
        """Begin to load the models that the settings name, the embedding model first."""
        with self._starting:
            if self._first_load:
                return
            wanted: dict[Family, str] = {
                "embedding": self.settings.embedding,
                "reranker": self.settings.reranker,
            }
            self._first_load = {family: _FirstLoad(family, source) for family, source in wanted.items()}
        given_up = CancelToken()
        loading = threading.Thread(target=self._load_first, args=(given_up,), name="first-load", daemon=True)
        loading.start()
        atexit.register(_give_up, given_up, loading)

    def warm_up(self) -> None:
        """Load the models, then compile the map's layout, so that the first visitor waits for neither."""
        self.start()
        for load in self._first_load.values():
            load.over.wait()
        warm_up()

    @property
    def loading(self) -> bool:
        """Whether the models that the settings name are still on their way."""
        return any(not load.over.is_set() for load in self._first_load.values())

    def embedding_fingerprint(self) -> str | None:
        """Tell which embedding model answers; None while the bundled one is being loaded."""
        loaded = self.shelf.embedder
        if loaded is not None:
            return loaded.provenance.fingerprint
        return (
            None if self.settings.embedding == Settings.embedding and not self._settled("embedding") else ""
        )

    def embedder(self) -> Generator[Progress[Never], None, Embedder]:
        """Wait for the embedding model.

        Yields:
            How far its loading has come.

        Returns:
            The model.

        Raises:
            ExplorerError: It could not be loaded, or was unloaded.
        """
        return Embedder((yield from self._loaded("embedding")), self.cache)

    def reranker(self) -> Generator[Progress[Never], None, Reranker]:
        """Wait for the reranker.

        Yields:
            How far its loading has come.

        Returns:
            The model.

        Raises:
            ExplorerError: It could not be loaded, or was unloaded.
        """
        return Reranker((yield from self._loaded("reranker")), self.cache)

    def swap(
        self, family: Family, source: str, device: str, dtype: str, cancel: CancelToken | None = None
    ) -> Generator[Progress[LoadedModel], None, None]:
        """Load a model in place of the one of its family, and measure how it runs best on its device.

        Args:
            family: ``"embedding"`` or ``"reranker"``.
            source: ``"bundled"``, a catalogue name, a local folder or a hub repository.
            device: A device or ``"auto"``.
            dtype: A number format or ``"auto"``.
            cancel: Stops between two tensors; the old model stays.

        Yields:
            Steps in bytes; the last carries the loaded model.

        Raises:
            ExplorerError: It could not be loaded; see :meth:`explorer.models.shelf.Shelf.swap`.
        """
        offline = self.settings.offline
        for step in self.shelf.swap(family, source, device, dtype, offline=offline, cancel=cancel):
            if step.partial is not None:
                _ENGINES[family](step.partial, self.cache)
            yield step

    def _settled(self, family: Family) -> bool:
        return family in self._first_load and self._first_load[family].over.is_set()

    def _loaded(self, family: Family) -> Generator[Progress[Never], None, LoadedModel]:
        self.start()
        load = self._first_load[family]
        while not load.over.is_set() and self.shelf.get(family) is None:
            yield load.step
            time.sleep(POLL_SECONDS)
        loaded = self.shelf.get(family)
        if loaded is not None:
            load.error = None
            return loaded
        raise load.error or InputError("service.not_loaded")

    def _load_first(self, given_up: CancelToken) -> None:
        for load in self._first_load.values():
            try:
                for step in self.swap(
                    load.family, load.source, self.settings.device, self.settings.dtype, given_up
                ):
                    load.step = Progress(step.done, step.total, step.stage)
            except ExplorerError as error:
                if not given_up.cancelled:
                    log.error("%s", error)
                load.error = error
            except Exception:
                log.exception("the first %s model could not be loaded", load.family)
                load.error = ModelLoadError("service.first_load_failed", model=load.source)
            finally:
                load.over.set()


def _give_up(token: CancelToken, loading: threading.Thread) -> None:
    """End a loading before the interpreter ends: a thread that is stopped within torch aborts the process."""
    token.cancel()
    loading.join(PATIENCE_SECONDS)


class _FirstLoad:
    """How far the loading of one model has come."""

    def __init__(self, family: Family, source: str) -> None:
        self.family = family
        self.source = source
        self.step: Progress[Never] = Progress(0, 0, "service.stage_loading")
        self.error: ExplorerError | None = None
        self.over = threading.Event()
