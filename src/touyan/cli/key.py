"""`touyan key`: API keys of the services."""

from __future__ import annotations

from typing import Annotated

import typer

from touyan.cli.output import answer, print_json, print_table
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import _, example


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=_("API keys for the services of this project."))
    app.add_typer(group, name="key")

    @group.command(epilog=example("touyan key create --label laptop --terms feedback-2026"))
    def create(
        holder: Annotated[str, typer.Option(help=_("Party that holds it; default: you."))] = "",
        label: Annotated[str, typer.Option(help=_("What it is for."))] = "",
        terms: Annotated[str, typer.Option(help=_("Version of the feedback terms its holder accepted; empty: never used."))] = "",
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Make an API key. Its secret is shown once."""
        with session(home, party, project) as opened:
            key, secret = opened.store.api_keys.create(opened.actor, holder, label, terms)
            answer(as_json, {"id": key.id, "secret": secret}, f"{key.id}  {secret}")

    @group.command("list", epilog=example("touyan key list"))
    def list_(party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False) -> None:
        """List API keys, without their secrets."""
        with session(home, party, project) as opened:
            found = opened.store.api_keys.list(opened.actor)
            rows = [(k.id, k.party, k.label, k.created_at[:10], k.revoked_at or "") for k in found]
            print_json(found) if as_json else print_table(
                [_("key"), _("holder"), _("label"), _("made"), _("revoked")], rows, _("No keys yet.")
            )

    @group.command(epilog=example("touyan key revoke key-1a2b3c"))
    def revoke(
        key: Annotated[str, typer.Argument(help=_("Id of the key."))],
        reason: Annotated[str, typer.Option(help=_("Why."))] = "",
        party: AsOption = "", project: ProjectOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """End an API key at once."""
        with session(home, party, project) as opened:
            opened.store.api_keys.revoke(opened.actor, key, reason)
            answer(as_json, {"revoked": key}, _("Revoked."))
