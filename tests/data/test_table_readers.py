from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import TEXT, parquet, reasons, texts

from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file


def outcomes(path: Path, data: bytes, options: Options | None = None) -> list[Record | Unreadable]:
    path.write_bytes(data)
    reader = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}[path.suffix]
    return list(read_file(named_reader(reader), path, options or Options()))


def places(found: list[Record | Unreadable]) -> dict[str, str]:
    return {one.place: one.reason.partition(":")[0] for one in found if isinstance(one, Unreadable)}


def test_lines_that_are_no_objects_with_text_are_listed_by_number(tmp_path: Path) -> None:
    lines = [f'{{"text":"{TEXT}"}}', "", "{broken", "[1]", '{"tex":"a"}', "[" * 100_000, '{"text":"last"}']
    found = outcomes(tmp_path / "a.jsonl", "\r\n".join(lines).encode())
    assert texts(found) == [TEXT, "last"]
    assert places(found) == {"3": "json", "4": "json", "5": "no-column", "6": "json"}


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    (found,) = outcomes(
        tmp_path / "a.jsonl", b'{"text":"x","id":12345678901234567890123,"price":1.10,"ok":true,"in":[1,{"b":2}]}'
    )
    assert isinstance(found, Record)
    assert found.values == {"text": "x", "id": "12345678901234567890123", "price": "1.10", "ok": "true", "in": '[1,{"b":2}]'}


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_line_beyond_the_limit_costs_itself_only(suffix: str, tmp_path: Path) -> None:
    huge = "x" * 5_000
    data = f'{{"text":"a"}}\n{{"text":"{huge}"}}\n{{"text":"b"}}\n' if suffix == "jsonl" else f"text,n\na,1\n{huge},2\nb,3\n"
    found = outcomes(tmp_path / f"a.{suffix}", data.encode(), Options(max_document_bytes=1_000))
    assert texts(found) == ["a", "b"]
    assert list(places(found)) == ["2"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_one_damaged_row_is_listed_and_its_neighbours_stay_whole(suffix: str, encoding: str, tmp_path: Path) -> None:
    rows = [f'{{"text":"{TEXT}"}}'] * 3 if suffix == "jsonl" else ["text", TEXT, TEXT, TEXT]
    lines = "\n".join(rows).encode(encoding).split(b"\n")
    lines[-2] = lines[-2][:-4] + b"\xff" + lines[-2][-4:]
    found = outcomes(tmp_path / f"a.{suffix}", b"\n".join(lines))
    assert texts(found) == [TEXT, TEXT]
    assert places(found) == {"2": "encoding"}


@pytest.mark.parametrize(
    ("rows", "expected", "damage"),
    [
        ('text,n\n"a ""quoted"", b",1\n', ['a "quoted", b'], {}),
        ('text;n\n"two\nlines";1\n', ["two\nlines"], {}),
        ("text\tn\na\t1\n\nb\t2\n", ["a", "b"], {}),
        ("text,n\nshort\nb,1\n", ["b"], {"1": "csv"}),
        ('text,n\n"bad"quote,1\nb,1\n', ["b"], {"1": "csv"}),
        ('text,n\nb,1\n"never closed,2\n', ["b"], {"2": "csv"}),
        ("text,text\na,b\n", [], {"": "csv"}),
        ("", [], {"": "csv"}),
        ("other,n\na,1\nb,2\n", [], {"": "no-column"}),
    ],
)
def test_csv_is_read_strictly(rows: str, expected: list[str], damage: dict[str, str], tmp_path: Path) -> None:
    found = outcomes(tmp_path / "a.csv", rows.encode())
    assert texts(found) == expected
    assert places(found) == damage


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=10))
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, str]], tmp_path: Path) -> None:
    import csv

    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("text", "other"), *rows])
    found = list(read_file(named_reader("csv"), path, Options(delimiter=",")))
    assert [(one.text, one.values["other"]) for one in found if isinstance(one, Record)] == rows


def test_parquet_cells_become_text_and_bytes_their_digest(tmp_path: Path) -> None:
    data = parquet(text=[TEXT, None], n=[1, 2], blob=[b"x", None], tags=[["b", "a"], []])
    first, second = outcomes(tmp_path / "a.parquet", data)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.values["n"], first.values["tags"], second.text) == ("1", '["b","a"]', "")
    assert str(first.values["blob"]).startswith("sha256:2d711642b726b044")


def test_a_parquet_file_without_the_text_column_names_the_nearest(tmp_path: Path) -> None:
    assert "did you mean 'texts'" in reasons(outcomes(tmp_path / "a.parquet", parquet(texts=["a"])))[0]


def test_a_file_without_a_header_does_not_show_its_first_row(tmp_path: Path) -> None:
    (reason,) = reasons(outcomes(tmp_path / "a.csv", "张三,13800138000\n李四,13900139000\n".encode()))
    assert reason == "no-column: there is no column 'text'"


def test_the_raw_digest_of_a_row_depends_on_all_its_cells(tmp_path: Path) -> None:
    rows = outcomes(tmp_path / "a.csv", b"text,n\na,1\na,2\na,1\n")
    first, second, third = (one.raw_sha256 for one in rows if isinstance(one, Record))
    assert first == third != second
