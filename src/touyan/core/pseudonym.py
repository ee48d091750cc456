"""Pseudonyms of persons: keyed digests that say "the same person" and nothing else.

Owned here because every room that meets a person's identifier must arrive at the same pseudonym, or a withdrawal would miss
documents. Knows nothing about where the secret key lives. Invariant: without the key nobody can test a guess
(HMAC-SHA256, RFC 2104; EDPB guidelines 01/2025 on pseudonymisation, and GB/T 37964-2019 on keyed de-identification).
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from touyan.core.errors import Invalid

KEY_VARIABLE = "TOUYAN_PSEUDONYM_KEY"
"""Environment variable in which the agent hands the key to a step. Never a parameter: parameters are published."""
MIN_KEY_BYTES = 16
PSEUDONYM_DIGITS = 32


def pseudonym(key: bytes, identifier: str) -> str:
    """32 hex digits for `identifier`, the same for full-width and half-width spelling, case and blanks. Raises Invalid on a weak key."""
    if len(key) < MIN_KEY_BYTES:
        raise Invalid("weak-key", f"the pseudonym key has under {MIN_KEY_BYTES} bytes", f"set {KEY_VARIABLE} to 32 random hex digits")
    plain = "".join(unicodedata.normalize("NFKC", identifier).casefold().split())
    return hmac.new(key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:PSEUDONYM_DIGITS]
