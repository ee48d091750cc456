"""Dates of birth: a date that the text itself calls somebody's birth.

Owns the spellings of dates and the words around them. Knows nothing about ages. Invariant: a date is a birth only where a word
says so beside it; what a rule says of all who were born before or after a day is nobody's birth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.corpus.personal.checks import is_birthday
from touyan.corpus.personal.identifier import Identifier

_DATE = re.compile(
    r"(?<![0-9])(?P<year>(?:19|20)\d{2})(?: ?年 ?|[-/.])(?P<month>\d{1,2})(?: ?月 ?|[-/.])(?P<day>\d{1,2})(?: ?[日号])?(?![0-9])"
    r"|(?<![0-9])(?P<compact>(?:19|20)\d{6})(?![0-9])"
)
_OLDEST = "1905"  # nobody who was born before is alive: the date is history
_BEFORE = re.compile(
    r"(?:出生(?:日期|年月日?|时间|于)?|(?<![发产])生于|生日|诞生于|DOB|[Bb]irthday|[Dd]ate of [Bb]irth)[为是:：|,，\t ]{0,3}\Z"
)
_AFTER = re.compile(
    r"[(（]?(?:出生|生)(?![效产成活长态物命育意动存]|日期|证|医|人口|率|[的之]?(?:以|之)?[前后]|的(?:子女|公民|人员|婴|儿童))"
)


def births(text: str) -> Iterator[Identifier]:
    """The dates of birth in a folded text; canonical are the eight digits of the day."""
    for match in _DATE.finditer(text):
        day = match["compact"] or f"{match['year']}{match['month']:0>2}{match['day']:0>2}"
        says_so = _BEFORE.search(text, max(0, match.start() - 20), match.start()) or _AFTER.match(text, match.end())
        if says_so and is_birthday(day) and day >= _OLDEST:
            yield Identifier(match.start(), match.end(), "birth-date", day)
