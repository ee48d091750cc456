"""Which matcher decides: the one place where it is named, for the hub and for a local site that runs without one."""

from __future__ import annotations

from touyan.compute.hub.placing import Matcher
from touyan.compute.matching.place import SiteMatcher


def matcher() -> Matcher:
    """The matcher of every store; a new one has learnt nothing yet."""
    return SiteMatcher()
