"""`touyan voucher`: prepaid grants of device time or money."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from touyan.cli.output import answer, print_json, print_table
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example
from touyan.core.errors import Invalid

HOUR_MS = 3_600_000


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=_("Vouchers: grant device time or money in advance; list what is left."))
    app.add_typer(group, name="voucher")
    _add_grant(group)
    _add_list(group)


def _add_grant(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan voucher grant ann --device-hours 100 --purpose train --until 2027-06-30"))
    def grant(
        holder: Annotated[str, typer.Argument(metavar="PARTY", help=_("Who may spend it."))],
        until: Annotated[str, typer.Option(help=_("Day on which it expires, such as 2027-06-30."))],
        device_hours: Annotated[float, typer.Option(min=0, help=_("Hours of the reference device of the rate table."))] = 0,
        yuan: Annotated[float, typer.Option(min=0, help=_("Money instead of device time."))] = 0,
        purpose: Annotated[str, typer.Option(help=_("Only for this, such as train; default: anything."))] = "",
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Grant a party device time or money in advance."""
        if (device_hours > 0) == (yuan > 0):
            raise Invalid("bad-voucher", "a voucher grants either device-hours or yuan", "give one of --device-hours and --yuan")
        with session(home, party, project) as opened:
            from touyan.compute.ledger.acts import grant_voucher

            unit, amount = ("fen", round(yuan * 100)) if yuan else ("device_ms", round(device_hours * HOUR_MS))
            given = grant_voucher(opened.store, opened.actor, holder, unit, amount, until, purpose)
            answer(as_json, asdict(given), _("Granted: voucher {id}.").format(id=given.id))


def _add_list(group: typer.Typer) -> None:
    @group.command("list", epilog=example("touyan voucher list --party ann"))
    def list_(
        of: Annotated[str, typer.Option("--party", metavar="PARTY", help=_("Only those of this party."))] = "",
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """List the vouchers of the project with what is left of them."""
        with session(home, party, project) as opened:
            from touyan.compute.ledger.vouchers import vouchers

            opened.require_inspect("voucher")
            holder = opened.store.parties.get(of).id if of else ""
            with opened.store.database.read() as connection:
                found = vouchers(connection, opened.actor.project, holder)
            if as_json:
                print_json([asdict(v) for v in found])
                return
            rows = [
                (v.id, v.holder, v.purpose or _("anything"), *_left(v.unit, v.free, v.amount), v.expires_at[:10]) for v in found
            ]
            heads = [_("voucher"), _("holder"), _("purpose"), _("free"), _("granted"), _("unit"), _("expires")]
            print_table(heads, rows, _("No vouchers yet."))


def _left(unit: str, free: int, amount: int) -> tuple[str, str, str]:
    if unit == "fen":
        return f"{free / 100:.2f}", f"{amount / 100:.2f}", _("yuan")
    return f"{free / HOUR_MS:.3f}", f"{amount / HOUR_MS:.3f}", _("device-hours")
