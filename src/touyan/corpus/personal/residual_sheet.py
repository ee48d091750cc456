"""The sample of a residual estimate as a workbook: it goes out to the judges and comes back with what they found.

Owns the columns of the sheet. Knows nothing about intervals. Invariant: a sheet that comes back is judged whole or not at all:
every passage of the sample has an answer, and its text is the one that went out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from touyan.core.errors import Invalid, missing_extra
from touyan.core.names import nearest
from touyan.corpus.personal.identifier import NOBODYS
from touyan.corpus.personal.policy import REPLACEMENTS
from touyan.corpus.personal.residual import Judgement, Passage
from touyan.corpus.personal.suspects import suspects
from touyan.store.formats.sheets import cell_text, lay_out

HEAD = ("序号 No.", "编码 Code", "文本 Passage", "疑点 Suspicions", "仍有的标识符 Identifiers left")
WIDTHS = (8, 20, 90, 24, 40)
NOTHING = "无"
GUIDE = (
    "请逐段通读，在最后一列写出仍能识别个人的内容种类；没有则写“无”。同一种有几处就写几次，用顿号隔开，例如：手机号、手机号、姓名。",
    "Read each passage and write in the last column the kinds of identifiers of persons that are still in it, one for each "
    f"occurrence, or {NOTHING} where there is none.",
    "可用的种类 Kinds: " + "、".join(label[1:-1] for kind, label in REPLACEMENTS.items() if kind not in NOBODYS),
)
_KINDS = {label[1:-1]: kind for kind, label in REPLACEMENTS.items()}


def write_sheet(target: Path, sample: Sequence[Passage]) -> Path:
    """Writes the sample to `target`, one passage a row, with the guide on a page of its own. Raises Missing without openpyxl."""
    try:
        from openpyxl import Workbook
    except ModuleNotFoundError as error:
        raise missing_extra("openpyxl", "office") from error
    book = Workbook()
    page = book.active
    assert page is not None, "a new workbook has a page"
    page.title = "判读 Judgement"
    page.append(HEAD)
    for number, passage in enumerate(sample, 1):
        page.append((number, passage.digest, cell_text(passage.text), "、".join(suspects(passage.text)), None))
    lay_out(page, WIDTHS)
    guide = book.create_sheet("说明 Guide")
    for line in GUIDE:
        guide.append((line,))
    book.save(target)
    return target


def read_sheet(source: Path, sample: Sequence[Passage]) -> list[Judgement]:
    """The judgements of a sheet that came back, in the order of the sample.

    Raises Invalid, with the row, for a passage without an answer or with a kind that does not exist, and for another sample's sheet.
    """
    answers = dict(_answers(source))
    lacking = [number for number, passage in enumerate(sample, 1) if passage.digest not in answers]
    if lacking:
        hint = "send back the sheet of this sample, with all its rows"
        raise Invalid(
            "passage-not-in-sheet", f"{source.name} has no row for passage {lacking[0]} and {len(lacking) - 1} others", hint
        )
    return [Judgement(passage.stratum, answers[passage.digest]) for passage in sample]


def _answers(source: Path) -> Iterator[tuple[str, dict[str, int]]]:
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise missing_extra("openpyxl", "office") from error
    book = openpyxl.load_workbook(source, read_only=True, data_only=True)
    try:
        for number, row in enumerate(book.worksheets[0].iter_rows(min_row=2, max_col=len(HEAD), values_only=True), 2):
            if row[1]:
                yield str(row[1]), _left(row[4], f"{source.name} row {number}")
    finally:
        book.close()


def _left(answer: Any, place: str) -> dict[str, int]:
    words = str(answer or "").replace(",", "、").replace("，", "、").split("、")
    named = [word.strip() for word in words if word.strip()]
    if not named:
        raise Invalid("passage-not-judged", f"{place} has no answer", f"write the kinds that are left, or {NOTHING}")
    left: dict[str, int] = {}
    for word in named:
        if word == NOTHING:
            continue
        if word not in _KINDS:
            raise Invalid("no-such-kind", f"{place} names {word!r}", nearest(word, list(_KINDS)))
        left[_KINDS[word]] = left.get(_KINDS[word], 0) + 1
    return left
