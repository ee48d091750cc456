"""The residual estimate: a sample that anybody draws again, intervals that hold, and a sheet that comes back."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from corpora import MOBILE, STATUTE

from touyan.core.errors import Invalid
from touyan.corpus.personal.residual import (
    PASSAGE_CHARS,
    Frame,
    Judgement,
    Passage,
    by_detector,
    estimate,
    passages,
    sample,
)
from touyan.corpus.personal.residual_sheet import read_sheet, write_sheet
from touyan.corpus.personal.suspects import suspects

TEXTS = [(f"{i:064}", (STATUTE + "\n") * 5 + ("联系电话[手机号]。" if i % 3 else f"电话{MOBILE}。")) for i in range(60)]


def test_passages_are_whole_sentences_and_lose_nothing() -> None:
    cut = [piece for piece in passages(TEXTS) if piece.doc_id == TEXTS[0][0]]
    assert "".join(piece.text for piece in cut) == TEXTS[0][1]
    assert all(len(piece.text) <= PASSAGE_CHARS and piece.text[-1] in "。\n" for piece in cut)
    assert [piece.stratum for piece in cut][-1] == "suspected"


def test_the_sample_is_the_same_for_the_same_seed_in_any_order_of_documents() -> None:
    first, frame = sample(passages(TEXTS), 5, "a")
    again, same = sample(passages(reversed(TEXTS)), 5, "a")
    other, _ = sample(passages(TEXTS), 5, "b")
    assert set(first) == set(again) != set(other)
    assert frame == same
    assert sum(frame.passages.values()) == len(list(passages(TEXTS)))
    assert frame.characters == sum(len(text) for _, text in TEXTS)


def test_a_stratum_judged_whole_is_known() -> None:
    frame = Frame({"suspected": 4}, 1_000)
    residual = estimate([Judgement("suspected", {"mobile": 2}), *[Judgement("suspected", {})] * 3], frame)
    assert (residual.any.per_million, residual.any.low, residual.any.high) == pytest.approx((1_000, 1_000, 1_000))


def test_a_large_stratum_in_which_nothing_was_found_still_widens_the_interval() -> None:
    found = [Judgement("suspected", {"mobile": 1})]
    residual = estimate([*found, *[Judgement("plain", {})] * 100], Frame({"suspected": 1, "plain": 9_999}, 1_000_000))
    assert residual.any.low < 1.01 < 300 < residual.any.high


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = Random(7)
    sizes = {"suspected": (500, 0.4), "masked": (4_000, 0.05), "plain": (20_000, 0.002)}
    people = {name: [rng.random() < share for _ in range(n)] for name, (n, share) in sizes.items()}
    frame = Frame({name: n for name, (n, _) in sizes.items()}, 24_500 * 200)
    truth = sum(map(sum, people.values())) * 1_000_000 / frame.characters
    held = 0
    for _ in range(300):
        drawn = [Judgement(name, {"mobile": int(left)}) for name, some in people.items() for left in rng.sample(some, 200)]
        rate = estimate(drawn, frame).any
        held += rate.low <= truth <= rate.high
    assert held >= 0.94 * 300


def test_an_unjudged_stratum_is_refused() -> None:
    with pytest.raises(Invalid, match="plain"):
        estimate([Judgement("masked", {})], Frame({"masked": 1, "plain": 5}, 100))


def test_the_sentence_never_says_anonymous() -> None:
    residual = estimate([Judgement("plain", {})] * 50, Frame({"plain": 1_000}, 200_000))
    assert residual.sentence().startswith("de-identified, residual estimate 0 ")
    assert "95 % CI" in residual.sentence()
    assert "anonym" not in residual.sentence()
    assert "匿名" not in residual.sentence_zh()


def test_the_second_detector_sees_what_the_mask_would_have_to_see() -> None:
    seen = [
        f"电话{MOBILE}",
        "邮箱a＠b",
        "一三八一二三四五六七八",
        "市民王小明反映",
        "5号楼2单元",
        "1990年5月1日出生",
        "微信号abcd1234",
    ]
    assert all(suspects(text) for text in seen)
    assert not suspects(STATUTE + "电话[手机号]，邮箱[邮箱·a3f9c1]")
    assert sum(sum(each.left.values()) for each in by_detector(passages(TEXTS))) == 20


def judged(path: Path, drawn: list[Passage], answers: dict[int, str | None], default: str | None = "无") -> Path:
    import openpyxl

    write_sheet(path, drawn)
    book = openpyxl.load_workbook(path)
    for number in range(len(drawn)):
        book.worksheets[0].cell(number + 2, 5).value = answers.get(number, default)
    book.save(path)
    return path


def test_a_sheet_goes_out_and_comes_back(tmp_path: Path) -> None:
    drawn, frame = sample(passages(TEXTS), 4, "a")
    found = read_sheet(judged(tmp_path / "s.xlsx", drawn, {0: "手机号、手机号，姓名"}), drawn)
    assert found[0] == Judgement(drawn[0].stratum, {"mobile": 2, "person": 1})
    assert all(each.left == {} for each in found[1:])
    assert {rate.kind for rate in estimate(found, frame).kinds} == {"mobile", "person"}


@pytest.mark.parametrize(("answer", "message"), [(None, "row 3"), ("手机", "手机")])
def test_a_sheet_that_is_not_filled_in_is_refused_with_its_row(tmp_path: Path, answer: str | None, message: str) -> None:
    drawn, _ = sample(passages(TEXTS), 4, "a")
    with pytest.raises(Invalid, match=message):
        read_sheet(judged(tmp_path / "s.xlsx", drawn, {1: answer}), drawn)


def test_another_samples_sheet_is_refused(tmp_path: Path) -> None:
    drawn, _ = sample(passages(TEXTS), 4, "a")
    other, _ = sample(passages(TEXTS), 4, "b")
    with pytest.raises(Invalid, match="no row for passage"):
        read_sheet(judged(tmp_path / "s.xlsx", other, {}), drawn)
