"""Writes sentences with names of persons in them, and says where the names stand.

Owns the lists beside it, the draw of names and the filling of templates. Knows nothing about networks. Invariant: the same
seed writes the same sentences; every name that is drawn comes from the lists or from the caller.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Spans: TypeAlias = list[tuple[int, int]]
Labelled: TypeAlias = tuple[str, Spans]

_HERE = Path(__file__).parent
_SLOT = re.compile(r"\{(\w)\}")


def read_list(name: str) -> list[str]:
    """The lines of a list beside this file, without its comments."""
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def read_sections(name: str) -> dict[str, list[str]]:
    """The lines of a list by their [section]."""
    sections: dict[str, list[str]] = {}
    for line in read_list(name):
        if line.startswith("["):
            sections[line.strip("[]")] = []
        else:
            sections[list(sections)[-1]].append(line)
    return sections


@dataclass(slots=True)
class Writer:
    """Draws names and fills templates with them."""

    rng: random.Random
    known: Sequence[str] = ()
    """Further full names that are drawn now and then: what a dictionary lists."""
    _surnames: list[str] = field(init=False, repr=False)
    _shares: list[float] = field(init=False, repr=False)
    _given: dict[str, str] = field(init=False, repr=False)
    _titles: dict[str, list[str]] = field(init=False, repr=False)
    _foreign: dict[str, list[str]] = field(init=False, repr=False)
    _public: list[str] = field(init=False, repr=False)
    _things: dict[str, list[str]] = field(init=False, repr=False)
    _everyday: str = field(init=False, repr=False)
    _around: dict[str, list[str]] = field(init=False, repr=False)
    _templates: list[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pairs = " ".join(read_list("surnames.txt")).split()
        self._surnames, self._shares = pairs[::2], [int(share) ** 0.7 for share in pairs[1::2]]
        self._given = {name: "".join(lines) for name, lines in read_sections("given.txt").items()}
        self._titles = {name: " ".join(lines).split() for name, lines in read_sections("titles.txt").items()}
        self._foreign = {name: " ".join(lines).split() for name, lines in read_sections("foreign.txt").items()}
        self._things = {name: " ".join(lines).split() for name, lines in read_sections("things.txt").items()}
        self._around = {name: " ".join(lines).split(" ") for name, lines in read_sections("around.txt").items()}
        self._everyday = "".join(sorted({c for line in read_list("plain.txt") for c in line if "一" <= c < "\ua000"}))
        self._public = " ".join(read_list("public.txt")).split()
        self._templates = [line.replace("\\n", "\n") for line in read_list("templates.txt")]

    def surname(self) -> str:
        """A surname by its share, flattened so that rare ones are met too."""
        return self.rng.choices(self._surnames, self._shares)[0]

    def given(self) -> str:
        """One or two characters as parents choose them, now and then any character of the lists or of everyday words."""
        rng = self.rng
        pool = rng.choice(("male", "female"))

        def draw() -> str:
            chance = rng.random()
            if chance < 0.05:
                return rng.choice(self._everyday)
            if chance < 0.2:
                return rng.choice(rng.choice(list(self._given.values())))
            chars = self._given["either" if chance < 0.4 else pool]
            return chars[int(len(chars) * rng.random() ** 1.5)]

        first = draw()
        if rng.random() < 0.25:
            return first
        return first * 2 if rng.random() < 0.06 else first + draw()

    def name(self) -> str:
        """A full name: drawn, or one that a dictionary lists."""
        if self.known and self.rng.random() < 0.25:
            return self.rng.choice(self.known)
        return self.surname() + self.given()

    def spaced_name(self) -> str:
        """A name of two characters, spaced to the width of three as lists and signatures have it: 张　三."""
        gap = self.rng.choice(("　", " ", "  ", "　　", "\u00a0", "\u00a0 ", " \u00a0 "))
        return self.surname()[0] + gap + self.given()[0]

    def foreign(self) -> str:
        """A foreign name in Chinese spelling, with the middle dot or without the given name."""
        first, last = self.rng.choice(self._foreign["given"]), self.rng.choice(self._foreign["family"])
        dot = self.rng.choice("··•・．")
        return last if self.rng.random() < 0.25 else first + dot + last

    def nickname(self) -> str:
        """小王, 老李, 阿芳, 张姐."""
        rng = self.rng
        if rng.random() < 0.25:
            return self.surname() + rng.choice("哥姐总工叔姨老")
        surname = self.surname()
        tail = surname if len(surname) == 1 and rng.random() < 0.6 else self.given()[0]
        return rng.choice("小小小老老阿阿大") + tail

    def given_alone(self) -> str:
        """A given name without the surname: 小芳, 志强, 婷婷."""
        first = self.given()
        return first * 2 if len(first) == 1 else first

    def titled(self) -> str:
        """王先生; 张明主任 has its title outside the name, 张主任 inside."""
        return self.surname() + self.rng.choice(self._titles["after"])

    def masked(self) -> str:
        """李某某, 王某, 张某甲."""
        return self.surname()[0] + self.rng.choice(("某", "某某", "某甲", "某乙", "某1", "×", "××", "某华"))

    def write(self) -> Labelled:
        """One filled template."""
        return self.fill(self.rng.choice(self._templates))

    def mention(self) -> Labelled:
        """A name between what stands before names and what stands after them: thousands of contexts, most of them sensible."""
        rng = self.rng
        before, after = rng.choice(self._around["before"]), rng.choice(self._around["after"])
        name = self.spaced_name() if rng.random() < 0.04 else self.masked() if rng.random() < 0.04 else self.name()
        before += rng.choice(("", "", "", "", "", "", " ", "　")) if before[-1] in ":：名人" else ""
        tail = self._thing(rng.choice("ipyhao")) if rng.random() < 0.4 else ""
        return f"{before}{name}{after}{tail}", [(len(before), len(before) + len(name))]

    def within(self, labelled: Labelled, texts: Sequence[str]) -> Labelled:
        """The sentence between pieces of other text, as it stands in a document; none of it names anybody."""
        rng = self.rng
        text, spans = labelled
        left, right = rng.choice(texts)[-24:], rng.choice(texts)[:24]
        left = rng.choice(("", left, left + "\n", left + "\n\n", left + "。", "\n", "　　"))
        right = rng.choice(("", right, "\n" + right, "。\n" + right, "。" + right, "\n"))
        return left + text + right, [(start + len(left), end + len(left)) for start, end in spans]

    def plain(self) -> Iterator[Labelled]:
        """Sentences without a name that are full of what looks like one."""
        for line in read_list("plain.txt"):
            yield self.fill(line.replace("\\n", "\n"))

    def fill(self, template: str) -> Labelled:
        """The template with its slots filled, and where the names are."""
        people = {
            "n": self.name, "m": self.masked, "k": self.nickname, "t": self.titled, "f": self.foreign, "g": self.given_alone,
            "u": lambda: self.rng.choice(self._public),
        }  # fmt: skip
        pieces, spans, size, at = [], [], 0, 0
        for slot in _SLOT.finditer(template):
            pieces.append(template[at : slot.start()])
            size, at = size + slot.start() - at, slot.end()
            kind = slot[1]
            word = people[kind]() if kind in people else self._thing(kind)
            if kind in people:
                spans.append((size, size + len(word)))
            pieces.append(word)
            size += len(word)
        return "".join((*pieces, template[at:])), spans

    def _thing(self, kind: str) -> str:
        rng = self.rng
        if kind in "ip":
            digits = "".join(rng.choice("0123456789") for _ in range(17))
            return digits + rng.choice("0123456789X") if kind == "i" else "1" + digits[:10]
        if kind == "y":
            return f"{rng.randint(1940, 2026)}年{rng.randint(1, 12)}月{rng.randint(1, 28)}日"
        if kind == "h":
            return str(rng.choice((rng.randint(1, 9), rng.randint(10, 99), rng.randint(100, 99999))))
        if kind == "v":
            return self.surname() + rng.choice(self._things["place-ends"])
        if kind == "c":
            place = rng.choice(self._things["places"])[:2] if rng.random() < 0.6 else ""
            return place + self.given() + self.given()[0] + rng.choice(self._things["firm-ends"])
        return rng.choice({"a": self._things["places"], "o": self._things["bodies"], "b": self._titles["before"]}[kind])

    def substituted(self, labelled: Labelled) -> Labelled:
        """The sentence with other names in the place of its own; what looks like a full name becomes one, the rest stays."""
        text, spans = labelled
        pieces, moved, size, at = [], [], 0, 0
        for start, end in spans:
            old = text[start:end]
            new = self._alike(old)
            pieces += (text[at:start], new)
            size += start - at
            moved.append((size, size + len(new)))
            size, at = size + len(new), end
        return "".join((*pieces, text[at:])), moved

    def _alike(self, old: str) -> str:
        if "·" in old or len(old) > 4:
            return self.foreign() if self.rng.random() < 0.5 else old
        if old[-1] in "某×" or "某" in old:
            return self.masked()
        if old[0] in "小老阿大" and len(old) == 2:
            return self.nickname()
        is_full = old[0] in self._surnames and 2 <= len(old) <= 3
        if not is_full or any(old.endswith(title) for title in self._titles["after"]):
            return old
        return self.rng.choice(self._public) if self.rng.random() < 0.2 else self.name()
