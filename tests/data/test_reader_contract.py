"""What every reader promises, whatever its format: one suite for all that are installed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import reasons, samples, texts

from touyan.data.parser_process import ParserProcess
from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file, readers

BUILT_IN = ("csv", "docx", "eml", "html", "jsonl", "ofd", "parquet", "pdf", "sqlite", "text", "warc", "xlsx")
OPTIONS = Options(max_document_bytes=1 << 20)


@pytest.fixture(scope="module")
def parser() -> Iterator[ParserProcess]:
    with ParserProcess(limit_s=20, memory_bytes=1 << 30, max_document_bytes=1 << 20) as process:
        yield process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module")
def sample(folder: Path) -> dict[str, Path]:
    return samples(folder)


def outcomes(name: str, path: Path, parser: ParserProcess, options: Options = OPTIONS) -> list[Record | Unreadable]:
    """As the step reads it: in the parser process where the reader is isolated."""
    reader = named_reader(name)
    return list(parser.read(name, path, options) if reader.isolated else read_file(reader, path, options))


def test_every_built_in_reader_is_installed() -> None:
    assert set(BUILT_IN) <= set(readers())


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_valid_file_gives_records_and_no_reasons(name: str, sample: dict[str, Path], parser: ParserProcess) -> None:
    found = outcomes(name, sample[name], parser)
    assert texts(found)
    assert reasons(found) == []
    assert all(isinstance(one, Record) and len(one.raw_sha256) == 64 for one in found)


@pytest.mark.parametrize("name", BUILT_IN)
def test_two_readings_are_equal(name: str, sample: dict[str, Path], parser: ParserProcess) -> None:
    assert outcomes(name, sample[name], parser) == outcomes(name, sample[name], parser)


@pytest.mark.parametrize("name", BUILT_IN)
def test_places_in_a_file_are_unique(name: str, sample: dict[str, Path], parser: ParserProcess) -> None:
    places = [one.place for one in outcomes(name, sample[name], parser)]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("name", BUILT_IN)
def test_reading_leaves_the_file_as_it_was(name: str, sample: dict[str, Path], parser: ParserProcess) -> None:
    before = hashlib.sha256(sample[name].read_bytes()).hexdigest()
    outcomes(name, sample[name], parser)
    assert hashlib.sha256(sample[name].read_bytes()).hexdigest() == before
    assert {path.name for path in sample[name].parent.iterdir()} == {path.name for path in sample.values()}


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("keep_share", [0.0, 0.1, 0.5, 0.9])
def test_a_file_cut_short_gives_records_or_reasons(
    name: str, keep_share: float, sample: dict[str, Path], tmp_path: Path, parser: ParserProcess
) -> None:
    whole = sample[name].read_bytes()
    path = tmp_path / sample[name].name
    path.write_bytes(whole[: int(len(whole) * keep_share)])
    found = outcomes(name, path, parser)
    assert all(isinstance(one, (Record, Unreadable)) for one in found)
    assert all(str(tmp_path) not in reason for reason in reasons(found))


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_missing_file_is_a_reason(name: str, tmp_path: Path, parser: ParserProcess) -> None:
    found = outcomes(name, tmp_path / "absent", parser)
    assert texts(found) == []
    assert len(found) == 1


@pytest.mark.parametrize("name", ["docx", "eml", "html", "ofd", "pdf", "text", "xlsx"])
def test_a_document_beyond_the_limit_is_a_reason(name: str, sample: dict[str, Path], parser: ParserProcess) -> None:
    found = outcomes(name, sample[name], parser, Options(max_document_bytes=8))
    assert texts(found) == []
    assert any("too-large" in reason for reason in reasons(found))


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[float, int, bytes]]:
    """Places (as shares of the length), numbers of bytes to cut there, and bytes to put in."""
    return draw(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=6))


@pytest.mark.parametrize("name", BUILT_IN)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=mutations())
def test_mutated_bytes_give_records_or_reasons(
    name: str, changes: list[tuple[float, int, bytes]], sample: dict[str, Path], folder: Path, parser: ParserProcess
) -> None:
    data = sample[name].read_bytes()
    for share, cut, put in changes:
        at = int(share * len(data))
        data = data[:at] + put + data[at + cut :]
    path = folder.parent / f"mutated{sample[name].suffix}"
    path.write_bytes(data)
    for one in outcomes(name, path, parser):
        assert isinstance(one, (Record, Unreadable))
        assert isinstance(one, Record) or ":" in one.reason
