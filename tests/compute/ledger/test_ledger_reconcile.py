"""The ledger against the records of engines: to the second, by the Attempt's own id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_ledger_settle import a_remote_attempt, finish

from touyan.compute.ledger.reconcile import Record, at_site, ours, read_engine, reconcile
from touyan.compute.ledger.settle import Report, settle_report
from touyan.core.errors import Invalid, Missing, TouyanError
from touyan.store.home import Store

NAME = "0123456789abcdef-1"


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [(Record("a", 61_000, 4), "agrees"), (Record("a", 61_001, 4), "elapsed"), (Record("a", 58_999, 4), "elapsed"),
     (Record("a", 60_000, 8), "devices"), (Record("a", 60_000, None), "agrees")],
)  # fmt: skip
def test_up_to_a_second_apart_agrees(theirs: Record, verdict: str) -> None:
    (compared,) = reconcile([Record("a", 60_000, 4)], [theirs])
    assert compared.verdict == verdict


def test_what_only_one_side_has_is_named() -> None:
    assert [c.verdict for c in reconcile([Record("a", 1, 1)], [Record("b", 1, 1)])] == ["not-theirs", "not-ours"]


def test_several_records_of_one_attempt_count_together() -> None:
    (compared,) = reconcile([Record("a", 60_000, 4)], [Record("a", 59_000, 4), Record("a", 1_000, 0)])
    assert (compared.verdict, compared.theirs_ms, compared.theirs_devices) == ("agrees", 60_000, 4)


def sacct(version: str, elapsed: object, state: object) -> dict[str, object]:
    def job(name: str) -> dict[str, object]:
        tres = [{"type": "cpu", "name": "", "count": 8}, {"type": "gres", "name": "gpu:a800", "count": 4}]
        return {"job_id": 7, "name": name, "time": {"elapsed": elapsed}, "state": {"current": state}, "tres": {"allocated": tres}}

    plugin = {"type": f"openapi/{version}"} if version == "v0.0.38" else {"data_parser": f"data_parser/{version}"}
    return {"meta": {"plugin": plugin}, "errors": [], "jobs": [job(NAME), job("somebody's own job")]}


RAY = [{"submission_id": NAME, "start_time": 1000, "end_time": 61000}, {"submission_id": None, "start_time": 1}]
KUBERNETES = {"items": [
    {"metadata": {"annotations": {"touyan.attempt/id": NAME}},
     "status": {"startTime": "2026-11-01T00:00:00Z", "completionTime": "2026-11-01T00:01:00Z"}},
    {"metadata": {}, "status": {"startTime": "2026-11-01T00:00:00Z"}},
]}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "devices"),
    [(sacct("v0.0.38", 60, "COMPLETED"), 4), (sacct("v0.0.44", {"set": True, "infinite": False, "number": 60}, ["COMPLETED"]), 4),
     (RAY, None), (KUBERNETES, None)],
    ids=["slurm-22.05", "slurm-25.11", "ray", "kubernetes"],
)  # fmt: skip
def test_records_of_every_engine_are_read_and_foreign_jobs_left_out(tmp_path: Path, answer: object, devices: int | None) -> None:
    path = tmp_path / "records.json"
    path.write_text(json.dumps(answer))
    assert read_engine(path) == [Record(NAME, 60_000, devices)]


@pytest.mark.parametrize("text", ["", "[1]", '{"items": 3}', '{"jobs": []}', "null"])
def test_a_file_that_holds_no_records_is_told_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "records.json"
    path.write_text(text)
    with pytest.raises(TouyanError) as told:
        read_engine(path)
    assert told.value.hint
    with pytest.raises(Missing):
        read_engine(tmp_path / "none.json")


def test_charged_attempts_are_found_by_the_records_and_by_their_site(sqlite_store: Store) -> None:
    claim = a_remote_attempt(sqlite_store)
    finish(sqlite_store, claim)
    with sqlite_store.database.write() as connection:
        said = Report(claim.attempt, claim.token, 599.7, 8, "a800-80g")
        settle_report(connection, sqlite_store.seam.now_ms(), said, "local", "centre")
    theirs = [Record(claim.attempt, 600_000, 8), Record(NAME, 1, 1)]
    with sqlite_store.database.read() as connection:
        assert ours(connection, "default", theirs) == at_site(connection, "default", "local", "2000", "9999")
        assert ours(connection, "other", theirs) == []
        assert [c.verdict for c in reconcile(ours(connection, "default", theirs), theirs)].count("agrees") == 1


def test_invalid_is_the_family_of_records_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"items": [{"status": {}}]}')
    with pytest.raises(Invalid, match=r"r\.json"):
        read_engine(tmp_path / "r.json")
