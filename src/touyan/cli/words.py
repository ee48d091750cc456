"""Words in the user's language, through gettext: English in the code, Simplified Chinese in `locale/`.

TOUYAN_LANG wins over the system's locale, so that a page or a test can choose. Invariant: a missing translation shows English,
never a key.
"""

from __future__ import annotations

import gettext
import os
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "locale"


@cache
def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation("touyan", FOLDER, [language] if language else None, fallback=True)


def _(text: str) -> str:
    """`text` in the user's language."""
    return _translations(os.environ.get("TOUYAN_LANG", "")).gettext(text)
