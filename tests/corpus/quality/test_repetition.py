"""Repetition: what says the same again leaves, what has a form stays."""

from __future__ import annotations

import pytest
from corpora import STATUTE, batch
from hypothesis import given
from hypothesis import strategies as st

from touyan.corpus.quality.repetition import Repetition, measures

SENTENCES = (
    "昨天下午，市里召开了防汛工作会议，部署下一阶段的任务。",
    "会议要求各单位加强值班，随时掌握雨情和水情的变化。",
    "村里的老人说，几十年没有见过这样大的雨。",
    "孩子们放学以后，都被家长接到了高处的亲戚家里。",
    "河堤上的沙袋已经堆了两米多高，还有卡车不断开来。",
    "到了夜里，雨总算小了，天边露出几颗星星。",
)
LIST = "\n".join(f"第{n}条 {body}" for n, body in enumerate(SENTENCES, 1))


def reason(text: str) -> str | None:
    found = Repetition().judge(batch(text)).verdicts.get(0)
    return found and found.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SENTENCES[0] * 12, "repeated-passages"), ("".join(SENTENCES) + SENTENCES[1] * 30, "repeated-passages"),
        ("\n".join((SENTENCES[0], SENTENCES[1]) * 8), "repeated-lines"), ("分享\n点赞\n收藏\n评论\n广告\n" * 20, "repeated-lines"),
        ("哈" * 200, "repeated-passages"),
    ],
)  # fmt: skip
def test_text_that_says_the_same_again_leaves(text: str, expected: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        STATUTE, LIST, "".join(SENTENCES), "哈哈哈哈", "好的\n好的\n好的\n",
        "目录\n" + "\n".join(f"第{n}章 总则……………………{n}" for n in "一二三四五六七八九"),
        "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。",
        "| 年份 | 产量 |\n|---|---|\n" + "\n".join(f"| 20{n} | {n * 37 % 91}.0 |" for n in range(10, 40)),
        "甲：来了吗？\n乙：来了。\n甲：几个人？\n乙：三个人。\n甲：都是谁？\n乙：小王、小李和老张。", "- " * 300, "",
    ],
)  # fmt: skip
def test_text_of_a_strict_form_stays(text: str) -> None:
    assert reason(text) is None


def test_measures_of_a_text_without_letters_are_zero() -> None:
    found = measures("--- 123 ---")
    assert (found.grams, found.top, found.entropy) == (0, 0, 0)


@given(st.text(max_size=200))
def test_shares_are_shares(text: str) -> None:
    found = measures(text)
    assert 0 <= found.lines <= 1
    assert 0 <= found.grams <= 1
    assert 0 <= found.top <= 1
    assert found.entropy >= 0


@given(st.sampled_from(SENTENCES), st.integers(12, 40))
def test_the_gate_lets_no_loop_pass(sentence: str, times: int) -> None:
    assert measures(sentence * times).grams > Repetition().max_gram_share
    assert reason(sentence * times) == "repeated-passages"
