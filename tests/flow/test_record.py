"""The record of a run: what it says holds now, also of a run that was killed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from flows import BASE, changed, flow_of
from sqlalchemy import select

from touyan.core.errors import Refused
from touyan.core.seam import FixedSeam
from touyan.flow.record import RunRecord
from touyan.store import tables as t
from touyan.store.home import Store


def row(store: Store, run: str) -> dict[str, object]:
    with store.database.read() as connection:
        return dict(connection.execute(select(t.run).where(t.run.c.id == run)).mappings().one())


def test_a_run_is_written_down_before_it_does_anything(store: Store, tmp_path: Path) -> None:
    record = RunRecord(store, store.me(), flow_of(tmp_path), [])
    found = row(store, record.id)
    assert record.id.startswith("run-20251009-")
    assert (found["state"], found["flow"], found["ended_at"], found["flow_sha256"]) == (
        "running",
        "notes",
        None,
        flow_of(tmp_path).sha256,
    )
    steps = json.loads(str(found["plan"]))["steps"]
    assert [s["state"] for s in steps] == ["pending"] * len(record.flow.steps)


def test_the_end_is_an_event_with_what_became_of_the_steps(store: Store, seam: FixedSeam, tmp_path: Path) -> None:
    record = RunRecord(store, store.me(), flow_of(tmp_path), [])
    record.steps["refine"].state, record.steps["split"].state = "hit", "failed"
    seam.move(5)
    record.end("failed")
    store.events.sequence()
    assert [e.event.type for e in store.events.find("default", record.id)] == ["run.started", "run.failed"]
    assert store.events.find("default", record.id)[-1].body == {"hit": 1, "done": 0, "failed": 1, "skipped": 0}
    assert row(store, record.id)["ended_at"] == "2025-10-09T08:53:25.000Z"


@pytest.mark.parametrize(
    ("error", "state"),
    [(None, "done"), (Refused("no", "not this", "do that"), "failed"), (KeyboardInterrupt(), "stopped"), (OSError(28), "failed")],
)
def test_however_the_work_ends_the_run_does(sqlite_store: Store, tmp_path: Path, error: BaseException | None, state: str) -> None:
    record = RunRecord(sqlite_store, sqlite_store.me(), flow_of(tmp_path), [])
    with suppress(BaseException), record:
        if error is not None:
            raise error
    assert row(sqlite_store, record.id)["state"] == state
    assert [r["code"] for r in record.refusals] == (["no"] if isinstance(error, Refused) else [])


def test_a_run_that_somebody_must_act_for_waits(sqlite_store: Store, tmp_path: Path) -> None:
    with RunRecord(sqlite_store, sqlite_store.me(), flow_of(tmp_path), []) as record:
        record.waits_for = "review"
    assert row(sqlite_store, record.id)["state"] == "waiting"


def test_the_model_that_is_served_is_the_one_the_flow_names_else_the_last_that_was_trained(
    sqlite_store: Store, tmp_path: Path
) -> None:
    def served(text: str) -> str:
        record = RunRecord(sqlite_store, sqlite_store.me(), flow_of(tmp_path, text), [])
        for step in record.steps.values():
            step.asset = f"the-{step.name}"
        return record.served_model

    assert served(BASE) == "the-train"
    assert served(changed("service: {name: notes}", "service: {name: notes, model: ngram}")) == "the-ngram"
    assert served(changed("  ngram: {}", "  finer: {use: train}\n  ngram: {}")) == "the-finer"
    assert served(BASE.replace("  train: {tokens: 2000}\n", "")) == "the-ngram"
