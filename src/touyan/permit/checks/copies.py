"""Checks of copies: duplicates left in the release, and test documents that stand verbatim in training.

Texts are compared by digests of a folded form (NFKC, case, white space), so that a change of width hides nothing. Memory is 16
bytes for each document.
"""

from __future__ import annotations

import hashlib
import unicodedata

from touyan.permit.evidence import Evidence
from touyan.permit.finding import Finding, full_count, missing
from touyan.permit.rulepack import Rule

NAMED = 20


def duplicates_left(evidence: Evidence, rule: Rule) -> Finding:
    """Share of released documents whose text stands in an earlier one too."""
    seen: set[bytes] = set()
    copies: list[str] = []
    n = 0
    for doc_id, text in evidence.rows("doc_id", "text"):
        n += 1
        digest = folded_digest(text)
        if digest in seen:
            copies.append(doc_id)
        seen.add(digest)
    return full_count(len(copies), n, documents=copies[:NAMED])


def held_out_contamination(evidence: Evidence, rule: Rule) -> Finding:
    """Share of test documents whose text stands verbatim in a training document."""
    training = {folded_digest(text) for text, split in evidence.rows("text", "split") if split == "train"}
    tested = [
        (doc_id, folded_digest(text)) for doc_id, text, split in evidence.rows("doc_id", "text", "split") if split == "test"
    ]
    if not tested:
        return missing("nothing was held out: the corpus has no test split")
    found = [doc_id for doc_id, digest in tested if digest in training]
    return full_count(len(found), len(tested), documents=found[:NAMED], training=len(training))


def folded_digest(text: str) -> bytes:
    """16 bytes of BLAKE2b, equal for texts that differ in width, case and white space only."""
    plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).digest()
