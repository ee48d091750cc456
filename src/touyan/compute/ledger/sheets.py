"""A statement as an office takes it: CSV and XLSX.

Owns columns and headings. Knows nothing of the ledger. Invariant: equal statements give equal bytes: no clock, no locale and no
version of a zip tool leaves a trace.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from touyan.compute.ledger.statement import Item, Statement, Total, VoucherMonth
from touyan.store.formats.sheets import cell_text, lay_out

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Cell: TypeAlias = str | int | Decimal
COLUMNS = (
    ("time", "时间"), ("kind", "类别"), ("role", "用或借"), ("project", "项目"), ("attempt", "任务尝试"), ("site", "站点"),
    ("party", "对方"), ("model", "加速器型号"), ("devices", "卡数"), ("cores", "核数"), ("elapsed_s", "历时（秒）"),
    ("device_s", "标准卡秒"), ("prepaid_device_s", "其中券付卡秒"), ("yuan", "金额（元）"), ("prepaid_yuan", "其中券付（元）"),
    ("kwh", "电量（千瓦时）"), ("energy", "电量来源"), ("note", "说明"), ("key", "账目"),
)  # fmt: skip
VOUCHER_COLUMNS = (
    ("voucher", "算力券"), ("purpose", "用途"), ("unit", "单位"), ("expires", "到期"), ("opening", "期初"), ("granted", "本期发放"),
    ("used", "本期使用"), ("expired", "本期过期"), ("free", "期末可用"), ("held", "期末预留"),
)  # fmt: skip
WIDTHS = (19, 9, 7, 10, 22, 12, 24, 14, 7, 7, 11, 13, 13, 12, 12, 11, 10, 40, 28)
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
EPOCH = b"1980-01-01T00:00:00Z"
"""The first moment that a zip can name."""


def csv_bytes(given: Statement) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes it for GBK; CRLF (RFC 4180). Items, then a total for each role."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow([name for name, _ in COLUMNS])
    table.writerows(_rows(given))
    return text.getvalue().encode("utf-8-sig")


def xlsx_bytes(given: Statement) -> bytes:
    """A page of items and totals, and one of vouchers; headings in both languages."""
    from openpyxl import Workbook

    book = Workbook()
    page: Worksheet = book.worksheets[0]
    page.title = given.month
    _fill(page, COLUMNS, _rows(given), WIDTHS)
    _fill(book.create_sheet("vouchers 算力券"), VOUCHER_COLUMNS, [_voucher_row(v) for v in given.vouchers], (24, *[14] * 9))
    about = book.create_sheet("about 说明")
    for line in (
        ("party 主体", cell_text(given.party)),
        ("project 项目", cell_text(given.project)),
        ("month 月份", given.month),
        ("clock 时区", f"UTC{given.offset}"),
    ):
        about.append(line)
    lay_out(about, (16, 48), "A1")
    written = io.BytesIO()
    book.save(written)
    return _timeless(written.getvalue())


def _fill(page: Worksheet, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]], widths: Sequence[float]) -> None:
    page.append([f"{name} {chinese}" for name, chinese in columns])
    for row in rows:
        page.append(list(row))
    lay_out(page, widths)


def _rows(given: Statement) -> list[list[Cell]]:
    return [_item_row(item) for item in given.items] + [_total_row(total) for total in given.totals]


def _item_row(item: Item) -> list[Cell]:
    named = (item.at, item.kind, item.role, item.project, item.attempt, item.site, item.other, item.model)
    return [
        *map(cell_text, named), item.devices, item.cores, _scaled(item.elapsed_ms, 3), *_amounts(item),
        *map(cell_text, (item.energy, item.note, item.key)),
    ]  # fmt: skip


def _total_row(total: Total) -> list[Cell]:
    return [
        "",
        "total",
        total.role,
        "",
        f"{total.items}",
        "",
        "",
        "",
        "",
        "",
        _scaled(total.elapsed_ms, 3),
        *_amounts(total),
        "",
        "",
        "",
    ]


def _amounts(given: Item | Total) -> list[Cell]:
    return [
        _scaled(given.device_ms, 3), _scaled(given.prepaid_ms, 3), _scaled(given.fen, 2), _scaled(given.prepaid_fen, 2),
        _scaled(given.wh, 3),
    ]  # fmt: skip


def _voucher_row(given: VoucherMonth) -> list[Cell]:
    digits, unit = (2, "yuan 元") if given.unit == "fen" else (3, "device_s 标准卡秒")
    amounts = (given.opening, given.granted, given.used, given.expired, given.free, given.held)
    return [*map(cell_text, (given.id, given.purpose)), unit, given.expires_at, *(_scaled(n, digits) for n in amounts)]


def _scaled(amount: int, digits: int) -> Decimal:
    """`_scaled(1234, 2) == Decimal("12.34")`, exactly."""
    return Decimal(amount).scaleb(-digits)


def _timeless(book: bytes) -> bytes:
    """The same workbook without the moments at which it was written."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            data = _MODIFIED.sub(rb"\g<1>" + EPOCH, data) if name == "docProps/core.xml" else data
            new.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # a ZipInfo of its own is dated 1980-01-01
    return written.getvalue()
