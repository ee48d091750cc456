"""Decontamination: items of evaluation sets are found in documents, in whatever file they came, and only they."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from copies import prose, reworded, shard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared_data import SHARED

from touyan.core.document import apply, edits_of
from touyan.core.errors import Invalid, Missing
from touyan.corpus.duplicates import evaluation_sets
from touyan.corpus.duplicates.decontaminate import Decontaminate
from touyan.corpus.duplicates.evaluation_sets import items_of

QUESTION, PASSAGE, ANSWER = prose(1, 60), prose(2, 400), prose(3, 30)
PAPER = "二〇二三年普通高等学校招生全国统一考试语文试卷（答案版）"
SHORT = {"question": "下列说法正确的是哪一项", "options": ["甲说的是对的", "乙说的是对的", "丙说的是对的"], "source": PAPER}
ITEMS: list[dict[str, Any]] = [
    {"passage": PASSAGE, "question": QUESTION, "answer": "A", "other": {"source": PAPER}},
    {"passage": None, "question": ANSWER, "score": 3, "source": PAPER},
    SHORT,
    {"question": prose(4, 50), "source": PAPER},
]
AROUND = prose(9, 200)


@pytest.fixture
def given_set(tmp_path: Path) -> Path:
    path = tmp_path / "考卷.jsonl"
    path.write_text("\n".join(json.dumps(item, ensure_ascii=False) for item in ITEMS) + "\n", encoding="utf-8")
    return path


def found(operator: Decontaminate, *texts: str) -> dict[int, tuple[str, float]]:
    verdicts = operator.judge(shard(texts)).verdicts
    return {n: (verdict.evidence or "", verdict.score or 0) for n, verdict in verdicts.items()}


def test_a_document_that_holds_a_text_of_an_item_leaves_and_the_item_is_named(given_set: Path) -> None:
    texts = [AROUND, f"{AROUND}\n{QUESTION}\n{AROUND}", PASSAGE.replace("。", "。\n"), f"练习：{ANSWER}"]
    assert found(Decontaminate((str(given_set),)), *texts) == {
        1: ("eval:考卷#item=1", 1.0),
        2: ("eval:考卷#item=1", 1.0),
        3: ("eval:考卷#item=2", 1.0),
    }


def test_a_question_and_choices_too_short_for_themselves_count_as_one(given_set: Path) -> None:
    text = "\n".join([AROUND, SHORT["question"], *SHORT["options"]])
    assert found(Decontaminate((str(given_set),)), text, SHORT["question"] + AROUND) == {0: ("eval:考卷#item=3", 1.0)}


def test_the_name_of_the_paper_is_no_items_own(given_set: Path) -> None:
    assert found(Decontaminate((str(given_set),)), f"{AROUND}\n{PAPER}") == {}


def test_the_share_is_that_of_the_items_grams_and_counts_from_the_least_on(given_set: Path) -> None:
    text = AROUND + PASSAGE[:200] + AROUND
    ((evidence, share),) = found(Decontaminate((str(given_set),), min_share=0.4), text).values()
    assert evidence == "eval:考卷#item=1"
    assert share == (200 - 12) / (400 - 12)
    assert found(Decontaminate((str(given_set),), min_share=0.5), text) == {}


def test_changed_words_hide_an_item_only_where_they_are_many(given_set: Path) -> None:
    least = Decontaminate((str(given_set),))
    assert set(found(least, reworded(PASSAGE, 1, 8), reworded(PASSAGE, 1, 80))) == {0}


def test_two_halves_in_two_documents_are_in_neither(given_set: Path) -> None:
    assert found(Decontaminate((str(given_set),)), QUESTION[:30], QUESTION[30:]) == {}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ends=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=6), at=st.integers(0, 6))
def test_the_division_into_batches_changes_nothing(given_set: Path, ends: list[tuple[int, int]], at: int) -> None:
    texts = [AROUND[:before] + QUESTION[:end] for before, end in ends]
    operator = Decontaminate((str(given_set),), min_share=0.1)
    first, rest = found(operator, *texts[:at]), found(operator, *texts[at:])
    assert found(operator, *texts) == first | {at + n: said for n, said in rest.items()}


def test_a_cut_takes_the_item_and_leaves_the_rest(given_set: Path) -> None:
    text = f"{AROUND}　\n𠀀 {QUESTION[:20]}\n{QUESTION[20:]}{AROUND}"
    spans = Decontaminate((str(given_set),), policy="cut").judge(shard([text, AROUND])).spans
    assert set(spans) == {0}
    assert apply(text, edits_of(spans[0])) == f"{AROUND}　\n𠀀 {AROUND}"
    assert [(span.evidence, span.score) for span in spans[0]] == [("eval:考卷#item=1", 1.0)]


def test_sets_may_be_json_text_or_folders_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"title": "试卷", "example": [{"question": QUESTION}, {"question": ANSWER}]}))
    (tmp_path / "b.txt").write_text(f"{PASSAGE}\n{ANSWER}\n", encoding="utf-8")
    (tmp_path / "LICENSE").write_text("MIT")
    assert [item.name for item in items_of(str(tmp_path))] == [
        "a#item=1", "a#item=2", "b#item=1", "b#item=2", "b#item=3",
    ]  # fmt: skip


def test_a_set_may_bear_a_registered_name(given_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Registered:
        name = "paper"

        def load(self) -> Any:
            return lambda: given_set

    monkeypatch.setattr(evaluation_sets, "entry_points", lambda group: [Registered()])
    assert next(item.name for item in items_of("paper")) == "考卷#item=1"
    with pytest.raises(Missing, match="papers") as error:
        list(items_of("papers"))
    assert "paper" in error.value.hint


def test_a_damaged_set_is_invalid_and_the_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"question": "甲"}\n{"question": \n', encoding="utf-8")
    with pytest.raises(Invalid, match=r"a\.jsonl:2"):
        found(Decontaminate((str(tmp_path / "a.jsonl"),)), AROUND)


@pytest.mark.parametrize("chosen", [{"policy": "flag"}, {"gram_chars": 1}])
def test_settings_that_cannot_work_are_invalid(chosen: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Decontaminate(**chosen)


def test_questions_of_real_papers_are_found_among_statutes(tmp_path: Path) -> None:
    archive = SHARED / "zh-benchmarks" / "gaokao-agieval-gaokaobench.tar.xz"
    if not archive.exists():
        pytest.skip(f"needs {archive.name} in the folder TOUYAN_SHARED_DATA")
    with tarfile.open(archive) as file:
        member = next(each for each in file.getmembers() if each.name.endswith("gaokao-history.jsonl"))
        file.extract(member, tmp_path, filter="data")
    items = [json.loads(line) for line in (tmp_path / member.name).read_text(encoding="utf-8").splitlines()]
    texts = [AROUND + item["question"] + "\n" + "\n".join(item["options"]) + AROUND for item in items]
    operator = Decontaminate((str(tmp_path / member.name),))
    assert len(found(operator, *texts)) >= 0.98 * len(texts)
    assert found(operator, *(prose(seed, 500) for seed in range(50))) == {}
