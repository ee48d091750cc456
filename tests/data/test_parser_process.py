"""Hostile readers, made for the occasion, in the parser process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from touyan.core.errors import Broken, Missing
from touyan.data.parser_process import ParserProcess
from touyan.data.reader import GROUP, Options, Record, Unreadable

MODULE = """
import os, resource, socket, time
from touyan.core.errors import missing_extra
from touyan.data.reader import Record

class Hostile:
    extensions, isolated = (), True
    def __init__(self, act): self.act = act
    def read(self, path, options):
        yield Record("", str(self.act(path)), "0" * 64, {})

def allocate(path): return len(bytearray(8 << 30))
def recurse(path): return recurse(path)
def burn(path):
    while True: pass
def write(path): return open(str(path) + ".out", "wb", buffering=0).write(b"x")
def extra(path): raise missing_extra("antiword", "data")
def speak(words):
    for fd in range(3, 20):
        try: os.write(fd, len(words).to_bytes(4, "big") + words)
        except OSError: pass
def babble(path):
    for fd in range(3, 20):
        try: os.write(fd, b"\\x7f\\xff\\xff\\xff")
        except OSError: pass

allocates, recurses, burns = Hostile(allocate), Hostile(recurse), Hostile(burn)
dies, writes, lacks = Hostile(lambda path: os._exit(3)), Hostile(write), Hostile(extra)
limits = Hostile(lambda path: [resource.getrlimit(l)[1] for l in (resource.RLIMIT_AS, resource.RLIMIT_CPU)])
tells, babbles = Hostile(lambda path: sorted(os.environ)), Hostile(babble)
shortens, nests = Hostile(lambda path: speak(b'{"reason": "x"}')), Hostile(lambda path: speak(b"[" * 200_000))
prints, sleeps = Hostile(lambda path: print("noise")), Hostile(lambda path: time.sleep(600))
"""
NAMES = (
    "allocates",
    "babbles",
    "burns",
    "dies",
    "lacks",
    "limits",
    "nests",
    "prints",
    "recurses",
    "shortens",
    "sleeps",
    "tells",
    "writes",
)


@pytest.fixture
def parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ParserProcess]:
    """A parser process in which the hostile readers are installed."""
    site = tmp_path / "site"
    information = site / "hostile-1.dist-info"
    information.mkdir(parents=True)
    (site / "hostile.py").write_text(MODULE, encoding="utf-8")
    points = "\n".join(f"{name} = hostile:{name}" for name in NAMES)
    (information / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n", encoding="utf-8")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("TOUYAN_PSEUDONYM_KEY", "secret")
    with ParserProcess(limit_s=1, memory_bytes=1 << 30, max_document_bytes=1 << 16) as process:
        yield process


def ask(parser: ParserProcess, reader: str, path: Path) -> Record | Unreadable:
    (outcome,) = parser.read(reader, path, Options())
    return outcome


def reason(outcome: Record | Unreadable) -> str:
    assert isinstance(outcome, Unreadable)
    return outcome.reason


@pytest.mark.parametrize(
    ("reader", "expected"),
    [("allocates", "parser: MemoryError"), ("recurses", "parser: RecursionError"), ("dies", "parser-lost: ended with status 3")],
)
def test_a_file_that_harms_its_parser_costs_itself_only(
    reader: str, expected: str, parser: ParserProcess, tmp_path: Path
) -> None:
    assert reason(ask(parser, reader, tmp_path)).startswith(expected)
    assert isinstance(ask(parser, "prints", tmp_path), Record)


@pytest.mark.parametrize("reader", ["babbles", "shortens", "nests"])
def test_a_parser_that_babbles_into_its_socket_is_lost(reader: str, parser: ParserProcess, tmp_path: Path) -> None:
    assert reason(ask(parser, reader, tmp_path)).startswith("parser-lost")
    assert isinstance(ask(parser, "prints", tmp_path), Record)


@pytest.mark.slow
@pytest.mark.parametrize(("reader", "expected"), [("burns", "took more than 1 s of CPU"), ("sleeps", "no answer within 10 s")])
def test_a_parser_that_never_ends_is_ended(reader: str, expected: str, parser: ParserProcess, tmp_path: Path) -> None:
    assert expected in reason(ask(parser, reader, tmp_path))


def test_the_parser_has_no_secrets(parser: ParserProcess, tmp_path: Path) -> None:
    told = ask(parser, "tells", tmp_path)
    assert isinstance(told, Record)
    assert "TOUYAN_PSEUDONYM_KEY" not in told.text
    assert "HOME" not in told.text


def test_the_parser_cannot_write_files(parser: ParserProcess, tmp_path: Path) -> None:
    assert "OSError" in reason(ask(parser, "writes", tmp_path / "file"))
    assert not (tmp_path / "file.out").exists() or (tmp_path / "file.out").stat().st_size == 0


def test_the_limits_of_the_job_stay_in_force(parser: ParserProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python, limited = sys.executable, tmp_path / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -v 900000\nulimit -t 20\nexec {python} "$@"\n', encoding="utf-8")
    limited.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(limited))
    told = ask(parser, "limits", tmp_path)
    assert isinstance(told, Record)
    assert told.text == str([900_000 << 10, 20])


def test_a_missing_extra_is_an_error_not_a_reason(parser: ParserProcess, tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"touyan\[data\]"):
        ask(parser, "lacks", tmp_path)
    assert isinstance(ask(parser, "prints", tmp_path), Record)


def test_a_file_left_in_the_middle_does_not_answer_for_the_next(parser: ParserProcess, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "one"}\n{"text": "two"}\n', encoding="utf-8")
    left = parser.read("jsonl", rows, Options())
    next(left)
    left.close()  # type: ignore[attr-defined]
    assert isinstance(ask(parser, "tells", tmp_path), Record)


def test_a_parser_that_cannot_start_is_our_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.setattr("sys.executable", "/bin/false")
    with ParserProcess(1, 1 << 30, 1 << 16) as parser, pytest.raises(Broken, match="no-parser"):
        ask(parser, "pdf", tmp_path)


def test_no_process_is_left_behind(parser: ParserProcess, tmp_path: Path) -> None:
    ask(parser, "prints", tmp_path)
    child = parser._child
    assert child is not None
    parser.__exit__(None, None, None)
    assert child.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
