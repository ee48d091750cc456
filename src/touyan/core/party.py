"""Parties, Actors and roles.

A Party is a person or an organisation, enrolled under an organisation's root key. A person may hold several keys; votes count
persons. An Actor is a Party acting in a project with roles; every store call takes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from touyan.core.errors import Invalid
from touyan.core.names import nearest

PartyKind: TypeAlias = Literal["person", "organisation", "machine"]
Role: TypeAlias = Literal["owner", "steward", "engineer", "reviewer", "officer", "auditor", "agent", "server", "user"]
"""owner: runs the project · steward: data and rights · engineer: submits runs · reviewer: votes · officer: issues permits ·
auditor: reads everything · agent: a site's machine · server: a serving machine · user: calls a service and gives feedback."""
Verb: TypeAlias = Literal[
    "inspect", "gather", "state", "refine", "train", "evaluate", "retrieve", "redistribute", "annotate", "submit", "claim",
    "review", "permit", "serve", "call", "learn", "withdraw", "enrol", "log", "backup",
]  # fmt: skip

ROLES: tuple[Role, ...] = get_args(Role)
VERBS: tuple[Verb, ...] = get_args(Verb)
DEFAULT_PROJECT = "default"


@dataclass(frozen=True, slots=True)
class Party:
    """A person, organisation or machine."""

    id: str
    kind: PartyKind
    name: str
    organisation: str
    """Id of the organisation under whose root key it is enrolled; its own id for an organisation."""
    is_demo: bool = False
    """A party that exists for demonstrations: what it signs is marked `demo: true`."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A Party acting in a project with roles."""

    party: str
    project: str
    roles: frozenset[Role]


def as_role(text: str) -> Role:
    """`text`, checked to be a role. Raises Invalid with the nearest one."""
    for role in ROLES:
        if role == text:
            return role
    raise Invalid("bad-role", f"{text!r} is no role", nearest(text, ROLES))
