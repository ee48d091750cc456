from __future__ import annotations

import io
from pathlib import Path

import pytest
from reading import pdf, reasons, texts

from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file
from touyan.data.readers.recognition import Line, paragraphs

INSTALL = "text recognition needs: pip install 'touyan[ocr]'"


def outcomes(path: Path, data: bytes) -> list[Record | Unreadable]:
    path.write_bytes(data)
    return list(read_file(named_reader("pdf" if path.suffix == ".pdf" else "image"), path, Options()))


def picture(text: str, kind: str) -> bytes:
    pytest.importorskip("rapidocr_onnxruntime", reason=INSTALL)
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (640, 160), "white")
    if text:
        ImageDraw.Draw(image).text((40, 50), text, font=ImageFont.load_default(40), fill="black")
    sink = io.BytesIO()
    image.save(sink, kind)
    return sink.getvalue()


def line(text: str, left: float, right: float, row: int) -> Line:
    return Line(text, left, right, 30 * row, 30 * row + 20)


def test_a_line_that_reaches_the_margin_goes_on_and_an_indented_one_begins() -> None:
    lines = [
        line("标题", 200, 300, 0),
        line("甲一", 40, 500, 1),
        line("甲二", 0, 500, 2),
        line("甲三", 0, 90, 3),
        line("乙", 40, 500, 4),
    ]
    assert paragraphs(lines) == "标题\n甲一甲二甲三\n乙"


def test_what_stands_on_one_height_is_one_line_from_left_to_right() -> None:
    assert paragraphs([line("二", 300, 320, 1), line("一", 0, 20, 1), line("三", 0, 20, 2)]) == "一\t二\n三"


def test_no_lines_are_no_text() -> None:
    assert paragraphs([]) == ""


@pytest.mark.parametrize("name", ["a.png", "a.pdf"])
def test_a_scan_is_listed_with_the_command_where_recognition_is_not_installed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reader in ("pdf", "image"):
        monkeypatch.setattr(f"touyan.data.readers.{reader}.is_installed", lambda: False)
    assert "pip install 'touyan[ocr]'" in reasons(outcomes(tmp_path / name, pdf("")))[0]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_a_blank_or_cut_picture_is_a_reason(kind: str, tmp_path: Path) -> None:
    data = picture("", kind)
    assert reasons(outcomes(tmp_path / "a.png", data)) == ["no-text: no text was recognised in the picture"]
    for share in (0.0, 0.3, 0.9):
        assert reasons(outcomes(tmp_path / "a.png", data[: int(share * len(data))]))


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    data = bytearray(picture("", "BMP"))
    data[18:26] = (100_000).to_bytes(4, "little") * 2
    assert reasons(outcomes(tmp_path / "a.bmp", bytes(data)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PNG", "PDF"])
def test_a_scan_is_read_and_its_pages_are_the_evidence(kind: str, tmp_path: Path) -> None:
    (found,) = outcomes(tmp_path / f"a.{kind.lower()}", picture("Hello 2024", kind))
    assert texts([found]) == ["Hello 2024"]
    assert isinstance(found, Record)
    assert found.values["scanned"] == f"sha256:{found.raw_sha256}#page=1"
