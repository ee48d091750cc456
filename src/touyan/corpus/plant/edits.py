"""Small changes of a text: those of a careless copy, and those of a new edition.

Owns how many characters change and how. Knows nothing about labels. Invariant: a careless copy keeps a 5-gram Jaccard
similarity of at least 0.7 with its text, an edition usually does; both differ from it.
"""

from __future__ import annotations

import re
from random import Random

MAX_ERROR_SHARE = 0.02
"""With a share r of the characters changed, (1 - r)^5 of the 5-grams stay: 0.90, which is a Jaccard similarity of 0.82."""
_COMMON = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
_NUMBER = re.compile(r"\d+|[二三四五六七八九]十?")
_NUMERALS = "二三四五六七八九"


def with_typing_errors(text: str, rng: Random) -> str:
    """`text` with single characters exchanged, left out or doubled; at least one of them."""
    characters = list(text)
    places = [at for at, character in enumerate(characters) if not character.isspace()]
    changed = rng.sample(places, max(1, int(len(places) * rng.uniform(0.002, MAX_ERROR_SHARE))))
    for at in changed:
        own = characters[at]
        other = rng.choice([character for character in _COMMON if character != own])
        characters[at] = rng.choice((other, other, "", own + own))
    return "".join(characters)


def new_edition(text: str, rng: Random) -> str:
    """`text` with a date in its heading, one number in eight changed, and a line left out of a long one."""
    heading, *lines = text.split("\n")
    if len(lines) > 6:
        del lines[rng.randrange(1, len(lines))]
    body = _NUMBER.sub(lambda found: _other_number(found[0], rng) if rng.random() < 0.125 else found[0], "\n".join(lines))
    dated = f"{heading}（{rng.randrange(1999, 2025)}年修正）"
    return "\n".join([dated, body]) if lines else dated


def _other_number(number: str, rng: Random) -> str:
    if number.isdigit():
        return str(rng.randrange(1, 10 ** len(number)))
    return rng.choice(_NUMERALS) + number[1:]
