"""The certificate: a sample anybody draws again, looks that see what was planted, intervals that hold, answers that come back."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from corpora import BANK_CARD, EMAIL, ID_CARD, STATUTE

from touyan.core.document import document_id
from touyan.core.errors import Invalid, Missing
from touyan.core.interval import wilson, wilson_of
from touyan.corpus.certificate import COMPARED_CHARS, Drawing, measure, percent, share
from touyan.corpus.certificate_croissant import released_record
from touyan.corpus.certificate_looks import checked_numbers, is_damaged, looks, page_lines
from touyan.corpus.certificate_pairs import Twins
from touyan.corpus.certificate_sample import Frame, read_others, read_sample
from touyan.corpus.certificate_sheet import read_book, write_book
from touyan.corpus.certificate_terms import INDICATORS, TERMS
from touyan.corpus.rejects import rejects
from touyan.store.formats.corpus import SPANS, VERDICTS, PartWriter, spans_schema, verdicts_schema
from touyan.store.formats.documents import DocumentRow, DocumentWriter
from touyan.store.formats.shards import ShardLimits

HAN = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈剑号巨阙珠称夜光"


def text_of(n: int) -> str:
    rng = Random(n)
    return "".join(rng.choice(HAN) + ("。" if i % 20 == 19 else "") for i in range(300))


def release(out: Path, texts: list[str], masked: int = 0) -> Path:
    """OUT of a run: as many documents as texts, two shards, the first `masked` of them with a mask."""
    rows = [
        DocumentRow(
            document_id("acme/notes", str(n), "1"), "acme/notes", str(n), "1", "0" * 64, text, "题目" if n % 2 else None, None,
            None, '{"date":"2026-01-01"}' if n % 4 == 0 else "{}", "r" * 64 if n % 2 else "", (), None,
        )
        for n, text in enumerate(texts)
    ]  # fmt: skip
    for folder, with_split in (("documents", False), ("corpus", True)):
        with DocumentWriter(out / folder, with_split=with_split, limits=ShardLimits(shard_rows=len(texts) // 2 + 1)) as writer:
            for row in rows:
                writer.add(row)
    edit = {"view": "raw", "start": 0, "end": 1, "operator": "mask", "version": "1", "label": "mobile", "replacement": "[手机号]"}
    noted = {"reason": "r", "score": None, "subject": None, "evidence": None, "parameters": "0" * 16}
    for number in range(len(writer.paths)):
        spans = [{"doc_id": row.doc_id, **edit, **noted} for row in rows[:masked]] if number == 0 else []
        write_part(out / "corpus" / SPANS, number, spans_schema(), spans)
        write_part(out / "corpus" / VERDICTS, number, verdicts_schema(), [])
    (out / "corpus" / "summary.json").write_text('{"operators": []}', encoding="utf-8")
    (out / "documents" / "summary.json").write_text(json.dumps({"documents": len(rows), "unreadable": 1}), encoding="utf-8")
    return out


def write_part(folder: Path, number: int, schema: object, rows: list[dict[str, object]]) -> None:
    import pyarrow as pa

    with PartWriter(folder / f"part-{number:05d}.parquet", schema) as part:  # type: ignore[arg-type]
        part.write(pa.Table.from_pylist(rows, schema=schema))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return release(tmp_path / "out", [text_of(n) for n in range(80)], masked=8)


def test_a_whole_population_is_known_and_a_small_sample_of_it_is_not() -> None:
    assert wilson_of(3, 80, 80) == (3 / 80, 3 / 80)
    assert wilson_of(3, 80, 10**9) == pytest.approx(wilson(3, 80))
    low, high = wilson_of(0, 20, 40)
    assert low == 0
    assert 0 < high < wilson(0, 20)[1]


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = Random(5)
    people = [rng.random() < 0.1 for _ in range(1_000)]
    held = 0
    for _ in range(300):
        low, high = wilson_of(sum(rng.sample(people, 400)), 400, 1_000)
        held += low <= sum(people) / 1_000 <= high
    assert held >= 0.93 * 300


def test_the_same_seed_draws_the_same_sample_with_the_share_of_each_stratum(out: Path) -> None:
    frame = Frame(out / "corpus")
    assert frame.counts() == {"acme/notes · masked": 8, "acme/notes · plain": 72}
    first, again, other = frame.draw(40, "a"), Frame(out / "corpus").draw(40, "a"), frame.draw(40, "b")
    assert first.tolist() == again.tolist() != other.tolist()
    assert len(set(first.tolist())) == 40
    assert sum(frame.stratum(place).endswith("masked") for place in first) in (3, 4, 5)
    drawn = read_sample(frame, first)
    assert [each.text for each in drawn] == [text_of(int(each.natural_key)) for each in drawn]


def test_every_document_may_be_drawn(out: Path) -> None:
    frame = Frame(out / "corpus")
    seen = {place for seed in range(60) for place in frame.draw(10, str(seed)).tolist()}
    assert seen == set(range(80))


def test_another_text_makes_another_frame(out: Path, tmp_path: Path) -> None:
    changed = release(tmp_path / "other", [text_of(n) for n in range(79)] + [STATUTE])
    assert Frame(out / "corpus").digest != Frame(changed / "corpus").digest


@pytest.mark.parametrize(
    "damaged",
    ["经济\ufffd\ufffd发展", "锟斤拷锟斤拷", "服務(wù)与產(chǎn)品", "主管????部门", "主管\ue5e5部门", STATUTE.encode().decode("latin-1"),
     STATUTE.encode().decode("cp1252", "replace"), STATUTE.encode().decode("gbk", "replace")],
)  # fmt: skip
def test_damage_of_every_kind_is_seen(damaged: str) -> None:
    assert is_damaged(STATUTE + "\n" + damaged)


@pytest.mark.parametrize(
    "line", ["责任编辑：张三", "首页 > 新闻", "上一篇：通知", "版权所有 某某网", "京ICP备00000000号", "{{title}}"]
)
def test_lines_of_pages_are_seen(line: str) -> None:
    assert page_lines(f"{STATUTE}\n{line}\n")


def test_sound_text_is_not_suspected() -> None:
    sound = (
        STATUTE + "（café）他问：“真的吗？？？”\n第一条　版权所有者有权返回作品。来源于生活；编辑部设在北京(Beijing)。№ 12\u3000①"
    )
    (look,) = looks([sound])
    assert (look.is_damaged, look.page_lines, look.checked_numbers, look.suspicions) == (False, 0, 0, 0)
    assert look.han_share > 0.8


def test_numbers_whose_check_holds_are_counted_however_they_are_written() -> None:
    wide = ID_CARD.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789"})
    assert checked_numbers(f"身份证{ID_CARD}，{wide}；卡号{BANK_CARD[:4]} {BANK_CARD[4:]}。") == 3
    assert checked_numbers(f"编号{ID_CARD[:-1]}{(int(ID_CARD[-1]) + 1) % 10}，{EMAIL}") == 0


def test_twins_are_found_among_the_sample_and_the_others() -> None:
    near = text_of(1)[:280] + "。另有通知者从其规定。"
    sample = [("a", text_of(1)), ("b", text_of(2)), ("c", text_of(3)), ("d", near)]
    found = Twins(sample, 0.7)
    assert (found.exact, found.near) == ([False] * 4, [True, False, False, True])
    found.add([("a", text_of(1)), ("e", text_of(2) + " \n"), ("f", text_of(9)), ("g", "短")])
    assert (found.exact, found.near) == ([False, True, False, False], [True, True, False, True])
    assert found.compared == set("abcdefg")


def test_the_others_are_whole_runs_or_all(out: Path) -> None:
    frame = Frame(out / "corpus")
    assert len({doc_id for run in read_others(frame, 0, "a") for doc_id, _ in run}) == 80
    assert len([doc_id for run in read_others(frame, 1, "a") for doc_id, _ in run]) < 80


def test_a_certificate_measures_every_dimension_and_says_what_it_does_not(out: Path) -> None:
    frame = Frame(out / "corpus")
    made, _ = measure(out, frame, "zh-web", Drawing(40, "a"))
    said = made.json()
    assert [row["key"] for row in said["dimensions"]] == list(TERMS)
    found = {each.key: each for each in made.dimensions}
    assert (found["has-title"].hits, found["has-date"].hits, found["has-rights"].hits) == (40, 20, 40)
    assert (found["readable"].n, found["readable"].value) == (81, "98.77 %")
    assert found["near-duplicates"].high != found["near-duplicates"].value == "0.00 %"
    assert {row["name_zh"] for row in said["standard"]["indicators"]} == set(INDICATORS)
    assert all(row["not_measured"] for row in said["standard"]["indicators"])
    assert "anonym" not in json.dumps(said)
    assert made == measure(out, frame, "zh-web", Drawing(40, "a"))[0]


def test_what_was_compared_with_a_part_is_scaled_to_the_whole() -> None:
    half = share("near-duplicates", 5, 100, 1_000, "machine", coverage=0.5)
    assert half.value == "10.00 %"
    assert float((half.high or "").split()[0]) == pytest.approx(
        2 * float((share("near-duplicates", 5, 100, 1_000, "machine").high or "").split()[0]), abs=0.02
    )
    assert COMPARED_CHARS > 1_000_000
    assert (percent(0), percent(0.5), percent(0.00004)) == ("0.00 %", "50.00 %", "0.004 %")


def test_nothing_released_is_nothing_to_certify(tmp_path: Path) -> None:
    empty = release(tmp_path / "out", [])
    with pytest.raises(Missing, match="no document"):
        measure(empty, Frame(empty / "corpus"), "zh-web", Drawing())


def test_half_a_page_of_answers_is_refused_with_its_row(out: Path, tmp_path: Path) -> None:
    import openpyxl

    made, drawn = measure(out, Frame(out / "corpus"), "zh-web", Drawing())
    write_book(tmp_path / "c.xlsx", made, drawn)
    with pytest.raises(Invalid, match="no answer"):
        read_book(tmp_path / "c.xlsx", made, drawn)
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    book["文档判读 Documents"]["D2"].value = "无"
    book.save(tmp_path / "half.xlsx")
    with pytest.raises(Invalid, match="row 3"):
        read_book(tmp_path / "half.xlsx", made, drawn)


def test_the_croissant_record_names_the_released_shards_and_each_measurement(out: Path) -> None:
    made, _ = measure(out, Frame(out / "corpus"), "zh-web", Drawing(40, "a"))
    file_set = {"@type": "cr:FileSet", "@id": "document-shards", "includes": "documents/*.parquet"}
    source = {"@context": {}, "name": "notes", "license": "unknown", "distribution": [file_set], "recordSet": ["as it was"]}
    record = released_record(source, out / "corpus", made)
    assert [each["@id"] for each in record["distribution"]] == [
        "corpus/documents/part-00000.parquet", "corpus/documents/part-00001.parquet", "document-shards",
    ]  # fmt: skip
    assert (record["license"], record["recordSet"]) == ("unknown", ["as it was"])
    assert len(record["dqv:hasQualityMeasurement"]) == len(TERMS)
    assert record["rai:personalSensitiveInformation"].startswith("de-identified")


def test_keys_of_rejects_hold_no_identifier_and_what_may_not_be_quoted_is_known_by_its_id(out: Path, tmp_path: Path) -> None:
    row = DocumentRow("d" * 64, "acme/notes", EMAIL, "1", "0" * 64, "短", None, None, None, "{}", "", (), None)
    with DocumentWriter(tmp_path / "documents") as writer:
        writer.add(row)
    told = {"doc_id": row.doc_id, "operator": "length", "version": "1", "score": 1.0, "outcome": "drop", "evidence": None}
    for reason, excerpt, key in (
        ("too-short", "短", "[邮箱]"),
        ("withdrawn-document", None, None),
        ("lexicon-loans", None, "[邮箱]"),
    ):
        verdict = {**told, "reason": reason, "excerpt": excerpt, "parameters": "0" * 16}
        write_part(tmp_path / "corpus" / VERDICTS, 0, verdicts_schema(), [verdict, {**verdict, "outcome": "flag"}])
        (line,) = rejects(tmp_path / "documents", tmp_path / "corpus")
        assert (line["key"], line["reason"], line["excerpt"]) == (key, reason, excerpt)
