"""`touyan join`: the agent of a site whose owner lends compute."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touyan.cli.output import answer, print_json, print_table, say
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example
from touyan.core.errors import Conflict

if TYPE_CHECKING:
    from touyan.compute.driver import Driver
    from touyan.compute.site.home import Membership, SiteHome
    from touyan.compute.site.policy import Policy

FAILED = 1


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan join https://hub.example.org --token tj-... --driver slurm --home /srv/touyan"))
    def join(
        hub: Annotated[str, typer.Argument(metavar="HUB", help=_("Address of the hub."))] = "",
        token: Annotated[str, typer.Option(help=_("Token of the invitation; only the first time. Also TOUYAN_JOIN_TOKEN."))] = "",
        driver: Annotated[str, typer.Option(help=_("local, slurm, ray or kubernetes; default: as before, at first local."))] = "",
        home: Annotated[Path, typer.Option(help=_("Folder of the site, with site.yaml in it."))] = Path("touyan-site"),
        slots: Annotated[int, typer.Option(min=0, help=_("Jobs at once; 0: as site.yaml says."))] = 0,
        ca: Annotated[str, typer.Option(metavar="FILE", help=_("Certificates by which the hub is known, PEM."))] = "",
        once: Annotated[bool, typer.Option("--once", help=_("One round, for cron where no program may stay."))] = False,
        check: Annotated[bool, typer.Option("--check", help=_("Say what works, and send nothing."))] = False,
        template: Annotated[bool, typer.Option("--template", help=_("Write a site.yaml to begin from, and end."))] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Lend this machine or cluster to a network: ask the hub for work, run what the owner's site.yaml allows, bring results."""
        from touyan.compute.site.home import require_home
        from touyan.compute.site.join import LOCAL, driver_name, membership, open_driver
        from touyan.compute.site.site_file import read_policy

        if template:
            _write_template(home, as_json)
            return
        site = require_home(home)
        policy = read_policy(site.policy)
        policy, name = replace(policy, slots=slots or policy.slots), driver_name(site, driver)
        if check:
            _check(site, policy, name, as_json)
            return
        site.create()
        with site.locked():
            engine = open_driver(name, policy)
            member = membership(site, hub, token or os.environ.get("TOUYAN_JOIN_TOKEN", ""), name, policy, ca)
            say(_("Joined {hub} as {site}.").format(hub=member.hub, site=member.site), stderr=True)
            _run(site, policy, engine, member, once=once, is_local=name == LOCAL, as_json=as_json)


def _run(
    site: SiteHome, policy: Policy, driver: Driver, member: Membership, *, once: bool, is_local: bool, as_json: bool
) -> None:
    from touyan.compute.site.hub_http import HubOverHttp
    from touyan.compute.site.round import Round
    from touyan.compute.site.serve import serve, serve_once
    from touyan.core.seam import SystemSeam

    closing = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: closing.set())
    with HubOverHttp.of(member) as hub:
        rounds = Round(site, policy, driver, hub, SystemSeam(), lambda words: say(words, stderr=True))
        if once:
            following = serve_once(rounds, closing, until_idle=is_local)
            answer(as_json, {"held": following.held}, _("Holds {n} Attempts.").format(n=following.held))
        else:
            serve(rounds, closing, lambda words: say(words, stderr=True), gives_back=is_local)


def _check(site: SiteHome, policy: Policy, driver: str, as_json: bool) -> None:
    from touyan.compute.site.check import check

    findings = list(check(site, policy, driver))
    if as_json:
        print_json({f.what: {"good": f.is_good, "words": f.words, "hint": f.error.hint if f.error else ""} for f in findings})
    else:
        rows = [("+" if f.is_good else "!", f.what, f.words, f.error.hint if f.error else "") for f in findings]
        print_table(["", _("looked at"), _("found"), _("what to do")], rows, "")
    if not all(f.is_good for f in findings):
        raise typer.Exit(FAILED)


def _write_template(home: Path, as_json: bool) -> None:
    from touyan.compute.site.template import TEMPLATE

    path = home / "site.yaml"
    home.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError as error:
        raise Conflict(
            "site-exists", f"there is a {path} already", "edit that one, or give another folder: --home DIR"
        ) from error
    answer(
        as_json, {"written": str(path)}, _("Edit {path}; then: touyan join --check --home {home}").format(path=path, home=home)
    )
