"""Writes the golden files of the frozen formats. Run once for a new version; the files of older versions stay for ever.

python tests/golden/frozen.py
"""

from __future__ import annotations

from pathlib import Path

from touyan.core.asset import FileRef, InputRef, build, manifest_bytes
from touyan.core.canonical import Json, canonical
from touyan.core.event import Event, TreeHead, commit, event_bytes
from touyan.core.rights import Rights
from touyan.core.statement import Statement, statement_bytes

HERE = Path(__file__).parent
MANIFEST = build(
    "corpus",
    [FileRef("documents/part-00000.parquet", "1" * 64, 4096), FileRef("summary.json", "2" * 64, 17)],
    [InputRef("documents", "a" * 64), InputRef("exclusions", "b" * 64)],
    step_key="c" * 64,
)
SOURCE = build("source", [FileRef("法规/laws.db", "3" * 64, 2**40)], provider="npc/laws")
RIGHTS = Rights(
    authority="statutory-exception", article="Copyright Law of the PRC, art. 24(1)", opt_out_checked="2026-10-01", personal="pipl-consent",
    personal_state="pseudonymised", original_purpose="hotline service", security="general", purposes=("refine", "train"),
    duties=("attribution",), territory=("CN",), expires="2027-12-31", evidence=("contract 7", "4" * 64),
)  # fmt: skip
AT = "2026-11-21T08:00:00.000Z"
BODIES: dict[str, dict[str, Json]] = {
    "owner": {"party": "acme-12345678/ann"},
    "rights": {"rights": RIGHTS.to_json()},
    "withdrawal": {
        "selector": "document", "value": "5" * 64, "effect": "erase", "deadline": "2026-12-31", "reason": "the author asked",
        "withdrawal": "6" * 64,
    },
    "lift": {"withdrawal": "6" * 64, "reason": "it was a mistake"},
    "erased": {"withdrawal": "6" * 64, "paths": ["documents/part-00000.parquet"]},
}  # fmt: skip
SALT, BODY = "00112233445566778899aabbccddeeff", {"kind": "corpus", "files": 2}
EVENT = Event("asset.published", "default", "acme-12345678/ann", AT, ("a" * 64,), commit(SALT, BODY))
HEAD = TreeHead("acme-12345678/0123456789abcdef", 8, "7" * 64, AT)


def statement(kind: str) -> Statement:
    return Statement("default", "a" * 64, kind, BODIES[kind], "acme-12345678/ann", AT)  # type: ignore[arg-type]


FILES: dict[str, bytes] = {
    "manifest-1-corpus.json": manifest_bytes(MANIFEST),
    "manifest-1-source.json": manifest_bytes(SOURCE),
    "rights-1.json": canonical(RIGHTS.to_json()),
    "event-1.json": event_bytes(EVENT),
    "tree-head-1.json": canonical(HEAD.to_json()),
} | {f"statement-1-{kind}.json": statement_bytes(statement(kind)) for kind in BODIES}

if __name__ == "__main__":
    for name, data in FILES.items():
        if not (HERE / name).exists():
            (HERE / name).write_bytes(data)
