"""Permits: the organisation's signed decision, as an in-toto Statement v1 with our predicate, and when it holds.

Knows the bytes and the conditions; nothing of where permits are kept, who may issue one, or cryptography. A permit is nobody's
licence or filing: an authority's number and date stand beside it. Invariant: a permit read from bytes writes the same bytes, so
every field that was signed is a field that is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, cast, get_args

from touyan.core.canonical import Json, canonical, parse
from touyan.core.errors import Invalid
from touyan.core.names import nearest
from touyan.core.review import PermitKind, as_permit_kind

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:touyan:permit:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

Audience: TypeAlias = Literal["named-testers", "internal", "public"]
"""From narrow to wide; a wider one includes the narrower. public: art. 2 of the Interim Measures of 2023 (生成式人工智能服务管理
暂行办法) makes a service to the public in mainland China subject to them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom, for what and where a model may be served."""

    audience: Audience = "internal"
    domain: str = ""
    """Such as `law`; empty: any."""
    sites: tuple[str, ...] = ()
    """Sites that may serve it; empty: all of the organisation's."""
    testers: tuple[str, ...] = ()
    """Parties that may use it, for the audience `named-testers` and under every trial permit."""


@dataclass(frozen=True, slots=True)
class Use:
    """What somebody wants to serve a model for. What a scope restricts, a use must state."""

    audience: Audience = "internal"
    domain: str = ""
    site: str = ""
    tester: str = ""


@dataclass(frozen=True, slots=True)
class RulePackRef:
    """Which rules were applied: the digest is that of the pack's text."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    id: str
    outcome: str
    """pass, fail or abstain."""
    value: str
    """Decimal text; empty where nothing could be measured."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the evaluation: numbers as decimal texts, the interval with its level."""

    task: str
    metric: str
    model: str
    value: str
    low: str
    high: str
    level: str
    n: str
    unit: str
    better: str


@dataclass(frozen=True, slots=True)
class Winner:
    """Who won a task, in words; it need not be the model that is permitted."""

    task: str
    model: str
    statement: str


@dataclass(frozen=True, slots=True)
class VoteRef:
    """A vote that the decision rests on."""

    party: str
    role: str
    decision: str
    key_id: str
    vote_sha256: str
    """sha256 of the signed vote."""


@dataclass(frozen=True, slots=True)
class LogRef:
    """The evidence log at the time of the decision, and the key that signs its heads."""

    origin: str
    size: int
    root: str
    key_id: str
    public_hex: str


@dataclass(frozen=True, slots=True)
class Filing:
    """An authority's own number, recorded beside the permit and never replaced by it."""

    authority: str
    number: str
    date: str


@dataclass(frozen=True, slots=True)
class Permit:
    """The predicate, with the subjects that the Statement names."""

    number: str
    """`TY-2026-000001`."""
    kind: PermitKind
    project: str
    organisation: str
    officer: str
    """The Party that decided."""
    model: str
    """Id, that is the manifest digest; empty only in a project permit."""
    corpus: str
    checks: str
    evaluation: str
    review: str
    submitter: str
    rule_pack: RulePackRef | None
    """None only in a project permit."""
    outcomes: tuple[CheckOutcome, ...]
    measures: tuple[Measure, ...]
    winners: tuple[Winner, ...]
    votes: tuple[VoteRef, ...]
    log: LogRef | None
    scope: Scope
    conditions: tuple[str, ...]
    filings: tuple[Filing, ...]
    issued_at: str
    expires_at: str
    demo: bool
    """A voter, the submitter, the officer or the rule pack exists for demonstrations."""

    def to_json(self) -> dict[str, Json]:
        """The in-toto Statement."""
        named = (("model", self.model), ("corpus", self.corpus)) if self.model else (("review", self.review),)
        subject: list[Json] = [{"name": n, "digest": {"sha256": d}} for n, d in named if d]
        return {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": PREDICATE_TYPE, "predicate": asdict(self)}


def permit_bytes(permit: Permit) -> bytes:
    return canonical(permit.to_json())


def read_permit(data: bytes) -> Permit:
    """Reads the canonical bytes of the Statement. Raises Invalid on anything that would not be written the same."""
    try:
        statement = cast("Mapping[str, Mapping[str, Json]]", parse(data))
        permit = _from_json(dict(statement["predicate"]))
        is_exact = permit_bytes(permit) == data
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid("bad-permit", f"not a permit: {error}", "ask the organisation for the original file") from error
    if not is_exact:
        raise Invalid("bad-permit", "the permit has fields or a spelling that its format does not know", "use a newer Touyan")
    return permit


def _from_json(value: dict[str, Json]) -> Permit:
    fields: dict[str, object] = dict(value)
    for name, record in _LISTS.items():
        fields[name] = tuple(record(**item) for item in cast("list[dict[str, object]]", value[name]))
    for name, record in _RECORDS.items():
        fields[name] = None if value[name] is None else record(**cast("dict[str, object]", value[name]))
    scope = cast("dict[str, str]", value["scope"])
    lists = {n: tuple(scope[n]) for n in ("sites", "testers")}
    fields["scope"] = Scope(as_audience(scope["audience"]), scope["domain"], **lists)
    fields["conditions"] = tuple(cast("list[str]", value["conditions"]))
    fields["kind"] = as_permit_kind(str(value["kind"]))
    return Permit(**fields)  # type: ignore[arg-type]


_LISTS: dict[str, Callable[..., object]] = {
    "outcomes": CheckOutcome,
    "measures": Measure,
    "winners": Winner,
    "votes": VoteRef,
    "filings": Filing,
}
_RECORDS: dict[str, Callable[..., object]] = {"rule_pack": RulePackRef, "log": LogRef}


def as_audience(text: str) -> Audience:
    """`text`, checked. Raises Invalid with the nearest one."""
    if text not in get_args(Audience):
        raise Invalid("bad-audience", f"{text!r} is no audience", nearest(text, get_args(Audience)))
    return cast(Audience, text)


def why_not(permit: Permit, model: str, use: Use, at: str, *, allow_demo: bool = False) -> str:
    """The first reason why `permit` does not cover serving `model` for `use` at the ISO time `at`; empty where it does."""
    if permit.kind == "project":
        return "a project permit lets a model be trained, not served"
    if permit.model != model:
        return f"it is for another model, {permit.model[:12]}"
    if at < permit.issued_at:
        return f"it holds only from {permit.issued_at}"
    if at >= permit.expires_at:
        return f"it expired at {permit.expires_at}"
    if permit.demo and not allow_demo:
        return "it is a demonstration permit: only `touyan serve --demo` on a loopback address accepts it"
    is_for_testers = permit.kind == "trial" or permit.scope.audience == "named-testers"
    if is_for_testers and use.tester not in permit.scope.testers:
        return "it is for named testers, and this user is none of them"
    return outside(permit.scope, use)


def outside(scope: Scope, use: Use) -> str:
    """Why `use` lies outside `scope`; empty where it lies within."""
    widths = get_args(Audience)
    if widths.index(use.audience) > widths.index(scope.audience):
        return f"it is for {scope.audience} use, and this service is {use.audience}"
    if scope.domain and use.domain != scope.domain:
        return f"it is for the domain {scope.domain!r}, not for {use.domain!r}"
    if scope.sites and use.site not in scope.sites:
        return f"it is for the sites {', '.join(scope.sites)}, not for {use.site!r}"
    return ""
