"""The command line: one file a verb, assembled here.

Owns the order of the verbs and what happens to an error that nobody caught: it is printed with what to do, as JSON where that
was asked for, and its family gives the exit status. Invariant: `touyan --help` imports no store and no engine.
"""

from __future__ import annotations

import sys

import typer

from touyan.cli import (
    backup,
    corpus,
    demo,
    flow,
    gather,
    init,
    jobs,
    key,
    learn,
    log,
    model,
    party,
    permit,
    project,
    report,
    review,
    serve,
    show,
    verify,
    why,
    withdraw,
)
from touyan.cli import run as run_verb
from touyan.cli.output import print_error
from touyan.cli.spoken import assemble
from touyan.cli.words import _, lend_to_typer
from touyan.core.errors import TouyanError

app = typer.Typer(
    name="touyan", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich would cost 0.4 s of CPU before the first line of a help page
    context_settings={"max_content_width": 100},
    help=_("Touyan 头雁: from raw documents to a permitted, served model."),
    epilog=_("Begin: touyan init, then touyan run flow.yaml. Each verb has an example: touyan VERB --help"),
)  # fmt: skip


@app.callback(invoke_without_command=True)
def main(version: bool = typer.Option(False, "--version", help=_("Print the version and end."))) -> None:
    if version:
        from touyan import __version__

        typer.echo(f"touyan {__version__}")
        raise typer.Exit


for verb in (init, run_verb, gather, review, permit, serve, learn, show, why, log, verify, withdraw, report, jobs, flow, corpus, model,
             party, key, project, backup, demo):  # fmt: skip
    verb.add_to(app)
lend_to_typer()
command = assemble(app)


def run() -> None:
    """The entry point `touyan`."""
    try:
        command(prog_name="touyan")
    except TouyanError as error:
        print_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away, as `| head` does
        sys.exit(0)


if __name__ == "__main__":
    run()
