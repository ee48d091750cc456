"""`touyan ledger` and `touyan voucher`: what an office asks of the books."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from command_line import touyan
from touyan.compute.ledger.charge import Usage
from touyan.compute.ledger.settle import settle
from touyan.store.home import open_store

AT = "2026-11-20T00:00:00.000Z"


@pytest.fixture
def used(office: Path) -> Path:
    """The office, once ann has used two A800 of acme's for an hour."""
    store = open_store()
    with store.database.write() as connection:
        used = Usage("0123456789abcdef-1", 3, "hpc", "acme", 3_600_000, 3_600_000, "a800-80g", 2)
        settle(connection, AT, "default", store.me().party, used)
    store.close()
    return office


def test_a_statement_is_written_as_csv_and_xlsx_and_again_as_the_same_bytes(used: Path) -> None:
    files = [used / name for name in ("a.csv", "a.xlsx", "b.csv", "b.xlsx")]
    for csv, xlsx in (files[:2], files[2:]):
        assert touyan(f"ledger --party ann --month 2026-11 --csv {csv} --xlsx {xlsx}").status == 0
    assert [f.read_bytes() for f in files[:2]] == [f.read_bytes() for f in files[2:]]
    assert b"0123456789abcdef-1" in files[0].read_bytes()
    assert openpyxl.load_workbook(files[1]).worksheets[0].cell(2, 12).value == 7200


def test_a_file_that_cannot_be_written_is_told(used: Path) -> None:
    said = touyan(f"ledger --party ann --csv {used / 'nowhere' / 'a.csv'}")
    assert said.status == 2
    assert "nowhere" in said.err


def test_a_month_is_shown_by_party_and_a_party_by_attempt(used: Path) -> None:
    said = touyan("ledger --month 2026-11")
    assert "2.000" in said.out
    assert "used: 1 attempts, 2.000 device-hours" in touyan("ledger --party ann --month 2026-11").out
    parties = touyan("ledger --month 2026-11 --json").json["parties"]
    assert [(p["used_device_ms"], p["lent_device_ms"]) for p in parties] == [(0, 7_200_000), (7_200_000, 0)]
    assert "Nothing" in touyan("ledger --month 2025-01").out


def test_a_check_replays_the_books(used: Path) -> None:
    said = touyan("ledger --check --json")
    assert (said.status, said.json["is_whole"], said.json["lines"]) == (0, True, 2)
    assert "replay" in touyan("ledger --check").out


def test_records_that_differ_are_listed_and_end_with_6(used: Path) -> None:
    path = used / "ray.json"
    path.write_text(json.dumps([{"submission_id": "0123456789abcdef-2", "start_time": 1, "end_time": 9000}]))
    said = touyan(f"ledger --reconcile {path}")
    assert said.status == 6
    assert "not-ours" in said.out
    path.write_text("[]")
    assert touyan(f"ledger --reconcile {path} --json").json == {"attempts": 0, "apart": []}


def test_what_ended_at_a_site_and_its_engine_does_not_know_is_listed(used: Path) -> None:
    (used / "ray.json").write_text("[]")
    said = touyan(f"ledger --reconcile {used / 'ray.json'} --site hpc --month 2026-11 --json")
    assert (said.status, said.json["apart"]) == (0, [])  # no Attempt of the store ended there: only the ledger names it


def test_a_charge_is_taken_back_with_a_reason(used: Path) -> None:
    assert touyan("ledger --reverse 0123456789abcdef-1/3").status == 2
    assert touyan("ledger --reverse 0123456789abcdef-1/3 --reason clock").status == 0
    assert touyan("ledger --reverse 0123456789abcdef-1/3 --reason clock").status == 5
    assert touyan("ledger --month 2026-11 --party ann --json").status == 0
    assert touyan("ledger --check").status == 0


def test_a_voucher_is_granted_and_listed(office: Path) -> None:
    assert touyan("voucher grant ann --device-hours 10 --purpose train --until 2030-01-01").status == 0
    assert touyan("voucher grant ann --yuan 99.5 --until 2030-01-01 --json").json["amount"] == 9950
    listed = touyan("voucher list --party ann --json").json
    assert sorted((v["unit"], v["free"]) for v in listed) == [("device_ms", 36_000_000), ("fen", 9950)]
    assert "99.50" in touyan("voucher list").out
    assert touyan("voucher grant ann --until 2030-01-01").status == 2
    assert touyan("voucher grant nobody --yuan 1 --until 2030-01-01").status == 4
