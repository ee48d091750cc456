"""Rights, and the algebra of mixtures.

Rights have three parts, and each blocks when it is unknown: authority over the work, basis for personal information, and
security class. `Effective` is what is left of one or many Rights at a moment: the intersection of the permissions, the union
of the duties, and the names of those that block. `meet` is associative, commutative and idempotent, with `EVERYTHING` as its
identity; so the rights of a mixture do not depend on the order in which it was mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from touyan.core.canonical import Json, digest
from touyan.core.errors import Invalid
from touyan.core.names import nearest
from touyan.core.seam import from_iso

Purpose: TypeAlias = Literal["refine", "annotate", "train", "evaluate", "serve", "retrieve", "redistribute", "inspect"]
AuthorityKind: TypeAlias = Literal[
    "public-domain-official", "open-licence", "contract", "public-data-authorised", "own-production",
    "statutory-exception", "user-consent", "synthetic", "unknown",
]  # fmt: skip
PersonalBasis: TypeAlias = Literal[
    # PIPL art. 13(1) to (7), then GDPR art. 6(1) a to f.
    "none", "pipl-consent", "pipl-contract", "pipl-legal-duty", "pipl-emergency", "pipl-news", "pipl-disclosed", "pipl-other-law",
    "gdpr-consent", "gdpr-contract", "gdpr-legal-obligation", "gdpr-vital-interests", "gdpr-public-task", "gdpr-legitimate-interests",
    "unknown",
]  # fmt: skip
PersonalState: TypeAlias = Literal["none", "contains", "pseudonymised", "de-identified", "unknown"]
SecurityClass: TypeAlias = Literal["public", "general", "important", "core", "state-secret", "unknown"]

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
ANYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights record of a source, as its provider states it."""

    authority: AuthorityKind = "unknown"
    licence: str = ""
    """SPDX licence id; needed for open-licence."""
    article: str = ""
    """Article of law; needed for public-domain-official and statutory-exception."""
    opt_out_checked: str = ""
    """Date on which reservations of rights were looked for; needed for statutory-exception."""
    personal: PersonalBasis = "unknown"
    personal_state: PersonalState = "unknown"
    original_purpose: str = ""
    """Why the personal information was first collected; needed where there is any."""
    security: SecurityClass = "unknown"
    purposes: tuple[Purpose, ...] = ()
    duties: tuple[str, ...] = ()
    territory: tuple[str, ...] = (ANYWHERE,)
    """ISO 3166 country codes, or '*'."""
    expires: str = ""
    """ISO date or time after which nothing is permitted; empty: no expiry."""
    evidence: tuple[str, ...] = ()
    """Where the proof is: an article, a contract number, an address, a sha256."""

    def to_json(self) -> dict[str, Json]:
        fields: dict[str, str | tuple[str, ...]] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {"rights": 1, **{name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}}


def rights_from_json(value: Mapping[str, Json]) -> Rights:
    """A checked Rights record. Raises Invalid, naming the field and the nearest valid word."""
    fields = Rights.__dataclass_fields__
    unknown = [k for k in value if k not in fields and k != "rights"]
    if unknown:
        raise Invalid("bad-rights", f"rights have no field {unknown[0]!r}", nearest(unknown[0], fields))
    given: dict[str, object] = {}
    for name, item in value.items():
        if name != "rights":
            given[name] = tuple(map(str, item)) if isinstance(item, (list, tuple)) else item
    rights = Rights(**given)  # type: ignore[arg-type]
    _check(rights)
    return rights


_WORDS: dict[str, tuple[str, ...]] = {
    "authority": get_args(AuthorityKind),
    "personal": get_args(PersonalBasis),
    "personal_state": get_args(PersonalState),
    "security": get_args(SecurityClass),
}


def _check(rights: Rights) -> None:
    for name, words in _WORDS.items():
        value = getattr(rights, name)
        if value not in words:
            raise Invalid("bad-rights", f"{name}: {value!r} is not known", nearest(str(value), words))
    for name in ("purposes", "duties", "territory", "evidence"):
        if not isinstance(getattr(rights, name), tuple):
            raise Invalid("bad-rights", f"{name} must be a list", f"write {name}: [ ... ]")
    for purpose in rights.purposes:
        if purpose not in PURPOSES:
            raise Invalid("bad-rights", f"{purpose!r} is no purpose", nearest(purpose, PURPOSES))
    for name in ("licence", "article", "opt_out_checked", "original_purpose", "expires"):
        if not isinstance(getattr(rights, name), str):
            raise Invalid("bad-rights", f"{name} must be a text", f'write {name}: "..."')
    for name in ("expires", "opt_out_checked"):
        _check_date(name, getattr(rights, name))


def _check_date(name: str, text: str) -> None:
    try:
        _ = text and from_iso(text)
    except ValueError as error:
        raise Invalid("bad-rights", f"{name}: {text!r} is no ISO date", "write it as 2027-12-31") from error


def rights_digest(rights: Rights) -> str:
    """sha256 hex that names this record; the `rights` column of Documents."""
    return digest(rights.to_json())


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """One reason why something may not be used."""

    who: str
    """The source that blocks, as `provider/name`, or an Asset id."""
    part: str
    """authority, personal, security, purpose, territory, expiry, withdrawal."""
    reason: str


@dataclass(frozen=True, slots=True)
class Effective:
    """What one source or a mixture may be used for at a moment."""

    purposes: frozenset[Purpose]
    territory: frozenset[str] | None
    """None: everywhere."""
    duties: frozenset[str] = frozenset()
    expires_ms: int | None = None
    blocks: frozenset[Block] = frozenset()

    def why_not(self, purpose: Purpose, at_ms: int, place: str = "") -> tuple[Block, ...]:
        """The reasons against `purpose` at `at_ms` in the country `place`; empty: it is permitted."""
        found = {b for b in self.blocks if b.part != "purpose" or b.reason.startswith(f"{purpose} ")}
        if self.expires_ms is not None and at_ms >= self.expires_ms:
            found.add(Block("mixture", "expiry", "the permission has expired"))
        if place and self.territory is not None and place not in self.territory:
            found.add(Block("mixture", "territory", f"not permitted in {place}"))
        if purpose not in self.purposes and not found:
            found.add(Block("mixture", "purpose", f"{purpose} is not among the permitted purposes"))
        return tuple(sorted(found))


EVERYTHING = Effective(frozenset(PURPOSES), None)


def effective(who: str, rights: Rights) -> Effective:
    """What `rights` of the source `who` permit. Unknown parts block every purpose but inspection by the source's own stewards."""
    blocks = {Block(who, part, reason) for part, reason in _unknowns(rights)}
    blocks |= {Block(who, "purpose", f"{p} is not among the permitted purposes") for p in PURPOSES if p not in rights.purposes}
    territory = None if ANYWHERE in rights.territory else frozenset(rights.territory)
    expires = from_iso(rights.expires) if rights.expires else None
    purposes = frozenset[Purpose]() if any(b.part != "purpose" for b in blocks) else frozenset(rights.purposes)
    return Effective(purposes, territory, frozenset(rights.duties) | _licence_duties(rights.licence), expires, frozenset(blocks))


def meet(many: Iterable[Effective]) -> Effective:
    """The rights of a mixture: intersection of permissions, union of duties, earliest expiry, all blocks."""
    result = EVERYTHING
    for one in many:
        result = _meet(result, one)
    return result


def _meet(a: Effective, b: Effective) -> Effective:
    return Effective(
        a.purposes & b.purposes,
        b.territory if a.territory is None else a.territory if b.territory is None else a.territory & b.territory,
        a.duties | b.duties,
        min((e for e in (a.expires_ms, b.expires_ms) if e is not None), default=None),
        a.blocks | b.blocks,
    )


def _unknowns(rights: Rights) -> list[tuple[str, str]]:
    """The parts that are unknown or not proved, with the reason in words."""
    found: list[tuple[str, str]] = []
    for field, why in _NEEDS.get(rights.authority, ()):
        if not getattr(rights, field):
            found.append(("authority", f"authority {rights.authority} needs {why}"))
    if rights.authority == "unknown":
        found.append(("authority", "authority over the work is unknown"))
    if rights.personal == "unknown" or rights.personal_state == "unknown":
        found.append(("personal", "whether it holds personal information, and on what ground, is unknown"))
    elif rights.personal == "none" and rights.personal_state != "none":
        found.append(("personal", f"it is {rights.personal_state} but names no ground (PIPL art. 13, GDPR art. 6)"))
    elif rights.personal != "none" and not rights.original_purpose:
        found.append(("personal", "the purpose for which the personal information was collected is not stated"))
    if rights.security == "unknown":
        found.append(("security", "the security class is unknown"))
    if rights.security in ("state-secret", "core"):
        found.append(("security", f"{rights.security} data never enter"))
    return found


_NEEDS: dict[AuthorityKind, tuple[tuple[str, str], ...]] = {
    "public-domain-official": (("article", "the article of law"),),
    "open-licence": (("licence", "an SPDX licence id"),),
    "contract": (("evidence", "the contract as evidence"),),
    "public-data-authorised": (("evidence", "the authorisation as evidence"),),
    "statutory-exception": (("article", "the article of law"), ("opt_out_checked", "the date of the opt-out check")),
    "user-consent": (("evidence", "the consent record as evidence"),),
    "synthetic": (("evidence", "the generator as evidence"),),
}


def _licence_duties(licence: str) -> frozenset[str]:
    """Duties that follow from the SPDX id itself."""
    words = licence.upper().split("-")
    duties = {"BY": "attribution", "SA": "share-alike", "NC": "non-commercial", "ND": "no-derivatives"}
    found = {duty for word, duty in duties.items() if word in words and licence.upper().startswith("CC-")}
    if licence in ("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ODC-By-1.0"):
        found.add("attribution")
    return frozenset(found)


def as_purpose(text: str) -> Purpose:
    """`text`, checked to be a purpose. Raises Invalid with the nearest one."""
    if text not in PURPOSES:
        raise Invalid("bad-purpose", f"{text!r} is no purpose", nearest(text, PURPOSES))
    return text
