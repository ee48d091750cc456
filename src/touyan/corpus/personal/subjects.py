"""Which identifiers in a text are one person's: where the text itself puts them together, and nowhere else.

Owns the rule. Knows nothing about pseudonyms. The rule: a record is what stands between two ends of a line or sentence; where
it holds at most one identifier of each kind, they are one person's, and the strongest of them stands for the person. A name
stands for nobody by itself, since names are shared; within a document it stays with the person of its first record.
Invariant: two persons are never made one by standing in different records.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from touyan.corpus.personal.identifier import Identifier

SINGULAR: tuple[str, ...] = (
    "id-card", "passport", "travel-permit", "social-card", "mobile", "wechat", "qq", "email", "bank-card", "vin", "plate", "landline",
)  # fmt: skip
"""Kinds that single out a person, the strongest first: what was issued to one, then what one is reached by, then what one owns."""
_BOUNDARY = re.compile(r"[\n。；;!?！？]")


def subjects(text: str, found: Sequence[Identifier]) -> list[str | None]:
    """For each identifier, in order of position, the canonical spelling of the one that stands for its person.

    None where nobody is singled out: addresses, dates and names in a record without a number.
    """
    own = [each.canonical if each.kind in SINGULAR else None for each in found]
    named: dict[str, str] = {}
    for record in _records(text, found):
        anchor = _anchor([found[i] for i in record])
        for i in record if anchor is not None else ():
            own[i] = anchor
            if found[i].kind == "person":
                named.setdefault(found[i].canonical, str(anchor))
    return [
        named.get(each.canonical) if each.kind == "person" and who is None else who for each, who in zip(found, own, strict=True)
    ]


def _records(text: str, found: Sequence[Identifier]) -> Iterator[list[int]]:
    record: list[int] = []
    for i, each in enumerate(found):
        if record and _BOUNDARY.search(text, found[record[-1]].end, each.start):
            yield record
            record = []
        record.append(i)
    if record:
        yield record


def _anchor(record: Sequence[Identifier]) -> str | None:
    """The strongest identifier of a record, or None where a kind stands twice in it or nobody is singled out."""
    kinds = {each.kind: each.canonical for each in record}
    if len(kinds) < len(record):
        return None
    return next((kinds[kind] for kind in SINGULAR if kind in kinds), None)
