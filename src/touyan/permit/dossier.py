"""The dossier: what a review is about, as the files that offices work with: DOCX of the whole, XLSX of the checks.

Chinese first, English beside it. Owns the layout only; the content is the `ReviewSheet`. Invariant: it says what was not measured
as plainly as what was, and calls nothing anonymised that was masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.core.canonical import short
from touyan.core.errors import missing_extra
from touyan.core.party import Actor
from touyan.permit import words as w
from touyan.permit.review import ReviewSheet, show
from touyan.store.formats.sheets import cell_text, lay_out, xml_text
from touyan.store.home import Store

if TYPE_CHECKING:
    from docx.document import Document

FONT, CHINESE_FONT = "Calibri", "宋体"
COLUMNS = (
    "规则 Rule", "条款 Clause", "要求 Requirement", "阈值 Threshold", "测得值 Value", "95% 区间 Interval", "样本 n",
    "结论 Outcome", "作用 Effect", "依据可信度 Source", "说明 Evidence",
)  # fmt: skip

Row = Sequence[str]


def write_docx(store: Store, actor: Actor, review: str, target: Path) -> Path:
    """Writes the dossier of a review to `target`. Raises Missing (no review, no python-docx), Refused."""
    try:
        import docx
    except ModuleNotFoundError as error:
        raise missing_extra("python-docx", "office") from error
    sheet = show(store, actor, review)
    document = docx.Document()
    _set_fonts(document)
    request = sheet.review.request
    document.add_heading("模型评审卷宗", 0)
    document.add_paragraph(f"{request.note or '大模型'} · Review dossier")
    for title, rows in sections(sheet):
        document.add_heading(title, 1)
        _table(document, [[xml_text(c) for c in row] for row in rows])
    document.add_paragraph(
        "本卷宗由系统依据已签名的记录生成, 不代替主管部门的备案或许可。未能测量的项目如实列出。"
        "This dossier follows signed records. It is nobody's licence or filing, and it lists what could not be measured."
    )
    document.save(str(target))
    return target


def write_xlsx(store: Store, actor: Actor, review: str, target: Path) -> Path:
    """Writes the checks of a review, one rule a row, to `target`. Raises Missing (no review, no openpyxl), Refused."""
    try:
        from openpyxl import Workbook
    except ModuleNotFoundError as error:
        raise missing_extra("openpyxl", "office") from error
    book = Workbook()
    page = book.active
    assert page is not None, "a new workbook has a page"
    page.title = "检查 Checks"
    for row in check_rows(show(store, actor, review).case.checks):
        page.append([cell_text(cell) for cell in row])
    lay_out(page, (22, 24, 52, 12, 12, 18, 8, 14, 14, 14, 48), "B2")
    book.save(target)
    return target


def sections(sheet: ReviewSheet) -> Iterator[tuple[str, list[Row]]]:
    """Heading and table of each part, the first row of a table its head."""
    yield "一、事项 Subject", list(_subject_rows(sheet))
    yield "二、数据来源与权利 Sources and rights", list(_source_rows(sheet))
    yield "三、规则检查 Checks", [[row[i] for i in (0, 2, 3, 4, 5, 7)] for row in check_rows(sheet.case.checks)]
    yield "四、评测结果 Evaluation", list(_metric_rows(sheet))
    yield "五、评审意见 Votes", list(_vote_rows(sheet))


def _subject_rows(sheet: ReviewSheet) -> Iterator[Row]:
    review, request, pack = sheet.review, sheet.review.request, sheet.case.pack
    yield "项目 Item", "内容 Content"
    yield "评审编号 Review", review.id
    yield "类别 Kind", w.bilingual(w.KIND, request.kind)
    yield "状态 State", w.bilingual(w.STATE, review.state)
    yield "申请人 Submitted by", f"{request.submitter}  {request.at}"
    yield "模型 Model", request.subject.model or "无 none"
    yield "语料 Corpus", request.subject.corpus or "无 none"
    yield "规则包 Rule pack", f"{pack.title.zh} {pack.title.en} ({pack.id} {pack.version})" if pack else "无 none"
    yield "须评审角色 Review roles", "、".join(request.roles) or "不限 any"
    yield "同意人数 Quorum", str(request.quorum)
    if sheet.case.blocking:
        yield "阻断发布的规则 Blocking", "、".join(sheet.case.blocking)


def _source_rows(sheet: ReviewSheet) -> Iterator[Row]:
    yield "来源 Source", "权利依据 Authority", "个人信息 Personal", "密级 Security", "义务 Duties", "证据 Evidence"
    for source in sheet.sources:
        rights = source.rights
        if rights is None:
            yield source.who, "无权利记录 no rights record", "", "", "", ""
            continue
        proof = " ".join(p for p in (rights.licence, rights.article, *rights.evidence) if p)
        yield (
            source.who, w.bilingual(w.AUTHORITY, rights.authority), w.bilingual(w.PERSONAL_STATE, rights.personal_state),
            w.bilingual(w.SECURITY, rights.security), "、".join(rights.duties), proof,
        )  # fmt: skip
    for block in sheet.blocks:
        yield block.who, f"阻断 blocks: {block.reason}", "", "", "", ""


def check_rows(checks: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The head and a row for each check, in the order of COLUMNS."""
    yield COLUMNS
    for c in checks:
        interval = "" if c["low"] is None or c["low"] == c["high"] else f"{c['low']:.4g}-{c['high']:.4g}"
        evidence = "; ".join(f"{k}: {v}" for k, v in sorted(c["evidence"].items()) if v not in ([], {}))
        value = "" if c["value"] is None else f"{c['value']:.4g}"
        yield (
            c["id"], c["clause"], f"{c['text']['zh']}\n{c['text']['en']}", c["threshold"], value, interval,
             str(c["n"]), w.bilingual(w.OUTCOME, c["outcome"]), w.bilingual(w.BLOCKS, c["blocks"]),
            w.bilingual(w.CONFIDENCE, c["confidence"]), evidence[:1000],
        )  # fmt: skip


def _metric_rows(sheet: ReviewSheet) -> Iterator[Row]:
    yield "任务 Task", "指标 Metric", "模型 Model", "值 Value", "区间 Interval", "n"
    for m in sheet.case.metrics:
        interval = f"{m['low']:.4g}-{m['high']:.4g}" if m.get("low") is not None and m.get("high") is not None else ""
        yield m["task"], f"{m['metric']} ({m['unit']})", m["model"], f"{m['value']:.4g}", interval, str(m["n"])
    for task, winner in sorted(sheet.case.winners.items()):
        yield task, "结论 Result", winner["model"], winner["statement"], "", ""


def _vote_rows(sheet: ReviewSheet) -> Iterator[Row]:
    yield "评审人 Reviewer", "角色 Role", "意见 Decision", "说明 Comment", "时间 Time", "密钥 Key"
    for cast in sheet.review.votes:
        vote, key = cast.vote, cast.envelope.signatures[0].key_id
        yield vote.party, vote.role, w.bilingual(w.DECISION, vote.decision), vote.comment, vote.at, short(key.partition(":")[2])
    for role in sheet.review.open_roles:
        yield "(待定 open)", role, "", "", "", ""


def _set_fonts(document: Document) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt

    style: Any = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(10)
    for name in ("Normal", "Title", "Heading 1"):
        properties: Any = document.styles[name].element.get_or_add_rPr()
        properties.get_or_add_rFonts().set(qn("w:eastAsia"), CHINESE_FONT)


def _table(document: Document, rows: Sequence[Row]) -> None:
    from docx.shared import Pt

    table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    for number, row in enumerate(rows):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            run = cell.paragraphs[0].add_run(text)
            run.font.size, run.bold = Pt(8.5), number == 0
