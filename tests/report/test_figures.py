"""Numbers as a reader expects them."""

from __future__ import annotations

import pytest

from touyan.report import figures


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.count(26_196), "26,196"),
        (figures.short_count(1_300_000), "1.3 M"),
        (figures.short_count(12), "12"),
        (figures.share(11, 27_400), "0.04 %"),
        (figures.share(1, 10_000_000), "< 0.01 %"),
        (figures.share(0, 7), "0.0 %"),
        (figures.share(1, 0), "–"),
        (figures.size(18_743_296), "18.7 MB"),
        (figures.size(88), "88 B"),
        (figures.duration(12), "12 ms"),
        (figures.duration(4_120), "4.1 s"),
        (figures.duration(203_400), "3 min 23 s"),
        (figures.duration(7_260_000), "2 h 01 min"),
        (figures.moment("2026-11-21T22:30:00.000Z"), "2026-11-21 22:30 UTC"),
        (figures.measured(3.6841), "3.684"),
        (figures.measured(0.0014), "0.0014"),
        (figures.measured(41.253), "41.25"),
        (figures.measured(0), "0"),
    ],
)
def test_a_figure_keeps_what_it_can_bear(shown: str, expected: str) -> None:
    assert shown == expected
