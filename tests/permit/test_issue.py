"""From a case to a permit: what hangs together, what blocks, and what the permit says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from permit_world import World, add_subject, build_world
from touyan.core.canonical import canonical
from touyan.core.errors import Invalid, Missing, Refused
from touyan.core.permit import Filing, Scope, Use
from touyan.core.review import Subject
from touyan.core.seam import FixedSeam
from touyan.permit import bundle, dossier, issue, review
from touyan.permit.rulepack import find_pack
from touyan.permit.verify import is_good, verify
from touyan.store import tables as t
from touyan.store.home import Store

YARDSTICK_PASSED = {r.id: "pass" for r in find_pack("cn-gbt45654-2025").rules}


@pytest.fixture
def world(sqlite_store: Store, seam: FixedSeam, tmp_path: Path) -> World:
    return build_world(sqlite_store, seam, tmp_path / "world")


def approve(world: World, subject: Subject, kind: Any = "release") -> str:
    """The id of an approved review of `subject`."""
    found = review.request(world.store, world.ann, subject, kind)
    for person in (world.bob, world.eve)[: found.request.quorum]:
        world.store.reviews.vote(person, found.id, "approve")
    return found.id


def test_the_permit_says_what_it_rests_on(world: World) -> None:
    permit = world.issued(Scope("public", "law")).permit
    assert permit.rule_pack is not None
    assert (permit.rule_pack.id, permit.rule_pack.sha256) == ("demo", find_pack("demo").sha256)
    assert {o.outcome for o in permit.outcomes} == {"pass", "abstain"}
    assert [(m.model, m.value, m.low, m.high) for m in permit.measures] == [
        ("train", "3.65", "3.6", "3.7"),
        ("ngram", "3.91", "3.86", "3.96"),
    ]
    assert [w.statement for w in permit.winners] == ["train beats ngram by 0.26 bit"]
    assert [(v.party, v.role, v.decision) for v in permit.votes] == [(world.bob.party, "data-reviewer", "approve")]
    assert (permit.officer, permit.submitter, permit.scope.domain) == (world.olga.party, world.ann.party, "law")


def test_a_failed_rule_that_blocks_refuses_the_permit_with_an_event(world: World, tmp_path: Path) -> None:
    subject = add_subject(world.store, world.ann, tmp_path / "bad", {"residual-identifiers": "fail"})
    with pytest.raises(Refused, match="residual-identifiers"):
        issue.issue(world.store, world.olga, approve(world, subject))
    world.store.events.sequence()
    assert world.store.events.find("default", subject.model)[-1].event.type == "permit.refused"


def test_a_rule_that_must_be_passed_blocks_when_it_could_not_be_measured(world: World, tmp_path: Path) -> None:
    subject = add_subject(world.store, world.ann, tmp_path / "bad", pack="cn-gbt45654-2025")
    with pytest.raises(Refused, match="content-bank"):
        issue.issue(world.store, world.olga, approve(world, subject))


def test_a_failed_rule_that_is_for_the_record_blocks_nothing(world: World, tmp_path: Path) -> None:
    subject = add_subject(world.store, world.ann, tmp_path / "lost", {"beats-baselines": "fail"})
    assert issue.issue(world.store, world.olga, approve(world, subject)).state == "valid"


def test_real_parties_and_a_real_pack_give_a_permit_that_is_no_demonstration(world: World, tmp_path: Path) -> None:
    subject = add_subject(world.store, world.ann, tmp_path / "real", YARDSTICK_PASSED, "cn-gbt45654-2025")
    made = issue.issue(world.store, world.olga, approve(world, subject), filings=[Filing("网信办", "京-2026-0001", "2026-11-21")])
    assert not made.permit.demo
    assert len(made.permit.votes) == 2, "the pack asks for two persons"
    assert world.store.permits.valid_for(subject.model, Use(), "default") == made
    data = bundle.build(world.store, world.ann, made.number)
    assert is_good(verify(data, world.store.root_key.public_hex, at=made.permit.issued_at))


def test_a_demonstration_voter_makes_a_demonstration_permit(world: World, tmp_path: Path) -> None:
    subject = add_subject(world.store, world.ann, tmp_path / "real", YARDSTICK_PASSED, "cn-gbt45654-2025")
    world.store.parties.enrol(world.ann, "demo-reviewer", roles=["reviewer"], is_demo=True)
    found = review.request(world.store, world.ann, subject)
    world.store.reviews.vote(world.store.parties.sign_in("demo-reviewer"), found.id, "approve")
    world.store.reviews.vote(world.bob, found.id, "approve")
    made = issue.issue(world.store, world.olga, found.id)
    assert made.permit.demo
    data = bundle.build(world.store, world.ann, made.number)
    assert is_good(verify(data, world.store.root_key.public_hex, at=made.permit.issued_at))


def test_a_trial_permit_serves_its_named_testers_only(world: World) -> None:
    found = approve(world, world.subject, "trial")
    with pytest.raises(Invalid, match="testers"):
        issue.issue(world.store, world.olga, found, "trial")
    issue.issue(world.store, world.olga, found, "trial", Scope(testers=(world.eve.party,)))
    assert world.store.permits.valid_for(world.subject.model, Use(tester=world.eve.party), "default", allow_demo=True)
    with pytest.raises(Refused, match="named testers"):
        world.store.permits.valid_for(world.subject.model, Use(), "default", allow_demo=True)


def test_a_project_permit_needs_no_model_and_serves_none(world: World) -> None:
    made = issue.issue(world.store, world.olga, approve(world, Subject(), "project"), "project")
    assert made.permit.to_json()["subject"] == [{"name": "review", "digest": {"sha256": made.permit.review}}]
    with pytest.raises(Refused):
        world.store.permits.valid_for(world.subject.model, Use(), "default", allow_demo=True)
    data = bundle.build(world.store, world.ann, made.number)
    assert is_good(verify(data, world.store.root_key.public_hex, at=made.permit.issued_at))


@pytest.mark.parametrize("days", [0, -1, 4000])
def test_a_permit_lasts_a_stated_time(world: World, days: int) -> None:
    with pytest.raises(Invalid):
        issue.issue(world.store, world.olga, world.approved().id, days=days)


def test_numbers_follow_each_other(world: World, tmp_path: Path) -> None:
    first = world.issued().number
    second = issue.issue(
        world.store, world.olga, approve(world, add_subject(world.store, world.ann, tmp_path / "x", {"tested-items": "fail"}))
    ).number
    assert (first, second) == ("TY-2025-000001", "TY-2025-000002")


@pytest.mark.parametrize("field", ["model", "corpus", "evaluation"])
def test_assets_of_another_run_do_not_make_a_subject(world: World, tmp_path: Path, field: str) -> None:
    other = add_subject(world.store, world.ann, tmp_path / "other", {"tested-items": "fail"})
    changed = world.subject.to_json() | {field: other.checks}
    with pytest.raises(Invalid, match=r"is no|did not come"):
        review.request(world.store, world.ann, Subject(**changed))


def test_a_release_review_needs_model_and_checks(world: World) -> None:
    with pytest.raises(Invalid, match="model and its checks"):
        review.request(world.store, world.ann, Subject(corpus=world.subject.corpus))


def test_a_run_gives_its_subject(world: World) -> None:
    made, subject = world.subject.to_json(), world.subject
    steps: list[Any] = [
        {"name": name, "output": kind, "asset": made[kind], "inputs": []} for name, kind in (("split", "corpus"), ("train", "model"))
    ]  # fmt: skip
    inputs = [{"role": r, "name": r, "asset": made[r]} for r in ("corpus", "evaluation")]
    steps += [
        {"name": "check", "output": "checks", "asset": subject.checks, "inputs": inputs},
        {"name": "late", "output": "model", "asset": ""},
    ]
    row = {
        "id": "run-1",
        "project": "default",
        "flow": "laws",
        "flow_sha256": "",
        "state": "waiting",
        "started_at": "",
        "actor": world.ann.party,
    }
    with world.store.database.write() as connection:
        connection.execute(t.run.insert(), row | {"plan": canonical({"run": 1, "steps": steps}).decode()})
    assert review.subject_of_run(world.store, world.ann, "run-1") == Subject(**made | {"run": "run-1"})
    with pytest.raises(Invalid, match=r"which|none is called"):
        review.subject_of_run(world.store, world.ann, "run-1", "trian")
    with pytest.raises(Missing):
        review.subject_of_run(world.store, world.ann, "run-2")


def test_a_reviewer_sees_sources_checks_blocks_and_the_permit(world: World) -> None:
    made = world.issued()
    sheet = review.show(world.store, world.bob, made.permit.review)
    assert [(s.who, s.rights.authority if s.rights else "") for s in sheet.sources] == [("npc/laws", "public-domain-official")]
    assert (sheet.blocks, sheet.case.blocking, sheet.permit) == ((), (), made)


def test_a_stranger_sees_no_case(world: World) -> None:
    found = world.request()
    world.store.parties.enrol(world.ann, "zoe", roles=["user"])
    with pytest.raises(Refused):
        review.show(world.store, world.store.parties.sign_in("zoe"), found.id)


def test_the_dossier_tells_the_case_in_both_languages(world: World, tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    found = world.approved()
    document = docx.Document(str(dossier.write_docx(world.store, world.bob, found.id, tmp_path / "d.docx")))
    cells = [c.text for table in document.tables for row in table.rows for c in row.cells]
    for words in (
        "npc/laws",
        "官方文件 (不受著作权保护) public-domain-official",
        "通过 pass",
        "未能测量 abstain",
        "同意 approve",
        "train beats ngram by 0.26 bit",
    ):
        assert words in cells
    assert [p.text for p in document.paragraphs if p.style.name == "Heading 1"][2] == "三、规则检查 Checks"


def test_the_workbook_holds_one_rule_a_row_and_no_formulas(world: World, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    page = openpyxl.load_workbook(dossier.write_xlsx(world.store, world.bob, world.request().id, tmp_path / "d.xlsx")).active
    rows = list(page.iter_rows(values_only=True))
    assert [r[0] for r in rows[1:]] == [r.id for r in find_pack("demo").rules]
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)


def test_text_that_xml_cannot_hold_and_formulas_are_made_harmless() -> None:
    row = {"id": "=1+1", "clause": "", "text": {"zh": "", "en": ""}, "threshold": "", "value": None, "low": None, "high": None, "n": 0,
           "outcome": "abstain", "blocks": "never", "confidence": "memory", "evidence": {"missing": "x"}}  # fmt: skip
    assert json.dumps(list(dossier.check_rows([row])))
