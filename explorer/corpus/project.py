"""Corpora that are being looked at, with what was computed for them, kept within a fixed amount of memory.

A visitor's page holds only a project's name; the arrays stay here. The least recently used project leaves first.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.corpus.corpus import Corpus
from explorer.errors import InputError
from explorer.notices import Notice
from explorer.provenance import Provenance

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Project:
    """A corpus with its vectors, its true neighbours and its layout; row i of each array is document i.

    Attributes:
        corpus: The documents and their columns.
        vectors: Unit rows, float32 [n, d].
        neighbors: Indices of the nearest documents by cosine, the document itself first, int32 [n, k].
        cosines: The cosines of those neighbours, float32 [n, k].
        coordinates: Place of each document on the map, float32 [n, 2 or 3].
        provenance: The model that made the vectors.
        notices: What a reader should know about the picture.
    """

    corpus: Corpus
    vectors: Floats
    neighbors: Integers
    cosines: Floats
    coordinates: Floats
    provenance: Provenance
    notices: tuple[Notice, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the arrays and the columns; the texts are one of the columns."""
        arrays = (self.vectors, self.neighbors, self.cosines, self.coordinates)
        columns = self.corpus.columns.memory_usage(index=False, deep=True)
        return sum(array.nbytes for array in arrays) + int(columns.sum())


class ProjectShelf:
    """Projects by name, safe to use from several threads.

    Args:
        capacity: Bytes that all projects together may take. The newest is always kept.
    """

    def __init__(self, capacity: int = 2_000_000_000) -> None:
        """Start empty."""
        self._capacity = capacity
        self._projects: OrderedDict[str, tuple[Project, int]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, project: Project, name: str | None = None) -> str:
        """Keep a project, and let the least recently used ones go when there is no room.

        Args:
            project: What to keep.
            name: Name to keep it under; a fresh name that nobody can guess when None.

        Returns:
            The name.
        """
        chosen = name or secrets.token_urlsafe(16)
        size = project.size
        with self._lock:
            self._projects[chosen] = (project, size)
            self._projects.move_to_end(chosen)
            while (
                len(self._projects) > 1 and sum(kept for _, kept in self._projects.values()) > self._capacity
            ):
                self._projects.popitem(last=False)
        return chosen

    def get(self, name: str) -> Project:
        """Find a project.

        Args:
            name: As returned by :meth:`keep`.

        Returns:
            The project.

        Raises:
            InputError: It has left the memory, or never was there.
        """
        with self._lock:
            if name not in self._projects:
                raise InputError("service.project_gone")
            self._projects.move_to_end(name)
            return self._projects[name][0]

    def __contains__(self, name: str) -> bool:
        """Whether a project is still kept."""
        with self._lock:
            return name in self._projects
