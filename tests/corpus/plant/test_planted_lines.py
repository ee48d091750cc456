"""Lines: which were planted, which are gone, which of the body went with them."""

from __future__ import annotations

from touyan.corpus.plant.lines import altered_lines, count_lost, count_removed, count_restored, planted_lines

BODY = "第一条　为了规范公共数据资源的授权运营，制定本办法。\n第二条　联系人张三，电话13800000000，负责本办法的解释工作。"
PAGE = f"首页 > 正文\n{BODY}\n点赞\n版权所有，未经许可不得转载"


def test_planted_lines_are_those_beyond_the_body() -> None:
    planted, body = planted_lines(PAGE, BODY)
    assert planted == ["首页>正文", "点赞", "版权所有,未经许可不得转载"]
    assert len(body) == 2


def test_a_line_counts_as_removed_only_when_it_is_nowhere() -> None:
    planted, _ = planted_lines(PAGE, BODY)
    assert count_removed(planted, BODY) == 3
    assert count_removed(planted, PAGE) == 0
    assert count_removed(planted, BODY + "版权所有，未经许可不得转载") == 2


def test_a_masked_line_is_not_lost_and_a_cut_one_is() -> None:
    _, body = planted_lines(PAGE, BODY)
    assert count_lost(body, BODY.replace("张三", "[姓名]").replace("13800000000", "[手机]")) == 0
    assert count_lost(body, BODY.split("\n")[0]) == 1


def test_restored_means_to_the_character() -> None:
    half = BODY.replace("，", ",")
    wanted = altered_lines(half, BODY)
    assert len(wanted) == 2
    assert count_restored(wanted, half) == 0
    assert count_restored(wanted, BODY) == 2
