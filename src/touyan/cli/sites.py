"""`touyan sites`: who lends compute, what it has, and how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from touyan.cli.output import answer, print_json, print_table, say
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example

if TYPE_CHECKING:
    from touyan.compute.hub.reads import SiteView

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help=_("Name of the site."))]
ReasonOption = Annotated[str, typer.Option(help=_("Why."))]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True, help=_("Sites of the compute network: list, invite, drain, open, let go."))
    app.add_typer(group, name="sites")
    _add_list(group)
    _add_invite(group)
    _add_show(group)
    for event, words, done in (
        ("drain", _("Place nothing more on a site; what runs there goes on."), _("Drained.")),
        ("open", _("Place Jobs on a drained site again."), _("Open.")),
        ("leave", _("Let a site go: its secret ends, what it holds is placed anew."), _("Left.")),
    ):
        _add_move(group, event, words, done)
    _add_close(group)


def _add_list(group: typer.Typer) -> None:
    @group.callback(epilog=example("touyan sites"))
    def list_(
        context: typer.Context,
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """List the sites with their state, what they have and what they run."""
        if context.invoked_subcommand:
            return
        from touyan.compute.hub.reads import alerts, site_views

        with session(home, party, project) as opened:
            opened.require_inspect("site")
            views, told = site_views(opened.store), alerts(opened.store)
            if as_json:
                print_json({"sites": [v.to_json() for v in views], "alerts": told})
                return
            columns = [_("site"), _("owner"), _("driver"), _("state"), _("last seen"), _("has"), _("runs"), _("waiting")]
            print_table(columns, [_row(v) for v in views], _("No sites yet: touyan sites invite NAME --owner PARTY"))
            for one in told:
                say(f"! {one}")


def _row(view: SiteView) -> tuple[object, ...]:
    site = view.site
    seen = view.seen_at[:19].replace("T", " ") if site.seen_ms else ""
    return (site.name, site.owner, site.driver, view.state, seen, view.words, view.running, view.waiting)


def _add_invite(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan sites invite hpc1 --owner lab --kinds ai,general"))
    def invite(
        name: NameArgument,
        owner: Annotated[str, typer.Option(help=_("Party whose machines they are; enrol it first: touyan party enrol."))],
        hours: Annotated[float, typer.Option(help=_("The token expires after so many hours."))] = 24.0,
        zone: Annotated[str, typer.Option(help=_("Rights zone in which the machines stand, such as CN."))] = "",
        trust: Annotated[str, typer.Option(help=_("Class of data that it is trusted with: public, general, important, core."))] = "",
        kinds: Annotated[str, typer.Option(help="general,ai,hpc")] = "general,ai,hpc",
        hub: Annotated[str, typer.Option(help=_("Address of this hub, for the line that is printed."))] = "https://HUB:8443",
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Invite a site. Its token is shown once, and joins once."""
        with session(home, party, project) as opened:
            token = opened.store.sites.invite(opened.actor, name, owner, hours, zone, trust, kinds.split(","))
            line = f"touyan join {hub} --token {token} --driver slurm"
            answer(as_json, {"site": name, "token": token, "join": line}, f"{token}\n{_('On the site:')} {line}")


def _add_show(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan sites show hpc1"))
    def show(
        name: NameArgument,
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show a site: its terms, what it has, its maintenance windows."""
        from touyan.compute.hub.reads import site_views

        with session(home, party, project) as opened:
            opened.require_inspect("site", name)
            opened.store.sites.get(name)
            value = next(v for v in site_views(opened.store) if v.site.name == name).to_json()
            print_json(value) if as_json else print_table(["", ""], [(k, _words(v)) for k, v in value.items()], "")


def _words(value: object) -> str:
    """A field of a site for a person: lists by their items, an inner list on one line."""
    if isinstance(value, list):
        return "\n".join(_words(v) for v in value) if any(isinstance(v, list) for v in value) else ", ".join(map(str, value))
    return "" if value is None else str(value)


def _add_move(group: typer.Typer, event: str, words: str, done: str) -> None:
    @group.command(event, help=words, epilog=example(f"touyan sites {event} hpc1 --reason 'new cooling'"))
    def move(
        name: NameArgument, reason: ReasonOption = "", party: AsOption = "", project: ProjectOption = "", home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        with session(home, party, project) as opened:
            site = opened.store.sites.move(opened.actor, name, event, reason)
            answer(as_json, {"site": name, "state": site.state}, done)


def _add_close(group: typer.Typer) -> None:
    @group.command(epilog=example("touyan sites close hpc1 --from 2026-12-01T00:00Z --until 2026-12-02T00:00Z --reason cooling"))
    def close(
        name: NameArgument,
        from_: Annotated[str, typer.Option("--from", metavar="TIME", help=_("First moment, ISO 8601."))],
        until: Annotated[str, typer.Option(metavar="TIME", help=_("Last moment, ISO 8601."))],
        reason: ReasonOption = "",
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Note a maintenance window: nothing is placed on the site meanwhile."""
        with session(home, party, project) as opened:
            site = opened.store.sites.close_between(opened.actor, name, from_, until, reason)
            answer(as_json, {"site": name, "windows": [(w.from_at, w.until_at, w.reason) for w in site.windows]}, _("Noted."))
