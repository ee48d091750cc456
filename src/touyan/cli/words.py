"""Words in the user's language, through gettext: English in the code, Simplified Chinese in `locale/`.

TOUYAN_LANG wins over the system's locale, so that a page or a test can choose. Knows nothing of what is said. Invariant: a
missing translation shows English, never a key.
"""

from __future__ import annotations

import gettext
import os
from functools import cache
from pathlib import Path

DOMAIN = "touyan"
FOLDER = Path(__file__).parent.parent / "locale"


@cache
def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, FOLDER, [language] if language else None, fallback=True)


def _(text: str) -> str:
    """`text` in the user's language."""
    return _translations(os.environ.get("TOUYAN_LANG", "")).gettext(text)


def speaks_chinese() -> bool:
    """Whether the user's language is Chinese, for words that come in both languages from elsewhere."""
    return _translations(os.environ.get("TOUYAN_LANG", "")).info().get("language", "").startswith("zh")


def lend_to_typer() -> None:
    """Lets Typer take its own words ("Options", "default") from our catalogue: it asks gettext's global domain and LANGUAGE."""
    gettext.bindtextdomain(DOMAIN, str(FOLDER))
    gettext.textdomain(DOMAIN)
    if language := os.environ.get("TOUYAN_LANG"):
        os.environ["LANGUAGE"] = language


def example(command: str) -> str:
    """The last line of a help page: the verb as one would type it."""
    return _("Example: {command}").format(command=command)
