"""Statements: the month of a clock, both sides of an Attempt, and files an office can open."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC

import openpyxl
import pytest

from touyan.compute.ledger.book import reverse
from touyan.compute.ledger.charge import Terms, Usage
from touyan.compute.ledger.settle import settle
from touyan.compute.ledger.sheets import COLUMNS, csv_bytes, xlsx_bytes
from touyan.compute.ledger.statement import Statement, bounds, month_of, overview, statement
from touyan.compute.ledger.vouchers import Ask, Voucher, grant, hold
from touyan.core.errors import Invalid
from touyan.core.seam import FixedSeam
from touyan.store.home import Store

HOUR_MS = 3_600_000
TERMS = Terms(6_500_000)
LAST_EVENING = "2026-10-31T15:59:59.000Z"
NEW_MONTH = "2026-10-31T16:00:00.000Z"
"""Midnight in China."""


def use(store: Store, attempt: str, at: str, party: str = "ann", owner: str = "acme") -> None:
    used = Usage(attempt, 1, "hpc", owner, HOUR_MS, HOUR_MS, "a800-80g", 2)
    with store.database.write() as connection:
        assert settle(connection, at, "default", party, used, TERMS)


def made(store: Store, party: str = "ann", month: str = "2026-11", offset: str = "+08:00") -> Statement:
    with store.database.read() as connection:
        return statement(connection, "default", party, month, offset)


def test_a_month_begins_at_midnight_of_the_statements_clock(sqlite_store: Store) -> None:
    use(sqlite_store, "a-1", LAST_EVENING)
    use(sqlite_store, "a-2", NEW_MONTH)
    assert [i.attempt for i in made(sqlite_store).items] == ["a-2"]
    assert [i.attempt for i in made(sqlite_store, month="2026-10").items] == ["a-1"]
    assert [i.attempt for i in made(sqlite_store, month="2026-10", offset="+00:00").items] == ["a-1", "a-2"]
    assert made(sqlite_store).items[0].at == "2026-11-01 00:00:00"


def test_a_december_ends_with_its_year() -> None:
    assert bounds("2026-12", UTC) == ("2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")  # type: ignore[arg-type]
    assert month_of(0, "-01:00") == "1969-12"


@pytest.mark.parametrize(
    ("month", "offset"), [("2026-13", "+08:00"), ("11.2026", "+08:00"), ("2026-11", "8"), ("2026-11", "+25:00")]
)
def test_a_month_or_a_clock_that_is_none_is_told(sqlite_store: Store, month: str, offset: str) -> None:
    with pytest.raises(Invalid):
        made(sqlite_store, month=month, offset=offset)


def test_an_attempt_is_in_the_statement_of_who_used_and_of_who_lent(sqlite_store: Store) -> None:
    use(sqlite_store, "a-1", NEW_MONTH)
    used, lent = made(sqlite_store), made(sqlite_store, "acme")
    assert [(i.role, i.other, i.device_ms, i.fen, i.wh) for i in used.items] == [("used", "acme", 2 * HOUR_MS, 1300, 800)]
    assert [(i.role, i.other, i.device_ms, i.fen, i.wh) for i in lent.items] == [("lent", "ann", 2 * HOUR_MS, 1300, 800)]
    assert (used.totals[0].fen, used.totals[1].fen, lent.totals[1].fen) == (1300, 0, 1300)


def test_who_uses_its_own_machines_is_on_both_sides(sqlite_store: Store) -> None:
    use(sqlite_store, "a-1", NEW_MONTH, "acme", "acme")
    assert [i.role for i in made(sqlite_store, "acme").items] == ["lent", "used"]


def test_a_charge_that_was_taken_back_stands_in_red_and_cancels_out(sqlite_store: Store) -> None:
    use(sqlite_store, "a-1", NEW_MONTH)
    with sqlite_store.database.write() as connection:
        reverse(connection, NEW_MONTH, "default", "a-1/1", "=1+1 by mistake")
    for party in ("ann", "acme"):
        found = made(sqlite_store, party)
        assert [i.fen for i in found.items] == [1300, -1300]
        assert sum(t.fen + t.device_ms + t.wh for t in found.totals) == 0


def test_a_voucher_opens_with_what_it_closed_with(sqlite_store: Store) -> None:
    with sqlite_store.database.write() as connection:
        day = "2026-10-01T00:00:00.000Z"
        grant(
            connection,
            Voucher("v", "default", "ann", "acme", "train", "device_ms", 10 * HOUR_MS, 0, day, "2027-01-01T00:00:00.000Z"),
        )
        seam = FixedSeam()
        for attempt in ("a-1", "a-2"):
            hold(connection, seam, Ask(attempt, "default", "ann", "train", 7200, "a800-80g", 2), TERMS)
    use(sqlite_store, "a-1", NEW_MONTH)
    (month,) = made(sqlite_store).vouchers
    assert [n // HOUR_MS for n in (month.opening, month.granted, month.used, month.expired, month.free, month.held)] == [
        10,
        0,
        2,
        0,
        4,
        4,
    ]
    (item,) = made(sqlite_store).items
    assert (item.prepaid_ms, item.fen, item.note) == (2 * HOUR_MS, 0, "voucher v")


def test_the_overview_names_every_party_of_the_month(sqlite_store: Store) -> None:
    use(sqlite_store, "a-1", NEW_MONTH)
    use(sqlite_store, "a-2", NEW_MONTH, "bob")
    with sqlite_store.database.read() as connection:
        found = {b.party: (b.used_fen, b.lent_fen) for b in overview(connection, "default", "2026-11")}
    assert found == {"acme": (0, 2600), "ann": (1300, 0), "bob": (1300, 0)}


def test_csv_opens_in_a_spreadsheet_and_computes_nothing(sqlite_store: Store) -> None:
    use(sqlite_store, "a-1", NEW_MONTH)
    with sqlite_store.database.write() as connection:
        reverse(connection, NEW_MONTH, "default", "a-1/1", "x")
    data = csv_bytes(made(sqlite_store))
    assert data.startswith(b"\xef\xbb\xbftime,")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [(r["kind"], r["device_s"], r["yuan"], r["kwh"]) for r in rows] == [
        ("settle", "7200.000", "13.00", "0.800"), ("reverse", "-7200.000", "-13.00", "-0.800"),
        ("total", "0.000", "0.00", "0.000"), ("total", "0.000", "0.00", "0.000"),
    ]  # fmt: skip


def test_xlsx_holds_numbers_headings_in_both_languages_and_no_moment_of_its_making(sqlite_store: Store) -> None:
    use(sqlite_store, "a-1", NEW_MONTH)
    data = xlsx_bytes(made(sqlite_store))
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["2026-11", "vouchers 算力券", "about 说明"]
    heads = [cell.value for cell in book.worksheets[0][1]]
    assert heads == [f"{name} {chinese}" for name, chinese in COLUMNS]
    assert book.worksheets[0].cell(2, 14).value == 13
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("docProps/core.xml").count(b"1980-01-01T00:00:00Z") == 2
