from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touyan.core.errors import Broken
from touyan.store.formats.documents import DocumentRow, DocumentWriter, document_shards, read_documents
from touyan.store.formats.shards import ShardLimits

SMALL = ShardLimits(group_rows=3, group_characters=1_000, shard_rows=5, shard_characters=2_000)
OPTIONAL = st.none() | st.text(max_size=9)


def row(number: int, text: str = "text", split: str | None = None) -> DocumentRow:
    return DocumentRow(
        f"{number:064x}", "acme/notes", str(number), "1", "0" * 64, text, None, "g", None, "{}", "r", ("p",), split
    )


def write(asset: Path, rows: list[DocumentRow], limits: ShardLimits = SMALL, *, with_split: bool = False) -> list[Path]:
    with DocumentWriter(asset, with_split=with_split, limits=limits) as writer:
        for one in rows:
            writer.add(one)
    return writer.paths


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    given_rows=st.lists(st.tuples(st.text(max_size=60), OPTIONAL, OPTIONAL, OPTIONAL, st.lists(st.text(max_size=3))), max_size=20)
)
def test_what_is_written_is_read_back_in_order(
    given_rows: list[tuple[str, str | None, str | None, str | None, list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    asset = tmp_path_factory.mktemp("asset")
    rows = [
        DocumentRow(str(i), "s", str(i), "1", "0", text, title, group, label, "{}", "r", tuple(subjects))
        for i, (text, title, group, label, subjects) in enumerate(given_rows)
    ]
    write(asset, rows)
    assert list(read_documents(asset)) == rows


def test_shards_and_row_groups_stay_within_their_limits(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    paths = write(tmp_path, [row(i, "x" * 10) for i in range(12)])
    files = [pq.ParquetFile(path) for path in paths]
    assert [path.name for path in paths] == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    assert [file.metadata.num_rows for file in files] == [5, 5, 2]
    assert all(file.metadata.row_group(i).num_rows <= 3 for file in files for i in range(file.num_row_groups))
    assert files[0].metadata.row_group(0).column(5).compression == "ZSTD"
    for file in files:
        file.close()


def test_long_texts_close_groups_and_shards_before_their_rows_do(tmp_path: Path) -> None:
    assert len(write(tmp_path, [row(i, "x" * 3_000) for i in range(4)])) == 4


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [row(i) for i in range(11)]
    first, second = (write(tmp_path / name, rows) for name in ("one", "two"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_an_empty_table_has_one_shard_with_the_columns(tmp_path: Path) -> None:
    assert len(write(tmp_path, [])) == 1
    assert list(read_documents(tmp_path)) == []


def test_a_corpus_adds_the_split_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, [row(1, split="test")], with_split=True)
    assert [one.split for one in read_documents(tmp_path, with_split=True)] == ["test"]
    with pytest.raises(Broken, match="columns"):
        list(read_documents(tmp_path))


def test_a_damaged_or_missing_shard_is_broken(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="no-shards"):
        document_shards(tmp_path)
    (path,) = write(tmp_path, [row(1)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Broken, match="damaged-shard"):
        list(read_documents(tmp_path))


def test_a_failed_writer_leaves_no_open_file(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path, [row(i) for i in range(3)] + [row(4, "half of a pair: \ud800")] * 3)
    assert [path.name for path in (tmp_path / "documents").iterdir()] == ["part-00000.parquet"]
