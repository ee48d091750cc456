"""Addresses: found from the province or the estate to the room, and told apart from the streets of offices."""

from __future__ import annotations

import pytest

from touyan.corpus.personal.find import find
from touyan.corpus.personal.places import last_chain, places

HOMES = [
    ("住址：", "朝阳区幸福里5号院6号楼1单元224室", "。"),
    ("我住", "天通苑北三区12号楼301", "，天天漏水"),
    ("家住", "浦东张杨路188弄6号402室", "的李阿姨"),
    ("地址：", "江苏省 南京市 鼓楼区 中山北路 88号 3栋 402室", ""),
    ("户籍地：", "安徽省阜阳市临泉县老集镇王庄行政村后王庄23号", "。"),
    ("租住在", "深圳市宝安区西乡街道固戍社区南昌三队五巷12号606房", "。"),
    ("", "万科城市花园3期12栋B座2503", "业主反映"),
    ("", "龙湖时代天街2号楼1208", "有人聚众"),
    ("请送到", "和平里七区十六号楼三单元五零二室", ""),
    ("现住", "天津市南开区王顶堤迎水里12-3-502", "。"),
    ("住", "广西壮族自治区南宁市青秀区民族大道115-1号现代国际大厦2206", ""),
    ("住", "台湾省台北市大安区信义路四段1号5楼", ""),
]

OFFICES = [
    "北京市海淀区中关村南大街5号",
    "地址：北京市西长安街13号 工业和信息化部",
    "中山路895号的市政务服务中心",
    "办公地址：杭州市西湖区文三路12号3幢502室",
    "邮寄地址：北京市海淀区万寿路27号院8号楼1215室质量实验室秘书处",
]

NONE = [
    "长江大桥3号墩、12号楼梯",
    "地铁10号线3号口",
    "会议室在5号楼",
    "每户限购2套，17栋住宅楼已封顶，6单元正在装修",
    "接送学生上下学的7座以上客车",
    "两个以上单位共有一幢建筑物的",
    "常务委员会公告第4号公布",
    "国务院令第3号",
]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(found.kind, text[found.start : found.end]) for found in find(text)]


@pytest.mark.parametrize(("before", "address", "after"), HOMES)
def test_a_home_is_found_from_its_first_place_to_its_room(before: str, address: str, after: str) -> None:
    assert kinds(before + address + after) == [("address", address)]


@pytest.mark.parametrize("text", OFFICES)
def test_a_street_and_number_is_an_office_unless_somebody_lives_there(text: str) -> None:
    assert [kind for kind, _ in kinds(text)] == ["office-address"]


@pytest.mark.parametrize("text", NONE)
def test_numbered_things_are_no_addresses(text: str) -> None:
    assert kinds(text) == []


def test_a_street_in_a_line_with_a_persons_number_is_where_the_person_lives() -> None:
    assert dict(kinds("北京市海淀区学院路5号，13812345678")) == {"address": "北京市海淀区学院路5号", "mobile": "13812345678"}
    assert dict(kinds("北京市海淀区学院路5号\n13812345678"))["office-address"] == "北京市海淀区学院路5号"


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("住浙江省杭州市余杭区", 1),
        ("海淀区法院判决张三住朝阳区", 10),
        ("余杭区幸福镇南区", 0),
        ("东湖小区", None),
        ("", None),
    ],
)
def test_the_last_chain_of_places_begins_at_its_largest(text: str, begin: int | None) -> None:
    assert last_chain(text) == begin


def test_the_gazetteer_has_every_level() -> None:
    assert len(places()) > 3_000
    assert {"新疆维吾尔自治区", "恩施土家族苗族自治州", "浦东新区", "香港特别行政区"} <= places()
    assert "小区" not in places()
