"""The published rate table: accelerators by exact model, with what their makers state.

Owns the table and the names under which engines know a model. Knows nothing of sites, jobs and prices. Invariant: a rate is a
multiple of the reference model's, so one device-second of the reference is one normalised device-second, on every site.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from touyan.core.errors import Invalid, Missing
from touyan.core.names import nearest

PUBLISHED = Path(__file__).with_name("accelerators.json")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One model as its maker describes it, per device."""

    model: str
    family: str
    """Who can run on it: cuda, ascend, dcu, mlu, musa, xpu, corex, maca, topsrider."""
    domestic: bool
    """Made in China."""
    bf16_tflops: float
    memory_gib: float
    bandwidth_gb_s: float
    link_gb_s: float
    power_w: float
    source: str
    aliases: tuple[str, ...] = ()
    """What engines call it: a Slurm GRES type, a Kubernetes label."""


@dataclass(frozen=True, slots=True)
class RateTable:
    """All models; `names` leads from every name and alias to its sheet."""

    reference: Sheet
    names: Mapping[str, Sheet]

    def find(self, name: str) -> Sheet | None:
        """The sheet of a model by name or alias; an unknown one is None, not an error: a site may own what nobody has listed."""
        return self.names.get(name) or self.names.get(name.lower().replace("_", "-"))

    def sheet(self, name: str) -> Sheet:
        """Raises Missing with the nearest name."""
        found = self.find(name)
        if found is None:
            raise Missing("no-rate", f"no accelerator is called {name!r}", nearest(name.lower(), self.names))
        return found

    def exact(self, name: str) -> str:
        """The exact model behind an engine's name for it; an unlisted name is its own."""
        found = self.find(name)
        return found.model if found else name

    def is_same(self, name: str, other: str) -> bool:
        """Whether two names stand for one model."""
        return name == other or (bool(other) and self.exact(name) == self.exact(other))

    def rate(self, name: str) -> float:
        """Normalised device-seconds in one second of this model: its BF16 TFLOPS over the reference's. Raises Missing."""
        return self.sheet(name).bf16_tflops / self.reference.bf16_tflops


def read_table(path: Path) -> RateTable:
    """Reads a rate table (JSON). Raises Missing, and Invalid naming the model that is wrong."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Missing("no-rates", f"there is no file {path}", "give the path of a rate table") from error
    except ValueError as error:
        raise _bad(path, str(error)) from error
    rows = value.get("accelerators") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise _bad(path, "it has no list `accelerators`")
    sheets = [_sheet(path, row) for row in rows]
    names = {name: sheet for sheet in sheets for name in (sheet.model, *sheet.aliases)}
    if len(names) != sum(1 + len(sheet.aliases) for sheet in sheets):
        raise _bad(path, "one name stands for two models")
    if value.get("reference") not in names:
        raise _bad(path, "its reference is none of its models")
    return RateTable(names[value["reference"]], names)


@cache
def published() -> RateTable:
    """The table that Touyan ships."""
    return read_table(PUBLISHED)


def _sheet(path: Path, row: object) -> Sheet:
    if not isinstance(row, dict) or set(row) != {f.name for f in fields(Sheet)}:
        raise _bad(path, f"an accelerator must have {', '.join(f.name for f in fields(Sheet))}; this has not: {str(row)[:80]}")
    amounts = ("bf16_tflops", "memory_gib", "bandwidth_gb_s", "link_gb_s", "power_w")
    if not all(isinstance(row[n], int | float) and 0 < row[n] < 1e9 for n in amounts):
        raise _bad(path, f"{row['model']} has an amount that is no positive number")
    return Sheet(**{**row, "aliases": tuple(row["aliases"])})


def _bad(path: Path, why: str) -> Invalid:
    return Invalid("bad-rates", f"{path.name}: {why}", "see docs/design/matching.md for the form of a rate table")
