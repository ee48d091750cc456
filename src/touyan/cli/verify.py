"""`touyan verify`: checks a permit's bundle offline, with nothing but the bundle and the organisation's root key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import print_json, say
from touyan.cli.session import HomeOption, JsonOption
from touyan.cli.words import _, example
from touyan.core.errors import Missing


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan verify PERMIT.json --key 6b86b273ff34fce1..."))
    def verify(
        bundle: Annotated[Path, typer.Argument(help=_("The bundle: touyan permit export."))],
        key: Annotated[
            str, typer.Option(help=_("Root key of the organisation, hex or a file; default: that of this store."))
        ] = "",
        model: Annotated[
            Path | None, typer.Option(help=_("Folder of a model: check that its files are the permitted ones."))
        ] = None,
        at: Annotated[str, typer.Option(help=_("ISO time for which to check; default: now."))] = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Check signature, votes, lineage, rules, log and time of a permit. Ends with 0 only where everything holds."""
        from touyan.permit.verify import is_good
        from touyan.permit.verify import verify as check

        if not bundle.is_file():
            raise Missing("no-file", f"there is no file {bundle}", "write one: touyan permit export NUMBER")
        verdicts = check(bundle.read_bytes(), _root_key(key, home), model, at)
        if as_json:
            print_json({"good": is_good(verdicts), "checks": verdicts})
        else:
            for one in verdicts:
                say(f"{'✓' if one.passed else '✗'} {one.name:<14} {one.reason}")
            say(_("The permit is good.") if is_good(verdicts) else _("The permit is NOT good."))
        if not is_good(verdicts):
            sys.exit(3)


def _root_key(given: str, home: Path | None) -> str:
    if given:
        return Path(given).read_text().strip() if Path(given).is_file() else given
    from touyan.store.home import open_store

    return open_store(home).root_key.public_hex
