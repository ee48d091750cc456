"""Checks that need people, question banks or keyword libraries: they abstain and say what is missing.

A manual sample is at least drawn, so that the persons who judge it know which documents to read.
"""

from __future__ import annotations

from touyan.core.canonical import digest
from touyan.permit.evidence import Evidence
from touyan.permit.finding import Finding, missing
from touyan.permit.rulepack import Rule


def manual_sample(evidence: Evidence, rule: Rule) -> Finding:
    """Draws the sample that persons have to judge, and abstains until they have."""
    sample = evidence.sample(int(rule.number("least", 4000)))
    what = f"persons have to judge {len(sample.ids)} documents drawn with seed {sample.seed}"
    return missing(what, **sample.to_json(), sample_sha256=digest(sorted(sample.ids)))


def not_measured(evidence: Evidence, rule: Rule) -> Finding:
    """Abstains; the rule's param `missing` says what it would need."""
    return missing(rule.params.get("missing", "this is not measured here"))
