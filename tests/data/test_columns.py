from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Invalid
from touyan.data.columns import DocumentMaker, Roles, compile_patterns, one_spelling, strip_marks, template
from touyan.data.reader import Record, Unreadable
from touyan.store.formats.documents import DocumentRow

EDITIONS = ("^.*?《", "》.*$", "[（(][^）)]*[）)]", "修正案$")
"""What the law demo cuts from a title to find the family of a law."""


def roles(**columns: str) -> Roles:
    parts = {name: template(columns.get(name, "")) for name in ("key", "title", "group", "label", "version", "subject")}
    return Roles("acme/notes", "r", **parts, meta=(), group_pattern=())


@pytest.mark.parametrize(
    ("text", "columns", "filled"),
    [
        ("", (), None),
        ("law", ("law",), "刑法"),
        ("{law} {no}", ("law", "no"), "刑法 第一条"),
        ("{law}/{absent}", ("law", "absent"), "刑法/"),
        ("{absent} {empty}", ("absent", "empty"), None),
        ("column with blanks", ("column with blanks",), "x"),
    ],
)
def test_a_template_is_a_column_or_a_text_with_columns(text: str, columns: tuple[str, ...], filled: str | None) -> None:
    values = {"law": "刑法", "no": "第一条", "empty": None, "column with blanks": "x"}
    assert template(text).columns == columns
    assert template(text).fill(values) == filled


@given(st.text(st.characters(exclude_characters="{}", codec="utf-8"), min_size=1), st.text())
def test_values_are_never_read_as_templates(column: str, value: str) -> None:
    assert template(column).fill({column: value}) == (value.strip() or None)


@pytest.mark.parametrize(
    ("title", "family"),
    [
        ("中华人民共和国刑法", "中华人民共和国刑法"),
        ("中华人民共和国刑法修正案（十二）", "中华人民共和国刑法"),
        ("中华人民共和国宪法修正案（2018年）", "中华人民共和国宪法"),
        ("中华人民共和国公司法(2018年修正)", "中华人民共和国公司法"),
        ("全国人民代表大会常务委员会关于修改《中华人民共和国食品安全法》的决定", "中华人民共和国食品安全法"),
        ("全国人民代表大会常务委员会关于《中华人民共和国刑法》第三十条的解释", "中华人民共和国刑法"),
        ("（试行）", "（试行）"),
    ],
)
def test_editions_and_decisions_fall_into_the_family_of_their_law(title: str, family: str) -> None:
    assert strip_marks(title, compile_patterns(EDITIONS)) == family


@given(st.text(), st.lists(st.sampled_from(EDITIONS)))
def test_a_group_is_never_emptied(name: str, patterns: list[str]) -> None:
    assert bool(strip_marks(name, tuple(map(re.compile, patterns)))) == bool(name)


@pytest.mark.parametrize("field", ["text", "title", "place"])
def test_half_a_surrogate_pair_is_a_reason_wherever_it_stands(field: str) -> None:
    parts = {"text": "a", "title": "b", "place": "1"} | {field: "\ud800"}
    made = DocumentMaker(roles(), None).make(
        "a.jsonl", Record(parts["place"], parts["text"], "0" * 64, {"title": parts["title"]})
    )
    assert isinstance(made, Unreadable)
    assert made.reason.startswith("not-unicode")


@pytest.mark.parametrize(
    ("written", "spelling"),
    [
        ("１３８ 0013-8000", "13800138000"),
        ("11010519491231002x", "11010519491231002X"),
        (" Li.Lei@Example.CN ", "li.lei@example.cn"),
        ("档案-12", "档案-12"),
    ],
)
def test_a_person_is_spelt_as_the_refinery_spells_finds(written: str, spelling: str) -> None:
    assert one_spelling(written) == spelling


def test_a_row_without_its_key_is_a_reason() -> None:
    maker = DocumentMaker(roles(key="id"), None)
    assert isinstance(maker.make("a.csv", Record("1", "text", "0" * 64, {"id": None})), Unreadable)
    assert isinstance(maker.make("a.csv", Record("2", "text", "0" * 64, {"id": "7"})), DocumentRow)


def test_named_columns_must_occur_at_least_once() -> None:
    maker = DocumentMaker(roles(label="kind"), None)
    maker.make("a.jsonl", Record("1", "text", "0" * 64, {}))
    with pytest.raises(Invalid, match="kind"):
        maker.check_columns()
    maker.make("a.jsonl", Record("2", "text", "0" * 64, {"kind": None}))
    maker.check_columns()
