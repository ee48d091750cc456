"""The last version of the bundle still verifies: `tests/golden/permit-v1.json` is never written again, only added to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from touyan.permit.verify import is_good, verify

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("permit-v*.json")), ids=lambda p: p.stem)
def test_a_bundle_of_every_version_verifies(path: Path) -> None:
    data = path.read_bytes()
    bundle = json.loads(data)
    verdicts = verify(data, bundle["organisation"]["public_hex"], at="2025-10-10T00:00:00.000Z")
    assert is_good(verdicts), [v for v in verdicts if not v.passed]
