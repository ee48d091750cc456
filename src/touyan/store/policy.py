"""Policy decisions: may this Actor do this to that? Cedar over `policy.cedar`; deny by default.

Knows roles, verbs and projects; the rights of data are decided in `gate.py`. Every answer names the policy that decided it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import cedarpy

from touyan.core.errors import Invalid, Refused
from touyan.core.names import nearest
from touyan.core.party import VERBS, Actor, Verb

_SINGLES = 'Thing::"'
"""How a policy would name one thing. While none does, what is decided for one of a kind is decided for all."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What is acted on, as the policy sees it."""

    kind: str
    """An Asset kind, or job, run, review, permit, service, party, project, log."""
    id: str
    project: str
    submitter: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with the policies that made it."""

    is_allowed: bool
    policies: tuple[str, ...]


def decide(actor: Actor, verb: Verb, thing: Thing) -> Decision:
    """The decision, a pure function of its arguments. Raises Invalid on a verb that is none: it becomes part of the question."""
    return _decided(actor, verb, thing if _SINGLES in _policies() else replace(thing, id="any"))


@lru_cache(4096)
def _decided(actor: Actor, verb: Verb, thing: Thing) -> Decision:
    """Cedar's answer: about 2 ms, of which most is reading the policies."""
    if verb not in VERBS:
        raise Invalid("bad-verb", f"{str(verb)[:40]!r} is no verb of the policy", nearest(str(verb)[:40], VERBS))
    request = {
        "principal": f'Party::"{_plain(actor.party)}"',
        "action": f'Action::"{verb}"',
        "resource": f'Thing::"{_plain(thing.id)}"',
        "context": {},
    }
    principal = {
        "uid": {"__entity": {"type": "Party", "id": _plain(actor.party)}},
        "attrs": {"party": actor.party, "project": actor.project, "roles": sorted(actor.roles)},
        "parents": [],
    }
    attributes = {"kind": thing.kind, "project": thing.project} | ({"submitter": thing.submitter} if thing.submitter else {})
    resource = {"uid": {"__entity": {"type": "Thing", "id": _plain(thing.id)}}, "attrs": attributes, "parents": []}
    answer = cedarpy.is_authorized(request, _policies(), [principal, resource])
    names = _names()
    return Decision(answer.allowed, tuple(sorted(names.get(r, r) for r in answer.diagnostics.reasons)))


def require(actor: Actor, verb: Verb, thing: Thing) -> Decision:
    """The decision where it is yes. Raises Refused with the policy that said no."""
    decision = decide(actor, verb, thing)
    if decision.is_allowed:
        return decision
    why = f"by policy {', '.join(decision.policies)}" if decision.policies else f"none of the roles {_words(actor)} permits it"
    raise Refused(
        "not-permitted", f"{actor.party} may not {verb} the {thing.kind} {thing.id[:40]}: {why}",
        "act as a party that may (touyan party list), or ask the owner of the project for a role",
    )  # fmt: skip


def _words(actor: Actor) -> str:
    return ", ".join(sorted(actor.roles)) or "(no role)"


def _plain(identifier: str) -> str:
    """An id that is safe inside a quoted Cedar entity: other characters are spelt out, so that no two ids become one."""
    return "".join(c if (c.isascii() and c.isalnum()) or c in "-_/.:@" else f"%{ord(c):x};" for c in identifier)


@cache
def _policies() -> str:
    return (Path(__file__).parent / "policy.cedar").read_text()


@cache
def _names() -> dict[str, str]:
    """Cedar numbers policies in the order of the file; this maps `policy0` to its @id."""
    found = [line.split('"')[1] for line in _policies().splitlines() if line.startswith("@id(")]
    return {f"policy{i}": name for i, name in enumerate(found)}
