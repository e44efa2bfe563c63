"""A drawing as SVG 1.1 that stands alone."""

from __future__ import annotations

import base64
import re
from html import escape

from explorer.service.evidence.pictures.drawing import (
    FOOT,
    HEADING,
    PAPER,
    Drawing,
    Label,
    Mark,
    Pixels,
    Shape,
)
from explorer.service.evidence.pictures.png import pixels_png

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) allows in no document, not even escaped."""


def svg(drawing: Drawing, *, alone: bool = True) -> str:
    """Write a drawing as SVG.

    Args:
        drawing: The picture.
        alone: Whether it is a file of its own, rather than a part of a page that writes title and caption itself.

    Returns:
        Markup in which every text is escaped.
    """
    top, height = (0.0, drawing.height) if alone else (HEADING, drawing.height - HEADING - FOOT)
    size = f'width="{_number(drawing.width)}" height="{_number(height)}"'
    view = f'viewBox="0 {_number(top)} {_number(drawing.width)} {_number(height)}"'
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' if alone else ""
    marks = "\n".join(_mark(mark) for mark in drawing.marks)
    return (
        f'{head}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size} {view} '
        f'role="img" font-family="system-ui, sans-serif">\n<title>{text(drawing.title)}</title>\n'
        f"<desc>{text(drawing.caption)}</desc>\n"
        f'<rect width="100%" height="{_number(drawing.height)}" fill="{PAPER}"/>\n{marks}\n</svg>\n'
    )


def text(content: str) -> str:
    """Escape a text for XML and HTML, without the characters that XML allows nowhere.

    Args:
        content: Any text.

    Returns:
        Text for an element or a quoted attribute.
    """
    return escape(_NOT_XML.sub("�", content))


def _mark(mark: Mark) -> str:
    if isinstance(mark, Label):
        place = f'x="{_number(mark.x)}" y="{_number(mark.y)}"'
        look = f'font-size="{_number(mark.size)}" text-anchor="{mark.anchor}" fill="{mark.colour}"'
        return f"<text {place} {look}>{text(mark.text)}</text>"
    if isinstance(mark, Pixels):
        return _image(mark)
    return _shape(mark)


def _shape(shape: Shape) -> str:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
    title = f"<title>{text(shape.title)}</title>" if shape.title else ""
    if shape.width:
        look = f'fill="none" stroke="{shape.colour}" stroke-width="{_number(shape.width)}"'
        return f'<polyline points="{points}" {look}>{title}</polyline>'
    return f'<polygon points="{points}" fill="{shape.colour}">{title}</polygon>'


def _image(pixels: Pixels) -> str:
    place = f'x="{_number(pixels.x)}" y="{_number(pixels.y)}"'
    size = f'width="{_number(pixels.width)}" height="{_number(pixels.height)}"'
    data = base64.b64encode(pixels_png(pixels.colours)).decode()
    look = 'preserveAspectRatio="none" style="image-rendering: pixelated"'
    return f'<image {place} {size} {look} xlink:href="data:image/png;base64,{data}"/>'


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
