"""`touyan corpus run`, `explain`, `certify` and `score` as somebody would type them, on files of many kinds and on bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import Said, touyan

NOTICE = (
    "为满足市民夜间阅读需求，自九月一日起，市、区两级图书馆延长开放至二十二时。各馆应当合理安排值班人员，加强安全巡查，遇有突发情况"
    "及时报告；夜间开放所需经费列入年度预算，由财政部门予以保障。"
)
LIFT = "会议研究了老旧小区加装电梯的补贴办法，认为应当尊重业主意愿，由业主共同决定；对符合条件的项目，按照每台二十万元的标准给予补助。"
PLACES = "东南西北中上下前后左右内外新旧高"
MOBILE = "15913305356"


def article(n: int) -> str:
    """Sixty articles of which no two are nearly the same."""
    place, other = PLACES[n % 16], PLACES[n // 4]
    words = [
        f"{place}门街道{other}桥社区第{n}号公告",
        f"{other}河路段{n * 37}米管线改造",
        f"{n + 3}月{n % 28 + 1}日起分{n % 5 + 2}批施工",
    ]
    return (
        "，".join(words)
        + "。"
        + "".join(f"{place}{other}区第{n * k}户居民由{PLACES[(n + k) % 16]}口通行，" for k in range(1, 9))
        + "特此公告。"
    )


def documents() -> list[dict[str, Any]]:
    rows = [{"id": f"a{n}", "text": article(n)} for n in range(56)]
    return [
        *rows,
        {"id": "again", "text": article(3)},
        {"id": "short", "text": "好"},
        {"id": "english", "text": "The library opens at nine and closes at five on all days of the week but Monday. " * 4},
        {"id": "caller", "text": article(60) + f"联系人王小明，电话{MOBILE}。"},
    ]


@pytest.fixture
def lines(tmp_path: Path, english: None) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in documents()), encoding="utf-8")
    return path


@pytest.fixture
def refined(lines: Path, tmp_path: Path) -> Path:
    assert refine(lines, tmp_path / "out").status == 0
    return tmp_path / "out"


def refine(source: Path, out: Path, *more: str) -> Said:
    return touyan("corpus", "run", "--processes", "1", *more, str(source), str(out))


def rejected(out: Path) -> dict[str, dict[str, Any]]:
    rows = map(json.loads, (out / "rejected.jsonl").read_text(encoding="utf-8").splitlines())
    return {row["key"]: row for row in rows}


def certificate(out: Path) -> dict[str, Any]:
    return json.loads((out / "certificate.json").read_bytes())


def files(out: Path) -> dict[str, bytes]:
    """Every file that is the same for the same input: a workbook holds the time at which it was written."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.suffix != ".xlsx" and ".touyan" not in path.parts
    }


def test_whatever_left_is_in_a_file_with_its_reason(refined: Path) -> None:
    gone = rejected(refined)
    assert {key: row["reason"] for key, row in gone.items()} == {
        "again": "exact-duplicate", "short": "too-short", "english": "language-en",
    }  # fmt: skip
    assert set(gone["again"]) == {"key", "doc_id", "operator", "outcome", "reason", "score", "evidence", "excerpt"}
    assert gone["again"]["evidence"].startswith("doc:")
    assert gone["short"]["excerpt"] == "好"


def test_a_release_has_a_certificate_a_workbook_and_a_croissant_record(refined: Path) -> None:
    made = certificate(refined)
    assert made["frame"]["documents"] == made["sample"]["documents"] == 57
    found = {row["key"]: row["value"] for row in made["dimensions"]}
    assert found["near-duplicates"] == found["checked-numbers"] == found["has-rights"] == "0.00 %"
    assert found["readable"] == found["mainly-han"] == "100.00 %"
    record = json.loads((refined / "croissant.json").read_bytes())
    (shard,) = (each for each in record["distribution"] if each["@type"] == "cr:FileObject")
    assert (refined / shard["contentUrl"]).exists()
    assert "匿名" not in (refined / "certificate.json").read_text(encoding="utf-8")
    report = (refined / "report.html").read_text(encoding="utf-8")
    assert "质量证书" in report
    assert "语言：英语" in report


def test_one_document_is_explained_by_its_key(refined: Path) -> None:
    said = touyan("corpus", "explain", str(refined), "caller")
    assert "「15913305356」" in said.out
    assert "[手机号]" in said.out
    assert "In the corpus." in said.out
    assert "too-short" in touyan("corpus", "explain", str(refined), "short").out


def test_what_people_judged_replaces_what_a_machine_saw(refined: Path, tmp_path: Path) -> None:
    answers = filled_in(refined / "certificate.xlsx", tmp_path / "answers.xlsx")
    said = touyan("corpus", "certify", str(refined), "--judged", str(answers), "--json")
    found = {row["key"]: row for row in said.json["dimensions"]}
    assert (found["page-lines"]["judge"], found["page-lines"]["hits"]) == ("human", 1)
    assert found["personal-information"]["judge"] == "human"
    assert found["near-duplicates"]["judge"] == "machine"
    assert said.json == certificate(refined)
    assert refine(tmp_path / "in.jsonl", refined).status == 0
    assert certificate(refined) == said.json, "what people judged was overwritten by a run that changed nothing"


def filled_in(book: Path, target: Path) -> Path:
    import openpyxl

    opened = openpyxl.load_workbook(book)
    for row in opened.worksheets[0].iter_rows(min_row=2):
        row[4].value = "无"
    for number, row in enumerate(opened["文档判读 Documents"].iter_rows(min_row=2)):
        row[3].value, row[4].value, row[5].value = "无", "无" if number else "有", "是"
    opened.save(target)
    return target


def test_another_seed_draws_another_sample_of_the_size_asked_for(refined: Path) -> None:
    drawn = touyan("corpus", "certify", str(refined), "--sample", "20", "--seed", "b", "--json").json
    assert (drawn["sample"]["documents"], drawn["sample"]["seed"]) == (20, "b")
    (damage,) = (row for row in drawn["dimensions"] if row["key"] == "encoding-damage")
    assert (damage["low"], damage["n"]) == ("0.00 %", 20)
    assert "20" in touyan("corpus", "certify", str(refined)).out


def test_a_sheet_goes_with_the_corpus_that_it_was_drawn_from(refined: Path, tmp_path: Path) -> None:
    answers = filled_in(refined / "certificate.xlsx", tmp_path / "answers.xlsx")
    assert touyan("corpus", "certify", str(refined), "--judged", str(answers), "--sample", "9").status == 2
    assert touyan("corpus", "certify", str(refined), "--judged", str(tmp_path / "in.jsonl")).status == 2
    touyan("corpus", "certify", str(refined), "--seed", "b", "--sample", "20")
    assert touyan("corpus", "certify", str(refined), "--judged", str(answers)).status == 2


def test_a_folder_of_many_kinds_is_read_and_what_is_broken_is_listed(tmp_path: Path, english: None) -> None:
    import docx

    folder = tmp_path / "in"
    folder.mkdir()
    page = f"<html><body><nav>首页 &gt; 新闻</nav><article><h1>通知</h1><p>{NOTICE}</p></article><footer>版权所有</footer></body></html>"
    (folder / "a.html").write_text(page, encoding="utf-8")
    (folder / "b.txt").write_bytes(LIFT.encode("gbk"))
    minutes = docx.Document()
    minutes.add_paragraph(article(5))
    minutes.save(str(folder / "c.docx"))
    rows = "\n".join(f"{n},{article(n + 10)}" for n in range(3))
    (folder / "d.csv").write_text(f"id,content\n{rows}\n", encoding="utf-8-sig")
    (folder / "e.pdf").write_bytes(b"%PDF-1.4 torn")
    (folder / "f.bin").write_bytes(b"\0")
    said = refine(folder, tmp_path / "out", "--json")
    assert said.json["documents"] == 6, said.err
    listed = (tmp_path / "out" / "documents" / "unreadable.jsonl").read_text(encoding="utf-8")
    assert listed.count("\n") == 2
    assert "e.pdf" in listed
    assert "f.bin" in listed


def test_where_nothing_is_left_there_is_no_certificate_and_no_failure(tmp_path: Path, english: None) -> None:
    (tmp_path / "in.txt").write_text("短", encoding="utf-8")
    assert refine(tmp_path / "in.txt", tmp_path / "out").status == 0
    assert [row["reason"] for row in rejected(tmp_path / "out").values()] == ["too-short"]
    assert not (tmp_path / "out" / "certificate.json").exists()
    said = touyan("corpus", "certify", str(tmp_path / "out"))
    assert (said.status, "no-certificate" in said.err) == (4, True)


def bad_input(base: Path, lines: Path) -> Iterator[tuple[Path, Path, tuple[str, ...], int, str]]:
    (base / "empty").mkdir()
    (base / "theirs" / "corpus").mkdir(parents=True)
    (base / "torn.jsonl").write_text("{\n", encoding="utf-8")
    out = base / "new"
    yield base / "none", out, (), 4, "nothing at"
    yield base / "empty", out, (), 2, "holds no file"
    yield lines, base / "theirs", (), 5, "none of ours"
    yield lines, lines, (), 2, "is a file"
    yield base, out, (), 2, "would read what it writes"
    yield lines, out, ("--recipe", "zh-wbe"), 4, "zh-web"
    yield lines, out, ("--set", "length.min_char=5"), 2, "min_chars"
    yield lines, out, ("--text", "txet"), 2, "text"
    yield base / "torn.jsonl", out, (), 2, "torn.jsonl"


def test_bad_input_is_named_with_what_to_do_and_leaves_no_corpus(tmp_path: Path, lines: Path) -> None:
    for source, out, more, status, words in bad_input(tmp_path, lines):
        said = refine(source, out, *more)
        assert (said.status, words in said.err) == (status, True), (source, more, said.err)
        assert not (tmp_path / "new" / "corpus").exists()
    assert list((tmp_path / "theirs").iterdir()) == [tmp_path / "theirs" / "corpus"]


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from touyan.corpus import summary

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(summary, "summarise", killed)
        assert refine(lines, tmp_path / "a" / "out").status != 0
    assert not (tmp_path / "a" / "out" / "certificate.json").exists()
    assert touyan("corpus", "explain", str(tmp_path / "a" / "out"), "short").status == 4
    assert refine(lines, tmp_path / "a" / "out").status == 0
    assert refine(lines, tmp_path / "b" / "out").status == 0
    assert files(tmp_path / "a" / "out") == files(tmp_path / "b" / "out")


def test_other_documents_make_another_certificate(refined: Path, lines: Path) -> None:
    before = certificate(refined)
    lines.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in documents()[:40]), encoding="utf-8")
    assert refine(lines, refined).status == 0
    after = certificate(refined)
    assert after["frame"]["documents"] == 40
    assert after["frame"]["digest"] != before["frame"]["digest"]


def test_a_planted_corpus_is_refined_and_scored(tmp_path: Path, english: None) -> None:
    clean = tmp_path / "clean"
    clean.mkdir()
    for n in range(30):
        (clean / f"{n}.txt").write_text(article(n) + article(n + 30), encoding="utf-8")
    planted = tmp_path / "planted.jsonl"
    kinds = "junk,utf8_as_gbk,pii,exact_dup"
    assert touyan("corpus", "plant", str(clean), str(planted), "--kinds", kinds, "--share", "0.8").status == 0
    assert refine(planted, tmp_path / "out").status == 0
    card = touyan("corpus", "score", str(planted), str(tmp_path / "out"), "--json").json
    shares = {line["key"]: line["share"] for line in card["lines"]}
    assert shares["junk-removed"] == 1
    assert shares["exact-dup-left"] == shares["checksummed-left"] == shares["clean-lost-beyond"] == 0
