"""A hit or a Job, and the reason in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from bench_site import QuickSite, reasons, run_flow
from flows import BASE, changed, flow_of

from touyan.core.errors import Refused
from touyan.core.job import JobSpec, NamedInput, Need
from touyan.core.rights import PURPOSES, Rights
from touyan.flow.file import Flow
from touyan.flow.plan import decide
from touyan.store.home import Store

STEPS = [
    "read/papers", "read/letters", "refine", "split", "tokenizer", "pack", "train", "ngram", "evaluate", "check",
]  # fmt: skip
Change = Callable[..., Flow]


@pytest.fixture
def site(sqlite_store: Store, tmp_path: Path) -> QuickSite:
    return QuickSite(sqlite_store, tmp_path / "made")


@pytest.fixture
def flow(tmp_path: Path) -> Change:
    """`flow(old, new)` is BASE with one place changed; both of its sources hold a text and are cleared."""
    for name in ("documents", "letters"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(f"{name}: 第一条")
    stated = "authority: own-production, personal: none, personal_state: none, security: general"
    rights = f"{{{stated}, purposes: [{', '.join(PURPOSES)}]}}"

    def make(old: str = "touyan", new: str = "touyan") -> Flow:
        lines = [f"    rights: {rights}" if "rights:" in line else line for line in changed(old, new).splitlines()]
        return flow_of(tmp_path, "\n".join(lines))

    return make


def test_the_second_run_of_a_flow_is_all_hits(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    first = run_flow(sqlite_store, flow(), site)
    assert reasons(first) == dict.fromkeys(STEPS, "first run")
    second = run_flow(sqlite_store, flow(), site)
    assert [s.state for s in second.steps.values()] == ["hit"] * len(STEPS)
    assert all(s.reason.startswith("hit, made 2025-10-09 ") for s in second.steps.values())
    assert [s.asset for s in first.steps.values()] == [s.asset for s in second.steps.values()]
    assert sorted(site.worked) == sorted(STEPS)


def test_another_flow_with_the_same_steps_shares_their_results(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    run_flow(sqlite_store, flow(), site)
    assert reasons(run_flow(sqlite_store, flow("name: notes\ns", "name: others\ns"), site)) == {}


def test_a_change_of_a_parameter_is_told_and_repeats_what_follows(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    run_flow(sqlite_store, flow(), site)
    found = reasons(run_flow(sqlite_store, flow("test_share: 0.2", "test_share: 0.25"), site))
    assert found["split"] == "re-run, test_share 0.2 -> 0.25"
    assert found["pack"] == "re-run, new split; new tokenizer"
    assert not {"read/papers", "refine"} & found.keys()


def test_another_spelling_of_a_number_changes_nothing(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    run_flow(sqlite_store, flow(), site)
    assert reasons(run_flow(sqlite_store, flow("test_share: 0.2", "test_share: 2.0e-1"), site)) == {}


def test_another_version_of_a_step_is_told(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    run_flow(sqlite_store, flow(), site)
    steps = tuple(replace(s, spec=replace(s.spec, version="99")) if s.name == "check" else s for s in flow().steps)
    old = flow().steps[-1].spec.version
    assert reasons(run_flow(sqlite_store, replace(flow(), steps=steps), site)) == {"check": f"re-run, version {old} -> 99"}


def test_a_source_that_changed_or_left_is_told(sqlite_store: Store, site: QuickSite, flow: Change, tmp_path: Path) -> None:
    run_flow(sqlite_store, flow(), site, "refine")
    (tmp_path / "letters" / "b.txt").write_text("第二条")
    found = reasons(run_flow(sqlite_store, flow(), site, "refine"))
    assert {n: found[n] for n in ("read/letters", "refine")} == {
        "read/letters": "re-run, new letters",
        "refine": "re-run, new read/letters",
    }
    alone = flow("refine: {min_chars: 4}", "refine: {min_chars: 4, inputs: {documents: papers}}")
    assert reasons(run_flow(sqlite_store, alone, site, "refine"))["refine"] == "re-run, without 1 of its inputs"


def test_a_result_whose_bytes_are_gone_is_made_again(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    asset = run_flow(sqlite_store, flow(), site).steps["pack"].asset
    with sqlite_store.database.read() as connection:
        files = sqlite_store.assets.get(connection, "default", asset).manifest.files
    sqlite_store.objects.delete(files[0].sha256)
    assert reasons(run_flow(sqlite_store, flow(), site)) == {"pack": "re-run, objects of its result are missing from the store"}
    assert reasons(run_flow(sqlite_store, flow(), site)) == {}


def test_a_withdrawn_person_is_left_out_by_the_refinery(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    run_flow(sqlite_store, flow(), site)
    withdrawals = sqlite_store.withdrawals
    withdrawals.withdraw(sqlite_store.me(), "subject", withdrawals.pseudonym("13812345678"), reason="asked")
    found = run_flow(sqlite_store, flow(), site)
    assert reasons(found)["refine"] == "re-run, new withdrawals"
    assert "read/papers" not in reasons(found)
    withdrawals.withdraw(sqlite_store.me(), "subject", withdrawals.pseudonym("13912345678"), reason="asked")
    assert reasons(run_flow(sqlite_store, flow(), site))["refine"] == "re-run, new withdrawals"


def test_a_result_whose_source_lost_its_rights_is_refused_and_told(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    first = run_flow(sqlite_store, flow(), site)
    source = first.sources[0]["asset"]
    with sqlite_store.database.write() as connection:
        sqlite_store.statements.make(connection, sqlite_store.me(), source, "rights", {"rights": Rights().to_json()})
    refine = next(s for s in flow().steps if s.name == "refine")
    given = [NamedInput("documents", first.steps[f"read/{n}"].asset, f"read/{n}") for n in ("papers", "letters")]
    with pytest.raises(Refused, match=r"refine: the corpus .* may not be used: office/papers: authority over"):
        decide(sqlite_store, sqlite_store.me(), refine, given, ["office/papers", "office/letters"])
    sqlite_store.events.sequence()
    assert [e.body["purpose"] for e in sqlite_store.events.find("default", first.steps["refine"].asset, "access.refused")] == [
        "refine"
    ]


def test_a_withdrawn_source_is_not_read_and_the_rest_goes_on(sqlite_store: Store, site: QuickSite, flow: Change) -> None:
    run_flow(sqlite_store, flow(), site)
    sqlite_store.withdrawals.withdraw(sqlite_store.me(), "source", "office/papers", reason="the contract ended")
    again = run_flow(sqlite_store, flow(), site)
    assert (again.steps["read/papers"].state, again.steps["read/papers"].reason) == ("skipped", "its source was refused")
    assert "it was withdrawn (no-new-use): the contract ended" in str(again.sources[0]["blocks"])
    assert reasons(again)["refine"] == "re-run, without 1 of its inputs"


def test_step_keys_are_what_they_were() -> None:
    """Golden: a change here makes every result in every store unreachable; so it takes a new version of the format."""
    need = Need("general", 1, 2, 4 << 30, 3600)
    spec = JobSpec(
        "default", "refine", "refine", "3", {"min_chars": 4, "share": "0.5"}, (NamedInput("documents", "a" * 64, "read/laws"),),
        "corpus", "refine", "python", need, "acme-00000000/ann", (),
    )  # fmt: skip
    assert spec.key == "ffc8149852f0428bd2099d8f0ce150f6950513d144000fb529c1d758b065acff"
    same = {"name": "other", "project": "second", "need": Need(), "submitter": "acme-00000000/bob", "withdrawals": ("b" * 64,)}
    assert all(replace(spec, **{field: value}).key == spec.key for field, value in same.items())
    other = {"step": "x", "version": "4", "params": {"min_chars": 5, "share": "0.5"}, "inputs": (), "environment": "torch-cpu"}
    assert len({spec.key, *(replace(spec, **{field: value}).key for field, value in other.items())}) == 1 + len(other)


def test_the_base_flow_of_these_tests_is_valid(tmp_path: Path) -> None:
    assert [s.name for s in flow_of(tmp_path, BASE).steps] == STEPS
