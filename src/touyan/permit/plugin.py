"""What a check is, and how it is found: entry point group `touyan.checks`.

A check is a function that measures one thing about the evidence for one rule. Knows nothing of thresholds: a check measures, the
rule judges. Invariant: a check that cannot measure says what is missing; it never guesses and never passes by default.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol, cast

from touyan.core.errors import Missing
from touyan.core.names import nearest
from touyan.permit.evidence import Evidence
from touyan.permit.finding import Finding
from touyan.permit.rulepack import Rule

GROUP = "touyan.checks"


class Check(Protocol):
    """One way to measure."""

    def __call__(self, evidence: Evidence, rule: Rule) -> Finding:
        """Measures. The evidence of the Finding holds counts, digests and document ids; never text of documents."""
        ...


def find_check(name: str) -> Check:
    """The check of that name. Raises Missing with the nearest one."""
    found = {p.name: p for p in entry_points(group=GROUP)}
    if name not in found:
        raise Missing("no-check", f"no check is called {name!r}", nearest(name, found))
    return cast(Check, found[name].load())
