"""`touyan gather`, `touyan refine`, `touyan train`: the first verbs of the ring, each up to its own end."""

from __future__ import annotations

from pathlib import Path

import typer

from touyan.cli.run import FlowArgument, tell, turn_of
from touyan.cli.session import AsOption, HomeOption, JsonOption, ProjectOption, session
from touyan.cli.words import example


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan gather flow.yaml"))
    def gather(
        flow: FlowArgument = Path("flow.yaml"),
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Register the sources of a flow with their rights, and read them."""
        _until("read", flow, party, project, home, as_json)

    @app.command(epilog=example("touyan refine flow.yaml"))
    def refine(
        flow: FlowArgument = Path("flow.yaml"),
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Run a flow as far as its corpus."""
        _until("refine", flow, party, project, home, as_json)

    @app.command(epilog=example("touyan train flow.yaml"))
    def train(
        flow: FlowArgument = Path("flow.yaml"),
        party: AsOption = "",
        project: ProjectOption = "",
        home: HomeOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Run a flow as far as its models."""
        _until("train", flow, party, project, home, as_json)


def _until(verb: str, flow: Path, party: str, project: str, home: Path | None, as_json: bool) -> None:
    with session(home, party, project, create=flow.is_file()) as opened:
        tell(turn_of(opened, flow, until=verb), as_json)
