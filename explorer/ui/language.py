"""Which language a visitor reads: labels follow the browser, sentences from the server follow its request."""

from __future__ import annotations

from collections.abc import Iterable

import gradio as gr

from explorer.texts import LANGUAGES, Language, preferred_language, sentences

LABELS = gr.I18n(
    **{language: {key: said[language] for key, said in sentences().items()} for language in LANGUAGES}
)
"""Every sentence, for gradio to choose from in the browser; ``LABELS("rerank.query")`` is a translatable label."""


def language_of(request: gr.Request | None) -> Language:
    """Tell the visitor's language.

    Args:
        request: What gradio hands to a handler; None when a handler is called directly.

    Returns:
        The language to answer in.
    """
    header = request.headers.get("accept-language") if request is not None and request.headers else None
    return preferred_language(header)


def words(prefixes: Iterable[str], language: Language) -> dict[str, str]:
    """Collect the words that a component in the browser shows by itself.

    Args:
        prefixes: Names of files in :mod:`explorer.texts`, such as ``"cards"``.
        language: The visitor's language.

    Returns:
        Sentence templates by entry name, without the file's name.
    """
    chosen = tuple(f"{prefix}." for prefix in prefixes)
    return {
        key.split(".", 1)[1]: said[language] for key, said in sentences().items() if key.startswith(chosen)
    }
