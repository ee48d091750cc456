"""Steps that run alone over folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from touyan.core.errors import Conflict, Invalid, Missing
from touyan.flow.alone import folder_id, run_alone
from touyan.flow.step import InputAsset, InputSpec, StepSpec, Work


@dataclass(frozen=True, slots=True)
class Params:
    """How often each letter is written."""

    times: int = 1


class Interrupted(Exception):
    """What a test stops a step with."""


def copying(stop_before: str = "", version: str = "1", made: list[str] | None = None) -> StepSpec:
    """A step that copies each file of its source as a part of its own."""

    def run(work: Work[Params]) -> None:
        files = sorted(work.one("source").path.iterdir())
        for done, file in enumerate(files):
            if file.name == stop_before:
                raise Interrupted
            if not work.is_done(file.name):
                (work.out / file.name).write_text(file.read_text() * work.params.times)
                work.mark_done(file.name, [work.out / file.name])
                if made is not None:
                    made.append(file.name)
            work.progress(done + 1, len(files), "files")
            work.count("files", 1)

    inputs = {"source": InputSpec("source"), "extra": InputSpec("source", optional=True)}
    return StepSpec("copy", version, "corpus", inputs, Params, "refine", run)


@pytest.fixture
def source(tmp_path: Path) -> InputAsset:
    folder = tmp_path / "letters"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text(name)
    return InputAsset(folder_id(folder), "source", "letters", folder)


def test_a_finished_folder_is_not_made_again(tmp_path: Path, source: InputAsset) -> None:
    made: list[str] = []
    out = tmp_path / "out" / "copy"
    assert not run_alone(copying(made=made), Params(), {"source": [source]}, out, 1)
    assert run_alone(copying(made=made), Params(), {"source": [source]}, out, 1)
    assert made == ["a", "b", "c"]


def test_an_interrupted_step_goes_on_with_the_next_part(tmp_path: Path, source: InputAsset) -> None:
    made: list[str] = []
    out = tmp_path / "out" / "copy"
    with pytest.raises(Interrupted):
        run_alone(copying("b", made=made), Params(), {"source": [source]}, out, 1)
    run_alone(copying(made=made), Params(), {"source": [source]}, out, 1)
    assert made == ["a", "b", "c"]


@pytest.mark.parametrize("change", ["parameters", "version", "inputs"])
def test_other_work_begins_anew(tmp_path: Path, source: InputAsset, change: str) -> None:
    out = tmp_path / "out" / "copy"
    run_alone(copying(), Params(), {"source": [source]}, out, 1)
    if change == "inputs":
        (source.path / "c").unlink()
        source = InputAsset(folder_id(source.path), "source", "letters", source.path)
    params = Params(2) if change == "parameters" else Params()
    assert not run_alone(copying(version="2" if change == "version" else "1"), params, {"source": [source]}, out, 1)
    assert (out / "a").read_text() == "a" * params.times
    assert (out / "c").exists() == (change != "inputs")


def test_a_strangers_folder_is_left_alone(tmp_path: Path, source: InputAsset) -> None:
    out = tmp_path / "out" / "copy"
    out.mkdir(parents=True)
    (out / "mine").write_text("mine")
    with pytest.raises(Conflict):
        run_alone(copying(), Params(), {"source": [source]}, out, 1)
    assert (out / "mine").read_text() == "mine"


def test_progress_is_heard(tmp_path: Path, source: InputAsset) -> None:
    heard: list[tuple[float, float | None, str]] = []
    run_alone(copying(), Params(), {"source": [source]}, tmp_path / "out" / "copy", 1, lambda *said: heard.append(said))
    assert heard[-1] == (3, 3, "files")


@pytest.mark.parametrize(("role", "error"), [("extra", Missing), ("other", Invalid)])
def test_a_role_without_input_is_told(tmp_path: Path, source: InputAsset, role: str, error: type[Exception]) -> None:
    def run(work: Work[Any]) -> None:
        work.one(role)

    asking: Callable[[Work[Any]], None] = run
    step = StepSpec("ask", "1", "corpus", copying().inputs, Params, "refine", asking)
    with pytest.raises(error):
        run_alone(step, Params(), {"source": [source]}, tmp_path / "out" / "ask", 1)
