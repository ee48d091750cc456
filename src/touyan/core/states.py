"""The state machines, as tables {state: {event: next state}}, and the one function that moves them.

Docs draw their diagrams from these tables and the property tests walk them. Invariant: a state without exits is final, and
no other code decides what follows what.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

from touyan.core.errors import Conflict

Table: TypeAlias = dict[str, dict[str, str]]

JobState = Literal["waiting", "placed", "done", "failed", "cancelled"]
AttemptState = Literal["claimed", "running", "unreachable", "succeeded", "failed", "lost", "cancelled", "expired"]
ReviewState = Literal["draft", "submitted", "approved", "rejected", "withdrawn"]
PermitState = Literal["valid", "suspended", "revoked", "expired"]
TaskState = Literal["open", "assigned", "labelled", "reviewed", "redo", "void"]
SiteState = Literal["invited", "open", "draining", "left"]

JOB: Table = {
    "waiting": {"place": "placed", "cancel": "cancelled", "give-up": "failed"},
    "placed": {"finish": "done", "retry": "waiting", "give-up": "failed", "cancel": "cancelled"},
    "done": {},
    "failed": {"again": "waiting"},
    "cancelled": {"again": "waiting"},
}

ATTEMPT: Table = {
    # A claim that is not started expires; a running Attempt whose agent is silent is UNREACHABLE, which is not failed.
    "claimed": {"start": "running", "expire": "expired", "cancel": "cancelled", "fail": "failed", "lose": "lost"},
    "running": {"finish": "succeeded", "fail": "failed", "silence": "unreachable", "cancel": "cancelled", "lose": "lost"},
    "unreachable": {"return": "running", "lose": "lost", "cancel": "cancelled", "finish": "succeeded", "fail": "failed"},
    "succeeded": {},
    "failed": {},
    "lost": {},
    "cancelled": {},
    "expired": {},
}

REVIEW: Table = {
    "draft": {"submit": "submitted", "withdraw": "withdrawn"},
    "submitted": {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"},
    "approved": {},
    "rejected": {},
    "withdrawn": {},
}

PERMIT: Table = {
    "valid": {"suspend": "suspended", "revoke": "revoked", "expire": "expired"},
    "suspended": {"resume": "valid", "revoke": "revoked", "expire": "expired"},
    "revoked": {},
    "expired": {},
}

TASK: Table = {
    "open": {"assign": "assigned", "void": "void"},
    "assigned": {"label": "labelled", "release": "open", "void": "void"},
    "labelled": {"accept": "reviewed", "refuse": "redo", "void": "void"},
    "redo": {"assign": "assigned", "void": "void"},
    "reviewed": {"void": "void"},
    "void": {},
}

SITE: Table = {
    # A site that lost its secret joins again under a new token, and stays what it was.
    "invited": {"join": "open", "leave": "left"},
    "open": {"join": "open", "drain": "draining", "leave": "left"},
    "draining": {"join": "draining", "open": "open", "leave": "left"},
    "left": {},
}

TABLES: dict[str, Table] = {"job": JOB, "attempt": ATTEMPT, "review": REVIEW, "permit": PERMIT, "task": TASK, "site": SITE}


def advance(machine: str, state: str, event: str) -> str:
    """The state after `event`. Raises Conflict where the table has no such exit."""
    exits = TABLES[machine][state]
    if event not in exits:
        may = ", ".join(exits) or "nothing: the state is final"
        raise Conflict("bad-transition", f"a {machine} that is {state} cannot {event}", f"it may: {may}")
    return exits[event]


def is_final(machine: str, state: str) -> bool:
    """Whether nothing can follow `state`."""
    return not TABLES[machine][state]


def as_job_state(text: str) -> JobState:
    """`text`, checked to be a Job state."""
    if text not in JOB:
        raise Conflict("bad-state", f"{text!r} is no state of a job", "the database is newer than this program: upgrade")
    return cast(JobState, text)
