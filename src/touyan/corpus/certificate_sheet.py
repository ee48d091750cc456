"""The certificate as a workbook, with the sample that people judge: it goes out, is filled in, and its answers come back.

Owns the pages and the answers. Knows nothing about how a machine judged. Invariant: a page comes back judged whole or not at all;
one that nobody touched leaves the machine's figures as they are; a sheet of another sample is refused.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.core.errors import Invalid, missing_extra
from touyan.corpus.certificate import Certificate, Dimension, residual, share
from touyan.corpus.certificate_sample import Drawn
from touyan.corpus.personal.residual import Frame, Passage, estimate, passages
from touyan.corpus.personal.residual import sample as draw_passages
from touyan.corpus.personal.residual_sheet import read_sheet, write_sheet
from touyan.store.formats.sheets import cell_text, lay_out, xml_text

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

WORKBOOK = "certificate.xlsx"
DOCUMENTS, PASSAGES_EACH = 100, 60
"""Read by people: so many documents, and so many passages of each stratum. An afternoon for one person."""
CUT_DOCUMENTS = 300
"""So many of the sample are cut into passages: enough to know the sizes of the strata, a third of a second of CPU."""
END_CHARS = 1_500
"""Of a longer document the first and the last so many code points are shown: damage and lines of pages stand there if anywhere."""
RESULTS, JUDGED = "证书 Certificate", "文档判读 Documents"
HEAD = ("序号 No.", "编码 Code", "文本 Text", "乱码 Damage", "版面文字 Page lines", "中文 Chinese")
QUESTIONS: Mapping[str, tuple[str, str]] = {
    "encoding-damage": ("有", "无"),
    "page-lines": ("有", "无"),
    "mainly-han": ("是", "否"),
}
"""Of each answer column, in order: the dimension, the answer that counts and the other one."""
GUIDE = (
    f"“{JUDGED}”页：逐篇看，后三列各选一项；一列要么全填，要么全空。长文只显示开头和结尾各 {END_CHARS} 字。",
    f"Page {JUDGED!r}: look at each text and choose one answer in each of the last three columns; a column is filled in whole or not "
    f"at all. Of a long text the first and the last {END_CHARS} characters are shown.",
    "版面文字：导航、分享、责任编辑、版权、备案、相关阅读等不属于正文的行。 Page lines: what belongs to the page and not to its text.",
)
_RESULT_HEAD = (
    "指标 Indicator",
    "维度 Dimension",
    "测得 Measured",
    "下限 Low",
    "上限 High",
    "样本 n",
    "判定 Judged",
    "方法 Method",
)
_JUDGES = {"counted": "计数 counted", "machine": "机器 machine", "human": "人工 people"}


def write_book(target: Path, certificate: Certificate, sample: Sequence[Drawn]) -> None:
    """Writes the certificate and the pages to be judged. Raises Missing without openpyxl."""
    write_sheet(target, _passages(certificate, sample)[0])
    book = _opened(target)
    page = book.create_sheet(JUDGED, 1)
    shown = ((i, each.doc_id[:16], _shown(each.text)) for i, each in enumerate(_some(certificate, sample, DOCUMENTS), 1))
    _fill(page, HEAD, shown, (8, 20, 100, 12, 16, 14))
    _ask(page)
    for line in GUIDE:
        book.worksheets[-1].append((line,))
    _save(book, target, certificate)


def rewrite_book(judged: Path, target: Path, certificate: Certificate) -> None:
    """Writes the workbook that came back, its answers as they are, with the certificate that they made."""
    book = _opened(judged)
    if RESULTS in book.sheetnames:
        book.remove(book[RESULTS])
    _save(book, target, certificate)


def read_book(judged: Path, certificate: Certificate, sample: Sequence[Drawn]) -> Certificate:
    """The certificate with the figures of the people who filled in `judged`.

    Raises Invalid, with the row, where a page is filled in by half, an answer is none, or the sample is another one.
    """
    book = _opened(judged)
    if JUDGED not in book.sheetnames:
        raise Invalid("not-a-certificate", f"{judged} has no page {JUDGED!r}", "fill in certificate.xlsx and give it back")
    found = [*_residual(judged, book, certificate, sample), *_answers(judged.name, book[JUDGED], certificate, sample)]
    if not found:
        raise Invalid("nothing-judged", f"{judged} has no answer", "fill in one of its pages, then run this again")
    return certificate.judged(found, hashlib.sha256(judged.read_bytes()).hexdigest())


def _passages(certificate: Certificate, sample: Sequence[Drawn]) -> tuple[list[Passage], Frame]:
    """What is read for personal information, and the frame: that of some sampled documents, scaled to the corpus.

    Double sampling for stratification: Cochran (1977), chapter 12; the strata's sizes are those of a large first sample.
    """
    cut = _some(certificate, sample, CUT_DOCUMENTS)
    texts = ((each.doc_id, xml_text(each.text)) for each in cut)
    drawn, frame = draw_passages(passages(texts), PASSAGES_EACH, certificate.drawing.seed)
    times = certificate.documents / len(cut)
    return drawn, Frame({name: round(n * times) for name, n in frame.passages.items()}, round(frame.characters * times))


def _some(certificate: Certificate, sample: Sequence[Drawn], n: int) -> list[Drawn]:
    """A simple random sample of the sample."""

    def order(each: Drawn) -> str:
        return hashlib.sha256(f"{certificate.drawing.seed}:{each.doc_id}".encode()).hexdigest()

    return nsmallest(n, sample, key=order)


def _shown(text: str) -> str:
    cut = text if len(text) <= 2 * END_CHARS else f"{text[:END_CHARS]}\n……\n{text[-END_CHARS:]}"
    return cell_text(cut)


def _residual(judged: Path, book: Workbook, certificate: Certificate, sample: Sequence[Drawn]) -> Iterator[Dimension]:
    drawn, frame = _passages(certificate, sample)
    if any(row[4] for row in book.worksheets[0].iter_rows(min_row=2, max_col=5, values_only=True)):
        yield residual(estimate(read_sheet(judged, drawn), frame))


def _answers(name: str, page: Worksheet, certificate: Certificate, sample: Sequence[Drawn]) -> Iterator[Dimension]:
    rows = [row for row in page.iter_rows(min_row=2, max_col=len(HEAD), values_only=True) if row[1]]
    codes = [each.doc_id[:16] for each in _some(certificate, sample, DOCUMENTS)]
    if sorted(str(row[1]) for row in rows) != sorted(codes):
        raise Invalid(
            "another-sample", f"{name}: its documents are not those of this sample", "send back the sheet of this corpus"
        )
    for column, (key, (counts, other)) in enumerate(QUESTIONS.items(), 3):
        given = [str(row[column] or "").strip() for row in rows]
        if not any(given):
            continue
        for number, answer in enumerate(given, 2):
            if answer not in (counts, other):
                place = f"{name}, page {JUDGED}, row {number}"
                raise Invalid("no-such-answer", f"{place}: {answer or 'nothing'!r} under {HEAD[column]}", f"{counts} or {other}")
        yield share(key, given.count(counts), len(given), certificate.documents, "human")


def _save(book: Workbook, target: Path, certificate: Certificate) -> None:
    page = book.create_sheet(RESULTS)
    _fill(page, _RESULT_HEAD, _result_rows(certificate), (14, 44, 16, 12, 12, 10, 14, 70))
    book.active = page
    for each in book.worksheets:
        each.sheet_view.tabSelected = each is page
    draft = target.with_name(f".{target.name}")
    book.save(draft)
    draft.replace(target)


def _result_rows(certificate: Certificate) -> Iterator[tuple[Any, ...]]:
    said = certificate.json()
    for row in said["dimensions"]:
        names, methods = f"{row['name_zh']}\n{row['name']}", f"{row['method_zh']}\n{row['method']}"
        yield (
            row["indicator"], names, row["value"], row["low"], row["high"], row["n"], _JUDGES[row["judge"]], methods,
        )  # fmt: skip
    for row in said["standard"]["indicators"]:
        missing = f"{row['not_measured_zh']}\n{row['not_measured']}"
        yield row["name_zh"], row["name"], "未测 not measured", None, None, None, None, missing


def _fill(page: Worksheet, head: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[int]) -> None:
    page.append(head)
    for row in rows:
        page.append(row)
    lay_out(page, widths)


def _ask(page: Worksheet) -> None:
    """A list of answers on each column of them."""
    from openpyxl.worksheet.datavalidation import DataValidation

    for letter, answers in zip("DEF", QUESTIONS.values(), strict=True):
        choice = DataValidation(type="list", formula1=f'"{",".join(answers)}"', allow_blank=True)
        choice.add(f"{letter}2:{letter}{page.max_row}")
        page.add_data_validation(choice)


def _opened(path: Path) -> Workbook:
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise missing_extra("openpyxl", "office") from error
    try:
        return openpyxl.load_workbook(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, openpyxl.utils.exceptions.InvalidFileException) as error:
        raise Invalid("not-a-workbook", f"{path} cannot be read as XLSX: {error}", "give certificate.xlsx, filled in") from error
