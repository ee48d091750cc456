"""Faults over a whole network in virtual time, as `bench/compute/chaos.py` injects a thousand of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench" / "compute"))
from chaos import run


def test_after_partitions_kills_and_jumps_no_attempt_overlapped_and_nothing_counted_twice(tmp_path: Path) -> None:
    chaos, found = run(tmp_path, 20, 1, sites=2)
    assert chaos.injected.total() == 20
    assert found.is_clean, found.text()


@pytest.mark.slow
def test_a_network_that_was_hit_for_hours_comes_to_rest(tmp_path: Path) -> None:
    chaos, found = run(tmp_path, 300, 3, sites=4)
    assert found.is_clean, found.text()
    assert len(chaos.injected) > 10
