"""The format of an Attempt's folder is frozen: this program reads what version 1 wrote."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from touyan.compute.agent import read_result
from touyan.compute.driver import Exit, Limits
from touyan.compute.drivers.local import read_exit
from touyan.compute.folder import AttemptFolder
from touyan.compute.wrapper import read_limits
from touyan.flow.worker import prepare

GOLDEN = Path(__file__).parent / "golden" / "attempt-1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AttemptFolder:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parent), *sys.path])
    shutil.copytree(GOLDEN, tmp_path / "attempt")
    return AttemptFolder(tmp_path / "attempt")


def test_a_worker_reads_what_was_staged(folder: AttemptFolder) -> None:
    work, step = prepare(folder)
    given = work.one("given")
    assert (step.name, work.params.text, work.params.rate) == ("write", "x", 0.25)
    assert (given.kind, given.name, given.path) == ("source", "source/notes", folder.inputs / "given" / "0")


def test_a_wrapper_reads_the_limits_and_a_driver_the_exit(folder: AttemptFolder) -> None:
    assert read_limits(folder) == Limits(15.0, 86400, 4 << 30, 16 << 20, (1,))
    assert read_exit(folder) == Exit("exit", 0, "ended with status 0", 16076800)


def test_an_agent_reads_the_result_of_its_own_token_only(folder: AttemptFolder) -> None:
    found = read_result(folder, token=1)
    assert found is not None
    manifest, outcome = found
    assert ([f.path for f in manifest.files], manifest.kind) == (["out.txt"], "report")
    assert (outcome.counts, outcome.telemetry["speed"], outcome.environment["system"]) == ({"texts": 1}, "1.5", "Linux")
    assert read_result(folder, token=2) is None
