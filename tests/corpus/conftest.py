"""Settings of the corpus room's tests. Invariant: no property test is judged by how long it took."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
