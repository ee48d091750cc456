from __future__ import annotations

from pathlib import Path

import pytest
from reading import TEXT, docx, reasons, xlsx

from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file

FAKE = '#!/bin/sh\nwhile [ "$1" != --outdir ]; do shift; done\nmkdir -p "$2"\ncp "$3" "$2"/in.{kind}\n'


def outcomes(path: Path) -> list[Record | Unreadable]:
    return list(read_file(named_reader("legacy"), path, Options()))


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A converter that is a script."""
    (folder / "bin").mkdir()
    (folder / "bin/soffice").write_text(script, encoding="utf-8")
    (folder / "bin/soffice").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("name", "data", "kind"), [("a.doc", docx(), "docx"), ("a.wps", docx(), "docx"), ("a.xls", xlsx(), "xlsx")]
)
def test_what_the_converter_gives_is_read(
    name: str, data: bytes, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, FAKE.format(kind=kind), monkeypatch)
    (tmp_path / name).write_bytes(data)
    (found,) = outcomes(tmp_path / name)
    assert isinstance(found, Record)
    assert TEXT in found.text


def test_without_a_converter_the_file_is_listed_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.doc").write_bytes(b"x")
    assert reasons(outcomes(tmp_path / "a.doc")) == ["no-converter: install LibreOffice (soffice), or save it as DOCX or XLSX"]


def test_a_converter_that_gives_nothing_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "#!/bin/sh\nexit 1\n", monkeypatch)
    (tmp_path / "a.doc").write_bytes(b"x")
    assert reasons(outcomes(tmp_path / "a.doc")) == ["not-converted: the converter gave nothing"]
