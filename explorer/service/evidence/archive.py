"""A zip that is the same, byte for byte, whenever its files are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE = 0o644 << 16


def packed(folder: str, files: Mapping[str, bytes]) -> bytes:
    """Pack files into a zip without dates, owners or the order of a dictionary.

    Args:
        folder: The one folder that all files lie in; ours, never a visitor's text.
        files: Contents by name within the folder; names are ours too.

    Returns:
        The zip.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            archive.writestr(entry, content)
    return stream.getvalue()
