"""Which language a visitor reads: labels follow the browser, sentences from the server follow its request."""

from __future__ import annotations

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
