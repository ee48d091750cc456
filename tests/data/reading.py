"""What the tests of reading share: a Work without a store, and small valid files of every format.

Knows nothing of pytest. Invariant: the files are the same bytes on every run, so that a fuzzer's examples can be replayed.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from touyan.data.read import ReadParams, run
from touyan.data.reader import Record, Unreadable
from touyan.flow.step import InputAsset
from touyan.store.formats.documents import DocumentRow, read_documents

TEXT = "为了保护专利权人的合法权益，鼓励发明创造。"
SOURCE_ID = "5" * 64
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass
class FakeWork:
    """The folder of an Attempt, without a store, an agent or a clock."""

    params: ReadParams
    source: Path
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)
    threads: int = 1

    def __post_init__(self) -> None:
        self.out = self.folder / "out"
        self.scratch = self.folder / "scratch"
        self.out.mkdir(parents=True)
        self.scratch.mkdir()

    def one(self, role: str) -> InputAsset:
        return InputAsset(SOURCE_ID, role, "test/source", self.source)

    def progress(self, done: float, total: float | None, unit: str) -> None:
        pass

    def count(self, name: str, n: int) -> None:
        self.counts[name] += n

    def documents(self) -> list[DocumentRow]:
        return list(read_documents(self.out))

    def files(self) -> dict[str, bytes]:
        """Everything that would be published."""
        return {str(p.relative_to(self.out)): p.read_bytes() for p in sorted(self.out.rglob("*")) if p.is_file()}


def read(source: Path, folder: Path, **params: Any) -> FakeWork:
    """Runs the step on `source`."""
    work = FakeWork(ReadParams(**{"source": "notes", "provider": "acme", "rights": "0" * 64} | params), source, folder)
    run(work)  # type: ignore[arg-type]
    return work


def texts(outcomes: list[Record | Unreadable]) -> list[str]:
    return [outcome.text for outcome in outcomes if isinstance(outcome, Record)]


def reasons(outcomes: list[Record | Unreadable]) -> list[str]:
    return [outcome.reason for outcome in outcomes if isinstance(outcome, Unreadable)]


def package(members: dict[str, bytes]) -> bytes:
    """A zip archive whose bytes do not depend on the clock."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def docx(body: str = f"<w:p><w:r><w:t>{TEXT}</w:t></w:r></w:p>", title: str = "") -> bytes:
    members = {"word/document.xml": f"<w:document {_W} {_MC}><w:body>{body}</w:body></w:document>".encode()}
    if title:
        dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
        members["docProps/core.xml"] = f"<cp xmlns='urn:cp' {dc}><dc:title>{title}</dc:title></cp>".encode()
    return package(members)


_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _relationship(name: str, kind: str, target: str) -> bytes:
    relationship = f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    return f"<Relationships {_RELATIONS}>{relationship}</Relationships>".encode()


def xlsx(rows: list[list[str]] | None = None, sheet: str = "一") -> bytes:
    """A workbook of one sheet with inline strings."""
    table = rows or [["text", "no"], [TEXT, "1"]]
    cells = "".join("<row>" + "".join(f'<c t="inlineStr"><is><t>{c}</t></is></c>' for c in row) + "</row>" for row in table)
    sheets = f'<sheets><sheet name="{sheet}" sheetId="1" r:id="b"/></sheets>'
    return package(
        {
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                f'<Override PartName="/xl/workbook.xml" ContentType="{_MAIN}.sheet.main+xml"/>'
                f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_MAIN}.worksheet+xml"/></Types>'
            ).encode(),
            "_rels/.rels": _relationship("a", "officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": f"<workbook {_S} {_R}>{sheets}</workbook>".encode(),
            "xl/_rels/workbook.xml.rels": _relationship("b", "worksheet", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml": f"<worksheet {_S}><sheetData>{cells}</sheetData></worksheet>".encode(),
        }
    )


def ofd(*stretches: tuple[float, float, str]) -> bytes:
    """An OFD package of one page; stretches are (left, top, text), in millimetres."""
    o = 'xmlns:ofd="http://www.ofdspec.org/2016"'
    objects = "".join(
        f'<ofd:TextObject Boundary="{x} {y} 100 5"><ofd:TextCode X="0" Y="4">{text}</ofd:TextCode></ofd:TextObject>'
        for x, y, text in stretches or ((20, 20, TEXT),)
    )
    page = '<ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages>'
    body = "<ofd:DocInfo><ofd:Title>题</ofd:Title></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>"
    return package(
        {
            "OFD.xml": f"<ofd:OFD {o}><ofd:DocBody>{body}</ofd:DocBody></ofd:OFD>".encode(),
            "Doc_0/Document.xml": f"<ofd:Document {o}>{page}</ofd:Document>".encode(),
            "Doc_0/Pages/Page_0/Content.xml": f"<ofd:Page {o}><ofd:Content>{objects}</ofd:Content></ofd:Page>".encode(),
        }
    )


def pdf(*pages: str) -> bytes:
    """A PDF with a Helvetica line on each page; ASCII text."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for i, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET" if text else ""
        resources = "/Resources<</Font<</F1 3 0 R>>>>/MediaBox[0 0 600 800]"
        objects.append(f"<</Type/Page/Parent 2 0 R{resources}/Contents {5 + 2 * i} 0 R>>")
        objects.append(f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream")
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n"
    return (body + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}").encode("latin-1")


def parquet(**columns: list[Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table(columns or {"text": [TEXT], "no": [1]}), sink)
    return sink.getvalue()


def sqlite(path: Path, *statements: str) -> Path:
    """Makes a database of `statements`; by default one table with one text."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as database:
        for statement in statements or (
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)",
            f"INSERT INTO notes VALUES (7, '{TEXT}')",
        ):
            database.execute(statement)
        database.commit()
    return path


def warc_record(kind: str, url: str, block: bytes, media: str = "application/http; msgtype=response") -> bytes:
    """A record of a WARC file (ISO 28500)."""
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-01-02T03:04:05Z\r\n"
    return f"{head}Content-Type: {media}\r\nContent-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


def answer(body: bytes, media: str = "text/html", status: str = "200 OK", more: str = "") -> bytes:
    """What a web server sends."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def letter(*attachments: tuple[str, bytes], body: str = TEXT, subject: str = "题") -> bytes:
    """A letter in Chinese, with files."""
    message = EmailMessage()
    message["From"], message["Date"], message["Subject"] = "甲 <a@example.cn>", "Tue, 5 Mar 2024 10:00:00 +0800", subject
    message.set_content(body)
    for name, data in attachments:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    if attachments:
        message.set_boundary("b")
    return message.as_bytes()


def samples(folder: Path) -> dict[str, Path]:
    """A small valid file for every built-in reader, by the reader's name."""
    files = {
        "csv": ("a.csv", f"text,no\n{TEXT},1\n".encode()),
        "docx": ("a.docx", docx()),
        "eml": ("a.eml", letter(("附件.docx", docx()))),
        "html": ("a.html", f"<html><title>t</title><body><p>{TEXT}</p></body></html>".encode()),
        "jsonl": ("a.jsonl", f'{{"text": "{TEXT}", "no": 1}}\n'.encode()),
        "ofd": ("a.ofd", ofd()),
        "parquet": ("a.parquet", parquet()),
        "pdf": ("a.pdf", pdf("Hello world", "second page")),
        "text": ("a.txt", TEXT.encode()),
        "warc": ("a.warc", warc_record("response", "http://a.cn/1", answer(f"<p>{TEXT}</p>".encode()))),
        "xlsx": ("a.xlsx", xlsx()),
    }
    for name, data in files.values():
        (folder / name).write_bytes(data)
    return {reader: folder / name for reader, (name, _) in files.items()} | {"sqlite": sqlite(folder / "a.db")}
