"""Plants labelled defects in clean text: a corpus on which any refinery can be scored.

Owns the draws of kinds, the ids and the order of documents. Knows nothing about what a kind does. Invariant: the same clean text
and settings give the same corpus; memory holds a thousand documents, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import accumulate
from random import Random

from touyan.core.errors import Invalid, missing_extra
from touyan.core.names import nearest
from touyan.corpus.plant.clean import CleanDocument
from touyan.corpus.plant.draws import DRAWS, DrawName, read_draw
from touyan.corpus.plant.kinds import BESIDE, KINDS, Ground
from touyan.corpus.plant.planted import Planted
from touyan.corpus.plant.reword import rewording

NEEDED = ("opencc", "pypinyin")
"""What the damage of script and of mirror pages is made with."""
HELD = 1_000
"""Documents that wait to be written in a random order, so that a copy seldom stands beside its original."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to plant."""

    kinds: tuple[str, ...] = tuple(KINDS)
    share: float = sum(rate for rate, _ in KINDS.values()) / 100
    """Share of the clean documents that something is planted in or beside."""
    copies: int = 1
    """How often the clean text is gone through; from the second time on in other words (see `reword`)."""
    seed: int = 0
    draw: DrawName = "a"

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown:
            raise Invalid("no-such-kind", f"no kind of defect is called {unknown[0]!r}", nearest(unknown[0], list(KINDS)))
        if self.draw not in DRAWS:
            raise Invalid("no-such-draw", f"no draw is called {self.draw!r}", nearest(self.draw, list(DRAWS)))
        if not 0 <= self.share <= 1 or self.copies < 1 or not self.kinds:
            raise Invalid(
                "bad-plan", "a share lies between 0 and 1; kinds and copies begin at one", "see: touyan corpus plant --help"
            )


def plant(clean: Iterable[CleanDocument], plan: Plan, copy: int = 0) -> Iterator[Planted]:
    """One copy of a planted corpus, in the order in which it is to be read. Raises Missing without the extra `refinery`."""
    for package in NEEDED:
        if find_spec(package) is None:
            raise missing_extra(package, "refinery")
    rng = Random(f"order:{plan.seed}:{copy}")
    held: list[Planted] = []
    for document in _documents(clean, plan, copy):
        held.append(document)
        if len(held) > HELD:
            at = rng.randrange(len(held))
            held[at], held[-1] = held[-1], held[at]
            yield held.pop()
    rng.shuffle(held)
    yield from held


def _documents(clean: Iterable[CleanDocument], plan: Plan, copy: int) -> Iterator[Planted]:
    """Every clean document, with its defect in its place or beside it."""
    reworded, ground = rewording(plan.seed, copy), Ground(read_draw(plan.draw))
    bounds = list(accumulate(KINDS[kind][0] for kind in plan.kinds))
    for number, source in enumerate(clean):
        rng = Random(f"{plan.seed}:{plan.draw}:{copy}:{number}")
        base = Planted(f"{copy}-{number:06d}", reworded(source.text), source.src, source.part)
        kind = rng.choices(plan.kinds, cum_weights=bounds)[0] if rng.random() < plan.share else None
        defect = _planted(base, kind, rng, ground) if kind else None
        ground.learn(base.text)
        if defect is None or kind in BESIDE:
            yield base
        if defect is not None:
            yield defect


def _planted(base: Planted, kind: str, rng: Random, ground: Ground) -> Planted | None:
    """The document of this kind; None where the kind has nothing to take hold of, such as a text without full-width marks."""
    made = KINDS[kind][1](base.text, rng, ground)
    if kind != "exact_dup" and kind != "decoy" and made.text == (made.clean or base.text):
        return None
    return Planted(f"{kind}-{base.id}", made.text, base.src, base.part, (kind,), base.id, made.clean, made.truth)
