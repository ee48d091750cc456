"""`touyan simulate`: what a policy, a share or another machine would have done on a trace."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touyan.cli.output import print_json, print_table, say
from touyan.cli.session import JsonOption
from touyan.cli.words import _, example

if TYPE_CHECKING:
    from touyan.compute.simulation.page import Result
    from touyan.compute.simulation.plan import Plan
    from touyan.compute.simulation.trace import TraceJob


def add_to(app: typer.Typer) -> None:
    @app.command(epilog=example("touyan simulate --trace philly jobs.csv.gz --gpus 640 --policy shortest --what-if gpus=+64"))
    def simulate(
        trace: Annotated[
            tuple[str, Path], typer.Option(metavar="FORM PATH", help=_("Form of the trace (philly), and its file."))
        ],
        gpus: Annotated[int, typer.Option(min=1, help=_("Accelerators in the pool."))],
        policy: Annotated[
            str, typer.Option(help=_("fifo, backfill, shortest, shortest-median, shares; oracle knows the future, as a bound."))
        ] = "fifo",
        shares: Annotated[Path | None, typer.Option(help=_("Shares file: what each owner brought."))] = None,
        patience_h: Annotated[
            float, typer.Option(min=0, help=_("After so many hours of waiting a job is not overtaken any more; 0: never."))
        ] = 0,
        what_if: Annotated[
            list[str] | None,
            typer.Option(help=_("Simulate this change too: gpus=+64, policy=NAME, patience_h=36, load=1.2, share:OWNER=64.")),
        ] = None,
        out: Annotated[Path, typer.Option(help=_("Report to write, as HTML."))] = Path("simulation.html"),
        as_json: JsonOption = False,
    ) -> None:
        """Replay a trace under a scheduling policy, and what would change with other machines, shares or rules."""
        from touyan.compute.shares import read_shares
        from touyan.compute.simulation.page import page
        from touyan.compute.simulation.plan import Plan, changed

        stated = read_shares(shares) if shares else None
        base = Plan(gpus, policy, stated, patience_h * 3600 or float("inf"), name=policy)
        plans = [base, *(changed(base, each) for each in what_if or ())]
        jobs = _read(*trace)
        results = [_result(plan, jobs) for plan in plans]
        out.write_text(page(f"{trace[1].name}, {gpus} GPUs", results), encoding="utf-8")
        if as_json:
            print_json({"plans": [asdict(r) for r in results], "report": str(out)})
            return
        _show(results)
        say(_("Report: {path}").format(path=out))


def _read(form: str, path: Path) -> list[TraceJob]:
    from touyan.compute.simulation.trace import read_philly
    from touyan.core.errors import Invalid

    if form != "philly":
        raise Invalid("no-trace-form", f"there is no form of traces {form!r}", "use philly")
    return read_philly(path)


def _result(plan: Plan, jobs: list[TraceJob]) -> Result:
    from touyan.compute.simulation.figures import figures
    from touyan.compute.simulation.guarantee import check
    from touyan.compute.simulation.page import Result

    courses = plan.run(jobs)
    kept = check(courses, plan.shares) if plan.shares else []
    return Result(plan.name, figures(courses, plan.devices), tuple(kept))


def _show(results: list[Result]) -> None:
    from touyan.compute.simulation.page import owner_row

    columns = (
        _("plan"), _("jobs"), _("mean completion h"), _("mean wait h"), _("p99 wait h"), _("jobs of 8+"), _("their p99 wait h"),
        _("stops"), _("lost device h"), _("used"),
    )  # fmt: skip
    print_table(columns, [r.row() for r in results], "")
    owner_columns = (
        _("owner"), _("nominal"), _("jobs"), _("wait alone h"), _("wait in the pool h"), _("late"), _("latest s")
    )  # fmt: skip
    for result in results:
        if result.kept:
            say(f"\n{result.name}")
            print_table(owner_columns, map(owner_row, result.kept), "")
