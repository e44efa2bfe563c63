"""A drawing as one HTML page with its table, which asks nobody for anything."""

from __future__ import annotations

from explorer.service.evidence.pictures.drawing import Drawing
from explorer.service.evidence.pictures.svg import svg, text
from explorer.texts import Language, say

_NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1080px; padding: 0 1rem; }
h1 { font-size: 1.3rem; }
svg { max-width: 100%; height: auto; border: 1px solid #8f99aa; border-radius: 6px; }
div.table { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8f99aa; }
td { overflow-wrap: break-word; max-width: 46rem; }
"""


def page(drawing: Drawing, language: Language) -> str:
    """Write a drawing as a page: the finding, the picture, its table and where the numbers come from.

    Args:
        drawing: The picture.
        language: What its reader reads.

    Returns:
        HTML with a policy that lets it load and run nothing.
    """
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in drawing.columns)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in drawing.rows
    )
    tag = {"en": "en", "zh": "zh-CN"}[language]
    return f"""<!doctype html>
<html lang="{tag}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_NOTHING_ELSE}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(drawing.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{text(drawing.title)}</h1>
{svg(drawing, alone=False)}
<p>{text(drawing.caption)}</p>
<h2>{text(say("evidence.table", language))}</h2>
<div class="table" tabindex="0"><table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
</body>
</html>
"""
