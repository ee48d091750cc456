"""JSON Lines: the fast way gives what the exact way gives; compressed files are streams with a bound."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import TEXT, read, reasons, texts

from touyan.data.reader import MAX_INFLATION, Options, Record, Unreadable, read_file
from touyan.data.readers import jsonl
from touyan.data.readers.jsonl import READER
from touyan.data.seen import SeenDocuments

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def record(line: bytes, *, fast: bool) -> Record | Unreadable:
    with pytest.MonkeyPatch.context() as patch:
        if not fast:
            patch.setattr(jsonl, "_fast_cells", lambda line: None)
        return jsonl._record("1", line, "utf-8", Options())


@given(st.dictionaries(st.sampled_from(["text", "id", "n"]), VALUES), st.booleans())
def test_the_fast_parser_gives_what_the_exact_one_gives(value: dict[str, object], is_ascii: bool) -> None:
    line = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    assert record(line, fast=True) == record(line, fast=False)


@pytest.mark.parametrize(
    "line",
    [
        b'{"text":"a","text":"b"}', b'{"text":"\\ud800"}', b'\xef\xbb\xbf{"text":"a"}', b'{"text":NaN}', b'{"text":1e400}',
        b'{"text":18446744073709551616}', b'{"text":-0}', b'{"text":[0.10]}', b'{"text":"\x01"}', b"[1]", b'{"text":"a"} x', b"{",
        b'{"text":"\xff"}', b'{"text":{"b":[1,{"a":null}]},"z":"\\u0000"}', b'{"text":' + b"[" * 2000 + b"]" * 2000 + b"}",
    ],
)  # fmt: skip
def test_odd_lines_are_the_same_to_both(line: bytes) -> None:
    assert record(line, fast=True) == record(line, fast=False)


def packed(suffix: str, data: bytes) -> bytes:
    if suffix == "gz":
        return gzip.compress(data, mtime=0)
    zstandard = pytest.importorskip("zstandard")
    return bytes(zstandard.ZstdCompressor().compress(data))


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_compressed_lines_are_read_as_plain_ones_are(tmp_path: Path, suffix: str) -> None:
    data = "".join(json.dumps({"text": f"{TEXT}{i}"}) + "\n" for i in range(50)).encode()
    for name, content in (("plain.jsonl", data), (f"packed.jsonl.{suffix}", packed(suffix, data) + packed(suffix, data))):
        (tmp_path / name).write_bytes(content)
    plain, twice = (list(read_file(READER, tmp_path / name, Options())) for name in ("plain.jsonl", f"packed.jsonl.{suffix}"))
    assert texts(twice) == texts(plain) * 2
    assert twice[:50] == plain


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_the_step_knows_compressed_files_by_both_extensions(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / f"in/a.b.JSONL.{suffix}").write_bytes(packed(suffix, b'{"text":"x"}\n'))
    (tmp_path / f"in/c.{suffix}").write_bytes(b"")
    work = read(tmp_path / "in", tmp_path / "job")
    assert [row.text for row in work.documents()] == ["x"]
    assert work.counts["unreadable"] == 1


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_file_that_inflates_without_end_is_given_up(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.jsonl.{suffix}"
    path.write_bytes(packed(suffix, b'{"text":"x"}\n' + (b" " * 999 + b"\n") * 30_000))
    outcomes = list(read_file(READER, path, Options(max_document_bytes=1 << 16)))
    assert (1 << 16) + MAX_INFLATION * path.stat().st_size < 30_000_000
    assert reasons(outcomes)[0].startswith("inflates")


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_torn_compressed_file_costs_itself_only(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.jsonl.{suffix}"
    path.write_bytes(packed(suffix, b'{"text":"x"}\n' * 9)[:-9])
    assert "Truncated" in reasons(list(read_file(READER, path, Options())))[-1]


def test_ids_beyond_the_memory_are_remembered_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("touyan.data.seen.IDS_IN_MEMORY", 3)
    ids = [bytes.fromhex(f"{i:064x}"[::-1]) for i in range(8)]
    with SeenDocuments(tmp_path) as seen:
        assert [seen.add(each) for each in ids + ids] == [True] * 8 + [False] * 8
