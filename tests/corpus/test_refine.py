"""The step refine: a funnel that adds up, tables that tell what happened, the same corpus however it was made."""

from __future__ import annotations

import json
import tempfile
import unicodedata
from collections import defaultdict
from pathlib import Path

import pytest
from corpora import (
    BANK_CARD,
    EMAIL,
    ID_CARD,
    MOBILE,
    STATUTE,
    FakeWork,
    bytes_of,
    folder,
    row,
    table,
    texts_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.document import Span, pseudonym, replay
from touyan.core.errors import Invalid, Missing
from touyan.corpus import refine
from touyan.corpus.refine import RefineParams
from touyan.store.formats.documents import DocumentRow, DocumentWriter, read_documents
from touyan.store.formats.shards import ShardLimits

ENGLISH = "This is plain English text, which has no place in a corpus of Chinese statutes at all."
ROWS = [
    row("a", f"\ufeff{STATUTE}\r\n"),
    row("b", STATUTE.replace("，", ", "), source="test/web"),
    row("c", "（删去）"),
    row("d", ENGLISH),
    row("e", f"市民来电，电话１５９－１３３０－５３５６，身份证{ID_CARD}，邮箱{EMAIL}，卡号{BANK_CARD}。", title=f"来电{MOBILE}"),
    row("f", f"短{MOBILE}"[:9], group="g"),
]


def refined(
    tmp_path: Path, rows: list[DocumentRow] = ROWS, *, shard_rows: int = 2, threads: int = 1, **params: object
) -> FakeWork:
    source = folder(tmp_path / "documents", rows, shard_rows)
    chosen = RefineParams(**params)  # type: ignore[arg-type]
    work = FakeWork(chosen, tmp_path / "corpus", {"documents": [source]}, threads)
    refine.run(work)
    return work


def reasons(corpus: Path) -> dict[str, str]:
    keys = {each.doc_id: each.natural_key for each in ROWS}
    return {keys[line["doc_id"]]: line["reason"] for line in table(corpus, "verdicts")}


def test_every_document_is_kept_or_has_its_reason(tmp_path: Path) -> None:
    work = refined(tmp_path)
    assert reasons(work.out) == {"b": "exact-duplicate", "c": "too-short", "d": "not-han", "f": "too-short"}
    assert [each.natural_key for each in read_documents(work.out, with_split=True)] == ["a", "e"]


def test_the_funnel_adds_up(tmp_path: Path) -> None:
    work = refined(tmp_path)
    summary = json.loads((work.out / "summary.json").read_text())
    remaining = len(ROWS)
    for stage in summary["funnel"]:
        assert stage["in"] == remaining
        assert stage["in"] - stage["kept"] == sum(stage["reasons"].values())
        remaining = stage["kept"]
    assert remaining == summary["documents"] == 2
    assert summary["characters"] == sum(map(len, texts_of(work.out)))
    assert summary["masks"] == {"bank-card": 1, "email": 1, "id-card": 1, "mobile": 2}
    assert work.counts["dropped.too-short"] == 2


def test_the_duplicate_names_the_document_that_was_kept(tmp_path: Path) -> None:
    work = refined(tmp_path)
    (line,) = [line for line in table(work.out, "verdicts") if line["reason"] == "exact-duplicate"]
    assert line["evidence"] == f"doc:{ROWS[0].doc_id}"


def test_the_release_is_what_replaying_the_spans_gives(tmp_path: Path) -> None:
    work = refined(tmp_path)
    edits: dict[str, list[tuple[str, str, Span]]] = defaultdict(list)
    for line in table(work.out, "spans"):
        if not line["view"].startswith("field:"):
            span = Span(line["start"], line["end"], line["label"], line["reason"], line["replacement"])
            edits[line["doc_id"]].append((line["view"], line["operator"], span))
    raw = {each.doc_id: each.text for each in ROWS}
    for document in read_documents(work.out, with_split=True):
        assert replay(raw[document.doc_id], edits[document.doc_id]).text == document.text


def test_no_identifier_is_left_in_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUYAN_PSEUDONYM_KEY", "secret")
    hidden = [
        row("1", f"{MOBILE}短"),
        row("2", f"{ENGLISH} Mail {EMAIL} or call {MOBILE}.", title=EMAIL),
        row(f"user-{MOBILE}", STATUTE + ID_CARD, group=MOBILE, meta=json.dumps({"owner": EMAIL})),
        row("4", f"{STATUTE}{BANK_CARD}"),
        row("5", f"{STATUTE}{BANK_CARD}"),
    ]
    work = refined(tmp_path, hidden)
    everything = json.dumps([table(work.out, name) for name in ("documents", "spans", "verdicts")], ensure_ascii=False)
    everything += (work.out / "summary.json").read_text()
    assert not any(identifier in everything for identifier in (MOBILE, EMAIL, ID_CARD, BANK_CARD, "secret"))
    assert len(table(work.out, "documents")) == 3


def test_a_subject_is_named_by_pseudonym_in_the_column_and_in_the_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUYAN_PSEUDONYM_KEY", "secret")
    work = refined(tmp_path, [row("1", STATUTE + MOBILE, subjects=("known",))])
    expected = pseudonym(b"secret", MOBILE)
    (document,) = read_documents(work.out, with_split=True)
    assert document.subjects == tuple(sorted([expected, "known"]))
    assert [line["subject"] for line in table(work.out, "spans")] == [expected]


@pytest.mark.parametrize("shard_rows", [1, 3, 100])
def test_the_division_into_shards_changes_no_document(tmp_path: Path, shard_rows: int) -> None:
    one, other = refined(tmp_path / "one", shard_rows=2), refined(tmp_path / "other", shard_rows=shard_rows)
    for name in ("documents", "spans", "verdicts"):
        assert table(one.out, name) == table(other.out, name)
    assert (one.out / "summary.json").read_text() == (other.out / "summary.json").read_text()


def test_two_processes_make_the_same_bytes_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refine, "BYTES_A_PROCESS", 1)
    one, two = refined(tmp_path / "one", threads=1), refined(tmp_path / "two", threads=2)
    assert bytes_of(one.out) == bytes_of(two.out)


def test_a_restart_makes_only_the_parts_that_are_missing(tmp_path: Path) -> None:
    work = refined(tmp_path)
    whole = bytes_of(work.out)
    kept, lost = work.out / "documents/part-00000.parquet", work.out / "verdicts/part-00001.parquet"
    untouched = kept.stat().st_mtime_ns
    lost.write_bytes(b"torn")
    refine.run(work)
    assert bytes_of(work.out) == whole
    assert kept.stat().st_mtime_ns == untouched


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["甲", "乙\u3000丙", "乙 丙", "A丁", "ａ丁"]), max_size=8), st.integers(1, 9))
def test_the_first_in_order_is_kept_whatever_the_shards(texts: list[str], shard_rows: int) -> None:
    rows = [row(str(i), text) for i, text in enumerate(texts)]
    seen = ["".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]
    with tempfile.TemporaryDirectory() as name:
        work = refined(Path(name), rows, shard_rows=shard_rows, operators=("unicode", "exact-duplicates"))
        kept = [each.natural_key for each in read_documents(work.out, with_split=True)]
    assert kept == [str(i) for i, form in enumerate(seen) if form not in seen[:i]]


def test_sources_come_in_the_order_of_the_flow(tmp_path: Path) -> None:
    first = folder(tmp_path / "first", [row("a", STATUTE, source="test/one")])
    second = folder(tmp_path / "second", [row("a", STATUTE, source="test/two")])
    for order, winner in (([first, second], "test/one"), ([second, first], "test/two")):
        work = FakeWork(RefineParams(), tmp_path / winner, {"documents": order})
        refine.run(work)
        assert [each.source for each in read_documents(work.out, with_split=True)] == [winner]


def exclude(tmp_path: Path, rows: list[DocumentRow], *lines: dict[str, str]) -> Path:
    excluded = tmp_path / "exclusions"
    excluded.mkdir()
    (excluded / "withdrawals.jsonl").write_text("\n".join(map(json.dumps, lines)))
    inputs = {"documents": [folder(tmp_path / "documents", rows)], "exclusions": [excluded]}
    work = FakeWork(RefineParams(), tmp_path / "corpus", inputs)
    refine.run(work)
    return work.out


def test_a_withdrawn_document_gives_way_to_another_owners_copy(tmp_path: Path) -> None:
    withdrawn, copy = row("a", STATUTE), row("b", STATUTE, source="test/other")
    corpus = exclude(tmp_path, [withdrawn, copy], {"selector": "document", "value": withdrawn.doc_id})
    assert [each.doc_id for each in read_documents(corpus, with_split=True)] == [copy.doc_id]
    (line,) = table(corpus, "verdicts")
    assert (line["reason"], line["excerpt"]) == ("withdrawn-document", None)


def test_a_withdrawn_source_leaves_whole(tmp_path: Path) -> None:
    rows = [row("a", STATUTE), row("b", STATUTE + "二", source="test/other")]
    corpus = exclude(tmp_path, rows, {"selector": "source", "value": "test/laws"})
    assert [each.source for each in read_documents(corpus, with_split=True)] == ["test/other"]


def test_a_withdrawn_subject_is_found_by_column_and_by_identifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUYAN_PSEUDONYM_KEY", "secret")
    subject = pseudonym(b"secret", MOBILE)
    rows = [row("a", STATUTE, subjects=(subject,)), row("b", f"{STATUTE}手机159\u200b13305356")]
    rows += [row("c", STATUTE + "丙"), row("d", STATUTE + "丁", title=f"来电{MOBILE}")]
    corpus = exclude(tmp_path, rows, {"selector": "subject", "value": subject})
    assert [each.natural_key for each in read_documents(corpus, with_split=True)] == ["c"]


def test_a_withdrawn_subject_cannot_be_honoured_without_the_key(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="key"):
        exclude(tmp_path, [row("a", STATUTE)], {"selector": "subject", "value": "0" * 32})


def test_a_wrong_exclusion_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="line 2"):
        exclude(tmp_path, [row("a", STATUTE)], {"selector": "source", "value": "x"}, {"selector": "person", "value": "x"})


def test_an_operator_may_stand_in_a_recipe_only_once(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="twice"):
        refined(tmp_path, operators=("unicode", "length", "unicode"))


def test_large_documents_end_a_row_group_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr("touyan.store.formats.corpus.GROUP_BYTES", 3 * len(STATUTE.encode()))
    with DocumentWriter(tmp_path / "documents", limits=ShardLimits(group_rows=1)) as writer:
        for key in "abcd":
            writer.add(row(key, STATUTE + key))
    work = FakeWork(RefineParams(), tmp_path / "corpus", {"documents": [tmp_path / "documents"]})
    refine.run(work)
    file = pq.ParquetFile(work.out / "documents/part-00000.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [2, 2]


def test_nothing_in_gives_an_empty_corpus(tmp_path: Path) -> None:
    work = refined(tmp_path, [])
    assert texts_of(work.out) == []
    assert json.loads((work.out / "summary.json").read_text())["documents"] == 0
