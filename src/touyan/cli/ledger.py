"""`touyan ledger`: who used and lent what, statements for the office, the check of the books."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touyan.cli.output import answer, print_json, print_table, say
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, Session, session
from touyan.cli.words import _, example
from touyan.core.errors import Invalid

if TYPE_CHECKING:
    from touyan.compute.ledger.reconcile import Compared
    from touyan.compute.ledger.statement import Statement

OffsetOption = Annotated[str, typer.Option("--offset", help=_("Clock of the statement: its offset from UTC."))]
SHOWN = 20
"""Items of a statement that a terminal shows; files and JSON have all."""


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan ledger --party ann --month 2026-11 --xlsx ann-2026-11.xlsx"))
    def ledger(
        of: Annotated[str, typer.Option("--party", metavar="PARTY", help=_("Statement of this party."))] = "",
        month: Annotated[str, typer.Option(help=_("Month, such as 2026-11; default: the current one."))] = "",
        offset: OffsetOption = "+08:00",
        csv: Annotated[Path | None, typer.Option(metavar="FILE", help=_("Write the statement as CSV."))] = None,
        xlsx: Annotated[Path | None, typer.Option(metavar="FILE", help=_("Write the statement as XLSX."))] = None,
        check: Annotated[bool, typer.Option("--check", help=_("Replay the whole ledger: every line, every sum."))] = False,
        reconcile: Annotated[
            Path | None, typer.Option(metavar="FILE", help=_("Compare with records of an engine, such as sacct --json."))
        ] = None,
        site: Annotated[
            str,
            typer.Option(metavar="SITE", help=_("With --reconcile: also what ended there in the month and the records lack.")),
        ] = "",
        reverse: Annotated[str, typer.Option(metavar="ENTRY", help=_("Take back what an attempt was charged."))] = "",
        reason: Annotated[str, typer.Option(help=_("Why it is taken back; it is logged."))] = "",
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show who used and lent device time, money and energy; write statements; check the books."""
        with session(home, party, project) as opened:
            opened.require_inspect("ledger")
            if reverse:
                _reverse(opened, reverse, reason, as_json)
            elif check:
                _check(opened, as_json)
            elif reconcile is not None:
                _reconcile(opened, reconcile, site, month, offset, as_json)
            elif of or csv or xlsx:
                _statement(opened, of, month, offset, csv, xlsx, as_json)
            else:
                _overview(opened, month, offset, as_json)


def _reverse(opened: Session, key: str, reason: str, as_json: bool) -> None:
    from touyan.compute.ledger.acts import take_back

    take_back(opened.store, opened.actor, key, reason)
    answer(as_json, {"reversed": key}, _("Taken back, in red."))


def _check(opened: Session, as_json: bool) -> None:
    from touyan.compute.ledger.check import check

    with opened.store.database.read() as connection:
        audit = check(connection)
    if as_json:
        print_json(asdict(audit) | {"is_whole": audit.is_whole})
    else:
        say(_("{n} transactions, {m} lines; sums: {sums}").format(n=audit.transactions, m=audit.lines, sums=_sums(audit.sums)))
        say(_("Journal {digest}; the replay gives the same.").format(digest=audit.journal_sha256[:12]) if audit.is_whole else "")
        for problem in audit.problems:
            say(f"- {problem}")
    if not audit.is_whole:
        raise typer.Exit(6)


def _sums(sums: object) -> str:
    return ", ".join(f"{unit} {amount}" for unit, amount in dict(sums).items())  # type: ignore[call-overload]


def _reconcile(opened: Session, path: Path, site: str, month: str, offset: str, as_json: bool) -> None:
    from touyan.compute.ledger.reconcile import at_site, ours, read_engine, reconcile
    from touyan.compute.ledger.statement import bounds, month_of, zone_of

    theirs, project = read_engine(path), opened.actor.project
    span = bounds(month or month_of(opened.store.seam.now_ms(), offset), zone_of(offset))
    with opened.store.database.read() as connection:
        known = {
            r.attempt: r
            for r in (*ours(connection, project, theirs), *(at_site(connection, project, site, *span) if site else ()))
        }
    compared = reconcile(known.values(), theirs)
    apart = [c for c in compared if c.verdict != "agrees"]
    if as_json:
        print_json({"attempts": len(compared), "apart": [asdict(c) for c in apart]})
    else:
        say(_("{n} attempts; {m} agree to the second.").format(n=len(compared), m=len(compared) - len(apart)))
        _show_apart(apart)
    if apart:
        raise typer.Exit(6)


def _show_apart(apart: list[Compared]) -> None:
    if apart:
        rows = [(c.attempt, c.verdict, _s(c.ours_ms), _s(c.theirs_ms), _n(c.ours_devices), _n(c.theirs_devices)) for c in apart]
        heads = [_("attempt"), _("differs in"), _("ours (s)"), _("theirs (s)"), _("our devices"), _("their devices")]
        print_table(heads, rows, "")


def _statement(opened: Session, of: str, month: str, offset: str, csv: Path | None, xlsx: Path | None, as_json: bool) -> None:
    from touyan.compute.ledger.sheets import csv_bytes, xlsx_bytes
    from touyan.compute.ledger.statement import month_of, statement

    party = opened.store.parties.get(of).id if of else opened.actor.party
    chosen = month or month_of(opened.store.seam.now_ms(), offset)
    with opened.store.database.read() as connection:
        made = statement(connection, opened.actor.project, party, chosen, offset)
    written = [(path, write(made)) for path, write in ((csv, csv_bytes), (xlsx, xlsx_bytes)) if path is not None]
    for path, data in written:
        _write(path, data)
    if as_json:
        print_json(asdict(made))
    elif written:
        say(_("Written: {files}").format(files=", ".join(str(path) for path, _data in written)))
    else:
        _show(made)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Invalid(
            "cannot-write", f"{path} cannot be written: {error.strerror}", "name a file in a folder that is there"
        ) from error


def _show(made: Statement) -> None:
    rows = [
        (i.at, i.role, i.attempt, i.site, i.model, _hours(i.device_ms), _yuan(i.fen), _kwh(i.wh), i.note)
        for i in made.items[-SHOWN:]
    ]
    heads = [_("time"), _("role"), _("attempt"), _("site"), _("model"), _("device-hours"), _("yuan"), _("kWh"), _("note")]
    print_table(heads, rows, _("Nothing in this month."))
    for total in made.totals:
        words = _("{role}: {n} attempts, {hours} device-hours, {yuan} yuan, {kwh} kWh")
        say(
            words.format(role=total.role, n=total.items, hours=_hours(total.device_ms), yuan=_yuan(total.fen), kwh=_kwh(total.wh))
        )
    for v in made.vouchers:
        show = _yuan if v.unit == "fen" else _hours
        words = _("voucher {id} until {day}: {free} free, {held} held, {used} used in this month ({unit})")
        unit = _("yuan") if v.unit == "fen" else _("device-hours")
        say(words.format(id=v.id, day=v.expires_at, free=show(v.free), held=show(v.held), used=show(v.used), unit=unit))


def _overview(opened: Session, month: str, offset: str, as_json: bool) -> None:
    from touyan.compute.ledger.statement import month_of, overview

    chosen = month or month_of(opened.store.seam.now_ms(), offset)
    with opened.store.database.read() as connection:
        found = overview(connection, opened.actor.project, chosen, offset)
    if as_json:
        print_json({"month": chosen, "parties": [asdict(b) for b in found]})
        return
    rows = [
        (
            b.party,
            _hours(b.used_device_ms),
            _yuan(b.used_fen),
            _kwh(b.used_wh),
            _hours(b.lent_device_ms),
            _yuan(b.lent_fen),
            _kwh(b.lent_wh),
        )
        for b in found
    ]
    used, lent = _("used"), _("lent")
    units = [_("device-hours"), _("yuan"), _("kWh")]
    print_table([chosen, *(f"{used} {u}" for u in units), *(f"{lent} {u}" for u in units)], rows, _("Nothing in this month."))


def _hours(device_ms: int) -> str:
    return f"{device_ms / 3_600_000:.3f}"


def _yuan(fen: int) -> str:
    return f"{fen / 100:.2f}"


def _kwh(wh: int) -> str:
    return f"{wh / 1000:.3f}"


def _s(ms: int | None) -> str:
    return "" if ms is None else f"{ms / 1000:.3f}"


def _n(count: int | None) -> str:
    return "" if count is None else str(count)
