"""The project permit: training waits for it where the flow's rule pack asks for a review of science, ethics and law first.

Knows which pack a flow checks against; whether a permit is in force, the store knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from touyan.core.party import Actor
from touyan.permit.check import STEP, CheckParams
from touyan.permit.rulepack import find_pack, project_permit_needed, read_pack
from touyan.store.home import Store


class Planned(Protocol):
    """A step of a flow, as far as this needs it."""

    @property
    def spec(self) -> Any: ...
    @property
    def params(self) -> Any: ...


def require_project_permit(store: Store, actor: Actor, steps: Iterable[Planned]) -> None:
    """Passes where no rule pack of the flow asks for a project permit, or one is in force. Raises Refused."""
    if any(_asks(step.params) for step in steps if step.spec.name == STEP.name):
        store.permits.require_project(actor.project)


def _asks(params: CheckParams) -> bool:
    pack = read_pack(params.rule_pack_text) if params.rule_pack_text else find_pack(params.rule_pack)
    return project_permit_needed(pack)
