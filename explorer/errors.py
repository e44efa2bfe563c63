"""The few errors a person can cause or mend.

::

    ExplorerError            every error with a sentence for the reader
    ├── InputError           what was typed cannot be used as it is
    │   └── LimitError       it is well formed, but too much of it
    ├── CorpusError          an uploaded file cannot be read as texts
    ├── ModelLoadError       a model cannot be found, read or placed
    ├── OutOfMemoryError     the device has no room for this work
    └── Cancelled            the person asked to stop

Each message names what happened and what to do. The sentences are kept in :mod:`explorer.texts`, so an error
carries a key and its values, and can be said in either language.
"""

from __future__ import annotations

from explorer.texts import Language, say


class ExplorerError(Exception):
    """An error with a sentence that a person can act on.

    Args:
        key: Name of the sentence in :mod:`explorer.texts`, such as ``"errors.cancelled"``.
        **values: What fills the sentence's placeholders.
    """

    def __init__(self, key: str, **values: object) -> None:
        """Keep the key and values; the message is the English sentence."""
        self.key = key
        self.values = values
        super().__init__(say(key, "en", **values))

    def text(self, language: Language) -> str:
        """Say the error in one of the interface's languages.

        Args:
            language: ``"en"`` or ``"zh"``.

        Returns:
            The whole sentence, as plain text (never markup).
        """
        return say(self.key, language, **self.values)


class InputError(ExplorerError):
    """What was typed cannot be used as it is."""


class LimitError(InputError):
    """A well-formed request that asks for more than the explorer allows."""


class CorpusError(ExplorerError):
    """An uploaded file cannot be read as texts."""


class ModelLoadError(ExplorerError):
    """A model cannot be found, read or placed on the device."""


class OutOfMemoryError(ExplorerError):
    """The device has no room for this work."""


class Cancelled(ExplorerError):  # noqa: N818 - stopping on request is not a fault
    """The person asked to stop; what was finished is kept."""
