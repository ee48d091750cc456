"""The scorecard: what a perfect, a lazy and a careless refinery get."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from corpora import ID_CARD, FakeWork, folder, row

from touyan.core.errors import Invalid, Missing
from touyan.corpus import refine
from touyan.corpus.plant.clean import CleanDocument
from touyan.corpus.plant.plant import Plan, plant
from touyan.corpus.plant.planted import Planted, write_planted
from touyan.corpus.plant.score import score
from touyan.corpus.plant.scorecard import MEASURES, Scorecard
from touyan.corpus.refine import RefineParams

BODY = "第一条　为了规范公共数据资源的授权运营，制定本办法。\n第二条　县级以上人民政府应当加强对授权运营工作的领导，健全制度。"
OTHER = "关于印发《城市排水管网巡查工作规程》的通知\n各区住房建设部门：现将规程印发给你们，请结合实际认真贯彻执行，按月报送情况。"
BASE, PAGE = Planted("base", BODY), Planted("page", f"首页 > 正文\n{BODY}\n点赞 3", plant=("boilerplate",), of="base")
PERSON = Planted(
    "person",
    f"{OTHER}\n来电人王小明，身份证{ID_CARD}。",
    plant=("pii",),
    of="0",
    clean=OTHER,
    truth={"name": "王小明", "id": ID_CARD},
)


FIELDS = (
    "供水", "燃气", "养老", "医保", "档案", "统计", "林业", "渔业", "港口", "航道", "气象", "地震", "消防", "民政", "审计", "税务",
)  # fmt: skip


def text(number: int) -> str:
    """Thirteen articles, other than those of any other number."""
    return "\n".join(
        f"第{n}条　{FIELDS[(number + n) % 16]}主管部门负责{FIELDS[(number * 3 + n * n) % 16]}工作，{number * 97 + n}日内办结。"
        for n in range(1, 14)
    )


CORPUS = list(plant((CleanDocument(text(number), "s", number) for number in range(60)), Plan(share=0.7)))


@pytest.fixture
def result(tmp_path: Path) -> Callable[..., Scorecard]:
    """Scores what a refinery, a function of the planted documents, kept."""

    def scored(corpus: list[Planted], kept: list[tuple[str, str]]) -> Scorecard:
        write_planted(tmp_path / "planted.jsonl.zst", corpus)
        lines = (json.dumps({"id": identifier, "text": text}) for identifier, text in kept)
        (tmp_path / "kept.jsonl").write_text("\n".join(lines))
        return score(tmp_path / "planted.jsonl.zst", tmp_path / "kept.jsonl")

    return scored


def found(card: Scorecard) -> dict[str, tuple[int, int]]:
    return {line.measure.key: (line.hits, line.n) for line in card.lines}


def test_a_perfect_refinery_reaches_every_figure(result: Callable[..., Scorecard]) -> None:
    gone = {"near_dup", "exact_dup", "english", "junk", "advert", "abuse", "kun_jin_kao", "version"}
    kept = [
        (each.id, each.text if "decoy" in each.plant or each.clean is None else each.clean)
        for each in CORPUS
        if not gone & set(each.plant)
    ]
    card = result(CORPUS, kept)
    assert [line for line in card.lines if line.hits != (line.n if line.measure.better == "high" else 0)] == []
    assert {"near-dup-left", "boilerplate-removed", "person-masked", "clean-lost-beyond"} <= set(found(card))


def test_a_refinery_that_does_nothing_leaves_everything(result: Callable[..., Scorecard]) -> None:
    card = found(result(CORPUS, [(each.id, each.text) for each in CORPUS]))
    assert card["near-dup-left"][0] == card["near-dup-left"][1] > 0
    assert card["clean-lost"][0] == card["boilerplate-removed"][0] == card["person-masked"][0] == card["body-lost"][0] == 0
    assert card["checksummed-left"][0] == card["checksummed-left"][1]


def test_a_refinery_that_drops_everything_is_seen_through(result: Callable[..., Scorecard]) -> None:
    card = found(result(CORPUS, []))
    assert card["clean-lost-beyond-contained"][0] == card["clean-lost"][1] > 0
    assert "person-masked" not in card


def test_a_clean_document_whose_like_was_kept_is_no_loss(result: Callable[..., Scorecard]) -> None:
    copy = Planted("copy", BODY.replace("健全制度", "健全机制"), plant=("near_dup",), of="base")
    card = found(result([BASE, copy], [("copy", copy.text)]))
    assert card["clean-lost"] == (1, 1)
    assert card["clean-lost-beyond"] == card["near-dup-left"] == (0, 1)


def test_names_and_numbers_are_looked_for_in_every_spelling(result: Callable[..., Scorecard]) -> None:
    spaced = PERSON.text.replace(ID_CARD, f"{ID_CARD[:6]} {ID_CARD[6:14]} {ID_CARD[14:]}").replace("王小明", "[姓名]")
    card = found(result([PERSON], [("person", spaced)]))
    assert card["checksummed-left"] == card["left:id-card"] == card["person-masked"] == (1, 1)
    card = found(result([PERSON], [("person", OTHER)]))
    assert card["checksummed-left"] == (0, 1)


def test_a_wrong_repair_that_is_kept_is_told_from_one_that_left(result: Callable[..., Scorecard]) -> None:
    page = Planted("m", "第一條(tiáo)", plant=("seo_mirror",), clean="第一条")
    assert found(result([page], [("m", "第一条")]))["mirror-exact"] == (1, 1)
    assert found(result([page], [("m", "第一條")]))["mirror-wrong-kept"] == (1, 1)
    assert found(result([page], []))["mirror-wrong-kept"] == (0, 1)


def test_our_own_runs_tell_what_happened_to_documents_that_left(tmp_path: Path) -> None:
    corpus = [BASE, PAGE, replace(BASE, id="again", plant=("exact_dup",), of="base"), PERSON]
    write_planted(tmp_path / "planted.jsonl", corpus)
    documents = folder(tmp_path / "out" / "documents", (row(each.id, each.text) for each in corpus))
    params = RefineParams(operators=("unicode", "exact-duplicates", "length", "script", "mask"))
    refine.run(FakeWork(params, tmp_path / "out" / "corpus", {"documents": [documents]}))
    card = score(tmp_path / "planted.jsonl", tmp_path / "out")
    seen = found(card)
    assert card.left_by == {"exact-duplicates": {"exact_dup": 1}}
    assert seen["exact-dup-left"] == (0, 1)
    assert seen["boilerplate-removed"] == (0, 2)
    assert seen["checksummed-left"] == (0, 1)
    assert seen["clean-masked"] == (0, 1)
    assert score(tmp_path / "planted.jsonl", tmp_path / "out" / "corpus") == card


def test_measures_have_one_key_each_and_figures_in_the_right_order() -> None:
    assert len({measure.key for measure in MEASURES}) == len(MEASURES)
    for measure in MEASURES:
        if measure.reach is not None and measure.aim is not None:
            assert measure.aim <= measure.reach if measure.better == "low" else measure.aim >= measure.reach


def test_what_is_no_planted_corpus_and_no_result_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.jsonl").write_text('{"text": 1}\n')
    with pytest.raises(Invalid, match="line 1"):
        score(tmp_path / "no.jsonl", tmp_path / "no.jsonl")
    with pytest.raises(Missing):
        score(tmp_path / "no.jsonl", tmp_path / "nowhere")
