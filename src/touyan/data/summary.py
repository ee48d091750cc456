"""The counts that a reading leaves: what came, from where, and what did not and why.

Knows nothing about time. Invariant: the same outcomes give the same summary, and its size does not grow with the source.
"""

from __future__ import annotations

from collections import Counter

from touyan.core.canonical import Json
from touyan.data.reader import Unreadable
from touyan.store.formats.documents import DocumentRow

SAMPLE_REASONS = 20
MAX_LABELS = 200
OTHER_LABEL = "…"


class Tally:
    """Counts outcomes as they pass."""

    def __init__(self) -> None:
        self.documents = 0
        self.unreadables = 0
        self._files: Counter[str] = Counter()
        self._bytes = 0
        self._characters = 0
        self._with_subjects = 0
        self._labels: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._samples: list[dict[str, str]] = []

    def file(self, reader: str, size_bytes: int) -> None:
        self._files[reader] += 1
        self._bytes += size_bytes

    def document(self, row: DocumentRow) -> None:
        self.documents += 1
        self._characters += len(row.text)
        self._with_subjects += bool(row.subjects)
        if row.label is not None:
            self._label(row.label, 1)

    def unreadable(self, path: str, row: Unreadable) -> None:
        self.unreadables += 1
        self._reasons[row.reason.partition(":")[0]] += 1
        if len(self._samples) < SAMPLE_REASONS:
            self._samples.append({"path": f"{path}#{row.place}" if row.place else path, "reason": row.reason})

    def add(self, later: Tally) -> None:
        """Adds the outcomes of what came after."""
        self.documents += later.documents
        self.unreadables += later.unreadables
        self._files += later._files
        self._bytes += later._bytes
        self._characters += later._characters
        self._with_subjects += later._with_subjects
        self._reasons += later._reasons
        self._samples = [*self._samples, *later._samples][:SAMPLE_REASONS]
        for label, n in later._labels.items():
            self._label(label, n)

    def _label(self, label: str, n: int) -> None:
        is_counted = label in self._labels or len(self._labels) < MAX_LABELS
        self._labels[label if is_counted else OTHER_LABEL] += n

    def first_reasons(self) -> str:
        """The first three reasons, for the error where nothing was read."""
        return "; ".join(f"{sample['path']}: {sample['reason']}" for sample in self._samples[:3]) or "the source has no files"

    def summary(self) -> dict[str, Json]:
        """The content of `summary.json`."""
        return {
            "documents": self.documents,
            "characters": self._characters,
            "documents_with_subjects": self._with_subjects,
            "labels": dict(self._labels),
            "files": dict(self._files),
            "bytes": self._bytes,
            "unreadable": self.unreadables,
            "unreadable_reasons": dict(self._reasons),
            "unreadable_samples": list(self._samples),
        }
