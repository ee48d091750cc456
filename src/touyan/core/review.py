"""Reviews: what is asked, what persons answer, and what the answers come to.

A request names its subject by Asset ids, so it can mean nothing else later. A vote is signed by one person in one review role
that the flow named. Invariant: `outcome` counts persons, not keys; one rejection ends a review; silence is no yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, cast, get_args

from touyan.core.canonical import Json, canonical, parse
from touyan.core.errors import Invalid
from touyan.core.names import nearest

PermitKind: TypeAlias = Literal["project", "trial", "release"]
"""project: before training, where the rule pack asks for it (science, ethics, law) · trial: named testers through the real
service · release: everybody within the scope."""
VoteDecision: TypeAlias = Literal["approve", "reject"]

REQUEST_TYPE = "application/vnd.touyan.review-request+json"
VOTE_TYPE = "application/vnd.touyan.vote+json"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is reviewed, by whole Asset ids; empty where there is none."""

    model: str = ""
    corpus: str = ""
    checks: str = ""
    evaluation: str = ""
    run: str = ""
    """Id of the Run that made them."""

    @property
    def assets(self) -> tuple[str, ...]:
        return tuple(a for a in (self.model, self.corpus, self.checks, self.evaluation) if a)

    def to_json(self) -> dict[str, Json]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What the submitter signs. The review's id is the sha256 of these bytes."""

    project: str
    kind: PermitKind
    subject: Subject
    roles: tuple[str, ...]
    """Review roles that must each approve, as the flow names them, such as `data-reviewer`."""
    quorum: int
    """Least number of persons who approve."""
    submitter: str
    note: str
    at: str

    def to_json(self) -> dict[str, Json]:
        return {"review_request": 1} | asdict(self)


@dataclass(frozen=True, slots=True)
class Vote:
    """What a reviewer signs."""

    review: str
    party: str
    role: str
    """The review role it is cast in; empty where the request names none."""
    decision: VoteDecision
    comment: str
    at: str

    def to_json(self) -> dict[str, Json]:
        return {"vote": 1} | asdict(self)


def outcome(request: ReviewRequest, votes: Iterable[Vote]) -> Literal["approve", "reject"] | None:
    """What the votes come to, as an event of `core.states.REVIEW`; None while more are needed."""
    persons = {v.party: v for v in votes}
    if any(v.decision == "reject" for v in persons.values()):
        return "reject"
    filled = {v.role for v in persons.values()}
    is_enough = len(persons) >= max(request.quorum, 1) and filled.issuperset(request.roles)
    return "approve" if is_enough else None


def open_roles(request: ReviewRequest, votes: Iterable[Vote]) -> tuple[str, ...]:
    """The review roles in which nobody has voted yet, in the order of the request."""
    filled = {v.role for v in votes}
    return tuple(r for r in request.roles if r not in filled)


def request_bytes(request: ReviewRequest) -> bytes:
    return canonical(request.to_json())


def vote_bytes(vote: Vote) -> bytes:
    return canonical(vote.to_json())


def read_request(data: bytes) -> ReviewRequest:
    """Reads canonical bytes. Raises Invalid on any other spelling of them."""
    value = _object(data, "review_request")
    try:
        subject = Subject(**cast("dict[str, str]", value["subject"]))
        roles = tuple(cast("list[str]", value["roles"]))
        texts = {n: str(value[n]) for n in ("project", "submitter", "note", "at")}
        request = ReviewRequest(
            kind=as_permit_kind(str(value["kind"])), subject=subject, roles=roles, quorum=cast(int, value["quorum"]), **texts
        )
    except (KeyError, TypeError) as error:
        raise _bad("review request", error) from error
    _require_exact(request_bytes(request), data)
    return request


def read_vote(data: bytes) -> Vote:
    """Reads canonical bytes. Raises Invalid on any other spelling of them."""
    value = _object(data, "vote")
    try:
        texts = {n: str(value[n]) for n in ("review", "party", "role", "comment", "at")}
        vote = Vote(decision=as_decision(str(value["decision"])), **texts)
    except (KeyError, TypeError) as error:
        raise _bad("vote", error) from error
    _require_exact(vote_bytes(vote), data)
    return vote


def as_permit_kind(text: str) -> PermitKind:
    """`text`, checked. Raises Invalid with the nearest kind."""
    if text not in get_args(PermitKind):
        raise Invalid("bad-permit-kind", f"{text!r} is no kind of permit", nearest(text, get_args(PermitKind)))
    return cast(PermitKind, text)


def as_decision(text: str) -> VoteDecision:
    """`text`, checked. Raises Invalid with the nearest decision."""
    if text not in get_args(VoteDecision):
        raise Invalid("bad-decision", f"{text!r} is no decision", nearest(text, get_args(VoteDecision)))
    return cast(VoteDecision, text)


def _object(data: bytes, version_field: str) -> Mapping[str, Json]:
    value = parse(data)
    if not isinstance(value, Mapping) or value.get(version_field) != 1:
        raise Invalid("bad-record", f"not a {version_field} of version 1", "use a newer Touyan, or ask for the original file")
    return value


def _require_exact(written: bytes, data: bytes) -> None:
    if written != data:
        raise Invalid(
            "bad-record", "the record has fields or a spelling that its format does not know", "ask for the original file"
        )


def _bad(what: str, error: Exception) -> Invalid:
    return Invalid("bad-record", f"not a {what}: {error}", "ask for the original file")
