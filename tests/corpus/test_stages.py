"""Stages: each operator sees each document once, what lies between two stages is on disk, and what is there is not made again."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from corpora import STATUTE, FakeWork, bytes_of, folder, row, table
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.document import Span, Verdict
from touyan.core.errors import Broken
from touyan.corpus import refine
from touyan.corpus.exclusions import Exclusions
from touyan.corpus.length import Length
from touyan.corpus.operator import DocumentBatch, Marks, Operator, Survey
from touyan.corpus.personal.mask import Mask
from touyan.corpus.refine import RefineParams
from touyan.corpus.surveys import Surveys, write_settled, write_survey
from touyan.corpus.unicode import UnicodeRepair
from touyan.store.formats.documents import DocumentRow


class Lost(Exception):
    """The process is lost at this point of its work."""


SEEN: list[tuple[str, str]] = []
"""(operator, doc_id) of every judgement and survey, in order."""


def see(operator: str, batch: DocumentBatch) -> None:
    SEEN.extend((operator, doc_id) for doc_id in batch.doc_ids)


@dataclass(frozen=True, slots=True)
class Prefix:
    """Puts a letter before each text, and drops texts that hold `drops`."""

    letter: str
    drops: str = "\0"
    version: ClassVar[str] = "1"

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"prefix-{self.letter}"

    def judge(self, batch: DocumentBatch) -> Marks:
        see(self.name, batch)
        verdicts = {i: Verdict("drop", f"has-{self.drops}") for i, text in enumerate(batch.texts) if self.drops in text}
        return Marks({i: [Span(0, 0, "prefix", "a letter", self.letter)] for i in range(len(batch))}, verdicts)


@dataclass(frozen=True, slots=True)
class Total:
    """Surveys how many characters there are; then writes the sum over all shards behind each text."""

    number: int
    version: ClassVar[str] = "1"

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"total-{self.number}"

    def survey(self, batch: DocumentBatch) -> Survey:
        see(f"survey-{self.number}", batch)
        return {"characters": np.array([len(text) for text in batch.texts], dtype=np.int64), "nothing": np.zeros((len(batch), 0))}

    def settle(self, surveys: Sequence[Survey]) -> Iterator[Operator]:
        total = sum(int(survey["characters"].sum()) for survey in surveys)
        assert total == sum(int(survey["characters"].sum()) for survey in surveys), "surveys may be gone over again"
        yield from (Behind(self.number, str(total)) for _ in surveys)


@dataclass(frozen=True, slots=True)
class Behind:
    number: int
    words: str = field(repr=False)
    version: ClassVar[str] = "1"

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"total-{self.number}"

    def judge(self, batch: DocumentBatch) -> Marks:
        see(self.name, batch)
        return Marks({i: [Span(len(text), len(text), "total", "a sum", self.words)] for i, text in enumerate(batch.texts)})


CHAIN = (Prefix("a"), Total(1), Prefix("b", drops="丙"), Total(2), Total(3), Prefix("c"))
ROWS = [row(str(i), text) for i, text in enumerate(["甲", "乙乙", "丙", "丁丁丁", "戊", "甲甲"])]


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    SEEN.clear()


def run(
    root: Path, chain: Iterable[object], rows: Sequence[DocumentRow] = ROWS, shard_rows: int = 2, **more: list[Path]
) -> FakeWork:
    """Refines with operators that nobody registered."""
    work = FakeWork(RefineParams(), root / "corpus", {"documents": [folder(root / "documents", rows, shard_rows)], **more})
    with unregistered(chain):
        refine.run(work)
    return work


@contextmanager
def unregistered(chain: Iterable[object]) -> Iterator[pytest.MonkeyPatch]:
    """Recipes consist of these operators."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refine, "recipe", lambda params, key: list(chain))
        yield patch


def test_every_operator_sees_every_document_once(tmp_path: Path) -> None:
    run(tmp_path, CHAIN)
    assert len(SEEN) == len(set(SEEN))
    names = ("prefix-a", "survey-1", "total-1", "prefix-b", "survey-2", "total-2", "survey-3", "total-3", "prefix-c")
    seen_by = {name: sum(operator == name for operator, _ in SEEN) for name in names}
    assert seen_by == dict(zip(names, [6, 6, 6, 6, 5, 5, 5, 5, 5], strict=True))


def test_a_later_survey_sees_what_earlier_operators_left(tmp_path: Path) -> None:
    work = run(tmp_path, CHAIN)
    # 10 characters, then 6 letters; the first sum is 16, two digits. Then 5 documents of 9 characters and 5 letters a, b.
    assert [line["text"] for line in table(work.out, "documents")][:2] == ["cba甲162939", "cba乙乙162939"]


def test_lines_stand_by_document_and_within_one_in_the_order_of_the_recipe(tmp_path: Path) -> None:
    work = run(tmp_path, CHAIN)
    lines = [(line["doc_id"], line["operator"]) for line in table(work.out, "spans")]
    order = ["prefix-a", "total-1", "prefix-b", "total-2", "total-3", "prefix-c"]
    assert lines == [(each.doc_id, name) for each in ROWS for name in (order[:3] if each.text == "丙" else order)]
    assert [line["view"] for line in table(work.out, "spans")][:4] == ["raw", "prefix-a", "total-1", "prefix-b"]


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linked = run(tmp_path / "linked", CHAIN)

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", refuse)
    assert bytes_of(run(tmp_path / "copied", CHAIN).out) == bytes_of(linked.out)


def test_nothing_is_left_in_the_scratch_folder(tmp_path: Path) -> None:
    work = run(tmp_path, CHAIN)
    assert list(work.scratch.iterdir()) == []


@settings(max_examples=6)
@given(shard_rows=st.integers(1, 7), batch_rows=st.integers(1, 4))
def test_the_division_into_shards_and_batches_changes_no_row(
    tmp_path_factory: pytest.TempPathFactory, shard_rows: int, batch_rows: int
) -> None:
    whole = run(tmp_path_factory.mktemp("whole"), CHAIN, shard_rows=9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("touyan.store.formats.shards.read_batches.__defaults__", (None, batch_rows))
        cut = run(tmp_path_factory.mktemp("cut"), CHAIN, shard_rows=shard_rows)
    for name in ("documents", "spans", "verdicts"):
        assert table(cut.out, name) == table(whole.out, name)
    assert (cut.out / "summary.json").read_bytes() == (whole.out / "summary.json").read_bytes()


def test_an_interrupted_run_repeats_no_shard_of_a_stage(tmp_path: Path) -> None:
    expected = bytes_of(run(tmp_path / "whole", CHAIN).out)
    for after in (1, 3, 5, 8, 10):
        SEEN.clear()
        lost = lost_run(tmp_path / str(after), "progress", lambda done, total, unit, after=after: done != after or lose())
        with unregistered(CHAIN):
            refine.run(lost)
        assert bytes_of(lost.out) == expected
        assert len(SEEN) == len(set(SEEN))


def test_a_part_that_was_moved_and_not_marked_is_made_again(tmp_path: Path) -> None:
    expected = bytes_of(run(tmp_path / "whole", CHAIN).out)
    lost = lost_run(tmp_path / "lost", "mark_done", lambda part, files: lose())
    with unregistered(CHAIN):
        refine.run(lost)
    assert bytes_of(lost.out) == expected


def test_a_part_that_was_damaged_before_the_end_is_made_from_the_beginning(tmp_path: Path) -> None:
    expected = bytes_of(run(tmp_path / "whole", CHAIN).out)
    lost = lost_run(tmp_path / "lost", "progress", lambda done, total, unit: done != 11 or lose())
    for part in lost.out.glob("documents/*.parquet"):
        part.write_bytes(b"torn")
    with unregistered(CHAIN):
        refine.run(lost)
    assert bytes_of(lost.out) == expected


def lost_run(root: Path, method: str, fake: Callable[..., object]) -> FakeWork:
    """A run that was lost when `method` of its work was called, and may go on."""
    lost = FakeWork(RefineParams(), root / "corpus", {"documents": [folder(root / "documents", ROWS, 2)]})
    with unregistered(CHAIN) as patch:
        patch.setattr(lost, method, fake, raising=False)
        with pytest.raises(Lost):
            refine.run(lost)
    return lost


def lose() -> bool:
    raise Lost


def digests(corpus: Path) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in bytes_of(corpus).items() if name.endswith(".parquet")}


def test_a_withdrawal_changes_only_the_parts_concerned(tmp_path: Path) -> None:
    rows = [row(str(i), f"{STATUTE}第{'一二三四五六七八'[i]}条") for i in range(8)] + [row("copy", f"{STATUTE}第八条")]
    before = FakeWork(RefineParams(), tmp_path / "before", {"documents": [folder(tmp_path / "documents", rows, 2)]})
    refine.run(before)
    excluded = tmp_path / "exclusions"
    excluded.mkdir()
    (excluded / "a.jsonl").write_text(f'{{"selector":"document","value":"{rows[7].doc_id}"}}')
    after = FakeWork(RefineParams(), tmp_path / "after", {"documents": [tmp_path / "documents"], "exclusions": [excluded]})
    refine.run(after)
    old, new = digests(before.out), digests(after.out)
    changed = {name.partition("part-")[2] for name in old if old[name] != new[name]}
    assert changed == {"00003.parquet", "00004.parquet"}, "its own part, and that of the copy that may now stay"


def test_exclusions_stand_after_the_repairs_and_before_all_else(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Encoding:
        name = "encoding"
        version = "1"

    def order(*refiners: object) -> list[str]:
        return [each.name for each in refine.with_exclusions(refiners, [tmp_path], Mask())]  # type: ignore[arg-type]

    assert order(Encoding(), UnicodeRepair(), Length()) == ["encoding", "unicode", Exclusions.name, "length"]
    assert order(UnicodeRepair(), Length()) == ["unicode", Exclusions.name, "length"]
    assert order(Length(), UnicodeRepair()) == [Exclusions.name, "length", "unicode"]


def test_surveys_are_a_sequence_on_disk(tmp_path: Path) -> None:
    large = np.arange(1 << 15, dtype=np.int64)
    for n, notes in enumerate(
        [[{"a": large[:9], "b": np.zeros((0, 2))}, {"a": large[9:], "b": np.ones((1, 2))}], [{"a": large[:0]}]]
    ):
        write_survey(tmp_path / str(n), notes)
    surveys = Surveys([tmp_path / "0", tmp_path / "1"])
    assert isinstance(surveys[0]["a"], np.memmap)
    assert np.array_equal(surveys[0]["a"], large)
    assert surveys[0]["b"].tolist() == [[1, 1]]
    assert [len(survey["a"]) for survey in surveys] == [len(large), 0]
    assert len(surveys[1:]) == 1


def test_a_surveyor_must_settle_every_shard(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="2 shards of 3"):
        write_settled(tmp_path / "settled", [Length(), Length()], 3, "near-duplicates")


def test_the_operators_of_these_tests_travel(tmp_path: Path) -> None:
    assert pickle.loads(pickle.dumps(CHAIN)) == CHAIN
