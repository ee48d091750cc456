"""Scales and ticks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.report.svg import Scale, shortened, ticks

FINITE = st.floats(-1e9, 1e9, allow_nan=False)


@given(FINITE, st.floats(1e-6, 1e9))
def test_ticks_cover_the_range_and_are_few(low: float, width: float) -> None:
    high = low + width
    found = ticks(low, high)
    assert found[0] <= low + 1e-6 * width + 1e-9
    assert found[-1] >= high - 1e-6 * width - 1e-9 or high == low
    assert len(found) <= 9
    assert found == sorted(found)


@pytest.mark.parametrize(("low", "high", "expected"), [(3.1, 7.9, [3, 4, 5, 6, 7, 8]), (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0])])
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


def test_a_range_without_width_has_one_tick() -> None:
    assert ticks(2.0, 2.0) == [2.0]
    assert ticks(float("nan"), 1.0)[0] != 0


def test_a_scale_maps_its_ends() -> None:
    scale = Scale(0, 10, 5, 95)
    assert (scale.at(0), scale.at(10), scale.percent(5)) == (5, 95, "50.000%")


def test_a_scale_without_width_maps_to_the_middle() -> None:
    assert Scale(3, 3, 0, 100).at(3) == 50


def test_han_characters_take_two_cells() -> None:
    assert shortened("中国法律条文", 8) == "中国法…"
    assert shortened("read/laws", 17) == "read/laws"
