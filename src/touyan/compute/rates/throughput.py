"""Measured throughput per workload family and model; it replaces the sheet once it is known.

A family is what runs alike everywhere, such as `train/llama-7b` or `refine`; its unit is its own (tokens, documents, steps).
Owns the measurements. Knows nothing of sites and prices. Invariant: one number is one Attempt that ended; nothing is foretold
from what has not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from touyan.compute.rates.table import RateTable

REMEMBERED = 25
"""Newest measurements of a family on a model: enough that a median shrugs off a site that lies, few enough to forget an old driver."""
ENOUGH = 3
"""Measurements before they replace the sheet: with two, one liar moves the median."""


@dataclass(slots=True)
class Throughput:
    """What one device of each model does in a second, by family."""

    table: RateTable
    _seen: dict[str, dict[str, deque[float]]] = field(default_factory=dict)

    def measured(self, family: str, model: str, units: float, devices: int, ran_s: float) -> None:
        """An Attempt did so many units in so many seconds on so many devices. What took no time or did nothing says nothing."""
        if units > 0 and ran_s > 0 and devices > 0:
            by_model = self._seen.setdefault(family, {})
            by_model.setdefault(self.table.exact(model), deque(maxlen=REMEMBERED)).append(units / ran_s / devices)

    def speed(self, family: str, model: str) -> float:
        """Of one device, as a multiple of the reference model's in this family. Of an unlisted model that nobody measured: 1.

        Where the model was measured, that; else its sheet times how the family's measured models stood to theirs, which
        corrects for a family that memory bounds. Where the reference was not measured it is foretold the same way.
        """
        known = self._known(family)
        return self._in_units(known, model) / self._in_units(known, self.table.reference.model)

    def is_measured(self, family: str, model: str) -> bool:
        return self.table.exact(model) in self._known(family)

    def _known(self, family: str) -> Mapping[str, float]:
        """Units a second and device of each model that was measured often enough."""
        seen = self._seen.get(family)
        return {m: median(v) for m, v in seen.items() if len(v) >= ENOUGH} if seen else {}

    def _in_units(self, known: Mapping[str, float], model: str) -> float:
        exact = self.table.exact(model)
        if exact in known:
            return known[exact]
        listed = [(value, self._stated(m)) for m, value in known.items()]
        return self._stated(exact) * (median(value / stated for value, stated in listed) if listed else 1.0)

    def _stated(self, model: str) -> float:
        return self.table.rate(model) if self.table.find(model) else 1.0
