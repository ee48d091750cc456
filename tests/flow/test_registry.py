"""Steps are found by entry point, and one that does not load is named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from touyan.core.errors import Conflict, Invalid, Missing
from touyan.flow import registry
from touyan.flow.registry import known_steps, step


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    known_steps.cache_clear()
    yield
    known_steps.cache_clear()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """The entry points that the test says are installed."""
    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    return points


def test_the_steps_of_the_ring_are_there_and_named_as_their_entry_points() -> None:
    assert {"read", "refine", "split", "pack", "tokenizer", "train", "ngram", "linear", "evaluate", "check"} <= set(known_steps())


def test_every_step_has_defaults_a_summary_and_inputs_of_kinds_that_some_step_makes() -> None:
    made = {s.output for s in known_steps().values()} | {"source", "feedback", "exclusions"}
    for spec in known_steps().values():
        spec.params()
        assert spec.summary, spec.name
        assert {i.kind for i in spec.inputs.values()} <= made, spec.name


def test_an_unknown_step_is_told_the_nearest() -> None:
    with pytest.raises(Invalid, match="there is no step 'refin'") as raised:
        step("refin")
    assert raised.value.hint == "did you mean 'refine'?"


@pytest.mark.parametrize(
    "place",
    [
        "no.such.module:STEP",
        "touyan.corpus.refine:NOTHING",
        "touyan.flow.registry:GROUP",
        "touyan.corpus.split:STEP",
        "bursting:STEP",
    ],
)
def test_a_plug_in_that_does_not_load_is_named(installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    class Bursting(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("burst")

    monkeypatch.setitem(sys.modules, "bursting", Bursting("bursting"))
    installed.append(EntryPoint("refine", place, registry.GROUP))
    with pytest.raises(Missing, match=place) as raised:
        known_steps()
    assert "package" in raised.value.hint


def test_two_packages_cannot_bring_one_step(installed: list[EntryPoint]) -> None:
    installed += [EntryPoint("refine", f"touyan.corpus.{name}:STEP", registry.GROUP) for name in ("refine", "split")]
    with pytest.raises(Conflict, match="two packages bring a step 'refine'"):
        known_steps()


def test_a_package_listed_twice_is_one(installed: list[EntryPoint]) -> None:
    installed += [EntryPoint("refine", "touyan.corpus.refine:STEP", registry.GROUP)] * 2
    assert list(known_steps()) == ["refine"]


def test_a_step_under_development_takes_the_place_of_an_installed_one(
    installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.append(EntryPoint("refine", "touyan.corpus.refine:STEP", registry.GROUP))
    monkeypatch.setenv(registry.EXTRA, "touyan.corpus.split:STEP,touyan.corpus.refine:STEP")
    assert set(known_steps()) == {"refine", "split"}
