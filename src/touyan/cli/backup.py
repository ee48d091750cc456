"""`touyan backup` and `touyan restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import answer
from touyan.cli.session import AsOption, HomeOption, JsonOption, session
from touyan.cli.words import _, example


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan backup /media/disk/touyan-2026-11-21 --keys"))
    def backup(
        target: Annotated[Path, typer.Argument(help=_("A new folder for the backup."))],
        keys: Annotated[bool, typer.Option("--keys", help=_("Also the private keys; keep that copy under lock."))] = False,
        party: AsOption = "", home: HomeOption = None, as_json: JsonOption = False,
    ) -> None:  # fmt: skip
        """Copy database, objects and log to a folder, while runs go on."""
        from touyan.store.backup import backup as copy

        with session(home, party) as opened:
            copy(opened.store, opened.actor, target, include_keys=keys)
            answer(
                as_json,
                {"backup": str(target)},
                _("Backed up to {path}. Check and use it: touyan restore {path} --home NEW").format(path=target),
            )

    @app.command(epilog=example("touyan restore /media/disk/touyan-2026-11-21 --home .touyan"))
    def restore(
        source: Annotated[Path, typer.Argument(help=_("Folder of a backup."))],
        home: Annotated[Path, typer.Option(help=_("A new, empty folder for the store."))] = Path(".touyan"),
        as_json: JsonOption = False,
    ) -> None:
        """Make a store from a backup, after every digest and the log were checked."""
        from touyan.store.backup import restore as make

        make(source, home)
        answer(as_json, {"home": str(home)}, _("Restored to {path}.").format(path=home))
