"""Portions: large files are cut, small ones held together, and nothing depends on how many processes read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import TEXT, FakeWork, read

from touyan.core.errors import Invalid
from touyan.data.lines import bounded_lines, line_ranges
from touyan.data.portions import portions
from touyan.data.read import ReadParams, run
from touyan.data.reader import Options, Unreadable
from touyan.data.summary import Tally
from touyan.store.formats.documents import DocumentRow

LIMIT = 1 << 20


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions of 300 bytes and three files, so that little files show what large ones do."""
    monkeypatch.setattr("touyan.data.portions.PORTION_BYTES", 300)
    monkeypatch.setattr("touyan.data.portions.PORTION_FILES", 3)


def rows(*values: object) -> bytes:
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


def write(folder: Path, **files: bytes) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / f"{name}.jsonl").write_bytes(data)
    return folder


def read_by(threads: int, source: Path, folder: Path, **params: object) -> FakeWork:
    given_params = {"source": "notes", "provider": "acme", "rights": "0" * 64} | params
    work = FakeWork(ReadParams(**given_params), source, folder, threads=threads)  # type: ignore[arg-type]
    run(work)  # type: ignore[arg-type]
    return work


@given(st.lists(st.sampled_from([b"", b"a", b"\n", b"bc\n", b"d" * 9]), max_size=30), st.integers(1, 12), st.integers(1, 8))
def test_the_lines_of_the_ranges_are_the_lines_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], range_bytes: int, limit: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_bytes(b"".join(parts))
    ranges = list(line_ranges(path, range_bytes, "utf-8"))
    numbered = [pair for each in ranges for pair in enumerate(bounded_lines(path, limit, each), each.first_line)]
    assert numbered == list(enumerate(bounded_lines(path, limit), 1))
    assert [each.begin for each in ranges[1:]] == [each.end for each in ranges[:-1]]


def test_large_files_are_cut_and_small_ones_held_together(tmp_path: Path, small_portions: None) -> None:
    large = rows(*({"text": TEXT} for _ in range(20)))
    folder = write(tmp_path / "in", a=b"{}\n", b=b"{}\n", c=large, d=b"{}\n", e=b"{}\n", f=b"{}\n", g=b"{}\n")
    cut = [[entry.file.path for entry in portion] for portion in portions(folder, "auto", Options())]
    assert cut[0] == ["a.jsonl", "b.jsonl"]
    assert cut[-2:] == [["d.jsonl", "e.jsonl", "f.jsonl"], ["g.jsonl"]]
    assert len(cut) > 4
    assert all(part == ["c.jsonl"] for part in cut[1:-2])


def test_rows_keep_their_numbers_wherever_the_file_is_cut(tmp_path: Path, small_portions: None) -> None:
    lines = [rows({"text": f"{TEXT}{n}"}) if n % 3 else b"{torn\n" for n in range(40)]
    work = read(write(tmp_path / "in", a=b"".join(lines)), tmp_path / "job")
    assert [row.natural_key for row in work.documents()] == [f"a.jsonl#{n + 1}" for n in range(40) if n % 3]
    listed = [json.loads(line)["path"] for line in (work.out / "unreadable.jsonl").read_text().splitlines()]
    assert listed == [f"a.jsonl#{n + 1}" for n in range(0, 40, 3)]


def test_one_encoding_holds_for_all_parts_of_a_file(tmp_path: Path, small_portions: None) -> None:
    data = "".join(f'{{"text": "{TEXT}{n}"}}\n' for n in range(20)).encode("gb18030")
    work = read(write(tmp_path / "in", a=data + rows({"text": "plain " * 60})), tmp_path / "job")
    assert len(work.documents()) == 21
    assert len(list((work.out / "documents").iterdir())) > 2


def test_the_first_of_two_keys_stays_though_another_process_reads_it(tmp_path: Path, small_portions: None) -> None:
    first = [{"text": TEXT, "id": n, "v": 1} for n in range(12)]
    folder = write(tmp_path / "in", a=rows(*first, {"text": TEXT, "id": 0, "v": 1}), b=rows({"text": TEXT, "id": 5, "v": 1}))
    alone, together = (read_by(n, folder, tmp_path / str(n), key="id", version="v") for n in (1, 2))
    assert [row.natural_key for row in alone.documents()] == [str(n) for n in range(12)]
    assert alone.files()["unreadable.jsonl"].decode().count("duplicate-key") == 2
    assert alone.files() == together.files()


def test_processes_change_nothing(tmp_path: Path, small_portions: None) -> None:
    folder = write(tmp_path / "in", a=rows(*({"text": TEXT, "label": str(n)} for n in range(30))), b=b"{torn\n")
    (folder / "c.exe").write_bytes(b"MZ")
    (folder / "d.txt").write_text(TEXT)
    alone, together = (read_by(n, folder, tmp_path / str(n), label="label") for n in (1, 2))
    assert alone.files() == together.files()
    assert alone.counts == together.counts


def test_what_another_process_refuses_is_raised_here(tmp_path: Path, small_portions: None) -> None:
    folder = write(tmp_path / "in", a=rows(*({"text": TEXT} for _ in range(30))), b=b"{torn\n")
    with pytest.raises(Invalid, match=r"b\.jsonl#1"):
        read_by(2, folder, tmp_path / "job", on_unreadable="fail")


def test_a_large_file_that_cannot_be_cut_is_listed(tmp_path: Path, small_portions: None) -> None:
    folder = write(tmp_path / "in", a=b"\xff\xfe" + "一".encode("utf-16-le") * 300, b=rows({"text": TEXT}))
    work = read(folder, tmp_path / "job")
    assert len(work.documents()) == 1
    assert b"UTF-16" in work.files()["unreadable.jsonl"]


def test_counts_of_portions_add_up_and_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("touyan.data.summary.MAX_LABELS", 2)
    whole, later = Tally(), Tally()
    for tally, labels in ((whole, "ab"), (later, "bc")):
        for label in labels:
            tally.document(DocumentRow("d", "s", "k", "1", "0", "text", None, None, label, "{}", "r"))
        tally.unreadable("a.csv", Unreadable("3", "csv: torn"))
    whole.add(later)
    summary = whole.summary()
    assert (summary["documents"], summary["characters"], summary["unreadable"]) == (4, 16, 2)
    assert summary["labels"] == {"a": 1, "b": 2, "…": 1}
    assert summary["unreadable_reasons"] == {"csv": 2}
