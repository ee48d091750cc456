"""The report of simulations: one HTML file that needs nothing else.

Owns its form. Knows nothing of how figures come about. Invariant: every number on it is in the answer that a program gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from touyan.compute.simulation.figures import Figures
from touyan.compute.simulation.guarantee import Kept
from touyan.compute.simulation.plot import Series, plot

STYLE = "body{font:15px sans-serif;max-width:60em;margin:2em auto}td,th{padding:.2em .8em;text-align:right}svg{width:100%}"
COLUMNS = (
    "plan", "jobs", "completion mean h", "wait mean h", "wait p99 h", "jobs of 8+", "their wait p99 h", "stops", "lost device h",
    "used %",
)  # fmt: skip
OWNER_COLUMNS = ("owner", "nominal", "jobs", "wait alone h", "wait in the pool h", "late", "latest s")


@dataclass(frozen=True, slots=True)
class Result:
    """What one plan gave; `kept` is empty where there are no shares."""

    name: str
    figures: Figures
    kept: tuple[Kept, ...] = ()

    def row(self) -> tuple[str, ...]:
        f = self.figures
        hours = [f"{h:.3f}" for h in (f.completion_mean_h, f.wait_mean_h)]
        return (
            self.name, str(f.jobs), *hours, f"{f.wait_p99_h:.1f}", str(f.large_jobs), f"{f.large_wait_p99_h:.1f}", str(f.stops),
            f"{f.lost_device_h:.0f}", f"{f.used_share:.1%}",
        )  # fmt: skip


def owner_row(kept: Kept) -> tuple[str, ...]:
    waits = (f"{kept.alone_wait_h:.3f}", f"{kept.pool_wait_h:.3f}")
    return (kept.owner, str(kept.nominal), str(kept.jobs), *waits, str(kept.late), f"{kept.worst_s:.0f}")


def page(title: str, results: Sequence[Result]) -> str:
    """The HTML."""
    points = [Series(r.name, [(r.figures.large_wait_p99_h, r.figures.completion_mean_h, r.name)]) for r in results]
    parts = [
        _table(COLUMNS, (r.row() for r in results)),
        plot(points, "p99 wait of gangs of 8 and more, h", "mean completion, h"),
    ]
    for result in results:
        if result.kept:
            parts += [f"<h2>{escape(result.name)}</h2>", _table(OWNER_COLUMNS, map(owner_row, result.kept))]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return "\n".join([head, f"<h1>{escape(title)}</h1>", *parts, "</html>", ""])


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["".join(f"<th>{escape(c)}</th>" for c in columns)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return "<table>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "\n</table>"
