"""The shares file: what is wrong in it is named; decayed use is exact."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.compute.shares import DecayedUse, Share, Shares, check_pool, read_shares
from touyan.core.errors import Invalid, Missing


def written(path: Path, value: object) -> Path:
    file = path / "shares.json"
    file.write_text(json.dumps(value))
    return file


def test_a_shares_file_is_read(tmp_path: Path) -> None:
    value = {"reclaim_s": 60, "owners": {"a": {"nominal": 8, "weight": 2, "borrowing": 4}, "b": {"nominal": 1, "lending": 0}}}
    shares = read_shares(written(tmp_path, value))
    assert shares.owners == {"a": Share(8, 2.0, 4, None), "b": Share(1, 1.0, None, 0)}
    assert (shares.reclaim_s, shares.half_life_s, shares.nominal) == (60, 7 * 86400, 9)
    assert shares.with_nominal("c", 5).nominal == 14


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"owners": {}},
        {"owners": {"a": {}}},
        {"owners": {"a": {"nominal": -1}}},
        {"owners": {"a": {"nominal": True}}},
        {"owners": {"a": {"nominal": 1, "lent": 2}}},
        {"owners": {"a": {"nominal": 1, "weight": 0}}},
        {"owners": {"a": {"nominal": 1}}, "reclaim_s": "soon"},
    ],
)
def test_a_bad_shares_file_is_refused_with_a_reason(tmp_path: Path, value: object) -> None:
    with pytest.raises(Invalid, match=r"shares\.json: "):
        read_shares(written(tmp_path, value))


def test_a_missing_or_torn_shares_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no file"):
        read_shares(tmp_path / "none.json")
    (tmp_path / "torn.json").write_text('{"owners": ')
    with pytest.raises(Invalid, match=r"torn\.json"):
        read_shares(tmp_path / "torn.json")


def test_promises_that_the_pool_cannot_keep_are_refused() -> None:
    shares = Shares({"a": Share(4), "b": Share(2)})
    check_pool(shares, 6, [("a", 4), ("b", 1)])
    with pytest.raises(Invalid, match="sum to 6"):
        check_pool(shares, 5, [])
    with pytest.raises(Invalid, match="b asks for 3"):
        check_pool(shares, 6, [("b", 3)])


def test_use_halves_in_a_half_life() -> None:
    use = DecayedUse(100.0)
    use.change(2, 0.0)
    use.change(-2, 50.0)
    assert use.at(150.0) == pytest.approx(use.at(50.0) / 2)


@given(looks=st.lists(st.floats(0, 1000), max_size=6))
def test_use_does_not_depend_on_how_often_it_is_looked_at(looks: list[float]) -> None:
    once, often = DecayedUse(100.0), DecayedUse(100.0)
    for use in (once, often):
        use.change(3, 0.0)
    for now_s in sorted(looks):
        often.change(0, now_s)
    assert often.at(1000.0) == pytest.approx(once.at(1000.0))
