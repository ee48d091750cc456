"""The command line: one file a verb, assembled here.

Owns the order of the verbs and what happens to an error that nobody caught: it is printed with what to do, as JSON where that
was asked for, and its family gives the exit status. Invariant: `touyan --help` imports no store and no engine.
"""

from __future__ import annotations

import sys

import typer

from touyan.cli.output import print_error
from touyan.cli.spoken import Unread, assemble
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


VERBS = {
    "init": Unread("init", _("Make a store here, with an organisation, a first person and a flow file to edit.")),
    "run": Unread("run", _("Run a flow: gather, refine, train, evaluate, and on to review, permit and service.")),
    "gather": Unread("gather", _("Register the sources of a flow with their rights, and read them.")),
    "refine": Unread("gather", _("Run a flow as far as its corpus.")),
    "train": Unread("gather", _("Run a flow as far as its models.")),
    "review": Unread("review", _("Show reviews, or vote on one. Nobody reviews what he or she submitted.")),
    "permit": Unread("permit", _("Permits: issue, show, suspend, resume, revoke, export.")),
    "serve": Unread("serve", _("Serve a model. Without a valid permit nothing is served; keys: touyan key create.")),
    "learn": Unread("learn", _("Collect feedback through the rights gate, run the flow again with it, and say what changed.")),
    "show": Unread("show", _("Show the newest assets and runs, or one asset with its files, inputs, standing and rights.")),
    "why": Unread(
        "why",
        _("Show the lineage of an asset and what blocks it; or the sites of a job, each with the reason for or against it."),
    ),
    "log": Unread("log", _("Show what happened, by whom and when, from the append-only log.")),
    "verify": Unread(
        "verify", _("Check signature, votes, lineage, rules, log and time of a permit. Ends with 0 only where everything holds.")
    ),
    "withdraw": Unread(
        "withdraw", _("Withdraw data from use. It reaches every asset made from them; running jobs are cancelled.")
    ),
    "report": Unread("report", _("Write the report of a run as one HTML file.")),
    "jobs": Unread("jobs", _("List jobs with state, site, tries and reason; or cancel one.")),
    "up": Unread("up", _("Start the hub: sites join it, ask it for work and bring results. Ends with Ctrl-C; nothing is lost.")),
    "sites": Unread("sites", _("Sites of the compute network: list, invite, drain, open, let go.")),
    "join": Unread(
        "join",
        _(
            "Lend this machine or cluster to a network: ask the hub for work, run what the owner's site.yaml allows, bring results."
        ),
    ),
    "ledger": Unread("ledger", _("Show who used and lent device time, money and energy; write statements; check the books.")),
    "voucher": Unread("voucher", _("Vouchers: grant device time or money in advance; list what is left.")),
    "simulate": Unread(
        "simulate", _("Replay a trace under a scheduling policy, and what would change with other machines, shares or rules.")
    ),
    "flow": Unread("flow", _("Check flow files and list the steps they may use.")),
    "corpus": Unread("corpus", _("Refine text by itself: files in, a clean corpus out.")),
    "model": Unread("model", _("Bring in a foreign base model; export a model.")),
    "party": Unread("party", _("Enrol persons and machines; give roles; rotate and revoke keys.")),
    "key": Unread("key", _("API keys for the services of this project.")),
    "project": Unread("project", _("Projects: every row of the store belongs to one.")),
    "backup": Unread("backup", _("Copy database, objects and log to a folder, while runs go on.")),
    "restore": Unread("backup", _("Make a store from a backup, after every digest and the log were checked.")),
    "demo": Unread(
        "demo", _("Run the whole ring on real input, review it as a demonstration, serve the model and ask it something.")
    ),
}
"""Every verb: the file that holds it, which is read when the verb is called, and what the first page says of it."""

lend_to_typer()
command = assemble(app, VERBS)


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
