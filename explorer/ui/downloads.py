"""Files that a visitor may take away."""

from __future__ import annotations

import secrets
from pathlib import Path

from gradio.utils import get_upload_folder


def stored(content: bytes, name: str) -> str:
    """Keep a file where gradio serves files from, under a folder that nobody can guess.

    Args:
        content: The file's bytes.
        name: What the visitor's browser calls it; ours, never a visitor's.

    Returns:
        Its path.
    """
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    path = folder / name
    path.write_bytes(content)
    return str(path)
