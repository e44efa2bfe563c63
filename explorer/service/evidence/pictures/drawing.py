"""What a picture is made of, before it is written in any format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Anchor = Literal["start", "middle", "end"]
Colour = str
"""``#rrggbb``."""

INK: Colour = "#1c2330"
QUIET: Colour = "#5a6475"
GRID: Colour = "#d9dee6"
PAPER: Colour = "#ffffff"
ROSE: Colour = "#b35900"
FELL: Colour = "#1f6fb2"
STAYED: Colour = "#7d8798"

_CIVIDIS = (
    (0x00, 0x22, 0x4E),
    (0x12, 0x35, 0x70),
    (0x3B, 0x49, 0x6C),
    (0x57, 0x5D, 0x6D),
    (0x70, 0x71, 0x73),
    (0x8A, 0x86, 0x78),
    (0xA5, 0x9C, 0x74),
    (0xC3, 0xB3, 0x69),
    (0xE1, 0xCC, 0x55),
    (0xFE, 0xE8, 0x38),
)
# Nunez, Anderton and Renslow (2018), "Optimizing colormaps with consideration for color vision deficiency".

HEADING = 42.0
"""Height of the title, which a page writes as its own heading instead."""
FOOT = 30.0
"""Height of the line that says where the numbers come from."""


@dataclass(frozen=True)
class Shape:
    """A filled polygon, or a line through points when ``width`` is above 0.

    Attributes:
        points: Corners, in pixels from the top left.
        colour: Of the line or the filling.
        width: Of the line; 0 to fill.
        title: What a reader is told who points at it, in a full sentence.
    """

    points: tuple[tuple[float, float], ...]
    colour: Colour
    width: float = 0.0
    title: str = ""


@dataclass(frozen=True)
class Label:
    """One line of text.

    Attributes:
        x: Where it is anchored.
        y: Its base line.
        text: What it says.
        plain: The same in English letters, for formats that carry no font of their own; empty to leave it out there.
        size: Height in pixels.
        anchor: Which end of it stands at ``x``.
        colour: Of the letters.
    """

    x: float
    y: float
    text: str
    plain: str = ""
    size: float = 13.0
    anchor: Anchor = "start"
    colour: Colour = INK


@dataclass(frozen=True)
class Pixels:
    """A matrix of colours, for matrices too large for a shape in each cell.

    Attributes:
        x: Left edge.
        y: Top edge.
        width: Over all columns.
        height: Over all rows.
        colours: uint8 [rows, columns, 3].
    """

    x: float
    y: float
    width: float
    height: float
    colours: npt.NDArray[np.uint8]


Mark = Shape | Label | Pixels


@dataclass(frozen=True)
class Drawing:
    """A picture with its title and the numbers behind it.

    Attributes:
        title: The finding.
        caption: Where the numbers come from.
        width: In pixels.
        height: In pixels.
        marks: What is drawn, later ones on top.
        columns: Names of the table's columns.
        rows: The table, for whoever cannot see the picture.
    """

    title: str
    caption: str
    width: float
    height: float
    marks: tuple[Mark, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def box(x: float, y: float, width: float, height: float, colour: Colour, title: str = "") -> Shape:
    """Draw a filled rectangle.

    Args:
        x: Left edge.
        y: Top edge.
        width: To the right.
        height: Downwards.
        colour: Of the filling.
        title: What a reader is told who points at it.
    """
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    return Shape(corners, colour, title=title)


def cividis(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Colour numbers by a sequential scale that readers with any colour vision see alike.

    Args:
        values: From 0 to 1, float32 [...].

    Returns:
        uint8 [..., 3].
    """
    stops = np.linspace(0, 1, len(_CIVIDIS))
    channels = [np.interp(values, stops, [stop[channel] for stop in _CIVIDIS]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def colour_of(rgb: Sequence[int] | npt.NDArray[np.uint8]) -> Colour:
    """Write three channels from 0 to 255 as a colour."""
    return "#" + "".join(f"{int(channel):02x}" for channel in rgb)


def legible_on(rgb: npt.NDArray[np.uint8]) -> Colour:
    """Choose black or white letters, whichever stand out more (WCAG 2.2, relative luminance).

    Args:
        rgb: The ground, uint8 [3].

    Returns:
        A colour whose contrast is at least 4.5:1 on every ground.
    """
    shares = rgb / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return "#000000" if float(linear @ (0.2126, 0.7152, 0.0722)) > 0.179 else "#ffffff"


def written(value: float, digits: int) -> str:
    """Write a number with a minus as long as a plus, and no sign before zero.

    Args:
        value: The number.
        digits: Decimals.
    """
    rounded = round(value, digits) + 0.0
    return f"{rounded:.{digits}f}".replace("-", "−")
