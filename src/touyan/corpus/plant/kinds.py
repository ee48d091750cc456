"""The kinds of defect: each a function of a clean document that gives the document as it would be met.

Owns what each kind does and how often it is planted. Knows nothing about files, ids or scores. Invariant: a kind draws from
nothing but the generator and the ground that it is given; `clean` is what a perfect refinery would make of the text again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from touyan.corpus.plant import damage, persons
from touyan.corpus.plant.draws import Draw
from touyan.corpus.plant.edits import new_edition, with_typing_errors

POOL_LINES = 400
PARAGRAPH_USES = 5
LONG_LINE_CHARS = 60


@dataclass(slots=True)
class Ground:
    """What a kind may draw on beside the document: a draw of phrases, and lines of documents that went before."""

    draw: Draw
    pool: deque[str] = field(default_factory=lambda: deque(maxlen=POOL_LINES))
    paragraph: str = ""
    uses: int = 0

    def learn(self, text: str) -> None:
        """Keeps the long lines of a clean document for those that come after it."""
        self.pool.extend(line for line in text.split("\n") if len(line) >= LONG_LINE_CHARS)


@dataclass(frozen=True, slots=True)
class Defect:
    """A text with a defect; `clean` None: it is not to be kept at all, or `of` has the clean text."""

    text: str
    clean: str | None = None
    truth: Mapping[str, Any] = field(default_factory=dict)


Kind = Callable[[str, Random, Ground], Defect]


def near_dup(text: str, rng: Random, ground: Ground) -> Defect:
    """A few characters mistyped, left out or doubled; sometimes a line of the page beside it."""
    copied = with_typing_errors(text, rng)
    if rng.random() < 0.3:
        copied = f"{copied}\n{ground.draw.lines(rng, 1, 'bottom')[0]}"
    return Defect(copied)


def exact_dup(text: str, rng: Random, ground: Ground) -> Defect:
    """The same text; sometimes with other ends of lines."""
    return Defect(text.replace("\n", "\r\n") if rng.random() < 0.2 else text)


def version(text: str, rng: Random, ground: Ground) -> Defect:
    """Another edition: dates, numbers and a line changed."""
    return Defect(new_edition(text, rng))


def pii(text: str, rng: Random, ground: Ground) -> Defect:
    """One to three persons spoken of somewhere in the text."""
    lines, truth = text.split("\n"), dict[str, list[str]]()
    for _ in range(rng.choice((1, 1, 2, 3))):
        sentence, told = persons.mention(persons.person(rng), rng)
        lines.insert(rng.randrange(1, len(lines) + 1), sentence)
        for kind, value in told.items():
            truth.setdefault(kind, []).append(value)
    return Defect("\n".join(lines), text, truth)


def decoy(text: str, rng: Random, ground: Ground) -> Defect:
    """Numbers that look like identifiers and are none."""
    lines, sentences = text.split("\n"), [persons.decoy(rng) for _ in range(2)]
    for sentence in sentences:
        lines.insert(rng.randrange(1, len(lines) + 1), sentence)
    planted = "\n".join(lines)
    return Defect(planted, planted, {"decoys": sentences})


def boilerplate(text: str, rng: Random, ground: Ground) -> Defect:
    """The lines of a page above and below the body."""
    above = ground.draw.lines(rng, rng.randrange(3, 11), "top", "dialog")
    below = ground.draw.lines(rng, rng.randrange(6, 19), "bottom", "dialog", "template")
    return Defect("\n".join([*above, text, *below]), text)


def teaser(text: str, rng: Random, ground: Ground) -> Defect:
    """Beginnings of other documents, each before a time stamp, as lists of further articles show them."""
    lines: list[str] = []
    for body in rng.sample(list(ground.pool), min(len(ground.pool), rng.randrange(3, 7))):
        cut = rng.randrange(30, 50)
        lines += [body[:cut] + rng.choice(("…", "...", "……")), *ground.draw.lines(rng, 1, "time")]
    return Defect("\n".join([text, *ground.draw.lines(rng, 1, "bottom"), *lines]), text)


def template(text: str, rng: Random, ground: Ground) -> Defect:
    """Variables that the page's program should have filled."""
    lines = ground.draw.lines(rng, rng.randrange(2, 7), "template")
    cut = rng.randrange(len(lines) + 1)
    return Defect("\n".join([*lines[:cut], text, *lines[cut:]]), text)


def english(text: str, rng: Random, ground: Ground) -> Defect:
    """A page in English."""
    return Defect(_paragraphs(ground.draw.lines(rng, rng.randrange(12, 40), "english"), rng, " "))


def advert(text: str, rng: Random, ground: Ground) -> Defect:
    """A page of advertising."""
    return Defect(_paragraphs(ground.draw.lines(rng, rng.randrange(8, 30), "advert"), rng, "。"))


def abuse(text: str, rng: Random, ground: Ground) -> Defect:
    """A page of insults, as a comment board without rules has them."""
    return Defect(_paragraphs(ground.draw.lines(rng, rng.randrange(6, 20), "abuse"), rng, "！"))


def advert_lines(text: str, rng: Random, ground: Ground) -> Defect:
    """Advertising between the lines of the body."""
    lines = text.split("\n")
    for advertisement in ground.draw.lines(rng, rng.randrange(1, 4), "advert"):
        lines.insert(rng.randrange(1, len(lines) + 1), advertisement)
    return Defect("\n".join(lines), text)


def junk(text: str, rng: Random, ground: Ground) -> Defect:
    """A page without a body."""
    return Defect("\n".join(ground.draw.lines(rng, rng.randrange(20, 61), "top", "bottom", "dialog", "template")))


def paragraph(text: str, rng: Random, ground: Ground) -> Defect:
    """A paragraph that stands in several documents; nothing before any line was learnt."""
    if not ground.pool:
        return Defect(text, text)
    if not ground.paragraph or ground.uses >= PARAGRAPH_USES:
        ground.paragraph, ground.uses = "".join(rng.sample(list(ground.pool), min(3, len(ground.pool)))), 0
    ground.uses += 1
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), ground.paragraph)
    return Defect("\n".join(lines), text, {"paragraph": ground.paragraph})


def contaminated(text: str, rng: Random, ground: Ground) -> Defect:
    """Items of an evaluation set; which, the draw's section `item` says."""
    items = ground.draw.lines(rng, 2, "item")
    return Defect("\n".join([items[0], text, items[1]]), text, {"items": items})


def mixed_script(text: str, rng: Random, ground: Ground) -> Defect:
    """Traditional characters in some lines only."""
    lines = text.split("\n")
    return Defect("\n".join(damage.traditional(line) if rng.random() < 0.4 else line for line in lines), text)


def _damaged(kind: Callable[[str], str]) -> Kind:
    return lambda text, rng, ground: Defect(kind(text), text)


def _mirror(text: str, rng: Random, ground: Ground) -> Defect:
    return Defect(damage.seo_mirror(text, rng), text)


def _lost(text: str, rng: Random, ground: Ground) -> Defect:
    return Defect(damage.kun_jin_kao(text))


def _paragraphs(sentences: list[str], rng: Random, joint: str) -> str:
    """Sentences in paragraphs of two to five."""
    lines: list[str] = []
    while sentences:
        n = rng.randrange(2, 6)
        lines.append(joint.join(sentences[:n]))
        sentences = sentences[n:]
    return "\n".join(lines)


KINDS: Mapping[str, tuple[float, Kind]] = {
    "near_dup": (6.0, near_dup),
    "pii": (4.0, pii),
    "boilerplate": (3.0, boilerplate),
    "exact_dup": (3.0, exact_dup),
    "english": (2.0, english),
    "traditional": (2.0, _damaged(damage.traditional)),
    "seo_mirror": (1.5, _mirror),
    "junk": (1.0, junk),
    "utf8_as_gbk": (0.5, _damaged(damage.utf8_as_gbk)),
    "utf8_as_latin1": (0.5, _damaged(damage.utf8_as_cp1252)),
    "kun_jin_kao": (0.3, _lost),
    "half_width": (1.0, _damaged(damage.half_width)),
    "mixed_script": (1.0, mixed_script),
    "paragraph": (1.0, paragraph),
    "contaminated": (0.5, contaminated),
    "version": (1.0, version),
    "teaser": (1.0, teaser),
    "template": (0.5, template),
    "advert": (0.5, advert),
    "advert_lines": (0.5, advert_lines),
    "abuse": (0.3, abuse),
    "decoy": (1.0, decoy),
}
"""Kind -> how many of a hundred documents it is planted in, and what it does."""
BESIDE = frozenset({"near_dup", "exact_dup", "version"})
"""Kinds that stand beside the document that they were made from; the others stand in its place."""
