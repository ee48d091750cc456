"""Data packs: weights and word lists that an operator reads, the shipped ones by name and anybody's by path.

Owns where a pack is and its digest. Knows nothing about what packs hold. Invariant: a recipe may pin the digest of a pack, and
a pack that differs from it is refused.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from touyan.core.errors import Conflict, Missing
from touyan.core.names import nearest

SHIPPED = Path(__file__).parent / "packs"
DIGEST_CHARS = 16


def pack_path(pack: str, suffix: str) -> Path:
    """The file of a pack: of a shipped one by its name, of any other by its path. Raises Missing where there is none."""
    shipped = SHIPPED / f"{pack}{suffix}"
    path = shipped if "/" not in pack and shipped.is_file() else Path(pack)
    if not path.is_file():
        names = sorted(found.name.removesuffix(suffix) for found in SHIPPED.glob(f"*{suffix}"))
        raise Missing(
            "no-such-pack", f"there is no data pack {pack!r}", f"give the path of a {suffix} file; {nearest(pack, names)}"
        )
    return path


def digest_of(path: Path) -> str:
    """The first DIGEST_CHARS hex digits of the sha256 of a pack."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_CHARS]


def pinned(path: Path, wanted: str) -> str:
    """The digest of a pack. Raises Conflict where a recipe pins another one."""
    found = digest_of(path)
    if wanted not in ("", found):
        hint = f"put the pack of that digest in its place, or write {found} into the recipe"
        raise Conflict("other-pack", f"{path.name} has the digest {found}, and the recipe wants {wanted}", hint)
    return found
