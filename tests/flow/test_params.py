"""Parameters: what is written is read back, and a float is a float however it was spelt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.canonical import canonical
from touyan.core.errors import Invalid
from touyan.flow.params import from_canonical, to_canonical


@dataclass(frozen=True, slots=True)
class Inner:
    share: float = 0.5


@dataclass(frozen=True, slots=True)
class Params:
    rate: float = 0.1
    n: int = 3
    is_on: bool = True
    name: str = ""
    mode: Literal["fast", "exact"] = "fast"
    limit: float | None = None
    sizes: tuple[int, ...] = ()
    pair: tuple[str, float] = ("a", 1.0)
    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    words: list[str] = field(default_factory=list[str])
    inner: Inner = Inner()


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
PARAMS = st.builds(
    Params, rate=FLOATS, n=INTEGERS, is_on=st.booleans(), name=TEXTS, mode=st.sampled_from(["fast", "exact"]),
    limit=FLOATS | st.none(), sizes=st.lists(INTEGERS, max_size=3).map(tuple), pair=st.tuples(TEXTS, FLOATS),
    weights=st.dictionaries(TEXTS, FLOATS, max_size=3), words=st.lists(TEXTS, max_size=3), inner=st.builds(Inner, FLOATS),
)  # fmt: skip


@given(PARAMS)
def test_parameters_survive_the_journey(params: Params) -> None:
    written = to_canonical(params)
    assert from_canonical(Params, written) == params
    assert canonical(to_canonical(from_canonical(Params, written))) == canonical(written)


def test_one_and_one_point_zero_make_one_key() -> None:
    assert to_canonical(Params(rate=1)) == to_canonical(Params(rate=1.0))
    assert to_canonical(Params(rate=-0.0)) == to_canonical(Params(rate=0.0))


def test_a_missing_parameter_takes_its_default() -> None:
    assert from_canonical(Params, {"rate": "0.25"}) == Params(rate=0.25)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"rate": 1}, "rate"), ({"rate": "much"}, "rate"), ({"rate": "inf"}, "rate"), ({"n": True}, "n"), ({"n": "3"}, "n"),
        ({"is_on": 1}, "is_on"), ({"mode": "slow"}, "mode"), ({"pair": ["a"]}, "pair"), ({"sizes": [1, "x"]}, r"sizes\[1\]"),
        ({"weights": {"a": 1}}, "weights.a"), ({"inner": {"share": 2}}, "share"), ({"words": "abc"}, "words"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_named(value: Mapping[str, object], where: str) -> None:
    with pytest.raises(Invalid, match=where):
        from_canonical(Params, value)  # type: ignore[arg-type]


def test_an_unknown_parameter_is_told_the_nearest_one() -> None:
    with pytest.raises(Invalid, match="no parameter 'rat'") as raised:
        from_canonical(Params, {"rat": "1.0"})
    assert "rate" in raised.value.hint


def test_a_field_that_may_be_number_or_text_is_refused() -> None:
    @dataclass(frozen=True)
    class Vague:
        value: float | str = 1.5

    with pytest.raises(Invalid, match="could be either"):
        to_canonical(Vague())


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(Invalid, match="rate is nan"):
        to_canonical(Params(rate=float("nan")))
