"""`touyan withdraw`: a source, a document or a subject is withdrawn; what it reaches is stopped and named."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from touyan.cli.output import print_json, say
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example
from touyan.core.canonical import short
from touyan.core.errors import Invalid

if TYPE_CHECKING:
    from touyan.core.statement import Selector
    from touyan.store.withdrawals import WithdrawalReport, Withdrawals


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan withdraw --subject - --reason 'asked by the person' --effect erase"))
    def withdraw(
        source: Annotated[str, typer.Option(metavar="PROVIDER/NAME", help=_("A whole source; beside another: only there."))] = "",
        document: Annotated[str, typer.Option(metavar="DOC_ID", help=_("One document."))] = "",
        subject: Annotated[
            str,
            typer.Option(
                metavar="IDENTIFIER", help=_("A person, by a mobile number or the like; - reads it, so that no process list shows it.")
            ),
        ] = "",
        effect: Annotated[str, typer.Option(help="no-new-use | stop-serving | erase")] = "no-new-use",
        reason: Annotated[str, typer.Option(help=_("Why; it is recorded. No personal data."))] = "",
        deadline: Annotated[str, typer.Option(help=_("ISO date by which it must be done."))] = "",
        lift: Annotated[str, typer.Option(metavar="ID", help=_("Lift this withdrawal."))] = "",
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Withdraw data from use. It reaches every asset made from them; running jobs are cancelled."""
        from touyan.core.statement import EFFECTS

        with session(home, party, project) as opened:
            withdrawals = opened.store.withdrawals
            if lift:
                withdrawals.lift(opened.actor, lift, reason)
                print_json({"lifted": lift}) if as_json else say(_("Lifted."))
                return
            if effect not in EFFECTS:
                raise Invalid("bad-effect", f"{effect!r} is no effect", f"use one of: {', '.join(EFFECTS)}")
            selector, value = _selected(source, document, subject, withdrawals)
            made = withdrawals.withdraw(
                opened.actor,
                selector,
                value,
                effect,
                reason or "no reason given",
                deadline,
                source if document or subject else "",
            )
            print_json(made.to_json()) if as_json else say(_words(made))


def _selected(source: str, document: str, subject: str, withdrawals: Withdrawals) -> tuple[Selector, str]:
    if document:
        return "document", document
    person = sys.stdin.readline().strip() if subject == "-" else subject
    if person:
        return "subject", withdrawals.pseudonym(person)
    if source:
        return "source", source
    raise Invalid("nothing-selected", "nothing was named", "give --source, --document or --subject; see: touyan withdraw --help")


def _words(made: WithdrawalReport) -> str:
    """What was withdrawn, what it reached, what is named because it saw the data, and how to take it back."""
    what = _("{selector} {value}").format(
        selector=_(made.selector), value=short(made.value) if made.selector == "subject" else made.value
    )
    lines = [
        _("Withdrawn: {what}, {effect}. Documents found: {n}").format(what=what, effect=made.effect, n=f"{made.documents:,}")
    ]
    reached = ", ".join(f"{kind} {len(ids)}" for kind, ids in sorted(made.reached.items()) if ids)
    lines.append(_("Reached assets: {reached}").format(reached=reached or _("none")))
    if made.models:
        lines.append(_("Models that saw the data: {models}").format(models=", ".join(map(short, made.models))))
    if made.jobs:
        lines.append(_("Cancelled jobs: {jobs}").format(jobs=", ".join(made.jobs)))
    if made.effect == "erase":
        lines.append(_("Erased objects: {n} ({size} bytes)").format(n=len(made.erased), size=f"{made.erased_bytes:,}"))
    if made.kept:
        lines.append(_("Kept objects, which other assets need: {n}").format(n=len(made.kept)))
    if made.effect != "erase":
        lines.append(_("Take it back: touyan withdraw --lift {id}").format(id=made.id))
    return "\n".join(lines)
