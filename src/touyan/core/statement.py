"""Statements: append-only, dated, signed claims about an Asset, and their fold into its standing at a moment.

Whatever can change about an Asset is a Statement: owner, rights, the Job that made it, certificate, withdrawal. None is ever
edited; a later one of the same kind takes over. Invariant: the standing at time t depends only on the Statements recorded up
to t, in the order of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast, get_args

from touyan.core.canonical import Json, canonical, digest, parse
from touyan.core.errors import Invalid
from touyan.core.rights import Rights, rights_from_json
from touyan.core.seam import from_iso, iso

StatementKind: TypeAlias = Literal["owner", "rights", "name", "made-by", "certificate", "withdrawal", "lift", "erased", "status"]
Effect: TypeAlias = Literal["no-new-use", "stop-serving", "erase"]
Selector: TypeAlias = Literal["source", "document", "subject"]
KINDS: tuple[StatementKind, ...] = get_args(StatementKind)
EFFECTS: tuple[Effect, ...] = ("no-new-use", "stop-serving", "erase")

PAYLOAD_TYPE = "application/vnd.touyan.statement+json"


@dataclass(frozen=True, slots=True)
class Statement:
    """One claim. It is signed over `statement_bytes(statement)` in a DSSE envelope of type PAYLOAD_TYPE."""

    project: str
    asset: str
    kind: StatementKind
    body: Mapping[str, Json]
    party: str
    at: str
    """UTC, ISO 8601, when it was made."""

    def to_json(self) -> dict[str, Json]:
        names = ("project", "asset", "kind", "body", "party", "at")
        return {"statement": 1} | {n: cast(Json, getattr(self, n)) for n in names}


def statement_bytes(statement: Statement) -> bytes:
    return canonical(statement.to_json())


def statement_id(statement: Statement) -> str:
    return digest(statement.to_json())


def read_statement(data: bytes) -> Statement:
    """Reads the bytes of a Statement, whatever its body holds; `check_statement` looks into that. Raises Invalid."""
    value = parse(data)
    if not isinstance(value, Mapping) or value.get("statement") != 1:
        raise Invalid("bad-statement", "not a Statement of version 1", "use a newer Touyan")
    try:
        body = cast(Mapping[str, Json], value["body"])
        kind = cast(StatementKind, value["kind"])
        return Statement(str(value["project"]), str(value["asset"]), kind, body, str(value["party"]), str(value["at"]))
    except KeyError as error:
        raise Invalid("bad-statement", f"the field {error} is missing", "restore the record from a backup") from error


def check_statement(statement: Statement) -> Statement:
    """`statement` if every fold can read it: known kind, a time as this program writes it, the fields of its body. Raises Invalid."""
    try:
        if statement.kind not in KINDS or iso(from_iso(statement.at)) != statement.at:
            raise Invalid(
                "bad-statement", f"kind {statement.kind!r} at {statement.at!r} is unknown", "write UTC with milliseconds and Z"
            )
        if statement.kind == "withdrawal" and withdrawal_of(statement).effect not in EFFECTS:
            raise Invalid("bad-statement", f"{statement.body['effect']!r} is no effect", f"use one of: {', '.join(EFFECTS)}")
        fold([statement])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Invalid(
            "bad-statement", f"the body of a {statement.kind} lacks {error}", "see docs/formats/statement.md"
        ) from error
    return statement


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawal as it stands against one Asset."""

    id: str
    """Its name in the store: 64 hex digits, the same on every Asset that it reached."""
    selector: Selector
    value: str
    """A source `provider/name`, a doc_id, or the pseudonym of a subject."""
    effect: Effect
    deadline: str
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for an Asset at a moment, by its own Statements."""

    owner: str = ""
    rights: Rights | None = None
    names: frozenset[str] = frozenset()
    withdrawals: Mapping[str, Withdrawal] = field(default_factory=dict[str, Withdrawal])
    is_erased: bool = False
    status: str = ""


def fold(statements: Iterable[Statement], at: str = "9999") -> Standing:
    """The standing at time `at` (ISO; the default is the end of time) from Statements in the order of the store."""
    owner, status, rights, erased = "", "", None, False
    names: set[str] = set()
    withdrawals: dict[str, Withdrawal] = {}
    for statement in statements:
        if statement.at > at:
            continue
        body = statement.body
        match statement.kind:
            case "owner":
                owner = str(body["party"])
            case "rights":
                rights = rights_from_json(cast(Mapping[str, Json], body["rights"]))
            case "name":
                names.add(str(body["name"]))
            case "withdrawal":
                withdrawal = withdrawal_of(statement)
                withdrawals[withdrawal.id] = withdrawal
            case "lift":
                withdrawals.pop(str(body["withdrawal"]), None)
            case "erased":
                erased = True
            case "status":
                status = str(body["status"])
            case "made-by" | "certificate":
                pass
    return Standing(owner, rights, frozenset(names), withdrawals, erased, status)


def withdrawal_of(statement: Statement) -> Withdrawal:
    """The Withdrawal that a Statement of that kind holds. A reached descendant repeats the id of the first Statement."""
    body = statement.body
    identifier = str(body.get("withdrawal") or statement_id(statement))
    selector, effect = cast(Selector, body["selector"]), cast(Effect, body["effect"])
    return Withdrawal(identifier, selector, str(body["value"]), effect, str(body["deadline"]), str(body["reason"]))
