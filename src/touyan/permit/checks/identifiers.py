"""Check: personal identifiers that are still in the released text.

An independent second look, with patterns of its own, at what the refinery masked: it shares no code with it, so that one mistake
does not pass twice. Invariant: findings name kinds, counts and documents, never the identifier.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date

from touyan.permit.evidence import Evidence
from touyan.permit.finding import Finding, sampled
from touyan.permit.rulepack import Rule

# `\b` finds nothing beside Han characters (电话138…): digits and letters are excluded by name instead.
_MOBILE = re.compile(r"(?<![\dA-Za-z.])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![\dA-Za-z]|\.\d)")
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
_ID_CARD = re.compile(r"(?<!\d)[1-9]\d{16}[\dXx](?![\dA-Za-z])")
_CARD = re.compile(r"(?<![\dA-Za-z])[3-6]\d{3}(?:[- ]?\d{4}){3}\d{0,3}(?![\dA-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_FULL_WIDTH_DIGITS = {0xFF10 + d: 0x30 + d for d in range(10)} | {0xFF0B: 0x2B, 0xFF20: 0x40, 0xFF0D: 0x2D, 0xFF38: 0x58}
NAMED = 20


def residual_identifiers(evidence: Evidence, rule: Rule) -> Finding:
    """Share of sampled documents in which no structured identifier is left.

    The rule's params `least` and `share` give the size of the sample.
    """
    sample = evidence.sample(int(rule.number("least", 0)), rule.number("share", 1.0))
    kinds: Counter[str] = Counter()
    holding: list[str] = []
    for doc_id, text in evidence.rows("doc_id", "text"):
        if doc_id in sample.ids and (found := set(identifiers(text))):
            kinds.update(found)
            holding.append(doc_id)
    n = len(sample.ids)
    return sampled(n - len(holding), n, **sample.to_json(), kinds=dict(sorted(kinds.items())), documents=sorted(holding)[:NAMED])


def identifiers(text: str) -> Iterator[str]:
    """The kind of every identifier in `text`: mobile, email, id-card, bank-card."""
    plain = text.translate(_FULL_WIDTH_DIGITS)
    yield from ("mobile" for _ in _MOBILE.finditer(plain))
    yield from ("email" for _ in _EMAIL.finditer(plain))
    yield from ("id-card" for m in _ID_CARD.finditer(plain) if is_id_card(m.group()))
    yield from ("bank-card" for m in _CARD.finditer(plain) if is_luhn(re.sub(r"\D", "", m.group())))


def is_id_card(digits: str) -> bool:
    """Whether 18 characters have a possible date of birth and the check character of GB 11643-1999."""
    try:
        date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return False
    total = sum(w * int(d) for w, d in zip(_WEIGHTS, digits, strict=False))
    return digits[17].upper() == "10X98765432"[total % 11]


def is_luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1."""
    doubled = (sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return 16 <= len(digits) <= 19 and (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
