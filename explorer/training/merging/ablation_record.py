"""The figures of an ablation on the disk, so that a finished row is never trained again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from explorer.errors import InputError
from explorer.training.pairs.files import write_whole
from explorer.training.quality.embedding import Quality

FILE = "ablation.json"


class Record:
    """What is finished.

    Attributes:
        before: Quality of the base.
        rows: Quality of each finished row by its name.
    """

    def __init__(
        self, path: Path, facts: Mapping[str, Any], before: Quality, rows: dict[str, Quality]
    ) -> None:
        """Take what is known."""
        self.before, self.rows = before, rows
        self._path, self._facts = path, facts

    def add(self, name: str, quality: Quality) -> None:
        """Note a row and write the file anew; the old file stays until the new one is whole.

        Args:
            name: The row.
            quality: Its figures.

        Raises:
            InputError: The file cannot be written.
        """
        self.rows[name] = quality
        self.write()

    def write(self) -> None:
        """Write the file.

        Raises:
            InputError: It cannot be written.
        """
        content = {
            "facts": self._facts,
            "before": dataclasses.asdict(self.before),
            "rows": {name: dataclasses.asdict(quality) for name, quality in self.rows.items()},
        }
        write_whole(self._path, [json.dumps(content, ensure_ascii=False, indent=1)])


def open_record(folder: Path, facts: Mapping[str, Any], measure: Callable[[], Quality]) -> Record:
    """Read an ablation's figures, or begin with those of the base.

    Args:
        folder: The ablation's folder.
        facts: What it is made from, as JSON values by name.
        measure: Measures the base; called for a new ablation only.

    Returns:
        The record, which is on the disk.

    Raises:
        InputError: The folder holds an ablation of other pairs, plans or texts, or a file that cannot be read.
    """
    path, known = folder / FILE, json.loads(json.dumps(facts))
    if not path.exists():
        record = Record(path, known, measure(), {})
        record.write()
        return record
    try:
        content = json.loads(path.read_text("utf-8"))
        found = content["facts"]
        before, rows = _quality(content["before"]), {n: _quality(q) for n, q in content["rows"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("merging.ablation_damaged", file=path.name) from error
    different = sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name))
    if different:
        raise InputError("merging.other_ablation", folder=folder.name, names=", ".join(different))
    return Record(path, known, before, rows)


def _quality(values: dict[str, Any]) -> Quality:
    """Read figures, whose dimensions JSON has turned into texts."""
    numbered: dict[str, Any] = {
        name: {int(size): float(value) for size, value in entry.items()} if isinstance(entry, dict) else entry
        for name, entry in values.items()
    }
    return Quality(**numbered)
