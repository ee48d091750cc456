"""The form of a text in which two texts count as the same: width, case and white space do not matter.

Owns that one comparison, which exact duplicates and the split share. Knows nothing about documents. Invariant: it is used to
compare and never to rewrite, because folding the width of ，：（） would damage Chinese text.
"""

from __future__ import annotations

import hashlib
import unicodedata

DIGEST_BYTES = 16


def normalised(text: str) -> str:
    """NFKC, case folded, without white space."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def digest(text: str) -> bytes:
    """16 bytes of BLAKE2b over the normalised text: among 10^12 documents, a chance collision has odds below 10^-14."""
    return hashlib.blake2b(normalised(text).encode(), digest_size=DIGEST_BYTES).digest()
