"""What the history and the tried changes look like to the part that draws them."""

from __future__ import annotations

from explorer.service.counterfactuals import Recomputed, TriedChanges
from explorer.service.edit_history import EditHistory, Step, changed_words
from explorer.texts import Language, say
from explorer.ui.components import EditEffects, EditRow, edit_effects_data, part_words


def drawn_history(history: EditHistory, language: Language) -> EditEffects:
    """Draw every step of a history.

    Args:
        history: The history.
        language: The visitor's language.
    """
    rows = [_step_row(history, index, step, language) for index, step in enumerate(history.steps)]
    data = edit_effects_data("history", rows, history.at, [models_line(history, language)])
    return EditEffects(data=data, words=part_words("edits", language))


def _step_row(history: EditHistory, index: int, step: Step, language: Language) -> EditRow:
    start, parent = history.steps[0], None if step.parent is None else history.steps[step.parent]
    return EditRow(
        index=index,
        origin=step.origin,
        words=() if parent is None else changed_words(parent.version, step.version),
        log_odds=step.log_odds,
        change=None if parent is None else step.log_odds - parent.log_odds,
        since_start=None if parent is None else step.log_odds - start.log_odds,
        probability=step.probability,
        cosine=step.cosine,
        cosine_change=None if parent is None else step.cosine - parent.cosine,
        parent=step.parent,
        computed=recomputed_line(step.recomputed, language),
    )


def drawn_changes(tried: TriedChanges, history: EditHistory, language: Language) -> EditEffects:
    """Draw every change that was tried, the one with the largest effect first.

    Args:
        tried: The changes.
        history: The history they would be added to.
        language: The visitor's language.
    """
    scores, start = tried.scores, history.steps[0]
    rows = [
        EditRow(
            index=index,
            origin=change.kind,
            words=changed_words(scores.versions[0], change.version),
            log_odds=float(scores.log_odds[index]),
            change=float(scores.log_odds_changes[index]),
            since_start=float(scores.log_odds[index]) - start.log_odds,
            probability=float(scores.probability[index]),
            cosine=float(scores.cosines[index]),
            cosine_change=float(scores.cosine_changes[index]),
        )
        for index, change in enumerate(tried.changes, start=1)
    ]
    data = edit_effects_data("tried", rows, None, [models_line(history, language)])
    return EditEffects(data=data, words=part_words("edits", language), visible=True)


def models_line(history: EditHistory, language: Language) -> str:
    """Say which models gave the numbers.

    Args:
        history: The history.
        language: The visitor's language.
    """
    models = {"reranker": history.reranker.line, "embedding": history.embedding.line}
    line = say("counterfactuals.models", language, **models)
    bundled = "bundled" in (history.reranker.weights, history.embedding.weights)
    return f"{line} {say('rerank.bundled_line', language)}" if bundled else line


def recomputed_line(recomputed: Recomputed, language: Language) -> str:
    """Say what had to be computed for a step, and what came from the cache.

    Args:
        recomputed: How often a model had to run.
        language: The visitor's language.
    """
    forwards = {"pair": recomputed.pairs, "query": recomputed.queries, "document": recomputed.documents}
    comma = say("counterfactuals.part_comma", language)
    computed, cached = (
        comma.join(
            say(f"counterfactuals.part_{name}", language)
            for name, count in forwards.items()
            if bool(count) == wanted
        )
        for wanted in (True, False)
    )
    key = "computed" if computed and cached else "computed_all" if computed else "cached_all"
    return say(f"counterfactuals.{key}", language, computed=computed, cached=cached)
