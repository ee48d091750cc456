"""Checks of what is written down about each document: rights, origin, label.

Full counts over the released documents. Knows column names only; whether the rights permit anything is the gate's to say.
"""

from __future__ import annotations

import re

from touyan.permit.evidence import Evidence
from touyan.permit.finding import Finding, full_count
from touyan.permit.rulepack import Rule

_DIGEST = re.compile(r"[0-9a-f]{64}")
NAMED = 20
"""Documents that a finding names at most."""


def rights_recorded(evidence: Evidence, rule: Rule) -> Finding:
    """Share of documents that name the digest of a rights record."""
    return _share(evidence, "rights")


def source_traced(evidence: Evidence, rule: Rule) -> Finding:
    """Share of documents with a source, a key within it, and the digest of the raw bytes."""
    return _share(evidence, "raw_sha256", "source", "natural_key")


def label_coverage(evidence: Evidence, rule: Rule) -> Finding:
    """Share of documents with a class label."""
    labels = [label for (label,) in evidence.rows("label")]
    return full_count(sum(1 for label in labels if label), len(labels), labels=len({label for label in labels if label}))


def released_documents(evidence: Evidence, rule: Rule) -> Finding:
    """Number of released documents."""
    n = sum(1 for _ in evidence.rows("doc_id"))
    return Finding(float(n), float(n), float(n), n, {"frame": n})


def _share(evidence: Evidence, digest_column: str, *text_columns: str) -> Finding:
    good, n, lacking = 0, 0, list[str]()
    for doc_id, digest, *texts in evidence.rows("doc_id", digest_column, *text_columns):
        n += 1
        if all(texts) and _DIGEST.fullmatch(digest or ""):
            good += 1
        elif len(lacking) < NAMED:
            lacking.append(doc_id)
    return full_count(good, n, lacking=lacking)
