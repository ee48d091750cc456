"""Which matcher decides: the one place where it is named, for the hub and for a local site that runs without one."""

from __future__ import annotations

from touyan.compute.hub.first_fit import first_fit
from touyan.compute.hub.placing import Matcher


def matcher() -> Matcher:
    """The matcher of every store."""
    return first_fit
