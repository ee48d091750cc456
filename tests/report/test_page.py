"""The whole report: from a staged run in a store to the page that a reader opens."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from staged import Stage, Staged, stage
from test_markup import outline

from touyan.core.errors import Missing, Refused
from touyan.core.party import Actor
from touyan.report import gather, write
from touyan.report.facts import ReportFacts
from touyan.report.page import render

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202egnp.exe\u2066\x00</style></title><!--]]>&#60;" + "\u0301" * 99
)
SECRETS = "13812345678 11010519491231002X zhang.san@example.cn 6222021234567890123"


@pytest.fixture(scope="module")
def permitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    staged = stage(tmp_path_factory.mktemp("permitted"))
    yield staged
    staged.store.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    staged = stage(tmp_path_factory.mktemp("hostile"), text=f"{HOSTILE}{SECRETS}" + "长" * 200_000)
    yield staged
    staged.store.close()


def told(staged: Staged) -> ReportFacts:
    return gather.facts(staged.store, staged.actor, staged.run)


def seen(page: str) -> str:
    return outline(page.partition("</style>")[2]).text


def test_a_permitted_run_tells_its_whole_story(permitted: Staged) -> None:
    page = seen(render(told(permitted)))
    for part in (
        "TY-2026-000001",
        "演示许可",
        "官方文件",
        "被拒绝",
        "与另一文档完全相同",
        "[手机号]",
        "3.684",
        "3.652 – 3.717",
        "touyan verify",
    ):
        assert part in page, part
    assert "数据来源与权利记录齐全" in page
    assert "生成内容须带标识" in page


def test_both_languages_are_there(permitted: Staged) -> None:
    page = seen(render(told(permitted)))
    assert "来源与权利" in page
    assert "Sources and rights" in page


def test_the_language_asked_for_is_shown_first(permitted: Staged) -> None:
    assert 'id="show-zh" checked' in render(told(permitted))
    assert 'id="show-en" checked' in render(told(permitted), "en")


def test_the_same_facts_give_the_same_page(permitted: Staged) -> None:
    facts = told(permitted)
    assert render(facts) == render(facts)


def test_gathering_twice_gives_the_same_facts(permitted: Staged) -> None:
    assert told(permitted) == told(permitted)


def test_facts_follow_the_folders(permitted: Staged) -> None:
    facts = told(permitted)
    assert facts.subject == permitted.assets["train"]
    assert [s.operator for s in facts.corpus.sieves][:3] == ["read", "read", "unicode"]
    assert facts.corpus.documents == 26_650
    assert facts.corpus.split is not None
    assert facts.corpus.split.reasons == {"verbatim-in-train": 217}
    assert facts.evaluation is not None
    assert [w.task for w in facts.evaluation.winners] == ["generate", "classify"]
    assert facts.mixture is not None
    assert facts.mixture.duties == {"attribution", "no re-identification"}
    assert "train" in facts.mixture.purposes
    assert facts.environment["torch"] == "2.13.0"
    assert facts.gaps == ()


def test_the_lineage_leads_from_every_cleared_source_to_the_permit(permitted: Staged) -> None:
    graph = told(permitted).lineage
    below: dict[str, set[str]] = {}
    for a, b in graph.edges:
        below.setdefault(a, set()).add(b)

    def reaches(node: str) -> bool:
        return node == "permit" or any(reaches(n) for n in below.get(node, ()))

    assert reaches("source/laws")
    assert reaches("source/replies")
    assert not reaches("source/forum")


def test_the_head_is_that_of_the_log(permitted: Staged) -> None:
    head = told(permitted).head
    assert head is not None
    assert head.root == permitted.store.events.root(head.size).hex()
    assert "permit.issued" in {kind for _, _, kind, _ in head.events}


@pytest.mark.parametrize(
    ("reached", "says"),
    [
        ("asked", "11 个步骤已完成 0 个"),
        ("failed", "exceeded its memory limit of 4.0 GiB"),
        ("waiting", "等待评审"),
    ],
)
def test_an_unfinished_run_says_plainly_how_far_it_came(tmp_path: Path, reached: Stage, says: str) -> None:
    staged = stage(tmp_path, reached)
    page = seen(render(told(staged)))
    staged.store.close()
    assert says in page
    assert "没有许可：模型不得提供服务" in page


def test_hostile_text_makes_no_element_and_no_attribute(permitted: Staged, hostile: Staged) -> None:
    page, plain = outline(render(told(hostile))), outline(render(told(permitted)))
    assert set(page.tags) == set(plain.tags)
    assert not {"script", "img", "iframe", "object", "link", "base", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]


def test_hostile_text_cannot_turn_the_page_around(hostile: Staged) -> None:
    page = render(told(hostile))
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", page)
    assert "⟨U+202E⟩" in page


def test_a_huge_text_leaves_a_page_of_ordinary_size(hostile: Staged) -> None:
    assert len(render(told(hostile)).encode()) < 400_000


def test_personal_data_that_a_folder_holds_unmasked_is_blotted(hostile: Staged) -> None:
    shown = {e.text for found in (told(hostile).corpus.dropped, told(hostile).corpus.masked) for es in found.values() for e in es}
    assert shown
    assert not [s for s in SECRETS.split() if any(s in text for text in shown)]


def test_the_page_reaches_nothing_outside_itself(permitted: Staged) -> None:
    page = outline(render(told(permitted)))
    assert not [v for n, v in page.attributes if n in ("src", "href", "action", "data") and not str(v).startswith("#")]
    assert "url(" not in render(told(permitted))
    assert "@import" not in render(told(permitted))


def test_the_policy_permits_this_style_sheet_and_nothing_else(permitted: Staged) -> None:
    page = render(told(permitted))
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#x27;none&#x27;; style-src &#x27;sha256-{digest}&#x27;" in page


@pytest.mark.parametrize(
    "damage", ["not json", '{"funnel": 3, "documents": "many", "samples": [1, {"a": null}]}', "[[[]]]", '{"metrics": {"a": 1}}']
)
def test_malformed_folders_leave_a_report(tmp_path: Path, damage: str) -> None:
    paths = ("summary.json", "touyan.json", "loss.jsonl", "metrics.json", "checks.json")
    names = ("read/laws", "refine", "split", "train", "evaluate", "check")
    staged = stage(tmp_path, changes={name: dict.fromkeys(paths, damage) for name in names})
    facts = told(staged)
    staged.store.close()
    assert "TY-2026-000001" in seen(render(facts))
    assert bool(facts.gaps) is (damage == "not json")


def test_a_lost_object_becomes_a_gap_with_its_reason(tmp_path: Path) -> None:
    staged = stage(tmp_path)
    with staged.store.database.read() as connection:
        asset = staged.store.assets.get(connection, staged.actor.project, staged.assets["evaluate"])
    staged.store.objects.delete(next(f.sha256 for f in asset.manifest.files if f.path == "metrics.json"))
    facts = told(staged)
    staged.store.close()
    assert [what for what, _ in facts.gaps] == ["evaluate/metrics.json"]
    assert "本报告缺少的" in seen(render(facts))
    assert "还没有评测" in seen(render(facts))


def test_a_run_is_found_by_its_first_digits(permitted: Staged) -> None:
    assert gather.facts(permitted.store, permitted.actor, permitted.run[:6]).run.id == permitted.run


@pytest.mark.parametrize("name", ["", "zzzz", "%"])
def test_a_run_that_is_not_there_is_missing(permitted: Staged, name: str) -> None:
    with pytest.raises(Missing, match="run"):
        gather.facts(permitted.store, permitted.actor, name)


def test_an_actor_without_a_role_is_refused(permitted: Staged) -> None:
    with pytest.raises(Refused):
        gather.facts(permitted.store, Actor(permitted.actor.party, permitted.actor.project, frozenset()), permitted.run)


def test_another_project_sees_no_run(permitted: Staged) -> None:
    with pytest.raises(Missing):
        gather.facts(permitted.store, Actor(permitted.actor.party, "other", permitted.actor.roles), permitted.run)


def test_write_leaves_one_whole_file(permitted: Staged, tmp_path: Path) -> None:
    target = write(permitted.store, permitted.actor, permitted.run, tmp_path / "reports" / "run.html")
    assert [p.name for p in target.parent.iterdir()] == ["run.html"]
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>\n<html")


def test_drawing_a_page_needs_no_heavy_library() -> None:
    script = (
        "import sys, touyan.report.page; print(*sorted({'torch', 'numpy', 'pyarrow', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == ""
