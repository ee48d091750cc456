"""A run of steps: order, failures, and inputs that are looked up in the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench_site import QuickSite, Told, run_flow
from flows import BASE, changed, flow_of
from sqlalchemy import select

from touyan.core.errors import Broken, Invalid, Missing, Refused
from touyan.core.job import JobSpec
from touyan.store import tables as t
from touyan.store.home import Store

CLEARED = BASE.replace("purposes: [refine, train]", "purposes: [refine, train, evaluate, serve]")


@pytest.fixture
def site(sqlite_store: Store, tmp_path: Path) -> QuickSite:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("第一条")
    return QuickSite(sqlite_store, tmp_path / "made")


def cleared(old: str = "touyan: 1", new: str = "touyan: 1") -> str:
    """BASE with one place changed, and `papers` cleared for everything the flow does."""
    return changed(old, new).replace("purposes: [refine, train]", "purposes: [refine, train, evaluate, serve]")


def test_a_step_runs_when_its_inputs_are_there_and_is_told(sqlite_store: Store, site: QuickSite, tmp_path: Path) -> None:
    told = Told()
    record = run_flow(sqlite_store, flow_of(tmp_path, cleared()), site, told=told)
    names = [s.name for s in record.flow.steps]
    assert told.steps[0] == ("read/letters", "skipped")
    done = [name for name, state in told.steps if state == "done"]
    assert sorted(done) == sorted(n for n in names if n != "read/letters")
    assert done.index("refine") < done.index("split") < done.index("pack") < done.index("train") < done.index("check")
    train = record.steps["train"]
    assert (train.counts, train.telemetry, len(train.key), train.version) == ({"things": 1}, {"speed": "2.5"}, 64, train.version)


def test_a_run_ends_after_the_steps_of_a_verb(sqlite_store: Store, site: QuickSite, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, cleared())
    run_flow(sqlite_store, flow, site, until="read")
    assert site.worked == ["read/papers"]
    run_flow(sqlite_store, flow, site, until="refine")
    assert site.worked == ["read/papers", "refine", "split"]


def test_a_failure_names_its_step_and_leaves_what_was_finished(sqlite_store: Store, site: QuickSite, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, cleared())
    site.fails = lambda spec: Invalid("too-short", "nothing is left", "allow more") if spec.name == "pack" else None
    with pytest.raises(Invalid, match="pack: nothing is left") as raised:
        run_flow(sqlite_store, flow, site)
    assert raised.value.hint == "allow more"
    site.fails = lambda spec: None
    again = run_flow(sqlite_store, flow, site)
    assert {n: s.state for n, s in again.steps.items() if n in ("refine", "split", "pack")} == {
        "refine": "hit",
        "split": "hit",
        "pack": "done",
    }


def test_a_failure_stands_in_the_record_of_the_run(sqlite_store: Store, site: QuickSite, tmp_path: Path) -> None:
    site.fails = lambda spec: Broken("killed", "ended by signal 9", "look at dmesg") if spec.name == "refine" else None
    with pytest.raises(Broken):
        run_flow(sqlite_store, flow_of(tmp_path, cleared()), site)
    with sqlite_store.database.read() as connection:
        plan = json.loads(connection.execute(select(t.run.c.plan)).scalar_one())
    step = next(s for s in plan["steps"] if s["name"] == "refine")
    assert (step["state"], step["reason"]) == ("failed", "refine: ended by signal 9")
    assert plan["refusals"] == [
        {"what": "refine", "code": "killed", "message": "refine: ended by signal 9", "hint": "look at dmesg"}
    ]


def test_without_a_cleared_source_nothing_runs(sqlite_store: Store, site: QuickSite, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="refine: nothing that may be used is left for its input 'documents'"):
        run_flow(sqlite_store, flow_of(tmp_path, BASE), site)
    assert site.worked == []


def test_an_input_may_be_an_asset_of_the_store(sqlite_store: Store, site: QuickSite, tmp_path: Path) -> None:
    first = run_flow(sqlite_store, flow_of(tmp_path, cleared()), site)
    asset = first.steps["split"].asset
    text = cleared("pack: {}", f"pack: {{inputs: {{corpus: {asset[:12]}}}}}").replace(
        "split: {test_share: 0.2", "parts: {use: split, test_share: 0.3"
    )
    again = run_flow(sqlite_store, flow_of(tmp_path, text), site)
    assert {(i["role"], i["asset"]) for i in again.steps["pack"].inputs} >= {("corpus", asset)}


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("splitt", Missing, "pack: corpus: nothing here has the id or name"),
        ("source-of-another-kind", Invalid, "is a source, and corpus takes a corpus"),
    ],
)
def test_an_asset_that_does_not_fit_is_told_before_anything_runs(
    sqlite_store: Store, site: QuickSite, tmp_path: Path, given: str, error: type[Missing | Invalid], words: str
) -> None:
    sqlite_store.assets.add_folder(sqlite_store.me(), "source", tmp_path / "documents", "source-of-another-kind", provider="a/b")
    with pytest.raises(error, match=words):
        run_flow(sqlite_store, flow_of(tmp_path, cleared("pack: {}", f"pack: {{inputs: {{corpus: {given}}}}}")), site)
    assert site.worked == []


def test_two_runs_at_once_share_their_jobs(sqlite_store: Store, site: QuickSite, tmp_path: Path) -> None:
    """The second run begins while the first one's step is being worked on."""
    flow, runs = flow_of(tmp_path, cleared()), []
    inner = QuickSite(sqlite_store, tmp_path / "inner")

    def second(spec: JobSpec) -> None:
        if spec.name == "split" and not runs:
            runs.append(None)
            inner_flow = run_flow(sqlite_store, flow, inner, until="read")
            runs.append(inner_flow.steps["read/papers"].state)

    site.fails = second
    run_flow(sqlite_store, flow, site)
    assert runs == [None, "hit"]
    assert inner.worked == []
