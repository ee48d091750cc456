"""Where shards are refined: the same results here and in other processes, errors as they were raised."""

from __future__ import annotations

import os

import pytest

from touyan.core.errors import Invalid, Missing
from touyan.corpus import refine
from touyan.corpus.fan_out import ADDRESS, fan_out
from touyan.corpus.refine import RefineParams


def square(number: int) -> tuple[int, int]:
    if number < 0:
        raise Invalid("negative", f"{number} is negative", "give another")
    return number * number, os.getpid()


@pytest.mark.parametrize("processes", [1, 2])
def test_every_task_comes_back_with_its_result(processes: int) -> None:
    with fan_out("processes", processes) as spread:
        results = {task: result for task, (result, _) in spread(square, range(9))}
        assert list(spread(square, [])) == []
    assert results == {n: n * n for n in range(9)}


def test_one_process_is_this_one_and_two_are_others() -> None:
    with fan_out("processes", 1) as here, fan_out("processes", 2) as there:
        assert {pid for _, (_, pid) in here(square, range(3))} == {os.getpid()}
        assert os.getpid() not in {pid for _, (_, pid) in there(square, range(3))}


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_keeps_its_family_and_its_hint(processes: int) -> None:
    with fan_out("processes", processes) as spread, pytest.raises(Invalid, match="negative") as error:
        list(spread(square, [1, -2, 3]))
    assert error.value.hint == "give another"


def test_ray_without_an_address_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.delenv(ADDRESS, raising=False)
    with pytest.raises(Missing, match="where it is") as error, fan_out("ray", 1):
        pass
    assert ADDRESS in error.value.hint


def test_ray_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(Missing) as error, fan_out("ray", 1):
        pass
    assert "touyan[ray]" in error.value.hint


def test_the_place_of_work_is_no_part_of_what_is_made() -> None:
    assert [each.name for each in refine.recipe(RefineParams(fan_out="ray"), None)] == [
        each.name for each in refine.recipe(RefineParams(), None)
    ]
