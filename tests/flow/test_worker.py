"""The worker: a step over the folder of an Attempt, without an agent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from touyan.compute.folder import AttemptFolder, read_json, write_json
from touyan.core.dsse import Envelope
from touyan.core.errors import Invalid, Missing
from touyan.core.job import SPEC_TYPE, JobSpec, NamedInput, Need, spec_bytes
from touyan.flow import worker
from touyan.flow.params import to_canonical
from touyan.flow.step import InputSpec, StepSpec, Work


@dataclass(frozen=True, slots=True)
class Params:
    rate: float = 0.5


Prepare = Callable[..., AttemptFolder]
STEP: StepSpec


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """`prepare(run, version="1")` is the folder of an Attempt whose step is `run`."""

    def make(run: Callable[[Any], None], version: str = "1") -> AttemptFolder:
        given = {"given": InputSpec("source", many=True), "more": InputSpec("model", optional=True)}
        monkeypatch.setattr(f"{__name__}.STEP", StepSpec("step", "1", "report", given, Params, "refine", run), raising=False)
        names = (NamedInput("given", "a" * 64, "source/laws"),)
        spec = JobSpec(
            "default", "step", "step", version, to_canonical(Params()), names, "report", "refine", "python", Need(), "acme/ann"
        )
        folder = AttemptFolder(tmp_path / "attempt")
        folder.create()
        (folder.inputs / "given" / "0").mkdir(parents=True)
        listed = [{"role": "given", "name": "source/laws", "asset": "a" * 64, "kind": "source", "path": "in/given/0"}]
        write_json(folder.file("spec"), Envelope(SPEC_TYPE, spec_bytes(spec), ()).to_json())
        write_json(folder.file("inputs"), {"folder": 1, "entry": f"{__name__}:STEP", "inputs": listed})
        return folder

    return make


def test_a_step_gets_its_parameters_and_inputs(prepare: Prepare) -> None:
    def run(work: Work[Params]) -> None:
        given = work.one("given")
        assert (work.params, given.kind, given.name, given.path.is_dir()) == (Params(0.5), "source", "source/laws", True)
        assert work.many("more") == []
        with pytest.raises(Missing, match="was given no more"):
            work.one("more")
        with pytest.raises(Invalid, match="declares no input 'other'"):
            work.many("other")
        work.count("documents", 2)
        work.count("documents", 3)
        work.measure("tokens_per_s", 12.5)

    folder = prepare(run)
    assert worker.run(folder.root) == 0
    assert read_json(folder.file("done")) == {"done": 1, "counts": {"documents": 5}}
    said = json.loads(folder.file("telemetry").read_text())
    assert said["telemetry"]["tokens_per_s"] == "12.5"
    assert {"wall_ms", "cpu_ms", "peak_bytes"} < said["telemetry"].keys()
    assert "python" in said["environment"]


def test_an_error_leaves_a_record_and_no_mark(prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    def run(work: Work[Params]) -> None:
        raise Invalid("bad", "it is bad", "mend it")

    folder = prepare(run)
    assert worker.run(folder.root) == worker.FAILED
    assert read_json(folder.file("error")) == {"family": "Invalid", "code": "bad", "message": "it is bad", "hint": "mend it"}
    assert not folder.file("done").exists()
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(KeyError("a name"), "step-crashed"), (OSError(28, "full"), "resources")])
def test_an_error_nobody_planned_keeps_its_words_in_the_log(
    prepare: Prepare, capsys: pytest.CaptureFixture[str], error: Exception, code: str
) -> None:
    def run(work: Work[Params]) -> None:
        raise error

    folder = prepare(run)
    worker.run(folder.root)
    record = read_json(folder.file("error"))
    assert (record["family"], record["code"]) == ("Broken", code)
    assert "test_worker.py:" in str(record["message"])
    assert "a name" not in str(record["message"])


def test_another_version_than_asked_for_is_not_run(prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    folder = prepare(lambda work: None, version="2")
    worker.run(folder.root)
    assert read_json(folder.file("error"))["code"] == "other-version"


def test_progress_is_written_seldom_but_always_at_the_end(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []

    def run(work: Work[Params]) -> None:
        original = worker.write_json
        monkeypatch.setattr(worker, "write_json", lambda path, value: (written.append(value["done"]), original(path, value)))
        for done in range(1, 1001):
            work.progress(done, 1000, "documents")
        monkeypatch.setattr(worker, "write_json", original)

    clock = iter(n * 0.01 for n in range(10_000))
    monkeypatch.setattr(worker.time, "monotonic", lambda: next(clock))
    folder = prepare(run)
    worker.run(folder.root)
    assert read_json(folder.file("progress")) == {"done": 1000, "total": 1000, "unit": "documents"}
    assert 40 < len(written) < 60


def test_the_newest_checkpoint_replaces_the_older_and_must_be_whole(prepare: Prepare) -> None:
    def run(work: Work[Params]) -> None:
        assert work.checkpoint() is None
        for position in (9, 10):
            folder = work.scratch / "handed-over"
            folder.mkdir()
            (folder / "state").write_text(str(position))
            work.save_checkpoint(folder, position)
            assert not folder.exists()
        newest = work.checkpoint()
        assert newest is not None
        assert (newest / "state").read_text() == "10"
        assert not newest.with_name("9").exists()
        (newest / "state").write_text("XX")
        assert work.checkpoint() is None

    assert worker.run(prepare(run).root) == 0


def test_a_shard_is_done_while_its_digests_hold(prepare: Prepare) -> None:
    def run(work: Work[Params]) -> None:
        shard = work.out / "sub" / "part-0.txt"
        shard.parent.mkdir()
        shard.write_text("one")
        assert not work.is_done("part-0")
        work.mark_done("part-0", [shard])
        assert work.is_done("part-0")
        shard.write_text("two")
        assert not work.is_done("part-0")
        with pytest.raises(Invalid):
            work.mark_done("../part", [shard])

    assert worker.run(prepare(run).root) == 0
