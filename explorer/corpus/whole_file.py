"""Files that are never half written: whole, and on the disk, whenever they are there under their own name."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from explorer.errors import InputError

_UNFINISHED = ".unfinished-"


@contextlib.contextmanager
def whole_path(place: Path, folder: Path) -> Iterator[Path]:
    """Let a file be written under another name, and give it its own once it is on the disk.

    Args:
        place: The file.
        folder: Where it is written, on the same disk.

    Yields:
        The name to write to.

    Raises:
        InputError: The disk is full, or the file cannot be written; what stood there before still does.
    """
    unfinished = folder / f"{_UNFINISHED}{secrets.token_hex(4)}"
    try:
        yield unfinished
        _flush(unfinished)
        unfinished.replace(place)
        _flush(place.parent)
    except OSError as error:
        raise unwritable(place, error) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed run was writing.

    Args:
        folder: The folder that was given to :func:`whole_path`.
    """
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        leftover.unlink(missing_ok=True)


def unwritable(place: Path, error: OSError) -> InputError:
    """Say why a file could not be written.

    Args:
        place: The file.
        error: What the system said.

    Returns:
        The error to raise.
    """
    if error.errno == errno.ENOSPC:
        return InputError("embed_corpus.disk_full", file=place.name)
    return InputError("embed_corpus.not_written", file=place.name, reason=error.strerror or str(error))


def _flush(path: Path) -> None:
    """Make sure that a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
