"""What steps 4 and 5 of the Training view show: a merge, what a result changed, and the report's ablation."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from explorer.figures.training_effect import ablation_chart, before_after
from explorer.provenance import Provenance
from explorer.service.training import Measured, MergePath
from explorer.service.training_ablation import OwnAblation
from explorer.service.training_published import BENCHMARKS, PUBLISHED_ABLATION, SOURCE
from explorer.texts import Language, say
from explorer.ui import components
from explorer.ui.components import FigureView, part_words
from explorer.ui.plain import source_line
from explorer.ui.training_views import FIELDS, MEASURES, held_out_line, recorded_line


def differences(before: Measured, after: Measured, language: Language) -> list[tuple[str, float, float]]:
    """Set the measures of two models side by side, each at the full size first."""
    found = []
    for first, second in zip(reversed(before.sizes), reversed(after.sizes), strict=True):
        for measure in MEASURES:
            values = getattr(first, FIELDS[measure]), getattr(second, FIELDS[measure])
            if None not in values:
                name = say(f"training.measure_{measure}", language, size=first.dimensions)
                found.append((name, *values))
    return found


def path_view(
    path: MergePath | None, chosen: float, language: Language, recorded: str = ""
) -> components.MergePath:
    """Draw the way between two models; None for the empty drawing."""
    words = part_words("merge", language)
    if path is None:
        return components.MergePath(data="", words=words)
    sizes = path.points[0].sizes
    measures = [
        (
            say(f"training.measure_{measure}", language, size=size.dimensions),
            [getattr(point.sizes[place], FIELDS[measure]) for point in path.points],
        )
        for place, size in reversed(list(enumerate(sizes)))
        for measure in ("ndcg", "spearman")
    ]
    data = components.merge_path_data(
        path.weights,
        [(name, values) for name, values in measures if None not in values][:3],
        (model_name(path.first, language), model_name(path.second, language)),
        chosen,
        [*recorded_line(recorded, language), path.place, held_out_line(path.points[0], language)],
    )
    return components.MergePath(data=data, words=words)


def change_view(
    measures: Sequence[tuple[str, float, float]], after: str, caption: Sequence[str], language: Language
) -> FigureView:
    """Draw every measure before and after."""
    words = part_words("figure", language)
    if not measures:
        return FigureView(figure="", words={**words, "empty": words["empty_change"]})
    names = (say("training.merge_first", language), after)
    return FigureView(figure=before_after(measures, names, language, caption).to_json(), words=words)


def report_view(language: Language) -> FigureView:
    """Draw the report's own ablation."""
    variants = [say(f"training.variant_{row.variant}", language) for row in PUBLISHED_ABLATION]
    scores = np.array([row.scores for row in PUBLISHED_ABLATION])
    caption = [say("training.published", language, source=SOURCE)]
    unit = say("figures.training_task_score", language)
    figure = ablation_chart(variants, BENCHMARKS, scores, language, caption, unit)
    return FigureView(figure=figure.to_json(), words=part_words("figure", language))


def own_view(own: OwnAblation | None, folder: str, language: Language) -> FigureView:
    """Draw an ablation of one's own; without one, say how to make it."""
    words = part_words("figure", language)
    if own is None:
        empty = say("training.own_ablation", language, folder=folder or "…")
        return FigureView(figure="", words={**words, "empty": empty})
    variants = [say(f"commands.row_{name}", language) for name in own.variants]
    caption = [say("training.own_measured", language)]
    figure = ablation_chart(variants, own.measures, np.array(own.scores), language, caption)
    return FigureView(figure=figure.to_json(), words=words)


def model_name(name: str, language: Language) -> str:
    """Say a result's name as a reader knows it."""
    return say("training.bundled_name", language) if name == "bundled" else name


def in_use_panel(in_use: Provenance | None, folder: str, language: Language) -> str:
    """Say which model answers everywhere, and how to load the chosen one elsewhere."""
    if in_use is None:
        return source_line(say("training.in_use_none", language))
    said = source_line(
        say("training.in_use", language, model=in_use.line), say("training.in_use_again", language)
    )
    if not folder:
        return said
    code = f'SentenceTransformer(r"{folder}").encode(queries, prompt_name="query")'
    lines = (
        f"python app.py --embedding {folder}\n\nfrom sentence_transformers import SentenceTransformer\n{code}"
    )
    return f"{said}{source_line(say('training.folder_is', language))}<pre class='code'>{escape(lines)}</pre>"


def choices(models: Sequence[str], language: Language) -> list[tuple[str, str]]:
    """List models for a drop-down."""
    return [(model_name(name, language), name) for name in models]
