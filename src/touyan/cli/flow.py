"""`touyan flow`: check a flow file, list the steps and their parameters, print the JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from touyan.cli.output import print_json, print_table, say
from touyan.cli.run import FlowArgument
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help=_("Check flow files and list the steps they may use."))
    app.add_typer(group, name="flow")

    @group.command(epilog=example("touyan flow check flow.yaml"))
    def check(flow: FlowArgument = Path("flow.yaml"), as_json: JsonOption = False) -> None:
        """Check a flow file without running it."""
        from touyan.flow.file import purposes_needed, read_flow

        found = read_flow(flow)
        rows = [
            (s.name, s.spec.name, s.spec.output, ", ".join(f"{r}: {' '.join(n)}" for r, n in s.inputs.items()))
            for s in found.steps
        ]
        if as_json:
            print_json({"name": found.file.name, "purposes": purposes_needed(found), "steps": rows})
            return
        print_table([_("step"), _("type"), _("makes"), _("from")], rows, "")
        say(_("Sources must permit: {purposes}").format(purposes=", ".join(purposes_needed(found))))

    @group.command(epilog=example("touyan flow steps refine"))
    def steps(name: Annotated[str, typer.Argument(help=_("A step; empty: all."))] = "", as_json: JsonOption = False) -> None:
        """List the installed steps, or the inputs and parameters of one."""
        from touyan.flow.registry import known_steps, step
        from touyan.flow.schema import parameters

        if not name:
            rows = [(s.name, s.version, s.output, s.summary) for s in known_steps().values()]
            print_json(rows) if as_json else print_table([_("step"), _("version"), _("makes"), ""], rows, "")
            return
        spec = step(name)
        found = [(p.name, p.type, p.default) for p in parameters(spec)]
        if as_json:
            print_json({"step": spec.name, "inputs": {r: i.kind for r, i in spec.inputs.items()}, "parameters": found})
            return
        say(f"{spec.name} {spec.version}: {spec.summary}")
        inputs = [
            (r, i.kind + (" ..." if i.many else ""), _("optional") if i.optional else "", i.label) for r, i in spec.inputs.items()
        ]
        print_table([_("input"), _("kind"), "", ""], inputs, "")
        print_table([_("parameter"), _("type"), _("default")], found, _("No parameters."))

    @group.command(epilog=example("touyan flow schema > flow.schema.json"))
    def schema() -> None:
        """Print the JSON Schema of flow files, with the parameters of every installed step."""
        from touyan.flow.schema import json_schema

        print_json(json_schema())
