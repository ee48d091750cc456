"""Names of persons as texts of many kinds have them; what looks like a name and is none; modes and batches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.corpus.personal.names import find_names


def names(text: str) -> list[str]:
    (found,) = find_names([text])
    return [text[name.start : name.end] for name in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("联系人：周慧敏，电话见附件。", ["周慧敏"]),
        ("原告李建国诉被告王秀英离婚纠纷一案，本院受理后依法组成合议庭。", ["李建国", "王秀英"]),
        ("审判长 郑晓明\n审判员 何丽萍\n书记员 孙浩", ["郑晓明", "何丽萍", "孙浩"]),
        ("业主欧阳静反映楼上漏水，物业一直不处理。", ["欧阳静"]),
        ("会议由副局长马志强主持，刘洋、陈雪梅出席。", ["马志强", "刘洋", "陈雪梅"]),
        ("姓名：冯子轩 性别：男 学号：20230117", ["冯子轩"]),
        ("被害人李某某报案称，其于当日被骗。", ["李某某"]),
        ("驾驶人黄国平驾驶小型轿车与行人相撞。", ["黄国平"]),
        ("患者赵淑芬，女，六十七岁，因胸闷入院。", ["赵淑芬"]),
        ("諮詢電話請找陳美玲小姐。", ["陳美玲"]),
        ("作家约翰·史密斯在会上发言。", ["约翰·史密斯"]),
    ],
)
def test_names_are_found_where_people_are_spoken_of(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "国家机关应当依照法定权限和程序，严格履行职责，保障公民的合法权益。",
        "高级人民法院、中级人民法院应当自收到申请之日起五日内作出裁定。",
        "于是大家都很高兴，马上就能出发，何时到达由方案决定。",
        "周边温度明显升高，常年平均气温上升，应当关注。",
        "法定代表人的姓名、住所和联系方式应当公开。",
        "石家庄、马鞍山、张家口和黄石都已开通高速铁路。",
        "时间安排：周一上午；地点：和平路金水大厦。",
        "联系人：\n联系电话：\n",
        "",
    ],
)
def test_what_looks_like_a_name_and_is_none_stays(text: str) -> None:
    assert names(text) == []


def test_a_name_carries_its_place_its_kind_and_its_spelling() -> None:
    (found,) = find_names(["审核人：王　伟　日期"])
    assert [(name.kind, name.canonical) for name in found] in ([], [("person", "王伟")])
    (found,) = find_names(["市民张晓丽来电咨询公积金。"])
    assert [(n.start, n.end, n.kind, n.canonical) for n in found] == [(2, 5, "person", "张晓丽")]


def test_a_name_that_is_sure_once_is_found_wherever_its_document_repeats_it() -> None:
    text = "申请人：欧阳修远，男，住本市。\n" + "附表一二三四五六七八九十欧阳修远甲乙丙丁" * 2
    assert names(text).count("欧阳修远") == text.count("欧阳修远")


def test_cover_finds_at_least_what_balanced_finds() -> None:
    texts = ["今天和小雨去看了周深的演唱会", "老王家的小明考上了大学", "转发：梁晓声谈写作", "谢谢佳佳和大熊"]
    for text, few, many in zip(texts, find_names(texts), find_names(texts, "cover"), strict=True):
        covered = {at for name in many for at in range(name.start, name.end)}
        assert covered >= {at for name in few for at in range(name.start, name.end)}, text


SENTENCES = [
    "市民张晓丽来电咨询。", "原告李建国诉被告王秀英。", "高兴地走了", "", "𠮷野家的陈明𠮷在此", "a·b·约翰·史密斯", "马", "联系人：",
]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.sampled_from(SENTENCES) | st.text(max_size=40), max_size=6))
def test_what_is_found_in_a_text_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    assert find_names(texts) == [find_names([text])[0] for text in texts]


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="王李张小明芳某·：，的 \n𠮷a1在说", max_size=60), mode=st.sampled_from(["balanced", "cover"]))
def test_names_are_disjoint_in_order_and_inside_the_text(text: str, mode: str) -> None:
    (found,) = find_names([text], mode)  # type: ignore[arg-type]
    ends = [0, *(name.end for name in found)]
    assert all(end <= name.start < name.end <= len(text) for end, name in zip(ends, found, strict=False))


def test_long_texts_and_many_texts_are_judged_in_parts() -> None:
    filler = "本条例自公布之日起施行。" * 30_000
    texts = [filler + "联系人：周慧敏，电话见附件。", "短", filler + "市民张晓丽来电咨询。"]
    assert [[name.canonical for name in found] for found in find_names(texts)] == [["周慧敏"], [], ["张晓丽"]]
