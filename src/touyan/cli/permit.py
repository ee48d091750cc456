"""`touyan permit`: the organisation's decisions: issue, show, suspend, resume, revoke, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from touyan.cli.output import answer, print_json, print_table, say
from touyan.cli.review import find
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example
from touyan.core.canonical import short

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help=_("Number of the permit, such as TY-2026-000001."))]
ReasonOption = Annotated[str, typer.Option(help=_("Why; it is signed and logged."))]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=_("Permits: issue, show, suspend, resume, revoke, export."))
    app.add_typer(group, name="permit")
    _add_looking(group)
    _add_deciding(group)
    _add_act(group, "suspend", _("Suspend a permit: its service stops at once, until it is resumed."), _("Suspended."))
    _add_act(group, "resume", _("Resume a suspended permit."), _("Resumed."))
    _add_act(group, "revoke", _("Revoke a permit for good."), _("Revoked."))


def _add_looking(group: typer.Typer) -> None:
    @group.command("list", epilog=example("touyan permit list"))
    def list_(party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False) -> None:
        """List the permits of the project."""
        with session(home, party, project) as opened:
            opened.require_inspect("permit")
            found = opened.store.permits.list(opened.actor.project)
            if as_json:
                print_json([_facts(p) for p in found])
                return
            rows = [
                (
                    p.number,
                    p.permit.kind,
                    p.state + (" (demo)" if p.permit.demo else ""),
                    short(p.permit.model),
                    p.permit.expires_at[:10],
                )
                for p in found
            ]
            print_table([_("permit"), _("kind"), _("state"), _("model"), _("expires")], rows, _("No permits yet."))

    @group.command(epilog=example("touyan permit show TY-2026-000001"))
    def show(
        number: NumberArgument,
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show what a permit says."""
        with session(home, party, project) as opened:
            opened.require_inspect("permit", number)
            found = opened.store.permits.get(opened.actor.project, number)
            if as_json:
                print_json(_facts(found) | {"statement": found.permit.to_json()})
                return
            for name, value in _facts(found).items():
                say(f"{name:<12} {value}")
            for winner in found.permit.winners:
                say(f"{'':<12} {winner.statement}")

    @group.command(epilog=example("touyan permit export TY-2026-000001 --out PERMIT.json"))
    def export(
        number: NumberArgument, out: Annotated[Path, typer.Option(help=_("Where to write the bundle."))] = Path("PERMIT.json"),
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Write a bundle that anyone can verify offline: touyan verify PERMIT.json --key ROOT."""
        from touyan.permit import bundle

        with session(home, party, project) as opened:
            bundle.write(opened.store, opened.actor, number, out)
            key = opened.store.root_key.public_hex
            answer(
                as_json,
                {"bundle": str(out), "root_key": key},
                _("Wrote {path}. Root key of the organisation: {key}").format(path=out, key=key),
            )


def _add_deciding(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan permit issue 3fa2c1 --days 90 --audience internal"))
    def issue(
        review: Annotated[str, typer.Argument(help=_("First digits of an approved review."))],
        days: Annotated[int, typer.Option(help=_("How long it holds."))] = 90,
        audience: Annotated[str, typer.Option(help="named-testers | internal | public")] = "internal",
        domain: Annotated[str, typer.Option(help=_("Only for this domain; empty: any."))] = "",
        tester: Annotated[list[str], typer.Option(help=_("A named tester; may be repeated."))] = [],  # noqa: B006
        condition: Annotated[list[str], typer.Option(help=_("A condition; may be repeated."))] = [],  # noqa: B006
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Issue the permit of an approved review, in the name of the organisation."""
        from touyan.core.permit import Scope, as_audience
        from touyan.permit.issue import issue as decide

        with session(home, party, project) as opened:
            found = find(opened, review)
            testers = tuple(opened.store.parties.get(t).id for t in tester)
            scope = Scope(as_audience(audience), domain, (), testers)
            made = decide(opened.store, opened.actor, found.id, found.request.kind, scope, days, condition)
            print_json(_facts(made)) if as_json else say(_("Issued {number}.").format(number=made.number))

    @group.command(epilog=example("touyan permit ask --role science --role ethics --role law --note 'laws model'"))
    def ask(
        role: Annotated[list[str], typer.Option(help=_("A review role that must approve; may be repeated."))],
        note: Annotated[str, typer.Option(help=_("What the project is for."))] = "",
        quorum: Annotated[int, typer.Option(help=_("How many persons must approve."))] = 1,
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Ask for the review of a project before it trains; some rule packs refuse training without its permit."""
        from touyan.core.review import Subject
        from touyan.permit.review import request

        with session(home, party, project) as opened:
            asked = request(opened.store, opened.actor, Subject(), "project", role, quorum, note)
            text = _("Asked: touyan review {id} --approve --as PARTY, then: touyan permit issue {id}").format(id=short(asked.id))
            print_json({"review": asked.id, "state": asked.state}) if as_json else say(text)


def _add_act(group: typer.Typer, act: str, words: str, done: str) -> None:
    @group.command(act, help=words, epilog=example(f"touyan permit {act} TY-2026-000001 --reason 'complaint 17'"))
    def command(
        number: NumberArgument, reason: ReasonOption = "no reason given",
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        with session(home, party, project) as opened:
            getattr(opened.store.permits, act)(opened.actor, number, reason)
            answer(as_json, {"number": number, "state": opened.store.permits.get(opened.actor.project, number).state}, done)


def _facts(issued: Any) -> dict[str, Any]:
    permit = issued.permit
    return {
        "number": permit.number, "kind": permit.kind, "state": issued.state, "demo": permit.demo,
        "organisation": permit.organisation, "model": permit.model,
        "corpus": permit.corpus, "audience": permit.scope.audience, "domain": permit.scope.domain,
        "conditions": list(permit.conditions), "issued_at": permit.issued_at, "expires_at": permit.expires_at,
    }  # fmt: skip
