"""A drawing as PNG, in the one font that Pillow carries."""

from __future__ import annotations

import io
import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from explorer.service.evidence.pictures.drawing import PAPER, Drawing, Label, Mark, Pixels

SCALE = 2
"""Pixels of the file for each of the drawing's."""

_SMOOTHED_PIXELS = 20_000_000
"""Pillow's lines have stairs: pictures of up to so many pixels are drawn at twice the size and made smaller."""

_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_SPELLED = str.maketrans({"−": "-", "–": "-", "—": "-", "×": "x"})


def png(drawing: Drawing) -> bytes:
    """Write a drawing as PNG.

    Args:
        drawing: The picture.

    Returns:
        A file without dates. Labels whose letters the font lacks are written in English, or left out.
    """
    width, height = round(drawing.width * SCALE), round(drawing.height * SCALE)
    smooth = 2 if width * height * 4 <= _SMOOTHED_PIXELS else 1
    image = Image.new("RGB", (width * smooth, height * smooth), PAPER)
    pen = ImageDraw.Draw(image)
    for mark in drawing.marks:
        _draw(image, pen, mark, SCALE * smooth)
    return _file(image.reduce(smooth) if smooth > 1 else image)


def pixels_png(colours: npt.NDArray[np.uint8]) -> bytes:
    """Write a matrix of colours as PNG, one pixel a cell.

    Args:
        colours: uint8 [rows, columns, 3].

    Returns:
        The file.
    """
    return _file(Image.fromarray(colours))


def drawable(text: str) -> str | None:
    """Write a text in the letters that the font has.

    Args:
        text: Any text.

    Returns:
        The text, its accents dropped; None when it needs letters that are not there.
    """
    apart = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    letters = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return letters if letters.isascii() and letters.isprintable() else None


def _draw(image: Image.Image, pen: ImageDraw.ImageDraw, mark: Mark, scale: int) -> None:
    if isinstance(mark, Label):
        letters = drawable(mark.text)
        font = _font(mark.size * scale)
        place = (mark.x * scale, mark.y * scale)
        said = mark.plain if letters is None else letters
        pen.text(place, said, mark.colour, font, _ANCHORS[mark.anchor])
    elif isinstance(mark, Pixels):
        left, top = round(mark.x * scale), round(mark.y * scale)
        size = (round(mark.width * scale), round(mark.height * scale))
        image.paste(Image.fromarray(mark.colours).resize(size, Image.Resampling.NEAREST), (left, top))
    else:
        points = [(x * scale, y * scale) for x, y in mark.points]
        if mark.width:
            pen.line(points, mark.colour, max(1, round(mark.width * scale)), "curve")
        else:
            pen.polygon(points, mark.colour)


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _file(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=False)
    return stream.getvalue()
