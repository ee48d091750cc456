"""Binding a service to a new model: the new one first, then the one before it, then people only.

Knows the order, nothing of permits: whether a target may be served is asked when it is served. Invariant: binding the same model
again changes nothing.
"""

from __future__ import annotations

from touyan.core.errors import Missing
from touyan.core.party import Actor
from touyan.store.home import Store
from touyan.store.services import HUMANS_ONLY, Service


def bind(store: Store, actor: Actor, name: str, model: str) -> Service:
    """Puts `model` at the head of the service's list, before the model that was there. Raises Refused, Missing, Invalid."""
    try:
        bound = store.services.get(actor.project, name)
    except Missing:
        return store.services.bind(actor, name, [model])
    first = bound.targets[0]
    if first == model:
        return bound
    return store.services.bind(actor, name, [model] if first == HUMANS_ONLY else [model, first])
