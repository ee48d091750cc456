"""Rule packs: the rules of a review as data, one YAML file a pack (docs/formats/rulepack.md).

Owns their reading and where the shipped ones lie. A rule names its clause, the plug-in that measures it, a threshold, the kind of
evidence, and how sure we are of the source: official, secondary or memory. Knows nothing of how a check measures. Invariant: a
pack is named by the sha256 of its text, so that a permit can say exactly which rules were applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Missing
from touyan.core.names import nearest

if TYPE_CHECKING:
    from touyan.store.formats.yaml import Location, Marked

FOLDER = Path(__file__).parent / "rulepacks"

Relation: TypeAlias = Literal["at_least", "at_most"]
Blocking: TypeAlias = Literal["fail", "unless-passed", "never"]
"""fail: a failed check refuses the permit · unless-passed: so does one that could not be measured · never: for the record."""

_SIGNS: dict[str, str] = {"at_least": "≥", "at_most": "≤"}
_WORDS: dict[str, tuple[str, ...]] = {
    "evidence": ("measured", "documents", "people", "question-bank", "keyword-library"),
    "confidence": ("official", "secondary", "memory"),
    "blocks": ("fail", "unless-passed", "never"),
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a measured value must reach."""

    relation: Relation
    value: str
    """Decimal text, as the source gives it."""

    def holds(self, measured: float) -> bool:
        limit = float(self.value)
        return measured >= limit if self.relation == "at_least" else measured <= limit

    def __str__(self) -> str:
        return f"{_SIGNS[self.relation]} {self.value}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement."""

    id: str
    clause: str
    check: str
    """Name of the plug-in that measures it, in the entry point group `touyan.checks`."""
    threshold: Threshold
    evidence: str
    confidence: str
    blocks: Blocking
    text: Text
    params: Mapping[str, str]
    """What the check is told, such as the least size of a sample; numbers as decimal texts."""

    def number(self, name: str, default: float) -> float:
        return float(self.params.get(name, default))


@dataclass(frozen=True, slots=True)
class RulePack:
    """A pack as read from its text."""

    id: str
    version: str
    title: Text
    sources: tuple[str, ...]
    """The documents that the rules come from."""
    rules: tuple[Rule, ...]
    is_demo: bool
    quorum: int
    """Least number of persons who must approve a review under this pack."""
    needs_project_permit: bool
    text: str

    @property
    def sha256(self) -> str:
        return sha256_hex(self.text.encode())


def project_permit_needed(pack: RulePack) -> bool:
    """Whether training must wait for a permit of the kind `project` (science, ethics and law reviewed first)."""
    return pack.needs_project_permit


def shipped() -> dict[str, Path]:
    """The packs that come with Touyan, by name."""
    return {p.stem: p for p in sorted(FOLDER.glob("*.yaml"))}


def find_pack(name: str) -> RulePack:
    """A shipped pack by name. Raises Missing with the nearest name."""
    known = shipped()
    if name not in known:
        raise Missing("no-rule-pack", f"there is no rule pack {name!r}", nearest(name, known))
    return load_pack(known[name])


def read_pack(text: str) -> RulePack:
    """Reads a pack from its text, as an Asset of kind checks keeps it. Raises Invalid with the line."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rulepack.yaml"
        path.write_text(text, encoding="utf-8")
        return load_pack(path)


def load_pack(path: Path) -> RulePack:
    """Reads and checks a pack. Raises Invalid with file, line and the nearest valid word."""
    from touyan.store.formats.yaml import read_yaml

    marked = read_yaml(path)
    value = _mapping(marked, (), _PACK)
    rules = cast("list[object]", value.get("rules") or [])
    if value["rule_pack"] != 1 or not isinstance(rules, list) or not rules:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise marked.error(("rules",), "a rule pack of version 1 has a list of rules", "see docs/formats/rulepack.md")
    read = tuple(_rule(marked, ("rules", i)) for i in range(len(rules)))
    ids = [r.id for r in read]
    twice = next((i for i, r in enumerate(ids) if r in ids[:i]), None)
    if twice is not None:
        raise marked.error(("rules", twice, "id"), f"the id {ids[twice]!r} is given twice", "give each rule its own id")
    return RulePack(
        id=str(value["id"]), version=str(value["version"]), title=_text(marked, ("title",)), rules=read, text=marked.text,
        sources=tuple(map(str, cast("list[object]", value["sources"]))), is_demo=bool(value.get("demo", False)),
        quorum=int(str(value.get("quorum", 1))), needs_project_permit=bool(value.get("project_permit", False)),
    )  # fmt: skip


# Fields, and whether each is needed.
_PACK: dict[str, bool] = {
    "rule_pack": True, "id": True, "version": True, "title": True, "sources": True, "rules": True,
    "demo": False, "quorum": False, "project_permit": False,
}  # fmt: skip
_RULE: dict[str, bool] = {
    "id": True, "clause": True, "check": True, "threshold": True, "evidence": True, "confidence": True, "blocks": True,
    "text": True, "params": False,
}  # fmt: skip


def _rule(marked: Marked, place: Location) -> Rule:
    value = _mapping(marked, place, _RULE)
    for name, words in _WORDS.items():
        if value[name] not in words:
            raise marked.error((*place, name), f"{value[name]!r} is not known", nearest(str(value[name]), words))
    params = cast("Mapping[str, object]", value.get("params") or {})
    texts = {name: str(value[name]) for name in ("id", "clause", "check", "evidence", "confidence")}
    return Rule(
        **texts,
        threshold=_threshold(marked, (*place, "threshold")),
        blocks=cast(Blocking, value["blocks"]),
        text=_text(marked, (*place, "text")),
        params={k: str(v) for k, v in params.items()},
    )


def _threshold(marked: Marked, place: Location) -> Threshold:
    value = _mapping(marked, place, dict.fromkeys(_SIGNS, False))
    if len(value) != 1:
        raise marked.error(place, "give exactly one of at_least and at_most", 'write `threshold: {at_least: "0.96"}`')
    relation, limit = next(iter(value.items()))
    try:
        float(str(limit))
    except ValueError as error:
        raise marked.error((*place, relation), f"{limit!r} is no number", 'write it as a decimal text: "0.96"') from error
    return Threshold(cast(Relation, relation), str(limit))


def _text(marked: Marked, place: Location) -> Text:
    value = _mapping(marked, place, {"zh": True, "en": True})
    return Text(str(value["zh"]), str(value["en"]))


def _mapping(marked: Marked, place: Location, fields: Mapping[str, bool]) -> Mapping[str, object]:
    """The mapping at `place`, with no field but those of `fields` and all that are needed."""
    value = marked.value
    for part in place:
        value = value[part]
    if not isinstance(value, dict):
        raise marked.error(place, "must be a mapping", f"give: {', '.join(fields)}")
    found = cast("dict[str, object]", value)
    for name in found:
        if name not in fields:
            raise marked.error((*place, name), f"{name!r} is not a field here", nearest(name, fields))
    for name, is_needed in fields.items():
        if is_needed and name not in found:
            raise marked.error(place, f"the field {name!r} is missing", f"add `{name}:`")
    return found
