"""The planter's phrases: what pages, advertisers and foreign writers say around and instead of a body.

Owns the files in `draws/` and the filling of their slots. Knows nothing about documents. Invariant: the two draws share no
phrase, so that rules which were fitted to one can be tried on the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

FOLDER = Path(__file__).parent / "draws"
DrawName = Literal["a", "b"]
DRAWS: tuple[DrawName, ...] = ("a", "b")
SECTIONS = ("top", "bottom", "dialog", "template", "time", "advert", "abuse", "english", "item")
_SLOT = re.compile(r"\{(n|big|date|time|host|surname|given|code)\}")
_SURNAMES, _GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"


@dataclass(frozen=True, slots=True)
class Draw:
    """One set of phrases, by section."""

    sections: Mapping[str, tuple[str, ...]]

    def lines(self, rng: Random, n: int, *sections: str) -> list[str]:
        """`n` lines of these sections, no phrase twice before all were used, their slots filled."""
        phrases = [phrase for section in sections for phrase in self.sections[section]]
        drawn: list[str] = []
        while len(drawn) < n:
            drawn += rng.sample(phrases, min(n - len(drawn), len(phrases)))
        return [filled(phrase, rng) for phrase in drawn]


@cache
def read_draw(name: DrawName) -> Draw:
    """The draw called `name`."""
    sections: dict[str, list[str]] = {}
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line[1:-1] in SECTIONS:
            current = sections.setdefault(line[1:-1], [])
        elif line and not line.startswith("# "):
            current.append(line)
    return Draw({section: tuple(lines) for section, lines in sections.items()})


@cache
def word_classes() -> tuple[tuple[str, ...], ...]:
    """Words of two characters that may stand in each other's place, class by class."""
    lines = (FOLDER / "words.txt").read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split()) for line in lines if not line.startswith("#"))


def filled(phrase: str, rng: Random) -> str:
    """`phrase` with something in every slot."""
    return _SLOT.sub(lambda slot: _FILLERS[slot[1]](rng), phrase)


def _day(rng: Random) -> str:
    day = date(2012, 1, 1) + timedelta(days=rng.randrange(4_700))
    return rng.choice((day.isoformat(), f"{day.year}年{day.month}月{day.day}日", day.strftime("%Y/%m/%d")))


def _code(rng: Random) -> str:
    return "".join(rng.choice("abcdefghkmnprstuvwxyz") for _ in range(4)) + str(rng.randrange(100, 9999))


_FILLERS: Mapping[str, Callable[[Random], str]] = {
    "n": lambda rng: str(rng.randrange(1, 60)),
    "big": lambda rng: str(rng.randrange(1_000, 99_999)),
    "date": _day,
    "time": lambda rng: f"{rng.randrange(24):02}:{rng.randrange(60):02}",
    "host": lambda rng: f"www.{_code(rng)}.example",  # RFC 2606
    "surname": lambda rng: rng.choice(_SURNAMES),
    "given": lambda rng: "".join(rng.choice(_GIVEN) for _ in range(rng.choice((1, 2, 2)))),
    "code": _code,
}
