"""A Work for tests: the folder of an Attempt without a store, an agent or a clock."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touyan.core.errors import Missing
from touyan.flow.step import InputAsset


@dataclass
class FakeWork:
    """Holds inputs by role; remembers counts, and finished parts by the digests of their files."""

    params: Any
    out: Path
    inputs: dict[str, list[Path]] = field(default_factory=dict)
    threads: int = 1
    counts: Counter[str] = field(default_factory=Counter)
    finished: dict[str, dict[Path, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)

    @property
    def scratch(self) -> Path:
        return self.out.parent / "scratch"

    def many(self, role: str) -> list[InputAsset]:
        return [InputAsset(f"id-{i}", role, f"test/{role}", path) for i, path in enumerate(self.inputs.get(role, []))]

    def one(self, role: str) -> InputAsset:
        given = self.many(role)
        if not given:
            raise Missing("no-input", f"nothing was given for {role}", "name it in the flow")
        return given[0]

    def progress(self, done: float, total: float | None, unit: str) -> None:
        assert total is None or done <= total

    def measure(self, name: str, value: float | str) -> None: ...

    def count(self, name: str, n: int) -> None:
        self.counts[name] += n

    def log(self, message: str) -> None: ...

    def checkpoint(self) -> Path | None:
        return None

    def save_checkpoint(self, folder: Path, position: int) -> None: ...

    def is_done(self, part: str) -> bool:
        digests = self.finished.get(part)
        return digests is not None and all(path.exists() and _digest(path) == digest for path, digest in digests.items())

    def mark_done(self, part: str, files: list[Path]) -> None:
        self.finished[part] = {path: _digest(path) for path in files}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
