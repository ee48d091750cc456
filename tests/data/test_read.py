from __future__ import annotations

import json
from pathlib import Path

import pytest
from reading import SOURCE_ID, TEXT, parquet, read, samples, sqlite

from touyan.core.canonical import canonical
from touyan.core.document import document_id
from touyan.core.errors import Invalid, Missing
from touyan.core.rights import Rights, rights_digest
from touyan.data.read import STEP, ReadParams
from touyan.data.reading import KEY_VARIABLE

KEY = "0123456789abcdef0123456789abcdef"


def listed(files: dict[str, bytes]) -> dict[str, str]:
    """path -> slug of the reason."""
    lines = files["unreadable.jsonl"].splitlines()
    return {line["path"]: line["reason"].partition(":")[0] for line in map(json.loads, lines)}


def write(folder: Path, **files: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    return folder


def test_every_format_of_a_folder_is_read_by_its_extension(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    samples(tmp_path / "in")
    work = read(tmp_path / "in", tmp_path / "job")
    assert {row.natural_key for row in work.documents()} == {
        "a.csv#1", "a.db#1", "a.docx", "a.eml", "a.eml#attachment 1 附件.docx",
        "a.html", "a.jsonl#1", "a.ofd", "a.parquet#1", "a.pdf", "a.txt", "a.xlsx#一",
        "a.warc#http://a.cn/1",
    }  # fmt: skip
    assert listed(work.files()) == {}
    assert work.counts == {"documents": 13, "unreadable": 0}


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    samples(tmp_path / "in")
    first, second = (read(tmp_path / "in", tmp_path / name).files() for name in ("one", "two"))
    assert first == second
    assert set(first) == {"documents/part-00000.parquet", "unreadable.jsonl", "summary.json", "croissant.json"}


def test_a_document_carries_its_identity_and_the_rights_in_force(tmp_path: Path) -> None:
    work = read(write(tmp_path / "in", a_txt=TEXT.encode()), tmp_path / "job", rights="ab" * 32)
    (row,) = work.documents()
    assert (row.source, row.natural_key, row.text, row.rights) == ("acme/notes", "a.txt", TEXT, "ab" * 32)
    assert row.version == row.raw_sha256[:16]
    assert row.doc_id == document_id("acme/notes", "a.txt", row.version)


def test_columns_of_a_query_play_their_parts(tmp_path: Path) -> None:
    database = sqlite(
        tmp_path / "laws.db",
        "CREATE TABLE laws (law_id TEXT, name TEXT, date TEXT)",
        "CREATE TABLE articles (id INTEGER PRIMARY KEY, law_id TEXT, no TEXT, body TEXT, kind TEXT)",
        "INSERT INTO laws VALUES ('x', '刑法修正案（二）', '2001-08-31')",
        f"INSERT INTO articles VALUES (3, 'x', '第一条', '{TEXT}', '刑法')",
    )
    work = read(
        database, tmp_path / "job", query="SELECT * FROM articles JOIN laws USING (law_id) ORDER BY id", text="body", key="id",
        title="{name} {no}", group="name", group_pattern=("（.*", "修正案$"), label="kind", version="date", meta=("law_id", "no"),
    )  # fmt: skip
    (row,) = work.documents()
    assert (row.natural_key, row.title, row.group, row.label, row.version) == (
        "3",
        "刑法修正案（二） 第一条",
        "刑法",
        "刑法",
        "2001-08-31",
    )
    assert json.loads(row.meta) == {"law_id": "x", "no": "第一条"}
    assert json.loads(work.files()["summary.json"])["labels"] == {"刑法": 1}


def test_what_cannot_be_read_is_listed_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "in", a_txt=TEXT.encode(), b_txt=b"\xff\xfe\xff", c_pdf=b"%PDF-1.4 broken", d_exe=b"MZ", e_txt=b" \n",
        f_jsonl=f'{{"text":"{TEXT}"}}\n{{broken\n'.encode(), g_docx=b"no zip",
    )  # fmt: skip
    work = read(folder, tmp_path / "job")
    assert [row.natural_key for row in work.documents()] == ["a.txt", "f.jsonl#1"]
    assert listed(work.files()) == {
        "b.txt": "encoding", "c.pdf": "parser", "d.exe": "no-reader", "e.txt": "no-text",
        "f.jsonl#2": "json", "g.docx": "bad-zip",
    }  # fmt: skip
    summary = json.loads(work.files()["summary.json"])
    assert summary["unreadable"] == 6
    assert summary["unreadable_reasons"]["parser"] == 1
    assert summary["documents"] == 2


def test_on_unreadable_fail_stops_at_the_first_and_names_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a_txt=TEXT.encode(), b_exe=b"MZ")
    with pytest.raises(Invalid, match=r"b\.exe: no-reader"):
        read(folder, tmp_path / "job", on_unreadable="fail")


def test_a_small_file_that_gives_endless_text_is_stopped(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a_parquet=parquet(text=["x" * 100_000] * 50), b_txt=TEXT.encode())
    work = read(folder, tmp_path / "job", max_document_bytes=150_000)
    keys = [row.natural_key for row in work.documents()]
    assert keys[0] == "a.parquet#1"
    assert keys[-1] == "b.txt"
    assert len(keys) < 20
    assert listed(work.files()) == {"a.parquet": "inflates"}


def test_links_out_of_the_folder_are_listed_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("not yours", encoding="utf-8")
    folder = write(tmp_path / "in", a_txt=TEXT.encode())
    (folder / "b.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "c.txt").symlink_to("nowhere")
    work = read(folder, tmp_path / "job")
    assert [row.text for row in work.documents()] == [TEXT]
    assert listed(work.files()) == {"b.txt": "link-escapes", "c.txt": "no-access"}


def test_nothing_readable_at_all_is_an_error_with_its_reasons(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"a\.exe: no-reader"):
        read(write(tmp_path / "in", a_exe=b"MZ"), tmp_path / "job")


def test_a_column_that_never_occurs_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a_csv=f"text,department\n{TEXT},x\n".encode())
    with pytest.raises(Invalid, match="did you mean 'department'"):
        read(folder, tmp_path / "job", label="departmnt")


def test_an_unknown_reader_is_missing_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="did you mean 'sqlite'"):
        read(write(tmp_path / "in", a_txt=b"x"), tmp_path / "job", reader="sqlit")


def test_a_pattern_that_is_no_regular_expression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="group_pattern"):
        read(write(tmp_path / "in", a_txt=b"x"), tmp_path / "job", group_pattern=("(",))


def test_rows_with_the_same_key_and_version_are_listed_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a_csv=b"text,id,v\nold,7,1\nnew,7,2\nagain,7,2\n")
    work = read(folder, tmp_path / "job", key="id", version="v")
    assert [row.text for row in work.documents()] == ["old", "new"]
    assert listed(work.files()) == {"a.csv#3": "duplicate-key"}


def test_a_person_becomes_a_pseudonym_and_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    folder = write(tmp_path / "in", a_csv="text,phone\none,13800138000\ntwo,１３８ 0013 8000\nthree,13900139000\n".encode())
    work = read(folder, tmp_path / "job", subject="phone")
    first, second, third = (row.subjects for row in work.documents())
    assert first == second != third
    assert len(first) == 1
    assert len(first[0]) == 32
    assert not any(b"13800138000" in data or KEY.encode() in data for data in work.files().values())


def test_a_person_without_a_key_is_missing_and_a_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "in", a_csv=b"text,phone\none,1\n")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(Missing, match=KEY_VARIABLE):
        read(folder, tmp_path / "one", subject="phone")
    monkeypatch.setenv(KEY_VARIABLE, "short")
    with pytest.raises(Invalid, match="weak-key"):
        read(folder, tmp_path / "two", subject="phone")


def test_the_croissant_record_needs_the_record_that_the_digest_names(tmp_path: Path) -> None:
    rights = Rights(authority="own-production", personal="none", personal_state="none", security="public", purposes=("train",))
    record = canonical(rights.to_json()).decode()
    folder = write(tmp_path / "in", a_txt=TEXT.encode())
    work = read(folder, tmp_path / "job", rights=rights_digest(rights), rights_record=record)
    described = json.loads(work.files()["croissant.json"])
    assert described["prov:wasDerivedFrom"] == {"@id": f"urn:touyan:asset:{SOURCE_ID}"}
    assert described["usageInfo"]["odrl:permission"][0]["odrl:action"]["@id"] == "touyan:train"
    with pytest.raises(Invalid, match="rights-mismatch"):
        read(folder, tmp_path / "forged", rights="0" * 64, rights_record=record)


def test_the_step_has_a_default_for_every_parameter() -> None:
    assert STEP.params() == ReadParams()
    assert STEP.inputs["source"].kind == "source"
