from __future__ import annotations

from pathlib import Path

from reading import ofd, package, reasons

from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file


def outcomes(path: Path, data: bytes) -> list[Record | Unreadable]:
    path.write_bytes(data)
    return list(read_file(named_reader("ofd"), path, Options(max_document_bytes=1 << 20)))


def test_text_objects_become_lines_from_top_to_bottom_and_left_to_right(tmp_path: Path) -> None:
    (found,) = outcomes(tmp_path / "a.ofd", ofd((60, 30.2, "二"), (20, 40, "三"), (20, 30, "一"), (20, 10, "题")))
    assert isinstance(found, Record)
    assert found.text == "题\n一二\n三"
    assert found.values == {"title": "题", "pages": "1"}


def test_a_package_without_text_is_named_as_a_scan(tmp_path: Path) -> None:
    assert reasons(outcomes(tmp_path / "a.ofd", ofd((1, 1, " "))))[0].startswith("no-text-layer: 1 pages")


def test_entities_bombs_and_pages_that_are_elsewhere_are_reasons(tmp_path: Path) -> None:
    entities = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'
    away = b"<a><DocRoot>../../etc/passwd</DocRoot></a>"
    for data, slug in ((entities, "xml-entities"), (b" " * (6 << 20), "zip-bomb"), (away, "bad-package")):
        assert reasons(outcomes(tmp_path / "a.ofd", package({"OFD.xml": data})))[0].startswith(slug)
